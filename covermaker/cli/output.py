"""How the command line writes: tables for people, JSON for programs; stdout is data, stderr is words."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.texts import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

_SURROGATES = re.compile("[\ud800-\udfff]")

_GAP = "  "
_LEAST_ROOM = 20  # characters; a narrower last column reads worse than a line that runs over
_COMFORTABLE_ROOM = 30

_PLAIN = "covermaker.plain"


def _take_plain(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[_PLAIN] = True  # shared by a command and the groups that it is in


plain_option = click.Option(
    ["--plain"],
    is_flag=True,
    expose_value=False,
    callback=_take_plain,
    help="No bars and no wrapped columns: a line a change, for a screen reader.",
)


def is_plain() -> bool:
    """Tell whether the person asked for plain lines."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(_PLAIN))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def show(value: Any, as_json: bool, text: str) -> None:
    """Print `value` as JSON, or `text`."""
    click.echo(printable(json.dumps(value, indent=1, ensure_ascii=False) if as_json else text))


def printable(text: str) -> str:
    """Put U+FFFD for what a file name or an argument held that was not UTF-8."""
    return _SURROGATES.sub("\ufffd", text)


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = (), width: int | None = None) -> str:
    """Align rows in columns; the last column is not padded, and wraps where a line is longer than `width`.

    `width` is in characters; by default a terminal's own, and without end where no terminal reads it.
    """
    lines = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    if not lines:
        return ""
    widths, before = _widths(lines)
    room = (width or _terminal_width()) - before
    if room < widths[-1] and room >= _LEAST_ROOM:
        lines = [row for line in lines for row in _wrapped(line, len(widths), room)]
        widths[-1] = room
    text = [
        _GAP.join(
            cell + " " * (width - cells(cell)) for cell, width in zip(line, widths, strict=False)
        ).rstrip()
        for line in lines
    ]
    if header:
        text.insert(1, _GAP.join("-" * width for width in widths[: len(header)]))
    return "\n".join(text)


def fits(rows: Sequence[Sequence[str]], header: Sequence[str]) -> bool:
    """Tell whether the terminal has room for all columns of a table but the last, and some for that one."""
    widths, before = _widths([header, *rows])
    return before + min(widths[-1], _COMFORTABLE_ROOM) <= _terminal_width()


def terminal_width() -> int | None:
    """Return the width of the terminal that reads stdout; None where none does, or plain lines are asked for."""
    width = _terminal_width()
    return None if width == sys.maxsize else width


def _widths(lines: Sequence[Sequence[str]]) -> tuple[list[int], int]:
    """Return the widths of the columns, and where the last one begins."""
    widths = [max(cells(line[i]) for line in lines if i < len(line)) for i in range(max(map(len, lines)))]
    return widths, sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)


def _terminal_width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() and not is_plain() else sys.maxsize


def _wrapped(line: list[str], columns: int, room: int) -> list[list[str]]:
    """Cut a row's last cell into rows of its own."""
    if len(line) < columns or len(line[-1]) <= room:
        return [line]
    first, *more = textwrap.wrap(line[-1], room, break_on_hyphens=False)
    return [[*line[:-1], first], *([*[""] * (columns - 1), rest] for rest in more)]


def near(file: str) -> str:
    """Write a path as seen from the working folder, when it is inside."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file


def words(text: str) -> None:
    """Say something to the person, on stderr."""
    click.echo(text, err=True)
