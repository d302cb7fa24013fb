"""The reports of an output folder; nothing here loads what trains or draws."""

from pathlib import Path

from Code.reporting import reference, second_data
from Code.reporting.agreement import agreement
from Code.reporting.render import render_reports
from Code.reporting.results import load_results
from Code.reporting.uses import load_uses
from Code.runs import front_page
from Code.runs.extend import make_reference
from Code.runs.progress import say

DEFAULT_OUTPUT = Path("output")


def report_folder(output):
    """Folder of the reports: ``report`` for the default output folder, else a subfolder of it."""
    return Path("report") if Path(output) == DEFAULT_OUTPUT else Path(output, "report")


def write_reports(output, extend=False):
    """Render the reports of an output folder and print the paths of the two main ones.

    They are of the experiments that were trained here. Without any, or with ``extend``, they are of
    all results: these are the committed reference, of which the front page's table is.
    """
    mine = None if extend else reference.own(output) or None
    others = None if extend else other_data_of(output, mine is not None)
    rendered = render_reports(output, report_folder(output), reference.FOLDER, mine, others)
    main, other_language, *pages = rendered
    if extend:
        make_reference(output)
        if Path(output) == DEFAULT_OUTPUT:
            front_page.update(Path("README.md"), output)
    say(f"Reports: {main}, {other_language} ({len(pages)} more pages beside them)")


def other_data_of(output, mine, folder=None):
    """Names of the folders in ``output`` with uses on other data: of this machine, or committed."""
    folder = folder or reference.FOLDER
    return {
        name
        for name in second_data.folders(output)
        if mine != reference.came_with_the_code(Path(output, name), "uses.json", folder)
    }


def own_results(output, folder=reference.FOLDER):
    """The results of the runs of this machine in ``output``, by name."""
    mine = reference.own(output, folder)
    return {name: result for name, result in load_results(output).items() if name in mine}


def compared(output, folder=reference.FOLDER):
    """How nearly the runs of this machine in ``output`` repeat the committed reference.

    Returns
    -------
    `Code.reporting.agreement.Agreement`; without any figure where nothing was trained here.
    """
    results = own_results(output, folder)
    uses = None if "uses.json" in reference.theirs(output, folder) else load_uses(output)
    table = reference.figures(Path(folder, "results.csv"), reference.MEASURE)
    of_uses = reference.figures(Path(folder, "uses.csv"), reference.USE)
    return agreement(results, table, uses, of_uses)
