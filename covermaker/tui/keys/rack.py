"""What can be done on the Rack screen."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action, moves

RACK: Final = (
    Action("rack.add", "+", "Add",
           "Add an effect behind the selected one: choose it from a list.", "rack", footer=True),
    Action("rack.switch", "a", "A/B",
           "Hear what goes into the rack instead of what comes out, or back, without a gap.", "rack", footer=True),
    Action("rack.toggle", "o", "On/off", "Turn the effect off, or on again.", "rack", footer=True,
           run="switch_effect"),
    Action("rack.play", "space", "Play", "Play or pause the loop.", "rack", footer=True),
    Action("rack.remove", "d", "Remove", "Take the effect out; {studio.undo} brings it back.", "rack", footer=True),
    Action("rack.move-down", "J", "Later", "Move the effect to a later place.", "rack", group="Move", footer=True),
    Action("rack.move-up", "K", "Earlier", "Move the effect to an earlier place.", "rack", group="Move", footer=True),
    Action("rack.bypass-all", "b", "Bypass all",
           "Turn every effect off; once more turns on those that were.", "rack"),
    Action("rack.match", "x", "Match", "Make A and B equally loud, or leave them as they are.", "rack"),
    Action("rack.difference", "n", "Difference",
           "Hear what the rack adds and takes away, or what comes out of it.", "rack"),
    Action("rack.spectrum", "f", "Spectrum", "Show the effect's spectrum in place of its levels, or back.", "rack"),
    Action("rack.owner-previous", "{", "Channel before",
           "Go to the rack of the channel before.", "rack", group="Channel"),
    Action("rack.owner-next", "}", "Next channel", "Go to the rack of the next channel.", "rack", group="Channel"),
    Action("rack.preset", "l", "Preset", "Put a preset on the rack; {studio.undo} takes it back.", "rack"),
    Action("rack.compare", "v", "Compare", "Show what a preset would change.", "rack"),
    Action("rack.save", "w", "Save preset", "Save the rack as a preset of your own.", "rack"),
    Action("rack.render", "r", "Render", "Render what is new or stale.", "rack"),
    Action("rack.earlier", ",", "Loop back", "Move the loop five seconds back; without one, go back.", "rack"),
    Action("rack.later", ".", "Loop on", "Move the loop five seconds on; without one, go on.", "rack"),
    Action("rack.loop-in", "[", "Loop in", "Begin the loop at the playhead.", "rack"),
    Action("rack.loop-out", "]", "Loop out", "End the loop at the playhead.", "rack"),
    Action("rack.loop", "\\", "Loop", "Turn the loop off, to hear the last render of the track, or on.", "rack"),
    Action("rack.back", "escape", "Project", "Go back to the project.", "rack"),
    Action("rack.edit", "enter right", "Parameters",
           "Go to the parameters of the effect.", "rack", "chain", footer=True),
    *moves("rack", "chain"),
    Action("rack.less", "-", "Less", "A step less.", "rack", "parameters", "Value", footer=True),
    Action("rack.more", "=", "More", "A step more.", "rack", "parameters", "Value", footer=True),
    Action("rack.finer-less", "left", "Finer less", "A fine step less.", "rack", "parameters"),
    Action("rack.finer-more", "right", "Finer more", "A fine step more.", "rack", "parameters"),
    Action("rack.type", "t", "Type", "Type a value: -2.5, 6.8k, 1.2 s.", "rack", "parameters", footer=True),
    Action("rack.default", "0", "Default", "Give the parameter its default back.", "rack", "parameters", footer=True),
    Action("rack.preset-value", "p", "Preset's value",
           "Give the parameter the value that it has in the preset.", "rack", "parameters"),
    Action("rack.parameter-down", "down j", "Next value", "Choose the next parameter.", "rack", "parameters"),
    Action("rack.parameter-up", "up k", "Value before", "Choose the parameter before.", "rack", "parameters"),
    Action("rack.left", "left", "Back 1 s", "Go back a second.", "rack", "loop"),
    Action("rack.right", "right", "On 1 s", "Go on by a second.", "rack", "loop"),
)  # fmt: skip
