"""Converts an ONNX model to a .pdrt file. The file appears whole or not at all. A .pdrt file is checked and copied."""

import argparse
import os

import pdrt
from pdrt.commands._options import print_json
from pdrt.session import format_spec
from pdrt.text import format_bytes

HELP = "from ONNX to pdrt's own format"
EXAMPLES = """\
examples:
  pdrt convert net.onnx net.pdrt
  pdrt convert net.onnx net.pdrt && pdrt verify net.pdrt --onnx net.onnx
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("source", metavar="SOURCE", help="an .onnx file")
    parser.add_argument("destination", metavar="DESTINATION", help="the .pdrt file to write")


def execute(options: argparse.Namespace) -> int:
    """Writes the file and says what is in it."""
    pdrt.convert(options.source, options.destination)
    model = pdrt.Model.load(options.destination)
    size = os.path.getsize(options.destination)
    if options.json:
        print_json(
            {
                "destination": options.destination,
                "bytes": size,
                "inputs": [format_spec(spec) for spec in model.inputs],
                "outputs": [format_spec(spec) for spec in model.outputs],
            }
        )
        return 0
    print(f"{options.destination}: {format_bytes(size)}")
    for title, specs in (("in ", model.inputs), ("out", model.outputs)):
        for spec in specs:
            print(f"  {title} {format_spec(spec)}")
    return 0
