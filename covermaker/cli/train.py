"""``covermaker train``: a voice is made from its takes."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.alone import log_file
from covermaker.cli.device import device_option
from covermaker.cli.output import table
from covermaker.cli.progress import listening
from covermaker.cli.stopping import stoppable
from covermaker.cli.voices_takes import find_takes
from covermaker.errors import CovermakerError, UsageError
from covermaker.graph.events import Note
from covermaker.jobs.launch import launch
from covermaker.training.stopping import StoppedError, ask_to_stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from covermaker.graph.events import Listener


@click.command("train")
@click.argument("voice")
@click.option(
    "--network",
    type=click.Choice(["ddsp", "vits"]),
    help="Our own, or one as RVC and so-vits-svc have it, for a GPU [default: ddsp, or as --profile says].",
)
@click.option(
    "--profile",
    help="quick or studio; of vits rvc, rvc-32k, rvc-48k or sovits; or custom (VOICE/profile.toml) "
    "[default: quick, or rvc; with --resume, as begun].",
)
@click.option(
    "--base",
    multiple=True,
    metavar="FILE|none",
    help="Of vits: pretrained weights to begin with, once for G and once for D [default: as installed].",
)
@click.option("--minutes", type=float, help="Wall-clock budget of everything, takes to voice.")
@click.option(
    "--steps",
    type=int,
    help="A fixed number of steps instead: the same bits again on this machine, unless it is short of memory.",
)
@click.option(
    "--encoder",
    help="What reads the words, as whisper-tiny.en; see docs/voices.md.",
)
@click.option("--resume", is_flag=True, help="Take up a training that was stopped.")
@click.option("--force", is_flag=True, help="Begin again, whatever is there.")
@click.option("--threads", type=click.IntRange(1, 512), help="CPU cores to use [default: all].")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31),
    help="Of every random draw [default: 1; with --resume, as begun].",
)
@click.option("--tensorboard", is_flag=True, help="Write curves to VOICE/training/tensorboard, too.")
@device_option
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
def command(
    voice: str,
    network: str | None,
    profile: str | None,
    base: tuple[str, ...],
    minutes: float | None,
    steps: int | None,
    encoder: str | None,
    resume: bool,
    force: bool,
    threads: int | None,
    seed: int | None,
    tensorboard: bool,
    device: str,
    as_json: bool,
) -> None:
    """Train VOICE, a name of the library or a folder, from the takes it holds.

    Take recordings in first: covermaker voices new NAME PATH…
    """
    from covermaker.training.crew import speaks

    request = {
        "job": "train", "profile": profile, "minutes": minutes, "steps": steps, "encoder": encoder, "device": device,
        "resume": resume, "force": force, "threads": threads, "seed": seed,
        "tensorboard": tensorboard, "network": network,
        "base": [one if one == "none" else str(Path(one).absolute()) for one in base] or None,
    }  # fmt: skip
    if not speaks():
        _follow(voice, request)
        return
    folder = _checked(voice, request, may_ask=sys.stdin.isatty() and not as_json)
    with (
        listening(as_json=as_json) as listener,
        _stopping(folder, voice, request),
        _asking_first(folder, listener),
    ):
        result = _run({**request, "voice": str(folder)}, listener)
    if result is not None and not as_json:
        click.echo(summary(result))


def _checked(voice: str, request: dict[str, Any], *, may_ask: bool) -> Path:
    """Return the voice's folder; refuse what can be refused at once, ask before a trained voice is trained again."""
    from covermaker.takes.document import read_takes
    from covermaker.training.board import check_tensorboard
    from covermaker.training.crew import started_by_torchrun
    from covermaker.training.profile_choice import load_profile

    folder = find_takes(voice)
    if request["tensorboard"]:
        check_tensorboard()
    read_takes(folder)
    load_profile(
        request["profile"],
        folder,
        minutes=request["minutes"],
        steps=request["steps"],
        network=request["network"],
    )
    resume, force = request["resume"], request["force"]
    if resume and force:
        raise UsageError("--resume and --force exclude each other", hint="give one of them")
    trained = not resume and not force and (folder / "card.toml").exists()
    if trained and may_ask and not started_by_torchrun():
        if not click.confirm(f"'{folder.name}' is trained already. Train it again?", err=True):
            raise UsageError(f"'{folder.name}' stays as it is")
        request["force"] = True
    return folder


def _run(request: dict[str, Any], listener: Listener) -> dict[str, Any] | None:
    """Train in a child process; under torchrun, which watches over its processes itself, in this one."""
    from covermaker.training.crew import started_by_torchrun

    if not started_by_torchrun():
        return launch(request, listener=listener, log=log_file("train"))
    from covermaker.training.task import train_with_others

    return train_with_others(request, listener)


def _follow(voice: str, request: dict[str, Any]) -> None:
    """Train as one of several processes, of which another one speaks; whatever ends it, that one has said."""
    from covermaker.graph.events import nobody

    try:
        _run({**request, "voice": str(find_takes(voice))}, nobody)
    except CovermakerError as error:
        raise SystemExit(int(error.exit_code)) from error


@contextmanager
def _asking_first(folder: Path, listener: Listener) -> Iterator[None]:
    """Let the first Ctrl-C ask a training that runs to save and end; the next one ends it at once."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:  # as with nohup: it stays so
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            ask_to_stop(folder)
        except CovermakerError:  # there is nothing yet that could be asked
            raise KeyboardInterrupt from None
        listener(Note("it saves and ends; Ctrl-C again ends it at once"))

    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _stopping(folder: Path, voice: str, request: dict[str, Any]) -> Iterator[None]:
    """Turn Ctrl-C, and what is like it, into a line that says what is kept and how to go on."""
    try:
        with stoppable():
            yield
    except KeyboardInterrupt:
        raise StoppedError(f"stopped; {_what_is_kept(folder, voice, request)}") from None


def _what_is_kept(folder: Path, voice: str, request: dict[str, Any]) -> str:
    from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
    from covermaker.training.checkpoint import steps_kept
    from covermaker.training.course import FOLDER
    from covermaker.training.going_on import going_on

    steps = steps_kept(folder / FOLDER / CHECKPOINTS)
    kept = f"the last checkpoint is that of step {steps[-1]}" if steps else "what was prepared so far is kept"
    return f"{kept}, go on with: {going_on(folder, request, voice)}"


def summary(result: dict[str, Any]) -> str:
    """Write a training's result as a table."""
    rows = [
        ("voice", result["voice"]),
        ("steps", f"{result['steps']}, the best is {result['step']}"),
        ("time", f"{result['minutes']:.1f} min, {result['seconds_per_step']:.3f} s a step"),
    ]
    for kind, figures in result["scores"].items():
        if isinstance(figures, dict):
            shown = {name: figures[name] for name in _SHOWN if figures.get(name) is not None}
            words = [f"{name.replace('_', ' ')} {value:.3g}" for name, value in shown.items()]
            rows.append((kind, ", ".join(words)))
    return table(rows)


_SHOWN = ("similarity", "f0_correlation", "f0_median_cents", "cer", "source_cer", "mcd_db")
