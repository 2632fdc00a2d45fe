"""``covermaker voices audition`` and ``promote``: listening to checkpoints and choosing one."""

from __future__ import annotations

from typing import Any

import click

from covermaker.cli.device import device_option
from covermaker.cli.output import json_option, show, table
from covermaker.cli.voices_takes import find_takes


@click.command("audition")
@click.argument("voice")
@device_option
@json_option
def audition(voice: str, device: str, as_json: bool) -> None:
    """Let every kept checkpoint of VOICE sing the test phrases."""
    from covermaker.training.audition import audition as sing
    from covermaker.training.audition import checkpoints
    from covermaker.weights.device import pick_device

    folder = find_takes(voice)
    files = sing(folder, device=pick_device(device))
    states = checkpoints(folder)
    rows = [
        (
            str(state["step"]),
            "-" if state["score"] is None else f"{state['score']:.4f}",
            "the voice" if state["voice"] else "",
        )
        for state in states
    ]
    text = table(rows, header=("step", "score", "")) + "\n" + "\n".join(map(str, files))
    values: dict[str, Any] = {"checkpoints": states, "files": [str(file) for file in files]}
    show(values, as_json, text)


@click.command("promote")
@click.argument("voice")
@click.argument("step", type=int)
@json_option
def promote(voice: str, step: int, as_json: bool) -> None:
    """Make the checkpoint of STEP the voice."""
    from covermaker.training.audition import promote as choose

    folder = find_takes(voice)
    card = choose(folder, step)
    values = {"voice": str(folder), "step": step, "weights": card.weights.sha256}
    show(values, as_json, f"'{folder.name}' is step {step} now")
