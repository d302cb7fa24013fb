"""A small drawing of the idea of each variant, as SVG text for light and dark pages.

Trapezoids are networks: blue the encoder, red the decoder. The code is yellow, what a penalty or a
rival acts on is violet. There are no words, only the symbols of the formulas.
"""

from collections.abc import Callable

WIDTH, HEIGHT = 260, 140
MIDDLE = 70
# The first colour of each pair is for light pages, the second for dark ones. A page may be dark
# where the reader's system is light, so each of them is legible on both.
_COLOURS = {
    "ink": ("#57606a", "#9aa4af"),
    "enc": ("#2f81c7", "#4a9be0"),
    "dec": ("#cc4b37", "#e2664f"),
    "code": ("#c58b06", "#dfa520"),
    "own": ("#9055c4", "#b07ae0"),
}
_SIDE, _NECK = 84, 26


def drawing(name: str) -> str | None:
    """The drawing of a variant, by the name of its module, as the text of an SVG file.

    None for a name without one. Equal names give equal texts.
    """
    draw = _DRAWINGS.get(name)
    return None if draw is None else _page(draw())


def names() -> tuple[str, ...]:
    """The names that have a drawing."""
    return tuple(_DRAWINGS)


def _page(elements: list[str]) -> str:
    def rules(which: int) -> str:
        return "".join(
            f".{name}{{stroke:{pair[which]}}}.f{name}{{fill:{pair[which]}}}"
            for name, pair in _COLOURS.items()
        )

    style = (
        "*{fill:none;stroke-width:1.6;stroke-linejoin:round}"
        "text{font:italic 15px serif;text-anchor:middle;stroke:none}"
        ".s{font-size:12px}.soft{fill-opacity:.22}.dash{stroke-dasharray:3 3}"
        f"{rules(0)}@media(prefers-color-scheme:dark){{{rules(1)}}}"
    )
    arrow = (
        '<marker id="a" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6"'
        ' orient="auto"><path class="fink" d="M0 0L6 3L0 6z"/></marker>'
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
    size = f' width="{WIDTH}" height="{HEIGHT}">'
    return f"{head}{size}<style>{style}</style><defs>{arrow}</defs>{''.join(elements)}</svg>\n"


# --- elements -------------------------------------------------------------------------------------


def _path(
    points: list[tuple[float, float]], kind: str, closed: bool = False, more: str = ""
) -> str:
    steps = "L".join(f"{x:g} {y:g}" for x, y in points)
    return f'<path class="{kind}" d="M{steps}{"z" if closed else ""}"{more}/>'


def _shape(points: list[tuple[float, float]], colour: str) -> str:
    return _path(points, f"{colour} f{colour} soft", closed=True)


def _arrow(*points: tuple[float, float], kind: str = "ink") -> str:
    return _path(list(points), kind, more=' marker-end="url(#a)"')


def _text(x: float, y: float, text: str, colour: str = "ink", small: bool = False) -> str:
    kind = f"f{colour}{' s' if small else ''}"
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{text}</text>'


def _box(x: float, y: float, wide: float, high: float, colour: str, kind: str = "soft") -> str:
    return (
        f'<rect class="{colour} f{colour} {kind}" x="{x:g}" y="{y:g}" width="{wide:g}"'
        f' height="{high:g}" rx="2"/>'
    )


def _dot(x: float, y: float, r: float, colour: str, full: bool = True) -> str:
    kind = f"{colour} f{colour}" + ("" if full else " soft")
    return f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{r:g}"/>'


def _bar(x: float, high: float, colour: str = "ink", middle: float = MIDDLE) -> str:
    """An image or a code: a vertical bar 8 wide around ``x``."""
    return _box(x - 4, middle - high / 2, 8, high, colour)


def _net(left: float, right: float, first: float, last: float, colour: str) -> str:
    """A network: a trapezoid from height ``first`` to height ``last``."""
    return _shape(
        [
            (left, MIDDLE - first / 2),
            (right, MIDDLE - last / 2),
            (right, MIDDLE + last / 2),
            (left, MIDDLE + first / 2),
        ],
        colour,
    )


def _encoder(left: float = 44, right: float = 108) -> str:
    return _net(left, right, _SIDE, _NECK, "enc")


def _decoder(left: float = 136, right: float = 200) -> str:
    return _net(left, right, _NECK, _SIDE, "dec")


def _ends(given: str = "x", back: str = "x̂") -> list[str]:
    """The image and what comes back, with their symbols."""
    bars = [_bar(34, _SIDE), _bar(210, _SIDE)]
    return [_text(16, MIDDLE + 5, given), *bars, _text(232, MIDDLE + 5, back)]


def _code(symbol: str = "z") -> list[str]:
    return [_bar(122, _NECK, "code"), _text(122, MIDDLE + 32, symbol, "code")]


def _plain(given: str = "x", back: str = "x̂") -> list[str]:
    return [*_ends(given, back), _encoder(), *_code(), _decoder()]


def _sampled(back: str = "x̂", symbol: str = "z") -> list[str]:
    """The VAE: μ and σ beside each other, and z drawn from them."""
    return [
        _text(12, MIDDLE + 5, "x"),
        _bar(26, _SIDE),
        _net(34, 82, _SIDE, 46, "enc"),
        _bar(92, 18, "code", MIDDLE - 14),
        _bar(92, 18, "code", MIDDLE + 14),
        _text(105, MIDDLE - 20, "μ", "code", small=True),
        _text(105, MIDDLE + 29, "σ", "code", small=True),
        _arrow((98, MIDDLE - 12), (121, MIDDLE - 3)),
        _arrow((98, MIDDLE + 12), (121, MIDDLE + 3)),
        _dot(130, MIDDLE, 8, "code", full=False),
        _text(130, MIDDLE + 24, symbol, "code"),
        _arrow((140, MIDDLE), (154, MIDDLE)),
        _net(156, 208, _NECK, _SIDE, "dec"),
        _bar(218, _SIDE),
        _text(238, MIDDLE + 5, back),
    ]


def _noise_in() -> list[str]:
    return [_text(130, 16, "ε", "ink"), _arrow((130, 22), (130, MIDDLE - 10))]


def _squares(left: float, sides: list[float], depths: list[int], colour: str) -> list[str]:
    """Maps of a convolution: squares behind each other."""
    found, x = [], left
    for side, depth in zip(sides, depths, strict=True):
        for k in reversed(range(depth)):
            found.append(_box(x + 4 * k, MIDDLE - side / 2 - 4 * k + 4, side, side, colour))
        x += side + 4 * depth + 6
    return found


def _grid(left: float, top: float, hidden: set[tuple[int, int]], colour: str = "ink") -> list[str]:
    """An image of 4×4 patches; those that are hidden are pale."""
    return [
        _box(left + 15 * i, top + 15 * k, 13, 13, colour, "soft" if (i, k) in hidden else "")
        for i in range(4)
        for k in range(4)
    ]


def _bell(x: float, y: float, colour: str, size: float = 1.0) -> str:
    a, b = 14 * size, 16 * size
    curve = (
        f"M{x - a:g} {y:g}C{x - a / 2:g} {y:g} {x - a / 3:g} {y - b:g} {x:g} {y - b:g}"
        f"S{x + a / 2:g} {y:g} {x + a:g} {y:g}"
    )
    return f'<path class="{colour}" d="{curve}"/>'


def _rival(x: float, y: float, symbol: str = "D") -> list[str]:
    """A discriminator, which answers 0 or 1."""
    shape = [(x, y - 15), (x + 32, y - 7), (x + 32, y + 7), (x, y + 15)]
    answer = _text(x + 56, y + 5, "0 | 1", "own", small=True)
    way = _arrow((x + 32, y), (x + 42, y))
    return [_shape(shape, "own"), _text(x + 14, y + 5, symbol, "own", small=True), way, answer]


# --- drawings -------------------------------------------------------------------------------------


def _overcomplete() -> list[str]:
    ends = [_text(16, MIDDLE + 5, "x"), _bar(34, 50), _bar(210, 50), _text(232, MIDDLE + 5, "x̂")]
    nets = [_net(44, 108, 50, 108, "enc"), _net(136, 200, 108, 50, "dec")]
    return [*ends, *nets, _bar(122, 108, "code"), _text(122, 137, "z", "code", small=True)]


def _tied() -> list[str]:
    arc = '<path class="own dash" d="M76 24C100 4 144 4 168 24"/>'
    symbols = [_text(76, MIDDLE + 5, "W", "enc"), _text(168, MIDDLE + 5, "Wᵀ", "dec")]
    return [*_plain(), arc, *symbols]


def _sparse() -> list[str]:
    heights = [18 + 13 * i for i in range(9)]
    units = [_dot(122, y, 4.5, "code", full=i in (2, 6)) for i, y in enumerate(heights)]
    nets = [_net(44, 110, _SIDE, 112, "enc"), _net(134, 200, 112, _SIDE, "dec")]
    return [*_ends(), *nets, *units]


_SPECKS = [
    (32, 36),
    (36, 44),
    (31, 52),
    (35, 61),
    (33, 70),
    (36, 80),
    (32, 88),
    (35, 98),
    (32, 106),
]


def _denoising() -> list[str]:
    return [
        _text(12, 46, "x"),
        _arrow((12, 52), (12, 70), (26, 70)),
        _text(16, 92, "x̃", "own"),
        *_plain("", "x̂"),
        *[_dot(x, y, 1.6, "own") for x, y in _SPECKS],
    ]


def _emphasised() -> list[str]:
    hit = [_box(206, y - 3, 8, 7, "own", "") for _, y in _SPECKS[::2]]
    return [*_denoising(), *hit, _text(233, 104, "α &gt; β", "own", small=True)]


def _contractive() -> list[str]:
    ways = [_arrow((50, 30), (104, 14), kind="own"), _text(130, 14, "∂z/∂x", "own", small=True)]
    circles = [_dot(34, 30, 12, "own", full=False), _dot(108, 16, 3, "own", full=False)]
    return [*_plain(), *circles, _dot(34, 30, 2, "own"), *ways]


def _stacked() -> list[str]:
    found = [*_ends(), *_code()]
    heights = [84, 64, 44, 26]
    for i in range(3):
        left = 44 + 22 * i
        found.append(_net(left, left + 19, heights[i], heights[i + 1], "enc"))
        right = 200 - 22 * i
        found.append(_net(right - 19, right, heights[i + 1], heights[i], "dec"))
        high = 8 + 7 * i
        a, b = left + 10, right - 10
        arc = f"M{a} {28 + 10 * i}C{a} {high} {b} {high} {b} {28 + 10 * i}"
        found.append(f'<path class="own dash" d="{arc}"/>')
        found.append(_text(a, 128 - 8 * i, str(i + 1), "own", small=True))
    return found


def _rbm() -> list[str]:
    below, above = [(64 + 33 * i, 108) for i in range(5)], [(97 + 33 * i, 34) for i in range(3)]
    edges = [_path([a, b], "ink", more=' stroke-opacity=".5"') for a in below for b in above]
    units = [_dot(x, y, 8, "enc") for x, y in below] + [_dot(x, y, 8, "code") for x, y in above]
    symbols = [_text(34, 113, "v", "enc"), _text(64, 39, "h", "code"), _text(226, 76, "W", "ink")]
    return [*edges, *units, *symbols]


def _cae() -> list[str]:
    down = _squares(28, [40, 20], [2, 3], "enc")
    code = _squares(116, [11], [4], "code")
    up = _squares(152, [20, 40], [3, 2], "dec")
    return [_text(14, MIDDLE + 9, "x"), *down, *code, *up, _text(247, MIDDLE + 9, "x̂")]


def _conv() -> list[str]:
    down, up = _squares(28, [40, 20], [1, 2], "enc"), _squares(156, [20, 40], [2, 1], "dec")
    nets = [_net(106, 118, 34, _NECK, "enc"), _net(136, 148, _NECK, 34, "dec")]
    code = [_bar(127, _NECK, "code"), _text(127, MIDDLE + 32, "z", "code")]
    return [_text(14, MIDDLE + 7, "x"), *down, *nets, *code, *up, _text(246, MIDDLE + 7, "x̂")]


def _lstm() -> list[str]:
    found = []
    for i in range(3):
        found += [_box(16 + 32 * i, 58, 22, 22, "enc"), _box(162 + 32 * i, 58, 22, 22, "dec")]
        found.append(_arrow((27 + 32 * i, 104), (27 + 32 * i, 82)))
        found.append(_arrow((173 + 32 * i, 58), (173 + 32 * i, 36)))
        found.append(_text(27 + 32 * i, 120, f"x{'₁₂ₙ'[i]}", small=True))
        found.append(_text(173 + 32 * i, 28, f"x̂{'₁₂ₙ'[i]}", small=True))
        if i < 2:
            found.append(_arrow((38 + 32 * i, 69), (47 + 32 * i, 69)))
            found.append(_arrow((184 + 32 * i, 69), (193 + 32 * i, 69)))
    code = [_bar(130, _NECK, "code"), _text(130, MIDDLE + 32, "z", "code")]
    return [*found, *code, _arrow((102, 69), (123, 69)), _arrow((136, 69), (160, 69))]


_HIDDEN = {(i, k) for i in range(4) for k in range(4)} - {(0, 1), (1, 3), (2, 0), (3, 2)}


def _masked() -> list[str]:
    nets = [_net(84, 114, 58, _NECK, "enc"), _net(144, 174, _NECK, 58, "dec")]
    code = [_bar(129, _NECK, "code"), _text(129, MIDDLE + 32, "z", "code")]
    return [*_grid(14, 41, _HIDDEN), *nets, *code, *_grid(186, 41, set())]


def _gaussian_vae() -> list[str]:
    return [*_sampled("x̂"), *_noise_in(), _bell(238, 40, "own"), _text(238, 58, "σₓ", "own", True)]


def _iwae() -> list[str]:
    draws = [_dot(130, MIDDLE + shift, 5, "code", full=False) for shift in (-22, 22)]
    noise = [_text(130, 16, "ε"), _arrow((130, 22), (130, 42))]
    found = [*_sampled("x̂", ""), *noise, *draws]
    return [*found, _text(130, 124, "Σ wₖ", "own", small=True), _text(130, 110, "⋮", "code")]


def _beta_vae() -> list[str]:
    axes = [_arrow((104, 128), (128, 128), kind="own"), _arrow((104, 128), (104, 106), kind="own")]
    return [*_sampled(), *_noise_in(), *axes, _text(150, 128, "β · KL", "own", small=True)]


def _factor_vae() -> list[str]:
    way = _arrow((130, 82), (130, 123), (142, 123), kind="own")
    return [*_sampled("x̂", ""), *_noise_in(), way, *_rival(144, 123)]


def _cloud(x: float, y: float, colour: str) -> list[str]:
    places = [(-8, 3), (-3, -6), (2, 5), (7, -2), (0, 0), (-6, -2), (5, 6)]
    return [_dot(x + a, y + b, 1.7, colour) for a, b in places]


def _info_vae() -> list[str]:
    clouds = [*_cloud(104, 118, "code"), *_cloud(158, 118, "own")]
    return [*_sampled("x̂", ""), *_noise_in(), *clouds, _text(131, 123, "≈", "ink")]


def _aae() -> list[str]:
    draws = [_bell(70, 135, "own"), _arrow((88, 129), (138, 129), kind="own")]
    way = _arrow((122, 84), (122, 117), (138, 117), kind="own")
    bare = [*_ends(), _encoder(), _bar(122, _NECK, "code"), _decoder()]
    return [*bare, _text(122, 50, "z", "code", True), *draws, way, *_rival(140, 123)]


def _categorical_aae() -> list[str]:
    cells = [_box(118, 42 + 8 * i, 8, 7, "code", "" if i == 2 else "soft") for i in range(4)]
    nets = [_net(44, 108, _SIDE, 56, "enc"), _net(136, 200, 56, _SIDE, "dec")]
    code = [*cells, _bar(122, 20, "code", 90)]
    symbols = [_text(122, 34, "y", "code", small=True), _text(122, 114, "z", "code", small=True)]
    rivals = []
    for y in (14, 126):
        shape = [(150, y - 9), (172, y - 4), (172, y + 4), (150, y + 9)]
        rivals += [_shape(shape, "own"), _arrow((132, y), (148, y), kind="own")]
    return [*_ends(), *nets, *code, *symbols, *rivals]


def _cvae() -> list[str]:
    label = [_box(102 + 9 * i, 120, 8, 8, "own", "" if i == 2 else "soft") for i in range(5)]
    ways = [
        _arrow((100, 124), (58, 124), (58, 108), kind="own"),
        _arrow((150, 124), (182, 124), (182, 108), kind="own"),
    ]
    return [*_sampled("x̂", ""), *_noise_in(), *label, *ways, _text(124, 114, "y", "own", True)]


def _vq_vae() -> list[str]:
    book = [
        _box(106 + 12 * i, 96 + 12 * k, 9, 9, "own", "" if (i, k) == (2, 1) else "soft")
        for i in range(5)
        for k in range(3)
    ]
    ways = [_arrow((112, 80), (126, 94), kind="own"), _arrow((138, 106), (146, 80), kind="own")]
    nets = [_encoder(44, 100), _decoder(160, 200)]
    codes = [_bar(110, _NECK, "code"), _bar(150, _NECK, "code")]
    symbols = [_text(110, 50, "z", "code", small=True), _text(150, 50, "e", "code", small=True)]
    return [*_ends(), *nets, *codes, *symbols, *book, *ways]


def _normalised() -> list[str]:
    found = [*_ends(), *_code()]
    for i, (a, b) in enumerate(((84, 58), (58, 34))):
        left = 44 + 34 * i
        found += [_net(left, left + 18, a, b, "enc"), _bell(left + 25, MIDDLE + 6, "own", 0.5)]
        right = 200 - 34 * i
        found += [_net(right - 18, right, b, a, "dec"), _bell(right - 25, MIDDLE + 6, "own", 0.5)]
    return found


def _pca() -> list[str]:
    places = [(-52, 20), (-44, 10), (-36, 20), (-30, 4), (-20, 13), (-12, -2), (-6, 8), (2, -8)]
    places += [(8, 6), (16, -12), (22, -2), (30, -16), (38, -6), (46, -22), (54, -14), (-24, 20)]
    dots = [_dot(126 + x, MIDDLE + y, 3, "enc") for x, y in places]
    axes = [_arrow((56, 95), (204, 42), kind="code"), _arrow((118, 108), (144, 30), kind="code")]
    return [*dots, *axes, _text(220, 44, "v₁", "code"), _text(160, 30, "v₂", "code")]


_DRAWINGS: dict[str, Callable[[], list[str]]] = {
    "ae": _plain,
    "dae": _denoising,
    "cae": _cae,
    "vae": lambda: [*_sampled(), *_noise_in()],
    "overcomplete": _overcomplete,
    "tied": _tied,
    "sparse": _sparse,
    "emphasised": _emphasised,
    "contractive": _contractive,
    "stacked": _stacked,
    "rbm": _rbm,
    "conv": _conv,
    "lstm": _lstm,
    "masked": _masked,
    "gaussian_vae": _gaussian_vae,
    "iwae": _iwae,
    "beta_vae": _beta_vae,
    "factor_vae": _factor_vae,
    "info_vae": _info_vae,
    "aae": _aae,
    "categorical_aae": _categorical_aae,
    "cvae": _cvae,
    "vq_vae": _vq_vae,
    "normalised": _normalised,
    "pca": _pca,
}
