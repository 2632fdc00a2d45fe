"""Look into foreign checkpoints without running anything they name.

A pickle may name any function of any package to be called on load. `read_arrays` knows what a numpy array is made of
and refuses every other name; `read_outline` tells how a checkpoint is built and what its plain values are.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.errors import WeightsError
from covermaker.weights.arrays import array_of
from covermaker.weights.pickled import Made, Named, PickleError
from covermaker.weights.torch_file import TorchFile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def read_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the named float32 arrays of a ``torch.save`` archive that holds a dict of numpy arrays.

    Raises
    ------
    WeightsError
        When the file is damaged or holds anything but a dict of named arrays.
    """
    with TorchFile.open(path) as file:
        table = file.content
    try:
        arrays = {name: array_of(one) for name, one in table.items()} if isinstance(table, dict) else {}
    except PickleError as error:
        raise WeightsError(f"{path} is no checkpoint that can be read: {error}") from error
    found = {
        name: array
        for name, array in arrays.items()
        if isinstance(name, str) and array is not None and array.dtype == np.float32
    }
    if not arrays or len(found) < len(arrays):
        raise WeightsError(f"{path} holds something else than named float32 arrays")
    return found


def read_outline(path: Path) -> Any:
    """Return what a ``torch.save`` archive holds, with tensors and foreign objects as what they would be made by.

    Dicts, lists, numbers, strings and fractions are themselves; a class is a `pickled.Named`, an object a
    `pickled.Made`.

    Raises
    ------
    WeightsError
        When the file is damaged.
    """
    with TorchFile.open(path, foreign=True) as file:
        try:
            return _plain(file.content)
        except RecursionError as error:
            raise WeightsError(f"{path} is nested deeper than any checkpoint") from error


def _plain(value: Any) -> Any:
    """Return a value with its fractions made; of dicts and lists, what is in them."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(one) for one in value)
    if isinstance(value, Made) and value.by == Named("fractions", "Fraction"):
        try:
            return Fraction(*value.args)
        except (TypeError, ValueError, ZeroDivisionError) as error:
            raise WeightsError("a checkpoint holds a fraction that is none") from error
    return value
