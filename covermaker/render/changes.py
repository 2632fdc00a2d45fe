"""What changed in a step's parameters since the last render, in the words of the ``cover.toml``.

A step's parameters are made for keys: effects that are bypassed stand out of the list, values lie a table deeper, a
track has lost its name, and what moves stands beside what it moves. People know the document, so each change is told
by the path that it has there.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from covermaker.effects.plugins.row import ABSENT as ABSENT_PLUGIN
from covermaker.effects.plugins.row import BINARY
from covermaker.errors import UsageError
from covermaker.graph.step import From
from covermaker.project.places import ABSENT, KINDS, NAMED, Change, effect_part, parse_place, real
from covermaker.project.words import label_of, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from covermaker.graph.step import Step
    from covermaker.project.document import Cover

    Path = tuple[str | int, ...]
    Values = dict[str, Any]

# Where the parameters of a kind of step stand in the document; "" is everything that is not listed.
_TAGS = {
    "title": "title",
    "artist": "artist",
    "original_artist": "song.artist",
    "comment": "who sings",
    **{
        key: f"tags.{key}"
        for key in ("album", "composer", "genre", "track", "copyright", "isrc", "bpm", "key")
    },
    "albumartist": "tags.album_artist",
    "date": "tags.year",
}
_PLACES: dict[str, dict[str, str]] = {
    "separate": {"": "stems", "separator": "stems.separator"},
    "train": {
        "": "voice.train",
        "first_draw": "voice.train.seed",
        "profile": "the profile",
        **{key: f"takes.toml: {key}" for key in ("rights", "statement", "languages")},
    },
    "pitch": {"": "convert", "method": "convert.pitch"},
    "music": {"tempo_bpm": "song.tempo_bpm"},
    "harmony": {"": "convert", "key": "song.key", "harmony": "harmony"},
    "melody": {"": "convert", "name": "title", "song.key": "song.key", "song.sections": "sections"},
    "convert": {"": "convert"},
    "singers": {"": "convert", "crossfade_seconds": "convert.parts_crossfade_seconds"},
    "mix": {"tail": "mix.tail", "tempo_bpm": "song.tempo_bpm"},
    "master": {"": "master"},
    "export": {
        "": "export",
        "name": "title",
        "ceiling_dbtp": "master.true_peak_dbtp",
        **{f"tags.{key}": place for key, place in _TAGS.items()},
    },
    "stems": {f"converted_tags.{key}": place for key, place in _TAGS.items()},
    "mix-stems": {"channels": "channels", **{f"tags.{key}": place for key, place in _TAGS.items()}},
    "score": {"pitch": "convert.pitch"},
}
# Where the files that a step reads stand.
_FILES = {
    "reference": "master.match",
    "picture": "tags.cover",
    "lyrics": "tags.lyrics",
    "guide": "convert.pitch_correction.guide",
}
# What follows from something else that is told too.
_DERIVED = frozenset({"region", "cut", "overruled", "begins", "listens_to"})
# What a person chooses of a step, which then is another thing with another version.
_CHOICES: dict[str, Path] = {
    "pitch": ("method",),
    "content": ("encoder",),
    "separate": ("separator",),
    "train": ("profile", "name"),
}
# What a scan says of a plug-in; see `covermaker.effects.plugins.row`.
_OF_A_PLUGIN = frozenset({ABSENT_PLUGIN, BINARY, "vendor", "release"})
_MOVES = "moves"


def told(step: Step, before: Mapping[str, Any], cover: Cover) -> list[tuple[str, str]]:
    """Tell each parameter of a step that is not what it was `before`.

    Returns
    -------
    list of (str, str)
        By its path in the document, and as people say it: ``tracks[1].gain_db: 0.0 -> 1.0`` and ``vocals gain
        0.0 -> 1.0 dB``. Of parameters that come from one place of the document some are alike.
    """
    if "strips" in step.params and "strips" not in before:  # a record of an older desk
        line = f"Covermaker's '{step.kind}' changed"
        return [(line, line)]
    values = cover.model_dump(by_alias=True)
    now = _sorted_out(json.loads(json.dumps(dict(step.params))))  # as it would come back from a record
    lines: list[tuple[str, str]] = []
    for path, old, new in _differences((), _sorted_out(before), now):
        if _DERIVED & {path[0], path[-1]} or (path == ("match_amount",) and _NOTHING in (old, new)):
            continue  # an amount comes and goes with what is matched, which is an input
        if path == ("tags", "bpm"):  # a number in the document
            old, new = (value if value is _NOTHING else float(value) for value in (old, new))
        if _MOVES in path:
            target = _target(step, path[: path.index(_MOVES) + 2], values)
            line = f"automation of {target}{_came_or_went(path, old, new)}"
            lines += [(line, line)] * ((line, line) not in lines)
        elif path[-1] == "keyed_by":
            other = "its own sound" if new is _NOTHING else "another channel"
            line = f"{_written(step, (*path[:-1], 'sidechain'), values)}: it listens to {other} now"
            lines.append((line, line))
        elif path == ("keys",) and old is _NOTHING:
            continue  # told of the effect that listens, or moves
        elif path == ("keys",):
            line = f"{_dotted(_whose(step, values))}.rack: its side chains listen to something else"
            lines.append((line, line))
        elif "version" in path and _chosen_anew(step, before):
            continue  # another method has versions of its own: its name is told
        elif "version" in path:
            effect = _effect_at(path, now)
            line = f"Covermaker's '{effect or step.kind}' changed (version {_short(old)} -> {_short(new)})"
            lines.append((line, line))
        elif path[-1] in _OF_A_PLUGIN:
            words = _of_a_plugin(path, old, new, before, now)
            lines += [(words, words)] if words else []
        elif path == ("takes",):
            what = "recordings, labels or cuts changed"
            lines.append((f"voice.train.takes: {what}", f"takes: {what}"))
        elif path == ("separator",):
            line = f'stems.separator is "{cover.stems.separator}" now'
            lines.append((line, f"the separator is {cover.stems.separator} now"))
        elif step.kind == "export" and path[0] == "credentials":
            # Its parts follow from the title and who sings, which the tags tell.
            if len(path) == 1:
                line = "export.credentials: " + ("off -> on" if old is _NOTHING else "on -> off")
                lines.append((line, line))
        else:
            effect = _effect_at(path, now)
            of = f" ({effect})" if effect else ""
            written = _written(step, path, values)
            line = f"{written}: {_shown(old)} -> {_shown(new)}{of}"
            lines.append((line, _in_words(written, old, new, values) or line))
    return lines


def _chosen_anew(step: Step, before: Mapping[str, Any]) -> bool:
    """Tell whether a person chose another method, encoder, separator or profile for a step."""
    old: Any = before
    new: Any = step.params
    for part in _CHOICES.get(step.kind, ()):
        old, new = _below(old, part), _below(new, part)
    return step.kind in _CHOICES and bool(old != new)


def told_of_files(step: Step, before: Iterable[str]) -> list[str]:
    """Tell which files a step reads now and did not `before`, which has the names of its inputs, or the other way."""
    inputs = step.inputs.items()
    new = {name: one.path.name for name, one in inputs if not isinstance(one, From) and name not in before}
    lines = [
        f"{_FILES[name]}: not set -> {file}" if name in _FILES else f"it reads {file} now"
        for name, file in new.items()
    ]
    gone = [place for name, place in _FILES.items() if name in before and name not in step.inputs]
    return lines + [f"{place}: a file -> not set" for place in gone]


def _sorted_out(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters laid out more like the document: strips in their tables, a place for what moves in each."""
    found = dict(params)
    strips = found.pop("strips", None)
    if isinstance(strips, list):
        for table, kind in KINDS.items():
            found[table] = [_strip(row) for row in strips if row.get("kind") == kind]
    return _moving(found) if "rack" in found else found


def _strip(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a strip without what its place says, and without the name of a track, which is a number here."""
    left_out = {"kind", "listens_to", *(["name", "rack"] if row["kind"] == "track" else [])}
    return _moving({key: value for key, value in row.items() if key not in left_out})


def _moving(row: Mapping[str, Any]) -> dict[str, Any]:
    rack = [{_MOVES: {}, **effect} for effect in row.get("rack", [])]
    return {**row, **({"rack": rack} if "rack" in row else {})}


def _target(step: Step, path: Path, values: Values) -> str:
    """Return what an automation moves, as it names it: channels and effects by their names."""
    *whole, _, parameter = (*_whose(step, values), *_with_bypassed(step, path, values))
    parts: list[str | int] = []
    found: Any = values
    for part in whole:
        rows, found = found, _below(found, part)
        if isinstance(part, int) and parts[-1:] == ["rack"] and isinstance(rows, list) and part < len(rows):
            parts.append(effect_part(rows, part))
            continue
        name = found.get("name") if isinstance(part, int) and isinstance(found, dict) else None
        parts.append(name if isinstance(name, str) else part)
    return _dotted((*parts, *str(parameter).split(".")))


def _came_or_went(path: Path, old: Any, new: Any) -> str:
    if path[-2] != _MOVES:
        return " changed"
    return ": not set" if new is _NOTHING else ": new" if old is _NOTHING else " changed"


def _of_a_plugin(path: Path, old: Any, new: Any, before: Any, now: Any) -> str:
    """Say what became of a plug-in itself; "" where that follows from its coming and going."""
    names = []
    for values in (before, now):
        for part in path[:-1]:
            values = _below(values, part)
        names.append(_below(values, "plugin"))
    if path[-1] == ABSENT_PLUGIN:
        return f"plug-in '{names[1]}' is {'heard now' if new is _NOTHING else f'not heard: it is {new}'}"
    return (
        "" if _NOTHING in (old, new) or names[0] != names[1] else f"plug-in '{names[1]}' is another version"
    )


def _in_words(written: str, old: Any, new: Any, values: dict[str, Any]) -> str:
    """Say a change as an edit of the place would be said; "" where the path is none of the document `values`."""
    try:
        place = parse_place(written, values)
    except UsageError:
        return ""
    if len(place) == 1 and place[0] in NAMED:
        return _came_and_went(str(place[0]), old, new)
    if any(isinstance(value, list) and _labels(value) for value in (old, new)):
        return f"{label_of(place, values)} {_shown(old)} -> {_shown(new)}"
    before, after = (ABSENT if value is _NOTHING else value for value in (old, new))
    return say(Change(place, before, after), values, {})


def _came_and_went(table: str, old: Any, new: Any) -> str:
    """Say which channels of a table are new or gone; of tracks only how many there are."""
    before, after = (
        [row.get("name") for row in rows] if isinstance(rows, list) else [] for rows in (old, new)
    )
    if None in before + after:
        return f"{table} {len(before)} -> {len(after)}"
    added = [f"added {KINDS[table]} {name}" for name in after if name not in before]
    gone = [f"removed {KINDS[table]} {name}" for name in before if name not in after]
    return ", ".join(added + gone) or f"{table} in another order"


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


def _written(step: Step, path: Path, values: Values) -> str:
    """Return the path that a parameter has in the document."""
    path = _with_bypassed(step, tuple(part for part in path if part != "values"), values)
    if step.kind == "rack":
        return _dotted((*_whose(step, values), *path))
    places = _PLACES.get(step.kind, {})
    if path == ("tags", "bpm") and values["tags"]["bpm"] is None:
        return "song.tempo_bpm"  # a song's tempo is its tag where no other is written
    plain = ".".join(str(part) for part in path)
    if plain in places:
        return places[plain]
    if path and str(path[0]) in places:
        return f"{places[str(path[0])]}: {_dotted(path[1:])}"
    return _dotted((places[""], *path) if places.get("") else path)


def _with_bypassed(step: Step, path: Path, values: Values) -> Path:
    """Count the effects of a rack as the document does, which lists the bypassed ones, too."""
    if "rack" not in path[:-1]:
        return path
    at = path.index("rack")
    whose = (*_whose(step, values), *path[:at])
    rows: Any = values
    for part in (*whose, "rack"):
        rows = _below(rows, part)
    switched = _switched(values)
    heard = [
        index
        for index, row in enumerate(rows or [])
        if not row.get("bypass") or (*whose, "rack", index, "bypass") in switched
    ]
    index = path[at + 1]
    if not isinstance(index, int) or index >= len(heard):
        return path
    return (*path[: at + 1], heard[index], *path[at + 2 :])


def _switched(values: Values) -> set[Path]:
    """Return the places of the bypasses that move: what they switch is heard, if only at times."""
    found: set[Path] = set()
    for lane in values["automation"]:
        with suppress(UsageError, LookupError):
            found.add(real(parse_place(lane["target"], values), values))
    return {path for path in found if path[-1] == "bypass"}


def _whose(step: Step, values: Values) -> Path:
    """Return where the channel of a rack step stands, or the master; nothing for other steps."""
    if step.kind != "rack":
        return ("master",) if step.kind == "master" else ()
    name = step.name.partition(": ")[2]
    return next((("tracks", n) for n, track in enumerate(values["tracks"]) if track["name"] == name), ())


def _below(found: Any, part: str | int) -> Any:
    """Return what stands one part of a path deeper; nothing where the document has less than a step had."""
    try:
        return found[part]
    except (LookupError, TypeError):
        return {}


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
