"""Pages of what was not run here: those that came with the code stay, headed as the reference's."""

from collections.abc import Iterable

from Code.reporting.contents import home
from Code.reporting.facts import Facts
from Code.reporting.pages import Page

GROUPS_OF = {"common": ("common",), "other-papers": ("papers", "bakeoff")}


def kept(pages: Iterable[Page], facts: Facts) -> frozenset[str]:
    """Names of the pages for which a run here has found nothing."""
    return frozenset(page.name for page in pages if not _concerned(page, facts))


def _concerned(page: Page, facts: Facts) -> bool:
    results = facts.everything.values()
    if page.variant:
        return any(home(result) == page.variant for result in results)
    if page.name in GROUPS_OF:
        return any(result.group in GROUPS_OF[page.name] for result in results)
    if page.name == "uses":
        return facts.uses is not None
    if page.name == "speed":
        return facts.benchmark is not None
    return True


def headed(text: str, line: str) -> str:
    """A page with the line below its title, once."""
    if line in text:
        return text
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{line}\n{rest}"
