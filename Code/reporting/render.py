"""The report in English and in Chinese, rendered from the results by the templates."""

import functools
import math
from collections.abc import Callable
from os.path import relpath
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import quote

import jinja2

from Code.data import datasets
from Code.foundation.atomic import write_text
from Code.reporting import (
    benchmark,
    cautions,
    claims,
    contents,
    denoising,
    differences,
    left_out,
    losses,
    other_data,
    provenance,
    published_figures,
    published_uses,
    tables,
)
from Code.reporting.results import Measure, Result, ResultError, load_results, load_runs
from Code.reporting.uses import load_uses

TEMPLATES = Path(__file__).parent / "templates"
REPORTS = {"en": "report.md", "zh": "report.zh.md"}
MINUS = "−"


def render_reports(output_dir: str | Path, report_dir: str | Path) -> list[Path]:
    """Write ``report.md`` and ``report.zh.md`` from the results in ``output_dir``.

    It reads only ``*/result.json``, ``runs.json``, ``benchmark.json``, ``uses.json`` and
    ``left_out.json``, and checks whether ``explorer.html`` exists in ``report_dir``.
    Results on MNIST are held against the published figures; those on other data have a report of
    their own, which compares them with each other only.
    Figure links are relative from ``report_dir`` to ``output_dir``, so both must be on one drive.
    The same results give the same bytes.

    Raises
    ------
    ResultError
        If a result is malformed, or there is none; an older report is then left unchanged.
    """
    results = load_results(output_dir)
    if not results:
        raise ResultError(f"{output_dir}: {_why_nothing(output_dir)}")
    texts = {
        name: render(results, lang, Path(output_dir), Path(report_dir))
        for lang, name in REPORTS.items()
    }
    return [write_text(Path(report_dir) / name, text) for name, text in texts.items()]


def _why_nothing(output_dir: str | Path) -> str:
    reasons = left_out.load_left_out(output_dir)
    if reasons:
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        return f"no results to report; everything was left out ({told})"
    return "no results to report; run `python run_all.py` first"


def render(results: dict[str, Result], lang: str, output_dir: Path, report_dir: Path) -> str:
    """The report in ``lang`` (``en`` or ``zh``) as Markdown."""
    env = environment()
    everything = results
    other = other_data.is_other(results)
    if not other:
        results = contents.core(results)
    uses = load_uses(output_dir)
    context: dict[str, Any] = {
        "lang": lang,
        "everything": everything,
        "results": results,
        "on_mnist": not other,
        "runs": load_runs(output_dir),
        "BENCHMARK": benchmark,
        "CAUTIONS": cautions,
        "CLAIMS": claims,
        "CONTENTS": contents,
        "DATASETS": datasets,
        "DENOISING": denoising,
        "LOSSES": losses,
        "OTHER": other_data,
        "PROVENANCE": provenance,
        "PUBLISHED_FIGURES": published_figures,
        "TABLES": tables,
        "benchmark": benchmark.load_benchmark(output_dir),
        "uses": uses,
        "omissions": left_out.left_out(everything, uses, left_out.load_left_out(output_dir)),
        "published_uses": published_uses.comparisons,
        "benchmark_link": lambda name: file_link(output_dir / name, report_dir),
        "explorer_link": file_link(report_dir / "explorer.html", report_dir),
        "figure_link": lambda result, name: figure_link(result, name, output_dir, report_dir),
        "get": lambda *args, **kwargs: differences.measure(everything, *args, **kwargs),
        "compare": differences.compare,
        "alike": differences.alike,
        "before_after": differences.before_after,
        "decimals": decimals,
        "pixels_of": lambda name: math.prod(everything[name].data.get("image_shape", (28, 28))),
    }
    context["texts_of"] = lambda variant: _family_texts(env, lang, variant, context)
    # each module can use the ones before it: labels, then the shared macros, then a family's texts
    context["formulas"] = _module(env, "formulas.j2", context)
    context["L"] = _module(env, f"{lang}/labels.j2", context)
    if other:
        # Words for images of anything in place of those for digits
        replaced = _module(env, f"{lang}/other/labels.j2", context)
        context["L"] = SimpleNamespace(**{**vars(context["L"]), **vars(replaced)})
    context["M"] = _module(env, "macros.j2", context)
    text = env.get_template("other.md.j2" if other else "report.md.j2").render(context)
    return tidy(text)


def _module(env: jinja2.Environment, name: str, context: dict[str, Any]) -> ModuleType:
    return env.get_template(name).make_module(context)


def _family_texts(
    env: jinja2.Environment, lang: str, variant: str, context: dict[str, Any]
) -> ModuleType:
    named = [f"{lang}/families/{variant}.j2", f"{lang}/families/other.j2"]
    everything = context["everything"]
    return env.select_template(named).make_module({**context, "results": everything})


@functools.cache
def environment() -> jinja2.Environment:
    """Jinja set up for Markdown; an undefined name is an error, not an empty string."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    filters: dict[str, Callable] = {"pm": pm, "figure": figure, "signed": signed, "cell": cell}
    env.filters.update(filters, fixed=fixed, plain=plain, magnitude=magnitude)
    return env


def tidy(text: str) -> str:
    """Remove trailing blanks and repeated empty lines, which the templates' tags leave behind."""
    lines: list[str] = []
    for line in map(str.rstrip, text.splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip() + "\n"


def figure_link(result: Result, name: str, output_dir: Path, report_dir: Path) -> str | None:
    """Relative link to a figure if the result lists it and the file exists, else None."""
    if name not in result.figures:
        return None
    return file_link(output_dir / result.experiment / name, report_dir)


def file_link(path: Path, report_dir: Path) -> str | None:
    """Relative link from the report to a file if it exists, else None."""
    if not path.is_file():
        return None
    return quote(Path(relpath(path.resolve(), report_dir.resolve())).as_posix())


# --- numbers --------------------------------------------------------------------------------------


def decimals(metric: str, value: float) -> int:
    """Number of decimals shown for a metric: two for decibels, nats and seconds, else four."""
    nats = ("kl", "reconstruction", "nll", "commitment", "squared_error")
    coarse = metric.startswith(("psnr", "seconds", *nats)) or abs(value) >= 5
    return 2 if coarse else 4


def fixed(value: float, places: int) -> str:
    """``value`` with a fixed number of decimals and a true minus sign."""
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def figure(measure: Measure) -> str:
    """The mean alone."""
    return fixed(measure.mean, decimals(measure.metric, measure.mean))


def pm(measure: Measure | None) -> str:
    """Mean ± standard deviation; the mean alone if the spread is unknown; – without a measure."""
    if measure is None:
        return "–"
    if measure.std is None:
        return figure(measure)
    places = decimals(measure.metric, measure.mean)
    return f"{figure(measure)} ± {magnitude(measure.std, places)}"


def magnitude(value: float, places: int) -> str:
    """A spread or a margin; one too small to show is given as "<" a bound, not as zero."""
    smallest = 10.0**-places
    return f"<{smallest:.{places}f}" if 0 < value < smallest / 2 else fixed(value, places)


def signed(value: float, places: int) -> str:
    """A difference with its sign; zero has no sign."""
    text = fixed(value, places)
    return text if text.startswith(MINUS) or not text.strip("0.") else f"+{text}"


def plain(value: float) -> str:
    """A figure with the digits that it was given with, without padding."""
    return f"{value:.10g}".replace("-", MINUS)


def cell(value: object) -> str:
    """Any text on one line, safe inside a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
