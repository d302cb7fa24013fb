"""Drawing of a network: a column of boxes for each part, arrows from layer to layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve

from Code.figures.style import BLUE, GREY, INK, ORANGE, PURPLE, RED, new_figure, styled, text_width

Block = Mapping[str, Any]
"""One part of a network: ``"title"``, ``"layers"`` as (name, output shape, number of parameters),
``"sources"`` with the places of the layers that each layer reads (without it, each reads the one
before), and for a branch ``"from"``, the title of the block whose last layers it reads."""

_NAME_SIZE, _SHAPE_SIZE, _HEAD_SIZE = 9.5, 8.5, 10.5
_BOX, _STEP, _HEAD, _GUTTER, _MARGIN, _BRANCH, _LANE = 42, 56, 30, 44, 14, 30, 16
_PALE = 0.16


@dataclass(frozen=True)
class _Placed:
    """A block with its place on the page, in pixels from the upper left corner.

    Its layers stand in ranks below each other, and in lanes side by side.
    """

    block: Block
    column: int
    top: float
    colour: str
    left: float = 0.0
    width: float = 0.0

    @cached_property
    def sources(self) -> list[list[int]]:
        """The layers that each layer reads."""
        layers = self.block["layers"]
        return self.block.get("sources") or [[i - 1] if i else [] for i in range(len(layers))]

    @cached_property
    def ends(self) -> list[int]:
        """The layers that no other layer of the block reads."""
        read = {source for sources in self.sources for source in sources}
        return [i for i in range(len(self.sources)) if i not in read]

    @cached_property
    def ranks(self) -> list[int]:
        """Each layer stands below all that it reads."""
        ranks: list[int] = []
        for sources in self.sources:
            ranks.append(1 + max((ranks[s] for s in sources), default=-1))
        return ranks

    @cached_property
    def lanes(self) -> list[int]:
        """A layer goes on in the lane of one that it reads, the highest of those without another.

        Else it has the first lane whose layers are all read above it, or a lane of its own.
        """
        lanes: list[int] = []
        last: dict[int, int] = {}
        for i, sources in enumerate(self.sources):
            going_on = [s for s in sources if last[lanes[s]] == s]
            left = [lane for lane, layer in last.items() if self._read_above(layer, self.ranks[i])]
            if going_on:
                lanes.append(lanes[min(going_on, key=lambda s: self.ranks[s])])
            else:
                lanes.append(min(left, default=len(last)))
            last[lanes[i]] = i
        # Those that read the same and end there stand in their order, as z_mean and z_log_var
        for sources in {tuple(self.sources[end]) for end in self.ends}:
            twins = [end for end in self.ends if tuple(self.sources[end]) == sources]
            for end, lane in zip(twins, sorted(lanes[end] for end in twins), strict=True):
                lanes[end] = lane
        return lanes

    def _read_above(self, layer: int, rank: int) -> bool:
        readers = [i for i, sources in enumerate(self.sources) if layer in sources]
        return bool(readers) and all(self.ranks[reader] < rank for reader in readers)

    @property
    def box(self) -> float:
        """Width of each box."""
        n = max(self.lanes) + 1
        return (self.width - (n - 1) * _LANE) / n

    def x(self, layer: int) -> float:
        """Middle of a layer's box; where nothing is beside it, that is the middle of the block."""
        rank = self.ranks[layer]
        beside = sum(other == rank for other in self.ranks) > 1
        passing = any(
            self.ranks[s] < rank < self.ranks[i]
            for i, sources in enumerate(self.sources)
            for s in sources
        )
        if beside or passing:
            return self.left + self.lanes[layer] * (self.box + _LANE) + self.box / 2
        return self.left + self.width / 2

    def y(self, layer: int) -> float:
        """Upper edge of a layer's box."""
        return self.top + _HEAD + self.ranks[layer] * _STEP

    @property
    def bottom(self) -> float:
        lowest = self.top + _HEAD + max(self.ranks) * _STEP + _BOX
        return lowest + (14 if len(self.ends) > 1 else 0)


@styled
def structure(blocks: Sequence[Block], title: str) -> Figure:
    """Draw a network as columns of boxes, one column per block, left to right in the given order.

    Each box shows the layer's name, its output shape without the batch, and its number of
    parameters. A block with the key ``"from"`` (a classifier head) hangs below the block of that
    title; any other block reads the one before it.

    Raises
    ------
    ValueError
        If there is no block, a block has no layer, or ``"from"`` names no block above it.
    """
    placed = _place(blocks)
    columns = max(p.column for p in placed) + 1
    widths = [
        max(_block_width(p) for p in placed if p.column == column) for column in range(columns)
    ]
    lefts = [_MARGIN + sum(widths[:c]) + c * _GUTTER for c in range(columns)]
    head = 2.1 * _MARGIN + 6 if title else 0
    width = max(lefts[-1] + widths[-1], text_width(title, 11.5) + _MARGIN) + _MARGIN
    height = head + max(p.bottom for p in placed) + 2 * _MARGIN
    figure = new_figure(width, height, layout=None)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    if title:
        axes.text(width / 2, _MARGIN + 10, title, ha="center", va="center", fontsize=11.5)
    shift = head + _MARGIN / 2
    placed = [
        replace(p, top=p.top + shift, left=lefts[p.column], width=widths[p.column]) for p in placed
    ]
    by_title = {p.block["title"]: p for p in placed}
    trunk = None
    for p in placed:
        _draw(axes, p)
        if "from" in p.block:
            _hang(axes, by_title[p.block["from"]], p)
            continue
        if trunk is not None:
            _link(axes, trunk, p)
        trunk = p
    return figure


def _place(blocks: Sequence[Block]) -> list[_Placed]:
    if not blocks:
        raise ValueError("no block to draw: give at least one")
    placed: dict[str, _Placed] = {}
    floor: dict[int, float] = {}
    trunk: _Placed | None = None
    for block in blocks:
        if not block["layers"]:
            raise ValueError(f"block {block['title']!r} has no layer to draw")
        if "from" in block:
            if block["from"] not in placed:
                raise ValueError(
                    f"block {block['title']!r} reads from {block['from']!r}, "
                    f"which is none of the blocks before it: {', '.join(placed)}"
                )
            column = placed[block["from"]].column
            spot = _Placed(block, column, floor[column] + _BRANCH, PURPLE)
        elif trunk is None:
            trunk = spot = _Placed(block, 0, 0, BLUE if len(block["layers"]) > 1 else ORANGE)
        else:
            column = trunk.column + 1
            # A lone code stands beside the layer it comes from, on one straight arrow.
            lone = len(block["layers"]) == 1
            top = trunk.y(trunk.ends[-1]) - _HEAD if lone else 0
            first = all(p.colour != BLUE for p in placed.values())
            colour = ORANGE if lone else BLUE if first else RED
            trunk = spot = _Placed(block, column, top, colour)
        placed[block["title"]] = spot
        floor[spot.column] = spot.bottom
    return list(placed.values())


def _parameters(number: int) -> str:
    return f"{number:,} parameter{'' if number == 1 else 's'}"


def _below(shape: str, number: int) -> str:
    return f"{shape}  ·  {_parameters(number)}" if number else shape


def _heading(block: Block) -> tuple[str, str]:
    total = sum(number for _, _, number in block["layers"])
    return block["title"], f"  {_parameters(total)}" if total and len(block["layers"]) > 1 else ""


def _block_width(p: _Placed) -> float:
    title, total = _heading(p.block)
    heading = text_width(title, _HEAD_SIZE, "bold") + text_width(total, _SHAPE_SIZE)
    texts = [130.0 if max(p.lanes) else 150.0]
    for name, shape, number in p.block["layers"]:
        texts.append(text_width(name, _NAME_SIZE) + 20)
        texts.append(text_width(_below(shape, number), _SHAPE_SIZE) + 20)
    lanes = max(p.lanes) + 1
    return max(heading, lanes * max(texts) + (lanes - 1) * _LANE)


def _draw(axes: Axes, p: _Placed) -> None:
    title, total = _heading(p.block)
    baseline = p.top + _HEAD - 10
    axes.text(p.left, baseline, title, fontsize=_HEAD_SIZE, fontweight="bold", va="baseline")
    start = p.left + text_width(title, _HEAD_SIZE, "bold")
    axes.text(start, baseline, total, fontsize=_SHAPE_SIZE, color=GREY, va="baseline")
    for i, (name, shape, number) in enumerate(p.block["layers"]):
        top, centre = p.y(i), p.x(i)
        axes.add_patch(
            FancyBboxPatch(
                (centre - p.box / 2, top),
                p.box,
                _BOX,
                boxstyle="round,pad=0,rounding_size=4",
                facecolor=(p.colour, _PALE),
                edgecolor=p.colour,
                linewidth=0.9,
            )
        )
        axes.text(centre, top + 13, name, fontsize=_NAME_SIZE, ha="center", va="center")
        axes.text(
            centre,
            top + 30,
            _below(shape, number),
            fontsize=_SHAPE_SIZE,
            color=GREY,
            ha="center",
            va="center",
        )
        for place, source in enumerate(p.sources[i]):
            _arrow(axes, _down(p, source, i, place, len(p.sources[i])))


def _down(p: _Placed, source: int, target: int, place: int, of: int) -> list[tuple[float, float]]:
    """The way from a layer to one below it; several into one box end beside each other."""
    start, end = (p.x(source), p.y(source) + _BOX), (p.x(target), p.y(target))
    if of > 1:
        # In the order of their lanes, so that they do not cross
        order = sorted(p.sources[target], key=p.x)
        end = (end[0] + 16 * (order.index(source) - (of - 1) / 2), end[1])
    if abs(start[0] - end[0]) < 1:
        return [start, end]
    turn = end[1] - (_STEP - _BOX) / 2
    return [start, (start[0], turn), (end[0], turn), end]


def _link(axes: Axes, source: _Placed, target: _Placed) -> None:
    """Draw arrows from the last boxes of ``source`` to the first of ``target``, in the gap."""
    middle = target.left - _GUTTER / 2
    into = (target.x(0) - target.box / 2, target.y(0) + _BOX / 2)
    if len(source.ends) > 1:
        below = source.bottom - 4
        for end in source.ends:
            x = source.x(end)
            corners = [(x, below), (middle, below), (middle, into[1]), into]
            _arrow(axes, [(x, source.y(end) + _BOX), *corners])
        return
    (end,) = source.ends
    start = source.x(end) + source.box / 2, source.y(end) + _BOX / 2
    corners = [(middle, start[1]), (middle, into[1])] if abs(start[1] - into[1]) > 1 else []
    _arrow(axes, [start, *corners, into])


def _hang(axes: Axes, source: _Placed, branch: _Placed) -> None:
    """Draw an arrow from the last box of ``source`` down to the first of ``branch``."""
    last = source.ends[-1]
    start = source.x(last) + source.box / 2, source.y(last) + _BOX / 2
    end = branch.x(0) + branch.box / 2, branch.y(0) + _BOX / 2
    lane = max(source.left + source.width, branch.left + branch.width) + 12
    _arrow(axes, [start, (lane, start[1]), (lane, end[1]), end])


def _arrow(axes: Axes, points: list[tuple[float, float]]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            path=Curve(points),
            arrowstyle="-|>",
            mutation_scale=9,
            linewidth=1.0,
            color=INK,
            joinstyle="miter",
            shrinkA=0,
            shrinkB=0,
        )
    )
