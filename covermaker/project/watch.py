"""Noticing that a project has changed on the disk while it is open: by hand, by a command, in another window."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.project.load import load
from covermaker.project.lock import gone
from covermaker.project.places import difference
from covermaker.project.saving import told

if TYPE_CHECKING:
    from covermaker.project.load import Project


@dataclass(frozen=True)
class News:
    """A project that has changed: how it is now, and what changed, in words; no words where only comments did."""

    project: Project
    words: tuple[str, ...]


class Watch:
    """Looks at a project's document as often as it is asked; costs one `stat` while nothing happens.

    Parameters
    ----------
    project : Project
        As it was read.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._seen: tuple[int, int, int] | None = None

    def saw(self, project: Project) -> None:
        """Take over a project that this program has saved itself."""
        self.project, self._seen = project, None

    def look(self) -> News | None:
        """Return what has happened since the last look; None when nothing has.

        Raises
        ------
        ProjectError
            When the document is gone, or is none any more; once for each time that this happens.
        """
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        if mark == _GONE:
            raise gone(self.project)
        now, before = load(self.project.root), self.project
        if now.document.text == before.document.text:
            return None
        self.project = now
        return News(now, told(difference(before.document.values, now.document.values), before, now))

    def _mark(self) -> tuple[int, int, int]:
        try:
            found = os.stat(self.project.file)
        except OSError:
            return _GONE
        return found.st_mtime_ns, found.st_size, found.st_ino


_GONE = (0, 0, 0)
