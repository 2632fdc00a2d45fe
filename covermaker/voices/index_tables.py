"""The arrays of an index file: small ones are read, large ones mapped, and none runs code.

An `.npz` is a zip file of arrays that are not compressed when ``numpy.savez`` writes it, so each lies in it as it lies
in memory. A search touches a few hundred rows of a table of 200,000: mapped, the rest stays on the disk.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import file_sha256, replacing
from covermaker.errors import CovermakerError, WeightsError
from covermaker.weights.careful_zip import BROKEN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

CHECKED_ROWS = 4096  # at a time
_REFUSED = (*BROKEN, TypeError, MemoryError)
_LOCAL_HEADER_BYTES = 30  # of an entry of a zip file, before its name and its extra field
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def write_tables(path: Path, tables: Mapping[str, Any]) -> str:
    """Write arrays whole or not at all and return the file's sha256.

    Raises
    ------
    ResourceError
        When the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **tables)
    return file_sha256(path)


def read_tables(path: Path, *names: str) -> list[NDArray[Any]]:
    """Return arrays of an index by name.

    Raises
    ------
    WeightsError
        When the file is damaged, lacks one, or holds objects.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [np.asarray(arrays[name]) for name in names]
    except _REFUSED as error:
        raise no_index(path, str(error)) from error


def index_kind(path: Path, *, default: str) -> str:
    """Return what an index says of itself in its array ``kind``; see `read_tables`."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return str(arrays["kind"]) if "kind" in arrays else default
    except _REFUSED as error:
        raise no_index(path, str(error)) from error


def map_table(path: Path, name: str) -> NDArray[Any]:
    """Return one array of an index without reading it; a compressed one is read.

    Raises
    ------
    WeightsError
        As `read_tables`.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            entry = archive.getinfo(f"{name}.npy")
            if entry.compress_type != zipfile.ZIP_STORED:
                return read_tables(path, name)[0]
            file.seek(entry.header_offset + _LOCAL_HEADER_BYTES - 4)
            lengths = np.frombuffer(file.read(4), dtype="<u2")  # of the name and the extra field
            file.seek(int(lengths.sum(dtype=np.int64)), 1)
            shape, by_columns, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
            if dtype.hasobject or by_columns or 0 in shape:
                return read_tables(path, name)[0]
            return np.memmap(path, dtype=dtype, mode="r", offset=file.tell(), shape=shape)
    except _REFUSED as error:
        raise no_index(path, str(error)) from error


def no_index(path: Path, why: str) -> WeightsError:
    """Return the error for a file that holds something else."""
    return WeightsError(f"{path} is no index of content rows: {why}")


def check_rows(rows: NDArray[Any], what: str) -> None:
    """Refuse what is no table of finite numbers, before it is written.

    Raises
    ------
    CovermakerError
        With `what` it should be.
    """
    if rows.ndim != 2 or 0 in rows.shape:
        raise CovermakerError(f"an index needs {what}, not an array of shape {rows.shape}")
    if not finite(rows):
        raise CovermakerError(f"{what} hold values that are not finite")


def finite(rows: NDArray[Any]) -> bool:
    """Tell whether all values are finite, a part of the table at a time."""
    return all(
        bool(np.isfinite(rows[start : start + CHECKED_ROWS]).all())
        for start in range(0, len(rows), CHECKED_ROWS)
    )


def check_width(content: NDArray[np.floating[Any]], width: int) -> None:
    """Refuse content of another encoder.

    Raises
    ------
    WeightsError
        When it has not the width of the index.
    """
    if content.ndim != 2 or content.shape[1] != width:
        raise WeightsError(
            f"the index holds content of width {width}, this content has shape {content.shape}",
            hint="the index and the content come from different encoders",
        )
