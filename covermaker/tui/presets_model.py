"""What the Presets screen asks of the rooms below, and what it says. Called on threads; Textual is not imported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rich.text import Text

from covermaker.effects.preset_edits import (
    differences,
    missing_buses,
    preset_words,
    taken,
)
from covermaker.errors import CovermakerError
from covermaker.tui.paths import tilde
from covermaker.tui.words import count, one_line, said, wrapped
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from covermaker.effects.preset_edits import Line
    from covermaker.effects.preset_users import Users
    from covermaker.effects.presets import Kind, Preset, PresetEntry
    from covermaker.project.load import Project
    from covermaker.tui.listing import Cell
    from covermaker.tui.words import Charset

_GLUE: Final = "\u00a0"
_NAMED_USERS: Final = 3
_TONES: Final = {"~": "stale", "+": "done", "-": "failed"}


@dataclass(frozen=True)
class About:
    """All there is to say of one preset.

    Attributes
    ----------
    holds : tuple of str
        Its contents, a line each.
    against : str
        What it is compared with; empty while no project is open.
    lines : tuple of Line
        What applying it would change.
    """

    entry: PresetEntry
    holds: tuple[str, ...] = ()
    against: str = ""
    lines: tuple[Line, ...] = ()
    missing: tuple[str, ...] = ()
    problem: str = ""


def about(entry: PresetEntry, project: Project | None, track: str) -> About:
    """Find out what a preset holds, and what it would change in a project."""
    preset = entry.preset
    if preset is None:
        return About(entry, problem=entry.problem or "")
    try:
        holds = tuple(preset_words(preset))
        if project is None:
            return About(entry, holds)
        found = About(entry, holds, _against(entry.kind, project, track))
        lines = tuple(differences(preset, project, track))
        return replace(found, lines=lines, missing=tuple(missing_buses(preset, project)))
    except CovermakerError as error:
        return About(entry, problem=str(error))


def _against(kind: Kind, project: Project, track: str) -> str:
    owner = {"racks": track, "masters": "master", "voices": "voice"}[kind]
    return f"{one_line(project.cover.title)}: {owner}"


def cells(entry: PresetEntry, *, is_first: bool, in_use: bool, charset: Charset) -> list[Cell]:
    """Return kind, name and mark of a preset; the kind is said in its first row only."""
    kind = (entry.kind.removesuffix("s") if is_first else "", "quiet")
    if entry.problem:
        mark = (said("failed", charset, "damaged"), "failed")
    elif in_use:
        mark = (said("done", charset, "in use"), "done")
    elif entry.hides:
        mark = ("edited", "")
    else:
        mark = ("shipped", "quiet") if entry.shipped else ("yours", "")
    return [kind, (one_line(entry.name), ""), mark]


@dataclass(frozen=True)
class Look:
    """How the details are written: Rich styles by the name of a state, the character set, cells in a line."""

    styles: Mapping[str, str]
    charset: Charset
    named: Callable[[str], str]
    width: int = 40


def details(found: About, who: Users | None, look: Look) -> Text:
    """Return the text about one preset; `who` is None while nobody has looked yet."""
    entry, page = found.entry, Text()
    if entry.description:
        page.append(one_line(entry.description) + "\n")
    where = "shipped, read only: {presets.copy} copies it" if entry.shipped else "yours"
    if entry.hides:
        where = "yours, in place of the shipped one: {presets.remove} brings that back"
    page.append(look.named(where) + "\n", look.styles["quiet"])
    if not entry.shipped:
        page.append(f"{tilde(entry.path)}\n", look.styles["quiet"])
    if found.problem:
        page.append(f"\n{said('failed', look.charset)} {found.problem}\n", look.styles["failed"])
        return page
    page.append(_who(who) + "\n", look.styles["quiet"])
    _diff(page, found, look)
    page.append("\nholds\n", "bold")
    for line in found.holds:
        page.append(_hanging("  ", line, look.width))
    page.rstrip()
    return page


def _diff(page: Text, found: About, look: Look) -> None:
    if not found.against:
        page.append(look.named(_NO_PROJECT) + "\n", look.styles["quiet"])
        return
    page.append("\nagainst " + found.against + "\n", "bold")
    if not found.lines:
        page.append("  " + said("done", look.charset, "the same") + "\n", look.styles["done"])
    for line in found.lines:
        page.append(f"  {line.sign} ", look.styles[_TONES[line.sign]])
        page.append(_hanging("", line.words, look.width, 4))
    for bus in found.missing:
        page.append(f"  ! the song has no bus {bus}: its send is left out\n", look.styles["stale"])


def _hanging(lead: str, words: str, width: int, used: int = 0) -> str:
    """Return a line that goes on below, further in than it began; `used` cells of it are written already."""
    more = " " * (len(lead) + used + 2)
    room = max(width, 20)
    # A value and its unit stay on one line.
    glued = ", ".join(
        piece.replace(" ", _GLUE) if len(more) + len(piece) < room else piece for piece in words.split(", ")
    )
    lines = wrapped(glued, room - len(more), first=room - len(lead) - used)
    return (lead + f"\n{more}".join(lines)).replace(_GLUE, " ") + "\n"


_NO_PROJECT: Final = (
    "\nNo song is open to compare with: {studio.library} shows your songs, {library.open} opens one."
)


def _who(who: Users | None) -> str:
    if who is None:
        return "looking who uses it"
    if not who.same and not who.edited:
        return "no song has it"
    parts = []
    if who.same:
        parts.append(f"in {count(len(who.same), 'song')}: {_names(who.same)}")
    if who.edited:
        parts.append(f"edited in {count(len(who.edited), 'song')}: {_names(who.edited)}")
    return "; ".join(parts)


def _names(songs: Sequence[tuple[Path, str]]) -> str:
    names = [one_line(title) for _, title in songs[:_NAMED_USERS]]
    more = len(songs) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def stretch_words(loop: tuple[float, float]) -> str:
    """Say which stretch is heard."""
    return f"{clock(loop[0])} to {clock(loop[1])}"


def new_preset(project: Project, kind: Kind, track: str, name: str, description: str = "") -> Preset:
    """Return what a project has as a preset of that name.

    Raises
    ------
    UsageError
        When a master has no loudness to reach.
    """
    return taken(project, kind, track, name, description or f"As in {one_line(project.cover.title)}.")
