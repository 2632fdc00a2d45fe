"""``covermaker list``: the projects of a folder, and how it stands with each."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.cache import open_store, store_option
from covermaker.cli.output import fits, json_option, near, show, table, words
from covermaker.errors import CovermakerError
from covermaker.features.song.facts import song_facts
from covermaker.project.library import scan
from covermaker.render.state import State, project_state
from covermaker.tui.paths import tilde
from covermaker.tui.settings import load_settings, projects_folder
from covermaker.tui.words import one_line
from covermaker.units import clock

if TYPE_CHECKING:
    from covermaker.graph.store import Store
    from covermaker.project.library import Row

_COLUMNS = ("folder", "title", "artist", "length", "key", "bpm", "loudness", "voice", "state", "why")
# What goes first where a terminal is too narrow for all of them.
_LEFT_OUT = ("artist", "key", "bpm", "voice", "loudness", "title")


@click.command("list")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--measure", is_flag=True, help="Listen to songs whose key, tempo and loudness are not known yet."
)
@store_option
@json_option
def command(folder: Path | None, measure: bool, store: Path | None, as_json: bool) -> None:
    """List the projects in FOLDER (by default the folder of your settings) with their state.

    A project is done, stale (a render would make it anew), new (never rendered) or failed: it cannot be rendered, or
    its last render failed.
    """
    place = folder or projects_folder(load_settings())
    where = open_store(store)
    # The library is made by the studio's first start; until then there are no songs, which is no mistake.
    is_unmade = folder is None and not place.exists()
    found = [(row, _state(row, where, measure)) for row in ([] if is_unmade else scan(place))]
    if not found and not as_json:
        words(_none_yet(place, is_library=folder is None))
        return
    values = [_value(row, state) for row, state in found]
    show(values, as_json, _fitting([_cells(row, state) for row, state in found]))


def _none_yet(place: Path, *, is_library: bool) -> str:
    if not is_library:
        return f"no projects in {place}; make one with: covermaker new SONG"
    target = shlex.quote(str(place / "NAME"))
    return (
        f"no songs yet in {place}\nadd one in the studio: covermaker\n"
        f"or here: covermaker new SONG --folder {target}"
    )


def _state(row: Row, store: Store, measure: bool) -> State:
    state = project_state(row.folder, store)
    if not measure or state.facts is not None or state.song is None:
        return state
    words(f"listening to {one_line(row.title)} …")
    try:
        song_facts(state.song)
    except CovermakerError as error:
        words(f"note: {error}")
        return state
    return project_state(row.folder, store)


def _fitting(rows: list[dict[str, str]]) -> str:
    """Draw the table with the columns that the terminal has room for."""
    columns, spare = list(_COLUMNS), list(_LEFT_OUT)
    while spare and not fits([[row[name] for name in columns] for row in rows], columns):
        columns.remove(spare.pop(0))
    return table([[row[name] for name in columns] for row in rows], header=columns)


def _cells(row: Row, state: State) -> dict[str, str]:
    facts = state.facts
    return {
        "folder": one_line(tilde(Path(near(str(row.folder))))),
        "title": one_line(row.title),
        "artist": one_line(row.artist),
        "length": "" if state.seconds is None else clock(state.seconds),
        "key": facts.short_key if facts else "",
        "bpm": f"{facts.tempo_bpm:.1f}" if facts and facts.tempo_bpm else "",
        "loudness": f"{state.lufs:.1f} LUFS" if state.lufs is not None else "",
        "voice": one_line(row.voice),
        "state": f"{state.word} ({len(state.to_do)})"
        if state.word == "stale" and state.to_do
        else state.word,
        "why": _why(state),
    }


def _why(state: State) -> str:
    if state.word == "failed":
        return state.problem
    if state.word == "done":
        return state.unheard
    if state.word != "stale" or not state.words:
        return ""
    more = f" (and {len(state.words) - 1} more)" if len(state.words) > 1 else ""
    return state.words[0] + more


def _value(row: Row, state: State) -> dict[str, Any]:
    return {
        "title": row.title,
        "artist": row.artist,
        "folder": str(row.folder),
        "song": str(state.song or row.song or "") or None,
        "voice": row.voice,
        "state": state.word,
        "problem": state.problem or None,
        "hint": state.hint or None,
        "failed_at": state.failed_at,
        "reasons": list(state.reasons),
        "words": list(state.words),
        "unheard": state.unheard or None,
        "stale_steps": [step.name for step in state.to_do],
        "seconds": state.seconds,
        "sample_rate": state.sample_rate,
        "facts": asdict(state.facts) if state.facts else None,
        "outputs": [{"file": str(one.file), "bytes": one.bytes} for one in state.outputs],
        "loudness_lufs": state.lufs,
        "true_peak_dbtp": state.true_peak_dbtp,
    }
