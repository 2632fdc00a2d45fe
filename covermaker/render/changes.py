"""What changed in a step's parameters since the last render, in the words of the ``cover.toml``.

A step's parameters are made for keys: effects that are bypassed stand out of the list, values lie a table deeper, a
track has lost its name. People know the document, so each change is told by the path that it has there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from covermaker.errors import UsageError
from covermaker.project.places import ABSENT, Change, parse_place
from covermaker.project.words import label_of, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from covermaker.graph.step import Step
    from covermaker.project.document import Cover

    Path = tuple[str | int, ...]

# Where the parameters of a kind of step stand in the document; "" is everything that is not listed.
_TAGS = {"title": "title", "artist": "artist", "original_artist": "song.artist", "comment": "who sings"}
_PLACES: dict[str, dict[str, str]] = {
    "separate": {"": "stems", "separator": "stems.separator"},
    "train": {
        "": "voice.train",
        "first_draw": "voice.train.seed",
        "profile": "the profile",
        **{key: f"takes.toml: {key}" for key in ("rights", "statement", "languages")},
    },
    "pitch": {"": "convert", "method": "convert.pitch"},
    "convert": {"": "convert"},
    "singers": {"": "convert", "crossfade_seconds": "convert.parts_crossfade_seconds"},
    "mix": {"tail": "mix.tail"},
    "master": {"": "master"},
    "export": {"": "export", "name": "title", **{f"tags.{key}": place for key, place in _TAGS.items()}},
    "stems": {f"converted_tags.{key}": place for key, place in _TAGS.items()},
    "score": {"pitch": "convert.pitch"},
}
# What follows from something else that is told too.
_DERIVED = frozenset({"region", "cut"})


def told(step: Step, before: Mapping[str, Any], cover: Cover) -> list[tuple[str, str]]:
    """Tell each parameter of a step that is not what it was `before`.

    Returns
    -------
    list of (str, str)
        By its path in the document, and as people say it: ``tracks[1].gain_db: 0.0 -> 1.0`` and ``vocals gain
        0.0 -> 1.0 dB``. Of parameters that come from one place of the document some are alike.
    """
    values = cover.model_dump(by_alias=True)
    now = json.loads(json.dumps(dict(step.params)))  # as it would come back from a record
    lines: list[tuple[str, str]] = []
    for path, old, new in _differences((), dict(before), now):
        if path[-1] in _DERIVED:
            continue
        if "version" in path:
            effect = _effect_at(path, now)
            line = f"Covermaker's '{effect or step.kind}' changed (version {_short(old)} -> {_short(new)})"
            lines.append((line, line))
        elif path == ("takes",):
            what = "recordings, labels or cuts changed"
            lines.append((f"voice.train.takes: {what}", f"takes: {what}"))
        elif path == ("separator",):
            line = f'stems.separator is "{cover.stems.separator}" now'
            lines.append((line, f"the separator is {cover.stems.separator} now"))
        else:
            effect = _effect_at(path, now)
            of = f" ({effect})" if effect else ""
            written = _written(step, path, cover)
            line = f"{written}: {_shown(old)} -> {_shown(new)}{of}"
            lines.append((line, _in_words(written, old, new, values) or line))
    return lines


def _in_words(written: str, old: Any, new: Any, values: dict[str, Any]) -> str:
    """Say a change as an edit of the place would be said; "" where the path is none of the document `values`."""
    try:
        place = parse_place(written, values)
    except UsageError:
        return ""
    if any(isinstance(value, list) and _labels(value) for value in (old, new)):
        return f"{label_of(place, values)} {_shown(old)} -> {_shown(new)}"
    before, after = (ABSENT if value is _NOTHING else value for value in (old, new))
    return say(Change(place, before, after), values, {})


_NOTHING = object()


def _differences(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Any, Any]]:
    """Yield path, old and new value of everything that differs; `_NOTHING` is what is not there."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _differences((*path, key), old.get(key, _NOTHING), new.get(key, _NOTHING))
    elif _comparable(old, new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences((*path, index), one, other)
    elif old != new:
        yield path, old, new


def _comparable(old: Any, new: Any) -> bool:
    """Tell whether these are lists of the same things in the same order, so that thing is compared with thing."""
    if not isinstance(old, list) or not isinstance(new, list):
        return False
    labels = _labels(old)
    return labels is not None and labels == _labels(new)


def _labels(items: Sequence[Any]) -> list[str] | None:
    """Return what the tables of a list are called; None of a list of anything else."""
    if not all(isinstance(item, dict) for item in items):
        return None
    return [str(item.get("effect") or item.get("name") or "") for item in items]


def _effect_at(path: Path, now: Any) -> str:
    """Return the effect that a path leads through, if it does."""
    found, name = now, ""
    for part in path:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(found, dict) and "effect" in found:
            name = str(found["effect"])
    return name


def _written(step: Step, path: Path, cover: Cover) -> str:
    """Return the path that a parameter has in the document."""
    path = _with_bypassed(step, tuple(part for part in path if part != "values"), cover)
    if step.kind == "rack":
        return _dotted((*_track(step, cover), *path))
    places = _PLACES.get(step.kind, {})
    plain = ".".join(str(part) for part in path)
    if plain in places:
        return places[plain]
    if path and str(path[0]) in places:
        return f"{places[str(path[0])]}: {_dotted(path[1:])}"
    return _dotted((places[""], *path) if places.get("") else path)


def _with_bypassed(step: Step, path: Path, cover: Cover) -> Path:
    """Count the effects of a rack as the document does, which lists the bypassed ones, too."""
    if "rack" not in path[:-1]:
        return path
    at = path.index("rack")
    racks: dict[str, Any] = {"master": cover.master.rack}
    if step.kind == "rack":
        (_, number) = _track(step, cover) or ("", None)
        rows = cover.tracks[number].rack if isinstance(number, int) else []
    elif step.kind == "mix" and isinstance(path[1], int):
        rows = cover.buses[path[1]].rack
    else:
        rows = racks.get(step.kind, [])
    heard = [index for index, row in enumerate(rows) if not row.get("bypass")]
    index = path[at + 1]
    if not isinstance(index, int) or index >= len(heard):
        return path
    return (*path[: at + 1], heard[index], *path[at + 2 :])


def _track(step: Step, cover: Cover) -> Path:
    """Return where the track of a rack step stands."""
    name = step.name.partition(": ")[2]
    return next((("tracks", n) for n, track in enumerate(cover.tracks) if track.name == name), ())


def _dotted(path: Path) -> str:
    from covermaker.documents.complaint import dotted

    return dotted(path)


def _shown(value: Any) -> str:
    labels = _labels(value) if isinstance(value, list) and value else None
    if labels:
        return ", ".join(labels) if all(labels) else f"{len(labels)} of them"
    return _short(value)


def _short(value: Any) -> str:
    if value is _NOTHING:
        return "not set"
    text = "not set" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
