"""Drawing of a network: a column of boxes for each part, arrows from layer to layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve

from Code.figures.style import BLUE, GREY, INK, ORANGE, PURPLE, RED, new_figure, styled, text_width

Block = Mapping[str, Any]
"""One part of a network: ``"title"``, ``"layers"`` as (name, output shape, number of parameters),
and for a branch ``"from"``, the title of the block whose last layer it reads."""

_NAME_SIZE, _SHAPE_SIZE, _HEAD_SIZE = 9.5, 8.5, 10.5
_BOX, _STEP, _HEAD, _GUTTER, _MARGIN, _BRANCH = 42, 56, 30, 44, 14, 26
_PALE = 0.16


@dataclass(frozen=True)
class _Placed:
    """A block with its place on the page, in pixels from the upper left corner."""

    block: Block
    column: int
    top: float
    colour: str

    def y(self, layer: int) -> float:
        """Upper edge of a layer's box."""
        return self.top + _HEAD + layer * _STEP

    @property
    def bottom(self) -> float:
        return self.y(len(self.block["layers"]) - 1) + _BOX


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
        max(_block_width(p.block) for p in placed if p.column == column)
        for column in range(columns)
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
    placed = [_Placed(p.block, p.column, p.top + shift, p.colour) for p in placed]
    by_title = {p.block["title"]: p for p in placed}
    trunk = None
    for p in placed:
        _draw(axes, p, lefts[p.column], widths[p.column])
        if "from" in p.block:
            _hang(axes, by_title[p.block["from"]], p, lefts[p.column], widths[p.column])
            continue
        if trunk is not None:
            _link(axes, trunk, p, lefts[trunk.column] + widths[trunk.column], lefts[p.column])
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
            trunk = spot = _Placed(block, 0, 0, BLUE)
        else:
            column = trunk.column + 1
            # A lone code stands beside the layer it comes from, on one straight arrow.
            lone = len(block["layers"]) == 1
            top = trunk.y(len(trunk.block["layers"]) - 1) - _HEAD if lone else 0
            trunk = spot = _Placed(block, column, top, ORANGE if lone else RED)
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


def _block_width(block: Block) -> float:
    title, total = _heading(block)
    texts = [text_width(title, _HEAD_SIZE, "bold") + text_width(total, _SHAPE_SIZE)]
    for name, shape, number in block["layers"]:
        texts.append(text_width(name, _NAME_SIZE) + 20)
        texts.append(text_width(_below(shape, number), _SHAPE_SIZE) + 20)
    return max(150.0, *texts)


def _draw(axes: Axes, p: _Placed, left: float, width: float) -> None:
    title, total = _heading(p.block)
    baseline = p.top + _HEAD - 10
    axes.text(left, baseline, title, fontsize=_HEAD_SIZE, fontweight="bold", va="baseline")
    start = left + text_width(title, _HEAD_SIZE, "bold")
    axes.text(start, baseline, total, fontsize=_SHAPE_SIZE, color=GREY, va="baseline")
    for i, (name, shape, number) in enumerate(p.block["layers"]):
        top = p.y(i)
        axes.add_patch(
            FancyBboxPatch(
                (left, top),
                width,
                _BOX,
                boxstyle="round,pad=0,rounding_size=4",
                facecolor=(p.colour, _PALE),
                edgecolor=p.colour,
                linewidth=0.9,
            )
        )
        centre = left + width / 2
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
        if i:
            _arrow(axes, [(centre, p.y(i - 1) + _BOX), (centre, top)])


def _link(axes: Axes, source: _Placed, target: _Placed, right: float, left: float) -> None:
    """Draw an arrow from the last box of ``source`` to the first of ``target``, in the gap."""
    start = source.bottom - _BOX / 2
    end = target.y(0) + _BOX / 2
    middle = (right + left) / 2
    corners = [(middle, start), (middle, end)] if start != end else []
    _arrow(axes, [(right, start), *corners, (left, end)])


def _hang(axes: Axes, source: _Placed, branch: _Placed, left: float, width: float) -> None:
    """Draw an arrow from the last box of ``source`` down to the first of ``branch``."""
    start = source.bottom - _BOX / 2
    end = branch.y(0) + _BOX / 2
    side = left + width
    lane = side + 12
    _arrow(axes, [(side, start), (lane, start), (lane, end), (side, end)])


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
