"""Results on other data than MNIST: their name, a description of them, and their families."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from Code.reporting.contents import home, place
from Code.reporting.results import PROJECTED, Result, Results

NAMES = {
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "small_digits": "scikit-learn's digits",
}
ENDINGS = re.compile(r"(\.npz|\.npy|\.[ct]sv|\.[ct]sv\.gz|/)$")
# The line about drawn test images, which the report tells in its own words
TOLD_APART = "was drawn for them"
# More classes than this are shortened to the first ones and the last one
SHOWN_CLASSES = 30
FIRST_CLASSES = 12


def is_other(results: Results) -> bool:
    """Whether none of the results is on MNIST, so that no published figure concerns them."""
    return not any(result.on_mnist for result in results.values())


@dataclass(frozen=True)
class Described:
    """A data set as the report tells it. What an older result does not hold is None.

    ``classes`` are the names of the classes, empty without labels; ``split`` is whether the test
    images were drawn from a source without any; ``notes`` are lines, in English, about what was
    done when they were read.
    """

    name: str
    n_train: int
    n_test: int
    sha256: str
    sides: str | None
    colour: bool
    classes: tuple[str, ...] | None
    split: bool | None
    source: str | None
    notes: tuple[str, ...] = ()

    @property
    def first_classes(self) -> tuple[str, ...]:
        """The classes to name: all, or the first ones of many."""
        names = self.classes or ()
        return names if len(names) <= SHOWN_CLASSES else names[:FIRST_CLASSES]


def described(results: Results) -> list[Described]:
    """The data sets of the results, each once; there are several where a folder mixes them."""
    seen = (_described(result.data) for result in results.values())
    return list({(d.name, d.sha256, d.n_train, d.n_test): d for d in seen}.values())


def _described(data: dict) -> Described:
    height, width, *channels = data.get("image_shape") or (None, None)
    classes = data.get("classes")
    return Described(
        name=short_name(data["name"]),
        n_train=data["n_train"],
        n_test=data["n_test"],
        sha256=data["sha256"],
        sides=None if height is None else f"{height}×{width}",
        colour=bool(channels),
        classes=None if classes is None else tuple(code(name) for name in classes),
        split=data.get("split"),
        source=data.get("source"),
        notes=tuple(code(note) for note in data.get("notes", ()) if TOLD_APART not in note),
    )


def short_name(name: str) -> str:
    """The name of a data set without the ending of a file or the slash of a folder."""
    bare = ENDINGS.sub("", name)
    return NAMES.get(bare.lower().replace("-", "_"), bare)


def code(text: object) -> str:
    """Any text as it can stand between backticks on one line; an empty one as ``""``."""
    return " ".join(str(text).replace("`", "'").split()) or '""'


def title(results: Results) -> str:
    """The names of the data."""
    return ", ".join(dict.fromkeys(short_name(r.data["name"]) for r in results.values()))


def labelled(result: Result) -> bool:
    """Whether the data have labels, as far as the result tells."""
    return bool(result.data.get("classes", True))


def any_labelled(results: Results) -> bool:
    """Whether any of the results is on data with labels."""
    return any(map(labelled, results.values()))


def several_classes(results: Results) -> bool:
    """Whether there are classes to tell apart, so that an accuracy says something."""
    return any(len(r.data.get("classes", "01")) > 1 for r in results.values())


def families(results: Results) -> dict[str, list[Result]]:
    """The results by the family in whose section they stand, in the report's order."""
    found: dict[str, list[Result]] = {}
    for result in in_order(results.values()):
        found.setdefault(home(result), []).append(result)
    return found


def in_order(results: Iterable[Result]) -> list[Result]:
    """Results by family, and within it by name."""
    return sorted(results, key=lambda r: (place(r), home(r), r.experiment))


def measures_any(results: Results, metric: str) -> bool:
    """Whether any result has this metric, or that of the same name of a projected code."""
    names = (metric, PROJECTED.get(metric, metric))
    return any(m.metric in names for r in results.values() for m in r.measures)
