"""The command line of ``python -m Code.use generate``."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from Code.commands import cli
from Code.commands.models import load_model
from Code.data.pictures import ACCEPTED, named, save_images
from Code.figures.images import image_rows
from Code.figures.style import save as save_figure
from Code.foundation.errors import UserError
from Code.tasks.generate import SHOWN, fitted_codes, interpolations, prior_codes


def parser():
    """The options of the command line."""
    p = cli.parser(
        "generate",
        "Draw new images from a model. --n N draws N images and saves them to --output; --input, "
        "two or more images, decodes the path from the code of each image to the next; "
        "without both the model is measured, by draws from a mixture of its codes and from its "
        "prior.",
        "Example: python -m Code.use generate --model output/vae-16 --n 64 --output new.png",
        f"at least two images to interpolate between: {ACCEPTED}",
    )
    p.add_argument("--n", type=int, metavar="N", help="how many images to draw")
    p.add_argument(
        "--steps",
        type=int,
        default=SHOWN,
        metavar="S",
        help="images on each path of --input, both ends included (default %(default)s)",
    )
    p.add_argument(
        "--mixture",
        action="store_true",
        help="with --n: draw from a mixture fitted to the codes of --data even if the model has a "
        "prior; a model without one always does",
    )
    return p


def main(arguments=None):
    """Draw images, interpolate between the user's, or measure a model."""
    options = parser().parse_args(arguments)
    if options.input is None and options.n is None:
        return cli.measure_and_draw(options)
    if options.output is None:
        raise UserError("say with --output where the images go: a .png or .npz")
    if options.input is not None and options.n is not None:
        raise UserError("--n draws, --input interpolates: give one of them")
    cli.check_output(options.output)
    model = load_model(options.model)
    if options.input is None:
        return _draw(model, options)
    if options.steps < 2:
        raise UserError(f"--steps {options.steps}: a way has two ends, so at least 2")
    images = cli.images_of(options, model.image_shape)
    if len(images) < 2:
        raise UserError(f"{named(options.input)} holds one image; interpolation needs two")
    ways = [interpolations(model, *pair, options.steps) for pair in pairwise(images)]
    if Path(options.output).suffix.lower() == ".png":
        rows = [(f"{i} to {i + 1}", way) for i, way in enumerate(ways)]
        save_figure(image_rows(rows), options.output)
    else:
        save_images(options.output, np.concatenate(ways), options.invert)
    return None


def _draw(model, options):
    if not 1 <= options.n <= 100_000:
        raise UserError(f"--n {options.n}: give a number from 1 to 100,000")
    codes = None if options.mixture else prior_codes(model, options.n, options.seed)
    if codes is None:
        if not options.mixture:
            cli.note("the model has no prior: drawn from a mixture fitted to the codes of --data")
        data = cli.dataset_for(model, options)
        codes = fitted_codes(model, data.x_train, options.n, options.seed)
    save_images(options.output, model.decode(codes), options.invert)
