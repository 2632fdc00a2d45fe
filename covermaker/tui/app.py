"""The studio: six screens on the digits, what lies over them, jobs, and leaving without losing work."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import App
from textual.command import CommandPalette
from textual.worker import Worker, WorkerState

from covermaker.errors import CovermakerError
from covermaker.render.ending import forget
from covermaker.tui import toast, words
from covermaker.tui.actions import Acting, Pane, node_of, why_not
from covermaker.tui.ask import Ask
from covermaker.tui.help import HelpScreen, help_text
from covermaker.tui.jobs import CHILD, Job, JobBoard, JobRunner
from covermaker.tui.jump import JumpScreen, targets
from covermaker.tui.keymap import BY_ID, bindings, customised, filled, overrides
from covermaker.tui.keytable import EVERYWHERE, SEATS
from covermaker.tui.log import LogScreen
from covermaker.tui.measure import Measurer
from covermaker.tui.palette import ActionProvider, SongProvider
from covermaker.tui.screens.base import StudioScreen
from covermaker.tui.screens.library import LibraryScreen
from covermaker.tui.settings import change_setting, charset_of
from covermaker.tui.theme import DARK, LIGHT, NAME, draw_scrollbars, state_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Event
    from textual.screen import Screen
    from textual.timer import Timer

    from covermaker.project.library import Row
    from covermaker.project.load import Project
    from covermaker.tui.keytable import Seat
    from covermaker.tui.settings import Settings
    from covermaker.tui.words import Charset

# Loaded when they are opened: what they draw with costs a quarter of a second that the library does not need.
_SCREENS = {
    "project": "covermaker.tui.screens.project:ProjectScreen",
    "voices": "covermaker.tui.screens.voices:VoicesScreen",
    "rack": "covermaker.tui.screens.rack:RackScreen",
    "batch": "covermaker.tui.screens.batch:BatchScreen",
    "presets": "covermaker.tui.screens.presets:PresetsScreen",
}
_DOING = {
    "render": "is being rendered",
    "train": "is in training",
    "scan": "is being scanned",
    "take-in": "is being taken in",
    "audition": "is singing",
    "promote": "is being promoted",
}
_COALESCE_SECONDS = 0.1
_TYPING_SECONDS = 0.15
_LAST_SECONDS = 3.0
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Studio(Acting, App[int], inherit_bindings=False):
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

    def __init__(self, root: Path, settings: Settings, *, child: Sequence[str] = CHILD) -> None:
        self.settings = settings
        self.charset: Charset = charset_of(settings)
        self.board = JobBoard()
        super().__init__()
        self.root = root
        self.runner = JobRunner(self.board, self._jobs_moved, self._job_ended, command=child)
        self.measurer = Measurer(self._measured)
        self.keys, self._problems = customised(settings.keymap)
        self.songs: list[Row] = []
        self.project: Path | None = None
        self.channel = ""
        self._last = ("", "")
        self._jobs_timer: Timer | None = None
        self._last_key = 0.0
        self._started_by = os.getppid()
        for seat in SEATS:
            self.add_mode(seat.name, partial(self._make_screen, seat))

    def _make_screen(self, seat: Seat) -> Screen[None]:
        if seat.name == "library":
            return LibraryScreen(self.root)
        module, _, name = _SCREENS[seat.name].partition(":")
        screen: Screen[None] = getattr(import_module(module), name)()
        return screen

    # Look

    def _theme_chosen(self, name: str) -> None:
        self._keep_theme(name)

    @work(thread=True, group="settings", exit_on_error=False)
    def _keep_theme(self, name: str) -> None:
        """Write the theme that was chosen into the settings."""
        try:
            change_setting("theme", name)
        except CovermakerError as error:
            self.call_from_thread(self.say, f"the theme is not kept: {error}", "failed")
            return
        self.settings = self.settings.model_copy(update={"theme": name})

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the colours of states."""
        return {**super().get_theme_variable_defaults(), **state_variables(dark=True)}

    def get_css_variables(self) -> dict[str, str]:
        """Choose the colours of states by the theme's ground."""
        return {**super().get_css_variables(), **state_variables(self.current_theme.dark)}

    def spelt(self, text: str) -> str:
        """Return a text with its glyphs in the character set in use."""
        return words.spelt(text, self.charset)

    @property
    def is_typing(self) -> bool:
        """Whether a key was pressed a moment ago."""
        return time.monotonic() - self._last_key < _TYPING_SECONDS

    async def on_event(self, event: Event) -> None:
        """Note when a key comes, and do at once what it stands for."""
        if isinstance(event, events.Key):
            self._last_key = time.monotonic()
            if not event.is_forwarded and await self._did(event):
                return
        await super().on_event(event)

    async def _did(self, key: events.Key) -> bool:
        """Carry out the action of a key, if there is one, before the next key of a burst looks where it belongs.

        Textual hands a key to the widget with the focus, from where it rises through the queue of each parent until
        somebody's binding takes it; keys that are typed meanwhile have left by then.
        """
        if not self.screen_stack or (self.screen.maximized is not None and key.key == "escape"):
            return False
        active = self.screen.active_bindings.get(key.key)
        if active is None or not active.enabled or active.binding.id not in BY_ID:
            return False
        return await self.run_action(active.binding.action, active.node)

    def named(self, text: str) -> str:
        """Return a sentence with the keys that it names, as the user has set them."""
        return filled(text, self.keys)

    def on_mount(self) -> None:
        """Set what a user chose, and open the library."""
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = self.settings.theme if self.settings.theme in self.available_themes else NAME
        if self.theme != self.settings.theme:
            self._problems.append(f"no theme is called '{self.settings.theme}'")
        self.watch(self, "theme", self._theme_chosen, init=False)
        self.set_keymap(overrides(self.keys))
        self.set_class(self.charset == "ascii", "-ascii")
        draw_scrollbars(self.charset)
        self.switch_mode("library")
        if self._problems:
            text = "\n".join([*self._problems, "covermaker config edit opens the file"])
            self.notify(text, title="settings", severity="warning", timeout=12, markup=False)
        self._catch_signals()
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        """Let the time left run on while jobs run; in a browser, end with the server, also one that was killed."""
        if self.is_web and os.getppid() != self._started_by:
            self._end(signal.SIGHUP)
        if self.board.running:
            self._jobs_moved()

    # What is said

    def say(self, text: str, tone: str = "quiet") -> None:
        """Say what happened on the line above the keys, and in the log."""
        self._last = (self.named(text), tone)
        self.board.say(time.time(), "", self._last[0], tone if tone in {"failed", "done"} else "")
        self._redraw()

    def last_words(self) -> tuple[str, str]:
        """Return what was said last and its tone."""
        screen = self._front()
        if not self._last[0] and screen is not None and {"-tiny", "-flat"} & screen.classes:
            return self.named("small window: {studio.pane-next} shows the next pane"), "quiet"
        return self._last

    def status(self) -> str:
        """Return what stands at the right of the tabs."""
        return self.spelt(self.board.headline(time.time()))

    def undo_words(self) -> str:
        """Return what undo would take back."""
        screen = self._front()
        return screen.undo_words() if screen else ""

    def _front(self) -> StudioScreen | None:
        """Return the screen of the studio that is open, under whatever lies over it."""
        stack = self.screen_stack if self._screen_stacks.get(self.current_mode) else []
        return next((screen for screen in stack if isinstance(screen, StudioScreen)), None)

    def others(self, but: StudioScreen) -> list[StudioScreen]:
        """Return the screens that were opened so far, without one."""
        stacks = self._screen_stacks.values()
        return [one for stack in stacks for one in stack if isinstance(one, StudioScreen) and one is not but]

    def silence(self, but: StudioScreen) -> None:
        """Stop what the other screens play."""
        for screen in self.others(but):
            screen.pause()

    def tell_saved(self, project: Project, by: StudioScreen) -> None:
        """Let the other screens know that one of them has saved a project: nobody else has changed it."""
        for screen in self.others(by):
            screen.saved_elsewhere(project)

    def _redraw(self) -> None:
        screen = self._front()
        if screen is not None and screen.is_mounted:
            screen.redraw_frame()

    # Screens

    def action_show(self, name: str) -> None:
        """Open a screen."""
        self.switch_mode(name)

    def open_project(self, folder: Path) -> None:
        """Open a project on its screen."""
        self.project = folder
        self.switch_mode("project")

    def open_rack(self, folder: Path, owner: str) -> None:
        """Open the rack of a channel of a project: a track's or a bus's name, or ``master``."""
        self.project, self.channel = folder, owner
        self.switch_mode("rack")

    def select_song(self, folder: Path) -> None:
        """Go to a song's line in the library."""
        self.switch_mode("library")
        library = self._front()
        if isinstance(library, LibraryScreen):
            self.call_later(library.select, folder)

    def action_help(self) -> None:
        """Show help."""
        screen = self._front()
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
        screen = self._front()
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
        screen = self._front()
        pane = screen.pane() if screen else None
        if screen is not None and pane is not None:
            screen.maximize(pane)

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(
                CommandPalette(placeholder="an action, a song or a screen", id="--command-palette")
            )

    async def perform(self, action_id: str) -> None:
        """Carry out an action by its id, or say why not."""
        action, screen = BY_ID[action_id], self.screen
        reason = why_not(self, screen, action, self.keys)
        if reason:
            self._refuse(action.label, reason)
            return
        node = node_of(self, screen, action)
        if node is not None:
            await self.run_action(action.action, node)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does nothing now."""
        active = self.screen.active_bindings.get(event.key)
        if active is None or active.enabled or active.binding.id not in BY_ID:
            return
        node, action = active.node, BY_ID[active.binding.id]
        reason = why_not(self, self.screen, action, self.keys) if isinstance(node, Acting) else None
        if reason:
            event.stop()
            self._refuse(action.label, reason)

    def _refuse(self, label: str, reason: str) -> None:
        self.say(f"{label}: {reason}", "stale")

    # Undo

    def refusal(self, action_id: str) -> str | None:
        """Say why an action of the whole studio cannot be done now."""
        screen = self._front()
        if action_id == "studio.undo" and not (screen and screen.undo_words()):
            return "there is nothing to undo here"
        if action_id == "studio.redo" and not (screen and screen.redo_words()):
            return "there is nothing to redo here"
        return None

    def action_undo(self) -> None:
        """Take the last change of this screen back."""
        screen = self._front()
        if screen is not None:
            screen.undo()
            self._redraw()
            screen.refresh_bindings()

    def action_redo(self) -> None:
        """Do again what was taken back."""
        screen = self._front()
        if screen is not None:
            screen.redo()
            self._redraw()
            screen.refresh_bindings()

    # Jobs

    def render_project(self, folder: Path, title: str, *, again: str | None = None) -> Job:
        """Queue a render of a project; `again` is a step that is to be made again though it is done."""
        request = {
            "job": "render",
            "project": str(folder),
            "device": self.settings.device,
            "again": again,
        }
        return self.runner.submit(
            "render", title, str(folder), request, folder / ".covermaker" / "render.log"
        )

    def _jobs_moved(self) -> None:
        """Draw what is new about jobs, a few times a second at most."""
        if self._jobs_timer is None and self.is_running:
            self._jobs_timer = self.set_timer(_COALESCE_SECONDS, self._draw_jobs)

    def _draw_jobs(self) -> None:
        self._jobs_timer = None
        screen = self._front()
        if screen is not None and screen.is_mounted:
            screen.jobs_changed()
            screen.redraw_frame()

    def _job_ended(self, job: Job) -> None:
        if job.kind == "render" and job.state == "stopped":
            forget(Path(job.subject) / ".covermaker")  # killed, perhaps, but by us
        if not self.is_running:
            return
        toast.job_ended(self, job)
        library = self.library
        if library is not None:
            library.job_ended(job)

    def _measured(self, folder: Path) -> None:
        library = self.library
        if library is not None and self.is_running:
            library.measured(folder)

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
        """Leave; ask first when a running step would be lost."""
        question = self._loss()
        if (
            question
            and self.settings.confirm
            and not await self.push_screen_wait(Ask(question, yes="Quit", no="Stay"))
        ):
            return
        await self.measurer.close()
        await self.runner.close()
        self.exit(0)

    async def action_quit(self) -> None:
        """Leave as `action_leave` does; Textual calls it by this name."""
        self.action_leave()

    def _loss(self) -> str:
        """Return what leaving would lose, as a question; "" for nothing."""
        now = time.time()
        lines = [
            f"{words.one_line(job.title)} {_DOING.get(job.kind, 'is being worked on')}: {job.progress(now)}."
            for job in self.board.running
        ]
        trains = any(job.kind == "train" for job in self.board.running)
        if self.board.waiting:
            lines.append(
                f"{words.count(len(self.board.waiting), 'job')} {'waits' if len(self.board.waiting) == 1 else 'wait'}."
            )
        if not lines:
            return ""
        lines.append("Quitting stops it. Finished steps are kept; the running step begins again next time.")
        if trains:
            lines.append(
                "A training goes on from its last save: what came after it is lost. Save and stop it on the Voices "
                f"screen ({self.named('{voices.stop}')}) to lose nothing."
            )
        return "\n".join(lines)

    def _catch_signals(self) -> None:
        """End in order when the system or a closed terminal asks for it: screen restored, children gone."""
        if sys.platform == "win32" or self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._end, number)

    def _end(self, number: int) -> None:
        self.measurer.kill()
        self.runner.kill_all()
        # Where the terminal is gone, Textual's threads that read and write it may never notice.
        last = threading.Timer(_LAST_SECONDS, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        self.exit(128 + number, return_code=128 + number)


def run(root: Path, settings: Settings) -> int:
    """Run the studio in this terminal and return its exit code."""
    app = Studio(root, settings)
    # Threads that read files hand over to the screen five times sooner than Python would have them.
    sys.setswitchinterval(0.001)
    code = app.run()
    return app.return_code or code or 0
