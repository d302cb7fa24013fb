"""The command line of ``python -m Code.use anomaly``."""

import json
from pathlib import Path

import numpy as np

from Code.commands import cli
from Code.commands.models import load_model
from Code.data.pictures import load_images
from Code.figures.images import image_rows
from Code.figures.style import save as save_figure
from Code.foundation.atomic import write_with
from Code.foundation.errors import UserError
from Code.tasks import anomaly
from Code.tasks.anomaly import LISTED, N_TEST, N_TRAIN, QUANTILE, measure, scorers, threshold


def parser():
    """The options of the command line."""
    p = cli.parser(
        "anomaly",
        "Find images that are unlike the model's training images. With --input each of your images "
        "gets a score, and those above the threshold are called anomalous; without it the model is "
        "measured with images that are not digits.",
        "Example: python -m Code.use anomaly --model output/vae-16 --input my.npz "
        "--output strange.png",
    )
    p.add_argument(
        "--score",
        choices=("reconstruction", "elbo"),
        default="reconstruction",
        help="error of the reconstruction, or −ELBO of a variational model (default %(default)s)",
    )
    p.add_argument(
        "--quantile",
        type=float,
        default=QUANTILE,
        metavar="Q",
        help="share of the training images of --data that score below the threshold "
        "(default %(default)s)",
    )
    p.add_argument(
        "--foreign",
        nargs="+",
        action="extend",
        metavar="PATH",
        help="without --input: your own anomalous images to measure the model with, of any kind "
        "that --input takes",
    )
    return p


def main(arguments=None):
    """Score the user's images, or measure a model."""
    options = parser().parse_args(arguments)
    if not 0 < options.quantile < 1:
        raise UserError(f"--quantile must lie between 0 and 1, not {options.quantile}")
    if options.input is None:
        return _judge(options)
    model, images = cli.model_and_images(options)
    scores = scorers(model, options.seed)
    if options.score not in scores:
        raise UserError("--score elbo needs a variational model, such as output/vae-16")
    score = scores[options.score]
    data = cli.dataset_for(model, options)
    limit, found = threshold(score(data.x_train[:N_TRAIN]), options.quantile), score(images)
    alarms = np.mean(score(data.x_test[:N_TEST]) > limit)
    _tell(found, limit, alarms, options.json)
    if options.output:
        _write(options.output, images, model.reconstruct(images), found, limit)
    return None


def _judge(options):
    """Run `measure` with the options and print the values."""
    cli.check_output(options.output, (".png",))
    if options.foreign and options.against:
        raise UserError("--against does nothing with --foreign; leave it out")
    model = load_model(options.model)
    given = options.foreign and load_images(
        options.foreign,
        model.image_shape,
        invert=options.invert,
        fit=options.fit,
        dark_ground=False,  # what is strange may well be bright
        say=cli.note,
    )
    data = cli.dataset_for(model, options)
    cli.tell_measured(anomaly, measure(model, data, options.seed, given), data, options)


def _tell(scores, limit, alarms, as_json):
    if as_json:
        found = {
            "threshold": limit,
            "false_alarms": float(alarms),
            "scores": scores.tolist(),
            "anomalous": (scores > limit).tolist(),
        }
        print(json.dumps(found, indent=1))
        return
    print(f"threshold {limit:.6g}, which {alarms:.1%} of the test images of --data exceed")
    for i, score in enumerate(scores):
        print(f"image {i}  score {score:.6g}  {'ANOMALOUS' if score > limit else 'normal'}")


def _write(path, images, reconstructions, scores, limit):
    """Write the images with the highest scores as a picture, or all images as arrays."""
    if Path(path).suffix.lower() == ".npz":
        arrays = {
            "images": images,
            "reconstructions": reconstructions,
            "scores": scores,
            "anomalous": scores > limit,
        }
        write_with(path, lambda part: np.savez_compressed(part, **arrays))
        return
    strangest = np.argsort(-scores, kind="stable")[:LISTED]
    images, reconstructions = images[strangest], reconstructions[strangest]
    rows = [
        ("strangest first", images),
        ("given back", reconstructions),
        ("error", np.abs(images - reconstructions)),
    ]
    save_figure(image_rows(rows), path)
