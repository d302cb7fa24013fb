"""The command line of ``python -m Code.use resize``."""

import numpy as np

from Code.commands import cli
from Code.commands.models import load_model
from Code.data.pictures import named, save_images
from Code.foundation.errors import UserError
from Code.parts.images import to_unit
from Code.tasks.resize import FACTORS, N_CHOOSING, chosen, enlarge, enlarged, shrink


def main(arguments=None):
    """Enlarge the user's images, or measure a model."""
    options = cli.parser(
        "resize",
        "Enlarge small images to the size that the model draws. The images of --input have sides "
        "of a half or a quarter of that size (14×14 or 7×7 for a model of 28×28); without it test "
        "images are shrunk and enlarged again.",
        "Example: python -m Code.use resize --model output/vae-16 --input small.png "
        "--output large.png",
        fit=False,
    ).parse_args(arguments)
    if options.input is None:
        return cli.measure_and_draw(options)
    cli.check_output(options.output)
    model = load_model(options.model)
    small = cli.images_of(options, colour=len(model.image_shape) == 3)
    factor = _factor(named(options.input), small.shape[1:], tuple(model.image_shape))
    train = to_unit(cli.dataset_for(model, options).x_train[:N_CHOOSING])
    weight, steps = chosen(model.reconstruct, train, factor)
    large = enlarged(model.reconstruct, small, train.shape[1:], weight, steps)
    changed = np.sqrt(np.mean(np.square(large - np.clip(enlarge(small, train.shape[1:]), 0, 1))))
    inconsistent = np.sqrt(np.mean(np.square(shrink(large, factor) - small)))
    cli.print_values(
        {
            "factor": factor,
            "weight": weight,
            "steps": steps,
            "rms_change_from_bicubic": changed,
            "rms_inconsistency": inconsistent,
        },
        options.json,
    )
    if options.output:
        save_images(options.output, large, invert=options.invert)
    return None


def _factor(path, small, shape):
    for factor in sorted(FACTORS):
        if small == (shape[0] // factor, shape[1] // factor):
            return factor
    sizes = " or ".join(f"{shape[0] // f}×{shape[1] // f}" for f in sorted(FACTORS))
    raise UserError(
        f"{path}: images of {small[0]}×{small[1]} pixels; to be enlarged to "
        f"{shape[0]}×{shape[1]} they must have {sizes}"
    )
