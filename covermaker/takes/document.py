"""`takes.toml`: whose recordings a voice is made of, what was agreed, and how they are cut.

::

    schema = 1
    name = "anna"
    rights = "own-voice"            # own-voice | licensed | synthetic
    statement = "…"                 # who agreed to what; goes onto the voice's card
    languages = ["en"]
    created = 2026-01-31

    [slicing]
    min_seconds = 5.0
    max_seconds = 15.0

    [cleaning]
    separate = false                # take the vocal out of songs with music
    denoise = false                 # DeepFilterNet

    [[takes]]
    file = "evening-song.flac"      # in takes/
    original = "Evening Song (2).flac"
    sha256 = "…"                    # of the recording as it came
    singer = ""                     # who sings it, where takes of several singers make one voice
    use = true                      # false leaves it out of training

Strict: wrong types and unknown keys are refused with their path. Beside a take may lie ``<name>.labels.txt``, an
Audacity label track: then its cuts are used.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from covermaker.disk import file_sha256, write_text
from covermaker.documents.document import Document
from covermaker.errors import AudioInputError, ProjectError
from covermaker.voices.card import CARD_FILE, NAME_PATTERN, PATTERNS, Name, Sha256, agreed
from covermaker.voices.library import TAKES_FILE as TAKES_FILE
from covermaker.voices.rights import Rights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAKES_FOLDER = "takes"
SCHEMA = 1

NAME_OR_NOTHING = rf"^({NAME_PATTERN[1:-1]})?$"

FileName = Annotated[str, Field(pattern=NAME_PATTERN, max_length=128)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Slicing(_Part):
    """How long a clip is, in seconds; a phrase between long pauses may be shorter, never longer."""

    min_seconds: float = Field(default=5.0, ge=1.0, le=30.0)
    max_seconds: float = Field(default=15.0, ge=2.0, le=60.0)

    @model_validator(mode="after")
    def _in_order(self) -> Slicing:
        if self.max_seconds <= self.min_seconds:
            raise ValueError("max_seconds must be above min_seconds")
        return self


class Cleaning(_Part):
    """What is done to the recordings before they are measured and cut."""

    separate: bool = False
    denoise: bool = False


class TakeRow(_Part):
    """One recording."""

    file: FileName
    original: str = ""
    sha256: Sha256
    singer: str = Field(default="", max_length=64, pattern=NAME_OR_NOTHING)
    use: bool = True

    @property
    def stem(self) -> str:
        """The file's name without its suffix; unique in a document."""
        head, dot, _ = self.file.rpartition(".")
        return head if dot else self.file


class Takes(_Part):
    """A ``takes.toml``, checked."""

    schema_: int = Field(SCHEMA, alias="schema")
    name: Name
    rights: Rights  # a card may say "unknown" of a voice from elsewhere; nobody makes one like that here
    statement: str = Field(default="", validate_default=True)
    languages: list[str] = Field(default_factory=list)
    created: date
    slicing: Slicing = Field(default_factory=Slicing)
    cleaning: Cleaning = Field(default_factory=Cleaning)
    takes: list[TakeRow] = Field(min_length=1)

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

    @field_validator("takes")
    @classmethod
    def _apart(cls, rows: list[TakeRow]) -> list[TakeRow]:
        stems = [row.stem.casefold() for row in rows]
        twice = next((stem for stem in stems if stems.count(stem) > 1), None)
        if twice is not None:
            raise ValueError(f"two takes are called '{twice}'")
        return rows

    @property
    def used(self) -> list[TakeRow]:
        """The takes that go into training."""
        return [row for row in self.takes if row.use]


def read_takes(folder: Path) -> Takes:
    """Read the takes of a voice folder.

    Raises
    ------
    ProjectError
        When there are none, or the document is no TOML, or says something we refuse; the message holds the path
        inside the document and, for an unknown key, the nearest known one.
    """
    missing = ProjectError(
        f"{folder} holds no takes: it has no {TAKES_FILE}",
        hint="make one with: covermaker voices new NAME PATH… --rights own-voice --statement '…'",
    )
    return checked(Document.read(folder / TAKES_FILE, missing=missing))


def make_takes(**values: Any) -> Takes:
    """Return a document from values, refused as `read_takes` refuses a file."""
    return checked(Document(TAKES_FILE, "", {"schema": SCHEMA, **values}))


def write_takes(takes: Takes, folder: Path) -> Path:
    """Write the document, whole or not at all, readable by people; return its path."""
    import tomlkit

    document = tomlkit.document()
    document.add(
        tomlkit.comment("The recordings of a voice. Look at them with:  covermaker voices scan NAME")
    )
    document.add(tomlkit.comment("Leave one out of training with use = false."))
    for key, value in takes.model_dump(by_alias=True).items():
        document.add(key, value)
    path = folder / TAKES_FILE
    write_text(path, tomlkit.dumps(document))
    return path


def rewrite(folder: Path, change: Callable[[Any], None]) -> None:
    """Change the rows of the document, whose comments stay; hold `takes.lock.changing`.

    Parameters
    ----------
    folder : Path
        The voice's.
    change : callable
        Takes the array ``takes`` of the document, as tomlkit has it, and changes it in place.

    Raises
    ------
    ProjectError
        When the document would then be refused; nothing is written.
    """
    import tomlkit

    path = folder / TAKES_FILE
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    change(document["takes"])
    text = tomlkit.dumps(document)
    checked(Document.parse(text, str(path)))
    write_text(path, text)


def take_path(folder: Path, row: TakeRow) -> Path:
    """Return where a take lies.

    Raises
    ------
    AudioInputError
        When it is missing.
    ProjectError
        When it is a link that leads out of the folder.
    """
    path = folder / TAKES_FOLDER / row.file
    if not path.exists():
        raise AudioInputError(
            f"{path} is missing", hint=f"put it back, or take its row out of {folder / TAKES_FILE}"
        )
    root = (folder / TAKES_FOLDER).resolve()
    if not path.resolve().is_relative_to(root):
        raise ProjectError(f"{path} is a link that leaves the takes", hint="copy the recording there")
    return path


def recorded_bytes(folder: Path, takes: Takes) -> int:
    """Return the size of all recordings."""
    return sum(take_path(folder, row).stat().st_size for row in takes.takes)


def labels_path(folder: Path, row: TakeRow) -> Path:
    """Return where a take's label track lies, if it has one."""
    return folder / TAKES_FOLDER / f"{row.stem}.labels.txt"


def takes_hash(folder: Path) -> str:
    """Return a sha256 over everything that decides about the clips: recordings, labels, singers, slicing, cleaning.

    Left out: name, rights, statement, languages, created, the takes' names and order, takes with ``use = false``.
    """
    takes = read_takes(folder)
    rows = []
    for row in takes.used:
        labels = labels_path(folder, row)
        cuts = file_sha256(labels) if labels.exists() else "no labels"
        rows.append([file_sha256(take_path(folder, row)), cuts, row.singer])
    facts = [takes.slicing.model_dump(), takes.cleaning.model_dump(), sorted(rows)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def takes_only(root: Path) -> list[Path]:
    """Return the folders under `root` that hold takes and no trained voice, by name."""
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return []
    return [
        folder for folder in folders if (folder / TAKES_FILE).is_file() and not (folder / CARD_FILE).exists()
    ]


_HINTS = {
    "rights": "write who may use this voice: rights = own-voice, licensed or synthetic",
    "statement": "write who agreed to what, in one sentence",
    "takes": "take recordings in with: covermaker voices new NAME PATH…",
}


def checked(document: Document) -> Takes:
    """Return a document as takes; refused as `read_takes` says."""
    return document.checked(
        Takes, hints=_HINTS, patterns={**PATTERNS, NAME_OR_NOTHING: PATTERNS[NAME_PATTERN]}
    )
