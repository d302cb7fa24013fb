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
The first that exists of {denoisers} takes noise away. Train the models with
  python run_all.py --only common dae"""


def parser():
    """The options of the command line."""
    p = argparse.ArgumentParser(
        prog="python -m Code.use explorer",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write trained autoencoders into one page that encodes and decodes by itself.\n"
        "It needs no server and no network: open it with a double click, send it by mail.\n\n"
        "  - two maps of the 10,000 test digits in the plane of a two-dimensional code;\n"
        "    moving over one decodes the point, a click shows the nearest digit\n"
        "  - what each of sixteen units does, and a slider for it\n"
        "  - a pad to draw on: your digit is encoded, reconstructed and cleaned of noise\n"
        "  - a story of two minutes, in English and in Chinese",
        epilog=EPILOG.format(
            planes=page.MOST[page.PLANES],
            sliders=page.MOST[page.SLIDERS],
            names=textwrap.indent(textwrap.fill(", ".join(page.WISHED), 76), "  "),
            denoisers=", ".join(page.DENOISERS),
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
    p.add_argument(
        "--anew",
        action="store_true",
        help="write the page at --page anew with the models that are in it; none is loaded",
    )
    return p


def rewritten(path):
    """The page at a path with the present words and scripts."""
    try:
        return page.anew(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--page {path} cannot be read ({error})") from None


def main(arguments=None):
    """Build the page and print what is in it."""
    options = parser().parse_args(arguments)
    if Path(options.page).suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--page {options.page}: give a path that ends in .html")
    if options.anew:
        text = rewritten(options.page)
    else:
        text = page.build(options.output, options.megabytes)
    path = write_text(options.page, text)
    print(f"{path}: {len(text.encode()) / 1e6:.2f} MB; open it in a browser")
