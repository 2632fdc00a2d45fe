"""The studio's own renders as the Batch screen shows them: rows, sums, what there is to say of one. Draws nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from covermaker.tui.batch_sums import Totals
from covermaker.tui.details import Page
from covermaker.tui.job_board import NOTHING_TO_DO
from covermaker.tui.job_kinds import RENDER
from covermaker.tui.toast import loudness
from covermaker.tui.words import glyph, left, one_line, said, share, tone_of
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.text import Text

    from covermaker.tui.details import Look
    from covermaker.tui.job_board import Job, JobBoard
    from covermaker.tui.listing import Cell
    from covermaker.tui.words import Charset

_FOLDERS: Final = re.compile(r"(?<!\S)/\S*/")


def renders(board: JobBoard) -> list[Job]:
    """List the renders in the order in which they are done."""
    return [job for job in board.jobs.values() if job.kind == RENDER]


def word_of(job: Job) -> str:
    """Return the state to show: a render that found everything done already is `cached`."""
    return "cached" if job.was_up_to_date else job.state


def without_folders(text: str) -> str:
    """Return a text with the paths in it cut to the names of their files: in a narrow column those say enough."""
    return _FOLDERS.sub("", text)


def cells(
    job: Job, number: int, voice: str, *, charset: Charset, now: float, paused: bool
) -> dict[str, Cell]:
    """Return what stands in the columns of a render's row, by their names."""
    word = word_of(job)
    took = job.seconds
    if job.state == "run" and job.started is not None:
        took = now - job.started
    tone = tone_of(word)
    return {
        "number": (str(number), "quiet"),
        "song": (one_line(job.title), ""),
        "voice": (one_line(voice), ""),
        "state": (said(word, charset, _state_words(job, word, now, paused=paused)), tone),
        "loudness": (loudness(job), ""),
        "time": (clock(took) if took is not None else "", "quiet"),
    }


def _state_words(job: Job, word: str, now: float, *, paused: bool) -> str:
    again = f", try {job.tries}" if job.tries > 1 else ""
    if word == "run":
        return (job.message or job.progress(now)) + again
    if word == "wait":
        return ("paused" if paused else "waiting") + again
    if word == "failed":
        return without_folders(one_line(job.message)) + again
    return ("nothing to do" if word == "cached" else "") or ("done" if word == "done" else "stopped")


def totals(board: JobBoard, estimates: Mapping[str, float], now: float) -> Totals:
    """Sum the queue up.

    Parameters
    ----------
    estimates : mapping
        Seconds that a render is thought to take, by its subject; used until renders of this queue tell better.
    """
    jobs = renders(board)
    states = [job.state for job in jobs]
    over = sum(job.is_over for job in jobs)
    times = [job.seconds or 0.0 for job in jobs if word_of(job) == "done"]
    mean = sum(times) / len(times) if times else None
    running = states.count("run")
    standing = ""
    if RENDER in board.held:
        standing = "the queue is paused" + (": the running song is finished" if running else "")
    share_done = over + sum(job.fraction for job in board.running if job.kind == RENDER)
    return Totals(
        of=len(jobs),
        done=states.count("done"),
        running=running,
        waiting=states.count("wait"),
        failed=states.count("failed"),
        stopped=states.count("stopped"),
        fraction=share_done / len(jobs) if jobs else 0.0,
        seconds_left=_left(jobs, estimates, mean, now),
        songs_per_minute=60.0 / mean if mean else None,
        standing=standing,
    )


def _left(
    jobs: Sequence[Job], estimates: Mapping[str, float], mean: float | None, now: float
) -> float | None:
    """Return how long it all still takes; None as long as one of the renders cannot be told."""
    whole = 0.0
    for job in jobs:
        if job.is_over:
            continue
        known = job.seconds_left(now)
        if known is None:
            known = mean if mean is not None else estimates.get(job.subject)
        if known is None:
            return None
        whole += known
    return whole


def details(job: Job, look: Look, *, paused: bool) -> Text:
    """Return the text about one render: cause and next step of a failure, what was kept, steps, files, log."""
    word, page, named = word_of(job), Page(look), look.named
    if word == "failed":
        step = next((step.words for step in job.steps.values() if step.state == "failed"), "")
        page.line(
            said("failed", look.charset), (f"{step}: " if step else "") + one_line(job.message), "failed"
        )
        page.line(
            "next", (f"{job.hint}; then " if job.hint else "") + named("{batch.retry} renders it again")
        )
    elif word == "stopped":
        page.line("stopped", named("{batch.retry} renders it again, from where it was"), "quiet")
    elif word == "wait":
        page.line(
            "waiting",
            named("the queue is paused: {batch.pause} goes on") if paused else "for its turn",
            "quiet",
        )
    elif word == "run":
        page.line("running", job.message or job.progress(look.now), "run")
        remaining = left(job.seconds_left(look.now))
        page.line("whole", share(job.fraction) + (f", {remaining}" if remaining else ""))
    else:
        took = f" in {clock(job.seconds)}" if job.seconds is not None else ""
        lufs = loudness(job)
        made = NOTHING_TO_DO if word == "cached" else f"rendered{took}"
        page.line("done", made + (f", {lufs}" if lufs else ""), "done")
        for file in job.result.get("files", []):
            page.line("file", one_line(str(file)))
    for note in job.notes:
        page.line("note", one_line(note), "stale")
    if job.tries > 1:
        page.line("tries", str(job.tries))
    if job.steps and word in {"failed", "stopped"}:
        page.line("kept", ", ".join(job.kept) or "nothing yet")
    if job.steps:
        page.line(
            "steps",
            "  ".join(f"{glyph(step.state, look.charset)}\u00a0{step.words}" for step in job.steps.values()),
        )
    page.line("log", str(job.log))
    page.text.rstrip()
    return page.text
