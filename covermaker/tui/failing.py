"""Whether a failed render of a song still says how it stands with the song."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.project.load import FILE_NAME

if TYPE_CHECKING:
    from covermaker.render.state import State
    from covermaker.tui.job_board import Job


def still_fails(job: Job | None, state: State | None) -> bool:
    """Tell whether a song's last job has failed, and nothing has come since that takes the cause away.

    That is a render elsewhere; a plan without the step that failed; and where none had begun, another document: then
    the job was refused as that stood.
    """
    if job is None or job.state != "failed":
        return False
    if state is None:
        return True
    ended = job.ended or 0.0
    failed = next((step for step in job.steps.values() if step.state in {"failed", "run"}), None)
    if state.word == "done" or state.has_outlived(failed.key if failed else "", ended):
        return False
    return failed is not None or _written(Path(job.subject) / FILE_NAME) <= ended


def _written(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
