"""Taking voices in and giving them out as jobs: both read and write hundreds of megabytes of somebody else's.

``import-voice`` takes ``path`` and, each if wished, ``name``, ``rights``, ``statement``, ``config``, ``index``,
``clusters``, ``replace`` and ``dry_run``, which tells as ``problem`` and ``hint`` that the name is taken.
``export-voice`` takes ``voice`` (a folder), ``program``, ``out`` and ``replace``.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import WeightsError
from covermaker.graph.events import Note, StepFinished, StepProgress, StepStarted
from covermaker.voices.community.give_out import give_out
from covermaker.voices.community.take_in import Wishes, take_in
from covermaker.voices.rights import UNKNOWN_RIGHTS, given_out_words
from covermaker.voices.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.graph.events import Listener
    from covermaker.progress import Progress
    from covermaker.voices.card import VoiceCard

_PATHS: Final = ("config", "index", "clusters")
_OTHERS: Final = ("name", "rights", "statement", "replace")


def import_voice(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Take a model in as a voice."""
    asked: dict[str, Any] = {name: request[name] for name in _OTHERS if request.get(name)}
    asked |= {name: Path(request[name]) for name in _PATHS if request.get(name)}
    wishes = Wishes(Path(request["path"]), **asked)
    with _step("import", listener) as progress:
        done = take_in(wishes, dry_run=bool(request.get("dry_run")), progress=progress)
    notes = [*done.notes, *_advice(done.card)]
    for text in notes:
        listener(Note(text))
    card = done.card.model_dump(mode="json", by_alias=True, exclude_none=True)
    if request.get("dry_run"):
        for part in ("weights", "index"):
            card.pop(part, None)
    refusal = done.refusal
    return {
        "name": done.card.name,
        "folder": str(done.folder),
        "source": done.source,
        "notes": notes,
        "card": card,
        **({"problem": refusal.message, "hint": refusal.hint} if refusal is not None else {}),
    }


def export_voice(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Write a voice as files of another program."""
    voice = Voice.open(Path(request["voice"]))
    with _step("export", listener) as progress:
        done = give_out(
            voice, request["program"], Path(request["out"]),
            replace=bool(request.get("replace")), progress=progress,
        )  # fmt: skip
    notes = [*done.notes, given_out_words(voice.name, voice.card.rights, voice.card.statement)]
    for text in notes:
        listener(Note(text))
    return {"name": voice.name, "files": [str(file) for file in done.files], "notes": notes}


def _advice(card: VoiceCard) -> list[str]:
    """Return what is still missing for the voice to sing, and to be shown to others."""
    from covermaker.features.encoders import content_weights
    from covermaker.weights.catalog import find

    notes = []
    if card.rights == "unknown":
        notes.append(UNKNOWN_RIGHTS.format(voice=card.name))
    for weight in content_weights(card.content.encoder):
        try:
            find(weight)
        except WeightsError as error:
            notes.append(f"to sing, it needs '{weight}', which is not here: {error.hint}")
    return notes


@contextmanager
def _step(name: str, listener: Listener) -> Iterator[Progress]:
    began = time.monotonic()
    listener(StepStarted(name, ""))
    yield lambda fraction: listener(StepProgress(name, fraction))
    listener(StepFinished(name, "", time.monotonic() - began))
