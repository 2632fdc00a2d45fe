"""The pane that watches a training: where it is in words, and its curves."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from rich.text import Text
from textual.containers import Container
from textual.widgets import Static

from covermaker.evaluate.table import SAVE_FIGURES
from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.widgets.curve import Curve, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from covermaker.training.watch import Checkpoint
    from covermaker.tui.app import Studio
    from covermaker.tui.voices_model import Lines
    from covermaker.tui.voices_text import Line

_GRAPHS: Final = ("loss", "scores")
_SMOOTH: Final = 0.1  # how much a line of the history moves the trend
_MOST_LOSSES: Final = 3


class Training(Pane, Container, can_focus=True, inherit_bindings=False):
    """See the module."""

    app: Studio

    SCREEN = "voices"
    PANE = "training"
    TITLE = "Training"
    HELP_TEXT = (
        "Where the training is, whoever started it. {voices.train} trains or goes on, {voices.stop} lets it save and "
        "end, {voices.kill} ends it at once. {voices.graph} shows the losses or the scores of the saves, "
        "{voices.log-y} draws small values larger. A mark stands where a save was made."
    )
    BINDINGS = bindings("voices", "training")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.graph = _GRAPHS[0]
        self._lines, self._saves, self._phrase = None, (), ""  # type: tuple[Lines | None, Sequence[Checkpoint], str]
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        """Build words and curve."""
        yield Static(id="words", markup=False)
        yield Curve(id="course", empty="no step was taken yet")

    def refusal(self, action_id: str) -> str | None:
        """Say that there is nothing to draw."""
        if self._lines is None or not self._lines.steps:
            return "no step was taken yet: {voices.train} trains"
        return None

    def write(self, lines: Sequence[Line]) -> None:
        """Write the words."""
        colors, text = self.app.theme_variables, Text()
        for words, tone in lines:
            if words:
                text.append(("\n" if text else "") + self.app.named(words), colors.get(f"state-{tone}", ""))
        self.query_one("#words", Static).update(text)

    def draw(self, lines: Lines, saves: Sequence[Checkpoint], phrase: str) -> None:
        """Draw the curves, if anything is new."""
        self._lines, self._saves, self._phrase = lines, saves, phrase
        stamp = (lines.steps[-1:], len(lines.steps), saves, phrase, self.graph)
        if stamp == self._drawn:
            return
        self._drawn = stamp
        curve = self.query_one(Curve)
        curve.show_series(losses(lines, saves) if self.graph == "loss" else scores(saves, phrase))

    def action_graph(self) -> None:
        """Show losses or scores."""
        self.graph = _GRAPHS[(_GRAPHS.index(self.graph) + 1) % len(_GRAPHS)]
        if self._lines is not None:
            self.draw(self._lines, self._saves, self._phrase)
        self.app.say("the curve shows the " + ("losses" if self.graph == "loss" else "scores of the saves"))

    def action_log_y(self) -> None:
        """Turn the logarithmic axis on or off."""
        self.query_one(Curve).action_log_y()


def losses(lines: Lines, saves: Sequence[Checkpoint]) -> list[Series]:
    """Return the losses over the steps: a smoothed one first, then the parts of several; a mark at every save."""
    if not lines.steps:
        return []
    trend: list[float] = []
    for value in lines.losses.get("loss", ()):
        before = trend[-1] if trend and trend[-1] == trend[-1] else value
        trend.append(before + (value - before) * max(_SMOOTH, 1.0 / (len(trend) + 1)))
    series = [Series("trend", lines.steps, trend)]
    at = dict(zip(lines.steps, trend, strict=False))
    saved = [(step, at[step]) for save in saves if (step := _nearest(save.step, lines.steps)) in at]
    if saved:
        series.append(
            Series("saved", [step for step, _ in saved], [value for _, value in saved], draw="points")
        )
    names = [name for name in lines.losses if name != "loss"]
    # Of one part alone the loss is that part.
    shown = ["loss"] if len(names) < 2 else names[: _MOST_LOSSES - 1]
    return [*series, *(Series(name, lines.steps, lines.losses[name]) for name in shown)]


def scores(saves: Sequence[Checkpoint], phrase: str) -> list[Series]:
    """Return the scores of the saves, and what of a test phrase lies between 0 and 1, too."""
    scored = [save for save in saves if save.score is not None]
    series = [Series("score", [save.step for save in scored], [save.score or 0.0 for save in scored])]
    for name, title, _ in SAVE_FIGURES:
        if name in ("similarity", "cer"):
            told = [
                (save.step, save.figures[phrase][name])
                for save in saves
                if name in save.figures.get(phrase, {})
            ]
            series.append(Series(title, [step for step, _ in told], [value for _, value in told]))
    return [one for one in series if len(list(one.x))] if scored else []  # type: ignore[arg-type]


def _nearest(step: int, steps: Sequence[int]) -> int:
    """Return the last step of the history that is not after a save."""
    at = bisect_right(steps, step)
    return steps[at - 1] if at else -1
