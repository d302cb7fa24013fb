"""Jinja for Markdown: the templates of one language, filled with the facts.

A page's structure is in ``pages/``, its words are in the language's folder under the same name, so
that both languages have the same headings, tables and pictures.
"""

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2

from Code.experiments import table, tuning
from Code.reporting import (
    bakeoff,
    benchmark,
    cautions,
    claims,
    contents,
    denoising,
    differences,
    faults,
    losses,
    numbers,
    other_data,
    pictures,
    provenance,
    published_curves,
    published_figures,
    published_uses,
    reproduced,
    rules,
    second_data,
    tables,
    trials,
)
from Code.reporting.chinese import spaced
from Code.reporting.citations import cited
from Code.reporting.excerpts import excerpt
from Code.reporting.facts import Facts
from Code.reporting.links import Places, slug
from Code.reporting.pages import Page

TEMPLATES = Path(__file__).parent / "templates"
# Rooms of facts that templates call by these names
MODULES = {
    module.__name__.rpartition(".")[2].upper(): module
    for module in (
        bakeoff,
        benchmark,
        cautions,
        claims,
        contents,
        denoising,
        faults,
        losses,
        other_data,
        pictures,
        provenance,
        published_curves,
        published_figures,
        reproduced,
        rules,
        second_data,
        table,
        tables,
        trials,
        tuning,
    )
}


@functools.cache
def environment() -> jinja2.Environment:
    """Jinja set up for Markdown; an undefined name is an error, not an empty string."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        auto_reload=False,
        bytecode_cache=_compiled_before(),
    )
    shown = ("pm", "figure", "signed", "cell", "fixed", "plain", "magnitude", "as_read")
    env.filters.update({name: getattr(numbers, name) for name in shown}, slug=slug, cited=cited)
    return env


def _compiled_before() -> jinja2.BytecodeCache | None:
    """Templates that an earlier process compiled, as Python keeps its modules, where it may."""
    with contextlib.suppress(RuntimeError, OSError):
        return jinja2.FileSystemBytecodeCache()


class Language:
    """The templates of one language.

    Parameters
    ----------
    drawn : the variants that have a drawing of their idea.
    """

    def __init__(
        self, language: str, facts: Facts, places: Places, drawn: Mapping[str, str]
    ) -> None:
        self.language = language
        everything = facts.everything
        self.context: dict[str, Any] = {
            **MODULES,
            "lang": language,
            "facts": facts,
            "everything": everything,
            "results": facts.results,
            "failed": facts.failed,
            "verdicts": facts.verdicts,
            "uses": facts.uses,
            "benchmark": facts.benchmark,
            "on_mnist": facts.on_mnist,
            "omissions": facts.omissions,
            "pixels_of": facts.pixels_of,
            "published_uses": published_uses.comparisons,
            "excerpt": excerpt,
            "drawn": drawn,
            "pages": places.pages,
            "link": places.link,
            "picture": places.picture,
            "get": functools.partial(differences.measure, everything),
            "compare": differences.compare,
            "alike": differences.alike,
            "order": differences.order,
            "before_after": differences.before_after,
            "decimals": numbers.decimals,
            "texts_of": functools.cache(self._family_texts),
        }
        # Each can use the ones before it: labels, then the macros, then the words of a page
        self.context["formulas"] = self._module("formulas.j2")
        self.labels = self.context["L"] = self._module(f"{language}/labels.j2")
        if not facts.on_mnist:
            # It loads what reads pictures, which takes longer than all pages together
            from Code.data.datasets import TEST_SHARE

            self.context["TEST_SHARE"] = TEST_SHARE
            # Words for images of anything in place of those for digits
            replaced = self._module(f"{language}/other/labels.j2")
            self.labels = SimpleNamespace(**{**vars(self.labels), **vars(replaced)})
            self.context["L"] = self.labels
        elif facts.beside:
            # A picture of images of anything has words of its own
            self.context["OTHER_L"] = self._module(f"{language}/other/labels.j2")
        self.context["M"] = self._module("macros.j2")

    def render(self, page: Page) -> str:
        """The text of a page."""
        words = self._module(f"{self.language}/pages/{page.template}.j2")
        template = environment().get_template(f"pages/{page.template}.md.j2")
        text = tidy(template.render({**self.context, "T": words, "variant": page.variant}))
        return spaced(text) if self.language == "zh" else text

    def _module(self, name: str):
        return environment().get_template(name).make_module(self.context)

    def _family_texts(self, variant: str):
        named = [f"{self.language}/families/{variant}.j2", f"{self.language}/families/other.j2"]
        context = {**self.context, "results": self.context["everything"]}
        return environment().select_template(named).make_module(context)


def tidy(text: str) -> str:
    """Remove what the templates' tags leave behind: trailing blanks, empty lines too many.

    Those between the points of a list would set some of them apart. Code stays as it is.
    """
    lines: list[str] = []
    in_code = False
    for line in map(str.rstrip, text.splitlines()):
        in_code ^= line.startswith("```")
        between_points = len(lines) > 1 and not lines[-1] and lines[-2].startswith("- ")
        if between_points and line.startswith("- "):
            lines.pop()
        if line or in_code or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip() + "\n"
