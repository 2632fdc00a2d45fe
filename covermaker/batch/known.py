"""Which folders hold batches: those that this user has begun, the last one first."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from covermaker.batch.queue import FILE_NAME
from covermaker.graph.memory import recall, remember

_MOST: Final = 50


def note_batch(folder: Path) -> None:
    """Remember a batch's folder as the last one."""
    others = [str(one) for one in known_batches() if one != folder]
    remember("batches", "known", {"folders": [str(folder), *others][:_MOST]})


def known_batches() -> list[Path]:
    """List the folders that still hold a batch, the one that was begun last first."""
    said = (recall("batches", "known") or {}).get("folders", [])
    return [folder for one in said if (folder := Path(str(one))) and (folder / FILE_NAME).is_file()]
