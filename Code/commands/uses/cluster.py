"""The command line of ``python -m Code.use cluster``."""

import json
from pathlib import Path

import numpy as np

from Code.commands import cli
from Code.data.pictures import named
from Code.figures.images import image_rows
from Code.figures.style import save as save_figure
from Code.foundation.atomic import write_with
from Code.foundation.errors import UserError
from Code.tasks.cluster import SHOWN, by_size, gaussian_mixture, kmeans
from Code.training.codes import unsupervised_code


def parser():
    """The options of the command line."""
    p = cli.parser(
        "cluster",
        "Sort images into groups by their codes, without labels. With --input your images are "
        "sorted, and --output shows each group as a row; without it the model is measured.",
        "Example: python -m Code.use cluster --model output/ae-16 --input my.npz --clusters 5 "
        "--output groups.png",
    )
    p.add_argument(
        "--clusters",
        type=int,
        default=10,
        metavar="K",
        help="with --input: how many groups (default %(default)s)",
    )
    p.add_argument(
        "--how",
        choices=("kmeans", "mixture"),
        default="kmeans",
        help="with --input: the method (default %(default)s)",
    )
    return p


def main(arguments=None):
    """Sort the user's images, or measure a model."""
    options = parser().parse_args(arguments)
    if options.input is None:
        return cli.measure_and_draw(options)
    model, images = cli.model_and_images(options)
    if not 1 <= options.clusters < len(images):
        raise UserError(
            f"--clusters {options.clusters}: {named(options.input)}: "
            + (
                f"{len(images)} images; give a number from 1 to one less than that"
                if len(images) > 1
                else "one image; give more"
            )
        )
    codes = np.asarray(unsupervised_code(model, images), np.float64)
    fit = {"kmeans": kmeans, "mixture": gaussian_mixture}[options.how]
    groups = by_size(fit(codes, options.clusters, options.seed)(codes))
    if options.json:
        print(json.dumps({"clusters": groups.tolist()}))
    else:
        for cluster, size in enumerate(np.bincount(groups)):
            members = ", ".join(map(str, np.flatnonzero(groups == cluster)[:SHOWN]))
            print(f"cluster {cluster}: {size} images ({members}{', …' if size > SHOWN else ''})")
    if options.output:
        _write(options.output, images, groups)
    return None


def _write(path, images, groups):
    """Write the first images of each group as a picture, or all images as arrays."""
    if Path(path).suffix.lower() == ".npz":
        write_with(path, lambda part: np.savez_compressed(part, images=images, clusters=groups))
        return
    columns = min(SHOWN, int(np.bincount(groups).max()))
    rows = []
    for cluster in range(groups.max() + 1):
        members = images[groups == cluster][:columns]
        # Missing tiles stay grey
        lacking = np.full((columns - len(members), *images.shape[1:]), np.nan, np.float32)
        rows.append((f"cluster {cluster}", np.concatenate([members, lacking])))
    save_figure(image_rows(rows), path)
