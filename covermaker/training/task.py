"""The training as a job: one request from a command or a screen, events on the way, one result.

A request: ``voice`` (a folder with takes), and what `train_voice` takes by its names.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.graph.events import nobody
from covermaker.training.crew import ALONE, Crew, Several
from covermaker.training.run import train_voice

if TYPE_CHECKING:
    from covermaker.graph.events import Listener

_OPTIONS = (
    "profile", "minutes", "steps", "device", "resume", "force", "threads", "encoder", "seed", "tensorboard",
)  # fmt: skip


def train(request: dict[str, Any], listener: Listener, *, crew: Crew = ALONE) -> dict[str, Any]:
    """Train the voice of a request."""
    options = {name: request[name] for name in _OPTIONS if request.get(name) is not None}
    home = Path(request["home"]) if request.get("home") else None
    return train_voice(Path(request["voice"]), home=home, listener=listener, crew=crew, **options)


def train_with_others(request: dict[str, Any], listener: Listener) -> dict[str, Any] | None:
    """Train as one of the processes that ``torchrun`` started; only the leader speaks, and has a result."""
    crew = Several(request.get("device") or "auto")
    try:
        result = train(request, listener if crew.leads else nobody, crew=crew)
        return result if crew.leads else None
    finally:
        crew.close()
