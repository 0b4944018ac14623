"""Command line: `python -m pykeras digits`, `python -m pykeras run script.py …`."""

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

    run = commands.add_parser(
        "run",
        help="run an unchanged Keras 2 script: inside it `import keras` means pykeras",
        usage="python -m pykeras run {script.py | -m module} [argument ...]",
    )
    what = run.add_mutually_exclusive_group(required=True)
    what.add_argument("script", nargs="?", help="the script; everything behind its name is its own")
    what.add_argument("-m", metavar="module", help="a module by its name, as for python -m")
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after `python -m pykeras`; default: those of the process.

    Returns:
        the exit status.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        parser().print_help(sys.stderr)
        return 2
    if words[:1] == ["run"]:
        # only up to the script's name: what is behind it is the script's own, options too
        first = words[1] if len(words) > 1 else ""
        if len(first) > 1 and first.startswith("-") and not first.startswith(("-m", "-h", "--help")):
            parser().error(
                f"run knows no option {first!r}: options of Python go before `-m pykeras`, "
                "those of the script behind its name"
            )
        end = 3 if first == "-m" else 2
        options, words = parser().parse_args(words[:end]), words[end:]
        from .scripts import run_as_main, run_module_as_main

        if options.m is not None:
            return run_module_as_main(options.m, words)
        return run_as_main(options.script, words)
    options = parser().parse_args(words)
    from .demo import digits  # here, so that --help needs no engine

    verbose = 2 if options.quiet else 1
    digits.run(options.epochs, options.batch_size, options.folder, options.seed, verbose)
    return 0


if __name__ == "__main__":
    sys.exit(main())
