"""The full log: every line of every job, following what is new until one scrolls up."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from covermaker.tui.actions import Acting, Pane
from covermaker.tui.chrome import Keys, Line
from covermaker.tui.job_board import LOG_LINES
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Scrolling
from covermaker.tui.words import one_line, wrapped

if TYPE_CHECKING:
    from rich.text import Text
    from textual.app import ComposeResult

    from covermaker.tui.app import Studio
    from covermaker.tui.job_board import Job, JobBoard, LogLine


_CLOCK: Final = 8  # cells of a time of day
_LEAST: Final = 8  # cells of text, however narrow the window


class LogLines(Pane, Scrolling, ScrollView, can_focus=True, inherit_bindings=False):
    """The lines; only those in sight are drawn."""

    SCREEN = "log"
    PANE = "lines"
    TITLE = "Log"
    HELP_TEXT = (
        "Everything that jobs said, the newest line last. Scrolling up stops following; {log.follow} follows "
        "again."
    )
    BINDINGS = bindings("log", "lines")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"log--{tone}" for tone in ("done", "failed", "warn", "quiet")}

    def __init__(self, board: JobBoard) -> None:
        super().__init__()
        self._board = board
        self._lines: list[tuple[str, str, str]] = []  # the clock or nothing, what is said, its tone
        self._seen, self._width = -1, 0
        self.follows = True

    def on_mount(self) -> None:
        """Read what there is, and look again as long as the log is open."""
        self.read_new()
        self.set_interval(0.25, self.read_new)

    def read_new(self) -> None:
        """Take over what is new."""
        width = self.scrollable_content_region.width
        if (self._seen, self._width) == (self._board.logged, width):
            return
        self._seen, self._width = self._board.logged, width
        self._lines = [row for line in self._board.log for row in _rows(line, width)]
        self.virtual_size = Size(0, len(self._lines))
        self.refresh()
        if self.follows:
            self.call_after_refresh(self.scroll_end, animate=False)

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        index, width, base = y + round(self.scroll_y), self.size.width, self.rich_style
        if not self._lines and y == 1:
            return Strip([Segment(set_cell_size(" Nothing yet. Jobs write here what they do.", width), base)])
        if not 0 <= index < len(self._lines):
            return Strip.blank(width, base)
        clock, text, tone = self._lines[index]
        style = base + self.get_component_rich_style(f"log--{tone}", partial=True) if tone else base
        quiet = base + self.get_component_rich_style("log--quiet", partial=True)
        return Strip([Segment(f" {clock:{_CLOCK}} ", quiet), Segment(text, style)]).adjust_cell_length(
            width, base
        )

    def on_resize(self) -> None:
        """Wrap the lines anew."""
        self.read_new()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when scrolled up, follow again at the end."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value:
            self.follows = False
        elif new_value >= self.max_scroll_y:
            self.follows = True

    def action_go_last(self) -> None:
        """Scroll to the end and follow."""
        self.follows = True
        self.scroll_end(animate=False)


@lru_cache(maxsize=LOG_LINES)
def _rows(line: LogLine, width: int) -> list[tuple[str, str, str]]:
    """Return a line of the log as rows of a window: what does not fit goes on below its text."""
    text = f"{one_line(line.title)}: {one_line(line.text)}" if line.title else one_line(line.text)
    clock = time.strftime("%H:%M:%S", time.localtime(line.when))
    rows = wrapped(text, max(_LEAST, width - _CLOCK - 3))
    return [(clock if at == 0 else "", row, line.tone) for at, row in enumerate(rows)]


class _Head(Line):
    """Where the logs of the last job are."""

    def render(self) -> Text | str:
        """Draw the line."""
        jobs = list(self.app.board.jobs.values())
        told = next((job for job in reversed(jobs) if _is_told(job)), None)
        return f" Log   of {one_line(told.title)}: {told.log}" if told is not None else " Log"


class LogScreen(Acting, ModalScreen[None], inherit_bindings=False):
    """The log over the screen."""

    app: Studio

    SCREEN = "log"
    BINDINGS = bindings("log")

    def __init__(self, board: JobBoard) -> None:
        super().__init__()
        self._board = board

    def compose(self) -> ComposeResult:
        """Build the screen."""
        yield _Head()
        yield LogLines(self._board)
        yield Keys()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()

    def action_follow(self) -> None:
        """Follow again."""
        self.query_one(LogLines).action_go_last()


def _is_told(job: Job) -> bool:
    """Tell whether the log of a job holds anything."""
    try:
        return job.log.stat().st_size > 0
    except OSError:
        return False
