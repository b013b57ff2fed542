"""The `pdrt` command: one module per subcommand in `pdrt.commands`."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import pdrt

COMMANDS = ("demo", "run", "inspect", "bench", "profile", "tune", "verify", "convert", "devices")

_EPILOGUE = """\
a first walk:
  pdrt demo                                      see a network switch its kernels on and off
  pdrt convert net.onnx net.pdrt                 from ONNX to pdrt's own format
  pdrt inspect net.pdrt                          what runs, on what, and what can be skipped
  pdrt run net.pdrt --input cat.jpg --top 5      classify a picture
  pdrt bench net.pdrt                            how long it takes
  pdrt profile net.pdrt --top 10                 where the time goes, step by step

'pdrt COMMAND --help' shows the options of a command, with examples.
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to read more, instead of printing the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see '{self.prog} --help')\n")


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command line."""
    parser = _Parser(
        prog="pdrt",
        description="Runs convolutional networks that compute only the kernels an input needs.",
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pdrt {pdrt.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"pdrt.commands.{name}")
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(command)
        command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        command.set_defaults(execute=module.execute)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code: 0 done, 1 a check failed, 2 it could not be done."""
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.execute(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (pdrt.Error, OSError) as error:
        print(f"pdrt {options.command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
