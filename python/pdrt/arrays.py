"""Whatever a caller passes as an input, turned into a numpy array without a copy, or refused with the reason."""

import sys
from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy
from numpy.typing import NDArray

from pdrt._core import InputError

_DLPACK_CPU = 1


def as_arrays(inputs: Mapping[str, Any], dtypes: Mapping[str, numpy.dtype[Any]]) -> dict[str, NDArray[Any]]:
    """Returns the inputs of a model whose inputs have these dtypes as numpy arrays on the callers' own memory.

    The runtime checks everything that makes a run safe. The checks here come first because they can say more: what is
    an array, what the inputs are called and how to convert a dtype.

    Raises:
        InputError: naming the input and what is wrong with it.
    """
    if not isinstance(inputs, Mapping):
        raise InputError(
            f"run() takes a dict of arrays by input name, not {_article(inputs)}; "
            f"this model's inputs: {', '.join(dtypes)}"
        )
    arrays = {}
    for name, value in inputs.items():
        if not isinstance(name, str):
            raise InputError(f"an input's name is a str, not {_article(name)}: {name!r}")
        if name not in dtypes:
            raise InputError(f"the model has no input '{name}'; its inputs: {', '.join(dtypes)}")
        array, dtype = as_array(value, f"input '{name}'"), dtypes[name]
        if array.dtype != dtype:
            raise InputError(
                f"input '{name}' has dtype {array.dtype} and the model takes {dtype}; "
                f"convert it with x.astype(numpy.{dtype})"
            )
        arrays[name] = array
    return arrays


def are_arrays(inputs: Any, dtypes: Mapping[str, numpy.dtype[Any]]) -> TypeGuard[dict[str, NDArray[Any]]]:
    """Whether these are numpy arrays, by name, of the dtypes they must have, and `as_arrays` has nothing to do.

    `as_arrays` takes a fiftieth of a millisecond to find that out, behind a run that has filled all caches.
    """
    if type(inputs) is not dict or len(inputs) != len(dtypes):
        return False
    for name, dtype in dtypes.items():
        array = inputs.get(name)
        if type(array) is not numpy.ndarray or array.dtype != dtype:
            return False
    return True


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Returns `value`, an array or an object that speaks DLPack, as a numpy array on the same memory.

    Raises:
        InputError: beginning with `what`, where it is neither, or lies on a device other than the CPU.
    """
    # Not numpy.ma.MaskedArray, which would import its module, milliseconds of the first run: who has one, has it.
    if isinstance(value, getattr(sys.modules.get("numpy.ma"), "MaskedArray", ())):
        raise InputError(f"{what} is a masked array, and pdrt has no masks; fill it with x.filled(value)")
    if isinstance(value, numpy.ndarray | numpy.generic):
        return numpy.asarray(value)
    if not hasattr(value, "__dlpack__"):
        raise InputError(f"{what} is {_article(value)}; give a numpy array, or a tensor that speaks DLPack")
    try:
        device_type = int(value.__dlpack_device__()[0])
        if device_type == _DLPACK_CPU:
            return numpy.from_dlpack(value)
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{what}, {_article(value)}, cannot be read through DLPack: {error}") from error
    raise InputError(
        f"{what}, {_article(value)}, is not in CPU memory (DLPack device type {device_type}); move it there first"
    )


def _article(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
