"""The command line of ``python -m Code.use export``."""

import argparse

import numpy as np

from Code.commands.cli import add_module
from Code.commands.models import load_model
from Code.data.datasets import load_dataset
from Code.parts.images import to_unit
from Code.tasks.export import COMPARED, FORMATS, export


def main(arguments=None):
    """Run the command line."""
    p = argparse.ArgumentParser(
        prog="python -m Code.use export",
        description="Write a trained encoder, decoder and autoencoder for use elsewhere.",
    )
    p.add_argument(
        "--model",
        required=True,
        metavar="PATH",
        help="an experiment's folder such as output/dae, or a .keras file",
    )
    add_module(p)
    p.add_argument(
        "--format",
        choices=FORMATS,
        default="tf_saved_model",
        dest="form",
        help="(default %(default)s)",
    )
    p.add_argument("--output", default="exported", metavar="DIR", help="(default %(default)s)")
    options = p.parse_args(arguments)
    model = load_model(options.model)
    images = to_unit(load_dataset("mnist").x_test[:COMPARED])
    if images.shape[1:] != model.image_shape:
        images = np.zeros((COMPARED, *model.image_shape), np.float32)
    for path, difference in export(model, options.output, options.form, images).items():
        print(f"{path}: equals Keras to {difference:.1e}")
