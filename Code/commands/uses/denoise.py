"""The command line of ``python -m Code.use denoise``."""

import numpy as np

from Code.commands import cli
from Code.commands.models import load_model
from Code.data.filters import psnr
from Code.data.pictures import save_images
from Code.foundation.errors import UserError
from Code.tasks.denoise import KINDS, noisy
from Code.tasks.reconstruct import ssim


def main(arguments=None):
    """The command line: denoise your images, or measure the model on a data set."""
    p = cli.parser(
        "denoise",
        "Remove noise from images with an autoencoder. Your images are taken as noisy. With --add "
        "they are taken as clean: noise is added first, and the gain is printed.",
        "Example: python -m Code.use denoise --model output/dae --input my.png --output out.png "
        "--add gaussian 0.5",
    )
    p.add_argument(
        "--add",
        nargs=2,
        metavar=("KIND", "LEVEL"),
        help="noise to add to your images: "
        "gaussian (its standard deviation), masking or salt_and_pepper (share of the "
        "pixels), for example gaussian 0.5",
    )
    options = p.parse_args(arguments)
    if options.input is None:
        return cli.measure_and_draw(options)
    cli.check_output(options.output)
    kind, level = _noise_of(options.add)
    model = load_model(options.model)
    x = cli.images_of(options, model.image_shape)
    given = x if kind is None else noisy(x, kind, level, options.seed)
    denoised = model.reconstruct(given)
    values = {"changed": float(np.sqrt(np.mean(np.square(denoised - given))))}
    if kind is not None:
        values = {
            "psnr_noisy": psnr(x, given),
            "psnr_denoised": psnr(x, denoised),
            "ssim_noisy": float(ssim(x, given).mean()),
            "ssim_denoised": float(ssim(x, denoised).mean()),
        }
    cli.print_values(values, options.json, {"psnr_noisy": "dB", "psnr_denoised": "dB"})
    if options.output:
        save_images(options.output, denoised, options.invert)


def _noise_of(words):
    if words is None:
        return None, None
    kind, level = words
    if kind not in KINDS:
        raise UserError(f"--add {kind}: the kinds of noise are {', '.join(KINDS)}")
    try:
        return kind, float(level)
    except ValueError:
        raise UserError(f"--add {kind} {level}: the level is a number, such as 0.5") from None
