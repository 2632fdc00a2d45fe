"""``covermaker separate``: a song becomes stems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from covermaker.audio.sources import sniff
from covermaker.cli.alone import run_alone
from covermaker.cli.cache import store_option
from covermaker.cli.device import device_option
from covermaker.cli.output import table
from covermaker.cli.progress import listening


@click.command("separate")
@click.argument("song", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder for the stems [default: SONG-stems]."
)
@click.option("--separator", default="spleeter", show_default=True, help="spleeter or demucs.")
@click.option("--model", default="htdemucs", show_default=True, help="Demucs: which model.")
@click.option("--repo", help="Demucs: local folder with its model files.")
@click.option("--shifts", type=int, default=0, show_default=True, help="Demucs: random shifts averaged.")
@click.option("--overlap", type=float, default=0.25, show_default=True, help="Demucs: share that overlaps.")
@click.option("--segment", type=float, help="Demucs: segment length in seconds.")
@store_option
@device_option
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
def command(
    song: Path, out: Path | None, store: Path | None, device: str, as_json: bool, **stems: Any
) -> None:
    """Separate SONG into stems as float WAV files that sum to the song."""
    sniff(song)
    folder = out or song.with_name(f"{song.stem}-stems")
    wishes = {"song": str(song), "out": str(folder), "stems": stems}
    with listening(as_json=as_json) as listener:
        result = run_alone("separate", wishes, device=device, listener=listener, store=store)
    if as_json:
        return
    residue = result["report"].get("residue_db")
    rows = [("stem", file) for file in result["files"]]
    if residue is not None:
        rows.append(("residue", f"{residue:.1f} dB of the song, given to the last stem"))
    click.echo(table(rows))
