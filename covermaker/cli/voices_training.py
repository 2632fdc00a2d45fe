"""``covermaker voices audition``, ``promote``, ``status`` and ``stop``: checkpoints, and a training that runs."""

from __future__ import annotations

import shlex
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from covermaker.cli.alone import run_alone
from covermaker.cli.device import device_option
from covermaker.cli.output import json_option, show, table, words
from covermaker.cli.progress import unless_quiet
from covermaker.cli.voices_takes import find_takes
from covermaker.errors import ResourceError
from covermaker.evaluate.table import SAVE_FIGURES, chosen_phrase, save_figures
from covermaker.graph.events import nobody
from covermaker.training.stages import PREPARING, phase_words
from covermaker.units import clock
from covermaker.voices.card import CARD_FILE

if TYPE_CHECKING:
    from covermaker.training.watch import Checkpoint, Watched


@click.command("audition")
@click.argument("voice")
@click.option("--step", "steps", type=int, multiple=True, help="Only this checkpoint; may be given again.")
@device_option
@json_option
def audition(voice: str, steps: tuple[int, ...], device: str, as_json: bool) -> None:
    """Let every kept checkpoint of VOICE sing the test phrases."""
    from covermaker.training.watch import watch

    folder = find_takes(voice)
    wishes = {"voice": str(folder), "steps": steps or None}
    with unless_quiet(quiet=as_json) as listener:
        files = run_alone("audition", wishes, device=device, listener=listener)["files"]
    found = watch(folder)
    if found.problem:
        words(f"note: {found.problem}")
    kept = [one for one in found.checkpoints if one.kept]
    rows = [(str(one.step), _score(one), "the voice" if one.is_voice else "") for one in kept]
    text = table(rows, header=("step", "score", "")) + "\n" + "\n".join(files)
    values = {"checkpoints": [asdict(one) for one in kept], "files": files}
    show(values, as_json, text)


@click.command("promote")
@click.argument("voice")
@click.argument("step", type=int)
@json_option
def promote(voice: str, step: int, as_json: bool) -> None:
    """Make the checkpoint of STEP the voice."""
    folder = find_takes(voice)
    result = run_alone("promote", {"voice": str(folder), "step": step}, listener=nobody)
    show(result, as_json, f"'{folder.name}' is step {step} now")


@click.command("status")
@click.argument("voice")
@json_option
def status(voice: str, as_json: bool) -> None:
    """Say where the training of VOICE is, whoever runs it, and what its saves scored."""
    from covermaker.training.watch import watch

    folder = find_takes(voice)
    found = watch(folder)
    show({"voice": str(folder), **asdict(found)}, as_json, _status(found, time.time(), voice))


def _status(found: Watched, now: float, voice: str) -> str:
    """Write what is known: a line a fact, below them a table of the saves."""
    rows = [("training", _words(found, now, voice))]
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


def _words(found: Watched, now: float, voice: str) -> str:
    if found.now is None:
        return _over(found, voice)
    phase = found.now
    left = f", {clock(phase.seconds_left)} left" if phase.seconds_left is not None else ""
    left += " in all" if left and phase.phase in PREPARING else ""
    so_far = clock(max(0.0, now - phase.began))
    silent = found.silent_for(now)
    news = f"; no news for {silent:.0f} s" if silent is not None else ""
    news += "; asked to stop" if found.stopping else ""
    what = phase_words(phase.phase) or "starting"
    where = f", on {phase.device}" if phase.device else ""
    return f"{what} {phase.fraction:.0%}{left}, {so_far} so far{where}, process {phase.pid}{news}"


def _over(found: Watched, voice: str) -> str:
    """Say how a training ended, and what to do next."""
    if found.status == "finished":
        return "finished"
    name = shlex.quote(voice)
    if found.status == "astray":
        return f"went astray; look at its takes: covermaker voices scan {name}"
    if found.status == "none" and not found.prepared:
        return f"none yet, begin with: covermaker train {name}"
    at = f" at {_last_step(found)}" if found.last_save is not None else ""
    return f"stopped{' before its first step' if found.prepared else at}, {_next_of(found, voice)}"


def _last_step(found: Watched) -> str:
    """Say which step is kept, and of how many where the budget is one of steps."""
    save = found.last_save
    of = f" of {found.steps}" if found.steps is not None and found.status != "finished" else ""
    return f"step {save.step}{of}" if save is not None else ""


def _score(one: Checkpoint) -> str:
    return "-" if one.score is None else f"{one.score:.4f}"


def _checkpoint(one: Checkpoint) -> tuple[str, ...]:
    marks = [word for word, so in (("the voice", one.is_voice), ("best", one.is_best)) if so]
    return (
        str(one.step),
        _score(one),
        *save_figures(one.figures.get(chosen_phrase(one.figures), {})),
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
    at = f"{_last_step(found)} is kept" if save is not None else "no step is kept"
    text = f"'{folder.name}' stopped: {at}\n{_next_of(found, voice)}"
    if found.status in ("finished", "astray"):  # before it heard of it
        text = f"'{folder.name}': {at}\ntraining {_over(found, voice)}"
    show({"voice": str(folder), "step": save.step if save else None}, as_json, text)


def _next_of(found: Watched, voice: str) -> str:
    """Return how a training goes on that was ended; of one that was still being prepared there is no record."""
    train = f"covermaker train {shlex.quote(voice)}"
    if found.prepared:
        again = " --force" if (find_takes(voice) / CARD_FILE).exists() else ""  # it is trained already
        return f"what was prepared is kept: {train}{again} goes on from there"
    return f"go on with: {train} --resume" if found.profile else f"begin again with: {train}"
