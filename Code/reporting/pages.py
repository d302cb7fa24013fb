"""The pages of the report: which there are, in which order, and the way between them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from Code.reporting.contents import VARIANTS, families
from Code.reporting.links import slug
from Code.reporting.results import Results

MAIN = {"en": "report.md", "zh": "report.zh.md"}
"""The main report of each language."""

INDEX = "variants/README"
BEFORE = ("report", "methods", "claims", INDEX)
AFTER = ("common", "uses", "other-papers", "speed", "runs", "references")
HEADING = re.compile(r"^## (.+)$", re.M)
CODE_BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)


@dataclass(frozen=True)
class Page:
    """One page: its name, which is its address below the language's folder, and its template.

    ``variant`` is the family that it describes, None for any other page.
    """

    name: str
    template: str
    variant: str | None = None

    def path(self, language: str) -> Path:
        """Where it lies below the folder of the report."""
        return Path(MAIN[language] if self.name == "report" else f"{language}/{self.name}.md")


def pages(results: Results) -> list[Page]:
    """All pages of results on MNIST, in the order in which they are read."""
    found = dict.fromkeys((*VARIANTS, *(family.variant for family in families(results))))
    return [
        *map(_page, BEFORE),
        *(Page(f"variants/{variant}", "variant", variant) for variant in found),
        *map(_page, AFTER),
    ]


def other_pages() -> list[Page]:
    """The pages of results on other data, of which nothing was published."""
    return [Page("report", "other"), Page("runs", "runs")]


def _page(name: str) -> Page:
    return Page(name, "variants" if name == INDEX else name.replace("-", "_"))


def framed(texts: Mapping[Page, str], language: str, words: ModuleType) -> dict[Page, str]:
    """The pages with the way back, their own contents, and the way on.

    Parameters
    ----------
    words : the language's labels.
    """
    order = list(texts)
    titles = {page: text.partition("\n")[0].removeprefix("# ") for page, text in texts.items()}
    framed = {}
    for i, page in enumerate(order):
        head, _, body = texts[page].partition("\n")
        (other,) = set(MAIN) - {language}
        ways = [] if page.name == "report" else [f"[{words.nav['back']}](page:report)"]
        ways.append(f"[{words.nav['switch']}](report:{page.path(other).as_posix()})")
        around = [
            f"[{arrow}](page:{near.name})"
            for near, arrow in (
                (order[i - 1] if i else None, f"← {titles[order[i - 1]]}"),
                (order[i + 1] if i + 1 < len(order) else None, _next(order, titles, i)),
            )
            if near
        ]
        if page.name != "report" and i + 1 == len(order):
            around.append(f"[{words.nav['back']}](page:report)")
        framed[page] = "\n\n".join(
            [head, " · ".join(ways), *_contents(body, words), body.strip(), "---", *_line(around)]
        )
    return framed


def _next(order: Sequence[Page], titles: Mapping[Page, str], i: int) -> str:
    return f"{titles[order[i + 1]]} →" if i + 1 < len(order) else ""


def _line(around: Sequence[str]) -> list[str]:
    return [" · ".join(around)] if around else []


def _contents(body: str, words: ModuleType) -> list[str]:
    """One line that links the sections, where there are several."""
    headings = HEADING.findall(CODE_BLOCK.sub("", body))
    if len(headings) < 2:
        return []
    links = " · ".join(f"[{heading}](#{slug(heading)})" for heading in headings)
    return [f"{words.nav['contents']}{words.colon}{links}"]
