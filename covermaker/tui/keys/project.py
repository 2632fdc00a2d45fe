"""What can be done on the Project screen."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action

PROJECT: Final = (
    Action("project.play", "space", "Play", "Play or pause what the waveforms show.", "project", footer=True),
    Action("project.switch", "a", "A/B",
           "Hear the original instead of the cover, or back, without a gap.", "project", footer=True),
    Action("project.preview", "p", "Preview",
           "Hear the mix of the loop as it would be rendered now.", "project", footer=True),
    Action("project.listen", "v", "Vocal/mix", "Hear and show the vocal, or the whole mix.", "project"),
    Action("project.match", "x", "Match", "Make A and B equally loud, or leave them as they are.", "project"),
    Action("project.render", "r", "Render", "Render what is new or stale.", "project", footer=True),
    Action("project.cancel", "c", "Cancel", "Stop the render; finished steps are kept.", "project"),
    Action("project.export", "e", "Export", "Say where the rendered files are.", "project", footer=True),
    Action("project.rewind", ",", "Back 5 s", "Go back five seconds.", "project"),
    Action("project.forward", ".", "On 5 s", "Go on by five seconds.", "project"),
    Action("project.loop-in", "[", "Loop in", "Begin the loop at the playhead.", "project"),
    Action("project.loop-out", "]", "Loop out", "End the loop at the playhead.", "project"),
    Action("project.loop", "\\", "Loop", "Turn the loop on or off.", "project"),
    Action("project.back", "escape", "Library", "Go back to the library.", "project"),
    Action("project.step-next", "right", "Next step", "Choose the next step.", "project", "steps"),
    Action("project.step-previous", "left", "Step before", "Choose the step before.", "project", "steps"),
    Action("project.why", "enter", "Why", "Say why the step is stale, or how long it took.",
           "project", "steps", footer=True),
    Action("project.zoom-in", "}", "Zoom in", "Show a shorter stretch.", "project", "wave", footer=True),
    Action("project.zoom-out", "{", "Zoom out", "Show a longer stretch.", "project", "wave", footer=True),
    Action("project.whole", "home", "All", "Show the whole song.", "project", "wave"),
    Action("project.left", "left", "Back 1 s", "Go back a second.", "project", "wave"),
    Action("project.right", "right", "On 1 s", "Go on by a second.", "project", "wave"),
    Action("project.follow", "f", "Follow", "Keep the playhead in sight, or not.", "project", "wave"),
    Action("project.track-down", "down j", "Next channel", "Choose the next channel.", "project", "mixer"),
    Action("project.track-up", "up k", "Channel before", "Choose the channel before.", "project", "mixer"),
    Action("project.gain-down", "-", "Quieter", "Half a dB quieter.", "project", "mixer", "Gain", footer=True),
    Action("project.gain-up", "=", "Louder", "Half a dB louder.", "project", "mixer", "Gain", footer=True),
    Action("project.fine-down", "left", "Finer quieter", "A tenth of a dB quieter.", "project", "mixer"),
    Action("project.fine-up", "right", "Finer louder", "A tenth of a dB louder.", "project", "mixer"),
    Action("project.mute", "m", "Mute", "Mute the track, or not.", "project", "mixer", footer=True),
    Action("project.solo", "s", "Solo",
           "Hear the track alone in the preview; this is not saved.", "project", "mixer", footer=True),
    Action("project.type", "t", "Type", "Type a value: -2.5.", "project", "mixer", footer=True),
    Action("project.unity", "0", "Default", "Put the fader back to its default.", "project", "mixer"),
    Action("project.pan-left", "<", "Pan left", "Pan the track to the left.", "project", "mixer"),
    Action("project.pan-right", ">", "Pan right", "Pan the track to the right.", "project", "mixer"),
    Action("project.sends", "n", "Sends",
           "Turn the faders to the sends of the next bus, then back to the gains.", "project", "mixer"),
)  # fmt: skip
