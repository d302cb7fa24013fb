"""The command line of ``python -m Code.use reconstruct``."""

from Code.commands import cli
from Code.data.pictures import save_images
from Code.tasks.reconstruct import METRICS, bits_per_pixel, errors_of, has_likelihood


def main(arguments=None):
    """Reconstruct the user's images, or measure the model on a data set."""
    p = cli.parser("reconstruct", "Send images through an autoencoder and say what is lost.")
    options = p.parse_args(arguments)
    if options.input is None:
        return cli.measure_and_draw(options)
    model, x = cli.model_and_images(options)
    x_hat = model.reconstruct(x)
    values = errors_of(x, x_hat).values
    if has_likelihood(model):
        values["bits_per_pixel"] = bits_per_pixel(model, x, options.seed)
    cli.print_values(values, options.json, {metric.name: metric.unit for metric in METRICS})
    if options.output:
        save_images(options.output, x_hat, options.invert)
