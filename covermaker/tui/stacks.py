"""What can be taken back and what can be done again; a change moves to the other side only when it is turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Stacks(Generic[T]):
    """Two stacks of changes.

    Parameters
    ----------
    words : callable
        Says what a change did.
    done : iterable
        What can be taken back from the beginning on, the last one last.
    """

    def __init__(self, words: Callable[[T], str], done: Iterable[T] = ()) -> None:
        self._words = words
        self.undos: list[T] = list(done)
        self.redos: list[T] = []

    def undo_words(self) -> str:
        """Return what undo takes back; "" for nothing."""
        return self._words(self.undos[-1]) if self.undos else ""

    def redo_words(self) -> str:
        """Return what redo does again; "" for nothing."""
        return self._words(self.redos[-1]) if self.redos else ""

    def did(self, change: T) -> None:
        """Note something new: nothing can be done again after it."""
        self.undos.append(change)
        self.redos.clear()

    def turned(self, change: T, back: T, *, redo: bool = False) -> None:
        """Note that a change was taken back, or done again; `back` leads the other way."""
        self.drop(change, redo=redo)
        (self.undos if redo else self.redos).append(back)

    def drop(self, change: T, *, redo: bool = False) -> None:
        """Forget a change that cannot be turned any more."""
        stack = self.redos if redo else self.undos
        at = next((at for at in range(len(stack) - 1, -1, -1) if stack[at] is change), None)
        if at is not None:
            del stack[at]

    def forget(self, change: T) -> None:
        """Forget every change like this one."""
        self.undos = [one for one in self.undos if one is not change]
        self.redos = [one for one in self.redos if one is not change]
