"""How it stands with a batch as a whole: what is true of it now, whoever works on it or died."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from covermaker.cli.output import near
from covermaker.units import clock

if TYPE_CHECKING:
    from covermaker.batch.queue import Queue


_BUSY: Final = frozenset({"running", "paused", "stopping"})


def facts_of(queue: Queue) -> dict[str, Any]:
    """Return what is true of a batch as a whole, as ``status --json`` prints it."""
    worked_on, counts = queue.is_worked_on, queue.counts()
    if not worked_on and (ran := counts.pop("running", 0)):
        counts["waiting"] = counts.get("waiting", 0) + ran  # its process was killed
    noted = queue.fact("state", "new")
    busy = noted if noted in _BUSY else "new"  # of what was noted before, nothing holds
    idle = "stopped" if counts.get("waiting") else "over"
    return {
        "folder": str(queue.folder),
        "title": queue.fact("title", ""),
        "state": busy if worked_on else idle,
        "worked_on": worked_on,
        "counts": counts,
        "seconds_left": queue.fact("seconds_left") if worked_on else None,
        "places": queue.fact("places", []) if worked_on else [],
    }


def state_words(queue: Queue, facts: dict[str, Any]) -> str:
    """Say who works on it, and what to do where nobody does."""
    here, left = quote(near(str(queue.folder))), facts["seconds_left"]
    return {
        "new": "it begins",
        "running": f"about {clock(left)} left" if left is not None else "",
        "paused": f"paused; go on with: covermaker batch go-on {here}",
        "stopping": "it stops: what runs waits for the next time",
        "stopped": f"nobody works on it; go on with: covermaker batch resume {here}",
    }.get(facts["state"], "")
