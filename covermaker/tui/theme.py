"""The studio's colours: a dark theme and a light one beside Textual's own.

Three colours tell states: blue is done, yellow stale, vermilion failed. They are the ones of Okabe and Ito that stay
furthest apart for protanopes, deuteranopes and tritanopes; on a light ground their darker neighbours. Every theme has
them, Textual's own too, whose green and red a deuteranope cannot tell apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import Theme

if TYPE_CHECKING:
    from covermaker.tui.words import Charset

NAME: Final = "covermaker"
LIGHT_NAME: Final = "covermaker-light"

# By whether the ground is dark.
STATES: Final = {
    True: {"done": "#56B4E9", "run": "#56B4E9", "stale": "#F0E442", "failed": "#D55E00", "quiet": "#9AA0A6"},
    False: {"done": "#005B94", "run": "#005B94", "stale": "#7A6A00", "failed": "#A63C00", "quiet": "#5F6368"},
}

TONES: Final = tuple(STATES[True])

DARK = Theme(
    name=NAME,
    primary="#8AB4F8",
    secondary="#B39DDB",
    accent="#E8A87C",
    foreground="#E8EAED",
    background="#121212",
    surface="#181A1D",
    panel="#23262B",
    success=STATES[True]["done"],
    warning=STATES[True]["stale"],
    error=STATES[True]["failed"],
    dark=True,
    variables={"footer-key-foreground": "#8AB4F8", "input-selection-background": "#8AB4F8 35%"},
)
LIGHT = Theme(
    name=LIGHT_NAME,
    primary="#1A4FA3",
    secondary="#5E4B8B",
    accent="#8A4B20",
    foreground="#1C1E21",
    background="#FAFAF8",
    surface="#F1F1EE",
    panel="#E2E3E0",
    success=STATES[False]["done"],
    warning=STATES[False]["stale"],
    error=STATES[False]["failed"],
    dark=False,
    variables={"footer-key-foreground": "#1A4FA3"},
)


def state_variables(dark: bool) -> dict[str, str]:
    """Return the colours of states as CSS variables: ``$state-done`` and so on."""
    return {f"state-{name}": color for name, color in STATES[dark].items()}


class _PlainBar(ScrollBarRender):
    """A scrollbar without eighths of a block at its ends."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]


def draw_scrollbars(charset: Charset) -> None:
    """Draw all scrollbars of the process in a character set."""
    ScrollBar.renderer = _PlainBar if charset == "ascii" else ScrollBarRender
