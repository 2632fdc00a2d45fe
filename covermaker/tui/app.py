"""The studio: six screens on the digits, what lies over them, jobs, and leaving without losing work."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events, work
from textual._context import active_message_pump
from textual.command import CommandPalette
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from covermaker.jobs.launch import COMMAND
from covermaker.tui import leaving, toast
from covermaker.tui.actions import Pane
from covermaker.tui.ask import Ask
from covermaker.tui.help import HelpScreen, help_text
from covermaker.tui.jump import JumpScreen, targets
from covermaker.tui.keymap import bindings, customised, overrides
from covermaker.tui.keytable import EVERYWHERE, SEATS
from covermaker.tui.listening import Ears
from covermaker.tui.log import LogScreen
from covermaker.tui.palette import ActionProvider, SongProvider
from covermaker.tui.screens.base import NOTHING_TO_UNDO, StudioScreen
from covermaker.tui.screens.library import LibraryScreen
from covermaker.tui.working import Working

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.screen import Screen
    from textual.widget import AwaitMount

    from covermaker.project.library import Row
    from covermaker.project.load import Project
    from covermaker.tui.keytable import Seat
    from covermaker.tui.settings import Settings

# Loaded when they are opened: what they draw with costs a quarter of a second that the library does not need.
_SCREENS = {
    "project": "covermaker.tui.screens.project:ProjectScreen",
    "voices": "covermaker.tui.screens.voices:VoicesScreen",
    "rack": "covermaker.tui.screens.rack:RackScreen",
    "batch": "covermaker.tui.screens.batch:BatchScreen",
    "presets": "covermaker.tui.screens.presets:PresetsScreen",
}


class Studio(Working, inherit_bindings=False):
    """The terminal studio.

    Parameters
    ----------
    root : Path
        The folder of projects.
    settings : Settings
        The user's.
    child : sequence of str
        What runs jobs; tests give a process of their own.
    """

    TITLE = "Covermaker"
    CSS_PATH = "studio.tcss"
    BINDINGS = bindings(EVERYWHERE)
    COMMANDS: ClassVar = {ActionProvider, SongProvider}
    NOTIFICATION_TIMEOUT = toast.SECONDS

    def __init__(self, root: Path, settings: Settings, *, child: Sequence[str] = COMMAND) -> None:
        self.dress(settings)
        self.employ(child)
        super().__init__()
        self.root = root
        self.keys, self._problems = customised(settings.keymap)
        self.songs: list[Row] = []
        self.project: Path | None = None
        self.channel = ""
        self._last = ("", "")
        self._former = ""
        self._started_by = os.getppid()
        for seat in SEATS:
            self.add_mode(seat.name, partial(self._make_screen, seat))

    def _make_screen(self, seat: Seat) -> Screen[None]:
        if seat.name == "library":
            return LibraryScreen(self.root)
        module, _, name = _SCREENS[seat.name].partition(":")
        screen: Screen[None] = getattr(import_module(module), name)()
        return screen

    def on_mount(self) -> None:
        """Set what a user chose, and open the library."""
        self._problems += self.put_on()
        self.set_keymap(overrides(self.keys))
        self.switch_mode("library")
        self.look_for_batch()
        if self._problems:
            text = "\n".join([*self._problems, "covermaker config edit opens the file"])
            self.notify(text, title="settings", severity="warning", timeout=12, markup=False)
        if not self.is_headless:
            leaving.catch_signals(self._end)
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        """Let the time left run on while jobs run; in a browser, end with the server, also one that was killed."""
        if self.is_web and os.getppid() != self._started_by:
            self._end(leaving.HUNG_UP)
        if self.board.running:
            self.jobs_moved()
        if self.batches.has_begun:
            self.hear_batches()

    # What is said

    def say(self, text: str, tone: str = "quiet") -> None:
        """Say what happened on the line above the keys, and in the log."""
        self._last = (self.named(text), tone)
        self.board.say(time.time(), "", self._last[0], tone if tone in {"failed", "done"} else "")
        self._redraw()

    def hush(self) -> None:
        """Take back what was said last: a dialog says what is to be said."""
        self._last = ("", "")
        self._redraw()

    def last_words(self) -> tuple[str, str]:
        """Return what was said last and its tone."""
        screen = self.front()
        if not self._last[0] and screen is not None and {"-tiny", "-flat"} & screen.classes:
            return self.named("small window: {studio.pane-next} shows the next pane"), "quiet"
        return self._last

    def status(self, room: int | None = None) -> str:
        """Return what stands at the right of the tabs, where there is `room` for so many cells."""
        jobs = self.board.headline(time.time(), room)
        rest = None if room is None else room - cell_len(jobs) - 2 if jobs else room
        return self.spelt("  ".join(filter(None, (jobs, self.batches.headline(rest)))))

    def undo_words(self) -> str:
        """Return what undo would take back."""
        screen = self.front()
        return screen.undo_words() if screen else ""

    def front(self) -> StudioScreen | None:
        """Return the screen of the studio that is open, under whatever lies over it."""
        stack = self.screen_stack if self._screen_stacks.get(self.current_mode) else []
        return next((screen for screen in stack if isinstance(screen, StudioScreen)), None)

    def others(self, but: StudioScreen | None = None) -> list[StudioScreen]:
        """Return the screens that were opened so far, without one if need be."""
        stacks = self._screen_stacks.values()
        return [one for stack in stacks for one in stack if isinstance(one, StudioScreen) and one is not but]

    def ears(self, on_change: Callable[[], None]) -> Ears:
        """Return how a screen listens; `on_change` is called when what is heard is another."""
        return Ears(self.settings.audio_device or None, self.settings.fps, on_change, self.say)

    def silence(self, but: StudioScreen) -> None:
        """Stop what the other screens play."""
        for screen in self.others(but):
            screen.pause()

    def tell_saved(self, project: Project, by: StudioScreen) -> None:
        """Let the other screens know that one of them has saved a project: nobody else has changed it."""
        for screen in self.others(by):
            screen.saved_elsewhere(project)

    def _redraw(self) -> None:
        screen = self.front()
        if screen is not None and screen.is_mounted:
            screen.redraw_frame()

    # Screens

    def switch_mode(self, mode: str) -> AwaitMount:
        """Open a screen; what was said on another one is in the log."""
        if mode != self.current_mode:
            self._last = ("", "")
        return super().switch_mode(mode)

    def action_show(self, name: str) -> None:
        """Open a screen; of one that cannot be made a line is said, and the one that is open stays."""
        self._former = self.current_mode
        try:
            self.switch_mode(name)
        except Exception as error:  # a defect of one screen must not end the work of the others
            self.screen.post_message(events.ScreenResume())
            self.broke(error)

    def _handle_exception(self, error: Exception) -> None:
        """Close a screen that breaks while it is built; of anything else Textual makes the end of the studio."""
        screen, node = self.front(), active_message_pump.get(None)
        is_built = (
            screen is None or screen.is_mounted or not isinstance(node, Widget) or node.screen is not screen
        )
        if is_built or not self._former:
            super()._handle_exception(error)
        else:
            self.call_later(self._close_broken, screen, self.current_mode, error)

    def _close_broken(self, screen: StudioScreen, name: str, error: Exception) -> None:
        if screen in self._screen_stacks.get(name, []):
            if self.current_mode == name:
                self.switch_mode(self._former)
            self.remove_mode(name)
            self.add_mode(name, partial(self._make_screen, next(seat for seat in SEATS if seat.name == name)))
        self.broke(error)

    def open_project(self, folder: Path) -> None:
        """Open a project on its screen."""
        self.project = folder
        self.action_show("project")

    def open_rack(self, folder: Path, owner: str) -> None:
        """Open the rack of a channel of a project: its name, its place, or ``master``."""
        self.project, self.channel = folder, owner
        self.action_show("rack")

    def select_song(self, folder: Path) -> None:
        """Go to a song's line in the library."""
        self.switch_mode("library")
        library = self.front()
        if isinstance(library, LibraryScreen):
            self.call_later(library.select, folder)

    def action_help(self) -> None:
        """Show help."""
        screen = self.front()
        if screen is not None:
            pane = screen.pane()
            width = self.size.width - 6  # border, padding, scrollbar
            text = help_text(screen.SCREEN, pane if isinstance(pane, Pane) else None, self.keys, width)
            self.push_screen(HelpScreen(text))

    def action_log(self) -> None:
        """Show the full log."""
        self.push_screen(LogScreen(self.board))

    def action_jump(self) -> None:
        """Show the letters of jump mode."""
        screen = self.front()
        if screen is None:
            return
        letters = targets([pane for pane in screen.panes() if pane.display and pane.region.area])

        def go(letter: str | None) -> None:
            if letter in letters:
                screen.go_to(letters[letter])
            elif letter:
                self.action_show(next(seat.name for seat in SEATS if seat.key == letter))

        self.push_screen(JumpScreen(letters), go)

    def action_enlarge(self) -> None:
        """Give the focused pane the whole screen."""
        screen = self.front()
        pane = screen.pane() if screen else None
        if screen is not None and pane is not None:
            screen.maximize(pane)

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(
                CommandPalette(placeholder="an action, a song or a screen", id="--command-palette")
            )

    # Undo

    def refusal(self, action_id: str) -> str | None:
        """Say why an action of the whole studio cannot be done now."""
        screen = self.front()
        if action_id == "studio.undo":
            if screen is not None and not screen.undo_words():
                return screen.nothing_to_undo()
            return screen.no_undo() if screen is not None else NOTHING_TO_UNDO
        if action_id == "studio.redo":
            return screen.no_redo() if screen and screen.redo_words() else "there is nothing to redo here"
        return None

    def action_undo(self) -> None:
        """Take the last change of this screen back."""
        screen = self.front()
        if screen is not None:
            screen.undo()
            self._redraw()
            screen.refresh_bindings()

    def action_redo(self) -> None:
        """Do again what was taken back."""
        screen = self.front()
        if screen is not None:
            screen.redo()
            self._redraw()
            screen.refresh_bindings()

    @property
    def library(self) -> LibraryScreen | None:
        """The library, once it is open."""
        stack = self._screen_stacks.get("library", [])
        return next((screen for screen in stack if isinstance(screen, LibraryScreen)), None)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Turn a thread of ours that broke into a line and a toast."""
        if event.state is WorkerState.ERROR:
            self.broke(event.worker.error)

    def broke(self, error: BaseException | None) -> None:
        """Say that there is a defect; the studio goes on."""
        text = f"a defect in Covermaker: {type(error).__name__}: {error}"
        self.say(text, "failed")
        self.notify(text, severity="error", markup=False)

    # Leaving

    @work(exclusive=True, group="leave", exit_on_error=False)
    async def action_leave(self) -> None:
        """Leave when every change is saved; ask first when one cannot be, or a running step would be lost."""
        problems = [words for screen in self.others() for words in await screen.finish()]
        if problems and not await self.push_screen_wait(
            Ask("\n".join([*problems, "", leaving.UNSAVED]), yes="Quit", no="Stay")
        ):
            return
        going_on = self.batches.going_on
        question = self.named(leaving.loss(self.board, time.time(), going_on))
        if (
            question
            and self.settings.confirm
            and not await self.push_screen_wait(Ask(question, yes="Quit", no="Stay"))
        ):
            return
        await self.measurer.close()
        await self.runner.close()
        self.exit(0, message="\n".join(going_on) or None)

    def on_unmount(self) -> None:
        """Read no batch any more; those that run go on."""
        self.batches.close()

    async def action_quit(self) -> None:
        """Leave as `action_leave` does; Textual calls it by this name."""
        self.action_leave()

    def _end(self, code: int) -> None:
        """End with the children and the screen restored, without a question."""
        self.measurer.kill()
        self.runner.kill_all()
        leaving.end_anyway(code)
        until = time.monotonic() + leaving.SAVING_SECONDS
        for screen in self.others():
            screen.save_now(max(0.0, until - time.monotonic()))
        self.forget_renders()
        self.exit(code, return_code=code)


def run(root: Path, settings: Settings) -> int:
    """Run the studio in this terminal and return its exit code."""
    app = Studio(root, settings)
    # Threads that read files hand over to the screen five times sooner than Python would have them.
    sys.setswitchinterval(0.001)
    code = app.run()
    return app.return_code or code or 0
