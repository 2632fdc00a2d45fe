"""The panes of the Presets screen: the list, and what there is to say of one."""

from __future__ import annotations

from covermaker.effects.presets import PresetEntry
from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Column, Listing, Reader


class Presets(Pane, Listing[PresetEntry], inherit_bindings=False):
    """The presets, kind by kind."""

    SCREEN = "presets"
    PANE = "list"
    TITLE = "Presets"
    HELP_TEXT = (
        "Racks for a track, masters and voice settings for the whole song. {presets.apply} copies the values into the "
        "open song: a later edit of the preset changes no song by itself. Shipped presets stay as they are; "
        "{presets.copy} makes a copy of your own, {presets.save} a preset of what the open song has."
    )
    BINDINGS = bindings("presets", "list")
    COLUMNS = (
        Column("kind", "Kind", 6, from_width=24),
        Column("name", "Name", 12, flexible=True),
        Column("mark", "", 9),
    )

    def refusal(self, action_id: str) -> str | None:
        """Say why a preset cannot be applied."""
        if action_id != "presets.apply":
            return None
        screen = self.screen
        why = getattr(screen, "no_apply", None)
        return why() if why is not None else None

    def action_apply(self) -> None:
        """Apply the preset."""
        self.post_message(self.Opened())


class PresetDetails(Pane, Reader, inherit_bindings=False):
    """What a preset holds, who uses it, and what it would change."""

    SCREEN = "presets"
    PANE = "details"
    TITLE = "Preset"
    HELP_TEXT = (
        "Where the preset lies and which songs have its values; what applying it to the open song would change; and "
        "what it holds. {presets.track} compares with the next track."
    )
    BINDINGS = bindings("presets", "details")
