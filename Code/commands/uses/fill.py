"""The command line of ``python -m Code.use fill``."""

import numpy as np

from Code.commands import cli
from Code.commands.models import load_model
from Code.data.filters import psnr
from Code.data.pictures import ACCEPTED, named, save_images
from Code.data.tables import read_table, write_table
from Code.foundation.errors import UserError
from Code.tasks.fill import HOLES, STEPS, filled_by, holes_in, mean_image, sample
from Code.tasks.reconstruct import has_posterior
from Code.tasks.table import fill_table, hidden_errors


def main(arguments=None):
    """Fill the user's images or table, or measure the model on a data set."""
    p = cli.parser(
        "fill",
        "Fill the missing pixels of images with an autoencoder, or the missing cells of a table.",
        "Examples: python -m Code.use fill --model output/vae-16 --input my.png --hole square "
        "--output out.png; python -m Code.use fill --table my.csv --output filled.csv",
        f"your images: {ACCEPTED}; missing pixels are transparent in pictures and NaN in arrays. "
        "Without it the model is measured on --data",
        needs_model=False,
        output_help="where to save the result: .png, or .npz for images; .csv for --table",
    )
    p.add_argument(
        "--hole",
        choices=HOLES,
        help="cut this hole into your images first, and print how well it was filled",
    )
    p.add_argument(
        "--draw",
        action="store_true",
        help="sample the missing pixels from a VAE; each --seed gives another sample",
    )
    p.add_argument(
        "--steps",
        type=int,
        default=STEPS,
        help="passes through the autoencoder "
        "(default %(default)s; for one large hole 1 may do better)",
    )
    p.add_argument(
        "--table",
        metavar="CSV",
        help="a table of numbers with empty cells; an autoencoder "
        "is trained on it, so --model is not needed; with --against a tenth of the known cells is "
        "hidden and filled as well, and by regressions, which on small tables may do better",
    )
    options = p.parse_args(arguments)
    if options.table:
        return _fill_table(options)
    if not options.model:
        raise UserError("give the --model that fills the images, or a --table")
    if options.input is None:
        return cli.measure_and_draw(options)
    _fill_images(options)


def _fill_images(options):
    cli.check_output(options.output)
    model = load_model(options.model)
    if options.steps < 1:
        raise UserError(f"--steps must be at least 1, not {options.steps}")
    if options.draw and not has_posterior(model):
        raise UserError("--draw needs a variational model, such as output/vae-16")
    x = truth = cli.images_of(options, model.image_shape, missing=True)
    rng = np.random.default_rng(options.seed)
    if options.hole:
        x = np.where(holes_in(x, HOLES[options.hole], rng), np.nan, x)
    missing = np.isnan(x)
    if not missing.any():
        raise UserError(
            f"{named(options.input)}: no pixel is missing; make some transparent, or say --hole "
            "square"
        )
    start = mean_image(cli.dataset_for(model, options))
    steps = options.steps
    filled = sample(model, x, start, rng)[1] if options.draw else filled_by(model, x, start, steps)
    values = {"pixels_filled": int(missing.sum())}
    known = missing & ~np.isnan(truth)
    if known.any():
        values["psnr"] = psnr(truth[known], filled[known])
    cli.print_values(values, options.json, {"psnr": "dB"})
    if options.output:
        save_images(options.output, filled, options.invert)


def _fill_table(options):
    cli.check_output(options.output, (".csv",))
    header, cells, table = read_table(options.table)
    try:
        filled = fill_table(table, options.seed)
        errors = hidden_errors(table, options.seed) if options.against else {}
    except ValueError as error:
        raise UserError(f"{options.table}: {error}") from error
    values = {"cells_filled": int(np.isnan(table).sum())}
    values |= {f"rms_error_{name}": error for name, error in errors.items()}
    cli.print_values(values, options.json)
    if options.output:
        write_table(options.output, header, cells, filled)
    elif not options.json:
        print("say --output filled.csv to save the table")
