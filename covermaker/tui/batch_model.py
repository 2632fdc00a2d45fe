"""The queue of renders as the Batch screen shows it: rows, sums and what there is to say of one. Draws nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from covermaker.tui.details import Page
from covermaker.tui.job_board import NOTHING_TO_DO
from covermaker.tui.job_kinds import RENDER
from covermaker.tui.toast import loudness
from covermaker.tui.words import about, count, glyph, left, one_line, said, share, tone_of
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.text import Text

    from covermaker.tui.details import Look
    from covermaker.tui.job_board import Job, JobBoard
    from covermaker.tui.listing import Cell
    from covermaker.tui.words import Charset

_FOLDERS: Final = re.compile(r"(?<!\S)/\S*/")  # in a narrow column the file's name says enough


@dataclass(frozen=True)
class Totals:
    """How far the whole queue is.

    Attributes
    ----------
    fraction : float
        Of everything in the list, running renders by their share.
    seconds_left : float or None
        None while it cannot be known.
    songs_per_minute : float or None
        Of the renders that are done; None before there is one.
    """

    of: int = 0
    done: int = 0
    running: int = 0
    waiting: int = 0
    failed: int = 0
    stopped: int = 0
    fraction: float = 0.0
    seconds_left: float | None = None
    songs_per_minute: float | None = None
    paused: bool = False


def renders(board: JobBoard) -> list[Job]:
    """List the renders in the order in which they are done."""
    return [job for job in board.jobs.values() if job.kind == RENDER]


def word_of(job: Job) -> str:
    """Return the state to show: a render that found everything done already is `cached`."""
    return "cached" if job.was_up_to_date else job.state


def cells(job: Job, number: int, voice: str, *, charset: Charset, now: float, paused: bool) -> list[Cell]:
    """Return number, song, voice, state, loudness and time of a render."""
    word = word_of(job)
    took = job.seconds
    if job.state == "run" and job.started is not None:
        took = now - job.started
    tone = tone_of(word)
    return [
        (str(number), "quiet"),
        (one_line(job.title), ""),
        (one_line(voice), ""),
        (said(word, charset, _state_words(job, word, now, paused=paused)), tone),
        (loudness(job), ""),
        (clock(took) if took is not None else "", "quiet"),
    ]


def _state_words(job: Job, word: str, now: float, *, paused: bool) -> str:
    again = f", try {job.tries}" if job.tries > 1 else ""
    if word == "run":
        return (job.message or job.progress(now)) + again
    if word == "wait":
        return ("paused" if paused else "waiting") + again
    if word == "failed":
        return _FOLDERS.sub("", one_line(job.message)) + again
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
    share_done = over + sum(job.fraction for job in board.running if job.kind == RENDER)
    return Totals(
        of=len(jobs),
        done=states.count("done"),
        running=states.count("run"),
        waiting=states.count("wait"),
        failed=states.count("failed"),
        stopped=states.count("stopped"),
        fraction=share_done / len(jobs) if jobs else 0.0,
        seconds_left=_left(jobs, estimates, mean, now),
        songs_per_minute=60.0 / mean if mean else None,
        paused=RENDER in board.held,
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


def totals_words(sums: Totals, width: int, charset: Charset) -> list[tuple[str, str]]:
    """Return two lines about the queue, each with its tone."""
    full, empty = ("#", "-") if charset == "ascii" else ("█", "░")
    over = sums.done + sums.failed + sums.stopped
    parts = [f"{over} of {sums.of}"]
    for word, number in (("run", sums.running), ("wait", sums.waiting), ("failed", sums.failed)):
        if number:
            parts.append(said(word, charset, f"{number} {'running' if word == 'run' else word}"))
    if sums.stopped:
        parts.append(said("stopped", charset, f"{sums.stopped} stopped"))
    words = "  ".join(parts)
    cells_ = max(8, min(40, width - len(words) - 3))
    filled = int(cells_ * sums.fraction + 1e-9)
    bar = full * filled + empty * (cells_ - filled)
    rest = sums.running + sums.waiting
    second = []
    if sums.paused:
        second.append("the queue is paused" + (": the running song is finished" if sums.running else ""))
    elif rest and sums.seconds_left is not None:
        second.append(f"{about(sums.seconds_left)} left")
    elif rest:
        second.append("the time left is known soon")
    if sums.songs_per_minute is not None and rest:
        second.append(f"{sums.songs_per_minute:.1f} songs a minute")
    if not rest:
        problems = f", {sums.failed} failed" if sums.failed else ""
        every = "all " if sums.of > 1 else ""
        second.append(f"{every}{count(sums.of, 'render')} over{problems}" if sums.of else "")
    tone = "failed" if sums.failed and not rest else "stale" if sums.paused else "quiet"
    return [(f"{bar}  {words}", "run" if sums.running else ""), (", ".join(second), tone)]


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
