"""What the command lines of all uses share: their options, their data and their printing.

    python -m Code.use denoise --model output/dae --input my.png --output out.png
    python -m Code.use denoise --model output/dae --json

The first works on your images; the second, without ``--input``, measures the model on a data set.
"""

import argparse
import importlib
import json
import math
import sys
from pathlib import Path

from Code.commands.models import data_of, load_model
from Code.data.datasets import DataError, load_dataset
from Code.data.pictures import ACCEPTED, load_images
from Code.figures.style import save as save_figure
from Code.foundation.errors import UserError, in_a_line
from Code.foundation.keras_import import import_keras
from Code.tasks import USES
from Code.tasks.task import not_for, not_for_shape

INPUT_HELP = (
    f"your images: {ACCEPTED}; ink is bright as in MNIST, else add --invert. Without it the model "
    "is measured on --data"
)
OUTPUT_HELP = "where to save the result: .png, or .npz for images"


def parser(
    use,
    description,
    epilog="",
    input_help=None,
    needs_model=True,
    images=True,
    fit=True,
    output_help=OUTPUT_HELP,
):
    """A parser with the options that every use has; a use adds its own.

    Parameters
    ----------
    use : the use's name, as in ``Code.tasks.USES``.
    description : what the use does, in a sentence or two.
    epilog : an example that replaces the usual one.
    input_help : help text of ``--input``, where it takes more than images.
    needs_model : whether ``--model`` is required.
    images : whether the use works on the user's own images.
    fit : whether these are to have the model's size, so that ``--fit`` can bring them to it.
    output_help : help text of ``--output``, where it takes other files.
    """
    p = argparse.ArgumentParser(
        prog=f"python -m Code.use {use}",
        description=description,
        epilog=epilog
        or f"Example: python -m Code.use {use} --model output/vae-16 "
        + ("--input my.png --output out.png" if images else "--output out.png"),
    )
    p.set_defaults(use=use)
    p.add_argument(
        "--model",
        required=needs_model,
        metavar="PATH",
        help="a trained model: an experiment's folder, such as output/vae-16 (run_all.py --list "
        "names them), or a .keras file",
    )
    add_module(p)
    if images:
        p.add_argument(
            "--input", nargs="+", action="extend", metavar="PATH", help=input_help or INPUT_HELP
        )
        p.add_argument(
            "--invert",
            action="store_true",
            help="your images are dark ink on white; the result is inverted back to match",
        )
    if images and fit:
        p.add_argument(
            "--fit",
            action="store_true",
            help="your images have another size than the model's: the ink of each is found on its "
            "ground, scaled and centred as in MNIST; for a model of colours the whole picture is "
            "scaled, and cropped in the middle",
        )
    p.add_argument("--output", metavar="PATH", help=output_help)
    p.add_argument(
        "--data",
        metavar="DATA",
        help="data set to measure on, or to compare your images with: as for run_all.py (default: "
        "the one on which the model was trained)",
    )
    p.add_argument(
        "--quick", action="store_true", help="measure on 2,000 training and 500 test images"
    )
    p.add_argument(
        "--against", action="store_true", help="measure the baselines too, which takes a minute"
    )
    p.add_argument(
        "--seed", type=int, default=0, help="seed of all random numbers (default %(default)s)"
    )
    p.add_argument("--json", action="store_true", help="print the numbers as JSON")
    return p


def add_module(p):
    """Add the option ``--module``; without it, a model's class must belong to this project."""
    p.add_argument(
        "--module",
        type=own_module,
        metavar="FILE",
        help="the .py file with the model's class, if you wrote that class (run_all.py --config)",
    )


def own_module(path):
    """Import the file that holds a user's class, so that Keras knows it; return the module.

    Raises
    ------
    argparse.ArgumentTypeError
        If there is no such file, or it cannot be imported.
    """
    file = Path(path).resolve()
    if file.suffix != ".py" or not file.is_file():
        raise argparse.ArgumentTypeError(f"{path}: no such .py file")
    keras = import_keras()  # first: when another module imports Keras, it prints lines
    # Last on the path, as in run_all.py --config: a saved model stores the module name found then
    sys.path.append(str(file.parent))
    try:
        module = importlib.import_module(file.stem)
    except Exception as error:  # the import of a user's module can fail in any way
        problem = f"{path} cannot be imported ({type(error).__name__}: {in_a_line(error, 200)})"
        raise argparse.ArgumentTypeError(problem) from error
    if Path(module.__file__ or "").resolve() != file:
        raise argparse.ArgumentTypeError(f"{path}: another module is called {file.stem}, rename it")
    # Keras looks for the plain class name where no decorator registered the class
    classes = {name: c for name, c in vars(module).items() if isinstance(c, type)}
    keras.saving.get_custom_objects().update(classes)
    return module


def check_output(path, suffixes=(".png", ".npz")):
    """Raise a `UserError` before any computation if results cannot be saved to ``path``."""
    if path is not None and Path(path).suffix.lower() not in suffixes:
        raise UserError(f"--output {path}: give a path that ends in {' or '.join(suffixes)}")


def model_and_images(options, suffixes=(".png", ".npz")):
    """The model of ``--model`` and the images of ``--input``, after a check of ``--output``."""
    check_output(options.output, suffixes)
    model = load_model(options.model)
    return model, images_of(options, model.image_shape)


def images_of(options, shape=None, **how):
    """The images of ``--input``, with what is worth knowing of them said on standard error.

    Parameters
    ----------
    shape, how : as for `Code.data.pictures.load_images`.

    Raises
    ------
    UserError
        If ``--against`` would do nothing, or the use does not do for such images.
    """
    use = importlib.import_module(f"Code.tasks.{options.use}")
    if reason := not_for_shape(use, shape or ()):
        raise UserError(f"a model of colours does not do for {options.use}: {reason}")
    if options.against:
        raise UserError("--against measures on --data: leave it out, or leave out --input")
    fit = shape is not None and options.fit
    return load_images(options.input, shape, invert=options.invert, fit=fit, say=note, **how)


def note(line):
    """Print a line that is no result on standard error."""
    print(f"note: {line}", file=sys.stderr)


def print_values(values, as_json=False, units=None):
    """Print ``{name: number}``, one per line, or as one JSON object (NaN and infinities as null).

    ``units`` maps a name to its unit, which is printed after the number.
    """
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
    """Load the data set of ``--data``, by default the one on which the model was trained.

    Its images must have the size that the model takes. A note says what is used in place of data
    that are not known, or have changed.
    """
    given, trained_on = options.data, {}
    if given is None:
        trained_on = data_of(options.model) or {}
        given = trained_on.get("source") or trained_on.get("name", "mnist")
    try:
        data = load_dataset(given)
    except DataError as error:
        if options.data is not None:
            raise UserError(f"--data {error}") from error
        raise UserError(
            f"the data on which the model was trained are not to be had ({error}); give them, or "
            "others, as --data"
        ) from error
    if data.image_shape != tuple(model.image_shape):
        found, needed = ("×".join(map(str, s)) for s in (data.image_shape, model.image_shape))
        raise UserError(
            f"--data {given}: images of {found}, but the model takes {needed}"
            + ("; give the data on which it was trained" if options.data is None else "")
        )
    use = importlib.import_module(f"Code.tasks.{options.use}")
    reason = not_for(use, data)
    if reason:
        raise UserError(f"--data {given} does not do for {options.use}: {reason}")
    if options.data is None:
        if not trained_on:
            note(f"no result.json beside the model says on what it was trained: {given} is taken")
        elif trained_on.get("sha256") != data.sha256:
            note(f"{given} has changed since the model was trained on it")
        elif data.name != "mnist":
            note(f"data: {given}, on which the model was trained")
    return data.subset(2000, 500) if options.quick else data


def measure_and_draw(options):
    """Measure ``--model`` on ``--data``, print the numbers, draw the use's figure to ``--output``.

    Parameters
    ----------
    options : parsed by a `parser`; ``--against`` also measures the baselines.
    """
    check_output(options.output, (".png",))
    use = importlib.import_module(f"Code.tasks.{options.use}")
    model = load_model(options.model)
    data = dataset_for(model, options)
    tell_measured(use, use.measure(model, data, options.seed), data, options)


def tell_measured(use, own, data, options):
    """Print what was measured of ``--model``, draw it to ``--output``.

    Parameters
    ----------
    use : the module of the use; with ``--against`` its baselines are measured on ``data`` too.
    own : the model's ``Measured``.
    options : parsed by a `parser`.
    """
    measured = {Path(options.model).stem: own}
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
        save_figure(use.figure(measured), options.output)


def measure_use(use, arguments=None):
    """Command line of a use without a module of its own: measure the model on a data set."""
    options = parser(use, f"Measure a trained autoencoder: {USES[use]}.", images=False)
    return measure_and_draw(options.parse_args(arguments))
