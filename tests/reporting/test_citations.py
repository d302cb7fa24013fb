"""Citations in Chinese have one form, and each leads to the references."""

import re
from pathlib import Path

import pytest

import Code.reporting
from Code.reporting import published_uses
from Code.reporting.citations import cited

TEMPLATES = Path(Code.reporting.__file__).parent / "templates"
GUIDE = Path(__file__).parents[2] / "report" / "guide.zh.md"
REFERENCES = (TEMPLATES / "pages" / "references.md.j2").read_text("utf-8")
FENCE = re.compile(r"^ *```.*?^ *```$", re.M | re.S)
ENTRY = re.compile(r"^\d+\. (.+?)\. \*.*$", re.M)


def references():
    """``{form of citation: years of the entries}``, and every name of an author."""
    forms, names = {}, set()
    for entry in ENTRY.finditer(REFERENCES):
        authors = [re.sub(r"^(?:[A-Z]\.[ -]?)+", "", a).strip() for a in entry[1].split(", ")]
        names |= set(authors)
        first = authors[0] + (" 等" if len(authors) > 2 else "")
        form = " 与 ".join(authors) if len(authors) == 2 else first
        forms.setdefault(form, set()).update(re.findall(r"\b(?:19|20)\d\d\b", entry[0]))
    return forms, names


FORMS, NAMES = references()
# A year that stands beside a name or 等 without its brackets
BARE = re.compile(rf"(?:等人?|{'|'.join(map(re.escape, sorted(NAMES)))})[，、, ]*(?:19|20)\d\d")
GOOD = re.compile(
    r"((?:van (?:der |den ))?[A-Z][\w’-]+(?: 等| 与 [A-Z][\w’-]+)?)（((?:19|20)\d\d)）"
)


def wrong(text):
    """What is cited in another form, or is not among the references."""
    found = re.findall(r"\bet al\b|等人", text) + [m[0] for m in BARE.finditer(text)]
    return found + [m[0] for m in GOOD.finditer(text) if m[2] not in FORMS.get(m[1], ())]


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("recalled from Burda et al. 2016, table 1", "recalled from Burda 等（2016）, table 1"),
        ("Makhzani & Frey 2013", "Makhzani 与 Frey（2013）"),
        ("van der Maaten 2009, a map", "van der Maaten（2009）, a map"),
        ("Burda 等（2016）", "Burda 等（2016）"),
    ],
)
def test_english_citations_become_chinese_ones(english, chinese):
    assert cited(english) == chinese


def test_the_references_are_read_whole():
    assert len(ENTRY.findall(REFERENCES)) == len(re.findall(r"^\d+\. ", REFERENCES, re.M)) > 30
    assert {"Vincent 等", "Kim 与 Mnih", "van der Maaten", "Zang"} <= FORMS.keys()


@pytest.mark.parametrize(
    "written",
    [
        "Vincent 等 2010",
        "Vincent 等，2010",
        "Vincent 等人（2010）",
        "Kim、Mnih 2018",
        "Vincent et al.（2010）",
        "Vincent（2010）",
        "Burda（2016）",
        "Kim 等（2018）",
        "Vincent 等（2011）",
        "Nobody（2011）",
    ],
)
def test_another_form_is_found(written):
    assert wrong(f"出处：{written}，第 4 节。")


@pytest.mark.parametrize(
    "path",
    [*sorted((TEMPLATES / "zh").rglob("*.j2")), GUIDE],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_chinese_cites_in_one_form(path):
    # What stands in quotes as a key is the English it translates
    text = re.sub(r"replace\('[^']*'|^  \"[^\"]*\":", "", path.read_text("utf-8"), flags=re.M)
    assert wrong(FENCE.sub("", text)) == []


def test_the_sources_of_uses_are_cited_in_the_one_form():
    sources = [cited(getattr(published_uses, name)) for name in ("MAATEN", "XIE", "RUFF")]
    assert all(GOOD.search(source) for source in sources) and wrong(" ".join(sources)) == []
