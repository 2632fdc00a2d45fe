"""Whether the files of a voice are whole, as far as their sizes tell: nothing but a head and an end is read.

A weight file says in its head how long it is, and an index ends with its table of contents: what was cut off or grew is
seen at once. A byte that changed in between is seen by whoever reads the file and compares it with the card.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from covermaker.voices.card import VoiceCard

_LENGTH_BYTES: Final = 8  # before a safetensors head: how long it is
_MOST_HEAD_BYTES: Final = 100_000_000  # as the format allows
_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_BYTES: Final = 22  # of a zip file without a comment, as `index_tables.write_tables` writes it
COPY_AGAIN: Final = "copy the whole voice folder again, or import or train the voice anew"


def sung_with(card: VoiceCard) -> list[str]:
    """Return the names of the files that a voice sings with: its weights, and its index where it has one."""
    return [card.weights.file] if card.index is None else [card.weights.file, card.index.file]


def damage(folder: Path, card: VoiceCard) -> str:
    """Say what is wrong with the files that a voice sings with.

    Parameters
    ----------
    folder : Path
        Of the voice.
    card : VoiceCard
        Names its weights and, where it has one, its index.

    Returns
    -------
    str
        ``"index.npz is missing"``; "" where nothing is seen.
    """
    checks = zip(sung_with(card), (_weights_damage, _index_damage), strict=False)
    found = [(name, _looked_at(folder / name, check)) for name, check in checks]
    return ", ".join(f"{name} {words}" for name, words in found if words)


def _looked_at(path: Path, check: Callable[[BinaryIO, int], str]) -> str:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return check(file, size) if size else "is empty"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _weights_damage(file: BinaryIO, size: int) -> str:
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if not 2 <= length <= min(size - _LENGTH_BYTES, _MOST_HEAD_BYTES):
        return "is damaged: it is no safetensors file"
    try:
        head = json.loads(file.read(length))
        ends = [int(row["data_offsets"][1]) for name, row in head.items() if name != "__metadata__"]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return "is damaged: its head cannot be read"
    missing = _LENGTH_BYTES + length + max(ends, default=0) - size
    if missing > 0:
        return "is cut off"
    return "is damaged: it is longer than it says" if missing else ""


def _index_damage(file: BinaryIO, size: int) -> str:
    file.seek(max(0, size - _ZIP_END_BYTES))
    return "" if file.read().startswith(_ZIP_END) else "is damaged or cut off"
