"""The page about playlists says what is so."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from covermaker.batch.entries import COLUMNS
from covermaker.batch.playlist import read
from covermaker.batch.playlist.gathering import READERS
from covermaker.batch.playlist.table import ALIASES

PAGE = Path(__file__).parents[3] / "docs" / "playlists.md"


def blocks():
    found = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def test_columns_and_formats_are_all_there():
    text = PAGE.read_text(encoding="utf-8")
    columns = text.partition("## Columns")[2].partition("In CSV:")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", columns, re.MULTILINE)
    assert [name for name, _ in rows] == ["file", *COLUMNS]
    for alias, name in ALIASES.items():
        assert f"`{alias}`" in dict(rows)[name]
    for suffix in READERS:
        assert re.search(rf"^\| .*\b{suffix[1:].upper()}\b.* \|", text, re.MULTILINE), suffix


def test_the_examples_say_the_same(shelf, put):
    table, document, _ = blocks()
    for name in ("blue harbor.flac", "rain, again.mp3"):
        put(f"songs/{name}", b"")
    of_table = read(put("friday.csv", table))
    of_document = read(put("friday.toml", document))
    assert of_document.title == "Friday"
    assert of_table.problems == of_document.problems == ()
    said = [[(one.place, one.title, one.wishes) for one in got.entries] for got in (of_table, of_document)]
    assert said[0] == said[1]
    assert len(said[0]) == 2


def test_the_problems_are_told_like_that(put):
    *_, told = blocks()
    put("blue harbor.flac", b"")
    (missing,) = read(put("friday.m3u8", "\n" * 6 + "blue habor.flac")).problems
    (wrong,) = read(put("friday.csv", "file,transpose\n\nblue harbor.flac,abc\n")).problems
    lines = [re.split(r"\s+", line, maxsplit=1) for line in told.splitlines()]
    assert lines[0] == [
        missing.origin,
        re.sub(r"file .*/blue", "file /music/blue", f"{missing.message} ({missing.hint})"),
    ]
    assert lines[1] == [wrong.origin, wrong.message]
