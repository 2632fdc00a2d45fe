"""Texts of somebody else (titles, file names) where there is one line for them."""

from __future__ import annotations

import unicodedata

_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def one_line(text: str) -> str:
    """Return a text of somebody else (a title, a file name) as one line that a terminal can show.

    Control characters, line breaks and halves of surrogate pairs become U+FFFD; so do marks that turn the direction
    of writing, which would turn the rest of the row, too.
    """
    return "".join("\ufffd" if unicodedata.category(char) in _UNSHOWN else char for char in text)


def writable(text: str) -> str:
    """Return a text that every file can hold: with a question mark for a half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8")


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for a letter of Chinese, none for an accent by itself."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, room: int, more: str = "…") -> str:
    """Return a text in no more than so many cells of a terminal; `more` tells that there is more of it."""
    if cells(text) <= room:
        return text
    from rich.cells import set_cell_size

    return set_cell_size(text, room - 1) + more if room > 0 else ""
