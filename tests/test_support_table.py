"""The operator table, the case list and the table in docs/operators.md say the same."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pdrt
from case import Case, Constant, Input
from cases import CASES
from pdrt._core import operators

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "operators.md"
TABLE = {row["name"]: row for row in operators()}
# Attributes that change nothing in pdrt, or that have one allowed value.
IDLE = {("Cast", "round_mode"), ("Cast", "saturate"), ("MaxPool", "storage_order"), ("Range", "stash_type"),
        ("TopK", "sorted"), ("BatchNormalization", "training_mode")}  # fmt: skip
DTYPES = {"f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64", "u8": "uint8", "bool": "bool"}
GROUPS = {"real": "f32 f64", "signed": "f32 f64 i32 i64", "number": "f32 f64 i32 i64 u8", "any": " ".join(DTYPES)}


def documented() -> dict[str, list[str]]:
    """Return the rows of the table in docs/operators.md: the cells after the operator's name."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| `\w+` \|", line)]
    return {row[0].strip("`"): row[1:] for row in rows}


def retyped(case: Case, old: np.dtype[Any], new: str) -> Case:
    """Return the case with all its inputs of one type as another."""
    inputs: list[Input] = []
    for given, array in zip(case.inputs, case.arrays(), strict=True):
        if array is not None and array.dtype == old:
            with np.errstate(invalid="ignore"):  # NaN as an integer: any will do, if something can be divided by it
                array = np.where(array.astype(new) == 0, 1, array).astype(new)
        inputs.append(Constant(array) if isinstance(given, Constant) and array is not None else array)
    return replace(case, inputs=inputs)


def test_case_names_are_unique() -> None:
    assert [name for name, count in Counter(map(str, CASES)).items() if count > 1] == []


def test_operators_are_sorted_and_have_cases() -> None:
    assert list(TABLE) == sorted(TABLE)
    assert {case.op for case in CASES} == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_every_attribute_is_in_a_case(name: str) -> None:
    used = {attribute for case in CASES if case.op == name for attribute in case.attributes}
    assert {attribute for attribute in TABLE[name]["attributes"] if (name, attribute) not in IDLE} <= used


def test_document_lists_every_operator() -> None:
    assert list(documented()) == list(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_documented_inputs_and_attributes(name: str) -> None:
    inputs, _, attributes, _ = documented()[name]
    least, most = TABLE[name]["min_inputs"], TABLE[name]["max_inputs"]
    assert inputs == (f"{least}+" if most < 0 else str(least) if least == most else f"{least}–{most}")
    assert re.findall(r"`(\w+)`", attributes) == sorted(TABLE[name]["attributes"])


@pytest.mark.parametrize("name", TABLE)
def test_documented_types_are_those_accepted(name: str) -> None:
    """Give a case's data every element type in turn: what runs is what the document says."""
    words = GROUPS.get(documented()[name][1], documented()[name][1]).split()
    case = next(case for case in CASES if case.op == name)
    data = case.arrays()[1 if name == "Where" else 0]
    assert data is not None
    accepted = []
    for word, dtype in DTYPES.items():
        other = retyped(case, data.dtype, dtype)
        try:
            pdrt.Session(other.native()).run(other.feeds())
        except pdrt.ModelError:
            continue
        accepted.append(word)
    assert accepted == words
