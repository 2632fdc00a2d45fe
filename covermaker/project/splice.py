"""Changes to a TOML text that leave every other character where it was: comments, order, spaces, ways of writing.

Each function takes a text and returns the changed one. They know TOML, not projects; `operations` checks their
result against the values that were meant.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from covermaker.documents.spans import KEY, Span, spans_of
from covermaker.project.create import toml_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.documents.spans import Path

_INDENT = "    "
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# Behind an item: its comma and its comment, and nothing else on the line.
_REST_OF_LINE = re.compile(r"[ \t]*,?[ \t]*(#[^\n]*)?(?=\n|\Z)")


def literal(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {literal(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    return toml_value(value)


def put(text: str, path: Path, value: Any) -> str:
    """Give the key or item at a path a value; a key, and the tables above it, need not be there yet."""
    spans = spans_of(text)
    for span in spans:
        if span.path == path and span.kind != "table":
            return text[: span.value] + _written(value) + text[span.end :]
    return _add(drop(text, path), path[:-1], str(path[-1]), value)


def drop(text: str, path: Path) -> str:
    """Take away a key, a table or an item; nothing happens where there is none."""
    spans = [span for span in spans_of(text) if span.path[: len(path)] == path]
    inside: tuple[int, int] = (0, 0)
    outermost = []
    for span in spans:
        if not inside[0] <= span.start < inside[1]:
            inside = (span.start, max(span.end, span.value))
            outermost.append(span)
    for span in reversed(outermost):
        text = _without(text, span)
    return text


def has_comment(text: str, path: Path) -> bool:
    """Tell whether a comment stands behind the value of a key, on its line."""
    for span in spans_of(text):
        if span.path == path and span.kind == "pair":
            rest = _REST_OF_LINE.match(text, span.end)
            return rest is not None and bool(rest[1])
    return False


def rename(text: str, path: Path, to: str) -> str:
    """Give a key another name; its value and its comment stay."""
    for span in spans_of(text):
        if span.path == path and span.kind == "pair":
            *_, last = KEY.finditer(text, span.start, text.index("=", _last_quote(text, span)))
            return text[: last.start(1)] + _key(to) + text[last.end(1) :]
    return text


def _last_quote(text: str, span: Span) -> int:
    """Return where a pair's key can no longer hold a sign of equality."""
    return max(span.start, *(text.rfind(quote, span.start, span.value) for quote in "\"'"))


def insert(text: str, path: Path, index: int, value: Any) -> str:
    """Put an item into the array, or array of tables, at a path, before the item that has this index."""
    spans = spans_of(text)
    array = next((span for span in spans if span.path == path and span.kind != "table"), None)
    if array is not None:
        return _insert_item(text, array, _items(spans, path), index, value)
    if len(path) != 1:
        return _add(text, path[:-1], str(path[-1]), [value])
    return _insert_table(text, spans, path, index, value)


def move(text: str, path: Path, index: int, to: int) -> str:
    """Move an item of the array at a path; where each has a line of its own, its comments go with it."""
    spans = spans_of(text)
    if not any(span.path == path for span in spans):
        return _move_table(text, spans, path, index, to)
    items = _items(spans, path)
    if not all(_has_line(text, item) for item in items):
        texts = [text[item.value : item.end] for item in items]
        texts.insert(to, texts.pop(index))
        for item, piece in reversed(list(zip(items, texts, strict=True))):
            text = text[: item.value] + piece + text[item.end :]
        return text
    last = items[-1]
    if last.comma == last.end:
        text = text[: last.end] + "," + text[last.end :]
    array = next(span for span in spans if span.path == path)
    edges = [_line_end(text, array.value), *(_line_end(text, item.end) for item in items)]
    cells = [text[start:end] for start, end in pairwise(edges)]
    cells.insert(to, cells.pop(index))
    return text[: edges[0]] + "".join(cells) + text[edges[-1] :]


def _move_table(text: str, spans: Sequence[Span], path: Path, index: int, to: int) -> str:
    """Move one of an array of tables, with the tables in it and the comments that touch it; what is between stays.

    So does a comment above the first: it is about them all.
    """
    of_each: dict[int, list[Span]] = {}
    for span in spans:
        if span.path[: len(path)] == path and len(span.path) > len(path):
            of_each.setdefault(int(span.path[len(path)]), []).append(span)
    starts = [span.start for span in spans if span.kind == "table"]
    edges: list[tuple[int, int]] = []
    for number in sorted(of_each):
        end = _line_end(text, max(max(span.end, span.value) for span in of_each[number]))
        below = next((at for at in starts if at >= end), len(text))
        begin = min(span.start for span in of_each[number])
        begin = _above(text, begin) if number else _line_start(text, begin)
        edges.append((begin, _below(text, end, below)))
    pieces = [text[start:end].rstrip("\n") for start, end in edges]
    pieces.insert(to, pieces.pop(index))
    moved, at = "", 0
    for (start, end), piece in zip(edges, pieces, strict=True):
        moved += text[at:start] + piece
        at = start + len(text[start:end].rstrip("\n"))
    return moved + text[at:]


def _above(text: str, start: int) -> int:
    """Return where the comments begin that stand right above a line."""
    start = _line_start(text, start)
    while start and text[_line_start(text, start - 1) : start].lstrip().startswith("#"):
        start = _line_start(text, start - 1)
    return start


def _below(text: str, end: int, stop: int) -> int:
    """Return where the comments below a line end; those right above the header at `stop` are of that."""
    found = end
    while found < stop and text[found : _line_end(text, found)].lstrip().startswith("#"):
        found = _line_end(text, found)
    return end if found >= stop and stop < len(text) else found


def _add(text: str, table: Path, key: str, value: Any) -> str:
    """Write a new key into a table, at its end."""
    spans = spans_of(text)
    line = f"{_key(key)} = {_written(value)}"
    if not table:
        pairs = [span.end for span in spans if span.kind == "pair" and span.holder == ()]
        first = min((span.start for span in spans if span.kind == "table"), default=len(text))
        end = max((end for end in pairs if end <= first), default=None)
        return f"{line}\n{text}" if end is None else _new_line(text, end, line)
    heads = [span for span in spans if span.path == table]
    if heads and heads[0].kind == "table":
        return _new_line(text, heads[0].end, line)
    if heads and text[heads[0].value] == "{":
        return _into_braces(text, heads[0], f"{_key(key)} = {literal(value)}")
    dotted = [span for span in spans if span.kind == "pair" and span.path[: len(table)] == table]
    dotted = [span for span in dotted if len(span.holder) < len(table)]
    if dotted:
        rest = [str(part) for part in table[len(dotted[-1].holder) :]]
        whole = ".".join(map(_key, [*rest, key]))
        braces = _list_of(spans, dotted[-1])
        if braces is not None:
            return _into_braces(text, braces, f"{whole} = {literal(value)}")
        return _new_line(text, dotted[-1].end, f"{whole} = {_written(value)}")
    above = [span for span in spans if span.path == table[:-1]]
    if any(isinstance(part, int) for part in table) or (above and above[0].kind != "table"):
        return _add(text, table[:-1], str(table[-1]), {key: value})
    return f"{_ended(text)}\n[{'.'.join(_key(str(part)) for part in table)}]\n{line}\n"


def _list_of(spans: Sequence[Span], span: Span) -> Span | None:
    """Return the array or inline table that a span stands in; None below a header."""
    return next((one for one in spans if one.path == span.holder and one.kind != "table"), None)


def _new_line(text: str, after: int, line: str) -> str:
    """Write a line below the one that holds `after`."""
    end = _line_end(text, after)
    before = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
    return f"{before}{line}\n{text[end:]}"


def _into_braces(text: str, table: Span, pair: str) -> str:
    inside = text[table.value + 1 : table.end - 1]
    if not inside.strip():
        return f"{text[: table.value]}{{ {pair} }}{text[table.end :]}"
    kept = inside.rstrip()
    space = inside[len(kept) :] or ("" if inside[:1].strip() else " ")
    at = table.value + 1 + len(kept)
    return f"{text[:at]}, {pair}{space}{text[table.end - 1 :]}"


def _insert_item(text: str, array: Span, items: Sequence[Span], index: int, value: Any) -> str:
    if not items:
        if not isinstance(value, dict):
            return f"{text[: array.value]}[{literal(value)}]{text[array.end :]}"
        inside = text[array.value + 1 : array.end - 1].strip("\n")
        comments = f"{inside.rstrip()}\n" if inside.strip() else ""
        return f"{text[: array.value]}[\n{comments}{_INDENT}{literal(value)},\n]{text[array.end :]}"
    index = min(index, len(items))
    beside = items[max(0, index - 1)]
    if not all(_has_line(text, item) for item in items):
        if index == 0:
            return f"{text[: beside.start]}{literal(value)}, {text[beside.start :]}"
        return f"{text[: beside.end]}, {literal(value)}{text[beside.end :]}"
    indent = text[_line_start(text, beside.start) : beside.start]
    if index == 0:
        at = _line_start(text, beside.start)
        return f"{text[:at]}{indent}{literal(value)},\n{text[at:]}"
    comma = "," if beside.comma == beside.end else ""
    text = text[: beside.end] + comma + text[beside.end :]
    at = _line_end(text, beside.end)
    return f"{text[:at]}{indent}{literal(value)},\n{text[at:]}"


def _insert_table(text: str, spans: Sequence[Span], path: Path, index: int, row: Mapping[str, Any]) -> str:
    lines = [f"[[{_key(str(path[0]))}]]", *(f"{_key(key)} = {_written(value)}" for key, value in row.items())]
    block = "\n".join(lines) + "\n"
    tables = [span for span in spans if span.kind == "table" and span.path[:1] == path]
    before = [span for span in tables if int(span.path[1]) < index]
    if before:
        at = _line_end(text, before[-1].end)
        return f"{_ended(text[:at])}\n{block}{text[at:]}"
    if tables:
        at = _line_start(text, tables[0].start)
        return f"{text[:at]}{block}\n{text[at:]}"
    return f"{_ended(text)}\n{block}"


def _without(text: str, span: Span) -> str:
    """Take one span away, with the line or lines that are its own."""
    if span.kind == "table" or _list_of(spans_of(text), span) is None:
        start, end = _line_start(text, span.start), _line_end(text, max(span.end, span.value))
        if text[:start].endswith("\n\n") and (text[end : end + 1] in ("\n", "")):
            start -= 1
        return text[:start] + text[end:]
    if _has_line(text, span):
        return text[: _line_start(text, span.start)] + text[_line_end(text, span.end) :]
    if span.comma > span.end:
        follows = re.compile(r"[ \t]*").match(text, span.comma)
        return text[: span.start] + text[follows.end() if follows else span.comma :]
    before = text[: span.start].rstrip()
    return (before[:-1] if before.endswith(",") else text[: span.start]) + text[span.end :]


def _has_line(text: str, span: Span) -> bool:
    """Tell whether a listed span shares its line, or lines, with nothing but its comma and a comment."""
    around = text[_line_start(text, span.start) : span.start] + text[span.end : span.comma - 1]
    return not around.strip(" \t") and _REST_OF_LINE.match(text, span.end) is not None


def _items(spans: Sequence[Span], path: Path) -> list[Span]:
    return [span for span in spans if span.kind == "item" and span.holder == path]


def _written(value: Any) -> str:
    """Write a value; a rack gets a line for each of its effects."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(row, dict) for row in value):
        return "[\n" + "".join(f"{_INDENT}{literal(row)},\n" for row in value) + "]"
    return literal(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else toml_value(name)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Return where the line after the one that holds `at` begins."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
