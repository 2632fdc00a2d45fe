"""`card.toml`: what a voice is, where it comes from, and what it may be used for.

::

    schema = 1
    name = "demo"
    description = "…"
    rights = "synthetic"            # own-voice | licensed | synthetic | unknown
    statement = "…"                 # who agreed to what
    licence = "…"
    origin = "…"
    created = 2026-01-31
    languages = ["en"]
    sample_rate = 16000             # Hz, of what the network renders; a multiple of 100

    [network]
    kind = "ddsp"
    config = { … }                  # what the network class needs to be built

    [content]
    encoder = "whisper-base"        # the encoder it was trained on, and that encoder's weights; without a
    sha256 = "…"                    # sha256, as of imported voices, those that are installed

    [f0]                            # the range it was trained in
    low_hz = 120.0
    median_hz = 200.0
    high_hz = 400.0
    takes_median_hz = 190.0         # optional: of the takes as they are

    singers = ["anna", "ben"]       # optional, at the top: who stands in the network's speaker table, in its order

    [weights]
    file = "voice.safetensors"
    sha256 = "…"

    [index]                         # optional: the takes' content rows, for retrieval
    file = "index.npz"
    sha256 = "…"

    [training]                      # free: steps, minutes, recipe …
    [speaker]                       # optional: what the singer sounds like, for scoring
    embedding = "embedding.npy"     # 256 floats

Strict: wrong types and unknown keys are refused with their path. Only what `VoiceCard.sound` returns, and the
weights, can change the sound.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from covermaker.disk import write_text
from covermaker.documents.document import Document
from covermaker.errors import ProjectError
from covermaker.voices.rights import Rights, needs_statement

if TYPE_CHECKING:
    from pathlib import Path

CARD_FILE = "card.toml"
SCHEMA = 1

NAME_PATTERN = r"^[^\\/:\x00-\x1f.][^\\/:\x00-\x1f]*$"
_SHA256_PATTERN = r"^[0-9a-f]{64}$"
Sha256 = Annotated[str, Field(pattern=_SHA256_PATTERN)]
Hz = Annotated[float, Field(gt=0.0, lt=10_000.0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=NAME_PATTERN)]

# What the patterns ask for, in words.
PATTERNS = {
    NAME_PATTERN: "a plain name is expected: no slash, no colon, no dot at the start",
    _SHA256_PATTERN: "a sha256 is expected: 64 digits 0-9a-f",
}


def agreed(statement: str, known: ValidationInfo) -> str:
    """Refuse rights that somebody has to grant without a word on who did."""
    rights = known.data.get("rights", "")
    if needs_statement(rights) and not statement.strip():
        raise ValueError(f"rights '{rights}' need a statement: who agreed, to what")
    return statement


def _plain_file(name: str, suffix: str) -> str:
    if "/" in name or "\\" in name or not name.endswith(suffix) or name == suffix:
        raise ValueError(f"must be a {suffix} file name inside the voice's own folder")
    return name


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NetworkPart(_Part):
    """Which network class sings, and how it is built."""

    kind: str = Field(min_length=1)
    config: dict[str, Any] = Field(default_factory=dict)


class ContentPart(_Part):
    """The content encoder whose features the network was trained on.

    Nobody knows which file of it a published voice was trained with: there are several of the same weights. Without
    `sha256` it sings with the one that is installed, whose content is in the keys of what it reads.
    """

    encoder: str = Field(min_length=1)
    sha256: Sha256 | None = None


class F0Part(_Part):
    """The pitch range that a voice was trained in, in Hz: 5th percentile, median, 95th percentile.

    `takes_median_hz` is the median of the takes themselves: where the voice sounds most like its singer.
    """

    low_hz: Hz
    median_hz: Hz
    high_hz: Hz
    takes_median_hz: Hz | None = None

    @model_validator(mode="after")
    def _in_order(self) -> F0Part:
        if not self.low_hz <= self.median_hz <= self.high_hz:
            raise ValueError("low_hz <= median_hz <= high_hz must hold")
        return self


class WeightsPart(_Part):
    """The weight file beside the card."""

    file: str = "voice.safetensors"
    sha256: Sha256

    @field_validator("file")
    @classmethod
    def _beside_the_card(cls, value: str) -> str:
        return _plain_file(value, ".safetensors")


class IndexPart(_Part):
    """The retrieval index beside the card (`voices.index`)."""

    file: str = "index.npz"
    sha256: Sha256

    @field_validator("file")
    @classmethod
    def _beside_the_card(cls, value: str) -> str:
        return _plain_file(value, ".npz")


class SpeakerPart(_Part):
    """What the singer sounds like: a speaker embedding of 256 floats, for scoring only."""

    embedding: str = "embedding.npy"

    @field_validator("embedding")
    @classmethod
    def _beside_the_card(cls, value: str) -> str:
        return _plain_file(value, ".npy")


class VoiceCard(_Part):
    """A voice's card, checked."""

    schema_: int = Field(SCHEMA, alias="schema")
    name: Name
    description: str = ""
    rights: Literal[Rights, "unknown"]
    statement: str
    licence: str
    origin: str
    created: date
    languages: list[str] = Field(default_factory=list)
    singers: list[Name] = Field(default_factory=list)
    sample_rate: int = Field(ge=8_000, le=192_000, multiple_of=100)
    network: NetworkPart
    content: ContentPart
    f0: F0Part
    weights: WeightsPart
    index: IndexPart | None = None
    training: dict[str, Any] = Field(default_factory=dict)
    speaker: SpeakerPart | None = None

    @field_validator("schema_")
    @classmethod
    def _known_schema(cls, value: int) -> int:
        if value != SCHEMA:
            raise ValueError(f"this version reads schema {SCHEMA}")
        return value

    @field_validator("statement")
    @classmethod
    def _agreed(cls, value: str, known: ValidationInfo) -> str:
        return agreed(value, known)

    @property
    def first_singer(self) -> int:
        """The row that sings unless somebody says otherwise: the first that has a name of its own.

        The rows before it, of a model whose singers have other numbers, were not trained.
        """
        named = (row for row, name in enumerate(self.singers) if not re.fullmatch(r"speaker \d+", name))
        return next(named, 0)

    def sound(self) -> dict[str, Any]:
        """Return every field that can change the rendered sound.

        The weights' content counts too (`Voice.fingerprint`), and the index by its sha256, which whoever opens it
        checks. Left out: name, description, rights, statement, licence, origin, created, languages, training,
        speaker, the weight file's name and claimed sha256, the index file's name.
        """
        whole = self.model_dump(mode="json")
        sound = {part: whole[part] for part in ("sample_rate", "network")}
        sound["content"] = {name: value for name, value in whole["content"].items() if value is not None}
        sound["f0"] = {name: hz for name, hz in whole["f0"].items() if hz is not None}
        if self.singers:
            sound["singers"] = self.singers
        return sound if self.index is None else {**sound, "index": self.index.sha256}


def read_card(folder: Path) -> VoiceCard:
    """Read the card of a voice folder.

    Raises
    ------
    ProjectError
        When there is no card, or it is no TOML, or says something we refuse; the message holds the path
        inside the document and, for an unknown key, the nearest known one.
    """
    missing = ProjectError(f"{folder} is no voice: it has no {CARD_FILE}")
    return Document.read(folder / CARD_FILE, missing=missing).checked(VoiceCard, patterns=PATTERNS)


def trained_step(card: VoiceCard) -> int | None:
    """Return the step of the checkpoint that a voice sings with; None where its card does not say."""
    step = card.training.get("step")
    return step if isinstance(step, int) else None


def range_assumed(card: VoiceCard) -> bool:
    """Tell whether nobody measured the range of ``[f0]``: published voices come without one."""
    return card.training.get("f0_range") == "assumed"


def write_card(card: VoiceCard, folder: Path) -> Path:
    """Write a card beside its weights, readable by people; return its path."""
    import tomlkit

    from_model = card.model_dump(by_alias=True, exclude_none=True)
    path = folder / CARD_FILE
    write_text(path, tomlkit.dumps(from_model))
    return path
