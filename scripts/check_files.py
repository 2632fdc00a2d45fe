"""Refuse files that should not be committed: too large, TOML that does not parse, stray line ends.

    python scripts/check_files.py FILE...

Used by pre-commit. Exits 1 and names each file that fails.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

LARGEST_BYTES = 8_000_000  # the demo song and the demo voice fit, a stray WAV or checkpoint does not
TEXT_SUFFIXES = frozenset({".py", ".toml", ".md", ".txt", ".sh", ".yaml", ".yml", ".cfg"})


def complaints(path: Path) -> list[str]:
    """Say what is wrong with one file; an empty list when nothing is."""
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        return [f"{size / 1e6:.1f} MB, more than {LARGEST_BYTES / 1e6:.0f} MB"]
    if path.suffix not in TEXT_SUFFIXES:
        return []
    content = path.read_bytes()
    found = []
    if b"\r\n" in content:
        found.append("Windows line ends")
    if content and not content.endswith(b"\n"):
        found.append("no line end at the end")
    if any(line.endswith((b" ", b"\t")) for line in content.splitlines()):
        found.append("spaces at a line's end")
    if path.suffix == ".toml":
        try:
            tomllib.loads(content.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            found.append(f"not TOML: {error}")
    return found


def main(names: list[str]) -> int:
    """Check every named file and print what is wrong."""
    failed = False
    for path in map(Path, names):
        for complaint in complaints(path) if path.is_file() else []:
            print(f"{path}: {complaint}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
