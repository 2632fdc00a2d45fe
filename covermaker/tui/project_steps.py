"""The pane of a project's steps: what is done, what runs, what is stale and why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual.message import Message
from textual.widgets import Static

from covermaker.tui.actions import Pane
from covermaker.tui.details import live_state
from covermaker.tui.failing import still_fails
from covermaker.tui.help import HelpScreen
from covermaker.tui.job_board import PAUSED
from covermaker.tui.keymap import bindings
from covermaker.tui.words import (
    about,
    clipped,
    fitted,
    glyph,
    level,
    one_line,
    said,
    spelt,
    tone_of,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.render.state import State, StepState
    from covermaker.tui.app import Studio
    from covermaker.tui.job_board import Job


class Steps(Pane, Static, can_focus=True, inherit_bindings=False):
    """The steps as a flow, and in words what matters now."""

    app: Studio

    SCREEN = "project"
    PANE = "steps"
    TITLE = "Steps"
    HELP_TEXT = (
        "What the song goes through, from the file to the export. Done steps are kept: a render makes only what is "
        "stale or new. {project.step-next} and {project.step-previous} choose a step, {project.why} says all about it, "
        "{project.render-again} makes it and what follows once more."
    )
    BINDINGS = bindings("project", "steps")

    class Again(Message):
        """A step is to be made once more, and what follows."""

        def __init__(self, step: str) -> None:
            super().__init__()
            self.step = step

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._state: State | None = None
        self._job: Job | None = None
        self._problem = ""
        self._at = 0

    def show(self, state: State | None, job: Job | None, problem: str = "") -> None:
        """Take what is to be shown; `problem` stands in place of everything."""
        self._state, self._job, self._problem = state, job, problem
        self._at = min(self._at, max(0, len(self._steps) - 1))
        self.write()

    @property
    def _steps(self) -> Sequence[StepState]:
        return self._state.steps if self._state else ()

    def refusal(self, action_id: str) -> str | None:
        """Say why there is nothing to choose, or to make."""
        if not self._steps:
            return "there are no steps: the project cannot be read"
        if action_id == "project.render-again" and self._job is not None and not self._job.is_over:
            return "it is being rendered: {project.cancel} cancels"
        return None

    def action_render_again(self) -> None:
        """Make the step once more, and what follows."""
        self.post_message(self.Again(self._steps[self._at].name))

    def action_step_next(self) -> None:
        """Choose the step after."""
        self._at = min(self._at + 1, len(self._steps) - 1)
        self.write()

    def action_step_previous(self) -> None:
        """Choose the step before."""
        self._at = max(self._at - 1, 0)
        self.write()

    def action_why(self) -> None:
        """Say all about the step."""
        about = self._about(self._steps[self._at])
        if cell_len(about) <= self.app.size.width - 2:
            self.app.say(about)
        else:
            self.app.push_screen(
                HelpScreen(Text(about.replace("; ", "\n  ").replace(": ", "\n  ", 1)), "Why")
            )

    def on_focus(self) -> None:
        """Show which step is chosen."""
        self.call_next(self.write)  # the widget's own handlers come after this one

    def on_blur(self) -> None:
        """Show it no longer."""
        self.call_next(self.write)

    def on_resize(self) -> None:
        """Lay the words out anew."""
        self.write()

    def write(self) -> None:
        """Write the pane."""
        charset = self.app.charset
        if self._problem:
            self.update(Text(f"{said('failed', charset)}: {self._problem}", self._style("failed")))
            return
        if self._state is None:
            self.update(Text(spelt("looking at it…", charset), self._style("quiet")))
            return
        text, used, rows = Text(), 0, self._rows() - 1
        for index, step in enumerate(self._steps):
            word, words = live_state(step, self._job)
            label = f"{glyph(word, charset)} {step.name}" + (f" {words}" if words else "")
            if used and used + cell_len(label) > self.size.width:
                text.append("\n")
                used, rows = 0, rows - 1
            chosen = " reverse" if self.has_focus and index == self._at else ""
            text.append(label, self._style(word) + chosen)
            text.append("  ")
            used += cell_len(label) + 2
        text.append("\n")
        text.append_text(clipped(self._now(rows), self.app.console, self.size.width, rows, charset))
        self.update(text)

    def _rows(self) -> int:
        """Return how many lines there can be: so many as it grows to, or has where it takes what there is."""
        most = self.styles.max_height
        if most is not None and most.is_cells:
            return int(most.value) - self.gutter.height
        return self.size.height

    def _style(self, word: str) -> str:
        colors = self.app.theme_variables
        return colors.get(f"state-{tone_of(word)}", colors["state-quiet"])

    def _about(self, step: StepState, rows: int | None = None) -> str:
        """Say all about a step; where there are but so many `rows`, how much of it is not said."""
        if step.state == "done":
            took = f", took {step.seconds:.1f} s" if step.seconds is not None else ""
            return f"{step.name}: done{took}"
        words, before = step.words or ("to do",), f"{step.name}: "
        if rows is None:
            return before + "; ".join(words)
        return spelt(fitted(words, self.size.width, rows, before=before), self.app.charset)

    def _now(self, rows: int) -> Text:
        """Return the sentence below the steps."""
        state, job = self._state, self._job
        assert state is not None
        if job is not None and job.state in {"run", "wait"}:
            doing = self.app.named(PAUSED) if job.is_held else job.message or job.progress(time.time())
            return Text(
                said(job.state, self.app.charset, doing if job.state == "wait" else f"running: {doing}"),
                self._style("run"),
            )
        if state.problem:
            hint = f"\nnext: {state.hint}" if state.hint else ""
            return Text(
                f"{said('failed', self.app.charset)}: {one_line(state.problem)}{hint}", self._style("failed")
            )
        if self.has_focus and self._steps:
            about = self._about(self._steps[self._at], max(1, rows - 2))
            rows -= len(wrapped(about, self.size.width)) if self.size.width else 1
            return Text(about).append("\n").append_text(self._whole(state, rows))
        return self._whole(state, rows)

    def _whole(self, state: State, rows: int) -> Text:
        """Return how it stands with all of them."""
        job = self._job
        if job is not None and still_fails(job, state):
            hint = job.hint or f"log: {job.log}"
            return Text(
                f"{said('failed', self.app.charset)}: {job.message}\nnext: {hint}", self._style("failed")
            )
        if state.word == "stale":
            time_ = f"; {about(state.estimate_seconds)}"
            why = fitted(state.words, self.size.width, rows, before="stale because: ", behind=time_)
            return Text(spelt(why, self.app.charset), self._style("stale"))
        if state.word == "new":
            return Text(self.app.named("{project.render} renders it, ") + about(state.estimate_seconds))
        peak = f", true peak {state.true_peak_dbtp:.1f} dBTP" if state.true_peak_dbtp is not None else ""
        files = ", ".join(one_line(output.file.name) for output in state.outputs)
        if state.unheard:
            return Text(f"rendered, but {state.unheard}", self._style("stale"))
        return Text(f"rendered: {level(state.lufs, 'LUFS')}{peak}  {files}", self._style("quiet"))
