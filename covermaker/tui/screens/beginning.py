"""Choosing which queue the Batch screen shows, and beginning a batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual import events, on, work
from textual.message import Message

from covermaker.errors import CovermakerError
from covermaker.texts import one_line
from covermaker.tui import batch_begin, batches
from covermaker.tui.batch_begin import Begun, NewBatch, RefusedError
from covermaker.tui.batch_form import NewBatchAsk
from covermaker.tui.choose import choose
from covermaker.tui.job_kinds import RENDER
from covermaker.tui.paths import dropped
from covermaker.tui.screens.covers import CoversScreen
from covermaker.tui.words import count

_RENDERS: Final = "this studio's renders"
_NEW: Final = "a new batch"


class BeginningScreen(CoversScreen, inherit_bindings=False):
    """A screen that shows this studio's renders, or a batch."""

    @dataclass
    class Ready(Message):
        """A batch was begun, or refused as it was asked for."""

        new: NewBatch
        begun: Begun | None
        problem: str = ""
        field: str = ""

    # Which queue

    def action_choose(self) -> None:
        """Choose which queue is shown."""
        here = self.app.batches.folder
        folders: dict[str, Path | None] = {_RENDERS: None}
        number = count(sum(job.kind == RENDER for job in self.app.board.jobs.values()), "render")
        rows = [(_RENDERS, number + (", shown now" if here is None else ""))]

        def offered() -> list[tuple[str, str]]:
            for offer in batches.offers():
                name = offer.title if offer.title not in folders else f"{offer.title} in {offer.folder}"
                folders[name] = offer.folder
                now = ", shown now" if offer.folder == here else ""
                rows.append((name, one_line(f"{offer.words}{now}; {offer.folder}")))
            return [*rows, (_NEW, "every song of a list becomes a cover")]

        def chosen(name: str) -> None:
            if name == _NEW and name not in folders:
                self.action_begin()
            else:
                self.show(folders[name])

        choose(self.app, "which queue", offered, chosen)

    def show(self, folder: Path | None) -> None:
        """Show a batch, or this studio's renders, because a person wants it."""
        self.app.batches.is_chosen = True
        self.app.batches.show(folder)
        self.app.batches.attend(True)
        self.jobs_changed()
        self.redraw_frame()

    # Another batch

    def action_begin(self) -> None:
        """Ask for a new batch."""
        self._ask(NewBatch(""))

    def on_paste(self, event: events.Paste) -> None:
        """Ask for a batch of the list that was dropped."""
        event.stop()
        paths = dropped(event.text, folders=True)
        if len(paths) == 1:
            self._ask(NewBatch(str(paths[0])))
        else:
            self.app.say("drop one playlist or one folder of songs to begin a batch", "stale")

    def _ask(self, new: NewBatch, problem: str = "", field: str = "") -> None:
        def answered(new: NewBatch | None) -> None:
            if new is not None:
                self.app.say("looking at the list of songs", "run")
                self._begin(new)

        self.app.push_screen(NewBatchAsk(new, problem, field), answered)

    @work(thread=True, exclusive=True, group="batch-begin", exit_on_error=False)
    def _begin(self, new: NewBatch) -> None:
        try:
            self.post_message(self.Ready(new, batch_begin.begin(new)))
        except RefusedError as error:
            self.post_message(self.Ready(new, None, str(error), error.field))
        except CovermakerError as error:
            self.post_message(self.Ready(new, None, str(error)))

    @on(Ready)
    def _ready(self, message: Ready) -> None:
        begun = message.begun
        if begun is None:
            self._ask(message.new, message.problem, message.field)
            return
        self.app.batches.begun(begun.folder, begun.process)
        self.show(begun.folder)
        broken = f", {count(begun.problems, 'entry', 'entries')} cannot be used" if begun.problems else ""
        words = (
            f"a batch of {count(begun.songs, 'song')} begins{broken}; it goes on when the studio is closed"
        )
        self.app.say("; ".join([words, *begun.remarks]), "run")
