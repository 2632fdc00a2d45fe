"""A training as it looks from outside: read from a voice's ``training/``, whoever trains, wherever.

Nothing here raises because of what lies there: files that are missing, half written or of another version are told in
words. Only `is_held` asks whether somebody works there at this moment.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.disk import runs
from covermaker.errors import CovermakerError
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import checkpoint_path, steps_kept
from covermaker.training.course import FOLDER, read_run
from covermaker.training.history import FILE_NAME as HISTORY_FILE
from covermaker.training.lock import is_held
from covermaker.training.pulse import Now, number_in, read_now
from covermaker.training.stopping import is_asked
from covermaker.training.sung import is_sung, kinds_of
from covermaker.voices.card import read_card, trained_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCORES_FILE: Final = "scores.json"
SILENT_SECONDS: Final = 20.0  # after which it is worth a word that nothing new was heard
_PREPARED: Final = ("clips", "examples")
_READ_BYTES: Final = 1 << 22


@dataclass(frozen=True)
class Checkpoint:
    """A save of a run.

    Attributes
    ----------
    step : int
        When it was saved.
    score : float or None
        By the rule that chooses; None where it was not scored.
    figures : mapping
        Of every test (``spoken``, ``sung``, with several singers ``sung-anna``) its figures by their names.
    kept : bool
        Whether it is still there, to be heard and promoted.
    is_voice, is_best : bool
        Whether it is what the voice sings with; whether none scored higher.
    made : float or None
        When it was written, in seconds since the epoch.
    sung : tuple of str
        The test phrases that it has sung for an audition.
    """

    step: int
    score: float | None = None
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    kept: bool = False
    is_voice: bool = False
    is_best: bool = False
    made: float | None = None
    sung: tuple[str, ...] = ()


@dataclass(frozen=True)
class Watched:
    """What is known of a voice's training.

    Attributes
    ----------
    status : str
        ``"none"``, ``"running"``, ``"stopped"``, ``"finished"`` or ``"astray"``.
    busy : bool
        Whether some process works in the folder: a training, an audition or a promotion.
    now : Now or None
        Where it is, as long as it says so.
    profile : str
        What it was begun with.
    minutes, steps : float or None, int or None
        Its budget: one of them.
    step : int
        The last one that was written down.
    phrases : tuple of str
        The names of the test phrases.
    stopping : bool
        Whether it was asked to save and end, and has not yet.
    prepared : bool
        Whether something is kept of a training that was ended before its first step, and before it was written down.
    problem : str
        What cannot be read, in a sentence.
    """

    status: str = "none"
    busy: bool = False
    now: Now | None = None
    profile: str = ""
    minutes: float | None = None
    steps: int | None = None
    step: int = 0
    seconds_per_step: float | None = None
    loss: float | None = None
    heard: float | None = None
    checkpoints: tuple[Checkpoint, ...] = ()
    phrases: tuple[str, ...] = ()
    stopping: bool = False
    prepared: bool = False
    problem: str = ""

    @property
    def last_save(self) -> Checkpoint | None:
        """The newest checkpoint that is kept."""
        return next((one for one in reversed(self.checkpoints) if one.kept), None)

    def silent_for(self, now: float) -> float | None:
        """Return for how many seconds a running training has said nothing; None while that is nothing to mention."""
        if self.status != "running" or self.heard is None:
            return None
        silent = now - self.heard
        return silent if silent >= SILENT_SECONDS else None


@dataclass
class Course:
    """The lines of a ``history.jsonl``, read on as it grows; a file that was written anew is read anew."""

    work: Path
    steps: list[int] = field(default_factory=list)
    losses: dict[str, list[float]] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    written: float | None = None
    _at: int = 0
    _inode: int = 0
    _rest: bytes = b""

    def read_on(self) -> bool:
        """Take in what is new; tells whether anything was."""
        file, told = self.work / HISTORY_FILE, False
        try:
            there = file.stat()
            if there.st_ino != self._inode or there.st_size < self._at:
                self._forget()
                self._inode = there.st_ino
            self.written = there.st_mtime
            if there.st_size == self._at:
                return False
            with file.open("rb") as opened:
                opened.seek(self._at)
                while data := opened.read(_READ_BYTES):
                    self._at += len(data)
                    *lines, self._rest = (self._rest + data).split(b"\n")
                    for line in lines:
                        self._take(line)
                    told = told or bool(lines)
        except OSError:
            had = bool(self.steps)
            self._forget()
            return had
        return told

    def _take(self, line: bytes) -> None:
        try:
            values = json.loads(line)
            step, loss = int(values["step"]), values["loss"]
            loss = float("nan") if loss is None else float(loss)  # None: half precision has overflowed
        except (ValueError, KeyError, TypeError, OverflowError):
            return  # cut off by a crash, or no numbers
        if self.steps and step <= self.steps[-1]:
            return
        self.steps.append(step)
        self.last = values
        numbers = {"loss": loss} | {
            name: number
            for name, value in values.items()
            if name not in _NO_LOSSES and (number := number_in(value)) is not None
        }
        for name, value in numbers.items():
            series = self.losses.setdefault(name, [float("nan")] * (len(self.steps) - 1))
            series.append(value)
        for series in self.losses.values():
            if len(series) < len(self.steps):
                series.append(float("nan"))

    def _forget(self) -> None:
        self.steps, self.losses, self.last, self.written = [], {}, {}, None
        self._at, self._inode, self._rest = 0, 0, b""


_NO_LOSSES: Final = frozenset(
    {
        "step", "loss", "rate", "seconds_per_step", "memory_bytes", "batch_pieces", "critics", "gradient_norm",
        "critics_gradient_norm",
    }
)  # fmt: skip


def status_of(home: Path) -> str:
    """Return the status of a voice's training, as `Watched` has it; reads neither its history nor its scores."""
    return _outline(home).status


def watch(home: Path, course: Course | None = None) -> Watched:
    """Look at a voice's training.

    Parameters
    ----------
    home : Path
        The voice's folder.
    course : Course, optional
        Of this folder, kept between looks: then only what is new is read.
    """
    work = home / FOLDER
    if not work.is_dir():
        return Watched()
    course = course or Course(work)
    course.read_on()
    outline, phrases = _outline(home), kinds_of(home)
    checkpoints, problem = _checkpoints(home, phrases)
    last, live = course.last, outline.now
    told = [when for when in (outline.heard, course.written) if when is not None]
    return replace(
        outline,
        step=max(course.steps[-1] if course.steps else 0, (live.step or 0) if live else 0),
        seconds_per_step=(live.seconds_per_step if live else None) or number_in(last.get("seconds_per_step")),
        loss=(live.loss if live else None) or number_in(last.get("loss")),
        heard=max(told, default=None),
        checkpoints=checkpoints,
        phrases=tuple(phrases),
        problem=outline.problem or problem,
    )


def _outline(home: Path) -> Watched:
    """Return what the lock, the pulse and the record of the run say."""
    work = home / FOLDER
    if not work.is_dir():
        return Watched()
    busy, now, problem = is_held(home), read_now(work), ""
    try:
        run = read_run(work)
    except CovermakerError as error:
        run, problem = None, error.message
    is_running = busy and now is not None and runs(now.host, now.pid)
    return Watched(
        _status(run, now, is_running=is_running), busy, now if is_running else None, *_asked_for(run),
        heard=now.told if now else None, stopping=is_running and is_asked(work),
        prepared=run is None and not is_running and not problem and is_prepared(work), problem=problem,
    )  # fmt: skip


def is_prepared(work: Path) -> bool:
    """Whether clips or examples lie there, which a training that begins takes up as they are."""
    return any(next((work / name).glob("*"), None) is not None for name in _PREPARED)


def _status(run: dict[str, Any] | None, now: Now | None, *, is_running: bool) -> str:
    if is_running:
        return "running"
    told = run["status"] if run is not None else ""
    if told == "running" or (now is not None and not told):
        return "stopped"
    return told if told in ("finished", "astray") else "none"


def _asked_for(run: dict[str, Any] | None) -> tuple[str, float | None, int | None]:
    profile = run.get("profile") if run is not None else None
    if not isinstance(profile, dict):
        return "", None, None
    minutes, recipe = number_in(profile.get("minutes")), profile.get("recipe")
    steps = number_in(recipe.get("steps")) if isinstance(recipe, dict) else None
    return str(profile.get("name", "")), minutes, None if minutes is not None or steps is None else int(steps)


def _checkpoints(home: Path, phrases: Sequence[str]) -> tuple[tuple[Checkpoint, ...], str]:
    """Return all saves that are known of, the oldest first, and what cannot be read."""
    work = home / FOLDER
    records, problem = _scores(work)
    folder = work / CHECKPOINTS
    try:
        kept = set(steps_kept(folder))
    except OSError:
        kept = set()
    try:
        voice_step = trained_step(read_card(home))
    except CovermakerError:  # there is none before the first save
        voice_step = None
    scores = [score for record in records.values() if (score := number_in(record.get("score"))) is not None]
    best = max(scores, default=None)
    found = []
    for step in sorted({*records, *kept}):
        record = records.get(step, {})
        score = number_in(record.get("score"))
        figures = {
            str(kind): {
                str(name): number for name, value in row.items() if (number := number_in(value)) is not None
            }
            for kind, row in record.items()
            if isinstance(row, dict)
        }
        found.append(
            Checkpoint(
                step, score, figures, step in kept, step == voice_step, score is not None and score == best,
                _made(folder, step) if step in kept else None,
                tuple(kind for kind in phrases if step in kept and is_sung(home, step, kind)),
            )
        )  # fmt: skip
    return tuple(found), problem


def _scores(work: Path) -> tuple[dict[int, dict[str, Any]], str]:
    file = work / SCORES_FILE
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return {int(record["step"]): record for record in values}, ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        return {}, f"{file.name} cannot be read: {error}"


def _made(folder: Path, step: int) -> float | None:
    try:
        return checkpoint_path(folder, step).stat().st_mtime
    except OSError:
        return None


def wait_until_free(home: Path, seconds: float) -> bool:
    """Wait until nobody works in a voice's ``training/``; tells whether it came to that in time."""
    end = time.monotonic() + seconds
    while is_held(home):
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
