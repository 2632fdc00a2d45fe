"""Where everything in a TOML text stands: the line of each table, key and item, which `tomllib` does not tell."""

from __future__ import annotations

from covermaker.documents.complaint import dotted
from covermaker.documents.spans import spans_of


def lines_of(text: str) -> dict[str, int]:
    """Return the line, from 1 up, of each table, key and item of a text that is known to be TOML, by its path.

    A dotted key has a line for each of its parts.
    """
    found: dict[str, int] = {}
    line, counted = 1, 0
    for span in spans_of(text):  # in their order: each newline is counted once
        line += text.count("\n", counted, span.start)
        counted = span.start
        shortest = len(span.path) if span.kind == "table" else len(span.holder) + 1
        for size in range(shortest, len(span.path) + 1):
            found.setdefault(dotted(span.path[:size]), line)
    return found
