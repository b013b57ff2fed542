"""What can be wrong with the container: the frame, the JSON, the metadata, the stored tensors."""

from __future__ import annotations

import json
import struct

from .build import (
    DATA,
    TENSORS,
    Attack,
    changed_tensor,
    file,
    file_with_graph,
    frame,
    metadata,
)


def header_text() -> str:
    return json.dumps({"__metadata__": metadata(), **TENSORS})


def unpadded() -> bytes:
    text = header_text().encode()
    text += b" " * (-len(text) % 8)
    text += b" " * 8 * ((8 + len(text)) % 64 == 0)  # a multiple of 8, which safetensors allows, but not of 64
    return struct.pack("<Q", len(text)) + text + DATA


def header_of_bytes(garbage: bytes) -> bytes:
    """Return a file with these bytes inside a string of the header."""
    before, after = header_text().split("test", 1)
    return frame(before.encode() + garbage + after.encode())


def without_graph() -> bytes:
    return file(meta={key: value for key, value in metadata().items() if key != "pdrt.graph"})


def empty_tensors(shape: list[int]) -> bytes:
    return file(tensors={**TENSORS, "e": {"dtype": "F32", "shape": shape, "data_offsets": [34, 34]}})


FRAME = [
    Attack("file_empty", lambda: b"", "no bytes"),
    Attack("file_too_short", lambda: b"\x01", "1 bytes"),
    Attack("file_too_short", lambda: file()[:7], "7 bytes"),
    Attack("header_too_long", lambda: struct.pack("<Q", 100_000_001) + b"{", "100000001 bytes long"),
    Attack("header_too_long", lambda: b"\xff" * 64, "18446744073709551615 bytes long"),
    Attack("header_truncated", lambda: struct.pack("<Q", 56) + b"{" * 55, "56 bytes long, but only 55 follow"),
    Attack("header_truncated", lambda: file()[:100], "but only 92 follow"),
    Attack("header_start", lambda: frame(" " + header_text()), "does not start with '{'"),
    Attack("header_start", lambda: struct.pack("<Q", 0), "not a .pdrt file"),
    Attack("header_start", lambda: frame("[]"), "does not start with '{'"),
    Attack("header_padding", unpadded, "not a multiple of 64"),
]

JSON = [
    Attack("json_encoding", lambda: header_of_bytes(b"\xff"), "this is not UTF-8"),
    Attack("json_encoding", lambda: header_of_bytes(b"\xc0\xaf"), "this is not UTF-8"),
    Attack("json_encoding", lambda: header_of_bytes(b"\\ud800"), "half a surrogate pair"),
    Attack("json_syntax", lambda: frame(header_text()[:-1]), "expected ',' or '}', found the end"),
    Attack("json_syntax", lambda: frame(header_text()[:-1] + ",}"), "expected a key in double quotes, found '}'"),
    Attack("json_syntax", lambda: frame(header_text() + "{}"), "expected the end, found '{'"),
    Attack("json_syntax", lambda: frame(header_text() + "\0"), r"expected the end, found '\x00'"),
    Attack("json_syntax", lambda: header_of_bytes(b"\n"), r"expected the rest of a string, found '\x0a'"),
    Attack("json_syntax", lambda: file_with_graph(""), "pdrt.graph, byte 0: expected a value, found the end"),
    Attack("json_syntax", lambda: file_with_graph("{'inputs': []}"), "pdrt.graph, byte 1: expected a key"),
    Attack("json_depth", lambda: frame('{"a": ' + "[" * 1_000_000), "header, byte 21: nested more than 16 deep"),
    Attack("json_depth", lambda: file_with_graph('{"a":' * 100_000), "pdrt.graph, byte 80: nested"),
    Attack("json_duplicate_key", lambda: frame(header_text()[:-1] + ', "w": {}}'), "the key 'w' was given before"),
    Attack("json_duplicate_key", lambda: frame(header_text()[:-1] + r', "\u0077": {}}'), "the key 'w' was given"),
    Attack("json_duplicate_key", lambda: file_with_graph('{"nodes": [], "nodes": []}'), "'nodes'"),
    Attack("json_number_range", lambda: file_with_graph("[9223372036854775808]"), "64-bit integer"),
    Attack("json_number_range", lambda: file_with_graph("[1e309]"), "'1e309' is out of the range of a double"),
    Attack("json_too_large", lambda: file_with_graph("[" + "0," * 1_048_576 + "0]"), "more than 1048576 values"),
]

METADATA = [
    Attack("metadata_missing", lambda: frame(json.dumps(TENSORS)), "no graph"),
    Attack("metadata_type", lambda: file(meta=[]), "__metadata__ is a list, not an object"),
    Attack("metadata_type", lambda: file(meta=metadata(producer=1)), "'pdrt.producer' is an integer, not a string"),
    Attack("metadata_key_missing", lambda: file(meta=metadata(format=None)), "no 'pdrt.format'"),
    Attack("metadata_key_missing", without_graph, "no 'pdrt.graph'"),
    Attack("metadata_key_missing", lambda: file(meta=metadata(producer=None)), "no 'pdrt.producer'"),
    Attack("metadata_key_missing", lambda: file(meta=metadata(source_sha256=None)), "no 'pdrt.source_sha256'"),
    Attack("metadata_key_unknown", lambda: file(meta=metadata(colour="red")), "'pdrt.colour'"),
    Attack("metadata_source_hash", lambda: file(meta=metadata(source_sha256="ab")), "'ab'"),
    Attack("metadata_source_hash", lambda: file(meta=metadata(source_sha256="A" * 64)), "lower-case"),
    *(
        Attack("format_malformed", lambda version=version: file(meta=metadata(format=version)), f"'{version}'")
        for version in ("", "1", "1.", ".0", "1.0.0", "1.x", "-1.0", " 1.0")
    ),
    *(
        Attack("format_unsupported", lambda version=version: file(meta=metadata(format=version)), f"'{version}'")
        for version in ("0.9", "2.0", "10.0", "01.0")
    ),
]

TENSOR = [
    Attack("tensor_entry", lambda: file(tensors={**TENSORS, "w": 5}), "tensor 'w' is an integer, not an object"),
    Attack("tensor_entry", lambda: changed_tensor("w", dtype=None), "tensor 'w' has no 'dtype'"),
    Attack("tensor_entry", lambda: changed_tensor("w", shape=None), "tensor 'w' has no 'shape'"),
    Attack("tensor_entry", lambda: changed_tensor("w", data_offsets=None), "tensor 'w' has no 'data_offsets'"),
    Attack("tensor_entry", lambda: changed_tensor("w", scale=1), "an unknown key, 'scale'"),
    Attack("tensor_entry", lambda: changed_tensor("w", dtype=5), "'dtype' which is an integer, not a string"),
    Attack("tensor_entry", lambda: changed_tensor("w", shape=4), "'shape' which is an integer, not a list"),
    *(
        Attack("tensor_entry", lambda offsets=offsets: changed_tensor("w", data_offsets=offsets), "two integers")
        for offsets in ([], [0], [0, 16, 32], [0, 16.0], [-16, 0], ["0", "16"])
    ),
    Attack("tensor_dtype", lambda: changed_tensor("w", dtype="F16"), "'F16'; known are F32,"),
    Attack("tensor_dtype", lambda: changed_tensor("w", dtype="f32"), "'f32'"),
    *(
        Attack("tensor_shape", lambda shape=shape: changed_tensor("w", shape=shape), "not an integer of at least 0")
        for shape in ([-4], [4.0], ["N"], [None], [[4]])
    ),
    Attack("tensor_shape", lambda: changed_tensor("w", shape=[1] * 9), "9 dimensions; at most 8"),
    Attack("tensor_too_large", lambda: changed_tensor("w", shape=[2**62, 2**62]), "too large"),
    Attack("tensor_too_large", lambda: changed_tensor("w", shape=[2**32, 2**32]), "too large"),  # 0 modulo 2^64
    Attack("tensor_too_large", lambda: empty_tensors([0, 2**62, 2**62]), "too large"),
    Attack("tensor_out_of_file", lambda: changed_tensor("b", data_offsets=[32, 35]), "bytes 32 to 35; there are 34"),
    Attack("tensor_out_of_file", lambda: changed_tensor("w", data_offsets=[16, 0]), "bytes 16 to 0"),
    Attack("tensor_out_of_file", lambda: changed_tensor("w", data_offsets=[0, 2**63 - 1]), "there are 34"),
    Attack("tensor_out_of_file", lambda: file(data=DATA[:-1]), "there are 33"),
    Attack("tensor_size", lambda: changed_tensor("w", shape=[3]), "takes 12 bytes, but lies at bytes 0 to 16"),
    Attack("tensor_size", lambda: changed_tensor("w", dtype="F64"), "takes 32 bytes"),
    Attack("tensor_size", lambda: changed_tensor("w", shape=[]), "scalar, which takes 4 bytes"),
    Attack("tensor_size", lambda: changed_tensor("w", shape=[0, 4]), "takes 0 bytes"),
    Attack(
        "tensor_alignment",
        lambda: file(
            tensors={
                "b": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
                "w": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]},
            },
            data=bytes(6),
        ),
        "tensor 'w' starts at byte 2",
    ),
    Attack("tensor_overlap", lambda: changed_tensor("i", data_offsets=[8, 24]), "'w' and 'i' share bytes 8 to 16"),
    Attack("tensor_overlap", lambda: file(tensors={**TENSORS, "v": TENSORS["w"]}), "share bytes 0 to 16"),
    Attack("tensor_hole", lambda: file(data=DATA + b"\0"), "bytes 34 to 35 of the data belong to no tensor"),
    Attack("tensor_hole", lambda: file(tensors={"i": TENSORS["i"], "b": TENSORS["b"]}), "bytes 0 to 16"),
    Attack("tensor_hole", lambda: file(tensors={"w": TENSORS["w"], "b": TENSORS["b"]}), "bytes 16 to 32"),
    Attack("tensor_boolean", lambda: file(data=DATA[:-1] + b"\x02"), "tensor 'b' is of type BOOL"),
    Attack(
        "name_invalid",
        lambda: file(tensors={**TENSORS, "": {"dtype": "F32", "shape": [0], "data_offsets": [34, 34]}}),
        "name is empty",
    ),
    Attack("value_duplicate", lambda: file(tensors={"x" if k == "w" else k: v for k, v in TENSORS.items()}), "'x'"),
]

ATTACKS: list[Attack] = [*FRAME, *JSON, *METADATA, *TENSOR]
