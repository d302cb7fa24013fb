"""From finished runs to what is shown: result.json, history.csv, figures and results.csv."""

import json
import shutil
from itertools import product
from pathlib import Path

import numpy as np

from Code.atomic import write_json, write_text, write_with
from Code.experiments import EXPERIMENTS
from Code.figures import curves, images, scatter, structure, style
from Code.training.measures import NOISE_LEVELS
from Code.training.store import HISTORY_COLUMNS, csv_text

RESULT_COLUMNS = (
    "experiment",
    "variant",
    "stage",
    "metric",
    "split",
    "mean",
    "std",
    "n_seeds",
    "published",
)
# One row a latent unit, a style, a category, or a real digit with its ten translations
GRID_COLUMNS = {
    "traversal": 10,
    "styles": 10,
    "transfer": 11,
    "draws": 10,
    "completion": 10,
    "codebook": 10,
}
# What a term of the training is called in its picture, and its unit
TERMS = {
    "reconstruction": ("reconstruction", "sum over the pixels"),
    "kl": ("KL to the prior", "nats"),
    "label_loss": ("cross-entropy of the labeller", "nats"),
    "total_correlation": ("total correlation", "nats"),
    "discriminator_loss": ("loss of the discriminator", "nats"),
    "discriminator": ("loss of the discriminator", "nats"),
    "generator": ("adversarial loss of the encoder", "nats"),
    "classification": ("cross-entropy of the category", "nats"),
    "free_energy": ("free energy", "nats"),
    "mmd": ("MMD² to the prior", "mean over a batch"),
    "commitment": ("commitment", "squared distance"),
    "sparsity": ("sparsity penalty", "before its weight"),
    "penalty": ("penalty", "before its weight"),
    "contraction": ("contraction penalty", "before its weight"),
    "error_corrupted": ("corrupted pixels", "part of the mean error"),
    "error_clean": ("other pixels", "part of the mean error"),
}
STILLS = (
    "structure.png",
    "loss.png",
    "loss_terms.png",
    "accuracy.png",
    "reconstructions.png",
    "denoising.png",
    "psnr.png",
    "code.png",
    "manifold.png",
)


def assemble(experiment, seeds, data, store, quick, failures):
    """Write one experiment's result.json, history.csv and figures from its finished runs.

    Figures show the first seed that finished. Nothing is written where no seed finished.

    Parameters
    ----------
    experiment : the row as it was run (with the epochs of this run).
    seeds : the seeds that were asked for.
    data : facts of the data set, as result.json holds them.
    failures : list of ``{"seed", "reason"}``.
    """
    records = {seed: store.record(experiment.name, seed) for seed in seeds}
    failed = {failure["seed"] for failure in failures}
    records = {s: record for s, record in records.items() if record and s not in failed}
    folder = store.output / experiment.name
    if not records:
        return
    done = list(records)
    first = records[done[0]]
    metrics = summary(experiment, list(records.values()))
    views = store.views(experiment.name, done[0])
    names = draw(experiment, first, metrics, views, folder)
    keep_model(store.folder(experiment.name, done[0]) / "model.keras", folder / "model.keras")
    rows = [{"seed": seed, **row} for seed, record in records.items() for row in record["history"]]
    write_text(folder / "history.csv", csv_text(("seed", *HISTORY_COLUMNS), rows))
    result = {
        "experiment": experiment.name,
        "variant": experiment.variant,
        "group": experiment.group,
        "kind": experiment.kind,
        "title": experiment.title,
        "settings": settings_of(experiment),
        "seeds": done,
        "complete": len(done) == len(seeds),
        "failures": failures,
        "data": data,
        "quick": quick,
        "parameters": first["parameters"],
        "metrics": metrics,
        **{
            times: {
                stage: [record[times][stage] for record in records.values()]
                for stage in first[times]
            }
            for times in ("seconds", "epoch_seconds")
        },
        "seconds_in_all": [record["seconds_in_all"] for record in records.values()],
        "epochs": first["epochs"],
        **{name: first[name] for name in ("versions", "machine", "code_version", "finished")},
        "figures": names,
    }
    write_json(folder / "result.json", result)


def keep_model(source, target):
    """Put the first seed's trained model beside its figures; remove an older one if it has none."""
    if source.exists():
        write_with(target, lambda part: shutil.copyfile(source, part))
    else:
        target.unlink(missing_ok=True)


def settings_of(experiment):
    """The hyperparameters of a row, as result.json holds them."""
    row = experiment.fingerprinted
    return {
        **row["settings"],
        "model": row["model"],
        "noise_once": row["noise_once"],
        "stages": list(row["stages"]),
    }


def summary(experiment, records):
    """Every metric over the seeds: values, mean, sample standard deviation, published figure."""
    published = {(p.stage, p.metric): p for p in experiment.published}
    rows = []
    for row in records[0]["metrics"]:
        key = {name: row[name] for name in ("stage", "metric", "split")}
        values = [
            other["value"]
            for record in records
            for other in record["metrics"]
            if all(other[name] == key[name] for name in key)
        ]
        target = published.get((row["stage"], row["metric"]))
        rows.append(
            {
                **key,
                "values": values,
                "mean": float(np.mean(values)),
                "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                "published": target.value if target else None,
                "published_source": target.source if target else None,
                "published_range": [target.low, target.high] if target else None,
            }
        )
    return rows


def write_results_csv(output):
    """Gather every result.json below ``output`` into the tidy ``results.csv``."""
    rank = {name: i for i, name in enumerate(EXPERIMENTS)}

    def place(result):
        name = result["experiment"]
        return rank.get(name, len(rank)), name

    rows = []
    for result in sorted(_results(output), key=place):
        for metric in result["metrics"]:
            rows.append({**result, **metric, "n_seeds": len(metric["values"])})
    return write_text(Path(output) / "results.csv", csv_text(RESULT_COLUMNS, rows))


def _results(output):
    for path in Path(output).glob("*/result.json"):
        yield json.loads(path.read_text(encoding="utf-8"))


# Figures ----------------------------------------------------------------------------------------


def draw(experiment, record, metrics, views, folder):
    """Draw every figure that the views of a run allow; return their file names.

    Figures of an earlier run that this one does not have are removed.
    """
    pictures = {
        **_curve_figures(experiment, record),
        **_image_figures(experiment, views),
        **_map_figure(experiment, views),
    }
    if record["structure"]:
        blocks = [
            {**block, "layers": [tuple(layer) for layer in block["layers"]]}
            for block in record["structure"]
        ]
        pictures["structure.png"] = structure.structure(blocks, experiment.title)
    if experiment.denoises:
        pictures["psnr.png"] = _psnr_figure(experiment, metrics)
    for path in folder.glob("*.png"):
        if path.name not in pictures:
            path.unlink()
    for name, figure in pictures.items():
        style.save(figure, folder / name)
    return sorted(pictures, key=lambda name: (STILLS.index(name) if name in STILLS else 99, name))


def _series(record, stage, metric, split):
    return [
        row["value"]
        for row in record["history"]
        if (row["stage"], row["metric"], row["split"]) == (stage, metric, split)
    ]


def _curve_figures(experiment, record):
    published = {(p.stage, p.metric): p.value for p in experiment.published}
    pictures, panels, accuracies = {}, [], []
    for stage in experiment.stages:
        title = stage_title(stage.name)
        for metric, into in (("loss", panels), ("accuracy", accuracies)):
            train = _series(record, stage.name, metric, "train")
            if train:
                into.append(
                    {
                        "title": title,
                        "ylabel": loss_label(experiment, stage) if metric == "loss" else "accuracy",
                        "train": train,
                        "test": _series(record, stage.name, metric, "test"),
                        "published": published.get((stage.name, f"{metric}_last_epoch")),
                    }
                )
    if panels:
        pictures["loss.png"] = curves.loss_curves(panels)
    if accuracies:
        pictures["accuracy.png"] = curves.loss_curves(accuracies)
    metrics = {row["metric"] for row in record["history"]} - {"loss", "accuracy"}
    terms = [term for term in TERMS if term in metrics] + sorted(metrics - set(TERMS))
    if terms:
        stages = list(dict.fromkeys(r["stage"] for r in record["history"] if r["metric"] in terms))
        both, units = {}, []
        for stage, term in product(stages, terms):
            title, unit = TERMS.get(term, (term.replace("_", " "), "mean an image"))
            if len(stages) > 1:
                title = f"{title}, {stage_title(stage)}"
            both[title] = {
                split: _series(record, stage, term, split) for split in ("train", "test")
            }
            units.append(unit)
        pictures["loss_terms.png"] = curves.term_curves(both, units)
    return pictures


def stage_title(name):
    """``"layer-1"`` → ``"layer 1 stage"``."""
    return f"{name.replace('-', ' ')} stage"


def loss_label(experiment, stage):
    """What the loss of a stage is and in which unit."""
    settings = experiment.settings
    if stage.name == "supervised":
        mse = settings.get("head_loss") == "mse"
        return "squared error on one-hot labels" if mse else "cross-entropy (nats)"
    if experiment.group not in ("published", "causes") or stage.name != "unsupervised":
        return "loss"
    if experiment.variant == "vae":
        error = "784 × MSE" if settings.get("reconstruction") == "mse" else "784 × BCE"
        return f"{error} + KL an image"
    default = "binary cross-entropy" if experiment.variant == "cae" else "mse"
    names = {"mse": "MSE a pixel", "binary cross-entropy": "binary cross-entropy a pixel (nats)"}
    return names[settings.get("reconstruction", default)]


def _image_figures(experiment, views):
    pictures = {}
    rows = [("test digit", views["digits"])]
    stages = [key.split("/")[1] for key in views if key.startswith("reconstructions/")]
    for stage in stages:
        label = "reconstruction" if len(stages) == 1 else f"after {stage_title(stage)}"
        rows.append((label, views[f"reconstructions/{stage}"]))
    pictures["reconstructions.png"] = images.image_rows(rows)
    if "noisy" in views:
        rows = [
            ("clean", views["digits"]),
            ("noisy, σ = 0.5", views["noisy"]),
            ("3×3 mean filter", views["filtered"]),
        ]
        stage = experiment.stages[0].name
        rows.append(("autoencoder", views[f"denoised/{stage}"]))
        pictures["denoising.png"] = images.image_rows(rows)
    if "manifold" in views:
        labels = ("z₁", "z₂")
        pictures["manifold.png"] = images.manifold(views["manifold"], 4.0, *labels)
    for key in views:
        if key.startswith("own/"):
            name = key.removeprefix("own/")
            pictures[f"{name}.png"] = images.grid(views[key], GRID_COLUMNS.get(name, 16))
    return pictures


def _map_figure(experiment, views):
    stages = [key.split("/")[1] for key in views if key.startswith("code/")]
    axis = {"vae": "z mean {}", "pca": "principal component {}"}.get(experiment.variant, "code {}")
    if views["code_is_projected"]:
        axis = "principal component {} of the code"
    panels = [
        (
            f"after the {stage_title(stage)}"
            if len(stages) > 1
            else "10,000 test digits"
            if len(views["labels"]) == 10000
            else f"{len(views['labels'])} test digits",
            views[f"code/{stage}"],
            views["labels"],
        )
        for stage in stages
    ]
    return {"code.png": scatter.code_maps(panels, axis.format(1), axis.format(2))}


def _psnr_figure(experiment, rows):
    stage = experiment.stages[0].name
    mean = {row["metric"]: row["mean"] for row in rows if row["stage"] == stage}
    return curves.psnr_curves(
        NOISE_LEVELS,
        {
            "autoencoder": [mean[f"psnr_{level}"] for level in NOISE_LEVELS],
            "noisy input": [mean[f"psnr_noisy_{level}"] for level in NOISE_LEVELS],
            "3×3 mean filter": [mean[f"psnr_mean_filter_{level}"] for level in NOISE_LEVELS],
        },
    )
