"""What can be done in the log, in help, in jump mode, in questions and in the dialogs of a screen."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action, moves

DIALOGS: Final = (
    Action("log.close", "escape q", "Back", "Go back to the screen.", "log", footer=True),
    Action("log.follow", "f", "Follow", "Follow what is new again.", "log", footer=True),
    *moves("log", "lines"),
    Action("help.close", "escape q ? f1", "Back", "Go back to the screen.", "help", footer=True),
    *moves("help", "page"),
    Action("jump.close", "escape ctrl+o", "Back", "Leave the jump mode.", "jump", footer=True),
    Action("ask.no", "escape n", "No", "Change nothing and go back.", "ask"),
    Action("ask.yes", "y", "Yes", "Do what was asked.", "ask"),
    Action("form.leave", "escape", "Leave it", "Change nothing and go back.", "form"),
    Action("form.enter", "enter", "Enter", "Go to the next field; in the last one, answer.", "form", priority=True),
    Action("form.next", "tab", "Next", "Go to the next field.", "form"),
    Action("form.previous", "shift+tab", "Previous", "Go to the field before.", "form"),
    Action("singing.less", "- left", "Less", "A step less, or the choice before.", "singing"),
    Action("singing.more", "= right", "More", "A step more, or the next choice.", "singing"),
    Action("singing.choose", "enter", "Choose",
           "Turn the switch, choose from a list, or type a value.", "singing"),
    Action("singing.type", "t", "Type", "Type a value: -12, 50 %, F# minor, anna 0.7, ben 0.3.", "singing"),
    Action("singing.default", "0 d", "Default", "Give the setting its default back.", "singing"),
    Action("singing.undo", "z ctrl+z", "Undo", "Take the last change of the song back.", "singing"),
    Action("singing.redo", "Z ctrl+y", "Redo", "Do again what was taken back.", "singing"),
    Action("singing.close", "escape q h", "Back", "Go back to the song.", "singing"),
    *moves("singing", "settings"),
    Action("picker.up", "up", "Up", "Go to the row above.", "picker", priority=True),
    Action("picker.down", "down", "Down", "Go to the row below.", "picker", priority=True),
    Action("picker.mark", "v", "Mark", "Mark the file or folder, to add several at once.", "picker"),
    Action("picker.add", "+", "Add",
           "Add what is marked, else the selected file; of a folder all that is in it.", "picker"),
    Action("picker.here", "=", "This folder", "Take the folder that is open.", "picker"),
)  # fmt: skip
