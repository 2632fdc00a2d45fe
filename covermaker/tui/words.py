"""What the studio says: states as a glyph and a word, and figures as people read them.

No state is told by colour alone, and no glyph alone: a screen reader and a screen without colour get the word.
Every glyph is one cell wide and has a spelling in three character sets.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.cells import cell_len, set_cell_size

from covermaker import texts
from covermaker.texts import one_line as one_line
from covermaker.units import clock
from covermaker.units import share as share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

Charset: TypeAlias = Literal["unicode", "block", "ascii"]

STATES: Final = {
    "done": ("✓", "done"),
    "run": ("►", "running"),
    "stale": ("~", "stale"),
    "failed": ("✗", "failed"),
    "wait": ("·", "waiting"),
    "cached": ("=", "cached"),
    "warn": ("!", "warning"),
    "new": ("·", "new"),
    "stopped": ("-", "stopped"),
}

# Where a state has the colour of another one.
_TONES: Final = {
    "": "quiet",
    "wait": "quiet",
    "new": "quiet",
    "stopped": "quiet",
    "warn": "stale",
    "cached": "done",
}

# Of the glyphs above and of the few signs that screens draw. `block` keeps to what code page 437 and every console
# font have; `ascii` to what a serial line has.
_SPELLINGS: Final[dict[Charset, dict[str, str]]] = {
    "unicode": {},
    "block": {"✓": "√", "✗": "x"},
    "ascii": {
        "✓": "v",
        "►": ">",
        "✗": "x",
        "·": ".",
        "→": "->",
        "…": "~",
        "█": "#",
        "░": "-",
        "─": "-",
        "│": "|",
    },
}

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def spelt(text: str, charset: Charset) -> str:
    """Return a text of ours with its glyphs in a character set; titles of songs are not ours and stay."""
    for glyph, spelling in _SPELLINGS[charset].items():
        text = text.replace(glyph, spelling)
    return text


def glyph(state: str, charset: Charset = "unicode") -> str:
    """Return the sign of a state."""
    return spelt(STATES[state][0], charset)


def said(state: str, charset: Charset = "unicode", words: str = "") -> str:
    """Return a state as a glyph and a word: ``"~ stale"``; `words` take the place of the word."""
    return f"{glyph(state, charset)} {words or STATES[state][1]}"


def tone_of(state: str) -> str:
    """Return the tone of a state: what `theme.STATES` names its colour."""
    return _TONES.get(state, state)


def length(seconds: float | None) -> str:
    """Write a duration: ``3:42``; ``?`` when nobody knows it yet."""
    return "?" if seconds is None else clock(seconds)


def level(db: float | None, unit: str = "dB") -> str:
    """Write a level: ``-14.0 LUFS``; silence has none."""
    if db is None or db == -math.inf:
        return "silence"
    return f"{db:.1f} {unit}"


def left(seconds: float | None) -> str:
    """Write how long something still takes: ``0:20 left``; nothing when nobody knows."""
    return "" if seconds is None else f"{clock(seconds)} left"


def about(seconds: float) -> str:
    """Write an estimate, no finer than it is: ``about 0:50``."""
    coarse = 5.0 if seconds < MINUTE else 10.0 if seconds < 10 * MINUTE else MINUTE
    return f"about {clock(max(coarse, math.ceil(seconds / coarse) * coarse))}"


def ago(seconds: float) -> str:
    """Write how long ago something was: ``12 min ago``, ``yesterday``."""
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min ago"
    if seconds < DAY:
        return f"{seconds // HOUR:.0f} h ago"
    if seconds < 2 * DAY:
        return "yesterday"
    return f"{seconds // DAY:.0f} days ago"


def count(number: int, thing: str, things: str | None = None) -> str:
    """Write a number of things: ``1 song``, ``2 songs``."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def cut(text: str, cells: int, charset: Charset) -> str:
    """Return a text in no more than so many cells; an ellipsis tells that there is more of it."""
    return texts.cut(text, cells, spelt("…", charset))


def wrapped(text: str, cells: int, *, first: int | None = None) -> list[str]:
    """Return a text as lines of no more than so many cells, the `first` perhaps of another number.

    Lines are broken at spaces; a word that is too long for a line is cut apart, a path at a slash.
    """
    lines, room = [""], cells if first is None else first
    for word in text.replace("\n", " ").split(" "):
        while cell_len(word) > (room if not lines[-1] else max(room, cells)):
            if lines[-1]:
                lines, room = [*lines, ""], cells
            fits = set_cell_size(word, room).rstrip() or word[0]
            lines[-1] = fits[: fits.rfind("/") + 1] or fits
            word = word[len(lines[-1]) :]
            lines, room = [*lines, ""], cells
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > room:
            lines, room = [*lines, ""], cells
        lines[-1] += f" {word}" if lines[-1] else word
    return [line.rstrip() for line in lines if line.strip(" ")] or [""]


def fitted(pieces: Sequence[str], cells: int, rows: int, *, before: str = "", behind: str = "") -> str:
    """Return as many pieces as fit into so many lines; of the others is told how many they are."""
    text = ""
    for number in range(len(pieces), 0, -1):
        more = f"; …, and {len(pieces) - number} more" if number < len(pieces) else ""
        text = f"{before}{'; '.join(pieces[:number])}{more}{behind}"
        if len(wrapped(text, cells)) <= rows:
            break
    return text


def clipped(text: Text, console: Console, cells: int, rows: int, charset: Charset) -> Text:
    """Return a text that takes no more than so many lines; an ellipsis tells that there is more of it."""
    lines = list(text.wrap(console, cells)) if cells > 0 else []
    if len(lines) <= max(1, rows):
        return text
    lines = lines[: max(1, rows)]
    lines[-1].rstrip()
    lines[-1].truncate(cells - 2)
    lines[-1].append(spelt(" …", charset))
    first, *more = lines
    for line in more:
        first = first.append("\n").append_text(line)
    return first
