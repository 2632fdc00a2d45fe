"""Changes of a person's presets that can be taken back: made, thrown away, renamed, rewritten.

Each change, turned back, is the change that leads forth again. The trash keeps what was removed, also after the studio
is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from covermaker.disk import disk_errors, write_text
from covermaker.effects.preset_files import (
    check_name,
    copy_preset,
    entry_of,
    own,
    remove_preset,
    rename_preset,
    restore_preset,
    write_preset,
)
from covermaker.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.effects.preset_files import Removed
    from covermaker.effects.presets import Kind, Preset


class Change(Protocol):
    """Something that was done to a preset's file."""

    @property
    def words(self) -> str:
        """What was done."""
        ...

    @property
    def selects(self) -> tuple[Kind, str]:
        """Which preset to look at now."""
        ...

    def turn(self) -> Change:
        """Take it back, or do it again; returns the way back.

        Raises
        ------
        CovermakerError
            When the file is another one by now, or the disk refuses.
        """
        ...


@dataclass(frozen=True)
class _There:
    """A change after which a preset is there."""

    kind: Kind
    name: str
    words: str

    @property
    def selects(self) -> tuple[Kind, str]:
        """See `Change`."""
        return self.kind, self.name


@dataclass(frozen=True)
class Made(_There):
    """A preset is there."""

    def turn(self) -> Change:
        """See `Change`."""
        return Gone(remove_preset(self.kind, self.name), self.words)


@dataclass(frozen=True)
class Gone:
    """A preset is in the trash."""

    removed: Removed
    words: str

    @property
    def selects(self) -> tuple[Kind, str]:
        """See `Change`."""
        return self.removed.kind, self.removed.name

    def turn(self) -> Change:
        """See `Change`."""
        restore_preset(self.removed)
        return Made(self.removed.kind, self.removed.name, self.words)


@dataclass(frozen=True)
class Renamed(_There):
    """A preset has another name than `before`."""

    before: str

    def turn(self) -> Change:
        """See `Change`."""
        rename_preset(self.kind, self.name, self.before)
        return Renamed(self.kind, self.before, self.words, self.name)


@dataclass(frozen=True)
class Rewritten(_There):
    """A preset's file says something else; `before` is its text until then."""

    before: str

    def turn(self) -> Change:
        """See `Change`."""
        file = own(self.kind, self.name).path
        now = _text(file)
        write_text(file, self.before)
        return Rewritten(self.kind, self.name, self.words, now)


def name_problem(kind: Kind, name: str, *, may_replace: bool = False) -> str:
    """Say why a preset cannot get a name; "" when it can."""
    try:
        check_name(name)
    except UsageError as error:
        return str(error)
    entry = entry_of(kind, name)
    is_taken = entry is not None and not entry.shipped and not may_replace
    return f"you have a preset called '{name}' already" if is_taken else ""


def copied(kind: Kind, name: str, to: str) -> Change:
    """Copy a preset."""
    copy_preset(kind, name, to)
    return Made(kind, to, f"copied {name} to {to}")


def saved(preset: Preset) -> Change:
    """Write a new preset."""
    write_preset(preset)
    return Made(preset.kind, preset.name, f"saved preset {preset.name}")


def updated(preset: Preset) -> Change:
    """Put other contents into an own preset; its description stays."""
    entry = own(preset.kind, preset.name)
    before = _text(entry.path)
    write_preset(preset, replace=True)
    return Rewritten(preset.kind, preset.name, f"updated preset {preset.name}", before)


def edited(kind: Kind, name: str, before: str) -> Change | None:
    """Note what an editor did; None when it changed nothing."""
    if _text(own(kind, name).path) == before:
        return None
    return Rewritten(kind, name, f"edited preset {name}", before)


def renamed(kind: Kind, name: str, to: str) -> Change:
    """Rename an own preset."""
    rename_preset(kind, name, to)
    return Renamed(kind, to, f"renamed {name} to {to}", name)


def removed(kind: Kind, name: str) -> Change:
    """Move an own preset into the trash."""
    return Gone(remove_preset(kind, name), f"removed preset {name}")


def problem_of(change: Change) -> str:
    """Say why the preset that was changed cannot be used; "" when it can, or is gone."""
    entry = entry_of(*change.selects)
    if entry is None or not entry.problem:
        return ""
    return entry.problem.replace(str(entry.path), entry.path.name)  # a whole path would fill the line


def text_of(kind: Kind, name: str) -> tuple[Path, str]:
    """Return the file of an own preset and what it says.

    Raises
    ------
    UsageError
        When it is shipped, or gone.
    """
    file = own(kind, name).path
    return file, _text(file)


def _text(file: Path) -> str:
    with disk_errors(file):
        return file.read_text(encoding="utf-8", errors="replace")
