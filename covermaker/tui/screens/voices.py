"""The Voices screen: voices and their takes, a training as it runs, its checkpoints heard, compared and promoted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events, on, work
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widgets import Static

from covermaker.tui.job_kinds import kind_of
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Listing
from covermaker.tui.voices_bare import BareVoices
from covermaker.tui.voices_model import VoiceRow, Voices, Whole
from covermaker.tui.voices_panes import (
    EMPTY,
    NO_SAVES,
    NO_SAVES_YET,
    NO_TAKES,
    NO_VOICES,
    TAKES_ELSEWHERE,
    Card,
    SaveList,
    TakeList,
    VoiceList,
    save_cells,
    take_cells,
)
from covermaker.tui.voices_style import CSS as STYLE
from covermaker.tui.voices_text import card_lines, state_words, take_words, training_lines
from covermaker.tui.voices_training import Training
from covermaker.tui.words import clipped, length, one_line, share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.widget import Widget

    from covermaker.tui.listing import Cell

_LOOK_SECONDS = 1.0
# Of each pane, what is shown beside the list of voices where not all of it fits.
_PAGES = {"takes": "takes", "training": "work", "checkpoints": "work", "card": "card"}


class VoicesScreen(BareVoices, inherit_bindings=False):
    """The voices."""

    SCREEN = "voices"
    BINDINGS = bindings("voices")
    SCOPED_CSS = False
    CSS = STYLE

    @dataclass
    class Looked(Message):
        """The voices were read, and the selected one in full."""

        rows: list[VoiceRow]
        whole: Whole | None

    def __init__(self) -> None:
        super().__init__()
        self._voices = Voices()
        self.is_settled = False
        self._looking = False
        self._look_again = False
        self._page_of: tuple[Path | None, str] = (None, "")

    def compose_body(self) -> ComposeResult:
        """Build the panes."""
        with Container(id="voices", classes="at-list page-work"):
            yield VoiceList(self._voice_cells, id="list")
            with Container(id="voice"):
                with Vertical(id="data"):
                    yield TakeList(self._take_cells, id="takes")
                    yield Static(id="take-words", markup=False)
                with Vertical(id="work"):
                    yield Training(id="training")
                    yield SaveList(self._save_cells, id="checkpoints")
            yield Card(id="card")

    def on_mount(self) -> None:
        """Begin to look at the disk."""
        self._seen |= {job.id for job in self.app.board.jobs.values() if job.is_over}
        for listing, title, text in (
            (self.query_one(VoiceList), "Voices", EMPTY),
            (self.query_one(TakeList), "Takes", NO_TAKES),
            (self.query_one(SaveList), "Checkpoints", NO_SAVES),
        ):
            listing.frame(title)
            listing.empty_text = self.app.named(text)
        self.set_interval(_LOOK_SECONDS, self._tick)
        self.look()

    def on_screen_resume(self) -> None:
        """Look at what changed meanwhile."""
        if self.is_mounted:
            self.take_over()
            self.look()

    # Reading

    def _tick(self) -> None:
        if self.is_current:
            self.look()

    def look(self) -> None:
        """Read the voices again, once what is being read is read."""
        if self._looking:
            self._look_again = True
            return
        self._looking, self._look_again = True, False
        self._read(self.app.project, self._wants or self.query_one(VoiceList).selected)

    @work(thread=True, group="voices-look", exit_on_error=False)
    def _read(self, project: Path | None, selected: Path | None) -> None:
        rows: list[VoiceRow] = []
        whole = None
        try:
            rows = self._voices.look(project)
            chosen = next((row for row in rows if row.folder == selected), rows[0] if rows else None)
            whole = self._voices.read(chosen) if chosen is not None else None
        finally:
            self.post_message(self.Looked(rows, whole))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        self._looking = False
        listing, rows = self.query_one(VoiceList), {row.folder: row for row in message.rows}
        folder = message.whole.row.folder if message.whole is not None else None
        is_news = rows != self.rows
        is_first = not self.is_settled
        self.rows, self.is_settled = rows, True
        self._frame_voices()
        if is_news or self._wants in rows:
            wanted = self._wants or listing.selected or folder
            listing.show(list(rows), keep=lambda one: one == wanted)
        if self._wants in rows:
            self._wants = None
        # What was read may be another voice than the one that is selected or wanted by now.
        moved = self._wants is None and listing.selected not in (None, folder) and listing.selected in rows
        if not moved and (is_first or message.whole != self.whole or self._is_live(message.whole)):
            self._take(message.whole)
        if moved or self._look_again:
            self.look()

    @staticmethod
    def _is_live(whole: Whole | None) -> bool:
        return whole is not None and whole.watched.status == "running"

    def _take(self, whole: Whole | None) -> None:
        """Show a voice."""
        before, self.whole = self.whole, whole
        self.lay_bare()
        self.tell_scanned()
        self._choose_phrase()
        folder = whole.row.folder if whole is not None else None
        takes = self.query_one(TakeList)
        can_import = self.no_import() is None or self.busy("take-in") is not None
        takes.empty_text = self.app.named(NO_TAKES if can_import else TAKES_ELSEWHERE)
        takes.show([take.file for take in whole.takes] if whole is not None else [])
        if before is None or before.row.folder != folder:
            self.query_one(SaveList).marked.clear()
            takes.cursor = 0
        self.show_saves()
        self._show_texts()
        self._choose_page()
        self.refresh_bindings()
        if self._play_next is not None and not self._unsung():
            self.audition_done(self._play_next[0])

    # Showing

    def _voice_cells(self, folder: Path) -> Sequence[Cell]:
        row = self.rows.get(folder)
        if row is None:
            return (one_line(folder.name), ""), ("", ""), ("", "")
        state = state_words(row, self.job("train", folder), self.app.charset)
        return (one_line(row.name), ""), state, (row.place, "quiet")

    def _take_cells(self, name: str) -> Sequence[Cell]:
        take = next((take for take in self.whole.takes if take.file == name), None) if self.whole else None
        return take_cells(take, self.app.charset) if take is not None else ()

    def _save_cells(self, step: int) -> Sequence[Cell]:
        save, marked = self.saves.get(step), step in self.query_one(SaveList).marked
        return (
            save_cells(save, self.phrase, marked=marked, charset=self.app.charset) if save is not None else ()
        )

    def show_saves(self) -> None:
        """Draw the checkpoints; the cursor stays at its step."""
        listing = self.query_one(SaveList)
        step = listing.selected
        listing.show(list(self.saves), keep=lambda one: one == step)
        self.show_heard()

    def show_heard(self) -> None:
        """Say which phrase it is, and what is heard; of an empty list, what fills it."""
        if not self.is_mounted:
            return
        listing, sound = self.query_one(SaveList), self.sound
        empty = NO_SAVES_YET if self.busy("train") or self._is_live(self.whole) else NO_SAVES
        if listing.empty_text != self.app.named(empty):
            listing.empty_text = self.app.named(empty)
            listing.refresh()
        words = f"phrase: {one_line(self.phrase)}" if self.saves else ""
        job = self.busy("audition")
        if job is not None:
            words = f"{kind_of(job.kind).busy} {share(job.fraction)}  {words}"
        elif sound is not None and sound.pair is not None:
            now = sound.player.position
            a, b = sound.words
            sign = self.app.spelt("► " if now.playing else "· ")
            heard = f"A {a}" if now.hearing == "a" else f"B {b}"
            other = (f"  B {b}" if now.hearing == "a" else f"  A {a}") if b else ""
            words = f"{sign}{length(now.seconds)} hearing {heard}{other}"
        listing.frame("Checkpoints", words)
        self._frame_voices()

    def _frame_voices(self) -> None:
        """Say below the list what is heard of the open song, else how a voice of one's own is made."""
        ours = any(row.is_ours for row in self.rows.values())
        self.query_one(VoiceList).frame(
            "Voices",
            self.trial_words() or ("" if ours else self.app.named("{voices.new} makes one of yours")),
        )

    def _show_texts(self) -> None:
        whole, training = self.whole, self.query_one(Training)
        if whole is None:
            training.write([("no voice is selected", "quiet")])
            self.query_one(Card).frame("No voice")
            self.query_one(Card).tell(())
            self.query_one(Card).write(self.app.named(NO_VOICES))
            return
        name = one_line(whole.row.name)
        training.frame(f"{name}: training", f"graph: {training.graph}")
        training.write(training_lines(whole, self.job("train"), time.time(), self.app.charset))
        training.draw(whole.lines, whole.watched.checkpoints, self.phrase)
        doing = self.busy("scan", "take-in", "export-voice")
        about = f"{kind_of(doing.kind).busy} {share(doing.fraction)}" if doing else ""
        self.query_one(TakeList).frame(
            f"{name}: {whole.summary()}" if whole.takes else f"{name}: takes", about
        )
        self._show_take()
        self._show_card()

    def _show_take(self) -> None:
        """Say what the scan found in the selected take."""
        whole, name = self.whole, self.query_one(TakeList).selected
        take = next((take for take in whole.takes if take.file == name), None) if whole is not None else None
        lines = take_words(
            take,
            whole.notes if whole is not None else (),
            self.app.charset,
            is_scanning=self.busy("scan", "take-in") is not None,
        )
        text, colors = Text(), self.app.theme_variables
        for words, tone in lines:
            text.append(("\n" if text else "") + self.app.named(words), colors.get(f"state-{tone}", ""))
        pane = self.query_one("#take-words", Static)
        most = pane.styles.max_height
        rows = int(most.value) if most is not None else 1
        pane.update(clipped(text, self.app.console, pane.size.width, rows, self.app.charset))

    def _show_card(self) -> None:
        if self.whole is not None:
            card = self.query_one(Card)
            card.frame(f"{one_line(self.whole.row.name)}: card", self.whole.row.place)
            card.tell(card_lines(self.whole, self.app.charset), str(self.whole.row.folder))

    @on(events.Resize)
    def _resized(self) -> None:
        self.call_after_refresh(self._show_texts)

    def jobs_changed(self) -> None:
        """Show what runs, and do what follows from what has ended."""
        self.take_over()
        self.query_one(VoiceList).redraw()
        self._choose_page()
        self._show_texts()
        self.show_heard()
        self.refresh_bindings()

    # Moving about

    @on(Listing.Moved)
    def _moved(self, message: Listing.Moved) -> None:
        folder = self.query_one(VoiceList).selected
        if folder is not None and (self.whole is None or self.whole.row.folder != folder):
            self.look()
        self._show_take()
        self.refresh_bindings()

    @on(SaveList.Marked)
    def _marked(self) -> None:
        self._b = "best"
        self.refresh_bindings()

    @on(Listing.Opened)
    def _opened(self) -> None:
        if self.pane() is self.query_one(VoiceList):
            self.go_to(self.query_one(f"#{self._natural_pane()}"))

    def _natural_pane(self) -> str:
        """Return the pane that says most of the voice."""
        whole = self.whole
        if whole is None or (not whole.takes and whole.watched.status == "none"):
            return "card"
        return "takes" if whole.watched.status == "none" and self.job("train") is None else "training"

    def _choose_page(self) -> None:
        """Show what says most of another voice, unless the person is looking at something of it."""
        page = _PAGES[self._natural_pane()]
        of = self.whole.row.folder if self.whole is not None else None, page
        if of != self._page_of and self.pane() in (None, self.query_one(VoiceList)):
            self._page_of = of
            self._turn(page)

    def _turn(self, page: str, at: str = "") -> None:
        page = "card" if self.is_bare else page
        self.query_one("#voices").set_classes(
            [f"page-{page}", f"at-{at or 'list'}", *(["-bare"] if self.is_bare else [])]
        )
        self.call_after_refresh(self._show_take)  # it has a width now

    def _at(self, pane: Widget | None) -> None:
        name = pane.id or "" if pane is not None else ""
        if name in _PAGES:
            self._turn(_PAGES[name], name)
        elif name == "list":
            body = self.query_one("#voices")
            page = next(
                (one.removeprefix("page-") for one in body.classes if one.startswith("page-")), "work"
            )
            self._turn(page, name)

    def watch_focused(self) -> None:
        """Show the page of the pane that has the focus."""
        super().watch_focused()
        if self.is_mounted:
            self._at(self.pane())

    def go_to(self, pane: Widget) -> None:
        """Give a pane the focus, though another page is shown."""
        self._at(pane)
        super().go_to(pane)

    def action_back(self) -> None:
        """Go back to the list, from there to the library."""
        listing = self.query_one(VoiceList)
        if self.pane() is listing:
            self.app.action_show("library")
        else:
            self.go_to(listing)

    # What cannot be done

    def refusal(self, action_id: str) -> str | None:
        """Say why an action cannot be done now."""
        return super().refusal(action_id) if self.is_mounted else None

    def no_phrase(self) -> str | None:
        """Say why there is no other phrase."""
        return None if len(self.phrases) > 1 else "there is no other test phrase"

    def no_against(self) -> str | None:
        """Say why there is nothing to hold against."""
        return None if self.save is not None else "there is no checkpoint yet: {voices.train} trains"


VoicesScreen.REFUSALS = {
    "voices.play": VoicesScreen.no_play,
    "voices.switch": VoicesScreen.no_switch,
    "voices.against": VoicesScreen.no_against,
    "voices.phrase": VoicesScreen.no_phrase,
    "voices.rewind": VoicesScreen.no_switch,
    "voices.forward": VoicesScreen.no_switch,
    "voices.train": VoicesScreen.no_train,
    "voices.stop": VoicesScreen.no_stop,
    "voices.kill": VoicesScreen.no_stop,
    "voices.promote": VoicesScreen.no_promote,
    "voices.import": VoicesScreen.no_import,
    "voices.export": VoicesScreen.no_export,
    "voices.remove": VoicesScreen.no_remove,
    "voices.scan": VoicesScreen.no_scan,
    "voices.cancel": VoicesScreen.no_cancel,
}
