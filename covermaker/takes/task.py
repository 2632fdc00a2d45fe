"""Taking recordings in and scanning them as jobs: both decode files of somebody else, which may crash a process.

``take-in`` takes ``voice`` (a folder), ``paths``, and either ``add`` and perhaps ``singer``, or what `new_takes` asks
for a new voice: ``rights``, ``statement``, ``languages``, ``slicing``, ``cleaning``, ``replace``. ``scan`` takes
``voice``, ``bleed``, ``write_labels`` (the cuts go beside the takes) and ``picture`` (a file to draw them into).
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


_OPTIONS = ("rights", "statement", "languages", "replace")


def take_in(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Make a voice of recordings, or add them to one."""
    from covermaker.takes.create import add_takes, new_takes
    from covermaker.takes.document import Cleaning, Slicing

    folder, paths = Path(request["voice"]), [Path(path) for path in request["paths"]]
    with _step("takes", listener) as progress:
        if request.get("add"):
            added = add_takes(folder, paths, singer=request.get("singer", ""), progress=progress)
        else:
            options = {name: request[name] for name in _OPTIONS if name in request}
            added = new_takes(
                folder, folder.name, paths, progress=progress,
                slicing=Slicing(**request.get("slicing", {})), cleaning=Cleaning(**request.get("cleaning", {})),
                **options,
            ).takes  # fmt: skip
    return {"voice": str(folder), "takes": [row.file for row in added]}


def scan(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Measure and judge the takes of a voice."""
    from covermaker.takes.review import draw_scan, write_label_tracks
    from covermaker.takes.scan import scan as scan_takes

    folder, picture = Path(request["voice"]), request.get("picture")
    with _step("scan", listener) as progress:
        report = scan_takes(folder, bleed=request.get("bleed", True), progress=progress)
    labels = write_label_tracks(folder) if request.get("write_labels") else []
    if picture is not None:
        draw_scan(folder, report, Path(picture))
    return {
        "voice": request["voice"],
        "report": report.to_json(),
        "labels": [str(file) for file in labels],
    }


@contextmanager
def _step(name: str, listener: Listener) -> Iterator[Progress]:
    began = time.monotonic()
    listener(StepStarted(name, ""))
    yield lambda fraction: listener(StepProgress(name, fraction))
    listener(StepFinished(name, "", time.monotonic() - began))
