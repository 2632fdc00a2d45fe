"""The library's songs as the list shows them: filtered, sorted, in cells. Draws nothing."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final

from covermaker.tui.failing import still_fails
from covermaker.tui.words import count, glyph, length, one_line, said, share, spelt, tone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from covermaker.project.library import Row
    from covermaker.render.state import State
    from covermaker.tui.job_board import Job
    from covermaker.tui.listing import Cell
    from covermaker.tui.words import Charset

SORTS: Final = ("title", "artist", "length", "voice", "state", "changed")
# What asks for attention comes first.
_RANKS: Final = {"run": 0, "wait": 1, "failed": 2, "stale": 3, "new": 4, "stopped": 5, "done": 6, "": 7}


class Shelf:
    """Songs, what is known of them, and which of them are shown.

    Attributes
    ----------
    songs, states : dict
        By the project's folder.
    """

    def __init__(self, job_of: Callable[[Path], Job | None]) -> None:
        self.songs: dict[Path, Row] = {}
        self.states: dict[Path, State] = {}
        self.filter = ""
        self.sort = "title"
        self._job_of = job_of
        self._titles: Counter[str] = Counter()

    def put(self, songs: Iterable[Row]) -> list[Path]:
        """Take over what a reading of the folder found; returns the folders that are new or changed."""
        before, self.songs = self.songs, {song.folder: song for song in songs}
        self._titles = Counter(song.title for song in self.songs.values())
        self.states = {folder: state for folder, state in self.states.items() if folder in self.songs}
        return [folder for folder, song in self.songs.items() if before.get(folder) != song]

    def empty(self) -> frozenset[str]:
        """Return the columns in which no song has anything."""
        return frozenset() if any(song.artist for song in self.songs.values()) else frozenset({"artist"})

    def _title(self, song: Row) -> str:
        """Return a song's title; where several have it, with the folder."""
        title = one_line(song.title)
        return f"{title} ({one_line(song.folder.name)})" if self._titles[song.title] > 1 else title

    def visible(self) -> list[Path]:
        """Return the folders in the order of the list."""
        return sorted(self.shown(self.songs), key=self._key)

    def shown(self, folders: Iterable[Path]) -> list[Path]:
        """Return those of some folders that the filter lets through."""
        words = fold(self.filter).split()
        return [folder for folder in folders if all(word in self._haystack(folder) for word in words)]

    def _haystack(self, folder: Path) -> str:
        song = self.songs[folder]
        return fold(f"{song.title} {song.artist} {song.voice} {folder.name} {self.word(folder)}")

    def _key(self, folder: Path) -> tuple[object, ...]:
        song, state = self.songs[folder], self.states.get(folder)
        title = fold(song.title)
        if self.sort == "artist":
            return (not song.artist, fold(song.artist), title)
        if self.sort == "length":
            seconds = state.seconds if state else None
            return (seconds is None, seconds or 0.0, title)
        if self.sort == "voice":
            return (fold(song.voice), title)
        if self.sort == "state":
            return (_RANKS[self.word(folder)], title)
        if self.sort == "changed":
            return (-song.changed, title)
        return (title, str(folder))

    def word(self, folder: Path) -> str:
        """Return the state's name: of the job that runs, waits or failed, else of the project; "" while unknown."""
        job = self._job_of(folder)
        if job is not None and job.state in {"run", "wait"}:
            return job.state
        if self.songs[folder].problem:
            return "failed"
        state = self.states.get(folder)
        if still_fails(job, state):
            return "failed"
        return state.word if state else ""

    def stale(self, *, hidden: bool = False) -> list[Path]:
        """Return the folders that a render of everything stale is about, failed ones too, in the order of the list.

        With `hidden`, those too that the filter keeps out of sight.
        """
        found = self._stale()
        return sorted(found if hidden else self.shown(found), key=self._key)

    def count_stale(self) -> tuple[int, int]:
        """Return how many of the songs in the list are stale, and how many of all songs."""
        found = self._stale()
        return len(self.shown(found)), len(found)

    def _stale(self) -> list[Path]:
        return [folder for folder in self.songs if self._is_stale(folder)]

    def _is_stale(self, folder: Path) -> bool:
        state = self.states.get(folder)
        if state is None or not state.is_stale or self.songs[folder].problem:
            return False
        return self.word(folder) in {"stale", "failed"}

    def cells(self, folder: Path, charset: Charset) -> list[Cell]:
        """Return title, artist, length, key, tempo, stems, voice and state of a song."""
        song, state, job = self.songs[folder], self.states.get(folder), self._job_of(folder)
        word = self.word(folder)
        facts = state.facts if state else None
        unknown = "" if state is None or state.song is None else "?"
        return [
            (self._title(song), ""),
            (one_line(song.artist), "quiet"),
            (length(state.seconds) if state else "", ""),
            ((facts.short_key or "-") if facts else unknown, ""),
            ((f"{facts.tempo_bpm:.0f}" if facts.tempo_bpm else "-") if facts else unknown, ""),
            (_stems(state, charset) if state else "", ""),
            (one_line(song.voice), ""),
            (self._state_words(word, state, job, charset), tone_of(word)),
        ]

    def _state_words(self, word: str, state: State | None, job: Job | None, charset: Charset) -> str:
        if not word:
            return spelt("…", charset)
        if job is not None and word == "run":
            step = job.steps.get(job.current)
            return said("run", charset, f"{step.words} {share(step.fraction)}" if step else "starting")
        if word == "stale" and state is not None:
            return said("stale", charset, f"stale: {count(len(state.to_do), 'step')}")
        return said(word, charset)


def _stems(state: State, charset: Charset) -> str:
    """Return whether the song is separated, and into how many stems."""
    done = any(step.kind == "separate" and step.state == "done" for step in state.steps)
    return f"{glyph('done' if done else 'wait', charset)} {len(state.stems)}" if state.stems else ""


def fold(text: str) -> str:
    """Return a text for comparing: without case, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))
