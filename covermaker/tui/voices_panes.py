"""The lists of the Voices screen: the voices, the takes of one, the checkpoints of its training, its card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.message import Message

from covermaker.evaluate.table import SAVE_FIGURES, save_figures
from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Column, Listing, Reader
from covermaker.tui.voices_text import grouped, save_note, seconds_words
from covermaker.tui.words import one_line, said, tone_of, wrapped
from covermaker.units import note_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.training.watch import Checkpoint
    from covermaker.tui.app import Studio
    from covermaker.tui.listing import Cell
    from covermaker.tui.voices_model import Take
    from covermaker.tui.words import Charset

_LABEL: Final = 8
EMPTY: Final = "none yet"
NO_VOICES: Final = (
    "No voices yet. {voices.new} makes one from recordings: of one singer, dry, 5 to 20 minutes; or drop files or a "
    "folder here."
)
NO_TAKES: Final = "No takes here. {voices.import} takes recordings in."
TAKES_ELSEWHERE: Final = "Its takes are not here."
NO_SAVES: Final = "No checkpoint yet: {voices.train} trains."

NO_SAVES_YET: Final = "No checkpoint yet: the first save brings one."


class VoiceList(Pane, Listing[Path], inherit_bindings=False):
    """The voices, by their folders."""

    app: Studio

    SCREEN = "voices"
    PANE = "list"
    TITLE = "Voices"
    HELP_TEXT = (
        "The voices of the open project, yours, and the shipped ones. Ready: it can sing. Only takes: {voices.train} "
        "trains it. Stopped: a training was ended before its end, {voices.train} goes on. {voices.new} makes a voice "
        "from recordings."
    )
    BINDINGS = bindings("voices", "list")
    COLUMNS = (
        Column("name", "Voice", 8, flexible=True),
        Column("state", "State", 13),
        Column("place", "From", 8, from_width=48),
    )

    def refusal(self, action_id: str) -> str | None:
        """Say that there is nothing to go to."""
        return "there is no voice here: {voices.new} makes one" if self.selected is None else None

    def action_show(self) -> None:
        """Go to what there is of the voice."""
        self.post_message(self.Opened())


class TakeList(Pane, Listing[str], inherit_bindings=False):
    """The takes of a voice, by their files."""

    SCREEN = "voices"
    PANE = "takes"
    TITLE = "Takes"
    HELP_TEXT = (
        "The recordings that a voice is made of. {voices.scan} looks at them; what is wrong with one stands below. "
        "{voices.choose} leaves one out of training or keeps it, {voices.play} plays it, {voices.import} takes more in."
    )
    BINDINGS = bindings("voices", "takes")
    COLUMNS = (
        Column("take", "Take", 8, flexible=True),
        Column("length", "Len", 5, right=True),
        Column("lufs", "LUFS", 5, right=True),
        Column("snr", "SNR", 3, from_width=38, right=True),
        Column("noise", "Noise", 5, from_width=62, right=True),
        Column("clipped", "Clip", 4, from_width=68, right=True),
        Column("silence", "Pause", 5, from_width=76, right=True),
        Column("range", "Range", 8, from_width=54),
        Column("verdict", "Scan", 14),
    )

    class Chosen(Message):
        """A take is to be kept or left out."""

    def refusal(self, action_id: str) -> str | None:
        """Say that there is no take."""
        return "there is no take here: {voices.import} takes recordings in" if self.selected is None else None

    def action_choose(self) -> None:
        """Keep the take or leave it out."""
        self.post_message(self.Chosen())


class SaveList(Pane, Listing[int], inherit_bindings=False):
    """The checkpoints of a training, by their steps; the marked one is what others are held against."""

    SCREEN = "voices"
    PANE = "checkpoints"
    TITLE = "Checkpoints"
    HELP_TEXT = (
        "The saves of a training, the newest first, with their figures of one test phrase: how well the melody is "
        "followed (F0CORR, cents), how much it is the singer (like, 0 to 1), characters read wrong (CER), distance of "
        "the spectrum (MCD, dB). {voices.phrase} goes to the next phrase. {voices.play} lets the checkpoint sing it, "
        "{voices.switch} switches to B, {voices.against} says what B is, {voices.mark} marks one to hold others "
        "against. {voices.promote} makes it the voice."
    )
    BINDINGS = bindings("voices", "checkpoints")
    COLUMNS = (
        Column("step", "Step", 6, right=True),
        Column("score", "Score", 5, right=True),
        *(Column(name, title, max(5, len(title)), from_width=width, right=True)
          for (name, title, _), width in zip(SAVE_FIGURES, (54, 44, 38, 50, 62), strict=True)),
        Column("note", "", 11, flexible=True),
    )  # fmt: skip

    class Marked(Message):
        """Another checkpoint is the one to hold others against."""

    def refusal(self, action_id: str) -> str | None:
        """Say that there is no checkpoint."""
        return "there is no checkpoint yet: {voices.train} trains" if self.selected is None else None

    def action_mark(self) -> None:
        """Mark the checkpoint, or take the mark away."""
        if self.selected is not None:
            self.marked = set() if self.selected in self.marked else {self.selected}
            self.redraw()
            self.post_message(self.Marked())


class Card(Pane, Reader, inherit_bindings=False):
    """What the card of a voice says."""

    SCREEN = "voices"
    PANE = "card"
    TITLE = "Card"
    HELP_TEXT = (
        "Whose voice it is and who agreed to what, what it may be used for, its range, how it was made."
    )
    BINDINGS: ClassVar = bindings("voices", "card")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[tuple[str, str, str]] = ()
        self._of = ""

    def tell(self, rows: Sequence[tuple[str, str, str]], of: str = "") -> None:
        """Show labels, words and the tones of the words, about the voice `of`."""
        if (rows, of) != (self._rows, self._of):
            self._rows, self._of = rows, of
            self._lay_out()

    def on_resize(self) -> None:
        """Lay the words out for the room that there is now."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.text_width
        if not width or not self._rows:
            return  # not shown yet: it is laid out when it has a size
        colors, text = self.app.theme_variables, Text()
        for label, words, tone in self._rows:
            for index, piece in enumerate(wrapped(words, max(12, width - _LABEL - 1))):
                text.append(f"{label if index == 0 else '':<{_LABEL}}", "bold")
                text.append(f"{piece}\n", colors.get(f"state-{tone}", ""))
        text.rstrip()
        self.write(text, about=self._of)


def take_cells(take: Take, charset: Charset) -> Sequence[Cell]:
    """Return the cells of a take."""
    state, word = take.verdict
    tone = "" if take.use else "quiet"
    report = take.report
    span = noise = snr = ""
    if report is not None:
        snr = "-" if report.snr_db is None else f"{report.snr_db:.0f}"
        noise = "-" if report.noise_floor_dbfs is None else f"{report.noise_floor_dbfs:.0f}"
        if report.f0_low_hz is not None and report.f0_high_hz is not None:
            span = f"{note_name(report.f0_low_hz)}-{note_name(report.f0_high_hz)}"
    return (
        (one_line(Path(take.file).stem), tone),
        (seconds_words(take), tone),
        ("" if report is None else "-" if report.lufs is None else f"{report.lufs:.0f}", tone),
        (snr, tone),
        (noise, tone),
        ("" if report is None else str(report.clipped_runs), tone),
        ("" if report is None else f"{report.silence_share:.0%}", tone),
        (span, tone),
        (said(state, charset, word), tone_of(state)),
    )


def save_cells(save: Checkpoint, phrase: str, *, marked: bool, charset: Charset) -> Sequence[Cell]:
    """Return the cells of a checkpoint."""
    tone = "" if save.kept else "quiet"
    score = "-" if save.score is None else f"{save.score:.3f}"
    figures = [(text, tone) for text in save_figures(save.figures.get(phrase, {}))]
    return (
        (grouped(save.step), tone),
        (score, tone),
        *figures,
        save_note(save, marked=marked, charset=charset),
    )
