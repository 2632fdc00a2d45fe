"""Voice settings as a preset: keys of a project's ``[convert]`` that say how a voice sings, whatever the song.

What belongs to one song is no part of them. A key that is left out has its default, except those of `KEPT`, which stay
the project's own unless the preset names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from covermaker.documents.document import PlaceError
from covermaker.project.document import Convert, PitchCorrection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.documents.document import Document

_CORRECTION: Final = "pitch_correction"

# Never in a preset: parts of the song, singers of one voice, the melody's file.
OF_A_SONG: Final = frozenset(
    {"parts", "parts_crossfade_seconds", "singers", f"{_CORRECTION}.guide", f"{_CORRECTION}.guide_track"}
)
# In a preset only when somebody writes them there.
KEPT: Final = frozenset({"transpose", "move_instrumental", f"{_CORRECTION}.scale", f"{_CORRECTION}.a4_hz"})


class VoiceFile(BaseModel):
    """A file of voice settings."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: str = Field(default="", description="As the file's.")
    description: str = Field(default="", description="How it sounds, in a sentence.")
    convert: Convert = Field(description="Keys of a project's `[convert]`; may be empty.")


def checked_settings(document: Document) -> dict[str, Any]:
    """Return the settings of a file as they are written.

    Raises
    ------
    ProjectError
        For what a project would refuse, and for what belongs to one song.
    """
    document.checked(
        VoiceFile, hints={"convert": "a table with keys of a project's [convert]; it may be empty"}
    )
    settings: dict[str, Any] = document.values["convert"]
    for key in flat(settings):
        if key in OF_A_SONG or key.partition(".")[0] in OF_A_SONG:
            raise PlaceError(
                f"convert.{key}", "belongs to one song", hint="write it into the project instead"
            )
    return dict(settings)


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by their path below ``[convert]``: ``{"pitch_correction.strength": 0.5}``."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if key == _CORRECTION and isinstance(value, dict):
            found |= {f"{key}.{inner}": one for inner, one in value.items()}
        else:
            found[key] = value
    return found


def keys() -> list[str]:
    """List the paths of everything that voice settings may say."""
    named = [key for key in Convert.model_fields if key != _CORRECTION]
    named += [f"{_CORRECTION}.{key}" for key in PitchCorrection.model_fields]
    return [key for key in named if key not in OF_A_SONG]


def default(key: str) -> Any:
    """Return what a key is worth where nobody sets it."""
    head, _, inner = key.partition(".")
    return (PitchCorrection if inner else Convert).model_fields[inner or head].default


def whole(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting that decides the sound, defaults filled in, those of `KEPT` where they are named."""
    named = flat(settings)
    return {key: named.get(key, default(key)) for key in keys() if key in named or key not in KEPT}


def own_settings(convert: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a project's ``[convert]`` names, without those of its song."""
    kept = {
        key: value
        for key, value in convert.items()
        if key not in OF_A_SONG and key not in KEPT and key != _CORRECTION
    }
    correction = {
        key: value
        for key, value in convert.get(_CORRECTION, {}).items()
        if f"{_CORRECTION}.{key}" not in OF_A_SONG | KEPT
    }
    return {**kept, _CORRECTION: correction} if correction else kept
