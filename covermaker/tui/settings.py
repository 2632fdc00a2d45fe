"""The user's settings file: ``config.toml`` in the platform's config folder, or where COVERMAKER_CONFIG says.

Nothing of Textual is imported here, so that ``covermaker config`` starts as fast as the other commands.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from covermaker.disk import expanded, told_by, write_text
from covermaker.documents.document import Document
from covermaker.errors import UsageError
from covermaker.weights.device import checked_device

if TYPE_CHECKING:
    from covermaker.tui.words import Charset

CONFIG_VARIABLE = "COVERMAKER_CONFIG"
PROJECTS_VARIABLE = "COVERMAKER_PROJECTS"
FILE_NAME = "config.toml"

_CONTROL = re.compile(r"(?:(\d{1,2}):)?(\d{1,3})")
_TABLES = ("midi", "keymap")  # stand at the end of the file


class Midi(BaseModel):
    """A MIDI controller on the faders: ``[midi]``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    port: str = Field(
        default="", description="Its port, or a part of the name; `covermaker midi ports` lists them."
    )
    takeover: Literal["soft", "jump"] = Field(
        default="soft",
        description="`soft`: a fader moves nothing until it has come to the value; `jump`: at once.",
    )
    controls: dict[str, str] = Field(
        default_factory=dict,
        description='What each moves, by its number, or channel and number: `7 = "tracks.vocals.gain_db"`, '
        '`"2:10" = "tracks.vocals.pan"`; `covermaker midi watch` shows the numbers.',
    )

    @field_validator("controls")
    @classmethod
    def _numbers(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            match = _CONTROL.fullmatch(name)
            if match is None or not (int(match[2]) <= 127 and 1 <= int(match[1] or 1) <= 16):
                raise ValueError(f"'{name}' is no controller: 0 to 127, or channel and number, as in 2:10")
        return value


class Settings(BaseModel):
    """What a user may set."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    projects: str = Field(
        default="", description="Folder of the projects; empty: `covermaker` in the home folder."
    )
    theme: str = Field(default="covermaker", description="Colours; ctrl+p lists the themes.")
    charset: Literal["auto", "unicode", "block", "ascii"] = Field(
        default="auto",
        description="`unicode`, `block` (no braille), `ascii`; `auto` asks the locale.",
    )
    fps: int = Field(
        default=15, ge=1, le=60, description="Frames a second of meters and playhead; lower over SSH."
    )
    meters: bool = Field(default=True, description="Draw the meters.")
    audio_device: str = Field(
        default="",
        description="Where sound goes: a device's name, `none`, `file:PATH` (a WAV); empty: the default.",
    )
    device: str = Field(default="auto", description="Where networks run: auto, cpu, cuda, cuda:N or mps.")
    confirm: bool = Field(default=True, description="Ask before something is lost for good.")
    notify: bool = Field(default=True, description="Ring the terminal's bell when a job of over 10 s ends.")
    midi: Midi = Field(
        default_factory=Midi,
        description="A MIDI controller on the faders; covermaker midi watch shows what it sends.",
    )
    keymap: dict[str, str] = Field(
        default_factory=dict,
        description='Other keys, by the id of the action: `"library.render" = "r ctrl+r"`; see docs/keys.md.',
    )

    @field_validator("device")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            return checked_device(value)
        except UsageError as error:
            raise ValueError(f"{error.message}; {error.hint}") from error

    @field_validator("keymap", mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        """Take ``library.render = "r"`` without quotes, to TOML a table in a table, for what it says."""
        if not isinstance(value, dict):
            return value
        flat: dict[str, Any] = {}
        for name, item in value.items():
            nested = item if isinstance(item, dict) else {}
            flat |= {f"{name}.{inner}": key for inner, key in nested.items()} or {name: item}
        return flat


def config_file() -> Path:
    """Return where the settings are, or would be.

    Raises
    ------
    UsageError
        When COVERMAKER_CONFIG leads nowhere.
    """
    import platformdirs

    return told_by(CONFIG_VARIABLE) or Path(platformdirs.user_config_dir("covermaker")) / FILE_NAME


def load_settings(file: Path | None = None) -> Settings:
    """Read the settings; without a file, the defaults.

    Raises
    ------
    ProjectError
        When it is no TOML or says something we refuse: file, line, and the nearest name.
    """
    place = file or config_file()
    missing = UsageError(f"there is no {place}")
    try:
        return Document.read(place, missing=missing).checked(Settings)
    except UsageError as error:
        if error is missing:
            return Settings()
        raise


def change_setting(key: str, value: Any, file: Path | None = None) -> Settings:
    """Set one key and write the file, its comments kept.

    Raises
    ------
    ProjectError
        When the file or the value is refused; the file stays as it is.
    ResourceError
        When it cannot be written.
    """
    import tomlkit

    place = file or config_file()
    text = place.read_text(encoding="utf-8") if place.exists() else template()
    document = tomlkit.parse(text)
    document[key] = value
    changed = tomlkit.dumps(document)
    settings = Document.parse(changed, str(place)).checked(Settings)
    write_text(place, changed)
    return settings


def template() -> str:
    """Return a settings file that changes nothing: every key with its default, commented out."""
    lines = ["# Covermaker's settings. A key that is not set has the default shown here.", ""]
    for name, field in Settings.model_fields.items():
        if name in _TABLES:
            continue
        lines += [f"# {field.description}", f"# {name} = {_toml(field.default)}", ""]
    lines += [f"# {Settings.model_fields['midi'].description}", "[midi]"]
    for name, field in Midi.model_fields.items():
        lines += [f"# {field.description}"]
        lines += ["# controls = {}"] if name == "controls" else [f"# {name} = {_toml(field.default)}"]
    lines += ["", f"# {Settings.model_fields['keymap'].description}", "[keymap]", ""]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    import tomlkit

    text: str = tomlkit.item(value).as_string()
    return text


def projects_folder(settings: Settings) -> Path:
    """Return the folder of the projects: COVERMAKER_PROJECTS, the setting, or ``covermaker`` in the home folder.

    Raises
    ------
    UsageError
        When it leads nowhere.
    """
    told = told_by(PROJECTS_VARIABLE)
    if told is not None:
        return told.absolute()
    return expanded(settings.projects or "~/covermaker", "projects").absolute()


def charset_of(settings: Settings) -> Charset:
    """Return the character set to draw with; `auto` is ascii unless the terminal's encoding is UTF-8."""
    if settings.charset != "auto":
        return settings.charset
    # Served in a browser, the terminal is ours and knows everything.
    utf8 = "utf" in (getattr(sys.__stdout__, "encoding", None) or "").lower()
    return "unicode" if utf8 or os.environ.get("TEXTUAL_DRIVER") else "ascii"
