"""The command line of ``python -m Code.use features``."""

import json

import numpy as np

from Code.commands import cli
from Code.commands.models import load_model
from Code.foundation.atomic import write_with
from Code.foundation.errors import UserError
from Code.tasks import features
from Code.tasks.features import (
    N_TRAIN,
    balanced_draw,
    fine_tuned_accuracies,
    measure,
    read_labels,
    unsupervised_code,
)


def parser():
    """The options of the command line."""
    p = cli.parser(
        "features",
        "Classify images by the frozen code of a model, from few labels. With --input a linear "
        "classifier, trained on the codes of labelled images of --data, classifies your images, "
        "and --output saves their codes; without it the model is measured.",
        "Example: python -m Code.use features --model output/vae-16 --input my.npz "
        "--output codes.npz",
        output_help="where to save the codes of your images, .npz; without --input a picture, .png",
    )
    p.add_argument(
        "--labels",
        type=int,
        metavar="N",
        help="with --input: learn from N labelled "
        "images, equally many of each class (default: all)",
    )
    p.add_argument(
        "--fine-tune",
        type=int,
        metavar="N",
        help="without --input: also fine-tune the "
        "encoder with N labels, against the same network from scratch",
    )
    return p


def main(arguments=None):
    """Classify the user's images, or measure a model."""
    options = parser().parse_args(arguments)
    if options.input is None:
        return _measure(options)
    model, images = cli.model_and_images(options, (".npz",))
    data = cli.dataset_for(model, options)
    chosen = _labelled(data.y_train, options.labels, options.seed)
    codes = unsupervised_code(model, images)
    probabilities, classes = read_labels(
        unsupervised_code(model, data.x_train[chosen]), data.y_train[chosen], codes
    )
    likeliest = data.class_names[classes[probabilities.argmax(axis=1)]]
    if options.json:
        found = {"labels": likeliest.tolist(), "probabilities": probabilities.tolist()}
        print(json.dumps(found, indent=1))
    else:
        for i, (label, share) in enumerate(zip(likeliest, probabilities.max(axis=1), strict=True)):
            print(f"image {i}  {label}  ({share:.1%})")
    if options.output:
        arrays = {"codes": codes, "labels": likeliest, "probabilities": probabilities}
        write_with(options.output, lambda part: np.savez_compressed(part, **arrays))
    return None


def _labelled(labels, n, seed):
    if n is None:
        return np.arange(min(len(labels), N_TRAIN))
    chosen = balanced_draw(labels, n, np.random.default_rng((seed, n)))
    if chosen is None:
        classes, counts = np.unique(labels, return_counts=True)
        raise UserError(
            f"--labels {n}: --data has {len(classes)} classes, of each at least {counts.min()} "
            f"images; give a multiple of {len(classes)} up to {counts.min() * len(classes)}"
        )
    return chosen


def _measure(options):
    """Run `measure` with the options, and fine-tuning if requested; print the values."""
    cli.check_output(options.output, (".png",))
    model = load_model(options.model)
    data = cli.dataset_for(model, options)
    if options.fine_tune is not None:
        _labelled(data.y_train, options.fine_tune, options.seed)
    measured = measure(model, data, options.seed)
    if options.fine_tune is not None:
        measured.values |= fine_tuned_accuracies(
            model, data, (options.fine_tune,), seed=options.seed
        )
    cli.tell_measured(features, measured, data, options)
