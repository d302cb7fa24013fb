"""The page: chooses its models, and puts models, digits and scripts into one file."""

import colorsys
import io
import json
import re
import tomllib
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup
from PIL import Image

from Code.data.datasets import load_dataset
from Code.experiments.table import EXPERIMENTS
from Code.explorer.text import grid_data, letters
from Code.figures.style import DIGIT_COLOURS
from Code.foundation import shipped
from Code.foundation.errors import UserError
from Code.parts.images import to_unit
from Code.training.trained import load_model

HERE = Path(__file__).parent
SCRIPTS = (
    "words.js",
    "network.js",
    "digits.js",
    "plane.js",
    "map.js",
    "pad.js",
    "sliders.js",
    "story.js",
    "main.js",
)
STEPS = ("plane", "hole", "prior", "noise", "yours")
N_DRAWS = 7
SHOWN_AT_ONCE = 2  # of the maps

# In order of preference: the page takes those that exist until it is full
WISHED = (
    "ae-2",
    "vae-2",
    "vae-16",
    "dae",
    "dae-2",
    "ae-16",
    "dae-16",
    "aae-2",
    "beta-vae-2",
    "info-vae-2",
    "contractive-2",
    "sparse-l1-2",
    "tied-2",
    "dae-masking-2",
)
PLANES = tuple(name for name in WISHED if name.endswith("-2"))
SLIDERS = tuple(name for name in WISHED if name.endswith("-16"))
# A wide code: what two or sixteen numbers cannot hold, no denoiser can give back
WIDE = ("dae",)
MOST = {PLANES: 4, SLIDERS: 2, WIDE: 1}
DENOISERS = (*WIDE, "dae-16", "dae-2")

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)

# Background colours of the map, as in style.css
SURFACES = {"light": "#ffffff", "dark": "#1d1e21"}
CONTRAST = 3.0

N_PICTURED = 2000
N_KNOWN = 2500
MEGABYTES = 5.0  # room for four models, which together show everything that the page can do

# Pages beside this one, by the language of the reader
LINKS = {
    "en": {"report": "report.md", "families": "en/variants/README.md", "guide": "guide.md"},
    "zh": {"report": "report.zh.md", "families": "zh/variants/README.md", "guide": "guide.zh.md"},
}
FAMILY = "{language}/variants/{variant}.md"


def has_models(output):
    """Whether the folder ``output`` contains a model, trained there, that the page can show."""
    return any(name in PLANES for name in _trained(output))


def build(output, megabytes=MEGABYTES, say=print):
    """The page as text, built from the models in the folder ``output``.

    Where no two-dimensional one was trained there, all are those that are committed with the code:
    the page does not mix them.

    Parameters
    ----------
    megabytes : largest size of the page.
    say : called with one line for every model: that it is in the page, or why it is left out.

    Raises
    ------
    UserError
        If there is no two-dimensional model, if rounding changes a model too much, or if none fits
        into the page.
    """
    files = _trained(output)
    if not has_models(output):
        files = _committed(output)
        if not any(name in PLANES for name in files):
            raise UserError(
                f"no trained 2-D model in {output}/: run `run_all.py --only common` first"
            )
        say("no 2-D model was trained here; these are the committed reference's")
    data = load_dataset("mnist")
    order = pictured_first(data.y_test, N_PICTURED)
    images, labels = data.x_test[order], data.y_test[order]
    shown = {
        "labels": "".join(map(str, labels)),
        "numbers": order[:N_PICTURED].tolist(),
        "pictures": picture_rows(images[:N_PICTURED]),
    }
    known = to_unit(data.x_train[:N_KNOWN])
    room = megabytes * 1e6 - len(render({**shown, **_lists({})}).encode())
    models = fill(files, to_unit(images), known, room, say)
    if not any(name in PLANES for name in models):
        raise UserError(
            f"none of the 2-D models in {output}/ is made of dense layers and finds room in "
            f"{megabytes:g} MB"
        )
    return render({**shown, **_lists(models)})


def anew(text):
    """A page with the present words and scripts, and the models and images of the page ``text``.

    Raises
    ------
    UserError
        If ``text`` is not such a page.
    """
    found = DATA.search(text)
    try:
        data = json.loads(found[1])
        kept = {key: data[key] for key in ("labels", "numbers", "pictures")}
        return render({**kept, **_lists(data["models"])})
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise UserError(f"the page is not one of the explorer's ({error})") from None


def _lists(models):
    """The names of the models for each part of the page."""
    planes = [name for name in EXPERIMENTS if name in models and name in PLANES]
    sliders = [name for name in EXPERIMENTS if name in models and name in SLIDERS]
    return {
        "models": models,
        "planes": planes,
        "sliders": sliders,
        "denoiser": next((name for name in DENOISERS if name in models), None),
        **_words(models, planes, sliders),
    }


def _words(models, planes, sliders):
    """What the page says and links to, by language."""
    texts = load_texts()
    return {
        "texts": {
            language: {**words, "step_yours_text": last_step(words, language, planes, sliders)}
            for language, words in texts.items()
        },
        "names": {language: {name: title(name, language) for name in models} for language in texts},
        "links": LINKS,
        "about": {
            language: {
                name: FAMILY.format(language=language, variant=EXPERIMENTS[name].variant)
                for name in models
            }
            for language in texts
        },
    }


def load_texts():
    """Every text of the page, ``{language: {key: text}}``, without the models' names."""
    both = tomllib.loads((HERE / "texts.toml").read_text("utf-8"))
    return {
        language: {key: text for key, text in texts.items() if key != "names"}
        for language, texts in both.items()
    }


def last_step(words, language, planes, sliders):
    """What the story ends with: it names other models and the view of units where there are any.

    Parameters
    ----------
    words : the texts of the language.
    """
    further = {"others": len(planes) > SHOWN_AT_ONCE, "units": bool(sliders)}
    told = ("text", *(key for key, there in further.items() if there))
    return ("" if language == "zh" else " ").join(words[f"step_yours_{key}"] for key in told)


def title(name, language):
    """What a model is called on the page: its row's title unless `texts.toml` has a name for it."""
    names = tomllib.loads((HERE / "texts.toml").read_text("utf-8"))[language]["names"]
    return names.get(name) or EXPERIMENTS[name].title.rsplit(",", 1)[0]


def pictured_first(labels, n):
    """All indices: first those of ``n`` images, equally many of each digit, then all others.

    Both parts are in the order of the data.
    """
    chosen = np.concatenate([np.flatnonzero(labels == digit)[: n // 10] for digit in range(10)])
    others = np.setdiff1d(np.arange(len(labels)), chosen)
    return np.concatenate([np.sort(chosen), others])


def picture_rows(images):
    """Images ``(n, height, width)`` as the text of one grey PNG with one image per row."""
    file = io.BytesIO()
    Image.fromarray(images.reshape(len(images), -1)).save(file, format="PNG", optimize=True)
    return letters(file.getvalue())


# Colours ------------------------------------------------------------------------------------------


def legible(colour, surface):
    """A colour as ``#rrggbb``, made darker or lighter until it contrasts with ``surface``.

    Its hue and saturation (in HLS) do not change, so that the ten digits remain distinguishable.

    References
    ----------
    W3C, Web Content Accessibility Guidelines 2.2, 1.4.11: a contrast of 3 for graphics.
    """
    rgb, ground = (np.array(list(bytes.fromhex(c[1:]))) for c in (colour, surface))
    hue, lightness, saturation = colorsys.rgb_to_hls(*(rgb / 255))
    end = 0 if luminance(ground) > 0.5 else 1
    for moved in np.linspace(lightness, end, 201):
        rgb = np.round(255 * np.array(colorsys.hls_to_rgb(hue, moved, saturation)))
        if contrast(rgb, ground) >= CONTRAST:
            break
    return "#" + bytes(rgb.astype(np.uint8)).hex()


def contrast(one, other):
    """Contrast, 1 to 21 by W3C's definition, of two colours ``(red, green, blue)`` in 0 to 255."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb):
    """The relative luminance of a colour in sRGB, 0 to 1."""
    v = np.asarray(rgb) / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


# Models -------------------------------------------------------------------------------------------


def _trained(output):
    """The files of the models that were trained in a folder of results, by experiment."""
    return _existing({name: Path(output, name, "model.keras") for name in WISHED})


def _committed(output):
    """The files of the models that are committed in a folder of results, by experiment."""
    return _existing({name: shipped.file_of(output, name) for name in WISHED})


def _existing(files):
    return {name: file for name, file in files.items() if file.is_file()}


def fill(files, images, known, room, say):
    """The page's data of each model that it takes, by name, in the order of `WISHED`.

    Parameters
    ----------
    files : the model of each experiment that has one.
    images : test images ``(n, height, width)`` in [0, 1], as shown on the page.
    known : training images, used for rounding the weights.
    room : bytes for all models together.
    say : called with one line for every existing model, until the page is full.
    """
    models = {}
    for name in WISHED:
        kind = next(kind for kind in MOST if name in kind)
        full = sum(other in kind for other in models) == MOST[kind]
        if full or name not in files:
            continue
        entry = _entry(files[name], name, images, known, say)
        room -= len(_json({name: entry})) if entry else 0
        if room < 0:
            say(f"{name} is left out, and what would follow: the page is full")
            break
        if entry:
            models[name] = entry
    return models


def _entry(file, name, images, known, say):
    """The page's data of one model, or None after a line that says why it is left out."""
    model = load_model(file)
    from Code.explorer import pack  # imported late, because Keras takes seconds and prints lines

    try:
        if model.image_shape != images.shape[1:]:
            raise pack.Unsupported("its images are not of 28×28 pixels")
        packed = pack.pack(model, images, known)
    except pack.Unsupported as reason:
        say(f"{name} is left out: {reason}")
        return None
    worst = max(packed.image_error, packed.code_error)
    if worst > pack.TOLERANCE:
        raise UserError(
            f"{name}: rounded weights change what it computes by {worst:.1e}, more than "
            f"{pack.TOLERANCE:g}"
        )
    say(
        f"{name}: rounded weights change a pixel by at most {packed.image_error:.1e}, "
        f"a code by {packed.code_error:.1e} of the largest"
    )
    codes = model.encode(images)
    entry = {
        "prior": bool(model.has_prior),
        "encoder": pack.chain_data(packed.encoder),
        "decoder": pack.chain_data(packed.decoder),
    }
    if name in WIDE:
        return entry
    if name in PLANES:
        return {**entry, "codes": grid_data(codes)}
    ends = np.percentile(codes, (1, 99), axis=0)
    return {**entry, "ranges": np.round(ends, 4).T.tolist()}


# Text ---------------------------------------------------------------------------------------------


def render(data):
    """The page as HTML text, from its data."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    schemes = {
        scheme: [legible(colour, surface) for colour in DIGIT_COLOURS]
        for scheme, surface in SURFACES.items()
    }
    return env.get_template("page.html.j2").render(
        **{**data, "names": data["names"]["en"], "words": data["texts"]["en"]},
        schemes=schemes,
        steps=STEPS,
        n_draws=N_DRAWS,
        opening=opening(data["planes"], data["sliders"]),
        style=Markup((HERE / "style.css").read_text("utf-8")),
        script=Markup("\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS)),
        data=Markup(_json(data)),
    )


def opening(planes, sliders):
    """The models that the page opens with: the plain autoencoder beside the variational one."""
    first = "ae-2" if "ae-2" in planes else next(iter(planes), None)
    second = "vae-2" if "vae-2" in planes else next(reversed(planes), None)
    return {"first": first, "second": second, "units": next(iter(reversed(sliders)), None)}


def _json(value):
    """JSON that is safe in a script element: it contains no ``<`` that could end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c")
