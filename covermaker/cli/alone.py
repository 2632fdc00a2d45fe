"""Jobs that belong to no project: how they are asked for, and where their log goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from covermaker.jobs.launch import launch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.graph.events import Listener


def run_alone(
    job: str,
    wishes: Mapping[str, Any],
    *,
    device: str | None = None,
    listener: Listener,
    store: Path | None = None,
) -> dict[str, Any]:
    """Run a job of `covermaker.jobs.child` in a process of its own and return its result."""
    request = {"job": job, **wishes, "store": str(store) if store else None, "device": device}
    return launch(request, listener=listener, log=log_file(job))


def log_file(job: str) -> Path:
    """Return where the log of a job without a project goes."""
    from platformdirs import user_log_path

    return user_log_path("covermaker") / f"{job}.log"
