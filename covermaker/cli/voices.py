"""``covermaker voices``: who can sing."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covermaker.cli.output import json_option, show, table
from covermaker.cli.voices_export import export
from covermaker.cli.voices_import import import_
from covermaker.cli.voices_remove import remove, restore
from covermaker.cli.voices_show import command as show_
from covermaker.cli.voices_takes import add, keep, new, scan, skip
from covermaker.cli.voices_training import audition, promote, status, stop
from covermaker.units import note_name
from covermaker.voices.card import range_assumed
from covermaker.voices.library import call_of, list_voices, user_library

if TYPE_CHECKING:
    from covermaker.voices.library import VoiceEntry

project_option = click.option(
    "--project", type=click.Path(path_type=Path), help="Also look into the voices of this project."
)


@click.group("voices")
def command() -> None:
    """List and show voices; take in recordings for new ones, and voices of other programs."""


for _action in (
    show_, new, add, scan, keep, skip, status, stop, audition, promote, import_, export, remove, restore,
):  # fmt: skip
    command.add_command(_action)


@command.command("list")
@project_option
@json_option
def list_(project: Path | None, as_json: bool) -> None:
    """List every voice: range, rights, where it comes from."""
    rows, values = [], []
    for entry in list_voices(project=project):
        card, problem = entry.card, _problem(entry)
        if card is None:
            rows.append((entry.name, "", "", entry.place, problem or ""))
        else:
            # Nobody has heard where a published voice is at home.
            unknown = "?" if range_assumed(card) else ""
            span = f"{note_name(card.f0.low_hz)}-{note_name(card.f0.high_hz)}{unknown}"
            rows.append(
                (entry.name, span, card.rights, entry.place, problem or card.description or card.origin)
            )
        values.append(
            {
                "name": entry.name,
                "folder": str(entry.folder),
                "place": entry.place,
                "problem": problem,
                "card": card.model_dump(mode="json") if card else None,
            }
        )
    for place, folder in _takes_only(project):
        rows.append(
            (folder.name, "", "", place, f"takes only: covermaker train {shlex.quote(call_of(folder))}")
        )
        values.append(
            {
                "name": folder.name,
                "folder": str(folder),
                "place": place,
                "problem": "takes only",
                "card": None,
            }
        )
    show(values, as_json, table(rows, header=("voice", "range", "rights", "from", "what it is")))


def _problem(entry: VoiceEntry) -> str | None:
    """Say what keeps a voice from singing here: its own files, or the encoder that it reads content with."""
    from covermaker.voices.readiness import encoder_problem

    if entry.problem or entry.card is None:
        return entry.problem
    return encoder_problem(entry.card.content.encoder) or None


def _takes_only(project: Path | None) -> list[tuple[str, Path]]:
    """Return place and folder of every voice that is not trained yet."""
    from covermaker.takes.document import takes_only

    places = [("project", project / "voices")] if project is not None else []
    places.append(("library", user_library()))
    return [(place, folder) for place, root in places for folder in takes_only(root)]
