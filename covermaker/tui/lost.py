"""What a training loses when it is ended at once: that depends on how far it has come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from covermaker.tui.job_kinds import TRAIN

if TYPE_CHECKING:
    from covermaker.tui.job_board import Job

Reached: TypeAlias = Literal["preparing", "unsaved", "saved"]

# What stays of a training that was ended, as the end of a sentence.
KEPT: Final[dict[Reached, str]] = {
    "preparing": "what was prepared is kept",
    "unsaved": "nothing was saved yet: its steps are lost, what was prepared is kept",
    "saved": "what came after its last save is lost",
}
# The same before it happens, and how to lose nothing.
LOSES: Final[dict[Reached, str]] = {
    "preparing": "A training that still prepares loses nothing: what was prepared is kept.",
    "unsaved": "A training that has saved nothing yet loses its steps. Save and stop it on the Voices screen "
    "({voices.stop}) to lose nothing.",
    "saved": "A training goes on from its last save: what came after it is lost. Save and stop it on the Voices screen "
    "({voices.stop}) to lose nothing.",
}


def reached(job: Job) -> Reached:
    """Return how far a training has come."""
    from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
    from covermaker.training.checkpoint import steps_kept
    from covermaker.training.course import FOLDER

    if TRAIN not in job.steps:
        return "preparing"
    return "saved" if steps_kept(Path(job.subject) / FOLDER / CHECKPOINTS) else "unsaved"
