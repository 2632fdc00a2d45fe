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
    beside = sorted(model.parent.glob(f"*{SUFFIX}"))
    texts = [(path, values) for path in beside if (values := _read(path)) is not None]
    if not texts:
        return Sidecar()
    sha256 = file_sha256(model)
    found = next((values for _, values in texts if values.get("model_sha256") == sha256), None)
    if found is None:
        of_its_name = [path.name for path, _ in texts if path == sidecar_path(model)]
        return Sidecar(
            notes=tuple(f"{name} is of another file than the model: it is not heeded" for name in of_its_name)
        )
    return _checked(found, encoder)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) and values.get("schema") == _SCHEMA else None


def _checked(values: Mapping[str, Any], encoder: str) -> Sidecar:
    rights = plain_text(values.get("rights"), 40)
    statement = plain_text(values.get("statement"), _LONGEST)
    if rights not in RIGHTS or (needs_statement(rights) and not statement):
        rights, statement = "", ""
    return Sidecar(
        rights=rights,
        statement=statement,
        licence=plain_text(values.get("licence"), _LONGEST),
        description=plain_text(values.get("description"), _LONGEST),
        languages=tuple(filter(None, (plain_text(one, 40) for one in _list(values.get("languages"))))),
        singers=_singers(values.get("singers")),
        f0=_range(values.get("f0")),
        content_sha256=_encoder_sha256(values.get("content"), encoder),
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
