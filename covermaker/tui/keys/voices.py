"""What can be done on the Voices screen."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action, moves

VOICES: Final[tuple[Action, ...]] = (
    Action("voices.play", "space", "Play",
           "Play or pause the selected checkpoint's test phrase, or the selected take.", "voices", footer=True),
    Action("voices.switch", "a", "A/B",
           "Hear what the checkpoint is held against, or back, without a gap.", "voices", footer=True),
    Action("voices.new", "+", "New",
           "Make a voice from recordings: choose one, or drop files and folders here.", "voices", footer=True),
    Action("voices.train", "T", "Train",
           "Train the voice, or go on with a training that was stopped; asks how long first.", "voices",
           costly=True, footer=True),
    Action("voices.stop", "S", "Stop",
           "Let the training save and end, wherever it runs; it can go on later.", "voices",
           costly=True, footer=True),
    Action("voices.promote", "P", "Promote",
           "Make the selected checkpoint the voice.", "voices", costly=True, footer=True),
    Action("voices.import", "i", "Import", "Take more recordings in for the voice.", "voices", footer=True),
    Action("voices.scan", "s", "Scan",
           "Look for noise, clipping, music and other singers in the takes.", "voices", footer=True),
    Action("voices.kill", "X", "Kill",
           "End the training at once; says first what is lost.", "voices", costly=True),
    Action("voices.against", "b", "B is",
           "Hold the checkpoint against the marked or best one, the singer, or what was sung to it.", "voices"),
    Action("voices.phrase", "t", "Phrase",
           "Show the figures of the next test phrase, and hear that one.", "voices"),
    Action("voices.match", "x", "Match", "Make A and B equally loud, or leave them as they are.", "voices"),
    Action("voices.rewind", ",", "Back 5 s", "Go back five seconds.", "voices"),
    Action("voices.forward", ".", "On 5 s", "Go on by five seconds.", "voices"),
    Action("voices.cancel", "c", "Cancel",
           "Stop the voice's scan, import or audition.", "voices"),
    Action("voices.back", "escape", "Library", "Go back to the library.", "voices"),
    Action("voices.show", "enter", "Show", "Go to what there is of the voice.", "voices", "list"),
    *moves("voices", "list"),
    Action("voices.choose", "o", "Keep/skip",
           "Leave the take out of training, or keep it; {studio.undo} takes that back.",
           "voices", "takes", footer=True),
    *moves("voices", "takes"),
    Action("voices.graph", "g", "Graph", "Show the losses, or the scores of the saves.", "voices", "training",
           footer=True),
    Action("voices.log-y", "y", "Log y", "Draw small values larger, or all to scale.", "voices", "training",
           footer=True),
    Action("voices.mark", "v", "Mark", "Mark the checkpoint: the others are held against it.",
           "voices", "checkpoints", footer=True),
    *moves("voices", "checkpoints"),
    *moves("voices", "card"),
)  # fmt: skip
