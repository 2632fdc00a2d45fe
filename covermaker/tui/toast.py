"""Toasts: what ended well, what failed and where its log is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.tui.words import level, one_line
from covermaker.units import clock

if TYPE_CHECKING:
    from covermaker.tui.app import Studio
    from covermaker.tui.jobs import Job

SECONDS: Final = 6.0
FAILED_SECONDS: Final = 20.0
LONG_JOB_SECONDS: Final = 10.0


def ended_words(job: Job) -> tuple[str, str]:
    """Return what to say of a job that ended: the line, and the next step or nothing."""
    title = one_line(job.title)
    if job.state == "stopped":
        return f"{title}: stopped, finished steps are kept", ""
    if job.state == "failed":
        step = next((step.name for step in job.steps.values() if step.state == "failed"), "")
        where = f" at {step}" if step else ""
        return f"{title}: failed{where}: {job.message}", job.hint
    took = clock((job.ended or 0.0) - (job.started or 0.0))
    lufs = _loudness(job)
    return f"{title}: rendered in {took}" + (f", {lufs}" if lufs else ""), ""


def _loudness(job: Job) -> str:
    master = job.result.get("reports", {}).get("master") or {}
    return level(master["integrated_lufs"], "LUFS") if "integrated_lufs" in master else ""


def job_ended(app: Studio, job: Job) -> None:
    """Show how a job ended; a long one rings the bell."""
    words, hint = ended_words(job)
    failed = job.state == "failed"
    app.say(words, "failed" if failed else "done" if job.state == "done" else "quiet")
    log = f"log: {job.log}" if failed and str(job.log) not in hint else ""
    text = "\n".join(line for line in (words, hint, log) if line)
    app.notify(
        text,
        severity="error" if failed else "information",
        timeout=FAILED_SECONDS if failed else SECONDS,
        markup=False,
    )
    if app.settings.notify and (job.ended or 0.0) - (job.started or 0.0) >= LONG_JOB_SECONDS:
        app.bell()
