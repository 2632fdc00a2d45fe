"""Stems as files that a mixing program opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks
from covermaker.export.files import ExportedFile, export_file
from covermaker.export.names import safe_name
from covermaker.progress import Progress, part, silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def export_stems(
    stems: Mapping[str, Path], out: Path, *, tags: Mapping[str, str], progress: Progress = silent
) -> list[ExportedFile]:
    """Write every stem into a folder as ``<stem>.wav``, 24 bits.

    Stems are parts: one may pass full scale although their sum does not. Integers would clip it, and the stems would
    no longer sum to the song, so then all of them are written as 32-bit float.

    Parameters
    ----------
    stems : mapping of str to Path
        Names and float32 WAVs.
    out : Path
        Folder, made when missing.
    tags : mapping of str to str
        As for the master; the title gets the stem's name behind it.

    Raises
    ------
    AudioInputError
        When a stem cannot be read.
    ResourceError
        When the disk refuses.
    """
    loudest = max((_peak(path) for path in stems.values()), default=0.0)
    form = "wav24" if loudest < 1.0 else "wav32f"
    exported = []
    for index, (name, path) in enumerate(stems.items()):
        own = {**tags, "title": f"{tags['title']} ({name})" if tags.get("title") else name}
        share = part(progress, index / len(stems), (index + 1) / len(stems))
        exported.append(
            export_file(path, out / f"{safe_name(name)}.wav", format=form, tags=own, seed=0, progress=share)
        )
    return exported


def _peak(path: Path) -> float:
    return max((float(np.abs(block).max(initial=0.0)) for block in blocks(path)), default=0.0)
