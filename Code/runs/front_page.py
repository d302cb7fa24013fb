"""The front page's table of results: read from the result files, written between two marks.

The published figures come first, each beside what its experiment reached here; then the corrected
experiments, each beside the published one that it corrects, by a measure of the test images.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from Code.experiments.published import PUBLISHED_GROUP
from Code.foundation.atomic import write_text
from Code.reporting.reproduced import NOT_REPRODUCED, REPRODUCED, verdict
from Code.reporting.results import Measure, Result, load_result

BEGIN = "<!-- results: written by run_all.py --report-only --extend -->"
END = "<!-- end of results -->"
NONE = "–"
MINUS = "−"


class Corrected(NamedTuple):
    """One corrected experiment and the published one that it corrects, by one test measure."""

    name: str
    title: str
    published: str
    measure: str
    metric: str
    stage: str


TITLES = {
    "ae-relu": "AE, ReLU",
    "ae-tanh": "AE, tanh",
    "dae-published": "DAE",
    "cae-published": "CAE",
    "vae-bce": "VAE, cross-entropy",
    "vae-mse": "VAE, squared error",
}
MEASURES = {
    ("ae-relu", "loss_last_epoch"): "training MSE",
    ("ae-tanh", "loss_last_epoch"): "training MSE",
    ("dae-published", "loss_last_epoch"): "training MSE, noisy images",
    ("dae-published", "accuracy_last_epoch"): "training accuracy, last epoch",
    ("cae-published", "loss_last_epoch"): "training cross-entropy, nats a pixel",
    ("cae-published", "accuracy_last_epoch"): "training accuracy, last epoch",
    ("vae-bce", "loss_last_epoch"): "training loss, nats an image",
    ("vae-mse", "loss_last_epoch"): "training loss, 784 × MSE + KL",
}
CORRECTED = (
    Corrected("ae", "AE, linear code", "ae-relu", "test MSE", "mse", "unsupervised"),
    Corrected(
        "dae",
        "DAE, noisy to clean, wide code",
        "dae-published",
        "PSNR of denoised digits, dB",
        "psnr_0.5",
        "unsupervised",
    ),
    Corrected(
        "dae-classifier",
        "DAE, noisy to clean, head on the code",
        "dae-published",
        "test accuracy, noisy digits → clean ones",
        "accuracy",
        "supervised",
    ),
    Corrected(
        "cae-denoising",
        "CAE, noisy to clean",
        "cae-published",
        "PSNR of denoised digits, dB",
        "psnr_0.5",
        "unsupervised",
    ),
    Corrected(
        "cae-classifier",
        "CAE, head on the code",
        "cae-published",
        "test accuracy",
        "accuracy",
        "supervised",
    ),
)
SAID = {REPRODUCED: "yes", NOT_REPRODUCED: "**no**"}


def table(results: Mapping[str, Result]) -> str:
    """The table in Markdown under its sum; a figure whose experiment has no result is a dash."""
    rows = [*_published(results), *_corrected(results)]
    verdicts = [row[4] for row in rows if row[4] != NONE]
    head = ("", "measure", "published", "ours, as published", "reproduced", "ours, corrected")
    lines = (head, ("---", "---", "--:", "--:", "---", "--:"), *rows)
    count = f"{verdicts.count(SAID[REPRODUCED])} of {len(verdicts)}"
    told = f"**{count} published figures are reproduced.**\n"
    return "\n".join([told, *(f"| {' | '.join(cells)} |" for cells in lines)])


def _published(results):
    for row in PUBLISHED_GROUP:
        for figure in row.published:
            m = _measure(results, row.name, figure.metric, "train", figure.stage)
            said = SAID.get(verdict(m), "undecided") if m else NONE
            measure = MEASURES[row.name, figure.metric]
            # As the report has it: what was known when the result was made
            value = m.published if m and m.published is not None else figure.value
            published = number(value, 4 if abs(value) < 1 else 1)
            yield TITLES[row.name], measure, published, shown(m), said, NONE


def _corrected(results):
    for row in CORRECTED:
        published, ours = (
            shown(_measure(results, name, row.metric, "test", row.stage))
            for name in (row.published, row.name)
        )
        yield row.title, row.measure, NONE, published, NONE, ours


def _measure(results, name, metric, split, stage) -> Measure | None:
    return results[name].measure(metric, split, stage) if name in results else None


def shown(m: Measure | None) -> str:
    """Mean ± standard deviation over the seeds; four decimals below 1, two above."""
    if m is None:
        return NONE
    places = 4 if abs(m.mean) < 1 else 2
    mean = number(m.mean, places)
    if m.std is None:
        return mean
    smallest = 10.0**-places
    spread = f"<{smallest:.{places}f}" if m.std < smallest / 2 else f"{m.std:.{places}f}"
    return f"{mean}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{spread}"


def number(value: float, places: int) -> str:
    """A number with so many decimals and a true minus sign."""
    return f"{value:.{places}f}".replace("-", MINUS)


def written(text: str, results: Mapping[str, Result]) -> str:
    """The front page with the table of these results between its marks; unchanged without marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        return text
    return f"{before}{begin}\n{table(results)}\n{end}{after}"


def update(path: Path, output: Path) -> None:
    """Write the table of the results in ``output`` into the front page at ``path``, if it exists.

    Raises
    ------
    Code.reporting.results.ResultError
        If a result file is not what a run writes.
    """
    if not path.is_file():
        return
    names = {row.name for row in PUBLISHED_GROUP}
    files = {name: Path(output, name, "result.json") for name in names}
    results = {name: load_result(file) for name, file in files.items() if file.is_file()}
    text = path.read_text("utf-8")
    new = written(text, results)
    if new != text:
        write_text(path, new)
