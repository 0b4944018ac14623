"""Command line: `python -m pykeras digits`."""

import argparse
import sys
from collections.abc import Sequence

from . import __version__


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    main_parser = argparse.ArgumentParser(
        prog="python -m pykeras", description="The Keras 2 API on an engine of its own."
    )
    main_parser.add_argument("--version", action="version", version=f"pykeras {__version__}")
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="command")

    digits = commands.add_parser(
        "digits", help="train a small CNN on handwritten digits, save it, load it back, draw the results"
    )
    digits.add_argument("--epochs", type=int, default=20, help="passes over the pictures (%(default)s)")
    digits.add_argument("--batch-size", type=int, default=32, help="pictures per step (%(default)s)")
    digits.add_argument("--seed", type=int, default=1, help="of all random numbers (%(default)s)")
    digits.add_argument("--folder", default=".", help="where digits.h5 and digits.png go (here)")
    digits.add_argument("--quiet", action="store_true", help="one line per epoch instead of the progress bar")
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after `python -m pykeras`; default: those of the process.

    Returns:
        the exit status.
    """
    options = parser().parse_args(arguments)
    from .demo import digits  # here, so that --help needs no engine

    verbose = 2 if options.quiet else 1
    digits.run(options.epochs, options.batch_size, options.folder, options.seed, verbose)
    return 0


if __name__ == "__main__":
    sys.exit(main())
