"""The edits of a project, one JSON line each, in its hidden folder: what undo reads, also after a restart.

::

    {"do": "edit", "words": "vocals gain -3.0 -> -2.5 dB", "from": sha256, "to": sha256, "splice": …, "changes": …}
    {"do": "undo", "from": sha256, "to": sha256}

A line is written before the document is replaced and taken back when that fails. When the process is killed between
the two, the document still has the sha256 that the last line began from: the line is then dropped.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from covermaker.disk import disk_errors, write_text
from covermaker.errors import ResourceError
from covermaker.project.places import ABSENT, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Line: TypeAlias = dict[str, Any]
Do: TypeAlias = Literal["edit", "join", "undo", "redo", "drop"]

FILE_NAME = "edits.jsonl"
_MOST_LINES = 1000
_KEPT_EDITS = 300


@dataclass(frozen=True)
class Splice:
    """The change of a text to the character: `old` stood, `new` stands, at the offset `at`."""

    at: int
    old: str
    new: str

    @classmethod
    def between(cls, before: str, after: str) -> Splice:
        """Return what leads from one text to another."""
        start = _alike(before, after)
        left, right = before[start:], after[start:]
        same = _alike(left[::-1], right[::-1])
        return cls(start, left[: len(left) - same], right[: len(right) - same])

    def done(self, text: str) -> str:
        """Return the text after the change."""
        return text[: self.at] + self.new + text[self.at + len(self.old) :]

    def reversed(self) -> Splice:
        """Return the change back."""
        return Splice(self.at, self.new, self.old)


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


@dataclass(frozen=True)
class Entry:
    """One edit that can be undone.

    Attributes
    ----------
    words : str
        What it did.
    when : str
        ISO 8601, UTC.
    gesture : str or None
        Edits of one gesture, as the steps of a fader that is dragged, are one entry.
    before, after : str
        sha256 of the document's text.
    splice : Splice
        How the text changed.
    changes : tuple of Change
        What changed, by places.
    """

    words: str
    when: str
    gesture: str | None
    before: str
    after: str
    splice: Splice
    changes: tuple[Change, ...]


@dataclass
class Stacks:
    """What can be undone and redone, the next one last."""

    done: list[Entry] = field(default_factory=list)
    undone: list[Entry] = field(default_factory=list)


class Log:
    """The file; hold the project's lock."""

    def __init__(self, hidden: Path) -> None:
        self._file = hidden / FILE_NAME

    def read(self, text: str) -> Stacks:
        """Return what can be undone and redone in a document that now has this text."""
        return _replayed([line for line, _ in self._lines(text)])

    @contextmanager
    def adding(self, do: Do, text: str, new: str, entry: Entry | None = None) -> Iterator[None]:
        """Write that the document is about to get the text `new`; taken back when the block raises.

        Parameters
        ----------
        do : str
            ``"edit"``, ``"join"`` (an edit that takes the place of the last one), ``"undo"``, ``"redo"`` or ``"drop"``
            (the last one never was).
        text, new : str
            The document's text, now and then.
        entry : Entry, optional
            What is edited or joined.

        Raises
        ------
        ResourceError
            When the disk refuses; nothing has changed then.
        """
        lines = self._lines(text)
        if len(lines) >= _MOST_LINES:
            self._shorten(_replayed([line for line, _ in lines]))
            lines = self._lines(text)
        line = {
            "do": do,
            "from": fingerprint(text),
            "to": fingerprint(new),
            **(_as_json(entry) if entry else {}),
        }
        end = lines[-1][1] if lines else 0
        with disk_errors(self._file):
            file = self._file.open("r+b" if self._file.exists() else "x+b", buffering=0)
        with file:
            try:
                with disk_errors(self._file):
                    file.truncate(end)
                    file.seek(end)
                    rest = json.dumps(line, ensure_ascii=False).encode() + b"\n"
                    while rest:  # no fsync: after a power cut the document counts, and it has one
                        rest = rest[file.write(rest) :]
                yield
            except BaseException:
                with suppress(OSError):
                    file.truncate(end)
                raise

    def _lines(self, text: str) -> list[tuple[Line, int]]:
        """Return what the file says, each line with the offset behind it; a line that never happened is left out."""
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ResourceError(f"{self._file} cannot be read: {error.strerror}") from error
        lines: list[tuple[Line, int]] = []
        end = 0
        for piece in data.split(b"\n")[:-1]:  # without its end, a line was never finished
            end += len(piece) + 1
            try:
                line = json.loads(piece)
                _replayed([line])
            except (ValueError, LookupError, TypeError, AttributeError):
                lines = [
                    ({"do": "forget", "from": "", "to": ""}, end)
                ]  # what came before cannot be relied on
                continue
            lines.append((line, end))
        if lines and lines[-1][0]["from"] == fingerprint(text) != lines[-1][0]["to"]:
            lines.pop()
        return lines

    def _shorten(self, stacks: Stacks) -> None:
        rows = [("edit", entry) for entry in (stacks.done[-_KEPT_EDITS:] + stacks.undone[::-1])]
        lines = [{"do": do, "from": "", "to": entry.after, **_as_json(entry)} for do, entry in rows]
        lines += [{"do": "undo", "from": "", "to": entry.before} for entry in stacks.undone[::-1]]
        write_text(self._file, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def fingerprint(text: str) -> str:
    """Return the sha256 of a document's text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _replayed(lines: Sequence[Line]) -> Stacks:
    stacks = Stacks()
    for line in lines:
        do = line["do"]
        if do == "undo":
            stacks.undone += [stacks.done.pop()] if stacks.done else []
        elif do == "redo":
            stacks.done += [stacks.undone.pop()] if stacks.undone else []
        elif do == "drop":
            del stacks.done[-1:]
        elif do == "forget":
            stacks = Stacks()
        else:
            if do == "join" and stacks.done:
                stacks.done.pop()
            stacks.done.append(_from_json(line))
            stacks.undone.clear()
    return stacks


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "words": entry.words,
        "when": entry.when,
        "gesture": entry.gesture,
        "before": entry.before,
        "after": entry.after,
        "splice": [entry.splice.at, entry.splice.old, entry.splice.new],
        "changes": [_change_as_json(change) for change in entry.changes],
    }


def _change_as_json(change: Change) -> dict[str, Any]:
    states = {"before": change.before, "after": change.after, "index": change.index}
    present = {key: value for key, value in states.items() if value is not ABSENT and value is not None}
    return {"place": list(change.place), **present}


def _from_json(line: Line) -> Entry:
    changes = tuple(
        Change(tuple(row["place"]), row.get("before", ABSENT), row.get("after", ABSENT), row.get("index"))
        for row in line["changes"]
    )
    at, old, new = line["splice"]
    return Entry(
        line["words"], line["when"], line["gesture"], line["before"], line["after"],
        Splice(int(at), str(old), str(new)), changes,
    )  # fmt: skip
