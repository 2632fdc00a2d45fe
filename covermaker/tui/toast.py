"""Toasts: what ended well, what failed and where its log is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.tui.job_board import NOTHING_TO_DO, PAUSED
from covermaker.tui.job_kinds import TRAIN, kind_of
from covermaker.tui.lost import KEPT, reached
from covermaker.tui.words import level, one_line
from covermaker.units import clock

if TYPE_CHECKING:
    from covermaker.tui.job_board import Job
    from covermaker.tui.working import Working

SECONDS: Final = 6.0
FAILED_SECONDS: Final = 20.0
LONG_JOB_SECONDS: Final = 10.0


def begun_words(job: Job) -> str:
    """Return what to say of a render that was just asked for."""
    title = one_line(job.title)
    if job.state == "wait":
        return f"{title}: {PAUSED if job.is_held else job.progress(0.0)}"
    again = job.request.get("again")
    return f"rendering {title}" + (f", again from {again}" if again else "")


def ended_words(job: Job) -> tuple[str, str]:
    """Return what to say of a job that ended: the line, and the next step, what is odd about it or nothing."""
    title = one_line(job.title)
    if job.state == "stopped":
        if job.message != "stopped":
            return f"{title}: {job.message}", job.hint
        kept = KEPT[reached(job)] if job.kind == TRAIN else kind_of(job.kind).kept
        return f"{title}: stopped, {kept}", ""
    if job.state == "failed":
        step = next((step.words for step in job.steps.values() if step.state == "failed"), "")
        where = f" at {step}" if step else ""
        return f"{title}: failed{where}: {job.message}", job.hint
    if job.was_up_to_date:
        return f"{title}: {NOTHING_TO_DO}", unheard(job)
    lufs = loudness(job)
    words = f"{title}: {kind_of(job.kind).done} in {clock(job.seconds or 0.0)}"
    return words + (f", {lufs}" if lufs else ""), unheard(job)


def unheard(job: Job) -> str:
    """Return why no voice is heard in what a job rendered; empty where one is."""
    return str(job.result.get("unheard", ""))


def loudness(job: Job) -> str:
    """Return how loud a render came out; empty while nobody knows."""
    master = job.result.get("reports", {}).get("master") or {}
    return level(master["integrated_lufs"], "LUFS") if "integrated_lufs" in master else ""


def job_ended(app: Working, job: Job) -> None:
    """Say how a job ended, over the screen too where it shows nothing of it; a long one rings the bell."""
    words, hint = ended_words(job)
    failed = job.state == "failed"
    odd = unheard(job)
    screen = app.front()
    if screen is not None and screen.answers(job):
        app.hush()
        return
    app.say(
        f"{words}; {odd}" if odd else words,
        "failed" if failed else "stale" if odd else "done" if job.state == "done" else "quiet",
    )
    if app.settings.notify and (job.seconds or 0.0) >= LONG_JOB_SECONDS:
        app.bell()
    if (kind_of(job.kind).is_quiet and not failed) or (not odd and screen is not None and screen.shows(job)):
        return
    log = f"log: {job.log}" if failed and str(job.log) not in hint else ""
    text = "\n".join(line for line in (words, hint, log) if line)
    app.notify(
        text,
        severity="error" if failed else "warning" if odd else "information",
        timeout=FAILED_SECONDS if failed or odd else SECONDS,
        markup=False,
    )
