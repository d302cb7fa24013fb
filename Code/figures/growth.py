"""How a cost grows: seconds against a setting on logarithmic axes, one panel per setting."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from Code.figures.style import BLUE, GREY, PAGE_WIDTH, RED, new_figure, styled

_STYLES = ((BLUE, "o", "-"), (RED, "s", (0, (4, 1.2, 1, 1.2))), (GREY, "^", "--"))

Curve = Mapping[int, float]


@styled
def growth_curves(panels: Mapping[str, Mapping[str, Curve]], ylabel: str) -> Figure:
    """Draw one panel per setting: ``panels[setting][label]`` is ``{value: seconds}``.

    On these axes a straight line of slope 1 means that the cost is proportional to the setting.
    All panels have the same vertical axis.

    Raises
    ------
    ValueError
        If there is nothing to draw, or something is not above 0.
    """
    curves = [curve for lines in panels.values() for curve in lines.values()]
    if not any(curves):
        raise ValueError("no growth to draw: give at least one point")
    if any(value <= 0 or seconds <= 0 for curve in curves for value, seconds in curve.items()):
        raise ValueError("settings and seconds must be above 0: the axes are logarithmic")

    labels = list(dict.fromkeys(label for lines in panels.values() for label in lines))
    styles = dict(zip(labels, (_STYLES * len(labels)), strict=False))
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    figure = new_figure(PAGE_WIDTH if columns > 1 else 0.6 * PAGE_WIDTH, 280 * rows + 40)
    figure.get_layout_engine().set(wspace=0.06, hspace=0.08)
    shared = None
    for i, (setting, lines) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, columns, i + 1, sharey=shared)
        shared = shared or axes
        for label, curve in lines.items():
            colour, marker, dashes = styles[label]
            values = sorted(curve)
            axes.plot(
                values,
                [curve[v] for v in values],
                color=colour,
                marker=marker,
                linestyle=dashes,
                label=label,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(FixedLocator(sorted({v for c in lines.values() for v in c})))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(which="minor", length=0)
        axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(setting)
        if i % columns == 0:
            axes.set_ylabel(ylabel)
    handles = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=3, handlelength=2.8
    )
    return figure
