"""CSV and TSV: a header row that names the columns, a song a row."""

from __future__ import annotations

import csv
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from covermaker.batch.entries import COLUMNS, Problem, Remark
from covermaker.batch.playlist.columns import FILE, from_text, row_of
from covermaker.batch.playlist.rows import one_line
from covermaker.batch.playlist.text import lines
from covermaker.errors import ProjectError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from covermaker.batch.playlist.rows import Found

# What a column may also be called; capitals, spaces and hyphens are nothing to go by.
ALIASES: Final = {
    "path": FILE,
    "location": FILE,
    "filename": FILE,
    "loudness": "loudness_lufs",
    "lufs": "loudness_lufs",
}
NAMES: Final = (FILE, *COLUMNS)

_DELIMITERS = {".csv": ",;\t", ".tsv": "\t"}
_SIGNS = {",": "comma", ";": "semicolon", "\t": "tab"}
_LONGEST_RECORD = 50  # lines: what goes on longer is a quotation mark that somebody forgot


def read(file: Path, origin: str) -> Iterator[Found]:
    """Yield what a list says, row by row; see `rows.Reader`."""
    source = _Lines(lines(file))
    header = source.first()
    delimiter = max(_DELIMITERS[file.suffix.lower()], key=lambda sign: _known(_cells(header, sign)))
    cells = _cells(header, delimiter)
    place = f"{origin}:{source.number}"
    if not any(cells):
        return
    meant = [_name(cell) for cell in cells]
    if FILE not in meant:
        close = get_close_matches(FILE, cells, n=1)
        hint = f"call '{close[0]}' file" if close else f"the first row names the columns: {', '.join(NAMES)}"
        raise ProjectError(f"{place}: there is no column 'file'", hint=hint)
    names: list[str] = []
    for name, cell in zip(meant, cells, strict=True):
        if name not in ("", *NAMES):
            yield Remark(place, f"the column '{cell}' is not read", nearest(name, NAMES))
        elif name and name in names:
            yield Remark(place, f"'{name}' has two columns", "take one out, the first is read")
        names.append(name if name in NAMES and name not in names else "")
    yield from _songs(source, names, delimiter, origin)


class _Lines:
    """The lines of a file, of which some can be given back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._back: list[str] = []
        self.number = 0  # of the last one that was given out
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _LONGEST_RECORD:
            raise StopIteration
        line = self._back.pop() if self._back else next(self._source) + "\n"
        self.number += 1
        self.taken.append(line)
        return line

    def first(self) -> str:
        """Return the first line that is not empty; of an empty file nothing."""
        for line in self:
            self.taken.clear()
            if line.strip():
                return line
        return ""

    def keep_first(self) -> None:
        """Give back all of what was taken but the first line."""
        self._back += reversed(self.taken[1:])
        self.number -= len(self.taken) - 1


def _songs(source: _Lines, names: Sequence[str], delimiter: str, origin: str) -> Iterator[Found]:
    records = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.taken.clear()
        try:
            cells = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            source.keep_first()
            yield Problem(
                f"{origin}:{source.number}",
                f"the quotation marks of this row are wrong: {error}",
                'a cell with quotation marks in it is written as "7"" mix"',
                source.taken[0].strip(),
            )
            records = csv.reader(source, delimiter=delimiter, strict=True)
            continue
        place = f"{origin}:{source.number - len(source.taken) + 1}"
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if any(cells[len(names) :]):
            yield Problem(
                place,
                f"this row has {len(cells)} cells, the header {len(names)}",
                f"put a cell that holds a {_SIGNS[delimiter]} into quotation marks",
                cells[0],
            )
            continue
        values = {name: from_text(name, cell) for name, cell in zip(names, cells, strict=False) if name}
        yield row_of(values, place)


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a header; none of one that nobody wrote."""
    try:
        return [one_line(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _known(cells: Iterable[str]) -> int:
    return sum(_name(cell) in NAMES for cell in cells)


def _name(cell: str) -> str:
    name = "_".join(cell.replace("-", " ").casefold().split())
    return ALIASES.get(name, name)
