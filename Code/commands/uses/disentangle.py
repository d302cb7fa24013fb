"""The command line of ``python -m Code.use disentangle``."""

import numpy as np

from Code.commands import cli
from Code.data.pictures import named, save_images
from Code.figures.images import image_rows
from Code.figures.style import save as save_figure
from Code.foundation.errors import UserError
from Code.tasks.disentangle import MAX_ROWS, N_TRAIN, factors, traversals
from Code.tasks.task import flat


def main(arguments=None):
    """Change the code of the user's image unit by unit, or measure a model."""
    options = cli.parser(
        "disentangle",
        "Show what each unit of the code does. With --input each row of the result changes one "
        "unit of your image's code over its range on --data (most varying units first), and the "
        "image's slant, thickness and the like are printed; without it the model is measured.",
        "Example: python -m Code.use disentangle --model output/vae-16 --input my.png "
        "--output units.png",
    ).parse_args(arguments)
    if options.input is None:
        return cli.measure_and_draw(options)
    model, images = cli.model_and_images(options)
    if len(images) > 1:
        raise UserError(f"{named(options.input)}: {len(images)} images; give one, to move its code")
    cli.print_values({name: value[0] for name, value in factors(images).items()}, options.json)
    if options.output:
        spread = model.encode(cli.dataset_for(model, options).x_train[:N_TRAIN])
        units = np.argsort(-flat(spread).var(axis=0), kind="stable")[:MAX_ROWS]
        rows = traversals(model.encode, model.decode, images[0], spread, units)
        # Eleven images in each row of the picture too: one row per unit
        _save(options, rows, units)
    return None


def _save(options, rows, units):
    if options.output.lower().endswith(".npz"):
        save_images(options.output, rows.reshape(-1, *rows.shape[2:]), invert=options.invert)
        return
    labels = [f"unit {unit + 1}" for unit in units]
    save_figure(image_rows(list(zip(labels, rows, strict=True))), options.output)
