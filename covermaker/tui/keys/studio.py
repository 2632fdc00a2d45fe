"""The screens, and what can be done on all of them."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action, Seat

SEATS: Final = (
    Seat("library", "1", "Library", "Your songs: which are done, which are stale and why."),
    Seat("project", "2", "Project", "One song: its steps, its sound before and after, its mixer."),
    Seat("rack", "3", "Rack", "The effects of a track, a bus or the master, changed while you hear them."),
    Seat(
        "voices",
        "4",
        "Voices",
        "Your voices: their takes, their training as it runs, their checkpoints to hear and choose.",
    ),
    Seat(
        "batch",
        "5",
        "Batch",
        "Many songs one after another: renders of this studio, or a batch that outlives it.",
    ),
    Seat(
        "presets",
        "6",
        "Presets",
        "Racks, masters and voice settings to apply, compare, hear and keep.",
    ),
)

STUDIO: Final = (
    *(
        Action(f"studio.{seat.name}", seat.key, seat.label, f"Open the {seat.label} screen.",
               run=f"app.show('{seat.name}')")
        for seat in SEATS
    ),
    Action("studio.pane-next", "tab", "Pane", "Go to the next pane.", run="screen.pane_next"),
    Action("studio.pane-previous", "shift+tab", "Pane back",
           "Go to the pane before.", run="screen.pane_previous"),
    Action("studio.jump", "ctrl+o", "Jump",
           "Put a letter on each pane and go where it is typed.", run="app.jump"),
    Action("studio.palette", "ctrl+p", "All",
           "Find any action, song or screen by typing.", run="app.command_palette", footer=True),
    Action("studio.log", "L", "Log", "Show the full log of all jobs.", run="app.log", footer=True),
    Action("studio.undo", "z ctrl+z", "Undo",
           "Take the last change back.", run="app.undo", group="Undo, redo", footer=True),
    Action("studio.redo", "Z ctrl+y", "Redo",
           "Do again what was taken back.", run="app.redo", group="Undo, redo", footer=True),
    Action("studio.quit", "q", "Quit", "Leave; asks only when work would be lost.", run="app.leave"),
    Action("studio.leave", "ctrl+q", "Quit",
           "Leave from anywhere, from inside a dialog too.", run="app.leave", priority=True),
    Action("studio.help", "? f1", "Help",
           "Help for the pane that has the focus, then all keys.", run="app.help", footer=True),
    Action("studio.theme", "", "Theme", "Choose other colours.", run="app.change_theme"),
    Action("studio.maximise", "", "Enlarge pane",
           "Give the pane with the focus the whole screen; escape gives it back.", run="app.enlarge"),
    Action("studio.screenshot", "", "Screenshot", "Save the screen as an SVG picture.", run="app.screenshot"),
)  # fmt: skip
