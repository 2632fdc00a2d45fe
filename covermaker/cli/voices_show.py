"""``covermaker voices show``: what a voice is, whose, and whether it can sing here."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.output import json_option, show, table
from covermaker.errors import ProjectError, UsageError
from covermaker.units import note_name
from covermaker.voices.card import CARD_FILE, range_assumed, trained_step
from covermaker.voices.library import call_of, find_voice, is_place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.voices.card import VoiceCard
    from covermaker.voices.voice import Voice

# Of ``[training]``, in words: what a person asks of a voice first.
_COURSE = (
    ("minutes_of_takes", "{:g} minutes of takes"), ("epochs", "{} epochs"), ("step", "step {}"), ("steps", "step {}"),
    ("iteration", "iteration {}"), ("author", "by {}"), ("info", "{}"),
)  # fmt: skip


@click.command("show")
@click.argument("name")
@click.option("--project", type=click.Path(path_type=Path), help="Also look into the voices of this project.")
@json_option
def command(name: str, project: Path | None, as_json: bool) -> None:
    """Show what a voice is, whose, and whether it can sing here; --json shows its whole card."""
    from covermaker.voices.readiness import missing_weights

    try:
        voice = find_voice(name, project)
    except ProjectError as error:
        raise _in_training(name, project) or error from None
    values: dict[str, Any] = {"folder": str(voice.folder), "fingerprint": voice.fingerprint}
    if as_json:
        card = voice.card.model_dump(mode="json")
        with suppress(UsageError):  # an encoder of another version of ours: the card is shown all the same
            card["missing_weights"] = missing_weights(voice.card.content.encoder)
        values |= card
    show(values, as_json, table([(key, words) for key, words in _rows(voice) if words]))


def _in_training(name: str, project: Path | None) -> ProjectError | None:
    """Return what to say of a voice that has no card yet because it is being trained at this moment."""
    from covermaker.training.watch import status_of

    folders = (
        [place_of(name)] if project is None or is_place(name) else [project / "voices" / name, place_of(name)]
    )
    folder = next((one for one in folders if status_of(one) == "running"), None)
    if folder is None or (folder / CARD_FILE).exists():
        return None
    return ProjectError(
        f"voice '{folder.name}' is being trained right now: it can be shown after its first save",
        hint=f"how far it is: covermaker voices status {shlex.quote(call_of(folder))}",
    )


def _rows(voice: Voice) -> Iterator[tuple[str, str]]:
    from covermaker.voices.readiness import content_words, index_words, weights_words

    card = voice.card
    yield "voice", card.name
    yield "folder", str(voice.folder)
    yield "what", card.description
    yield "rights", card.rights
    yield "statement", card.statement
    yield "licence", card.licence
    yield "origin", card.origin
    yield "created", str(card.created)
    yield "languages", ", ".join(card.languages)
    yield "singers", ", ".join(card.singers)
    yield "range", _range_words(card)
    yield "network", f"{_network_words(card)}, {card.sample_rate / 1000:g} kHz"
    yield "content", content_words(card.content)
    yield "index", index_words(voice)
    yield "weights", weights_words(voice)
    course = {**card.training, "info": _info_words(card)}
    yield (
        "training",
        ", ".join(form.format(course[key]) for key, form in _COURSE if course.get(key) not in (None, "")),
    )
    yield "score", _score_words(card)
    yield "fingerprint", voice.fingerprint


def _info_words(card: VoiceCard) -> str:
    """Return what the file of a published voice says of itself; RVC writes how often it went through the takes."""
    info = str(card.training.get("info", ""))
    epochs = re.fullmatch(r"(\d+) ?epochs?", info)
    if epochs is None:
        return info
    if "epochs" in card.training:
        return ""
    return f"{epochs[1]} epochs" if int(epochs[1]) else "less than an epoch"


def _range_words(card: VoiceCard) -> str:
    """Return the range in notes and in Hz; nobody has heard where a published voice is at home."""
    low, high = card.f0.low_hz, card.f0.high_hz
    assumed = ", assumed: nobody measured it" if range_assumed(card) else ""
    return f"{note_name(low)} to {note_name(high)} ({low:g} to {high:g} Hz{assumed})"


def _network_words(card: VoiceCard) -> str:
    family = {"rvc": "RVC", "sovits": "so-vits-svc"}.get(str(card.network.config.get("family")), "")
    return f"{card.network.kind} of {family}" if family else card.network.kind


def _score_words(card: VoiceCard) -> str:
    scores = card.training.get("scores")
    score = scores.get("score") if isinstance(scores, dict) else None
    at = f" at step {trained_step(card)}" if trained_step(card) is not None else ""
    return f"{score:.3f}{at}" if isinstance(score, (int, float)) else ""
