"""The ``.index`` of a voice, as faiss writes an inverted file of whole rows: read and written without faiss.

What a file claims is compared with its size before memory is taken; faiss itself does not, so a file of another kind is
refused and never handed to it. All numbers are little-endian::

    "IwFl"  header  lists u64  nprobe u64  quantizer  direct map  inverted lists
    header          width i32  rows i64  two i64 without meaning  trained u8  metric i32 (1: squared distance)
    quantizer       "IxF2"  header  floats u64  the centres
    direct map      kind u8  length u64  i64 …
    inverted lists  "ilar"  lists u64  bytes a row u64  "full" lists u64  length u64 …   or   "sprs" (list, length) …
                    then of each list that is not empty: its rows, float32, and their numbers, i64
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from covermaker.errors import WeightsError
from covermaker.voices.community.saying import naming

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IVF_FLAT: Final = b"IwFl"
_FLAT: Final = b"IxF2"
_HEADER: Final = "<iqqqBi"
_NO_MEANING: Final = 1 << 20  # what faiss writes where nothing is meant
_SQUARED: Final = 1
_WIDEST: Final = 4096
_MOST_PROBED: Final = 256  # lists looked into for a row; programs write 1, the oldest a few
_OTHER: Final = "take the added_… .index that was made with the model"

# What else begins like a file of faiss; the longer beginnings first.
KINDS: Final = {
    b"IxF2": "a list of rows without an inverted file",
    b"IxFI": "an index of inner products",
    b"IxFl": "a list of rows without an inverted file",
    b"IvFl": "an inverted file of a faiss before 2018",
    b"IwPQ": "an index of compressed rows (PQ)",
    b"IwSq": "an index of compressed rows (SQ)",
    b"IwQR": "an index of compressed rows",
    b"IxPT": "an index behind a transform",
    b"IxPq": "an index of compressed rows (PQ)",
    b"IxSQ": "an index of compressed rows (SQ)",
    b"IHNf": "a graph of rows (HNSW)",
    b"IHNs": "a graph of rows (HNSW)",
    b"IxMp": "an index with numbers of its own",
    b"IxM2": "an index with numbers of its own",
}


@dataclass(frozen=True)
class Ivf:
    """An index in the order in which its rows were added.

    Attributes
    ----------
    rows : float32 array (n, width)
    centres : float32 array (lists, width)
    lists : int64 array (n,)
        The list of each row.
    nprobe : int
        How many lists a search looks into.
    """

    rows: NDArray[np.float32]
    centres: NDArray[np.float32]
    lists: NDArray[np.int64]
    nprobe: int


def read_ivf(path: Path, called: str) -> Ivf:
    """Read an index.

    Raises
    ------
    WeightsError
        When it is of another kind, has no rows, is cut off, or holds what is not finite.
    """
    try:
        with naming(called), path.open("rb") as file:
            return _read(_Reader(file, path.stat().st_size))
    except OSError as error:
        raise WeightsError(f"{called} cannot be read: {error.strerror}") from error


def row_count(path: Path) -> int:
    """Return how many rows an index says it has, by its first bytes; -1 where they say nothing."""
    try:
        with path.open("rb") as file:
            reader = _Reader(file, path.stat().st_size)
            reader.magic(IVF_FLAT, "content")
            return _read_header(reader, "it")[1]
    except (OSError, WeightsError):
        return -1


def write_ivf(path: Path, index: Ivf) -> None:
    """Write an index that faiss reads, and the original programs with it; the same index gives the same bytes."""
    width, order = index.rows.shape[1], np.argsort(index.lists, kind="stable")
    sizes = np.bincount(index.lists, minlength=len(index.centres)).astype("<u8")
    ends = np.cumsum(sizes.astype(np.int64))
    with path.open("wb") as file:
        file.write(IVF_FLAT + _header(width, len(index.rows)))
        file.write(struct.pack("<QQ", len(index.centres), index.nprobe))
        file.write(_FLAT + _header(width, len(index.centres)) + struct.pack("<Q", index.centres.size))
        file.write(index.centres.astype("<f4").tobytes())
        file.write(struct.pack("<BQ", 0, 0))
        file.write(b"ilar" + struct.pack("<QQ", len(sizes), 4 * width))
        file.write(b"full" + struct.pack("<Q", len(sizes)) + sizes.tobytes())
        for start, end in zip(ends - sizes.astype(np.int64), ends, strict=True):
            own = order[start:end]
            file.write(index.rows[own].astype("<f4").tobytes() + own.astype("<i8").tobytes())


def _header(width: int, rows: int) -> bytes:
    return struct.pack(_HEADER, width, rows, _NO_MEANING, _NO_MEANING, 1, _SQUARED)


class _Reader:
    """Reads what is there, and takes no memory for what is not."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size

    def take(self, count: int) -> bytes:
        data = self._file.read(count) if 0 <= count <= self._left else b""
        if len(data) != count:
            raise WeightsError("it is cut off, or damaged", hint="copy or download it again")
        self._left -= count
        return data

    def skip(self, count: int) -> None:
        if not 0 <= count <= self._left:
            self.take(count)
        self._file.seek(count, os.SEEK_CUR)
        self._left -= count

    def mark(self) -> tuple[int, int]:
        return self._file.tell(), self._left

    def back(self, mark: tuple[int, int]) -> None:
        place, self._left = mark
        self._file.seek(place)

    def numbers(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def array(self, count: int, dtype: str) -> NDArray[Any]:
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize), dtype)

    def rows(self, count: int, width: int) -> NDArray[np.float32]:
        return self.array(count * width, "<f4").reshape(count, width)

    def magic(self, expected: bytes, what: str) -> None:
        found = self.take(len(expected))
        if found != expected:
            kind = KINDS.get(found, f"an index of the kind {found!r}")
            raise WeightsError(f"its {what} is {kind}, which RVC does not make", hint=_OTHER)


def _read(file: _Reader) -> Ivf:
    file.magic(IVF_FLAT, "content")
    width, total = _read_header(file, "it")
    lists, nprobe = file.numbers("<QQ")
    file.magic(_FLAT, "table of centres")
    centre_width, centre_count = _read_header(file, "its table of centres")
    (floats,) = file.numbers("<Q")
    if total == 0:
        raise WeightsError(
            "it has centres and no rows: it is the trained_… file, to which none were added", hint=_OTHER
        )
    if centre_width != width or centre_count != lists or floats != lists * width or lists < 1:
        raise WeightsError("its parts do not fit together", hint=_OTHER)
    centres = file.rows(lists, width)
    _, mapped = file.numbers("<BQ")
    file.take(8 * mapped)
    file.magic(b"ilar", "inverted file")
    count, row_bytes = file.numbers("<QQ")
    if count != lists or row_bytes != 4 * width:
        raise WeightsError("its parts do not fit together", hint=_OTHER)
    lengths = _lengths(file, lists)
    if sum(size for _, size in lengths) != total:
        raise WeightsError("it has another number of rows than it says", hint=_OTHER)
    places = _places(file, [size for _, size in lengths], width)
    belongs = np.concatenate([np.full(size, number, dtype=np.int64) for number, size in lengths])
    rows, at = np.empty((total, width), np.float32), 0
    for _, size in lengths:
        rows[places[at : at + size]] = file.rows(size, width)
        file.skip(8 * size)
        at += size
    if not np.isfinite(centres).all() or not np.isfinite(rows).all():
        raise WeightsError("it holds rows that are not finite numbers", hint=_OTHER)
    lists_of = np.empty(total, np.int64)
    lists_of[places] = belongs
    return Ivf(rows, centres, lists_of, max(1, min(int(nprobe), lists, _MOST_PROBED)))


def _places(file: _Reader, sizes: list[int], width: int) -> NDArray[np.int64]:
    """Return the number of each row, by which they were added; where the numbers are others, as they lie."""
    begin = file.mark()
    found = []
    for size in sizes:
        file.skip(4 * size * width)
        found.append(file.array(size, "<i8"))
    file.back(begin)
    ids = np.concatenate(found).astype(np.int64)
    is_order = np.array_equal(np.sort(ids), np.arange(len(ids)))
    return ids if is_order else np.arange(len(ids))


def _read_header(file: _Reader, what: str) -> tuple[int, int]:
    width, rows, _, _, is_trained, metric = file.numbers(_HEADER)
    if metric != _SQUARED:
        raise WeightsError(f"{what} measures another distance than RVC does", hint=_OTHER)
    if not 1 <= width <= _WIDEST or rows < 0 or not is_trained:
        raise WeightsError("its parts do not fit together", hint=_OTHER)
    return width, rows


def _lengths(file: _Reader, lists: int) -> list[tuple[int, int]]:
    """Return number and length of the lists that are not empty."""
    kind = file.take(4)
    (count,) = file.numbers("<Q")
    if kind == b"full" and count == lists:
        sizes = file.array(count, "<u8").tolist()
        return [(number, size) for number, size in enumerate(sizes) if size]
    if kind == b"sprs" and count % 2 == 0:
        pairs = file.array(count, "<u8").reshape(-1, 2).tolist()
        if all(number < lists for number, _ in pairs):
            return [(number, size) for number, size in pairs if size]
    raise WeightsError("its lists are written in an unknown way", hint=_OTHER)
