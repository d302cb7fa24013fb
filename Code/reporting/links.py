"""Links of the pages: ``kind:path`` in the templates, relative to each page once it is written.

page:claims#claim-1   another page of the same language      output:ae/loss.png   a result
report:explorer.html  a file beside the main report          source:Code/ae.py    the project
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

from Code.reporting.excerpts import ROOT
from Code.reporting.results import Result

WRITTEN = re.compile(r'(\]\(|(?:src|href)=")(page|output|report|source):([^)"\s#]*)(#[^)"\s]*)?')
# What stays of a heading in its anchor, as GitHub makes it
DROPPED = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Places:
    """Where the files lie: results, main report, and the pages of one language by name.

    ``pages`` holds those of the project too that this report has not itself.
    """

    output: Path
    report: Path
    pages: Mapping[str, Path]

    def path(self, kind: str, name: str) -> Path:
        """The file behind a link.

        Raises
        ------
        KeyError
            If there is no page of that name.
        """
        if kind == "page":
            return self.pages[name]
        return {"output": self.output, "report": self.report, "source": ROOT}[kind] / name

    def link(self, kind: str, name: str) -> str | None:
        """A link to a file as the templates write it, if the file exists, else None."""
        return f"{kind}:{name}" if self.path(kind, name).is_file() else None

    def picture(self, result: Result, name: str) -> str | None:
        """The same to a picture that the result lists."""
        if name not in result.figures:
            return None
        return self.link("output", f"{result.experiment}/{name}")

    def resolved(self, text: str, page: Path) -> str:
        """The text of a page with all its links relative to it."""

        def relative(match: re.Match) -> str:
            before, kind, name, anchor = match.groups()
            return before + relative_link(self.path(kind, name), page.parent) + (anchor or "")

        return WRITTEN.sub(relative, text)


def relative_link(path: Path, folder: Path) -> str:
    """A file's address as seen from a folder; both are resolved, and on one drive."""
    return quote(Path(relpath(path, folder)).as_posix())


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return DROPPED.sub("", heading.strip().lower()).replace(" ", "-")
