"""What the library says of one song: facts, why it is stale, what a render would redo, outputs, steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

from covermaker.tui.failing import still_fails
from covermaker.tui.words import about, ago, cut, glyph, length, level, one_line, said, share, spelt, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from covermaker.features.song.facts import SongFacts
    from covermaker.project.library import Row
    from covermaker.render.state import State, StepState
    from covermaker.tui.job_board import Job
    from covermaker.tui.words import Charset

_LABEL: Final = 9
_WIDE: Final = 34  # from here on a step has a line of its own where there is height for it
_GLUE: Final = "\u00a0"  # keeps a sign and its step on one line


@dataclass(frozen=True, slots=True)
class Look:
    """How a text is to be laid out.

    Attributes
    ----------
    styles : mapping
        Rich styles by the name of a state: `done`, `run`, `stale`, `failed`, `quiet`.
    width : int
        Cells in a line.
    named : callable
        Puts keys in the place of the actions that a sentence names.
    tall : bool
        Whether there is room for a line a step.
    now : float
        Seconds since the epoch.
    """

    charset: Charset
    styles: Mapping[str, str]
    width: int
    named: Callable[[str], str]
    tall: bool
    now: float


class Page:
    """Labelled lines; words that do not fit go on under the words, not under the label."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.text = Text()

    def line(self, label: str, words: str, tone: str = "", *, quiet: str = "") -> None:
        """Write a label and words; `quiet` stands behind them, less bright."""
        style = self.look.styles.get(tone, "")
        room = max(8, self.look.width - _LABEL)
        first, *more = (piece.replace(_GLUE, " ") for piece in wrapped(words, room))
        self.text.append(f"{label:<{_LABEL}}", style or "bold")
        self.text.append(first)
        for piece in more:
            self.text.append(f"\n{'':{_LABEL}}{piece}")
        if quiet and not more and cell_len(first) + len(quiet) + 2 <= room:
            self.text.append(f"  {quiet}", self.look.styles["quiet"])
        self.text.append("\n")


def details(song: Row, state: State | None, job: Job | None, look: Look) -> Text:
    """Return the text."""
    page, charset = Page(look), look.charset
    running = job is not None and job.state in {"run", "wait"}
    if job is not None and running:
        page.text.append(
            said(job.state, charset, job.message or job.progress(look.now)) + "\n", look.styles["run"]
        )
    failed = still_fails(job, state)
    if job is not None and failed:
        page.line(said("failed", charset), job.message, "failed")
        page.line("next", job.hint or look.named("{studio.log} shows the log"))
        page.line("log", str(job.log))
    problem = song.problem or (state.problem if state else "")
    if problem and not (failed and state is not None and state.failed_at is not None):  # the same, told above
        page.line(said("failed", charset), one_line(problem), "failed")
        if state and state.hint:
            page.line("next", state.hint)
        if state and state.failed_at is not None:
            page.line("when", ago(look.now - state.failed_at))
            if "log:" not in state.hint:
                page.line("log", str(song.folder / ".covermaker" / "render.log"))
    if state is None:
        page.text.append(spelt("looking at it…", charset) + "\n", look.styles["quiet"])
        return page.text
    _song(page, song, state)
    if state.unheard:
        page.line("note", state.unheard, "stale")
    if not running:
        _redo(page, state)
    _outputs(page, state)
    _steps(page, state, job if running else None)
    page.text.rstrip()
    return page.text


def _song(page: Page, song: Row, state: State) -> None:
    facts = []
    if state.sample_rate:
        channels = {1: "mono", 2: "stereo"}.get(state.channels or 0, f"{state.channels} channels")
        facts.append(f"{state.sample_rate / 1000:g} kHz {channels} {length(state.seconds)}")
    name = one_line(state.song.name) if state.song else "no song"
    page.line("song", f"{name}  in {one_line(song.folder.name)}")
    if facts:
        page.line("", "  ".join(facts))
    if state.facts is not None:
        page.line("", _measured(state.facts))
    if song.voice:
        page.line("voice", one_line(song.voice))


def _measured(facts: SongFacts) -> str:
    """Say how a song measures; how sure the key is stands behind it, 0 to 1."""
    words = []
    if facts.integrated_lufs is not None:
        words.append(level(facts.integrated_lufs, "LUFS"))
    if facts.true_peak_dbtp is not None:
        words.append(f"peak {facts.true_peak_dbtp:.1f} dBTP")
    words.append(f"key {facts.key} {facts.key_confidence:.2f}" if facts.key else "no key found")
    words.append(f"{facts.tempo_bpm:.1f} bpm" if facts.tempo_bpm else "no beat found")
    return "  ".join(words)


def _redo(page: Page, state: State) -> None:
    if state.word == "new":
        renders = page.look.named("{library.render} renders it")
        page.line("new", f"{renders}, {about(state.estimate_seconds)}")
    if state.word != "stale":
        return
    page.line("stale", "; ".join(state.words) or "parts of it are made again", "stale")
    kinds = ", ".join(dict.fromkeys(step.name for step in state.to_do))
    page.line("redo", f"{kinds}: {about(state.estimate_seconds)}")


def _outputs(page: Page, state: State) -> None:
    if not state.outputs:
        return
    peak = f", peak {state.true_peak_dbtp:.1f} dBTP" if state.true_peak_dbtp is not None else ""
    page.line("output", f"{level(state.lufs, 'LUFS')}{peak}")
    for output in state.outputs:
        page.line("", one_line(output.file.name), quiet=ago(page.look.now - output.made))


def _steps(page: Page, state: State, job: Job | None) -> None:
    if not state.steps:
        return
    rows = [_step(step, job) for step in state.steps]
    if page.look.tall and page.look.width >= _WIDE:
        page.text.append("steps\n", "bold")
        for name, word, words in rows:
            style = page.look.styles.get(word, page.look.styles["quiet"])
            page.text.append(f" {glyph(word, page.look.charset)} ", style)
            page.text.append(f"{name:<15} ")
            said_ = f"{said(word, page.look.charset)[2:]}" + (f": {words}" if words else "")
            page.text.append(cut(said_, page.look.width - 19, page.look.charset) + "\n", style)
        return
    signs = ((glyph(word, page.look.charset), name) for name, word, _ in rows)
    flow = "  ".join(f"{sign} {name}".replace(" ", _GLUE) for sign, name in signs)
    page.line("steps", flow)


def _step(step: StepState, job: Job | None) -> tuple[str, str, str]:
    """Return a step's name, the state to show and what to add to it."""
    word, words = live_state(step, job)
    if word == "done" and step.state == "done" and step.seconds is not None:
        words = f"{step.seconds:.1f} s"
    elif word == "stale":
        words = "follows" if step.follows else "; ".join(step.words)
    return step.name, word, words


def live_state(step: StepState, job: Job | None) -> tuple[str, str]:
    """Return a step's state and how far it is: from the job that runs, else from the last look."""
    live = job.steps.get(step.name) if job is not None and not job.is_over else None
    if live is not None and live.state != "cached":
        return live.state, share(live.fraction) if live.state == "run" else ""
    if step.state == "done" or live is not None:
        return "done", ""
    return "wait" if step.is_new else "stale", ""
