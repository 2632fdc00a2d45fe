"""The report of an evaluation as one HTML file: tables, spectrograms, pitch, histograms and loudness.

Every text that comes from outside is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import probe
from covermaker.evaluate.html import definitions, document, escaped
from covermaker.evaluate.pictures import curves, histogram, picture, spectrogram
from covermaker.features.loudness import frame_loudness_db
from covermaker.units import note_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TOP_HZ = 16_000.0
LEAP_SEMITONES = 2.0  # from one hundredth of a second to the next: another note, or a mistake, no slide
MOST_CENTS = 100.0

# Pictures are drawn on white.
_STYLE = """
img,svg{max-width:100%;height:auto;display:block;border:1px solid var(--line);background:#fff}
p.words{white-space:normal;color:var(--quiet)}
"""


@dataclass(frozen=True)
class Table:
    """A table of texts under a heading."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    terms: Sequence[tuple[str, str]] = ()  # what its heads mean


@dataclass(frozen=True)
class PairView:
    """One source and what became of it, for the pictures.

    Parameters
    ----------
    name : str
        Heading.
    source, converted : Path
        The vocals.
    source_f0_hz, converted_f0_hz : float array (frames,)
        Their pitch on the feature clock, 0 = unvoiced.
    semitones : float
        The wanted transposition; the source's pitch is drawn with it.
    notes : sequence of str
        Lines of text below the heading.
    """

    name: str
    source: Path
    converted: Path
    source_f0_hz: NDArray[np.floating[Any]]
    converted_f0_hz: NDArray[np.floating[Any]]
    semitones: float = 0.0
    notes: Sequence[str] = field(default_factory=tuple)


def page(title: str, tables: Sequence[Table], pairs: Sequence[PairView]) -> str:
    """Return the whole document."""
    parts = [_table(table) for table in tables] + [_pair(pair) for pair in pairs]
    return document(title, "\n".join(parts), style=_STYLE)


def _table(table: Table) -> str:
    head = "".join(f"<th>{escaped(cell)}</th>" for cell in table.header)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>\n" for row in table.rows
    )
    body = f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
    return f"<h2>{escaped(table.title)}</h2>\n{body}{definitions(table.terms)}"


def _pair(pair: PairView) -> str:
    seconds = max(probe(pair.source).seconds, 1e-3)
    shifted = np.asarray(pair.source_f0_hz, np.float64) * 2.0 ** (pair.semitones / 12.0)
    source = "source" if not pair.semitones else f"source {pair.semitones:+g} semitones"
    pitches = [(source, _midi(shifted)), ("converted", _midi(np.asarray(pair.converted_f0_hz, np.float64)))]
    levels = [("source", _level(pair.source)), ("converted", _level(pair.converted))]
    shapes = [f"<h2>{escaped(pair.name)}</h2>"]
    shapes += [f'<p class="words">{escaped(line)}</p>' for line in pair.notes]
    # One axis for both, as far up as both reach.
    top_hz = min(TOP_HZ, *(probe(path).sample_rate / 2 for path in (pair.source, pair.converted)))
    for words, path in (("source", pair.source), ("converted vocal", pair.converted)):
        axis = f"Spectrogram of the {words}, 60 Hz to {top_hz / 1000:g} kHz"
        painted = picture(spectrogram(path, top_hz=top_hz), axis, seconds=seconds, top_hz=top_hz)
        shapes += [f"<h3>{axis}</h3>", painted]
    known = np.concatenate([values[np.isfinite(values)] for _, values in pitches])
    if len(known):
        low, high = np.floor(np.percentile(known, 0.5)) - 2, np.ceil(np.percentile(known, 99.5)) + 2
        every = 12 if high - low > 36 else 3 if high - low > 12 else 2
        notes = np.arange(np.ceil((low + 0.5) / every) * every, high - 0.5, every)
        ticks = [(float(note), note_name(440.0 * 2.0 ** ((note - 69.0) / 12.0))) for note in notes]
        shapes += [
            "<h3>Pitch</h3>",
            curves(
                pitches,
                seconds=seconds,
                low=float(low),
                high=float(high),
                ticks=ticks,
                words="Pitch over time",
                leap=LEAP_SEMITONES,
            ),
            "<h3>Error of the pitch</h3>",
            curves(
                [("converted less source", _error_cents(*(values for _, values in pitches)))],
                seconds=seconds,
                low=-MOST_CENTS,
                high=MOST_CENTS,
                ticks=[(cents, f"{cents:+g} cents" if cents else "0") for cents in (-50.0, 0.0, 50.0)],
                words="Error of the pitch in cents",
                leap=MOST_CENTS,
            ),
        ]
        edges = np.arange(low, high + 0.5, 0.5)
        bars = [(name, np.histogram(values[np.isfinite(values)], edges)[0]) for name, values in pitches]
        shapes += [
            "<h3>Share of time on each pitch</h3>",
            histogram(bars, edges, ticks=ticks, words="Pitch histogram"),
        ]
    decibels = [(float(level), f"{level} dB") for level in (-60, -40, -20)]
    shapes += [
        "<h3>Loudness</h3>",
        curves(levels, seconds=seconds, low=-80.0, high=0.0, ticks=decibels, words="Loudness over time"),
    ]
    return "\n".join(shapes)


def _midi(f0_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return note numbers, NaN where unvoiced."""
    voiced = f0_hz > 0
    return np.where(voiced, 69.0 + 12.0 * np.log2(np.where(voiced, f0_hz, 440.0) / 440.0), np.nan)


def _error_cents(source: NDArray[np.float64], converted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the difference of two pitch curves, NaN where one is unvoiced."""
    frames = min(len(source), len(converted))
    return 100.0 * (converted[:frames] - source[:frames])


def _level(path: Path) -> NDArray[np.float64]:
    return np.asarray(frame_loudness_db(path), np.float64)
