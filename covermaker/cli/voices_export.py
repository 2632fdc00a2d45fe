"""``covermaker voices export``: a voice becomes files of RVC or so-vits-svc."""

from __future__ import annotations

from pathlib import Path

import click

from covermaker.cli.alone import run_alone
from covermaker.cli.output import json_option, near, show
from covermaker.cli.progress import unless_quiet


@click.command("export")
@click.argument("voice")
@click.option(
    "--format", "program", type=click.Choice(["rvc", "sovits"]),
    help="Whose files to write; by default those of the only program that can sing with it.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), required=True,
    help="The folder for them; of RVC also the .pth itself.",
)  # fmt: skip
@click.option(
    "--training",
    is_flag=True,
    help="Of a voice trained here: what its program needs to train it on, G_….pth and D_….pth.",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
@json_option
def export(voice: str, program: str | None, out: Path, training: bool, force: bool, as_json: bool) -> None:
    """Write VOICE as files of RVC (a .pth and .index) or so-vits-svc (G_0.pth, config.json, kmeans_….pt in a folder).

    Only a voice of that program's own family can be written, as an imported one is. Beside them lies a text that says
    whose voice it is.
    """
    from covermaker.graph.events import Note
    from covermaker.voices.community.give_out import program_of
    from covermaker.voices.library import find_voice
    from covermaker.voices.rights import given_out_words

    found = find_voice(voice)
    request = {
        "voice": str(found.folder.absolute()),
        "program": program or program_of(found),
        "out": str(out.absolute()),
        "replace": force,
    }
    with unless_quiet(quiet=as_json) as listener:
        if training:
            done = run_alone("export-training", request, listener=listener)
            listener(Note(given_out_words(found.name, found.card.rights, found.card.statement)))
        else:
            done = run_alone("export-voice", request, listener=listener)
    show(done, as_json, "\n".join(near(file) for file in done["files"]))
