"""The pictures of one experiment, drawn from the stored results of its runs."""

from itertools import product

from Code.figures import curves, images, scatter, structure, style
from Code.training.measures import NOISE_LEVELS

# One row per latent unit, style or category, or per real digit with its ten translations
GRID_COLUMNS = {
    "traversal": 10,
    "styles": 10,
    "transfer": 11,
    "draws": 10,
    "completion": 10,
    "codebook": 10,
}
# Name and unit of each loss term in its picture
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


def draw(experiment, record, metrics, views, folder, thing="digit"):
    """Draw every figure for which the views of a run hold data; return the file names.

    Figures of an earlier run that this run does not draw are removed. ``thing`` is what an image of
    the data is called.
    """
    pictures = {
        **_curve_figures(experiment, record, views["digits"][0].size),
        **_image_figures(experiment, views, thing),
        **_map_figure(experiment, views, thing),
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


def _curve_figures(experiment, record, pixels):
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
                        "ylabel": loss_label(experiment, stage, pixels)
                        if metric == "loss"
                        else "accuracy",
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


def loss_label(experiment, stage, pixels):
    """Name and unit of the loss of a stage, for images of so many pixels."""
    if stage.name == "supervised":
        mse = experiment.settings.get("head_loss") == "mse"
        return "squared error on one-hot labels" if mse else "cross-entropy (nats)"
    return experiment.loss_axis.format(pixels=pixels) if stage.name == "unsupervised" else "loss"


def _image_figures(experiment, views, thing):
    pictures = {}
    rows = [(f"test {thing}", views["digits"])]
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
            pictures[f"{name}.png"] = images.grid(views[key], grid_columns(name, views))
    return pictures


def grid_columns(name, views):
    """The number of images in a row of a grid; a row may show one image with every label."""
    n_classes = len(scatter.classes_of(views))
    return {"styles": n_classes, "transfer": 1 + n_classes}.get(name, GRID_COLUMNS.get(name, 16))


def _map_figure(experiment, views, thing):
    stages = [key.split("/")[1] for key in views if key.startswith("code/")]
    axis = experiment.code_axis
    if views["code_is_projected"]:
        axis = "principal component {} of the code"
    n, labels = len(views[f"code/{stages[0]}"]), views.get("labels")
    panels = [
        (
            f"after the {stage_title(stage)}" if len(stages) > 1 else f"{n:,} test {thing}s",
            views[f"code/{stage}"],
            labels,
        )
        for stage in stages
    ]
    classes = scatter.classes_of(views)
    return {"code.png": scatter.code_maps(panels, axis.format(1), axis.format(2), classes)}


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
