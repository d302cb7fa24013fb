"""The page: which models it shows, and how they, the digits and the scripts become one file."""

import base64
import io
import json
from itertools import islice
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup
from PIL import Image

from Code.data.datasets import load_dataset, to_unit
from Code.experiments import EXPERIMENTS
from Code.figures.style import DIGIT_COLOURS
from Code.main import UserError

HERE = Path(__file__).parent
SCRIPTS = ("network.js", "digits.js", "map.js", "pad.js", "sliders.js", "main.js")

# In order of preference; the page has room for so many of each
PLANES = (
    "ae-2", "dae-2", "vae-2", "aae-2", "beta-vae-2", "info-vae-2", "contractive-2", "sparse-l1-2",
    "tied-2", "dae-masking-2",
)  # fmt: skip
SLIDERS = ("ae-16", "vae-16")
DENOISERS = ("dae-16", "dae-2")
MAX_PLANES, MAX_SLIDERS = 4, 2

N_PICTURED = 2000
N_KNOWN = 2000
MAX_BYTES = 8_000_000


def build(output, say=print):
    """The page as text, from the models below the folder ``output``.

    Parameters
    ----------
    say : called with a line for every model: what is in the page, or why it is left out.

    Raises
    ------
    UserError
        If there is no two-dimensional model, one is changed too much by the rounding, or the page
        would be too large.
    """
    output = Path(output)
    if not any(_file(output, name).is_file() for name in PLANES):
        raise UserError(f"no trained 2-D model in {output}/: run `run_all.py --only common` first")
    text = render(collect(output, say))
    size = len(text.encode())
    if size >= MAX_BYTES:
        raise UserError(f"the page would have {size / 1e6:.1f} MB, and 8 MB is the most")
    return text


def collect(output, say):
    """Everything that the page holds, as JSON can hold it."""
    data = load_dataset("mnist")
    order = pictured_first(data.y_test, N_PICTURED)
    n_pictured = min(N_PICTURED, len(order))
    images, labels = data.x_test[order], data.y_test[order]

    known = to_unit(data.x_train[:N_KNOWN])
    models = _Models(output, to_unit(images), known, say)
    planes = models.first(PLANES, MAX_PLANES)
    if not planes:
        raise UserError(f"none of the 2-D models in {output}/ is made of dense layers")
    sliders = models.first(SLIDERS, MAX_SLIDERS)
    denoiser = models.first(DENOISERS, 1)
    return {
        "models": models.entries,
        "planes": _in_table_order(planes),
        "sliders": _in_table_order(sliders),
        "denoiser": next(iter(denoiser), None),
        "labels": "".join(map(str, labels)),
        "numbers": order[:n_pictured].tolist(),
        "pictures": picture_rows(images[:n_pictured]),
        "colours": DIGIT_COLOURS,
    }


def pictured_first(labels, n):
    """All indices: first those of ``n`` images, as many of each digit, then those of the others.

    Both parts are in the order of the data.
    """
    chosen = np.concatenate([np.flatnonzero(labels == digit)[: n // 10] for digit in range(10)])
    others = np.setdiff1d(np.arange(len(labels)), chosen)
    return np.concatenate([np.sort(chosen), others])


def picture_rows(images):
    """Images ``(n, height, width)`` as one grey PNG in base64: each is one row of pixels."""
    file = io.BytesIO()
    Image.fromarray(images.reshape(len(images), -1)).save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


# Models -------------------------------------------------------------------------------------------


def _file(output, name):
    return output / name / "model.keras"


class _Models:
    """The models below ``output`` that the page can hold, each read once.

    Parameters
    ----------
    images : test images, as the page has them.
    known : training images, by which the weights are rounded.
    say : called with a line for every model.
    """

    def __init__(self, output, images, known, say):
        self.output = output
        self.images = images
        self.known = known
        self.say = say
        self.read = {}

    @property
    def entries(self):
        """What the page holds of the models that can be shown, by name."""
        return {name: entry for name, entry in self.read.items() if entry}

    def first(self, names, most):
        """The first ``most`` of the names whose models are there and can be shown."""
        there = (name for name in names if _file(self.output, name).is_file())
        return list(islice(filter(self._entry, there), most))

    def _entry(self, name):
        """What the page holds of one model, or None after a line that says why it is left out."""
        if name not in self.read:
            self.read[name] = self._pack(name)
        return self.read[name]

    def _pack(self, name):
        from Code.explorer import pack  # here, because Keras takes seconds
        from Code.tasks.cli import load_model

        model = load_model(_file(self.output, name))
        try:
            if model.image_shape != self.images.shape[1:]:
                raise pack.Unsupported("its images are not of 28×28 pixels")
            packed = pack.pack(model, self.images, self.known)
        except pack.Unsupported as reason:
            self.say(f"{name} is left out: {reason}")
            return None
        worst = max(packed.image_error, packed.code_error)
        if worst > pack.TOLERANCE:
            raise UserError(
                f"{name}: float16 weights change what it computes by {worst:.1e}, more than "
                f"{pack.TOLERANCE:g}"
            )
        self.say(
            f"{name}: float16 weights change a pixel by at most {packed.image_error:.1e}, "
            f"a code by {packed.code_error:.1e} of the largest"
        )
        codes = model.encode(self.images)
        entry = {
            "title": EXPERIMENTS[name].title,
            "prior": bool(model.has_prior),
            "encoder": pack.chain_data(packed.encoder),
            "decoder": pack.chain_data(packed.decoder),
        }
        if codes.shape[1] == 2:
            return {**entry, "codes": pack.as_text(codes)}
        ends = np.percentile(codes, (1, 99), axis=0)
        return {**entry, "ranges": np.round(ends, 4).T.tolist()}


def _in_table_order(names):
    return [name for name in EXPERIMENTS if name in names]


# Text ---------------------------------------------------------------------------------------------


def render(data):
    """The page of what `collect` gave."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters["short"] = lambda title: title.rsplit(",", 1)[0]
    return env.get_template("page.html.j2").render(
        **data,
        style=Markup((HERE / "style.css").read_text("utf-8")),
        script=Markup("\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS)),
        data=Markup(_json(data)),
    )


def _json(value):
    """JSON that may stand in a script element: no ``<`` can end it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c")
