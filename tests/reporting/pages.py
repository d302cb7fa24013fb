"""The rendered pages, by language and name."""

import re
from dataclasses import dataclass
from pathlib import Path

from Code.reporting.render import render_reports

LANGUAGES = ("en", "zh")
CODE_BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r'(?<!\\)\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"')
PICTURE = re.compile(r'!\[([^\]]*)\]\(([^)\s]+)\)|<img src="([^"]+)"[^>]* alt="([^"]*)">')


@dataclass(frozen=True)
class Site:
    """All pages of one rendering: ``{language: {name: text}}``, and where they lie."""

    folder: Path
    pages: dict[str, dict[str, str]]

    def whole(self, language: str) -> str:
        """All pages of a language, one after the other."""
        return "\n\n".join(self.pages[language].values())

    def both(self, name: str | None = None) -> list[str]:
        """A page, or all of them, in English and in Chinese."""
        if name is None:
            return [self.whole(language) for language in LANGUAGES]
        return [self.pages[language][name] for language in LANGUAGES]

    def path(self, language: str, name: str) -> Path:
        """The file of a page."""
        if name == "report":
            return self.folder / ("report.md" if language == "en" else "report.zh.md")
        return self.folder / language / f"{name}.md"


def read_site(folder: Path) -> Site:
    """The pages that lie in a folder."""
    pages: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        site = Site(folder, {})
        found = sorted((folder / language).rglob("*.md"))
        names = [p.relative_to(folder / language).with_suffix("").as_posix() for p in found]
        paths = {name: site.path(language, name) for name in ("report", *names)}
        pages[language] = {name: path.read_text("utf-8") for name, path in paths.items()}
    return Site(folder, pages)


def rendered(output: Path, report: Path, *reference) -> Site:
    """Render the results of a folder and read the pages."""
    paths = render_reports(output, report, *reference)
    assert [path.name for path in paths[:2]] == ["report.md", "report.zh.md"]
    site = read_site(report)
    assert len(paths) == sum(map(len, site.pages.values())) or report.exists()
    return site


def anchor(heading: str) -> str:
    """The anchor that a code host makes of a heading, told apart from the project's own code."""
    kept = [c for c in heading.strip().lower() if c.isalnum() or c in "-_ "]
    return "".join(kept).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """All anchors of a page."""
    headings = re.findall(r"^#{1,6} (.+)$", CODE_BLOCK.sub("", text), re.M)
    return {anchor(re.sub(r"[`*]", "", heading)) for heading in headings}


def links(text: str) -> list[str]:
    """The targets of all links and pictures of a page."""
    return [a or b for a, b in LINK.findall(CODE_BLOCK.sub("", text))]


def pictures(text: str) -> list[tuple[str, str]]:
    """All pictures of a page: (text in place of it, target)."""
    return [(alt or alt2, to or to2) for alt, to, to2, alt2 in PICTURE.findall(text)]
