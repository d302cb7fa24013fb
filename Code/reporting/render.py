"""The report in English and in Chinese, rendered from the results by the templates."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from Code.figures.ideas import drawing
from Code.foundation.atomic import write_text
from Code.reporting import left_out, other_data, reference, repeated, second_data
from Code.reporting.agreement import agreement
from Code.reporting.excerpts import ROOT
from Code.reporting.facts import Facts
from Code.reporting.kept import headed, kept
from Code.reporting.links import Places
from Code.reporting.pages import MAIN, framed, other_pages, pages
from Code.reporting.results import ResultError, load_results
from Code.reporting.templating import Language
from Code.reporting.uses import load_uses

IDEAS = "ideas"
"""Folder of the drawings, beside the main report."""


def render_reports(
    output_dir: str | Path,
    report_dir: str | Path,
    reference_dir: str | Path | None = None,
    own: Collection[str] | None = None,
    others: Collection[str] | None = None,
) -> list[Path]:
    """Write the pages in both languages from the results in ``output_dir``; the main ones first.

    It reads only ``*/result.json``, ``*/history.csv``, ``runs.json``, ``benchmark.json``,
    ``uses.json`` and ``left_out.json``, the results and uses on other data in folders below, the
    source of the variants, and checks which pictures exist and whether ``explorer.html`` exists in
    ``report_dir``.
    Results on MNIST are held against the published figures; those on other data have a report of
    their own, which compares them with each other only.
    The spread of figures of few seeds comes from the tables in ``reference_dir``, see
    `Code.reporting.reference`.
    With ``own``, names of experiments that were trained here, the pages are of these alone; those
    that came with the code and of which nothing was run stay, under a line that says so.
    ``others`` are names of folders in ``output_dir`` with results on other data, beside which the
    uses on MNIST are put; None for all of them.
    Links are relative from each page, so the folders must be on one drive.
    The same results give the same bytes.

    Raises
    ------
    ResultError
        If a result or a repetition is malformed, or there is no result; an older report is then
        left unchanged.
    """
    results = load_results(output_dir)
    theirs: set[str] = set()
    if own is not None:
        results = {name: result for name, result in results.items() if name in own}
        theirs = reference.theirs(output_dir, reference_dir or reference.FOLDER)
    output, report = Path(output_dir).resolve(), Path(report_dir).resolve()
    if not results:
        raise ResultError(f"{output_dir}: {_why_nothing(output_dir)}")
    uses = None if "uses.json" in theirs else load_uses(output_dir)
    if reference_dir is not None:
        folder = Path(reference_dir)
        spreads = reference.spreads(folder / "results.csv", reference.MEASURE)
        results = reference.with_spreads(results, spreads)
        of_uses = reference.spreads(folder / "uses.csv", reference.USE)
        if uses is not None and not other_data.is_other(results):
            uses = reference.uses_with_spreads(uses, of_uses)
    facts = Facts.of(results, uses, Path(output_dir), theirs)
    if facts.on_mnist and uses is not None:
        facts = replace(facts, others=second_data.load(output_dir, others))
    if facts.on_mnist and own is None and reference_dir is not None:
        facts = replace(facts, repeated=repeated.load(reference_dir))
    all_pages = pages(facts.everything) if facts.on_mnist else other_pages()
    if own is not None and reference_dir is not None:
        table = reference.figures(Path(reference_dir, "results.csv"), reference.MEASURE)
        table_of_uses = reference.figures(Path(reference_dir, "uses.csv"), reference.USE)
        found = agreement(results, table, uses, table_of_uses)
        facts = replace(facts, agreement=found)
        # Only there do pages lie that came with the code
        if Path(reference_dir).resolve().parent == output.resolve():
            facts = replace(facts, kept=kept(all_pages, facts))
    drawings = {page.variant: drawing(page.variant) for page in all_pages if page.variant}
    drawn = {name: text for name, text in drawings.items() if text}
    texts: dict[Path, str] = {}
    for language in MAIN:
        paths = {page.name: report / page.path(language) for page in all_pages}
        # What pages about other data do not tell themselves, such as the rules
        project = {page.name: ROOT / "report" / page.path(language) for page in pages({})}
        places = Places(output, report, project | paths)
        words = Language(language, facts, places, drawn)
        bodies = {page: words.render(page) for page in all_pages}
        for page, text in framed(bodies, language, words.labels).items():
            path = paths[page.name]
            if page.name in facts.kept and path.is_file():
                texts[path] = headed(path.read_text("utf-8"), words.labels.committed_reference)
                continue
            texts[path] = places.resolved(text, path).strip() + "\n"
    for name, text in drawn.items():
        _write(report / IDEAS / f"{name}.svg", text)
    main = [report / name for name in MAIN.values()]
    paths = [*main, *sorted(texts.keys() - {*main})]
    for path in reversed(paths):
        _write(path, texts[path])
    return [Path(report_dir, path.relative_to(report)) for path in paths]


def _write(path: Path, text: str) -> None:
    """Write what is not there already: most pages stay as they are from one run to the next."""
    if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
        write_text(path, text)


def _why_nothing(output_dir: str | Path) -> str:
    reasons = left_out.load_left_out(output_dir)
    if reasons:
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        return f"no results to report; everything was left out ({told})"
    return "no results to report; run `python run_all.py` first"
