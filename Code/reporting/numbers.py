"""How figures are written in the pages: decimals, spreads, signs."""

from Code.reporting.results import Measure

MINUS = "−"
# In a narrow cell the spread goes to the next line whole
PLUS_MINUS = " ±\N{NO-BREAK SPACE}"
ROUNDING = 1e-9
"""Share of a mean up to which its spread is that of sums in another order, and so none."""


def decimals(metric: str, value: float) -> int:
    """Number of decimals shown for a metric: two for decibels, nats and seconds, else four."""
    nats = ("kl", "reconstruction", "nll", "commitment", "squared_error", "summed_bce")
    coarse = metric.startswith(("psnr", "seconds", *nats)) or abs(value) >= 5
    return 2 if coarse else 4


def fixed(value: float, places: int) -> str:
    """``value`` with a fixed number of decimals and a true minus sign."""
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def figure(measure: Measure) -> str:
    """The mean alone."""
    return fixed(measure.mean, decimals(measure.metric, measure.mean))


def pm(measure: Measure | None, places: int | None = None) -> str:
    """Mean ± standard deviation; the mean alone if the spread is unknown; – without a measure.

    ``places`` are its decimals, None for those of the metric.
    """
    if measure is None:
        return "–"
    if places is None:
        places = decimals(measure.metric, measure.mean)
    mean = fixed(measure.mean, places)
    if measure.std is not None and measure.std < ROUNDING * abs(measure.mean):
        return f"{mean}{PLUS_MINUS}{fixed(0.0, places)}"
    return mean if measure.std is None else f"{mean}{PLUS_MINUS}{magnitude(measure.std, places)}"


def magnitude(value: float, places: int) -> str:
    """A spread or a margin; one too small to show is given as "<" a bound, not as zero."""
    smallest = 10.0**-places
    return f"<{smallest:.{places}f}" if 0 < value < smallest / 2 else fixed(value, places)


def signed(value: float, places: int) -> str:
    """A difference with its sign; zero has no sign."""
    text = fixed(value, places)
    return text if text.startswith(MINUS) or not text.strip("0.") else f"+{text}"


def plain(value: float) -> str:
    """A figure with the digits that it was given with, without padding."""
    return f"{value:.10g}".replace("-", MINUS)


def as_read(value: float, metric: str) -> str:
    """A published figure, with no more decimals than ours has: a plot is read more finely."""
    return plain(round(value, decimals(metric, value)))


def cell(value: object) -> str:
    """Any text on one line, safe inside a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
