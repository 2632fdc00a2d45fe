"""File names made of song titles."""

from __future__ import annotations

import re
import unicodedata

# 255 bytes is what file systems allow; the rest is room for labels, suffixes and other tools' additions.
_LONGEST_BYTES = 180
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(title: str) -> str:
    """Return a title as a file name without suffix: any script stays, no separators, no leading dots.

    Never empty, at most 180 bytes of UTF-8, and legal on Windows and macOS too.
    """
    text = unicodedata.normalize("NFC", title)
    text = "".join(" " if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} else char for char in text)
    text = " ".join(_FORBIDDEN.sub("-", text).split())
    text = text.encode("utf-8")[:_LONGEST_BYTES].decode("utf-8", "ignore").strip(" .")
    if _WINDOWS_DEVICES.fullmatch(text):
        text = f"_{text}"
    return text or "untitled"
