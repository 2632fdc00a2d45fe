"""What a voice's own files cannot say, beside them: whose it is, who agreed, where its singer is at home.

``miku.covermaker.json`` belongs to ``miku.pth`` by that file's sha256, so it says nothing of a file that was put in its
place. It is a claim of whoever has written it, as a card is: every value is looked at before it is used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from covermaker import __version__
from covermaker.disk import file_sha256
from covermaker.errors import CovermakerError
from covermaker.features.encoders import content_fingerprint
from covermaker.texts import one_line
from covermaker.units import human_bytes
from covermaker.voices.card import F0Part, range_assumed
from covermaker.voices.community.settings import plain_text, singer_name
from covermaker.voices.rights import RIGHTS, needs_statement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.voices.card import VoiceCard

SUFFIX: Final = ".covermaker.json"
_SCHEMA: Final = 1
_MOST_BYTES: Final = 1 << 16
_LONGEST: Final = 4000  # characters of a statement
_MOST_NAMES: Final = 1000
# What is taken where a value cannot be meant.
_INSTEAD: Final = {
    "rights": ": nobody says whose voice it is",
    "statement": ": nobody says who agreed",
    "f0": ": the range is assumed",
    "singers": "",
}


@dataclass(frozen=True)
class Sidecar:
    """What was said beside a model, as far as it can be used.

    Attributes
    ----------
    rights, statement, licence : str
        ``rights`` is "" where nobody said whose voice it is, or not who agreed.
    f0 : F0Part, optional
        Where somebody measured it.
    content_sha256 : str
        Of the encoder's weights that it was trained on; "" where nobody said.
    """

    rights: str = ""
    statement: str = ""
    licence: str = ""
    description: str = ""
    languages: tuple[str, ...] = ()
    singers: tuple[str, ...] = ()
    f0: F0Part | None = None
    content_sha256: str = ""
    notes: tuple[str, ...] = field(default=())


def sidecar_path(model: Path) -> Path:
    """Return where it lies."""
    return model.with_suffix(SUFFIX)


def sidecar_text(card: VoiceCard, name: str, model: Path) -> str:
    """Return what to write beside a model that was given out."""
    values: dict[str, Any] = {
        "written_by": f"Covermaker {__version__}",
        "schema": _SCHEMA,
        "voice": name,
        "rights": card.rights,
        "statement": card.statement,
        "licence": card.licence,
        "description": card.description,
        "languages": card.languages,
        "singers": card.singers,
        "content": card.content.model_dump(exclude_none=True),
        "model": model.name,
        "model_sha256": file_sha256(model),
    }
    if not range_assumed(card):
        values["f0"] = card.f0.model_dump(exclude_none=True)
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def read_sidecar(model: Path, encoder: str) -> Sidecar:
    """Return what a sidecar beside a model says of that very file; nothing where there is none.

    Parameters
    ----------
    model : Path
    encoder : str
        The reading of content that the model was trained on.
    """
    texts: dict[Path, dict[str, Any]] = {}
    own, trouble = sidecar_path(model), ""
    for path in sorted(model.parent.glob(f"*{SUFFIX}")):
        try:
            texts[path] = _read(path)
        except _UnreadableError as error:
            if path == own:
                trouble = f"cannot be read ({error})"
    sha256 = file_sha256(model) if texts else ""
    for path, values in texts.items():
        if values.get("model_sha256") == sha256:
            return _checked(values, encoder, one_line(path.name))
    if own in texts:
        trouble = "is of another file than the model"
    return Sidecar(notes=(f"{one_line(own.name)} {trouble}: it is not heeded",) if trouble else ())


class _UnreadableError(Exception):
    """A file that cannot be a sidecar; says why in a few words."""


def _read(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise _UnreadableError("it is no file")
        if path.stat().st_size > _MOST_BYTES:
            raise _UnreadableError(f"it is larger than {human_bytes(_MOST_BYTES)}")
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _UnreadableError(error.strerror) from error
    except (ValueError, RecursionError) as error:
        raise _UnreadableError("it is no JSON, or cut off") from error
    if not isinstance(values, dict) or "schema" not in values:
        raise _UnreadableError("Covermaker did not write it")
    if values["schema"] != _SCHEMA:
        raise _UnreadableError(f"it is not of schema {_SCHEMA}, which this Covermaker reads")
    return values


def _checked(values: Mapping[str, Any], encoder: str, called: str) -> Sidecar:
    rights = plain_text(values.get("rights"), 40)
    statement = plain_text(values.get("statement"), _LONGEST)
    odd = []
    if needs_statement(rights) and not statement:
        odd.append("statement")
    elif rights not in (*RIGHTS, "unknown") and "rights" in values:
        odd.append("rights")
    if odd or rights not in RIGHTS:
        rights, statement = "", ""
    f0 = _range(values.get("f0"))
    if f0 is None and "f0" in values:
        odd.append("f0")
    singers = _singers(values.get("singers"))
    if values.get("singers") and not singers:
        odd.append("singers")
    return Sidecar(
        rights=rights,
        statement=statement,
        licence=plain_text(values.get("licence"), _LONGEST),
        description=plain_text(values.get("description"), _LONGEST),
        languages=tuple(filter(None, (plain_text(one, 40) for one in _list(values.get("languages"))))),
        singers=singers,
        f0=f0,
        content_sha256=_encoder_sha256(values.get("content"), encoder),
        notes=tuple(f"{called}: {name} cannot be meant and is not heeded{_INSTEAD[name]}" for name in odd),
    )


def _list(value: Any) -> list[Any]:
    return value[:_MOST_NAMES] if isinstance(value, list) else []


def _singers(value: Any) -> tuple[str, ...]:
    """Return names that differ, or none at all."""
    names = tuple(map(singer_name, _list(value)))
    return names if all(names) and len(set(names)) == len(names) else ()


def _range(value: Any) -> F0Part | None:
    try:
        return F0Part.model_validate(value)
    except ValidationError:
        return None


def _encoder_sha256(value: Any, encoder: str) -> str:
    """Return which encoder file it was trained on, where that very one is here: another must still be able to sing."""
    if not isinstance(value, dict) or value.get("encoder") != encoder:
        return ""
    try:
        installed = content_fingerprint(encoder)
    except CovermakerError:
        return ""
    return installed if value.get("sha256") == installed else ""
