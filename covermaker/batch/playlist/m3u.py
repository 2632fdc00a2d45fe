"""M3U and M3U8: a path a line, lines that begin with # say more.

Extended M3U has before a path ``#EXTINF:length,Artist - Title``, the length in seconds; ``#EXTART:`` an artist, and
``#PLAYLIST:`` once what the list is called. Other lines with # are remarks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from covermaker.batch.playlist.rows import Called, Row, artist_and_title, one_line, seconds_of
from covermaker.batch.playlist.text import lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.batch.playlist.rows import Found

# The length, attributes as television lists have them (their texts may hold commas), the title.
_INFO = re.compile(r'#EXTINF:\s*([-+.\d]*)(?:[^,"]|"[^"]*")*,(.*)', re.IGNORECASE)


def read(file: Path, origin: str) -> Iterator[Found]:
    """Yield what a list says, line by line; see `rows.Reader`."""
    title = artist = ""
    seconds = None
    for number, line in enumerate(lines(file), 1):
        text = line.strip()
        if not text:
            continue
        if not text.startswith("#"):
            yield Row(text, f"{origin}:{number}", title, artist, seconds)
            title, artist, seconds = "", "", None
        elif match := _INFO.match(text):
            said, title = artist_and_title(match[2])
            artist, seconds = said or artist, seconds_of(match[1])
        else:
            key, _, value = text.partition(":")
            if key.upper() == "#EXTART":
                artist = one_line(value)
            elif key.upper() == "#PLAYLIST" and value.strip():
                yield Called(one_line(value))
