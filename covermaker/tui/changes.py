"""What was added to a library and removed from it, so that it can be undone and done again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from covermaker.errors import CovermakerError
from covermaker.project.library import Trash, Trashed
from covermaker.tui.stacks import Stacks
from covermaker.tui.words import count, one_line

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
    batch : str
        What was added together has one; empty for anything else.
    """

    words: str
    there: tuple[Path, ...] = ()
    trashed: tuple[Trashed, ...] = ()
    batch: str = ""


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
    """The library's undo. What was removed can be brought back after a restart, too: the trash knows it.

    Parameters
    ----------
    root : Path
        The library.
    """

    def __init__(self, root: Path) -> None:
        self._trash = Trash(root)
        self._stacks: Stacks[Change] = Stacks(lambda change: change.words)

    def contents(self) -> list[Trashed]:
        """Read what lies in the trash, the last one first; called on a thread."""
        return self._trash.contents()

    def know(self, trashed: Sequence[Trashed]) -> None:
        """Take what was removed before the studio was opened, as it was read from the trash."""
        ours = {one for change in self._stacks.undos for one in change.trashed}
        before = [one for one in trashed if one not in ours]
        self._stacks.undos = [*_removals(before), *self._stacks.undos]

    @property
    def undo_words(self) -> str:
        """What undo would take back; empty for nothing."""
        return self._stacks.undo_words()

    @property
    def redo_words(self) -> str:
        """What redo would do again; empty for nothing."""
        return self._stacks.redo_words()

    @property
    def last(self) -> Change | None:
        """What undo would take back; None for nothing."""
        return self._stacks.undos[-1] if self._stacks.undos else None

    @property
    def undo_removes(self) -> tuple[Path, ...]:
        """The folders that undo would move to the trash."""
        return self.last.there if self.last is not None else ()

    @property
    def redo_removes(self) -> tuple[Path, ...]:
        """The folders that redo would move to the trash."""
        return self._stacks.redos[-1].there if self._stacks.redos else ()

    def added(self, folder: Path, words: str, batch: str = "") -> None:
        """Note a project that is new; with others of the same `batch` it is one change."""
        last = self.last
        if batch and last is not None and last.batch == batch:
            self._stacks.undos.pop()
            there = (*last.there, folder)
            words = f"added {count(len(there), 'song')}"
        else:
            there = (folder,)
        self._stacks.did(Change(words, there=there, batch=batch))

    def remove(self, folders: Sequence[Path], words: str) -> Outcome:
        """Move projects to the trash."""
        back, outcome = self._turned(Change(words, there=tuple(folders)), words)
        if back is not None:
            self._stacks.did(back)
        return outcome

    def restore(self, one: Trashed) -> Outcome:
        """Bring one project back from the trash."""
        try:
            folder = self._trash.restore(one)
        except CovermakerError as error:
            return Outcome("", str(error))
        undos = self._stacks.undos
        self._stacks.undos = [kept for change in undos if (kept := _without(change, one)) is not None]
        return Outcome(f"restored {one_line(one.title)}", select=folder)

    def undo(self) -> Outcome:
        """Take the last change back."""
        return self._turn(self._stacks.undos[-1], "undo")

    def redo(self) -> Outcome:
        """Do again what was taken back."""
        return self._turn(self._stacks.redos[-1], "redo")

    def _turn(self, change: Change, how: str) -> Outcome:
        """Turn a change; one that is refused as a whole can be tried again, unless what it is about is gone."""
        back, outcome = self._turned(change, f"{how}: {change.words}{_where_now(change)}")
        if back is not None:
            self._stacks.turned(change, back, redo=how == "redo")
        elif not _is_possible(change):
            self._stacks.drop(change, redo=how == "redo")
        return outcome

    def _turned(self, change: Change, words: str) -> tuple[Change | None, Outcome]:
        """Move the projects of a change the other way; returns what leads back, None when nothing was moved."""
        there: list[Path] = []
        trashed: list[Trashed] = []
        problem, batch = "", uuid.uuid4().hex
        try:
            for folder in change.there:
                trashed.append(self._trash.remove(folder, batch=batch))  # noqa: PERF401 - those before a refusal count
            for one in change.trashed:
                there.append(self._trash.restore(one))  # noqa: PERF401
        except CovermakerError as error:
            problem = str(error)
        if not there and not trashed:
            return None, Outcome("", problem)
        back = Change(change.words, tuple(there), tuple(trashed))
        return back, Outcome(words, problem, there[0] if there else None)


def _where_now(change: Change) -> str:
    """Say where the songs of a change are once it is turned: ``; it is in the library again``."""
    if change.trashed:
        return f"; {'it is' if len(change.trashed) == 1 else 'they are'} in the library again"
    if len(change.there) == 1:
        return f"; its folder {one_line(change.there[0].name)} is in the trash"
    return "; they are in the trash"


def _is_possible(change: Change) -> bool:
    places = [*change.there, *(one.place / one.name for one in change.trashed)]
    return all(place.exists() for place in places)


def _without(change: Change, one: Trashed) -> Change | None:
    """Return a change without a project that came back by itself; None when nothing is left of it."""
    if one not in change.trashed:
        return change
    rest = tuple(other for other in change.trashed if other != one)
    return Change(removed_words([other.title for other in rest]), change.there, rest) if rest else None


def removed_words(titles: Sequence[str]) -> str:
    """Say what was removed."""
    return f"removed {one_line(titles[0]) if len(titles) == 1 else count(len(titles), 'song')}"


def _removals(trashed: Sequence[Trashed]) -> list[Change]:
    """Return what the trash holds as changes, the last one last; what was removed together is one."""
    changes = []
    for _, group in groupby(reversed(trashed), lambda one: one.batch or one.place.name):
        together = tuple(group)
        changes.append(Change(removed_words([one.title for one in together]), trashed=together))
    return changes
