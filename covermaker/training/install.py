"""A trained network becomes a voice: weights, what the singer sounds like, index, card.

The card names its files by their content, and is written last: whoever reads the folder while a better state is
being written finds the old voice or the new one, whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import copy_file, disk_errors, file_sha256, replacing, write_bytes, write_text
from covermaker.voices.card import (
    CARD_FILE,
    SCHEMA,
    ContentPart,
    F0Part,
    IndexPart,
    NetworkPart,
    SpeakerPart,
    VoiceCard,
    WeightsPart,
)
from covermaker.voices.rights import licence_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from covermaker.training.loop import Config


@dataclass(frozen=True)
class Identity:
    """What a voice's card says that training does not find out."""

    name: str
    rights: str
    statement: str
    languages: list[str] = field(default_factory=list)
    description: str = ""
    licence: str = ""
    origin: str = ""
    created: date | None = None


def write_voice(
    folder: Path,
    *,
    identity: Identity,
    config: Config,
    weights: Mapping[str, torch.Tensor],
    encoder: str,
    encoder_sha256: str | None,
    f0: F0Part,
    embedding: NDArray[np.float32] | None,
    index: Path | None,
    training: Mapping[str, Any],
    singers: Sequence[str] = (),
    kind: str = "ddsp",
    is_half: bool = True,
) -> VoiceCard:
    """Write a voice; returns its card.

    Parameters
    ----------
    folder : Path
        Made when it is missing.
    identity : Identity
    config, weights
        The network.
    encoder, encoder_sha256
        What content it was trained on.
    f0 : F0Part
    embedding : float32 array (256,), optional
    index : Path, optional
        A retrieval index (`voices.index`), copied in.
    training : mapping
        What the card keeps of the run.
    singers : sequence of str
        Who stands in the network's speaker table, in its order, where it is more than one.
    kind : str
        Of the network.
    is_half : bool
        Store weights in half precision, which halves the file.
    """
    from safetensors.torch import save

    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    own = {name: value.detach().cpu() for name, value in weights.items()}
    data = save({name: (value.half() if is_half else value).contiguous() for name, value in own.items()})
    digest = hashlib.sha256(data).hexdigest()
    weights_file = f"voice-{digest[:12]}.safetensors"
    write_bytes(folder / weights_file, data)
    kept = {CARD_FILE, weights_file}
    speaker = None
    if embedding is not None:
        raw = np.ascontiguousarray(embedding, np.float32)
        speaker = SpeakerPart(embedding=f"embedding-{hashlib.sha256(raw.tobytes()).hexdigest()[:12]}.npy")
        with replacing(folder / speaker.embedding) as temporary:
            np.save(temporary, raw)
        kept.add(speaker.embedding)
    retrieval = None
    if index is not None:
        sha256 = file_sha256(index)
        retrieval = IndexPart(file=f"index-{sha256[:12]}.npz", sha256=sha256)
        if not (folder / retrieval.file).exists():
            copy_file(index, folder / retrieval.file)
        kept.add(retrieval.file)
    card = VoiceCard(
        schema=SCHEMA,
        name=identity.name,
        description=identity.description,
        rights=identity.rights,  # type: ignore[arg-type]
        statement=identity.statement,
        licence=identity.licence or licence_of(identity.rights),
        origin=identity.origin,
        created=identity.created or datetime.now(tz=UTC).date(),
        languages=identity.languages,
        singers=list(singers) if len(singers) > 1 else [],
        sample_rate=config.sample_rate,
        network=NetworkPart(kind=kind, config=config.to_mapping()),
        content=ContentPart(encoder=encoder, sha256=encoder_sha256),
        f0=f0,
        weights=WeightsPart(file=weights_file, sha256=digest),
        index=retrieval,
        speaker=speaker,
        training=_without_none(dict(training)),
    )
    import tomlkit

    write_text(folder / CARD_FILE, tomlkit.dumps(card.model_dump(by_alias=True, exclude_none=True)))
    with disk_errors(folder):
        for pattern in ("voice-*.safetensors", "embedding-*.npy", "index-*.npz"):
            for file in folder.glob(pattern):
                if file.name not in kept:
                    file.unlink(missing_ok=True)
    return card


def _without_none(values: Any) -> Any:
    """Return nested tables without the figures that were not to be had: TOML knows no nothing."""
    if isinstance(values, dict):
        return {name: _without_none(value) for name, value in values.items() if value is not None}
    return values
