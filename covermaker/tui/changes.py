"""What was added to a library and removed from it, so that it can be undone and done again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.errors import CovermakerError
from covermaker.project.library import Trash, Trashed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Change:
    """Projects that came into the library or went into its trash.

    Attributes
    ----------
    there : tuple of Path
        Their folders while they are in the library, else empty.
    trashed : tuple of Trashed
        Where they lie while they are in the trash.
    """

    words: str
    there: tuple[Path, ...] = ()
    trashed: tuple[Trashed, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a change.

    Attributes
    ----------
    words : str
        What was done; empty when nothing was.
    problem : str
        What was refused; empty when all went well.
    select : Path or None
        A project that is back.
    """

    words: str
    problem: str = ""
    select: Path | None = None


class Changes:
    """The library's undo, for as long as the studio is open; what is in the trash stays there after that.

    Parameters
    ----------
    root : Path
        The library.
    """

    def __init__(self, root: Path) -> None:
        self._trash = Trash(root)
        self._undos: list[Change] = []
        self._redos: list[Change] = []

    @property
    def undo_words(self) -> str:
        """What undo would take back; empty for nothing."""
        return self._undos[-1].words if self._undos else ""

    @property
    def redo_words(self) -> str:
        """What redo would do again; empty for nothing."""
        return self._redos[-1].words if self._redos else ""

    def added(self, folder: Path, words: str) -> None:
        """Note a project that is new."""
        self._undos.append(Change(words, there=(folder,)))
        self._redos.clear()

    def remove(self, folders: Sequence[Path], words: str) -> Outcome:
        """Move projects to the trash."""
        self._redos.clear()
        return self._turn(Change(words, there=tuple(folders)), self._undos, words)

    def undo(self) -> Outcome:
        """Take the last change back."""
        change = self._undos.pop()
        return self._turn(change, self._redos, f"undone: {change.words}")

    def redo(self) -> Outcome:
        """Do again what was taken back."""
        change = self._redos.pop()
        return self._turn(change, self._undos, f"done again: {change.words}")

    def _turn(self, change: Change, onto: list[Change], words: str) -> Outcome:
        """Move the projects of a change the other way, and keep what was moved for the way back."""
        there: list[Path] = []
        trashed: list[Trashed] = []
        problem = ""
        try:
            for folder in change.there:
                trashed.append(self._trash.remove(folder))  # noqa: PERF401 - those before a refusal count
            for one in change.trashed:
                there.append(self._trash.restore(one))  # noqa: PERF401
        except CovermakerError as error:
            problem = str(error)
        if not there and not trashed:
            return Outcome("", problem)
        onto.append(Change(change.words, tuple(there), tuple(trashed)))
        return Outcome(words, problem, there[0] if there else None)
