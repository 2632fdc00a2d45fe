"""numpy arrays inside a pickle that was read as data (`pickled`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from covermaker.weights.pickled import LARGEST, Made, Named, PickleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# numpy 1 called it numpy.core, numpy 2 calls it numpy._core.
_ARRAYS: Final = {
    Named("numpy.core.multiarray", "_reconstruct"),
    Named("numpy._core.multiarray", "_reconstruct"),
}
_EMPTY: Final = (Named("__builtin__", "bytes"), Named("builtins", "bytes"))
_KINDS: Final = ("f2", "f4", "f8")


def array_of(value: Any) -> NDArray[Any] | None:
    """Return the array of real numbers that a part of a pickle stands for; None where it is something else.

    Raises
    ------
    PickleError
        When its bytes are not as many as its shape says.
    """
    if not isinstance(value, Made) or not isinstance(value.by, Named) or value.by not in _ARRAYS:
        return None
    try:
        return _filled(value)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, PickleError):
            raise
        raise PickleError("it holds an array that is built in another way") from error


def _filled(value: Made) -> NDArray[Any] | None:
    if not isinstance(value.state, tuple) or len(value.state) != 5:
        raise PickleError("it holds an array that was never filled")
    _, shape, kind, by_columns, data = value.state
    dtype = _dtype(kind)
    if dtype is None:
        return None
    raw = _bytes(data)
    whole = isinstance(shape, tuple) and all(
        type(length) is int and 0 <= length < LARGEST for length in shape
    )
    if not whole or len(raw) != math.prod(shape) * dtype.itemsize:
        raise PickleError("it holds an array whose bytes do not fit its shape")
    return np.frombuffer(raw, dtype).reshape(shape, order="F" if by_columns else "C").copy()


def _dtype(value: Any) -> np.dtype[Any] | None:
    """Return the type of real numbers; None for all others."""
    if (
        not isinstance(value, Made)
        or value.by != Named("numpy", "dtype")
        or not isinstance(value.state, tuple)
    ):
        return None
    kind, order = value.args[0], value.state[1]
    return np.dtype(order.replace("=", "<") + kind) if kind in _KINDS and order in ("<", ">", "=") else None


def _bytes(value: Any) -> bytes:
    if isinstance(value, Made) and value.by == Named("_codecs", "encode"):
        # Pickle protocol 2 writes bytes as text that is encoded back.
        text, encoding = value.args
        if not isinstance(text, str) or encoding != "latin1":
            raise PickleError("it holds bytes that are written in an unknown way")
        return text.encode("latin1")
    if isinstance(value, Made) and value.by in _EMPTY and value.args == ():
        return b""
    if not isinstance(value, bytes):
        raise PickleError("it holds an array that was never filled")
    return value
