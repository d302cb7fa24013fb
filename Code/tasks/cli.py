"""What the command lines of all uses share: a trained model in, images in, images and numbers out.

    python -m Code.tasks.denoise --model output/dae --input my.png --output out.png
    python -m Code.tasks.denoise --model output/dae --json

The first works on your images; the second, without ``--input``, measures the model on a data set.
"""

import argparse
import importlib
import json
import math
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from Code.atomic import write_with
from Code.data.datasets import DataError, load_dataset, to_unit
from Code.experiments import EXPERIMENTS
from Code.figures import style
from Code.main import UserError, without_a_reader

OK, WRONG_INPUT, INTERRUPTED = 0, 2, 130
SHEET_COLUMNS = 16
# A picture of this many pixels is no digit, and would fill the memory
MAX_PIXELS = 2**24
_ACCEPTED = "a .png of one grey image, or an .npz of images (n, height, width)"
_INPUT_HELP = (
    f"your images: {_ACCEPTED}; ink is bright as in MNIST, else say --invert. Without it the model "
    "is measured on --data"
)


def parser(use, description, epilog="", input_help=None, needs_model=True):
    """A parser with the options that every use has; a use adds its own.

    Parameters
    ----------
    use : name of the module in ``Code.tasks``.
    description : what the use does, in a sentence or two.
    epilog : an example, if another than the usual one is wanted.
    input_help : what ``--input`` is, if more than images.
    needs_model : whether there is nothing to do without ``--model``.
    """
    p = argparse.ArgumentParser(
        prog=f"python -m Code.tasks.{use}",
        description=description,
        epilog=epilog
        or f"Example: python -m Code.tasks.{use} --model output/vae-16 "
        "--input my.png --output out.png",
    )
    p.add_argument(
        "--model",
        required=needs_model,
        metavar="PATH",
        help="a trained model: an experiment's folder, such as output/vae-16 (run_all.py --list "
        "names them), or a .keras file",
    )
    add_module(p)
    p.add_argument("--input", metavar="PATH", help=input_help or _INPUT_HELP)
    p.add_argument(
        "--output", metavar="PATH", help="where the result goes: .png, or for images .npz"
    )
    p.add_argument(
        "--invert",
        action="store_true",
        help="your images are dark ink on white; so is then the result",
    )
    p.add_argument(
        "--data",
        default="mnist",
        metavar="DATA",
        help="what to measure on, or what the model was trained on: as for run_all.py "
        "(default %(default)s)",
    )
    p.add_argument(
        "--quick", action="store_true", help="measure on 2,000 training and 500 test images"
    )
    p.add_argument(
        "--against", action="store_true", help="measure the rivals too, which takes a minute"
    )
    p.add_argument(
        "--seed", type=int, default=0, help="of all random numbers (default %(default)s)"
    )
    p.add_argument("--json", action="store_true", help="print the numbers as JSON")
    return p


def add_module(p):
    """The option ``--module``, without which a model's class must be this project's."""
    p.add_argument(
        "--module",
        type=own_module,
        metavar="FILE",
        help="the .py file of the model's class, where that is your own (run_all.py --config)",
    )


def own_module(path):
    """Import the file of a class of one's own, so that Keras knows it; return the module.

    Raises
    ------
    argparse.ArgumentTypeError
        If there is no such file, or it cannot be imported.
    """
    file = Path(path).resolve()
    if file.suffix != ".py" or not file.is_file():
        raise argparse.ArgumentTypeError(f"{path}: no such .py file")
    from Code.training.unit import import_keras

    keras = import_keras()  # first, because Keras prints lines where others import it
    # Behind the others, as run_all.py --config does: a model names its module as it was found then
    sys.path.append(str(file.parent))
    try:
        module = importlib.import_module(file.stem)
    except Exception as error:  # a module of one's own can fail in any way as it is imported
        problem = f"{path} cannot be imported ({type(error).__name__}: {_in_a_line(error)})"
        raise argparse.ArgumentTypeError(problem) from error
    if Path(module.__file__ or "").resolve() != file:
        raise argparse.ArgumentTypeError(f"{path}: another module is called {file.stem}, rename it")
    # Where it was not registered by a decorator, Keras looks for the bare name
    classes = {name: c for name, c in vars(module).items() if isinstance(c, type)}
    keras.saving.get_custom_objects().update(classes)
    return module


def run(main_function, arguments=None):
    """Call ``main_function(arguments)`` and exit: 2 after a line on wrong input, 130 on Ctrl-C."""
    # Before anything imports TensorFlow, which would announce its plugins
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        status = main_function(arguments) or OK
        sys.stdout.flush()
    except BrokenPipeError:
        status = without_a_reader()
    except OSError as error:
        status = _complain(f"{error.filename}: {error.strerror}" if error.filename else error)
    except (UserError, ValueError) as error:
        status = _complain(error)
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)


def _complain(message):
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    return WRONG_INPUT


def load_model(path):
    """The trained autoencoder of an experiment's folder, or of a ``.keras`` file.

    In a folder ``model.keras`` is taken, or that of the first seed under ``runs``.

    Raises
    ------
    UserError
        If there is none, or it is not an autoencoder of this project.
    """
    file = _model_file(Path(path))
    from Code.training.unit import import_keras

    keras = import_keras()
    from Code.base import BaseAutoencoder

    # Keras finds the classes by the names under which their modules register them
    for row in EXPERIMENTS.values():
        if row.model:
            importlib.import_module(row.model.split(":")[0])
    try:
        model = keras.saving.load_model(file)
    except Exception as error:  # a damaged file shows as any of half a dozen types
        raise UserError(
            f"{file}: cannot be loaded as a Keras model ({_in_a_line(error)}); a class of your own "
            "needs --module"
        ) from error
    if not isinstance(model, BaseAutoencoder):
        raise UserError(
            f"{file} holds a {type(model).__name__}, not an autoencoder of this project; "
            "train one with run_all.py"
        )
    return model


def _in_a_line(error):
    return " ".join(str(error).split())[:200]


def _model_file(path):
    if path.is_dir():
        files = [path / "model.keras", *sorted(path.glob("runs/seed-*/model.keras"))]
        file = next((file for file in files if file.is_file()), None)
        if file is None:
            raise UserError(
                f"{path} holds no model.keras; train it with run_all.py --only {path.name}"
            )
        return file
    if not path.is_file():
        raise UserError(f"{path}: no such folder or file; give an experiment's folder or a .keras")
    if path.suffix != ".keras":
        raise UserError(f"{path}: a trained model is a folder or a .keras file")
    return path


def load_images(path, shape=None, missing=False, invert=False):
    """Images ``(n, height, width)``, float32 in [0, 1], of a ``.png`` or an ``.npz`` file.

    A PNG is one image; colours become grey. An ``.npz`` holds one array, or one named ``images`` or
    ``x_test``; nothing pickled is ever loaded.

    Parameters
    ----------
    shape : (height, width) that the images must have, or None for any.
    missing : whether pixels may be missing: NaN in an ``.npz``, transparent in a PNG. They come as
        NaN; otherwise they are an error.
    invert : whether to take 1 − x.

    Raises
    ------
    UserError
        If the file cannot be used; the message says what is wrong and what to do.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give {_ACCEPTED}")
    readers = {".png": _read_png, ".npz": _read_npz}
    if path.suffix.lower() not in readers:
        raise UserError(f"{path}: not a .png or .npz file; give {_ACCEPTED}")
    images = _checked(path, readers[path.suffix.lower()](path), missing)
    if shape is not None and images.shape[1:] != tuple(shape):
        found, needed = (f"{h}×{w}" for h, w in (images.shape[1:], shape))
        raise UserError(
            f"{path}: images of {found} pixels, but the model takes {needed}; "
            "crop, pad or scale them"
        )
    return 1 - images if invert else images


def _read_png(path):
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise UserError(f"{path}: {picture.width}×{picture.height} pixels are too many")
            picture.load()
            if picture.mode.startswith("I"):
                return (np.asarray(picture, np.float32) / 65535)[None]
            transparent = "A" in picture.getbands() or "transparency" in picture.info
            rgba = picture.convert("RGBA") if transparent else None
            grey = np.asarray((rgba or picture).convert("L"), np.float32) / 255
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: cannot be read as a PNG ({error})") from error
    if rgba is not None:
        grey = np.where(np.asarray(rgba)[..., 3] < 128, np.nan, grey)
    return grey[None]


def _read_npz(path):
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = arrays.files
            name = next((n for n in ("images", "x_test") if n in names), names[0] if names else "")
            if name == "" or (len(names) > 1 and name not in ("images", "x_test")):
                raise UserError(
                    f"{path}: holds {', '.join(names) or 'nothing'}; save one array, named images"
                )
            return arrays[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = "pickled objects are never loaded" if "pickle" in str(error) else error
        raise UserError(f"{path}: cannot be read as an .npz file ({reason})") from error


def _checked(path, images, missing):
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    images = images[None] if images.ndim == 2 else images
    if images.ndim != 3 or 0 in images.shape:
        raise UserError(f"{path}: an array {images.shape}; images are (n, height, width)")
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise UserError(f"{path}: dtype {images.dtype}; images are uint8, or floats in [0, 1]")
    images = to_unit(images)
    absent = np.isnan(images)
    if absent.any() and not missing:
        raise UserError(
            f"{path}: some pixels are NaN or transparent; Code.tasks.fill fills missing pixels in"
        )
    known = images[~absent]
    if known.size and not (known.min() >= 0 and known.max() <= 1):
        raise UserError(
            f"{path}: values from {known.min():g} to {known.max():g}; floats must lie in [0, 1]"
        )
    return images


def save_images(path, images, invert=False):
    """Write images ``(n, height, width)`` in [0, 1] as ``.npz`` (``images``) or ``.png``.

    In a PNG several images stand beside each other, sixteen a row, without a gap. What was saved is
    read back by `load_images`, a PNG of one image to 1/255.

    Raises
    ------
    UserError
        If the path ends in neither.
    """
    path = Path(path)
    images = np.clip(np.asarray(images, np.float32), 0, 1)
    images = 1 - images if invert else images
    if path.suffix.lower() == ".npz":
        return write_with(path, lambda part: np.savez_compressed(part, images=images))
    if path.suffix.lower() != ".png":
        raise UserError(f"{path}: images are saved as .png or .npz; give a path that ends so")
    sheet = Image.fromarray(np.round(255 * _sheet(images)).astype(np.uint8))
    return write_with(path, lambda part: sheet.save(part, format="PNG"))


def _sheet(images):
    columns = min(SHEET_COLUMNS, len(images))
    rows = math.ceil(len(images) / columns)
    n, height, width = images.shape
    tiles = np.zeros((rows * columns, height, width), np.float32)
    tiles[:n] = images
    tiles = tiles.reshape(rows, columns, height, width)
    return tiles.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)


def check_output(path, suffixes=(".png", ".npz")):
    """Complain of a path that results cannot be saved to, before anything is computed."""
    if path is not None and Path(path).suffix.lower() not in suffixes:
        raise UserError(f"--output {path}: give a path that ends in {' or '.join(suffixes)}")


def print_values(values, as_json=False, units=None):
    """Print ``{name: number}`` one a line, or as one JSON object (NaN and infinities as null)."""
    if as_json:
        print(json.dumps(_finite(values), indent=1))
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        print(f"{name:{width}}  {float(value):.6g} {(units or {}).get(name, '')}".rstrip())


def _finite(values):
    numbers = {name: float(value) for name, value in values.items()}
    return {name: number if math.isfinite(number) else None for name, number in numbers.items()}


def dataset_for(model, options):
    """The data set of ``--data``, whose images must be of the model's size."""
    try:
        data = load_dataset(options.data)
    except DataError as error:
        raise UserError(f"--data {error}") from error
    shape = data.x_train.shape[1:]
    if shape != tuple(model.image_shape):
        found, needed = (f"{h}×{w}" for h, w in (shape, model.image_shape))
        raise UserError(f"--data {options.data}: images of {found}, but the model takes {needed}")
    return data.subset(2000, 500) if options.quick else data


def measure_and_draw(options, use):
    """Measure ``--model`` on ``--data``, print the numbers, draw the use's figure to ``--output``.

    Parameters
    ----------
    options : of a `parser`; with ``--against`` the rivals stand beside the model.
    use : the module: ``METRICS``, ``measure``, ``baselines`` and ``figure`` as every use has them.
    """
    check_output(options.output, (".png",))
    model = load_model(options.model)
    data = dataset_for(model, options)
    measured = {Path(options.model).stem: use.measure(model, data, options.seed)}
    if options.against:
        measured.update(use.baselines(data, options.seed))
    units = {metric.name: metric.unit for metric in use.METRICS}
    if options.json and options.against:
        print(json.dumps({name: _finite(m.values) for name, m in measured.items()}, indent=1))
    else:
        for name, m in measured.items():
            if options.against:
                print(f"{name}:")
            print_values(m.values, options.json, units)
    if options.output:
        style.save(use.figure(measured), options.output)
