"""The command line of ``python -m Code.use style``."""

import numpy as np

from Code.commands import cli
from Code.data.pictures import save_images
from Code.figures.images import image_rows
from Code.figures.style import save as save_figure
from Code.foundation.errors import UserError
from Code.tasks.disentangle import slant, thickness
from Code.tasks.style import N_TRAIN, reader, transfer_of


def parser():
    """The options of the command line."""
    p = cli.parser(
        "style",
        "Write all digits in the style of one. --input holds your digits; the result shows each of "
        "them, followed by the digits of --data in its style. Without --input the model is "
        "measured.",
        "Example: python -m Code.use style --model output/cvae-16 --input my.png --digit 4 "
        "--output styles.png",
    )
    p.add_argument(
        "--digit",
        metavar="LABEL",
        help="the label of the images of --input; without "
        "it a small network is trained first to read them",
    )
    return p


def main(arguments=None):
    """Write all digits in the style of the user's digits, or measure a model."""
    options = parser().parse_args(arguments)
    if options.input is None:
        return cli.measure_and_draw(options)
    model, images = cli.model_and_images(options)
    data = cli.dataset_for(model, options)
    classes, names = np.unique(data.y_train), data.classes
    if options.digit is not None and options.digit not in names:
        raise UserError(f"--digit {options.digit}: the labels of --data are {', '.join(names)}")
    read = reader(data)
    own = (
        read(images) if options.digit is None else np.full(len(images), names.index(options.digit))
    )
    transfer = transfer_of(model, data.x_train[:N_TRAIN], data.y_train[:N_TRAIN])
    n, k = len(images), len(classes)
    index, wanted = np.repeat(np.arange(n), k), np.tile(classes, n)
    results = transfer(images[index], own[index], wanted)
    _tell(images, own, results, wanted, read, names, options)
    if options.output:
        sheet = np.concatenate([images[:, None], results.reshape(n, k, *images.shape[1:])], axis=1)
        _save(sheet, own, names, options)
    return None


def _tell(images, own, results, wanted, read, names, options):
    values = {
        "read_as_wanted": np.mean(read(results) == wanted),
        "slant": slant(images).mean(),
        "slant_of_results": slant(results).mean(),
        "thickness": thickness(images).mean(),
        "thickness_of_results": thickness(results).mean(),
    }
    name = names[own[0]]
    if len(images) == 1 and name.isdecimal():
        values = {"digit": int(name), **values}
    elif len(images) == 1 and not options.json:
        print(f"class {name}")
    cli.print_values(values, options.json)


def _save(sheet, own, names, options):
    """Save a picture with one row per digit, or all images in sequence as arrays."""
    if options.output.lower().endswith(".npz"):
        flat = sheet.reshape(-1, *sheet.shape[2:])
        save_images(options.output, flat, invert=options.invert)
        return
    rows = [(f"in the style of this {names[k]}", row) for k, row in zip(own, sheet, strict=True)]
    save_figure(image_rows(rows), options.output)
