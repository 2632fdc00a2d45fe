"""The page with what a preset would change of a rack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from covermaker.tui.help import HelpScreen
from covermaker.tui.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.effects.preset_edits import Line


def comparison(name: str, preset: str, lines: Sequence[Line]) -> HelpScreen:
    """Return the page on a channel's rack."""
    words = {"~": "changes", "+": "adds", "-": "removes"}
    text = Text()
    if lines:
        text.append(f"'{preset}' would make {count(len(lines), 'change')}:\n\n")
    for line in lines:
        text.append(f"{words[line.sign]:>7}  ", "bold")
        text.append(f"{line.words}\n")
    if not lines:
        text.append("Nothing: the rack is as in the preset.\n")
    return HelpScreen(text, f"{name} compared with {preset}")
