"""What the Voices screen knows: every voice in a line, one of them in full. Knows neither Textual nor a network.

Called on threads. Whatever lies in a voice's folder, the answer is a value: what is broken or half written is a
sentence in it, never an exception.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.errors import CovermakerError
from covermaker.takes.cache import CACHE_FOLDER
from covermaker.takes.document import TAKES_FILE, TAKES_FOLDER, read_takes
from covermaker.takes.report import FILE_NAME as REPORT_FILE
from covermaker.takes.report import read_report
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.course import FOLDER, RUN_FILE
from covermaker.training.pulse import FILE_NAME as NOW_FILE
from covermaker.training.watch import Course, Watched, status_of, watch
from covermaker.voices.card import CARD_FILE, read_card, trained_step
from covermaker.voices.library import SHIPPED, user_library
from covermaker.voices.whole import COPY_AGAIN, damage, sung_with

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.takes.document import Takes
    from covermaker.takes.scan import TakeReport
    from covermaker.voices.card import VoiceCard

# A state: the one of `words.STATES` whose glyph and colour it has, and its word.
STATES: Final = {
    "ready": ("done", "ready"),
    "training": ("run", "training"),
    "stopped": ("stopped", "stopped"),
    "astray": ("warn", "went astray"),
    "takes": ("wait", "only takes"),
    "damaged": ("failed", "damaged"),
}
_WATCHED: Final = (
    CARD_FILE,
    TAKES_FILE,
    f"{FOLDER}/{RUN_FILE}",
    f"{FOLDER}/{NOW_FILE}",
    f"{FOLDER}/{CHECKPOINTS}",
)
_RECORDED: Final = (TAKES_FILE, f"{CACHE_FOLDER}/{REPORT_FILE}")


@dataclass(frozen=True)
class VoiceRow:
    """A voice in a line.

    Attributes
    ----------
    place : str
        ``"project"``, ``"library"`` or ``"shipped"``.
    state : str
        One of `STATES`.
    step : int or None
        The checkpoint that it sings with.
    problem : str
        What is wrong with it, in a sentence; empty when nothing is.
    """

    name: str
    folder: Path
    place: str
    state: str
    step: int | None = None
    card: VoiceCard | None = None
    problem: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it may be changed here: a shipped voice may not."""
        return self.place != "shipped"


@dataclass(frozen=True)
class Take:
    """A recording of a voice; `report` is None until it was scanned, `missing` when its file is gone."""

    file: str
    use: bool
    singer: str = ""
    report: TakeReport | None = None
    missing: bool = False

    @property
    def verdict(self) -> tuple[str, str]:
        """The state whose glyph it has, and what the scan says of it in a word or two."""
        if self.missing:
            return "failed", "missing"
        if not self.use:
            return "stopped", "left out"
        if self.report is None:
            return "wait", "not scanned"
        return ("done", "ok") if not self.report.findings else ("warn", self.report.verdict)


@dataclass(frozen=True)
class Lines:
    """The course of a training: the steps, and each loss at them."""

    steps: tuple[int, ...] = ()
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Whole:
    """A voice in full.

    Attributes
    ----------
    document : Takes or None
        Its ``takes.toml``, when it has one that can be read.
    takes_problem : str
        What is wrong with that.
    notes : tuple of str
        What the scan says of all takes together.
    """

    row: VoiceRow
    document: Takes | None = None
    takes: tuple[Take, ...] = ()
    takes_problem: str = ""
    notes: tuple[str, ...] = ()
    watched: Watched = field(default_factory=Watched)
    lines: Lines = field(default_factory=Lines)

    @property
    def is_scanned(self) -> bool:
        """Whether every take was scanned as it is."""
        return bool(self.takes) and all(take.report is not None or take.missing for take in self.takes)

    def summary(self) -> str:
        """Say of all takes together: how many, how long, what is wrong with how many."""
        used = [take for take in self.takes if take.use]
        words = [f"{len(self.takes)} take{'s' if len(self.takes) != 1 else ''}"]
        if len(used) < len(self.takes):
            words.append(f"{len(used)} kept")
        found: dict[str, int] = {}
        for take in used:
            for finding in take.report.findings if take.report else ():
                found[finding.word] = found.get(finding.word, 0) + 1
        return ", ".join([*words, *(f"{word} {count}" for word, count in found.items())])


@dataclass(frozen=True)
class Recorded:
    """What is written of a voice's takes: the document, or what is wrong with it, and what the last scan says."""

    document: Takes | None = None
    reports: Mapping[str, TakeReport] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""


class Voices:
    """The voices of a person, read again where something changed; for one thread at a time."""

    def __init__(self) -> None:
        self._rows: dict[Path, tuple[tuple[float, ...], VoiceRow]] = {}
        self._course: Course | None = None
        self._recorded: tuple[object, Recorded] | None = None

    def look(self, project: Path | None) -> list[VoiceRow]:
        """List the voices: of the open project, of the user's library, the shipped ones; each sorted by name."""
        rows: dict[Path, tuple[tuple[float, ...], VoiceRow]] = {}
        for place, root in _roots(project):
            for folder in _folders(root):
                stamp = tuple(_changed(folder / name) for name in _WATCHED)
                known = self._rows.get(folder)
                if (
                    known is not None
                    and known[0] == stamp + _of_files(known[1])
                    and known[1].state != "training"
                ):
                    rows[folder] = known
                elif folder not in rows:
                    row = read_row(folder, place)
                    rows[folder] = stamp + _of_files(row), row
        self._rows = rows
        return [row for _, row in rows.values()]

    def read(self, row: VoiceRow) -> Whole:
        """Read one voice in full; of its history only what is new, and of its takes what is another file by now."""
        work = row.folder / FOLDER
        if self._course is None or self._course.work != work:
            self._course = Course(work)
        stamp = row.folder, *(_identity(row.folder / name) for name in _RECORDED)
        if self._recorded is None or self._recorded[0] != stamp:
            self._recorded = stamp, read_recorded(row.folder)
        return read_whole(row, self._course, self._recorded[1])


def read_row(folder: Path, place: str) -> VoiceRow:
    """Read what a list says of a voice."""
    card, problem = None, ""
    has_card = os.path.lexists(folder / CARD_FILE)
    if has_card:
        try:
            card = read_card(folder)
            broken = damage(folder, card)
            problem = f"{broken}; {COPY_AGAIN}" if broken else ""
        except CovermakerError as error:
            problem = str(error)
    elif (folder / TAKES_FILE).exists():
        try:
            read_takes(folder)
        except CovermakerError as error:
            problem = str(error)
    return VoiceRow(
        folder.name, folder, place, _state(status_of(folder), problem, has_card=has_card),
        trained_step(card) if card is not None else None, card, problem,
    )  # fmt: skip


def read_recorded(folder: Path) -> Recorded:
    """Read what is written of a voice's takes."""
    if not os.path.lexists(folder / TAKES_FILE):
        return Recorded()
    try:
        document = read_takes(folder)
    except CovermakerError as error:
        return Recorded(problem=str(error))
    reports, notes = read_report(folder, document)
    return Recorded(document, reports, tuple(notes))


def read_whole(row: VoiceRow, course: Course, recorded: Recorded) -> Whole:
    """Read a voice in full."""
    watched = watch(row.folder, course)
    lines = Lines(tuple(course.steps), {name: tuple(values) for name, values in course.losses.items()})
    document = recorded.document
    takes = tuple(
        Take(
            one.file,
            one.use,
            one.singer,
            recorded.reports.get(one.file),
            not (row.folder / TAKES_FOLDER / one.file).exists(),
        )
        for one in (document.takes if document is not None else ())
    )
    return Whole(row, document, takes, recorded.problem, recorded.notes, watched, lines)


def _state(status: str, problem: str, *, has_card: bool) -> str:
    if status == "running":
        return "training"
    if problem:
        return "damaged"
    if status in ("stopped", "astray"):
        return status
    return "ready" if has_card else "takes"


def _roots(project: Path | None) -> list[tuple[str, Path]]:
    roots = [("project", project / "voices")] if project is not None else []
    with suppress(CovermakerError):  # the variable leads nowhere; the commands say so
        roots.append(("library", user_library()))
    return [*roots, ("shipped", SHIPPED)]


def _folders(root: Path) -> list[Path]:
    """Return the folders that hold a card or takes; those of a root that is closed to us are none."""
    try:
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        return []
    found = (root / name for name in names)
    return [
        folder
        for folder in found
        if os.path.lexists(folder / CARD_FILE) or os.path.lexists(folder / TAKES_FILE)
    ]


def _of_files(row: VoiceRow) -> tuple[float, ...]:
    """Return when the files changed that a voice sings with."""
    return () if row.card is None else tuple(_changed(row.folder / name) for name in sung_with(row.card))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _identity(path: Path) -> tuple[int, ...]:
    """Return what is another when a file was written anew."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def log_file(name: str, kind: str) -> Path:
    """Return where the log of a job on a voice goes: outside of it, as it may not be there yet."""
    from platformdirs import user_log_path

    return user_log_path("covermaker") / f"voice-{name}-{kind}.log"
