"""The pictures of one experiment, drawn from the stored results of its runs."""

from itertools import pairwise, product, takewhile

import numpy as np

from Code.experiments.curves import published_curves
from Code.experiments.table import EXPERIMENTS, TABLE
from Code.figures import curves, images, scatter, structure, style
from Code.reporting.contents import CORE_GROUPS, FAMILIES, home
from Code.reporting.pictures import ORDER, OWN, WIDTH
from Code.runs.common_stages import beginnings
from Code.runs.units import TERMS, loss_unit, term_unit
from Code.training.measures import NOISE_LEVELS

# Ending of the view that names the rows of another
NAMES = "_units"
PLANE = 2
# Names of all pictures but some
WITHOUT_MAP = tuple({*ORDER, *OWN} - {"code.png", "code_noisy.png"})
WITHOUT_NOISE = tuple({*ORDER, *OWN} - {"denoising.png", "psnr.png"})
ALL = None
"""Every picture of a row."""

IF_IT_WINS = ("reconstructions.png",)
"""Pictures of a row that stands in tables only, unless it is the model that is recommended."""


def on_a_page(experiment):
    """Names of a row's pictures that a page of the report on MNIST may show; `ALL` for every one.

    Trials, and rows of the four published families beside the published comparison, stand in tables
    only; of the width in which a model is recommended, any may be the one whose images are shown.
    Two principal components of a paper's wide code say little: its page has the map of a variant
    whose code is a plane. A row whose autoencoder is trained as another's before it has the same
    pictures of noise.
    """
    if experiment.name not in EXPERIMENTS:
        # One of the user's own, whose pictures are what it was run for
        return ALL
    if experiment.kind == "trial":
        return ()
    if home(experiment) not in FAMILIES or experiment.group in CORE_GROUPS:
        if _has_its_map_elsewhere(experiment):
            return WITHOUT_MAP
        return WITHOUT_NOISE if _has_its_noise_elsewhere(experiment) else ALL
    may_win = experiment.group == "common" and experiment.settings.get("code_dim") == WIDTH
    return IF_IT_WINS if may_win else ()


def _has_its_map_elsewhere(experiment):
    of_papers = experiment.group in ("papers", "bakeoff")
    wide = experiment.settings.get("code_dim") != PLANE
    in_common = {row.variant for row in TABLE if row.group == "common"}
    return of_papers and wide and experiment.variant in in_common


def _has_its_noise_elsewhere(experiment):
    if not experiment.denoises:
        return False
    before = takewhile(lambda row: row.name != experiment.name, TABLE)
    known = {key for row in before if row.denoises for key, _ in beginnings(row)}
    return any(key in known for key, _ in beginnings(experiment))


def draw(experiment, records, metrics, views, folder, thing="digit", limits=None, only=ALL):
    """Draw every figure for which the views of a run hold data; return the file names.

    Figures of an earlier run that this run does not draw are removed.

    Parameters
    ----------
    records : the stored records of all seeds; ``views`` are those of the first.
    thing : what an image of the data is called.
    limits : ranges of vertical axes, by (stage, metric), that losses compared with these have.
    only : names of the pictures to draw, or `ALL`.
    """
    if only is not ALL and not only:
        clear(folder)
        return []
    pictures = {
        **curve_figures(experiment, _histories(records), views["digits"][0].size, limits),
        **_image_figures(experiment, views, thing),
        **_map_figures(experiment, views, thing),
    }
    if records[0]["structure"]:
        pictures["structure.png"] = structure.structure(
            blocks(records[0]["structure"]), experiment.title
        )
    if experiment.denoises:
        pictures["psnr.png"] = _psnr_figure(experiment, metrics)
    if only is not ALL:
        pictures = {name: figure for name, figure in pictures.items() if name in only}
    clear(folder, pictures)
    for name, figure in pictures.items():
        style.save(figure, folder / name)
    return sorted(pictures, key=lambda name: (ORDER.index(name) if name in ORDER else 99, name))


def clear(folder, kept=()):
    """Remove the pictures of an earlier run, but for those named in ``kept``."""
    for path in folder.glob("*.png"):
        if path.name not in kept:
            path.unlink()


def blocks(stored):
    """The blocks of a structure, as its drawing takes them.

    A step without a network of its own, such as drawing z, gives what the next network takes in.
    """
    found = [{**block, "layers": [tuple(layer) for layer in block["layers"]]} for block in stored]
    for block, following in pairwise(found):
        kind, wide, _ = following["layers"][0]
        if "sources" not in block and kind == "Input" and "from" not in following:
            block["layers"] = [(what, wide, n) for what, _, n in block["layers"]]
    return found


def _histories(records):
    """``{(stage, metric, split): [a list of values for each seed]}``."""
    return histories([{**row, "seed": i} for i, r in enumerate(records) for row in r["history"]])


def histories(rows):
    """``{(stage, metric, split): [a list of values for each seed]}`` of rows with a seed each."""
    found = {}
    for row in rows:
        key = row["stage"], row["metric"], row["split"]
        found.setdefault(key, {}).setdefault(row["seed"], []).append(float(row["value"]))
    return {key: list(of_seeds.values()) for key, of_seeds in found.items()}


def curve_figures(experiment, history, pixels, limits=None):
    """``loss.png``, ``accuracy.png`` and ``loss_terms.png`` of a row, of what it has."""
    ends = {(p.stage, p.metric): p.value for p in experiment.published}
    # Data other than MNIST have no published figure, and so no published curve
    published = published_curves() if ends else {}
    pictures, panels, accuracies = {}, [], []
    for stage in experiment.stages:
        title = stage_title(stage.name)
        names = {metric for of, metric, _ in history if of == stage.name}
        for metric, into in (("loss", panels), ("accuracy", accuracies)):
            train = history.get((stage.name, metric, "train"), [])
            if train:
                unit = loss_unit(experiment, stage.name, pixels, names)
                curve = published.get((experiment.name, stage.name, metric))
                end = ends.get((stage.name, f"{metric}_last_epoch"))
                into.append(
                    {
                        "title": title,
                        "ylabel": unit if metric == "loss" else "accuracy (share of the images)",
                        "train": train,
                        "test": history.get((stage.name, metric, "test"), []),
                        "limits": (limits or {}).get((stage.name, metric)),
                        **published_of(curve, end, max(map(len, train))),
                    }
                )
    if panels:
        pictures["loss.png"] = curves.loss_curves(panels)
    if accuracies:
        pictures["accuracy.png"] = curves.loss_curves(accuracies)
    terms, units = _terms(experiment, history)
    if terms:
        pictures["loss_terms.png"] = curves.term_curves(terms, units)
    return pictures


def _rank(term):
    """Known terms first, in their order."""
    return (list(TERMS).index(term) if term in TERMS else len(TERMS)), term


def _terms(experiment, history):
    """The curves of the terms of the losses by title, and their units; zeros are left out."""
    told = {
        key: values
        for key, values in history.items()
        if key[1] not in ("loss", "accuracy") and np.any(np.concatenate(values))
    }
    names = sorted({metric for _, metric, _ in told}, key=_rank)
    stages = dict.fromkeys(stage for stage, _, _ in told)
    terms, units = {}, []
    for stage, name in product(stages, names):
        both = {split: told.get((stage, name, split), []) for split in ("train", "test")}
        if not any(both.values()):
            continue
        title, unit = term_unit(experiment, name)
        terms[f"{title}\n{stage_title(stage)}" if len(stages) > 1 else title] = both
        units.append(unit)
    return terms, units


def published_of(curve, end, epochs):
    """What was published, for a panel of so many epochs; a shorter run does not reach the end."""
    if curve is None:
        return {"published": end}
    return {
        "published": end if epochs >= len(curve.values) else None,
        "published_curve": curve.values[:epochs],
        "reading_error": curve.reading_error,
    }


def stage_title(name):
    """``"layer-1"`` → ``"layer 1 stage"``."""
    return f"{name.replace('-', ' ')} stage"


def _image_figures(experiment, views, thing):
    pictures = {}
    rows = [(f"test {thing}", views["digits"])]
    stages = [key.split("/")[1] for key in views if key.startswith("reconstructions/")]
    for stage in stages:
        drawn = views.get(f"drawn/{stage}")
        label = "reconstruction" if len(stages) == 1 else f"after {stage_title(stage)}"
        label += "" if drawn is None else " from the mean"
        rows.append((label, views[f"reconstructions/{stage}"]))
        if drawn is not None:
            rows.append((label.replace("the mean", "a drawn z"), drawn))
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
        tiles = views["manifold"]
        # Before their points were stored, they were those of the square from −4 to 4
        across, up = (
            views.get(f"manifold_{axis}", np.linspace(-4, 4, len(tiles))) for axis in "xy"
        )
        pictures["manifold.png"] = images.manifold(tiles, across, up, "z₁", "z₂")
    for key in views:
        if key.startswith("own/") and not key.endswith(NAMES):
            name = key.removeprefix("own/")
            labels = grid_labels(name, experiment, views)
            pictures[f"{name}.png"] = images.grid(views[key], **labels)
    return pictures


def grid_labels(name, experiment, views):
    """The columns and the labels of a grid of images that only some variants have."""
    classes = scatter.classes_of(views)
    labels, settings = views.get("labels"), experiment.settings
    n = len(views[f"own/{name}"])
    numbers = [str(i + 1) for i in range(-(-n // 10))]
    tens = {"columns": 10}
    if name == "traversal":
        units = views.get(f"own/{name}{NAMES}")
        steps = np.linspace(-3, 3, 10)
        return tens | {
            "rows": numbers if units is None else [f"unit {unit + 1}" for unit in units],
            "heads": [f"{step:+.1f}".replace("-", "−") for step in steps],
            "xlabel": "value of the unit; all others are 0",
            "ylabel": "most used first",
        }
    if name == "completion":
        return tens | {"rows": ["test image", "what it sees", "completed"][: len(numbers)]}
    if name == "styles":
        return {
            "columns": len(classes),
            "rows": [str(i + 1) for i in range(n // len(classes))],
            "heads": classes,
            "xlabel": "the label it is decoded with",
            "ylabel": "style drawn from N(0, I)",
        }
    if name == "transfer":
        rows = n // (1 + len(classes))
        return {
            "columns": 1 + len(classes),
            "rows": [] if labels is None else [f"a {classes[c]}" for c in labels[:rows]],
            "heads": ["real", *classes],
            "xlabel": "its style with every label",
        }
    if name == "codebook":
        return tens | {"xlabel": "entries of the codebook, the most used first"}
    if name == "draws":
        # Where training is told which class belongs to which petal, the row bears its name
        told = settings.get("with_labels") and len(classes) == len(numbers)
        rows = classes if told else numbers
        return tens | _draws(settings, rows, ":Categorical" in experiment.model)
    return {}


def _draws(settings, rows, by_category):
    if by_category:
        return {
            "rows": rows,
            "heads": [str(i + 1) for i in range(10)],
            "xlabel": "style drawn from N(0, I)",
            "ylabel": "category",
        }
    if settings.get("prior") == "petals":
        steps = np.linspace(-2, 2, 10)
        return {
            "rows": rows,
            "heads": [f"{step:+.1f}".replace("-", "−") for step in steps],
            "xlabel": "from the centre to the tip of the petal (standard deviations)",
            "ylabel": "petal",
        }
    return {"xlabel": "draws from N(0, I), decoded"}


def _map_figures(experiment, views, thing):
    """The map of the test images, and where noise was added before training, that of noisy ones."""
    maps = (
        ("code", "code.png", f"test {thing}s"),
        ("code_noisy", "code_noisy.png", f"noisy test {thing}s"),
    )
    return {
        file: _map_figure(experiment, views, kind, what)
        for kind, file, what in maps
        if any(key.startswith(f"{kind}/") for key in views)
    }


def _map_figure(experiment, views, kind, what):
    stages = [key.split("/")[1] for key in views if key.startswith(f"{kind}/")]
    axis = experiment.code_axis
    if views["code_is_projected"]:
        axis = "principal component {} of the code"
    n, labels = len(views[f"{kind}/{stages[0]}"]), views.get("labels")
    panels = [
        (
            f"{n:,} {what}" + (f"\nafter the {stage_title(stage)}" if len(stages) > 1 else ""),
            views[f"{kind}/{stage}"],
            labels,
        )
        for stage in stages
    ]
    classes = scatter.classes_of(views)
    return scatter.code_maps(panels, axis.format(1), axis.format(2), classes)


def _psnr_figure(experiment, rows):
    stage = experiment.stages[0].name
    of_seeds = {row["metric"]: row["values"] for row in rows if row["stage"] == stage}
    of = {
        "autoencoder": "psnr",
        "noisy input": "psnr_noisy",
        "3×3 mean filter": "psnr_mean_filter",
        "3×3 median filter": "psnr_median_filter",
    }
    return curves.psnr_curves(
        NOISE_LEVELS,
        {
            label: list(
                zip(*(of_seeds[f"{metric}_{level}"] for level in NOISE_LEVELS), strict=True)
            )
            for label, metric in of.items()
            # Results from before the median filter was measured do not have it
            if f"{metric}_{NOISE_LEVELS[0]}" in of_seeds
        },
    )
