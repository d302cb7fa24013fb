"""``python -m Code.use``: lists the uses and calls the command line of the chosen one."""

import argparse
import importlib
import os
import sys

from Code.commands.status import any_terminal, status_of
from Code.foundation.errors import UserError
from Code.foundation.waiting import while_waiting
from Code.tasks import USES

# Further things to do with a trained model; unlike the uses, they are not measured
BESIDE = {
    "export": "the encoder, decoder and autoencoder as SavedModel or ONNX files",
    "explorer": "trained models as one page that decodes and encodes by itself",
}


def parser():
    """The parser of ``python -m Code.use`` itself; each use has its own."""
    width = max(map(len, {**USES, **BESIDE}))
    lines = [f"  {name:{width}}  {line}" for name, line in USES.items()]
    beside = [f"  {name:{width}}  {line}" for name, line in BESIDE.items()]
    p = argparse.ArgumentParser(
        prog="python -m Code.use",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Use a trained autoencoder on your images, or measure it.",
        epilog="\n".join(
            [
                "uses:",
                *lines,
                "\nand:",
                *beside,
                "\npython -m Code.use denoise --help explains the options of one use.",
                "Example: python -m Code.use denoise --model output/dae --input my.png"
                " --output out.png",
            ]
        ),
    )
    p.add_argument("use", choices=[*USES, *BESIDE], metavar="USE", help="one of the uses below")
    p.add_argument("options", nargs=argparse.REMAINDER, help="options of that use")
    return p


def command_of(use):
    """The function ``(arguments) -> exit status or None`` of a use's command line."""
    name = f"Code.commands.uses.{use}"
    try:
        with while_waiting(f"{use}: loading its libraries…"):
            return importlib.import_module(name).main
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
    from Code.commands import cli

    # A use without a command line of its own can only be measured on a data set
    return lambda arguments: cli.measure_use(use, arguments)


def main(arguments=None):
    """Run the command line; return the exit status."""
    any_terminal()
    given = sys.argv[1:] if arguments is None else [str(word) for word in arguments]
    # Must be set before TensorFlow is imported; otherwise it prints messages about its plugins
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    options = parser().parse_args(given[:1])
    return status_of(lambda: checked(command_of(options.use), given[1:]))


def checked(command, arguments):
    """Call a command; turn errors about files and values into a `UserError`."""
    try:
        return command(arguments)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(
            f"{error.filename}: {error.strerror}" if error.filename else error
        ) from error
    except ValueError as error:
        raise UserError(error) from error
