"""Taking recordings in and scanning them as jobs: both decode files of somebody else, which may crash a process.

``take-in`` takes ``voice`` (a folder), ``paths``, and either ``add`` or what `new_takes` asks for a new voice:
``rights``, ``statement``, ``languages``. ``scan`` takes ``voice``.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.graph.events import StepFinished, StepProgress, StepStarted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.graph.events import Listener
    from covermaker.progress import Progress


def take_in(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Make a voice of recordings, or add them to one."""
    from covermaker.takes.create import add_takes, new_takes

    folder, paths = Path(request["voice"]), [Path(path) for path in request["paths"]]
    with _step("takes", listener) as progress:
        if request.get("add"):
            added = add_takes(folder, paths, progress=progress)
        else:
            options = {
                name: request[name] for name in ("rights", "statement", "languages") if name in request
            }
            added = new_takes(folder, folder.name, paths, progress=progress, **options).takes
    return {"voice": str(folder), "takes": [row.file for row in added]}


def scan(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Measure and judge the takes of a voice."""
    from covermaker.takes.scan import scan as scan_takes

    with _step("scan", listener) as progress:
        report = scan_takes(Path(request["voice"]), progress=progress)
    return {"voice": request["voice"], "takes": len(report.takes)}


@contextmanager
def _step(name: str, listener: Listener) -> Iterator[Progress]:
    began = time.monotonic()
    listener(StepStarted(name, ""))
    yield lambda fraction: listener(StepProgress(name, fraction))
    listener(StepFinished(name, "", time.monotonic() - began))
