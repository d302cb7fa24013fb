"""The command line of ``python -m Code.use explorer``: build the latent explorer."""

import argparse
import textwrap
from pathlib import Path

from Code.explorer import page
from Code.foundation.atomic import write_text
from Code.foundation.errors import UserError

EPILOG = """\
The page takes trained models made of dense layers, in the order below, until it is full;
it takes at most {planes} models with a code of 2 units and {sliders} with a code of 16:
{names}
Your drawing is denoised by {denoisers}. Train the models with
  python run_all.py --only common"""


def parser():
    """The options of the command line."""
    p = argparse.ArgumentParser(
        prog="python -m Code.use explorer",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write trained autoencoders into one page that encodes and decodes by itself.\n"
        "It needs no server and no network: open it with a double click, send it by mail.\n\n"
        "  - a map of the 10,000 test digits in the plane of a two-dimensional code;\n"
        "    moving over it decodes the point, a click shows the nearest digit\n"
        "  - sixteen sliders for a code of sixteen units\n"
        "  - a pad to draw on: your digit is encoded, reconstructed and denoised as you draw",
        epilog=EPILOG.format(
            planes=page.MOST[page.PLANES],
            sliders=page.MOST[page.SLIDERS],
            names=textwrap.indent(textwrap.fill(", ".join(page.WISHED), 76), "  "),
            denoisers=" or ".join(page.DENOISERS),
        ),
    )
    p.add_argument(
        "--output",
        default="output",
        metavar="FOLDER",
        help="where the trained models are: FOLDER/<experiment>/model.keras (default %(default)s)",
    )
    p.add_argument(
        "--page",
        default="report/explorer.html",
        metavar="PATH",
        help="the file to write (default %(default)s)",
    )
    p.add_argument(
        "--megabytes",
        type=float,
        default=page.MEGABYTES,
        metavar="MB",
        help="largest size of the page (default %(default)g)",
    )
    return p


def main(arguments=None):
    """Build the page and print what is in it."""
    options = parser().parse_args(arguments)
    if Path(options.page).suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--page {options.page}: give a path that ends in .html")
    text = page.build(options.output, options.megabytes)
    path = write_text(options.page, text)
    print(f"{path}: {len(text.encode()) / 1e6:.2f} MB; open it in a browser")
