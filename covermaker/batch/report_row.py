"""What a report says of a song: plain values, ready for JSON, for a page and for a list of covers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import CovermakerError
from covermaker.graph.plain import plain
from covermaker.project.library import read_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from covermaker.batch.options import Options
    from covermaker.batch.rows import Song, StepTime, Try

# What every browser plays comes first, and what is small before what is large.
_PLAYED: Final = (".mp3", ".m4a", ".flac", ".wav", ".ogg", ".opus")

_LOGS: Final = "logs"


@dataclass(frozen=True, slots=True)
class Took:
    """A step of a song: how long it took where this batch made it, and whether its last try found it there."""

    name: str
    seconds: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a song, as of `covermaker.batch.rows.Try`."""

    began: float
    ended: float | None
    running_at: str
    state: str
    step: str
    cause: str


@dataclass(frozen=True, slots=True)
class Row:
    """One song of the report.

    Attributes
    ----------
    number : int
        In the list, from 1.
    title, artist, voice, preset : str
        "" where nobody knows; the preset of a project that was there before is its own business.
    origin, place : str
        Where the list asks for it, and what it names there.
    project, cover, log : str
        The project's folder, the finished file that is played, and where more is said of a failure: paths as seen from
        the batch's folder; "" for what is not there.
    files : tuple of str
        All finished files, as seen from the batch's folder.
    state, was_done, step, fraction, running_at
        As of `covermaker.batch.rows.Song`.
    seconds : float or None
        Length of the cover.
    loudness_lufs, loudness_range_lu, true_peak_dbtp, target_lufs : float or None
        Measured on the master; silence has none. The target is None where it had none, or nobody knows it.
    reached : bool or None
        Whether the master is as loud as it should be.
    semitones, why : int or None, str or None
        How much higher it is sung, and why.
    unheard : str
        Why no voice is heard in it; "" where one is.
    lag_ms, similarity, source_similarity, f0_correlation, f0_median_cents, words_read, new_clicks
        As of `docs/metrics.md`; None where it was not measured.
    steps : tuple of Took
        In the order in which they were begun.
    spent_seconds : float
        Of all tries together.
    tries : int
        How often it was begun.
    attempts : tuple of Attempt
        All that are known, those of earlier runs too.
    began, ended : float or None
        Of the last try, in seconds since the epoch.
    cause, hint, exit_code : str, str or None, int
        Why it failed, what to do next, and as which exit code.
    """

    number: int
    title: str
    artist: str
    voice: str
    preset: str
    origin: str
    place: str
    project: str
    state: str
    was_done: bool
    step: str
    fraction: float
    running_at: str
    cover: str
    files: tuple[str, ...]
    seconds: float | None
    loudness_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    target_lufs: float | None
    reached: bool | None
    semitones: int | None
    why: str | None
    unheard: str
    lag_ms: float | None
    similarity: float | None
    source_similarity: float | None
    f0_correlation: float | None
    f0_median_cents: float | None
    words_read: float | None
    new_clicks: int | None
    steps: tuple[Took, ...]
    spent_seconds: float
    tries: int
    attempts: tuple[Attempt, ...]
    began: float | None
    ended: float | None
    cause: str
    hint: str | None
    exit_code: int
    log: str


# Taken out of a song's result as they are.
_FIGURES: Final = (
    "seconds", "loudness_lufs", "loudness_range_lu", "true_peak_dbtp", "target_lufs", "reached", "semitones", "why",
    "lag_ms", "similarity", "source_similarity", "f0_correlation", "f0_median_cents", "words_read", "new_clicks",
)  # fmt: skip
_NO_FIGURES: Final = dict.fromkeys(_FIGURES)


def row_of(
    song: Song, options: Options, folder: Path, steps: Iterable[StepTime], attempts: Sequence[Try]
) -> Row:
    """Return what is known of a song, its files as seen from `folder`."""
    result: Mapping[str, Any] = plain(song.result) if song.state == "done" else {}
    files = [file for file in result.get("files") or () if os.path.isfile(file)]
    cover = cover_of(files)
    failed = song.state == "failed"
    return Row(
        number=song.id,
        title=song.name,
        artist=song.artist,
        voice=_voice(song, options),
        preset=_asked(song, options, "preset"),
        origin=song.origin,
        place=song.place,
        project=_seen(song.project, folder),
        state=song.state,
        was_done=song.was_done,
        step=song.step or (attempts[-1].step if failed and attempts else ""),
        fraction=song.fraction,
        running_at=song.running_at,
        cover=_seen(cover, folder),
        files=tuple(_seen(file, folder) for file in files),
        **{**_NO_FIGURES, **{name: result[name] for name in _FIGURES if name in result}},
        unheard=str(result.get("unheard") or ""),
        steps=tuple(Took(one.name, round(one.seconds, 3), one.kept) for one in steps),
        spent_seconds=round(song.spent_seconds, 3),
        tries=song.tries,
        attempts=tuple(
            Attempt(one.began, one.ended, one.running_at, one.state, one.step, one.cause) for one in attempts
        ),
        began=song.began,
        ended=song.ended,
        cause=song.cause,
        hint=song.hint,
        exit_code=song.exit_code,
        log=_log(song, folder, attempts) if failed else "",
    )


def cover_of(files: Iterable[str]) -> str:
    """Return which of a render's files is the cover, and is played best; "" where there is none.

    Stems and bounces lie in folders beside it.
    """
    heard = [file for file in files if Path(file).suffix.lower() in _PLAYED]
    return min(heard, key=_playable, default="")


def _playable(file: str) -> tuple[int, int, int]:
    path = Path(file)
    return len(path.parts), _PLAYED.index(path.suffix.lower()), len(path.name)


def _seen(place: str, folder: Path) -> str:
    return Path(os.path.relpath(place, folder)).as_posix() if place else ""


def _voice(song: Song, options: Options) -> str:
    """Return who sings: what the batch has written, what is asked for, or what a project of somebody else says."""
    if song.kept and "voice" not in song.wishes:
        try:
            return read_row(Path(song.project)).voice
        except CovermakerError:
            return ""
    return _asked(song, options, "voice")


def _asked(song: Song, options: Options, name: str) -> str:
    """Return what was written into a song's project, or is asked for."""
    written = song.applied.get("wishes", {}).get(name)
    wish = written or (song.wishes if song.kept else options.wanted(song.wishes)).get(name, "")
    return str(wish[0] if isinstance(wish, list) else wish)  # a preset is known by its content, too


def _log(song: Song, folder: Path, attempts: Sequence[Try]) -> str:
    """Return the log of where a song failed; one that was refused before it began has none."""
    place = song.running_at or (attempts[-1].running_at if attempts else "")
    log = folder / _LOGS / f"{place.replace(' ', '-')}.log"
    return _seen(str(log), folder) if place and song.tries and log.is_file() else ""
