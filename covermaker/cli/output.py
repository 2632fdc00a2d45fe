"""How the command line writes: tables for people, JSON for programs; stdout is data, stderr is words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

_SURROGATES = re.compile("[\ud800-\udfff]")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def show(value: Any, as_json: bool, text: str) -> None:
    """Print `value` as JSON, or `text`."""
    click.echo(printable(json.dumps(value, indent=1, ensure_ascii=False) if as_json else text))


def printable(text: str) -> str:
    """Put U+FFFD for what a file name or an argument held that was not UTF-8."""
    return _SURROGATES.sub("\ufffd", text)


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = ()) -> str:
    """Align rows in columns; the last column is not padded."""
    lines = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    if not lines:
        return ""
    widths = [max(len(line[i]) for line in lines if i < len(line)) for i in range(max(map(len, lines)))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip()
        for line in lines
    ]
    if header:
        text.insert(1, "  ".join("-" * width for width in widths[: len(header)]))
    return "\n".join(text)


def near(file: str) -> str:
    """Write a path as seen from the working folder, when it is inside."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file


def words(text: str) -> None:
    """Say something to the person, on stderr."""
    click.echo(text, err=True)
