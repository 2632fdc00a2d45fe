"""Where everything in a TOML text begins and ends, to the character, so that a change touches nothing else."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Kind: TypeAlias = Literal["table", "pair", "item"]

KEY = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_TEXT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")|' + r"'''.*?'{3,5}(?!')|" + r"""\"(?:[^"\\]|\\.)*\"|'[^']*'""", re.DOTALL
)
_PLAIN = re.compile(r"[^,\]}#\n]*")
_BETWEEN = re.compile(r"(?:\s|#[^\n]*)*")


@dataclass(frozen=True)
class Span:
    """One piece of the text.

    Attributes
    ----------
    path : tuple of str or int
        What it is inside the document; of a dotted key, the whole of it.
    kind : str
        ``"table"``: a header and the pairs below it. ``"pair"``: a key and its value. ``"item"``: of an array.
    holder : tuple of str or int
        Path of the header, inline table or array that it stands in.
    start, value, end : int
        Of key, header or item; of the value (of a table: behind the header); behind the value (of a table: behind its
        last pair).
    comma : int
        Behind the comma that follows an item, or a pair of an inline table; `end` where there is none.
    """

    path: Path
    kind: Kind
    holder: Path
    start: int
    value: int
    end: int
    comma: int


def spans_of(text: str) -> list[Span]:
    """Return the spans of a text that is known to be TOML, in its order, each before those that it holds."""
    return _Reader(text).found


class _Reader:
    """Goes once through a text; it need not refuse anything, `tomllib` has."""

    def __init__(self, text: str) -> None:
        self.found: list[Span] = []
        self._text = text
        self._at = 0
        self._counts: dict[Path, int] = {}
        table: Path = ()
        slot: int | None = None
        while self._skip():
            if text.startswith("[", self._at):
                slot = len(self.found)
                table = self._header(2 if text.startswith("[[", self._at) else 1)
                continue
            end = self._pair(table, inline=False)
            if slot is not None:
                head = self.found[slot]
                self.found[slot] = Span(head.path, "table", (), head.start, head.value, end, end)

    def _skip(self) -> bool:
        """Go to the next thing that is said; tell whether there is one."""
        match = _BETWEEN.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at < len(self._text)

    def _header(self, brackets: int) -> Path:
        start = self._at
        self._at += brackets
        *above, last = self._key()
        path: Path = ()
        for part in above:
            path = self._newest((*path, part))
        path = (*path, last)
        if brackets == 2:
            self._counts[path] = self._counts.get(path, -1) + 1
            path = self._newest(path)
        self._at += brackets
        self.found.append(Span(path, "table", (), start, self._at, self._at, self._at))
        return path

    def _newest(self, path: Path) -> Path:
        """Return the last item of an array of tables; of anything else, itself."""
        return (*path, self._counts[path]) if path in self._counts else path

    def _key(self) -> list[str]:
        parts: list[str] = []
        while match := KEY.match(self._text, self._at):
            name = match[1]
            parts.append(str(tomllib.loads(f"k = {name}")["k"]) if name[0] in "\"'" else name)
            self._at = match.end()
            if self._text[self._at : self._at + 1] != ".":
                break
            self._at += 1
        return parts

    def _pair(self, holder: Path, *, inline: bool) -> int:
        start, slot = self._at, len(self.found)
        path = (*holder, *self._key())
        self._at += 1  # the sign
        return self._whole(Span(path, "pair", holder, start, 0, 0, 0), slot, inline)

    def _whole(self, span: Span, slot: int, listed: bool) -> int:
        """Read a value, and the comma behind it where it stands in a list; returns where the value ends."""
        self.found.append(span)
        self._skip()
        value = self._at
        self._value(span.path)
        end = comma = self._at
        if listed:
            self._skip()
            if self._text.startswith(",", self._at):
                self._at += 1
                comma = self._at
        self.found[slot] = Span(span.path, span.kind, span.holder, span.start, value, end, comma)
        return end

    def _value(self, path: Path) -> None:
        sign = self._text[self._at : self._at + 1]
        if sign == "[":
            self._list(path, "]")
        elif sign == "{":
            self._list(path, "}")
        elif match := (_TEXT if sign in ('"', "'") else _PLAIN).match(self._text, self._at):
            self._at += len(match[0].rstrip())

    def _list(self, path: Path, end: str) -> None:
        self._at += 1
        number = 0
        while self._skip() and self._text[self._at] != end:
            if end == "}":
                self._pair(path, inline=True)
                continue
            slot = len(self.found)
            self._whole(Span((*path, number), "item", path, self._at, 0, 0, 0), slot, True)
            number += 1
        self._at += 1
