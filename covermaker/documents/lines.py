"""Where everything in a TOML text stands: the line of each table, key and item, which `tomllib` does not tell."""

from __future__ import annotations

import re
import tomllib

_KEY = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_TEXT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")|' + r"'''.*?'{3,5}(?!')|" + r"""\"(?:[^"\\]|\\.)*\"|'[^']*'""", re.DOTALL
)
_PLAIN = re.compile(r"[^,\]}#\n]*")
_BETWEEN = re.compile(r"(?:\s|#[^\n]*)*")


def lines_of(text: str) -> dict[str, int]:
    """Return the line, from 1 up, of each table, key and item of a text that is known to be TOML, by its path."""
    return _Reader(text).found


class _Reader:
    """Goes once through a text; it need not refuse anything, `tomllib` has."""

    def __init__(self, text: str) -> None:
        self.found: dict[str, int] = {}
        self._text = text
        self._at = 0
        self._counts: dict[str, int] = {}
        table = ""
        while self._skip():
            if text.startswith("[[", self._at):
                table = self._table(2)
            elif text.startswith("[", self._at):
                table = self._table(1)
            else:
                self._pair(table)

    def _skip(self) -> bool:
        """Go to the next thing that is said; tell whether there is one."""
        match = _BETWEEN.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at < len(self._text)

    def _note(self, where: str) -> None:
        self.found.setdefault(where, self._text.count("\n", 0, self._at) + 1)

    def _table(self, brackets: int) -> str:
        begin = self._at
        self._at += brackets
        *above, last = self._key()
        table = ""
        for part in above:
            table = self._newest(f"{table}.{part}" if table else part)
        table = f"{table}.{last}" if table else last
        if brackets == 2:
            self._counts[table] = self._counts.get(table, -1) + 1
            table = self._newest(table)
        after, self._at = self._at + brackets, begin
        self._note(table)
        self._at = after
        return table

    def _newest(self, table: str) -> str:
        """Return the last item of an array of tables; of anything else, itself."""
        return f"{table}[{self._counts[table]}]" if table in self._counts else table

    def _key(self) -> list[str]:
        parts: list[str] = []
        while match := _KEY.match(self._text, self._at):
            name = match[1]
            parts.append(str(tomllib.loads(f"k = {name}")["k"]) if name[0] in "\"'" else name)
            self._at = match.end()
            if self._text[self._at : self._at + 1] != ".":
                break
            self._at += 1
        return parts

    def _pair(self, table: str) -> None:
        begin = self._at
        parts = self._key()
        after, self._at = self._at + 1, begin  # behind the sign
        for part in parts:
            table = f"{table}.{part}" if table else part
            self._note(table)
        self._at = after
        self._value(table)

    def _value(self, where: str) -> None:
        self._skip()
        sign = self._text[self._at : self._at + 1]
        if sign == "[":
            self._items(where, "]")
        elif sign == "{":
            self._items(where, "}")
        else:
            match = (_TEXT if sign in ('"', "'") else _PLAIN).match(self._text, self._at)
            self._at = match.end() if match else len(self._text)

    def _items(self, where: str, end: str) -> None:
        self._at += 1
        number = 0
        while self._skip() and self._text[self._at] != end:
            if end == "}":
                self._pair(where)
            else:
                self._note(f"{where}[{number}]")
                self._value(f"{where}[{number}]")
            number += 1
            self._skip()
            self._at += self._text.startswith(",", self._at)
        self._at += 1
