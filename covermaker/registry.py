"""Named things, loaded late: the table behind every seam.

A seam (separator, pitch method, effect …) keeps one `Registry`: names are known without importing anything,
loading imports exactly one module. Other packages add members through an entry-point group.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from typing import Any, Generic, TypeVar, cast

from covermaker.errors import CovermakerError, UsageError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """A table of names to ``"module:attribute"`` targets.

    Parameters
    ----------
    kind : str
        What a member is called in messages: ``"pitch method"``.
    group : str
        Entry-point group in which other packages offer members.
    table : dict of str to str
        Our own members, as ``"package.module:attribute"``.
    """

    def __init__(self, kind: str, group: str, table: dict[str, str]) -> None:
        self.kind = kind
        self._group = group
        self._table = dict(table)
        self._foreign: dict[str, Any] | None = None

    def names(self) -> list[str]:
        """List the known names, ours first, without loading any."""
        return [*self._table, *(name for name in self._others() if name not in self._table)]

    def __contains__(self, name: object) -> bool:
        return name in self._table or name in self._others()

    def load(self, name: str) -> T:
        """Import and return one member.

        Raises
        ------
        UsageError
            When no member has that name; the message holds the nearest one.
        CovermakerError
            When another package's member cannot be imported.
        """
        target = self._table.get(name)
        if target is not None:
            module, _, attribute = target.partition(":")
            return cast("T", getattr(import_module(module), attribute))
        entry = self._others().get(name)
        if entry is None:
            raise UsageError(f"unknown {self.kind} '{name}'", hint=nearest(name, self.names()))
        try:
            return cast("T", entry.load())
        except Exception as error:
            raise CovermakerError(
                f"{self.kind} '{name}' of {entry.value} cannot be loaded: {error}"
            ) from error

    def _others(self) -> dict[str, Any]:
        if self._foreign is None:
            self._foreign = {entry.name: entry for entry in _offered().select(group=self._group)}
        return self._foreign


@cache
def _offered() -> EntryPoints:
    """Return what all installed packages offer; to look it up takes longer than the rest of a registry's work."""
    return cast("EntryPoints", entry_points())
