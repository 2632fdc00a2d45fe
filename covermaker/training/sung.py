"""Where the test phrases of a training lie as its checkpoints sing them; imports no network and no numpy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import checkpoint_path
from covermaker.training.course import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

AUDITIONS = "auditions"
HELDOUT, LISTING = "heldout", "phrases.json"


def sung_file(folder: Path, step: int, kind: str) -> Path:
    """Return where a test phrase lies as a checkpoint sings it; nothing needs to be there."""
    return folder / FOLDER / AUDITIONS / f"step-{step}-{kind}.wav"


def given_file(folder: Path, name: str, kind: str) -> Path:
    """Return where a test phrase lies that nobody converted: ``source``, or ``singer`` (what should come out)."""
    return folder / FOLDER / AUDITIONS / f"{name}-{kind}.wav"


def is_sung(folder: Path, step: int, kind: str) -> bool:
    """Tell whether a checkpoint, as it is now, has sung a test phrase."""
    try:
        written = checkpoint_path(folder / FOLDER / CHECKPOINTS, step).stat().st_mtime_ns
        return sung_file(folder, step, kind).stat().st_mtime_ns >= written
    except OSError:
        return False


def kinds_of(folder: Path) -> list[str]:
    """Return the names of a training's test phrases; none where there are none, or nobody can read which."""
    try:
        listing = json.loads((folder / FOLDER / HELDOUT / LISTING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(kind) for kind in listing] if isinstance(listing, dict) else []
