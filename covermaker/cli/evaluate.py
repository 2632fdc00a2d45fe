"""``covermaker evaluate``: how good a voice or a finished cover is, in figures and as a page."""

from __future__ import annotations

import json
import shlex
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.alone import run_alone
from covermaker.cli.cache import open_store, store_option
from covermaker.cli.device import device_option
from covermaker.cli.output import json_option, near, show, table
from covermaker.cli.progress import listening
from covermaker.errors import ProjectError, UsageError
from covermaker.evaluate.table import figure_rows, single_rows, training_rows
from covermaker.project.load import FILE_NAME, load
from covermaker.training.course import FOLDER
from covermaker.training.sung import HELDOUT, LISTING
from covermaker.training.watch import SCORES_FILE
from covermaker.voices.card import CARD_FILE, trained_step
from covermaker.voices.library import find_voice

if TYPE_CHECKING:
    from covermaker.graph.events import Listener
    from covermaker.voices.voice import Voice

SCORES = Path(FOLDER) / SCORES_FILE
PHRASES = Path(FOLDER) / HELDOUT / LISTING


@click.command("evaluate")
@click.argument("subject", metavar="VOICE|COVER")
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    help="For a voice: a recording without music to convert and score; may be repeated. With --html and without "
    "this, the phrases that its training kept are sung.",
)
@click.option("--against", metavar="VOICE|COVER", help="Another one of the same kind to stand beside it.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a report with pictures to this file.")
@click.option("--pitch", default="fcpe", show_default=True, help="The method that measures pitch.")
@click.option("--language", help="Two letters, when the words are misheard.")
@store_option
@device_option
@json_option
def command(
    subject: str,
    sources: tuple[Path, ...],
    against: str | None,
    html: Path | None,
    pitch: str,
    language: str | None,
    store: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Score a voice (its training's own scores, and SOURCES that it converts) or the vocal of a rendered cover."""
    from covermaker.audio.sources import sniff
    from covermaker.features.pitch import METHODS

    METHODS.load(pitch)
    for source in sources:
        sniff(source)
    subjects = [subject] if against is None else [subject, against]
    covers = [_is_cover(one) for one in subjects]
    if len(set(covers)) > 1:
        raise UsageError(
            "a voice and a cover cannot stand beside each other", hint="--against takes the same kind"
        )
    if covers[0] and sources:
        raise UsageError("--source is for a voice; a cover is scored by its own vocal")
    request: dict[str, Any] = {
        "html": str(html.resolve()) if html else None,
        "pitch": pitch,
        "language": language,
    }
    with tempfile.TemporaryDirectory() as scratch, listening(as_json=False) as listener:
        if covers[0]:
            trained: list[dict[str, Any]] = []
            pairs = [_cover_pair(Path(one), store) for one in subjects]
        else:
            voices = [find_voice(one) for one in subjects]
            trained = [
                {
                    "voice": voice.name,
                    "step": trained_step(voice.card),
                    "scores": _training_scores(voice),
                }
                for voice in voices
            ]
            if not sources and not any(one["scores"] for one in trained):
                raise UsageError(
                    f"voice '{voices[0].name}' carries no scores",
                    hint="give it something to sing: --source VOCAL.wav",
                )
            pairs = [
                _converted(voice, source, number, Path(scratch), store, device, listener)
                for voice in voices
                for number, source in enumerate(
                    [Sheet(source) for source in sources] or (_phrases(voice) if html else [])
                )
            ]
        names = [pair["name"] for pair in pairs] if covers[0] else [one["voice"] for one in trained]
        request["title"] = f"{'Cover' if covers[0] else 'Voice'}: {' and '.join(names)}"
        request |= {"pairs": pairs, "tables": [_training_table(one) for one in trained if one["scores"]]}
        result: dict[str, Any] = {"pairs": []}
        if pairs or html:
            result = run_alone("evaluate", request, device=device, listener=listener)
    value = {"scores": result["pairs"], "training": trained, "html": str(html) if html else None}
    show(value, as_json, _words(value, request["tables"]))


@dataclass(frozen=True)
class Sheet:
    """What a voice is given to sing: a recording, how to convert it, and perhaps how it should sound."""

    source: Path
    wishes: dict[str, Any] = field(default_factory=dict)
    target: Path | None = None


def _phrases(voice: Voice) -> list[Sheet]:
    """Return what a training kept to sing for its scores: a report without sources shows these."""
    listing = voice.folder / PHRASES
    if not listing.exists():
        return []
    from covermaker.training.heldout import read_listing

    return [
        Sheet(
            listing.with_name(f"{name}-source.wav"),
            {
                "transpose": facts["semitones"],
                "singers": {facts["singer"]: 1.0} if facts["singer"] else {},
            },
            listing.with_name(f"{name}-target.wav"),
        )
        for name, facts in read_listing(listing.parent).items()
    ]


def _is_cover(subject: str) -> bool:
    return (Path(subject) / FILE_NAME).is_file()


def _training_scores(voice: Voice) -> list[dict[str, Any]]:
    """Return what the training measured: every save's scores, or only those of the card."""
    path = voice.folder / SCORES
    if path.exists():
        found = _json(path)
        if isinstance(found, list):
            return [one for one in found if isinstance(one, dict)]
    card = voice.card.training.get("scores")
    return [{"step": voice.card.training.get("step", ""), **card}] if isinstance(card, dict) and card else []


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProjectError(
            f"{path} cannot be read: {error}", hint="train the voice again, or delete it"
        ) from error


def _training_table(trained: dict[str, Any]) -> dict[str, Any]:
    header, rows = training_rows(trained["scores"], trained.get("step"))
    return {"title": f"Training of {trained['voice']}", "header": header, "rows": rows}


def _converted(
    voice: Voice,
    sheet: Sheet,
    number: int,
    scratch: Path,
    store: Path | None,
    device: str,
    listener: Listener,
) -> dict[str, Any]:
    """Let a voice sing and return the pair."""
    out = scratch / f"{voice.fingerprint[:12]}-{number}.wav"
    source = sheet.source
    wishes = {
        "vocal": str(source), "voice": str(voice.folder.resolve()), "out": str(out), "convert": sheet.wishes,
    }  # fmt: skip
    result = run_alone("convert", wishes, device=device, listener=listener, store=store)
    return {
        "name": source.name,
        "voice": voice.name,
        "source": str(source.resolve()),
        "converted": str(out),
        "semitones": result["report"]["semitones"],
        "embedding": _embedding(voice),
        "target": str(sheet.target.resolve()) if sheet.target else None,
    }


def _cover_pair(folder: Path, store: Path | None) -> dict[str, Any]:
    """Return the pair of a rendered project: its separated and its converted vocal out of the store."""
    from covermaker.render.pipeline import build

    project = load(folder)
    river = build(project, score=True)
    where = open_store(store)
    steps = {"vocal": river.separate, "f0": river.vocal.features["pitch"], "converted": river.vocal.whole}
    if river.lead.training is not None:
        steps["voice"] = river.lead.training
    entries = {name: where.get(step.key) for name, step in steps.items()}
    if missing := [steps[name].name for name, entry in entries.items() if entry is None]:
        raise ProjectError(
            f"'{project.cover.title}' is not rendered as it stands: {', '.join(missing)} is not done",
            hint=f"run: covermaker render {shlex.quote(near(str(folder.resolve())))}",
        )
    found = {name: entry for name, entry in entries.items() if entry is not None}
    voice = river.lead.open({"voice": found["voice"].folder / CARD_FILE} if "voice" in found else {})
    return {
        "name": project.cover.title,
        "voice": river.lead.name,
        "source": str(found["vocal"].folder / "vocals.wav"),
        "converted": str(found["converted"].folder / "converted.wav"),
        "f0": str(found["f0"].folder / "f0.npy"),
        "semitones": found["converted"].meta["report"]["semitones"],
        "embedding": _embedding(voice),
    }


def _embedding(voice: Voice) -> str | None:
    """Return the file that holds who should be heard; a voice without one is scored without likeness."""
    if voice.card.speaker is None:
        return None
    voice.embedding()  # says what is wrong with it before a process is started
    return str((voice.folder / voice.card.speaker.embedding).resolve())


def _scores(results: list[dict[str, Any]]) -> str:
    """Write one pair as a list with the meanings, several as a table."""
    if len(results) > 1:
        header, rows = figure_rows(results)
        return table(rows, header=header)
    (one,) = results
    return f"{one['name']} sung by {one['voice']}\n\n{table(single_rows(one))}"


def _words(value: dict[str, Any], tables: list[dict[str, Any]]) -> str:
    parts = [f"{one['title']}\n\n{table(one['rows'], header=one['header'])}" for one in tables]
    if value["scores"]:
        parts.append(_scores(value["scores"]))
    if value["html"]:
        parts.append(f"report: {value['html']}")
    return "\n\n".join(parts)
