"""What ``torch.save`` wrote, read without torch and without running anything that the file names.

Both layouts: the archive of today, one member a storage, and the one before it, pickles with the storages behind them.
First only the description is read; a tensor is a `Claim` then, checked against the file. Nothing is taken into memory
before its claim has held, so a file of a few kilobytes cannot ask for gigabytes.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, cast

import numpy as np

from covermaker.errors import WeightsError
from covermaker.texts import one_line
from covermaker.weights.careful_zip import BROKEN, careful_zip
from covermaker.weights.pickled import LARGEST, Kept, Made, Named, Pickled, PickleError, read_pickle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

MOST_BYTES: Final = 2 << 30  # of all tensors that are read from a file; published voices have 300 MB
_LEGACY: Final = 0x1950A86A20F9469CFC6C
_LEGACY_HEAD: Final = b"\x80\x02\x8a\n" + _LEGACY.to_bytes(10, "little") + b"."
_PICKLE: Final = "/data.pkl"

_DTYPES: Final = {
    "HalfStorage": "f2", "BFloat16Storage": "bf16", "FloatStorage": "f4", "DoubleStorage": "f8",
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "b1",
}  # fmt: skip
_REAL: Final = ("f2", "bf16", "f4", "f8")

# What a model may name: how tensors, arrays and dicts are put together. None of it is called.
_KNOWN: Final = {
    "collections": {"OrderedDict", "defaultdict", "Counter"},
    "torch._utils": {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"},
    "torch": {"Size", "device", "float16", "bfloat16", "float32", "float64", "int64", *_DTYPES},
    "numpy": {"dtype", "ndarray"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "_codecs": {"encode"},
    "__builtin__": {"int", "float", "list", "dict", "set", "bytes"},
    "builtins": {"int", "float", "list", "dict", "set", "bytes"},
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A tensor as the file describes it: a view into a storage of `count` numbers."""

    storage: str
    dtype: str
    count: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def is_real(self) -> bool:
        """Whether it holds real numbers, not whole ones."""
        return self.dtype in _REAL


class TorchFile:
    """A file of ``torch.save``, open; see `TorchFile.open`.

    Attributes
    ----------
    content : object
        What was saved. Dicts are dicts, by whatever name; a tensor is what `claim` turns into a `Claim`.
    """

    def __init__(self, file: IO[bytes], called: str, *, foreign: bool = False) -> None:
        self._file, self._called = file, called
        self._size = os.fstat(file.fileno()).st_size
        self._archive: zipfile.ZipFile | None = None
        self._root = ""
        self._places: dict[str, int] = {}
        self._last: tuple[str, NDArray[Any]] = "", np.empty(0)
        head = file.read(len(_LEGACY_HEAD))
        file.seek(0)
        pickled = self._legacy() if head == _LEGACY_HEAD else self._zipped()
        self.content = pickled.content
        for name in () if foreign else sorted(pickled.names, key=str):
            if name.name not in _KNOWN.get(name.module, ()):
                raise WeightsError(
                    f"{called} is more than weights: it asks for {one_line(str(name)[:80])}",
                    hint="nothing of it was run; take a file from a source that you trust",
                )

    @classmethod
    def open(cls, path: Path, *, called: str | None = None, foreign: bool = False) -> TorchFile:
        """Open a file and read its description; use it as a context.

        Parameters
        ----------
        called : str, optional
            What messages call the file; its path when left out.
        foreign : bool
            Take also what names classes that no model needs; they are as inert as all others.

        Raises
        ------
        WeightsError
            When it is no such file, is damaged, claims what it does not hold, or names what no model needs.
        """
        called = called or str(path)
        try:
            file = path.open("rb")
        except OSError as error:
            raise WeightsError(f"{called} cannot be read: {error.strerror}") from error
        try:
            return cls(file, called, foreign=foreign)
        except _BROKEN as error:
            file.close()
            raise _told(error, called) from error
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> TorchFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def claim(self, value: Any) -> Claim | None:
        """Return the tensor that a part of the content stands for; None where it stands for something else.

        Raises
        ------
        WeightsError
            When it claims more than its storage has, or a storage that is not there.
        """
        try:
            return _claim(value)
        except _BROKEN as error:
            raise _told(error, self._called) from error

    def read(self, claims: Mapping[str, Claim]) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Read tensors one by one, as float32.

        Raises
        ------
        WeightsError
            When they are too large together, not in the file, or hold a number that is not finite.
        """
        total = sum(4 * math.prod(claim.shape) for claim in claims.values())
        if total > MOST_BYTES:
            raise WeightsError(
                f"{self._called} claims {total / 1e9:.1f} GB of numbers, which no voice has", hint=_DAMAGED
            )
        try:
            for claim in claims.values():
                self._check(claim)
            for name, claim in claims.items():
                yield name, self._array(name, claim)
        except _BROKEN as error:
            raise _told(error, self._called) from error

    # The two layouts

    def _zipped(self) -> Pickled:
        self._archive = careful_zip(self._file)
        found = [one for one in self._archive.namelist() if one.endswith(_PICKLE)]
        if len(found) != 1:
            raise PickleError("it is an archive of something else")
        self._root = found[0].removesuffix(_PICKLE)
        order = f"{self._root}/byteorder"
        if order in self._archive.NameToInfo and self._member(order).read(8) != b"little":
            raise PickleError("it was written by a machine with another order of bytes")
        info = self._archive.getinfo(found[0])
        with io.BufferedReader(cast("io.RawIOBase", self._member(found[0])), 1 << 16) as file:
            return read_pickle(file, info.file_size)

    def _member(self, name: str) -> IO[bytes]:
        assert self._archive is not None
        info = self._archive.getinfo(name)
        # torch packs nothing; what is packed can grow a thousandfold.
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > self._size:
            raise PickleError("it is packed in a way that torch does not use")
        return self._archive.open(info)

    def _legacy(self) -> Pickled:
        def pickled() -> Pickled:
            return read_pickle(self._file, self._size - self._file.tell())

        magic, version, system = (pickled().content for _ in range(3))
        if magic != _LEGACY or version != 1001 or not isinstance(system, dict):
            raise PickleError("it begins as a torch file and goes on as something else")
        if system.get("little_endian") is not True:
            raise PickleError("it was written by a machine with another order of bytes")
        found = pickled()
        storages = {kept.key[2]: _storage(kept) for kept in found.kept}
        at = pickled().content
        for key in at if isinstance(at, list) else ():
            count = int.from_bytes(self._file.read(8), "little")
            if key not in storages or storages[key][2] != count:
                raise PickleError("its tensors are not those it describes")
            self._places[key] = self._file.tell()
            self._file.seek(count * _item_bytes(storages[key][1]), os.SEEK_CUR)
        return found

    # Tensors

    def _check(self, claim: Claim) -> None:
        """Compare a claim with the bytes that are there."""
        wanted = claim.count * _item_bytes(claim.dtype)
        if self._archive is not None:
            info = self._archive.NameToInfo.get(f"{self._root}/data/{claim.storage}")
            there = -1 if info is None else info.file_size
        else:
            place = self._places.get(claim.storage)
            there = -1 if place is None else min(wanted, self._size - place)
        if there != wanted:
            raise PickleError(f"a tensor claims {wanted} bytes and the file has {max(there, 0)} of them")

    def _numbers(self, claim: Claim) -> NDArray[Any]:
        """Read a storage; the last one is kept, for files whose tensors are all parts of one."""
        if self._last[0] == claim.storage:
            return self._last[1]
        raw = np.empty(claim.count * _item_bytes(claim.dtype), np.uint8)
        if self._archive is not None:
            with self._member(f"{self._root}/data/{claim.storage}") as file:
                _fill(raw, file)
        else:
            self._file.seek(self._places[claim.storage])
            _fill(raw, self._file)
        if claim.dtype == "bf16":
            numbers = (raw.view("<u2").astype("<u4") << 16).view("<f4")
        else:
            numbers = raw.view(f"<{claim.dtype}")
        self._last = claim.storage, numbers
        return numbers

    def _array(self, name: str, claim: Claim) -> NDArray[np.float32]:
        numbers = self._numbers(claim)
        steps = tuple(step * numbers.itemsize for step in claim.strides)
        view = np.lib.stride_tricks.as_strided(numbers[claim.offset :], claim.shape, steps, writeable=False)
        with np.errstate(over="ignore"):
            array = np.array(view, dtype=np.float32, order="C")
        if not np.isfinite(array).all():
            raise WeightsError(
                f"{self._called} is damaged: its tensor '{one_line(name[:80])}' holds values that are not finite",
                hint="a training that went astray leaves such a file; take an earlier one",
            )
        return array


def is_torch_archive(names: Collection[str]) -> bool:
    """Tell by the names of its members whether a zip file is one that torch wrote."""
    roots = [name.removesuffix(_PICKLE) for name in names if name.endswith(_PICKLE)]
    return len(roots) == 1 and "/" not in roots[0] and f"{roots[0]}/version" in names


def is_legacy(head: bytes) -> bool:
    """Tell by its first 16 bytes whether a file is one of torch's earlier layout."""
    return head.startswith(_LEGACY_HEAD)


_DAMAGED: Final = "it is damaged or cut off: copy or download it again"
_BROKEN: Final = (*BROKEN, TypeError, MemoryError)


def _told(error: BaseException, called: str) -> WeightsError:
    reason = f": {error}" if isinstance(error, PickleError) else ""
    return WeightsError(f"{called} is no checkpoint that can be read{reason}", hint=_DAMAGED)


def _fill(raw: NDArray[np.uint8], file: IO[bytes]) -> None:
    """Read until an array is full, in pieces; the last one lets `zipfile` compare its checksum."""
    at = 0
    while at < len(raw):
        piece = file.read(min(len(raw) - at, 1 << 20))
        if not piece:
            raise PickleError("it is cut off")
        raw[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        at += len(piece)


def _item_bytes(dtype: str) -> int:
    return 2 if dtype == "bf16" else int(dtype[1:])


def _storage(kept: Any) -> tuple[str, str, int]:
    """Return key, type and length of a storage."""
    key = kept.key if isinstance(kept, Kept) else None
    if not isinstance(key, tuple) or len(key) < 5 or key[0] != "storage" or any(key[5:]):
        raise PickleError("it holds a tensor that is built in another way")
    _, kind, name, _, count = key[:5]
    dtype = _DTYPES.get(kind.name) if isinstance(kind, Named) and kind.module == "torch" else None
    if dtype is None or not isinstance(name, str) or not _is_size(count):
        raise PickleError("it holds a tensor that is built in another way")
    return name, dtype, count


def _claim(value: Any) -> Claim | None:
    if not isinstance(value, Made) or not isinstance(value.by, Named) or value.by.module != "torch._utils":
        return None
    if value.by.name == "_rebuild_parameter":
        return _claim(value.args[0])
    storage, offset, shape, strides, *_ = value.args
    name, dtype, count = _storage(storage)
    shape, strides = _sizes(shape), _sizes(strides)
    numbers = [offset, *shape, *strides]
    if not all(map(_is_size, numbers)) or len(shape) != len(strides):
        raise PickleError("a tensor has a shape that is none")
    size = math.prod(shape)
    last = offset + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    # Also where it lies on itself, as a tensor does that was expanded and not copied.
    if size > count or (size and last >= count):
        raise PickleError(f"a tensor of {size} numbers claims a storage of {count}")
    return Claim(name, dtype, count, offset, shape, strides)


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def _sizes(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Made) and value.by == Named("torch", "Size"):
        (value,) = value.args
    if not isinstance(value, (tuple, list)) or len(value) > 8:
        raise PickleError("a tensor has a shape that is none")
    return tuple(value)
