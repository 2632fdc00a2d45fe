"""An HTML document in one file: the look that reports share, and how texts of somebody else get into it.

Nothing is loaded from anywhere. It is light or dark as the reader's system is.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What HTML cannot hold: control characters but tab and line feed, and halves of surrogate pairs.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_STYLE = """
:root{color-scheme:light dark;--ink:#222;--quiet:#666;--line:#ddd;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e4e6e9;--quiet:#9aa0a6;--line:#34383e;--paper:#16181b}}
body{font:15px/1.5 sans-serif;color:var(--ink);background:var(--paper);max-width:66em;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em}h3{font-size:1em;margin:1em 0 .2em}
table{font-size:13px;border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}
th,td{padding:.25em .55em;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
dl{font-size:13px;display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;color:var(--quiet)}dd{margin:0}
"""


def escaped(text: str) -> str:
    """Return a text of somebody else as HTML, for an element or a quoted attribute."""
    return escape(_UNSHOWN.sub("\ufffd", text))


def document(title: str, body: str, *, style: str = "", script: str = "") -> str:
    """Return a whole document.

    Parameters
    ----------
    title : str
        Of the window, and the heading.
    body : str
        HTML, below the heading.
    style, script : str
        CSS beside the common one, and JavaScript that is run when all is there.
    """
    code = f"<script>{script}</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{_STYLE}{style}</style></head>\n<body><h1>{escaped(title)}</h1>\n"
        f"{body}{code}\n</body></html>\n"
    )


def definitions(terms: Iterable[tuple[str, str]]) -> str:
    """Return what terms mean, as a list; nothing for none."""
    rows = "".join(f"<dt>{escaped(term)}</dt><dd>{escaped(words)}</dd>" for term, words in terms)
    return f"<dl>{rows}</dl>" if rows else ""
