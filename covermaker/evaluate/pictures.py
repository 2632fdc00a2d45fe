"""Pictures for reports, drawn with numpy and text alone: PNG for spectrograms, SVG for curves and histograms."""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import probe
from covermaker.audio.mono import mono_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WIDTH, HEIGHT = 860, 200  # of every picture, in CSS pixels
N_FFT = 1024
LOW_HZ = 60.0
RANGE_DB = 80.0
AXIS = 16  # below a spectrogram, for its time
_MARKS_HZ = (100, 200, 500, 1000, 2000, 5000, 10000)
COLOURS = ("#3566b8", "#d1562c")  # of the source and of the converted vocal
_INK = "#555"
# Anchors of a dark-to-light scale whose lightness rises evenly, so a print in grey still reads.
_SCALE = np.array(
    [
        [0, 0, 4],
        [40, 11, 84],
        [101, 21, 110],
        [159, 42, 99],
        [212, 72, 66],
        [245, 125, 21],
        [250, 193, 39],
        [252, 255, 164],
    ]
)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode (rows, columns, 3) as PNG, the standard's section 5: header, one zlib stream, end."""
    rows, columns, _ = pixels.shape
    lines = np.zeros((rows, 1 + 3 * columns), dtype=np.uint8)  # filter type 0 before each line
    lines[:, 1:] = pixels.reshape(rows, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def spectrogram(path: Path, *, top_hz: float, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Paint a file: time to the right, frequency upwards on a logarithmic axis, 80 dB below its loudest point.

    The file is read block by block; a long one is looked at in places, four to a column at most.

    Parameters
    ----------
    path : Path
        Any file; channels are averaged.
    top_hz : float
        Upper end of the axis, at most half the file's rate; the lower end is 60 Hz.

    Returns
    -------
    uint8 array (height, width, 3)
    """
    info = probe(path)
    rate = int(min(info.sample_rate, max(2 * top_hz, 8 * LOW_HZ)))
    total = max(1, info.frames * rate // info.sample_rate)
    hop = max(N_FFT // 4, total // (4 * width))
    window = np.hanning(N_FFT + 1)[:-1]
    hz = np.geomspace(LOW_HZ, min(top_hz, rate / 2), height + 1)
    bins = np.clip(np.round(hz * N_FFT / rate).astype(int), 0, N_FFT // 2)
    power = np.zeros((width, height))
    held, start, centre = np.zeros(N_FFT // 2, np.float32), -(N_FFT // 2), 0

    def look(held: NDArray[np.float32], centres: NDArray[np.int64], start: int) -> None:
        frames = np.stack([held[at - N_FFT // 2 - start :][:N_FFT] for at in centres])
        found = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
        # A row that is narrower than a bin shows that bin; a wider one the loudest of its bins.
        rows = np.maximum.reduceat(np.pad(found, ((0, 0), (0, 1))), bins[:-1], axis=1)
        columns = np.minimum(centres * width // total, width - 1)
        np.maximum.at(power, columns, rows)

    for block in [*mono_blocks(path, rate), np.zeros((1, N_FFT), np.float32)]:
        held = np.concatenate((held, block[0]))
        last = start + len(held) - N_FFT // 2
        centres = np.arange(centre, min(last, total), hop)
        for some in np.array_split(centres, len(centres) // 512 + 1):
            if len(some):
                look(held, some, start)
        centre += hop * len(centres)
        keep = max(0, min(centre - N_FFT // 2 - start, len(held)))
        held, start = held[keep:], start + keep
    if hop * width > total:  # a short file has fewer frames than columns
        power = _spread(power, total, hop)
    level_db = 10.0 * np.log10(np.maximum(power, 1e-20))
    shade = np.clip(1.0 + (level_db - max(level_db.max(), -100.0)) / RANGE_DB, 0.0, 1.0)
    return _coloured(shade.T[::-1])


def picture(pixels: NDArray[np.uint8], words: str, *, seconds: float, top_hz: float) -> str:
    """Return a spectrogram with its bytes inside, under its axes."""
    data = base64.b64encode(png(pixels)).decode("ascii")
    shapes = [
        f'<image width="{WIDTH}" height="{HEIGHT}" preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
    ]
    for hz in _MARKS_HZ:
        if LOW_HZ < hz < top_hz:
            y = HEIGHT * (1.0 - np.log(hz / LOW_HZ) / np.log(top_hz / LOW_HZ))
            label = f"{hz // 1000} kHz" if hz >= 1000 else f"{hz} Hz"
            shapes.append(f'<path stroke="#fff" stroke-opacity="0.35" d="M0 {y:.1f}h6"/>')
            # Dark around the letters: they lie on the picture, be it bright or dark there.
            outline = 'stroke="#000" stroke-width="2.5" paint-order="stroke"'
            shapes.append(f'<text x="9" y="{y + 4:.1f}" fill="#fff" {outline}>{label}</text>')
    return _svg([*shapes, *_time_axis(seconds, AXIS)], [], words, HEIGHT + AXIS)


def curves(
    lines: Sequence[tuple[str, NDArray[np.floating[Any]]]],
    *,
    seconds: float,
    low: float,
    high: float,
    ticks: Sequence[tuple[float, str]],
    words: str,
    leap: float = np.inf,
) -> str:
    """Draw curves over time, each over the whole width; NaN makes a gap, and so does a leap.

    Parameters
    ----------
    lines : sequence of (name, values)
        At most two.
    seconds : float
        Length of the time axis.
    low, high : float
        Of the upright axis.
    ticks : sequence of (value, label)
        On the upright axis.
    words : str
        What the picture shows, for those who cannot see it.
    leap : float
        Two values in a row that are farther apart are not joined.
    """
    shapes = _grid(ticks, low, high) + _time_axis(seconds)
    for number, (_, values) in enumerate(lines):
        shapes.append(
            f'<path fill="none" stroke="{COLOURS[number]}" stroke-width="1.2" d="{_path(values, low, high, leap)}"/>'
        )
    return _svg(shapes, [name for name, _ in lines], words)


def histogram(
    bars: Sequence[tuple[str, NDArray[np.floating[Any]]]],
    edges: NDArray[np.floating[Any]],
    *,
    ticks: Sequence[tuple[float, str]],
    words: str,
) -> str:
    """Draw histograms over each other, each as shares of its own sum; `ticks` are on the level axis."""
    low, high = float(edges[0]), float(edges[-1])
    shares = [counts / max(float(counts.sum()), 1.0) for _, counts in bars]
    top = max((float(share.max(initial=0.0)) for share in shares), default=0.0) or 1.0
    x = (edges - low) * (WIDTH / (high - low))
    per_unit = WIDTH / (high - low)
    shapes = [
        f'<text x="{(value - low) * per_unit:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{escape(label)}</text>'
        for value, label in ticks
    ]
    for number, share in enumerate(shares):
        tall = share / top * (HEIGHT - 30)
        rects = "".join(
            f"M{left:.1f} {HEIGHT - 18}v{-height:.1f}H{right:.1f}V{HEIGHT - 18}z"
            for left, right, height in zip(x[:-1], x[1:], tall, strict=True)
            if height > 0
        )
        shapes.append(f'<path fill="{COLOURS[number]}" fill-opacity="0.5" d="{rects}"/>')
    return _svg(shapes, [name for name, _ in bars], words)


def _svg(shapes: Sequence[str], names: Sequence[str], words: str, height: int = HEIGHT) -> str:
    legend = "".join(
        f'<text x="{WIDTH - 8}" y="{14 + 14 * number}" text-anchor="end" fill="{COLOURS[number]}">{escape(name)}</text>'
        for number, name in enumerate(names)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(words)}" font-family="sans-serif" font-size="11" fill="{_INK}">'
        f"{''.join(shapes)}{legend}</svg>"
    )


def _grid(ticks: Sequence[tuple[float, str]], low: float, high: float) -> list[str]:
    shapes = []
    for value, label in ticks:
        y = _up(value, low, high)
        shapes.append(f'<path stroke="#ddd" d="M0 {y:.1f}H{WIDTH}"/>')
        shapes.append(f'<text x="2" y="{y - 2:.1f}">{escape(label)}</text>')
    return shapes


def _time_axis(seconds: float, below: int = 0) -> list[str]:
    step = next((step for step in (0.5, 1, 2, 5, 10, 30, 60, 300) if seconds / step <= 16), 600)
    marks = np.arange(step, seconds, step)
    return [
        f'<text x="{mark / seconds * WIDTH:.1f}" y="{HEIGHT + below - 3}" text-anchor="middle">{mark:g} s</text>'
        for mark in marks
    ]


def _path(values: NDArray[np.floating[Any]], low: float, high: float, leap: float) -> str:
    # Two points a pixel are enough; the middle one of each group stands for it.
    every = max(1, len(values) // (2 * WIDTH))
    picked = values[every // 2 :: every]
    pen, parts, before = "M", [], np.nan
    for number, value in enumerate(picked):
        if not np.isfinite(value):
            pen = "M"
            continue
        pen = "M" if abs(value - before) > leap else pen
        before = value
        x = (number * every + every // 2) / max(1, len(values) - 1) * WIDTH
        parts.append(f"{pen}{x:.1f} {_up(float(value), low, high):.1f}")
        pen = "L"
    return "".join(parts)


def _up(value: float, low: float, high: float) -> float:
    return HEIGHT - 16 - (min(max(value, low), high) - low) / (high - low) * (HEIGHT - 24)


def _spread(power: NDArray[np.float64], total: int, hop: int) -> NDArray[np.float64]:
    """Fill columns between looks with the look before."""
    width = len(power)
    looks = np.arange(0, total, hop) * width // total
    source = looks[np.clip(np.searchsorted(looks, np.arange(width), side="right") - 1, 0, len(looks) - 1)]
    return power[source]


def _coloured(shade: NDArray[np.float64]) -> NDArray[np.uint8]:
    anchors = np.linspace(0.0, 1.0, len(_SCALE))
    channels = [np.interp(shade, anchors, _SCALE[:, channel]) for channel in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)
