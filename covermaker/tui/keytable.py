"""The table of the studio's screens and of everything a person can do on them; `keymap` makes keys of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERYWHERE = "all"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can do.

    Attributes
    ----------
    id : str
        Unique; what a settings file calls it.
    key : str
        Its keys, separated by spaces, the first one shown; empty for what only the palette offers.
    label : str
        One or two words, for the footer.
    tooltip : str
        One sentence, for help, palette and the page of keys.
    screen : str
        The screen it belongs to; `EVERYWHERE`, or the name of a dialog.
    pane : str
        The pane that must have the focus; empty for the whole screen.
    group : str
        Actions of one group stand together in the footer under this label.
    costly : bool
        It costs minutes or cannot be undone: its key is a capital.
    footer : bool
        Shown in the footer where there is room.
    run : str
        Textual's action, where it is not the last part of the id.
    priority : bool
        Heard before anything else, in dialogs and while text is typed, too.
    """

    id: str
    key: str
    label: str
    tooltip: str
    screen: str = EVERYWHERE
    pane: str = ""
    group: str = ""
    costly: bool = False
    footer: bool = False
    run: str = ""
    priority: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys as people write them."""
        return tuple(self.key.split())

    @property
    def action(self) -> str:
        """Textual's name of the action: a method ``action_<name>`` of the pane, the screen or the app."""
        return self.run or self.id.rpartition(".")[2].replace("-", "_")


@dataclass(frozen=True, slots=True)
class Seat:
    """A screen: the digit that opens it, its name, and in one sentence what it holds."""

    name: str
    key: str
    label: str
    sentence: str


SEATS: Final = (
    Seat("library", "1", "Library", "Your songs: which are done, which are stale and why."),
    Seat("project", "2", "Project", "One song: its steps, its sound before and after, its mixer."),
    Seat("rack", "3", "Rack", "Here will be a track's effects, changed while you hear them."),
    Seat(
        "voices",
        "4",
        "Voices",
        "Here will be your voices: their takes, their training and their checkpoints.",
    ),
    Seat("batch", "5", "Batch", "Here will be the queue that renders many songs one after another."),
    Seat(
        "presets",
        "6",
        "Presets",
        "Here will be racks, masters and voice settings to apply, compare and keep.",
    ),
)

_MOVES: Final = (
    ("up", "up k", "Up", "Go to the row above."),
    ("down", "down j", "Down", "Go to the row below."),
    ("page-up", "pageup", "Page up", "Go up by a page."),
    ("page-down", "pagedown", "Page down", "Go down by a page."),
    ("first", "home g", "First", "Go to the first row."),
    ("last", "end G", "Last", "Go to the last row."),
)


def moves(screen: str, pane: str) -> tuple[Action, ...]:
    """Return the actions of anything that lists or scrolls."""
    return tuple(
        Action(f"{screen}.{pane}-{name}", key, label, words, screen, pane, run=f"go_{name.replace('-', '_')}")
        for name, key, label, words in _MOVES
    )


ACTIONS: Final = (
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
    Action("library.open", "enter", "Open", "Open the song's project.", "library", "songs", footer=True),
    Action("library.add", "+", "Add",
           "Add a song: choose a file, or drop its path here.", "library", footer=True),
    Action("library.render", "r", "Render",
           "Render the selected song, or all that are marked.", "library", footer=True),
    Action("library.render-stale", "R", "All stale",
           "Render every stale song, one after another.", "library", costly=True, footer=True),
    Action("library.cancel", "c", "Cancel",
           "Stop the selected song's render; finished steps are kept.", "library", footer=True),
    Action("library.mark", "v", "Mark",
           "Mark the song, for rendering or removing several at once.", "library", "songs"),
    Action("library.filter", "/", "Filter",
           "Show only the songs whose line holds what is typed; escape shows all.", "library", footer=True),
    Action("library.sort", "o", "Sort", "Sort by the next column.", "library"),
    Action("library.remove", "d", "Remove",
           "Move the song's folder to the trash of the library; z brings it back.", "library", footer=True),
    Action("library.reload", "ctrl+r", "Read again", "Read the folder of projects again.", "library"),
    Action("library.clear", "escape", "Clear", "Clear the filter and the marks.", "library"),
    *moves("library", "songs"),
    *moves("library", "details"),
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
    Action("log.close", "escape q", "Back", "Go back to the screen.", "log", footer=True),
    Action("log.follow", "f", "Follow", "Follow what is new again.", "log", footer=True),
    *moves("log", "lines"),
    Action("help.close", "escape q ? f1", "Back", "Go back to the screen.", "help", footer=True),
    *moves("help", "page"),
    Action("jump.close", "escape ctrl+o", "Back", "Leave the jump mode.", "jump", footer=True),
    Action("ask.no", "escape n", "No", "Change nothing and go back.", "ask"),
    Action("ask.yes", "y", "Yes", "Do what was asked.", "ask"),
)  # fmt: skip
