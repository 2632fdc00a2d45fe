"""Training, auditions and promotions as jobs: one request from a command or a screen, events on the way, one result.

Every request has ``voice``, a folder. ``train`` takes what `train_voice` takes by its names; ``audition`` takes
``steps`` and ``device``, ``promote`` takes ``step``, ``export-training`` takes ``program``, ``out`` and ``replace``.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.graph.events import StepFinished, StepProgress, StepStarted, nobody
from covermaker.training.crew import ALONE, Crew, Several
from covermaker.training.run import train_voice

if TYPE_CHECKING:
    from covermaker.graph.events import Listener

_OPTIONS = (
    "profile", "minutes", "steps", "device", "resume", "force", "threads", "encoder", "seed", "tensorboard", "network",
    "base",
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


def audition(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Let checkpoints of a voice sing the test phrases."""
    from covermaker.training.audition import audition as sing
    from covermaker.weights.device import pick_device

    began = time.monotonic()
    listener(StepStarted("audition", ""))
    files = sing(
        Path(request["voice"]),
        request.get("steps"),
        device=pick_device(request.get("device") or "auto"),
        progress=lambda fraction: listener(StepProgress("audition", fraction)),
    )
    listener(StepFinished("audition", "", time.monotonic() - began))
    return {"voice": request["voice"], "files": [str(file) for file in files]}


def promote(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Make a checkpoint the voice."""
    from covermaker.training.audition import promote as choose

    card = choose(Path(request["voice"]), int(request["step"]))
    return {"voice": request["voice"], "step": int(request["step"]), "weights": card.weights.sha256}


def export_training(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Write the checkpoint that a voice sings with as files that another program trains on."""
    from covermaker.training.give_out import give_out_training
    from covermaker.voices.voice import Voice

    began = time.monotonic()
    listener(StepStarted("export", ""))
    voice = Voice.open(Path(request["voice"]))
    files = give_out_training(
        voice, request["program"], Path(request["out"]), replace=bool(request.get("replace"))
    )
    listener(StepFinished("export", "", time.monotonic() - began))
    return {"name": voice.name, "files": [str(file) for file in files], "notes": []}
