"""Whether a voice can sing on this machine: its own files, and the content encoder that it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.errors import CovermakerError, WeightsError
from covermaker.features.encoders import content_fingerprint, content_weights
from covermaker.units import human_bytes
from covermaker.voices.index_tables import map_table
from covermaker.weights.catalog import find

if TYPE_CHECKING:
    from collections.abc import Iterable

    from covermaker.voices.card import ContentPart
    from covermaker.voices.voice import Voice


def missing_weights(encoder: str) -> list[str]:
    """Return the catalog names of what an encoder reads and is not here; nothing is opened.

    Raises
    ------
    UsageError
        When no encoder of this name is known.
    """
    return not_here(content_weights(encoder))


def not_here(weights: Iterable[str]) -> list[str]:
    """Return those of the catalog's names whose files are not here; nothing is opened."""
    missing = []
    for name in weights:
        try:
            find(name)
        except WeightsError:
            missing.append(name)
    return missing


def content_words(content: ContentPart) -> str:
    """Say which encoder a voice reads content with, and whether that very one is here."""
    try:
        missing = missing_weights(content.encoder)
        if missing:
            return f"{content.encoder} (not here: {pull_words(missing)})"
        if content.sha256 not in (None, content_fingerprint(content.encoder)):
            return f"{content.encoder} (another file of it is here than the voice was trained on)"
    except CovermakerError as error:
        return f"{content.encoder} ({error.message})"
    return f"{content.encoder} (here)"


def encoder_problem(encoder: str) -> str:
    """Say in a line why an encoder cannot read content here; "" where it is here. Nothing is opened."""
    try:
        missing = missing_weights(encoder)
    except CovermakerError as error:
        return error.message
    return f"{encoder} is not here: {pull_words(missing)}" if missing else ""


def pull_words(weights: list[str]) -> str:
    """Return the command that brings weights here."""
    return f"covermaker models pull {' '.join(weights)}"


def weights_words(voice: Voice) -> str:
    """Say how large a voice's weights are, which are there."""
    return f"{human_bytes(voice.weights_path.stat().st_size)} ({voice.card.weights.file})"


def index_rows(voice: Voice) -> int | None:
    """Return how many rows a voice's index has, without reading them; None where it has none.

    Raises
    ------
    WeightsError
        When the card names one that is missing or damaged.
    """
    if voice.card.index is None:
        return None
    return len(map_table(voice.folder / voice.card.index.file, "rows"))


def index_words(voice: Voice) -> str:
    """Say what a voice is drawn towards."""
    if voice.card.index is None:
        return "none"
    path = voice.folder / voice.card.index.file
    if not path.exists():
        return f"missing: {path.name}"
    try:
        return f"{index_rows(voice)} rows ({path.name})"
    except WeightsError as error:
        return f"damaged: {error.message}"
