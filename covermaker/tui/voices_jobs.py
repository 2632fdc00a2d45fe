"""The jobs of the Voices screen, what follows when one has ended, and what can be taken back.

Everything heavy is a child process, which goes on when the screen is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.tui.job_kinds import kind_of
from covermaker.tui.stacks import Stacks
from covermaker.tui.voices_hearing import HearingVoices
from covermaker.tui.voices_model import VoiceRow, log_file
from covermaker.tui.voices_text import scan_words
from covermaker.tui.words import count, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.takes.scan import TakeReport
    from covermaker.tui.job_board import Job


@dataclass
class Change:
    """Something that can be taken back and done again.

    `back` and `forth` begin that; whoever sees the end of it calls `JobVoices.turned`.
    """

    words: str
    back: Callable[[], object]
    forth: Callable[[], object]


class JobVoices(HearingVoices, inherit_bindings=False):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[Path, VoiceRow] = {}
        self.changes: Stacks[Change] = Stacks(lambda change: change.words)
        self._turning: tuple[Change, bool] | None = None  # what is being taken back, or done again
        self._seen: set[int] = set()
        self._wants: Path | None = None
        self._before_scan: dict[Path, dict[str, TakeReport | None]] = {}
        self._scanned: set[Path] = set()

    def look(self) -> None:
        """Read the voices again."""
        raise NotImplementedError

    # Jobs

    def job(self, kind: str, folder: Path | None = None) -> Job | None:
        """Return the last job of a kind on a voice, the selected one when left out."""
        folder = folder or (self.whole.row.folder if self.whole is not None else None)
        found = [
            job for job in self.app.board.jobs.values() if job.kind == kind and job.subject == str(folder)
        ]
        return found[-1] if found else None

    def busy(self, *kinds: str) -> Job | None:
        """Return a job on the selected voice that runs or waits, of these kinds."""
        jobs = (self.job(kind) for kind in kinds)
        return next((job for job in jobs if job is not None and not job.is_over), None)

    def submit(self, kind: str, folder: Path, **request: Any) -> Job:
        """Queue a job on a voice."""
        if kind == "scan":
            takes = self.whole.takes if self.whole is not None and self.whole.row.folder == folder else ()
            self._before_scan[folder] = {take.file: take.report for take in takes}
        wishes = {"job": kind, "voice": str(folder), **request}
        return self.app.runner.submit(kind, folder.name, str(folder), wishes, log_file(folder.name, kind))

    def take_over(self) -> None:
        """Do what follows from jobs that have ended since."""
        for job in list(self.app.board.jobs.values()):
            if kind_of(job.kind).of_voice and job.is_over and job.id not in self._seen:
                self._seen.add(job.id)
                self._ended(job)

    def _ended(self, job: Job) -> None:
        folder = Path(job.subject)
        self.look()
        if job.state != "done":
            self._play_next = None
            return
        if job.kind == "take-in":
            files = job.result.get("takes", [])
            self.app.say(f"{one_line(job.title)}: {count(len(files), 'recording')} taken in", "done")
            self._wants = folder
            self.submit("scan", folder)
        elif job.kind == "scan":
            self._scanned.add(folder)
        elif job.kind == "promote":
            self.promoted(job, folder)

    def tell_scanned(self) -> None:
        """Say what a scan has found, once its voice was read again."""
        whole = self.whole
        if whole is not None and whole.row.folder in self._scanned:
            folder = whole.row.folder
            self._scanned.discard(folder)
            words = scan_words(self._before_scan.pop(folder, {}), whole.takes)
            self.app.say(f"{one_line(folder.name)}: {words}", "done")

    def promoted(self, job: Job, folder: Path) -> None:
        """Say what a promotion did."""
        raise NotImplementedError

    # Undo

    def remember(self, change: Change) -> None:
        """Note something that can be taken back."""
        self.changes.did(change)

    def turned(self, *, is_done: bool) -> None:
        """Note that what was to be taken back or done again is, or was refused: then it can be tried again."""
        turning, self._turning = self._turning, None
        if turning is not None and is_done:
            change, redo = turning
            self.changes.turned(change, change, redo=redo)
        self.call_later(self.redraw_frame)

    def undo_words(self) -> str:
        """Return what undo takes back."""
        return self.changes.undo_words()

    def redo_words(self) -> str:
        """Return what redo does again."""
        return self.changes.redo_words()

    def no_undo(self) -> str | None:
        """Say that one change is turned at a time."""
        return "the change before is not through yet" if self._turning is not None else None

    def no_redo(self) -> str | None:
        """Say that one change is turned at a time."""
        return self.no_undo()

    def undo(self) -> None:
        """Take the last change back."""
        if self.changes.undos and self._turning is None:
            change = self.changes.undos[-1]
            self._turning = change, False
            change.back()

    def redo(self) -> None:
        """Do again what was taken back."""
        if self.changes.redos and self._turning is None:
            change = self.changes.redos[-1]
            self._turning = change, True
            change.forth()
