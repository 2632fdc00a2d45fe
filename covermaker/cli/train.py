"""``covermaker train``: a voice is made from its takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from covermaker.cli.output import table
from covermaker.cli.progress import listening
from covermaker.cli.render import device_option
from covermaker.cli.separate import log_file
from covermaker.errors import ProjectError, UsageError, nearest
from covermaker.jobs.launch import launch


@click.command("train")
@click.argument("voice")
@click.option(
    "--profile", default="quick", show_default=True, help="quick, studio or custom (VOICE/profile.toml)."
)
@click.option("--minutes", type=float, help="Wall-clock budget of everything, takes to voice.")
@click.option("--steps", type=int, help="A fixed number of steps instead: the same bits every time.")
@click.option(
    "--encoder",
    help="What reads the words, as whisper-tiny.en; see docs/voices.md.",
)
@click.option("--resume", is_flag=True, help="Take up a training that was stopped.")
@click.option("--force", is_flag=True, help="Begin again, whatever is there.")
@click.option("--threads", type=click.IntRange(1, 512), help="CPU cores to use [default: all].")
@click.option(
    "--seed", type=click.IntRange(0, 2**31), default=1, show_default=True, help="Of every random draw."
)
@device_option
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
def command(
    voice: str,
    profile: str,
    minutes: float | None,
    steps: int | None,
    encoder: str | None,
    resume: bool,
    force: bool,
    threads: int | None,
    seed: int,
    device: str,
    as_json: bool,
) -> None:
    """Train VOICE, a name of the library or a folder, from the takes it holds.

    Take recordings in first: covermaker voices new NAME PATH…
    """
    from covermaker.takes.document import read_takes
    from covermaker.training.profiles import load_profile

    folder = voice_folder(voice)
    read_takes(folder)
    load_profile(profile, folder, minutes=minutes, steps=steps)
    if resume and force:
        raise UsageError("--resume and --force exclude each other", hint="give one of them")
    if not resume and not force and (folder / "card.toml").exists() and sys.stdin.isatty() and not as_json:
        force = click.confirm(f"'{folder.name}' is trained already. Train it again?", err=True)
        if not force:
            raise UsageError(f"'{folder.name}' stays as it is")
    request: dict[str, Any] = {
        "job": "train", "voice": str(folder), "profile": profile, "minutes": minutes, "steps": steps,
        "encoder": encoder, "device": device, "resume": resume, "force": force, "threads": threads, "seed": seed,
    }  # fmt: skip
    with listening(as_json=as_json) as listener:
        result = launch(request, listener=listener, log=log_file("train"))
    if as_json:
        return
    click.echo(summary(result))


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


def voice_folder(voice: str) -> Path:
    """Return the folder of a voice that has takes, by its name in the user's library or its path.

    Raises
    ------
    ProjectError
        When there is none.
    """
    from covermaker.takes.document import TAKES_FILE
    from covermaker.voices.library import is_place, place_of, user_library

    folder = place_of(voice)
    if folder.is_dir():
        return folder
    if not is_place(voice) and (Path(voice) / TAKES_FILE).exists():
        return Path(voice)
    known = [path.name for path in user_library().iterdir()] if user_library().is_dir() else []
    raise ProjectError(
        f"there is no voice '{voice}'",
        hint=nearest(voice, known) if known else "make one: covermaker voices new",
    )
