"""Look into foreign checkpoints without running anything they name.

A pickle may name any function of any package to be called on load. `read_arrays` knows exactly what rebuilding a
numpy array takes and stops at the first other name; `read_outline` lets every name stand for itself, calls nothing,
and so tells how a checkpoint is built and what its plain values are.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from covermaker.errors import WeightsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_BROKEN = (
    pickle.UnpicklingError, EOFError, KeyError, IndexError, AttributeError, TypeError, ValueError, OSError,
    zipfile.BadZipFile,
)  # fmt: skip


def read_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the named float32 arrays of a ``torch.save`` archive that holds a dict of numpy arrays.

    Raises
    ------
    WeightsError
        When the file is damaged or holds anything but a dict of named arrays.
    """
    table = _unpickle(path, _ArrayUnpickler)
    if not isinstance(table, dict) or not all(
        isinstance(name, str) and isinstance(array, np.ndarray) and array.dtype == np.float32
        for name, array in table.items()
    ):
        raise WeightsError(f"{path} holds something else than named float32 arrays")
    return cast("dict[str, NDArray[np.float32]]", table)


def read_outline(path: Path) -> Any:
    """Return what a ``torch.save`` archive holds, with tensors and foreign objects as placeholders.

    Dicts, lists, numbers, strings and fractions are themselves. A class is a `Placeholder` type that carries the
    name and module it stands for.

    Raises
    ------
    WeightsError
        When the file is damaged.
    """
    return _unpickle(path, _OutlineUnpickler)


class Placeholder:
    """Stands for an object that was not made."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __call__(self, *args: object, **kwargs: object) -> Placeholder:
        """Stand for what it would return."""
        return Placeholder()


def _unpickle(path: Path, reader: type[pickle.Unpickler]) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(member) as file:
                return reader(file).load()
    except (*_BROKEN, StopIteration) as error:
        raise WeightsError(f"{path} is no checkpoint that can be read: {error}") from error


class _OutlineUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("fractions", "Fraction"):
            return Fraction
        return type(name, (Placeholder,), {"__module__": module})

    def persistent_load(self, pid: object) -> Any:
        return None  # A tensor's storage, in another member of the archive.


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        # numpy 1 called it numpy.core, numpy 2 calls it numpy._core.
        if (module, name) in {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
        }:
            return _reconstruct
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if (module, name) == ("_codecs", "encode"):
            return _latin1
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _reconstruct(kind: object, shape: tuple[int, ...], code: object) -> NDArray[Any]:
    # What numpy's own function does for the only class we admit: an empty array whose state follows.
    return np.ndarray.__new__(np.ndarray, shape, np.dtype("i1"))


def _latin1(text: str, encoding: str) -> bytes:
    # Pickle protocol 2 writes bytes as text that is encoded back.
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")
