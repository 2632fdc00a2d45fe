"""The report of a batch as one HTML file: a row a song, with a player, its figures, and where the time went.

It is whole without JavaScript; a few lines of it sort, filter and let one player sound at a time.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from covermaker.batch.words import summary_words
from covermaker.evaluate.html import definitions, document, escaped
from covermaker.evaluate.table import FIGURES, figure_text
from covermaker.units import clock, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.batch.options import Options
    from covermaker.batch.report_row import Row, Took

_HERE: Final = Path(__file__).parent

_COLUMNS: Final = (
    ("#", ""),
    ("song", "with the original artist and the voice that sings"),
    ("state", ""),
    ("listen", ""),
    ("length", ""),
    ("LUFS", "integrated loudness of the master; what missed its target is marked"),
    ("dBTP", "true peak of the master"),
    ("similarity", FIGURES["similarity"].meaning + "; below it what the source scores"),
    ("pitch", FIGURES["f0_correlation"].meaning + "; below it the error in the middle, in cents"),
    ("words", FIGURES["words_read"].meaning),
    ("clicks", "clicks in the converted vocal that the source has not"),
    ("time", "that all tries took together; the bar is divided by steps, and its length compares songs"),
)
_SIGNS: Final = {
    "done": "✓",
    "was done": "=",
    "failed": "✗",
    "cancelled": "-",
    "running": "►",
    "waiting": "·",
}

# Neighbours in a bar differ in hue and in lightness; white and black ground both bear them.
_COLOURS: Final[Mapping[str, str]] = {
    "decode": "#8a93a0", "separate": "#3566b8", "content": "#6fb1e8", "pitch": "#6d54a8", "loudness": "#b49ad8",
    "convert": "#d1562c", "level": "#f0b08a", "rack": "#b8860b", "mix": "#a9b84a", "master": "#2f8463",
    "export": "#63c2ae", "score": "#9c4470",
}  # fmt: skip
_OTHER: Final = "other"
_PAINTS: Final = {**{kind: f"s{number}" for number, kind in enumerate(_COLOURS)}, _OTHER: "s"}
_LEAST_SHARE: Final = 0.005  # of a bar; less is no pixel wide


@dataclass(frozen=True)
class Batch:
    """What the head of the page tells.

    Parameters
    ----------
    began, ended : float or None
        In seconds since the epoch.
    links : tuple of str
        Files beside the page.
    album_lufs : float or None
        How loud an album's masters are together.
    """

    title: str
    state: str
    options: Options
    began: float | None = None
    ended: float | None = None
    links: tuple[str, ...] = ()
    album_lufs: float | None = None


def page(batch: Batch, rows: Sequence[Row]) -> str:
    """Return the whole document."""
    longest = max((sum(took.seconds for took in row.steps) for row in rows), default=0.0)
    heads = "".join(
        f'<th scope="col"{f" title={chr(34)}{escaped(words)}{chr(34)}" if words else ""}>{head}</th>'
        for head, words in _COLUMNS
    )
    body = "\n".join(_row(row, longest) for row in rows)
    terms = [(head, words) for head, words in _COLUMNS if words]
    links = " · ".join(f'<a href="{quote(name)}">{escaped(name)}</a>' for name in batch.links)
    return document(
        batch.title,
        f"{_summary(batch, rows)}{_legend(rows)}\n"
        f'<table id="songs"><thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table>\n'
        f"{definitions(terms)}{f'<p>Beside this page: {links}</p>' if links else ''}",
        style=(_HERE / "report.css").read_text(encoding="utf-8") + _labels() + _paints(),
        script=(_HERE / "report.js").read_text(encoding="utf-8"),
    )


def _labels() -> str:
    """Return what names a figure where a row is a card, and no head stands above it."""
    named = "".join(
        f'.done td:nth-child({number})::before{{content:"{head}"}}'
        for number, (head, _) in enumerate(_COLUMNS, start=1)
        if number > 4
    )
    return f"@media(max-width:62em){{{named}}}\n"


def _paints() -> str:
    return "".join(f".{_PAINTS[kind]}{{background:{colour}}}" for kind, colour in _COLOURS.items())


# The head of the page


def _summary(batch: Batch, rows: Sequence[Row]) -> str:
    counts = Counter(row.state for row in rows)
    was_done = sum(row.was_done for row in rows if row.state == "done")
    parts = [
        (state, counts[state])
        for state in ("done", "failed", "cancelled", "running", "waiting")
        if counts[state]
    ]
    bar = "".join(
        f'<i class="{state}" style="flex:{count}" title="{count} {state}"></i>' for state, count in parts
    )
    facts = [
        ("when", _when(batch)),
        ("length", f"{clock(sum(row.seconds or 0.0 for row in rows))} of covers"),
        ("time", _time(batch, rows)),
        ("engine", " at ".join(filter(None, (batch.options.engine, batch.options.address)))),
        ("loudness", _target(batch.options, rows)),
        ("album", _album(batch)),
    ]
    return (
        f'<p class="sum">{escaped(summary_words(counts, was_done=was_done))}</p>'
        f'<div class="bar all" aria-hidden="true">{bar}</div>{definitions(facts)}'
    )


_STANDING: Final = {"paused": "paused", "stopped": "stopped before its end", "stopping": "it stops"}


def _album(batch: Batch) -> str:
    if not batch.options.album:
        return "no: every song by itself"
    return "yes: one gain for all" + (
        f", {batch.album_lufs:.1f} LUFS all together" if batch.album_lufs is not None else ""
    )


def _when(batch: Batch) -> str:
    if batch.began is None:
        return "not begun"
    began = datetime.fromtimestamp(batch.began).astimezone()
    if batch.ended is None or batch.state != "over":
        return f"{began:%Y-%m-%d %H:%M}, {_STANDING.get(batch.state, 'not over yet')}"
    ended = datetime.fromtimestamp(batch.ended).astimezone()
    return f"{began:%Y-%m-%d %H:%M} to {ended:%H:%M}" if ended.date() == began.date() else (
        f"{began:%Y-%m-%d %H:%M} to {ended:%Y-%m-%d %H:%M}"
    )  # fmt: skip


def _time(batch: Batch, rows: Sequence[Row]) -> str:
    spent = f"{clock(sum(row.spent_seconds for row in rows))} of all songs together"
    if batch.began is None or batch.ended is None or batch.state != "over":
        return spent
    return f"{clock(batch.ended - batch.began)} from begin to end, {spent}"


def _target(options: Options, rows: Sequence[Row]) -> str:
    if options.album:
        return f"{options.album_lufs:g} LUFS all together"
    known = sorted({round(row.target_lufs, 1) for row in rows if row.target_lufs is not None})
    if known:
        return (
            f"{known[0]:g} LUFS" if len(known) == 1 else f"{known[0]:g} to {known[-1]:g} LUFS, as each asks"
        )
    wish = options.wanted({})
    if "loudness_lufs" in wish:
        return f"{float(wish['loudness_lufs']):g} LUFS"
    return f"as the master '{wish['master']}' says" if "master" in wish else "as each project says"


def _legend(rows: Sequence[Row]) -> str:
    spent = _by_kind([took for row in rows for took in row.steps])
    items = "".join(f'<li><i class="{_PAINTS[kind]}"></i>{kind} {clock(spent[kind])}</li>' for kind in spent)
    return f'<ul class="legend">{items}</ul>' if items else ""


# A song


def _row(row: Row, longest: float) -> str:
    word = "was done" if row.was_done and row.state == "done" else row.state
    tries = _small(f"{row.tries} tries") if row.tries > 1 else ""
    cells = [
        f"<td>{row.number}</td>",
        f"<td>{_song(row)}</td>",
        f"<td>{_SIGNS[word]} {'was done already' if word == 'was done' else word}{tries}</td>",
        *(_figures(row) if row.state == "done" else [f'<td colspan="8">{_why(row)}</td>']),
        _times(row, longest),
    ]
    return f'<tr class="{row.state}">{"".join(cells)}</tr>'


def _song(row: Row) -> str:
    # Of a very long title three lines are shown, and all of it where the mouse rests.
    whole = f' title="{escaped(row.title)}"' if len(row.title) > 90 else ""
    names = (row.artist, row.voice, row.preset)
    who = " · ".join([*(f"<bdi>{escaped(name)}</bdi>" for name in names if name), *_transposed(row)])
    odd = f'<small class="odd">{escaped(row.unheard)}</small>' if row.unheard else ""
    return f"<b{whole}><bdi>{escaped(row.title)}</bdi></b>{f'<small>{who}</small>' if who else ''}{odd}"


def _transposed(row: Row) -> list[str]:
    if row.semitones is None:
        return []
    why = f' title="{escaped(row.why)}"' if row.why else ""
    return [f"<span{why}>{row.semitones:+d} semitones</span>"]


def _figures(row: Row) -> list[str]:
    values = asdict(row)
    missed = '<em title="the target was missed">missed</em>' if row.reached is False else ""
    player = f'<audio controls preload="none" src="{_address(row.cover)}"></audio>'
    cents = "" if row.f0_median_cents is None else _small(f"{figure_text(values, 'f0_median_cents')} cents")
    source = "" if row.source_similarity is None else _small(figure_text(values, "source_similarity"))
    return [
        f"<td>{player if row.cover else 'its file is gone'}</td>",
        f"<td>{'-' if row.seconds is None else clock(row.seconds)}</td>",
        f"<td>{_level(row.loudness_lufs)}{missed}</td>",
        f"<td>{_level(row.true_peak_dbtp)}</td>",
        f"<td>{figure_text(values, 'similarity')}{source}</td>",
        f"<td>{figure_text(values, 'f0_correlation')}{cents}</td>",
        f"<td>{figure_text(values, 'words_read')}</td>",
        f"<td>{'-' if row.new_clicks is None else row.new_clicks}</td>",
    ]


def _why(row: Row) -> str:
    """Return what there is to say of a song without a cover."""
    if row.state == "running":
        return escaped(
            f"{row.step} {share(row.fraction)}" + (f" at {row.running_at}" if row.running_at else "")
        )
    if not row.cause:
        return ""
    at = f"at {row.step}: " if row.step and row.state == "failed" else ""
    lines = [f"{escaped(at + row.cause)}"]
    lines += [_small(f"next: {row.hint}")] if row.hint else []
    lines += [f'<small>log: <a href="{_address(row.log)}">{escaped(row.log)}</a></small>'] if row.log else []
    lines += [_small(f"asked for in {row.origin}: {row.place}")] if row.origin else []
    return "".join(lines)


def _times(row: Row, longest: float) -> str:
    """Return the total, a bar of what the steps took, and how many were kept; of a song that was done, in the past."""
    spent = _by_kind(row.steps)
    whole = sum(spent.values())
    parts = "".join(
        f'<i class="{_PAINTS[kind]}" style="flex:{1000.0 * seconds / whole:.0f}"></i>'
        for kind, seconds in spent.items()
        if seconds > _LEAST_SHARE * whole
    )
    bar = (
        f'<span class="bar" style="width:{max(100.0 * whole / longest, 2.0):.0f}%">{parts}</span>'
        if parts
        else ""
    )
    kept = len(row.steps) if row.was_done else sum(took.kept for took in row.steps)
    told = _small(f"{kept} of {len(row.steps)} steps kept") if kept else ""
    title = f' title="{escaped(_said(row.steps))}"' if row.steps else ""
    past = ' class="past"' if row.was_done else ""
    total = clock(row.spent_seconds) if row.steps or row.spent_seconds else ""
    return f"<td{past}{title}>{total}{bar}{told}</td>"


def _said(steps: Sequence[Took]) -> str:
    made = [f"{took.name} {took.seconds:.1f} s" for took in steps if took.seconds > 0.0]
    kept = [took.name for took in steps if took.kept]
    return ", ".join(made) + ("; " if made and kept else "") + (f"kept: {', '.join(kept)}" if kept else "")


def _by_kind(steps: Sequence[Took]) -> dict[str, float]:
    """Return the seconds of steps by their kind, in the order of the colours."""
    spent = dict.fromkeys(_PAINTS, 0.0)
    for took in steps:
        kind = took.name.partition(":")[0].partition(" (")[0]
        spent[kind if kind in spent else _OTHER] += took.seconds
    return {kind: seconds for kind, seconds in spent.items() if seconds > 0.0}


def _level(db: float | None) -> str:
    return "silence" if db is None else f"{db:.1f}"


def _small(text: str) -> str:
    return f"<small>{escaped(text)}</small>"


def _address(place: str) -> str:
    """Return a relative path as an address."""
    return quote(os.fsencode(place))
