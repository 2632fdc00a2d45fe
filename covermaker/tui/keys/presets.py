"""What can be done on the Presets screen."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action, moves

PRESETS: Final = (
    Action("presets.apply", "enter", "Apply",
           "Copy the preset into the open song; {studio.undo} takes it back.", "presets", "list", footer=True),
    Action("presets.hear", "space", "Hear",
           "Hear the open song's loop with the preset, without changing the song; again pauses.",
           "presets", footer=True),
    Action("presets.switch", "a", "A/B",
           "Hear the song as it is (A) or with the preset (B), without a gap.", "presets", footer=True),
    Action("presets.copy", "+", "Copy", "Copy the preset to another name, to change it.", "presets", footer=True),
    Action("presets.save", "w", "Save song's",
           "Save what the open song has as a new preset of this kind.", "presets", footer=True),
    Action("presets.edit", "e", "Edit", "Open your preset's file in your editor.", "presets", footer=True),
    Action("presets.rename", "n", "Rename", "Give your preset another name.", "presets"),
    Action("presets.update", "u", "Update",
           "Put what the open song has into your preset; {studio.undo} takes it back.", "presets"),
    Action("presets.remove", "d", "Remove",
           "Move your preset into the trash; {studio.undo} brings it back.", "presets", footer=True),
    Action("presets.track", "v", "Track", "Compare with the next track, and apply racks to it.", "presets"),
    Action("presets.back", ",", "Loop back", "Hear a stretch that lies a loop earlier.", "presets"),
    Action("presets.forward", ".", "Loop on", "Hear a stretch that lies a loop later.", "presets"),
    Action("presets.stop", "escape", "Stop", "Stop the sound.", "presets"),
    *moves("presets", "list"),
    *moves("presets", "details"),
)  # fmt: skip
