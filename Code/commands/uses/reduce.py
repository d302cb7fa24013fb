"""The command line of ``python -m Code.use reduce``."""

import json
from pathlib import Path

from Code.commands import cli
from Code.figures.style import save as save_figure
from Code.foundation.atomic import write_text
from Code.tasks.reduce import MAP_TEST, map_with_stars
from Code.training.codes import unsupervised_code
from Code.training.measures import plane


def main(arguments=None):
    """Place the user's images in the map, or draw the map of a data set."""
    p = cli.parser(
        "reduce",
        "Map images into the plane: by the code, or by the first two principal components of a "
        "wider code. With --input, --output places.csv writes where your images lie, and --output "
        "map.png draws them as stars among the test images of --data.",
        "Example: python -m Code.use reduce --model output/ae-2 --input my.npz --output map.png",
        output_help="where to save the result: .csv for places, .png for a map",
    )
    options = p.parse_args(arguments)
    if options.input is None:
        return cli.measure_and_draw(options)
    model, x = cli.model_and_images(options, (".csv", ".png"))
    data = cli.dataset_for(model, options)
    train, codes = (unsupervised_code(model, images) for images in (data.x_train, x))
    if train.shape[1] > 2:
        cli.note(f"the map is two principal components of the {train.shape[1]} units of the code")
    places = plane(train, codes)[1]
    if options.json:
        print(json.dumps({"places": places.tolist()}, indent=1))
    else:
        for i, (a, b) in enumerate(places):
            print(f"image {i}  {a:.6g}  {b:.6g}")
    if options.output and Path(options.output).suffix.lower() == ".csv":
        lines = ["image,x,y", *(f"{i},{a:.9g},{b:.9g}" for i, (a, b) in enumerate(places))]
        write_text(options.output, "\n".join(lines) + "\n")
    elif options.output:
        test = plane(train, unsupervised_code(model, data.x_test[:MAP_TEST]))[1]
        labels = data.y_test[:MAP_TEST] if data.labelled else None
        save_figure(map_with_stars(test, labels, places, data.classes), options.output)
