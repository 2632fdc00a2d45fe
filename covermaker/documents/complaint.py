"""What pydantic complains about, in our words: one line with the path inside the document, and a hint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

# What pydantic adds to a path for the branch of a union that it tried.
_BRANCH = re.compile(r"(constrained-)?(int|float|str|bool)|literal\[.*\]")

_WORDS = {
    "float_type": "a number is expected",
    "int_type": "a whole number is expected",
    "string_type": "text is expected",
    "bool_type": "true or false is expected",
    "finite_number": "a finite number is expected",
    "list_type": "a list is expected",
    "dict_type": "a table is expected",
    "model_type": "a table is expected",
    "date_type": "a date is expected, as in 2026-01-31",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong, at which path of the document, and the next step."""

    where: str
    words: str
    hint: str | None = None


def complaint(
    model: type[BaseModel],
    errors: Sequence[ErrorDetails],
    *,
    hints: Mapping[str, str],
    patterns: Mapping[str, str],
) -> Complaint:
    """Return the complaint that helps most, and in words how many others there are.

    Parameters
    ----------
    model : type
        What was expected.
    errors : sequence
        Of pydantic's `ValidationError`.
    hints : mapping
        Next step where a key is missing or refused, by its path.
    patterns : mapping
        What a pattern of the model asks for, in words.
    """
    # A misspelt key is also a missing one; the misspelling is what helps.
    first = min(errors, key=lambda one: one["type"] != "extra_forbidden")
    location = _location(first)
    where = dotted(location)
    others = len({_place(one) for one in _others(errors)} - {_place(first)})
    more = f" (and {others} more)" if others else ""
    if first["type"] == "extra_forbidden":
        known = nearest(str(location[-1]), _keys(model, location[:-1]))
        return Complaint(where, f"unknown key '{where}'{more}", known)
    if first["type"] == "missing":
        return Complaint(where, f"'{where}' is missing{more}", hints.get(where, f"add '{location[-1]}'"))
    same = [one for one in errors if _location(one) == location]
    words = " or ".join(dict.fromkeys(_said(one, patterns) for one in same))
    if not where:
        return Complaint(where, words)
    given = first["input"]
    subject = where if isinstance(given, (dict, list)) else f"{where} = {_short(given)}"
    return Complaint(where, f"{subject}: {words}{more}", hints.get(where))


def _others(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what is missing where a key is misspelt: that is most likely the same mistake."""
    misspelt = {dotted(one["loc"][:-1]) for one in errors if one["type"] == "extra_forbidden"}
    return [one for one in errors if one["type"] != "missing" or dotted(one["loc"][:-1]) not in misspelt]


def _place(error: ErrorDetails) -> str:
    # A wrong member of a union is reported once for each branch.
    return dotted(_location(error)[:2])


def dotted(location: tuple[Any, ...]) -> str:
    """Write a path inside a document as people write it: ``tracks[0].gain_db``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _location(error: ErrorDetails) -> tuple[Any, ...]:
    """Return the path without the names that pydantic gives to the branches of a union."""
    return tuple(part for part in error["loc"] if not (isinstance(part, str) and _BRANCH.fullmatch(part)))


def _said(error: ErrorDetails, patterns: Mapping[str, str]) -> str:
    """Say in plain words what is allowed."""
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] in patterns:
        return patterns[error["ctx"]["pattern"]]
    message = error["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return _WORDS.get(error["type"], message.replace("input should be", "must be"))


def _short(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """List the keys that the table at a path may hold."""
    found: Any = model
    for part in location:
        if isinstance(part, int):
            continue
        field = next((f for n, f in found.model_fields.items() if (f.alias or n) == part), None)
        found = field and _model_of(field.annotation)
        if not found:
            return []
    return [field.alias or name for name, field in found.model_fields.items()]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(
        (found for one in getattr(annotation, "__args__", ()) if (found := _model_of(one)) is not None), None
    )
