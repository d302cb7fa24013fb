"""The command line of ``python -m Code.use segment``."""

from Code.commands import cli
from Code.commands.models import load_model
from Code.data.pictures import ACCEPTED, load_images, named, save_images
from Code.foundation.errors import UserError
from Code.tasks.segment import N_LABELLED, cluttered, described, fitted, intersection_over_union


def parser():
    """The options of the command line."""
    p = cli.parser(
        "segment",
        "Find the pixels of a digit in a cluttered picture. The pictures of --input must be at "
        "least as large as the model's images; the result shows the found pixels white on black. "
        "The segmenter learns from ten labelled pictures made from the training images of --data. "
        "Without --input the model is measured on pictures made from the test images.",
        "Example: python -m Code.use segment --model output/cae-denoising --input large.png "
        "--output mask.png",
        input_help=f"pictures to segment, all of one size: {ACCEPTED}; ink is bright as in MNIST, "
        "else say --invert. Without it the model is measured on --data",
        fit=False,
    )
    p.add_argument(
        "--truth",
        nargs="+",
        action="extend",
        metavar="PATH",
        help="the correct masks of --input, white on black, to compare with",
    )
    return p


def main(arguments=None):
    """Segment the user's pictures, or measure a model."""
    options = parser().parse_args(arguments)
    if options.input is None:
        return cli.measure_and_draw(options)
    cli.check_output(options.output)
    model = load_model(options.model)
    pictures = cli.images_of(options, colour=len(model.image_shape) == 3)
    least = tuple(model.image_shape)
    if any(side < needed for side, needed in zip(pictures.shape[1:], least, strict=True)):
        found, needed = (f"{h}×{w}" for h, w in (pictures.shape[1:], least))
        raise UserError(
            f"{named(options.input)}: {found} pixels; the model needs at least {needed}"
        )
    truth = _truth(options.truth, pictures)
    labelled = cluttered(cli.dataset_for(model, options).x_train, N_LABELLED, options.seed)
    masks = fitted(described(model), *labelled)(pictures)
    values = {"pictures": len(masks), "share_of_digit": masks.mean()}
    if truth is not None:
        values["iou"] = intersection_over_union(masks, truth).mean()
    cli.print_values(values, options.json)
    if options.output:
        save_images(options.output, masks)
    return None


def _truth(paths, pictures):
    if paths is None:
        return None
    masks = load_images(paths, say=cli.note, dark_ground=False) > 0.5
    if masks.shape != pictures.shape[:3]:
        found, needed = ("×".join(map(str, x.shape[:3])) for x in (masks, pictures))
        raise UserError(
            f"{named(paths)}: masks of {found} for pictures of {needed} (n×height×width)"
        )
    return masks
