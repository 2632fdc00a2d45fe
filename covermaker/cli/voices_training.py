"""``covermaker voices audition``, ``promote``, ``status`` and ``stop``: checkpoints, and a training that runs."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from covermaker.cli.device import device_option
from covermaker.cli.output import json_option, show, table, words
from covermaker.cli.voices_takes import find_takes
from covermaker.errors import ResourceError
from covermaker.evaluate.table import SAVE_FIGURES, save_figures
from covermaker.units import clock

if TYPE_CHECKING:
    from covermaker.training.watch import Checkpoint, Watched


@click.command("audition")
@click.argument("voice")
@click.option("--step", "steps", type=int, multiple=True, help="Only this checkpoint; may be given again.")
@device_option
@json_option
def audition(voice: str, steps: tuple[int, ...], device: str, as_json: bool) -> None:
    """Let every kept checkpoint of VOICE sing the test phrases."""
    from covermaker.training.audition import audition as sing
    from covermaker.training.watch import watch
    from covermaker.weights.device import pick_device

    folder = find_takes(voice)
    files = sing(folder, steps or None, device=pick_device(device))
    found = watch(folder)
    if found.problem:
        words(f"note: {found.problem}")
    kept = [one for one in found.checkpoints if one.kept]
    rows = [(str(one.step), _score(one), "the voice" if one.is_voice else "") for one in kept]
    text = table(rows, header=("step", "score", "")) + "\n" + "\n".join(map(str, files))
    values = {"checkpoints": [asdict(one) for one in kept], "files": [str(file) for file in files]}
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


@click.command("status")
@click.argument("voice")
@json_option
def status(voice: str, as_json: bool) -> None:
    """Say where the training of VOICE is, whoever runs it, and what its saves scored."""
    from covermaker.training.watch import watch

    folder = find_takes(voice)
    found = watch(folder)
    show({"voice": str(folder), **asdict(found)}, as_json, _status(found, time.time()))


def _status(found: Watched, now: float) -> str:
    """Write what is known: a line a fact, below them a table of the saves."""
    rows = [("training", _words(found, now))]
    if found.profile:
        budget = f"{found.minutes:g} min" if found.minutes is not None else f"{found.steps} steps"
        rows.append(("profile", f"{found.profile}, {budget}"))
    if found.step:
        speed = f", {found.seconds_per_step:.3g} s a step" if found.seconds_per_step is not None else ""
        loss = f", loss {found.loss:.4g}" if found.loss is not None else ""
        rows.append(("step", f"{found.step}{speed}{loss}"))
    if found.problem:
        rows.append(("problem", found.problem))
    lines = [table(rows)]
    if found.checkpoints:
        header = ("step", "score", *(head for _, head, _ in SAVE_FIGURES), "")
        lines += ["", table([_checkpoint(one) for one in reversed(found.checkpoints)], header=header)]
    return "\n".join(lines)


def _words(found: Watched, now: float) -> str:
    if found.now is None:
        return {"none": "none yet", "finished": "finished", "astray": "went astray"}.get(
            found.status, "stopped: covermaker train --resume goes on"
        )
    phase = found.now
    left = f", {clock(phase.seconds_left)} left" if phase.seconds_left is not None else ""
    silent = found.silent_for(now)
    news = f"; no news for {silent:.0f} s" if silent is not None else ""
    news += "; asked to stop" if found.stopping else ""
    return f"{phase.phase or 'starting'} {phase.fraction:.0%}{left} on {phase.device or '?'}, process {phase.pid}{news}"


def _score(one: Checkpoint) -> str:
    return "-" if one.score is None else f"{one.score:.4f}"


def _checkpoint(one: Checkpoint) -> tuple[str, ...]:
    kind = "sung" if "sung" in one.figures else next(iter(one.figures), "")
    marks = [word for word, so in (("the voice", one.is_voice), ("best", one.is_best)) if so]
    return (
        str(one.step),
        _score(one),
        *save_figures(one.figures.get(kind, {})),
        ", ".join(marks if one.kept else [*marks, "not kept"]),
    )


@click.command("stop")
@click.argument("voice")
@click.option("--kill", is_flag=True, help="At once, without saving: what came after the last save is lost.")
@click.option(
    "--wait", "seconds", type=click.FloatRange(0.0), default=120.0, show_default=True,
    help="How many seconds to wait for its end.",
)  # fmt: skip
@json_option
def stop(voice: str, kill: bool, seconds: float, as_json: bool) -> None:
    """Let the training of VOICE save and end, wherever it runs; covermaker train --resume goes on."""
    from covermaker.training.stopping import ask_to_stop, kill_training
    from covermaker.training.watch import wait_until_free, watch

    folder = find_takes(voice)
    if kill:
        kill_training(folder)
    else:
        ask_to_stop(folder)
    if not wait_until_free(folder, seconds):
        raise ResourceError(
            f"the training of '{folder.name}' was asked to stop and still runs",
            hint="a step may take long; or end it at once with --kill",
        )
    found = watch(folder)
    save = found.last_save
    at = f"step {save.step} is kept" if save is not None else "no step is kept"
    show(
        {"voice": str(folder), "step": save.step if save else None}, as_json, f"'{folder.name}' stopped: {at}"
    )
