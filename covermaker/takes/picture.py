"""The scan as a PNG: a strip a take with its level, its clips, and the notes that are sung."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import write_bytes
from covermaker.features.clock import FRAME_RATE
from covermaker.units import clock, note_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.takes.scan import ScanReport, TakeReport

WIDTH, STRIP_HEIGHT, MARGIN = 1200, 130, 16
LEVEL_WIDTH = 860
MOST_STRIPS = 60  # what no one scrolls through
LOWEST_DB = -90.0
LOW_NOTE, HIGH_NOTE = 33, 91  # A1 to G6, MIDI

_PAPER, _INK, _FAINT = (250, 249, 246), (40, 44, 52), (205, 203, 197)
_VOICE, _CLIP, _CLIP_2, _FLOOR, _WRONG = (
    (52, 101, 164),
    (214, 231, 206),
    (196, 217, 232),
    (190, 120, 40),
    (176, 42, 48),
)


def draw(report: ScanReport, level_curves: Sequence[NDArray[np.float32]], path: Path) -> None:
    """Write the picture, whole or not at all.

    Parameters
    ----------
    report : ScanReport
        What was found.
    level_curves : sequence of float32 arrays (frames,)
        Level of each take in dB on the feature clock.
    path : Path
        The PNG.
    """
    from PIL import Image, ImageDraw, ImageFont

    shown = report.takes[:MOST_STRIPS]
    height = 2 * MARGIN + 26 + STRIP_HEIGHT * len(shown) + (20 if len(shown) < len(report.takes) else 0)
    image = Image.new("RGB", (WIDTH, height), _PAPER)
    pen = ImageDraw.Draw(image)
    fonts = ImageFont.load_default(size=17), ImageFont.load_default(size=12)
    voice = sum(take.voice_seconds for take in report.takes if take.used)
    pen.text(
        (MARGIN, MARGIN), f"{report.name}: {len(report.takes)} takes, {clock(voice)} of voice", _INK, fonts[0]
    )
    for index, take in enumerate(shown):
        _strip(pen, fonts[1], MARGIN + 30 + index * STRIP_HEIGHT, take, level_curves[index])
    if len(shown) < len(report.takes):
        pen.text((MARGIN, height - MARGIN - 14), f"and {len(report.takes) - len(shown)} more", _INK, fonts[1])
    data = io.BytesIO()
    image.save(data, "PNG")
    write_bytes(path, data.getvalue())


def _strip(pen: Any, font: Any, top: int, take: TakeReport, level_db: NDArray[np.float32]) -> None:
    words = f"{take.take}   {clock(take.seconds)}   {take.verdict}" + ("" if take.used else "   (left out)")
    pen.text((MARGIN, top), words, _WRONG if take.findings else _INK, font)
    box = (MARGIN, top + 18, MARGIN + LEVEL_WIDTH, top + STRIP_HEIGHT - 12)
    _levels(pen, font, box, take, level_db)
    _notes(pen, font, (MARGIN + LEVEL_WIDTH + 30, box[1], WIDTH - MARGIN, box[3]), take)


def _levels(
    pen: Any, font: Any, box: tuple[int, int, int, int], take: TakeReport, level_db: NDArray[np.float32]
) -> None:
    left, top, right, bottom = box
    across = (right - left) / max(take.seconds, 1e-9)

    def down(db: float) -> int:
        return round(top + (bottom - top) * min(1.0, max(0.0, db / LOWEST_DB)))

    for number, (start, end) in enumerate(take.cuts):
        colour = _CLIP if number % 2 == 0 else _CLIP_2
        pen.rectangle((left + start * across, top, left + end * across, bottom), fill=colour)
    for db in (-30, -60):
        pen.line((left, down(db), right, down(db)), fill=_FAINT)
        pen.text((right + 3, down(db) - 7), str(db), _FAINT, font)
    for x in range(right - left):
        first, last = (int(place / across * FRAME_RATE) for place in (x, x + 1))
        loudest = float(level_db[first : max(first + 1, last)].max(initial=LOWEST_DB))
        pen.line((left + x, down(loudest), left + x, bottom), fill=_VOICE)
    if take.noise_floor_dbfs is not None:
        pen.line((left, down(take.noise_floor_dbfs), right, down(take.noise_floor_dbfs)), fill=_FLOOR)
    pen.rectangle(box, outline=_FAINT)


def _notes(pen: Any, font: Any, box: tuple[int, int, int, int], take: TakeReport) -> None:
    left, top, right, bottom = box
    pen.rectangle((left, top, right, bottom - 14), outline=_FAINT)
    wide = (right - left) / (HIGH_NOTE - LOW_NOTE + 1)
    most = max((seconds for _, seconds in take.f0_histogram), default=1.0)
    for note, seconds in take.f0_histogram:
        if LOW_NOTE <= note <= HIGH_NOTE:
            x = left + (note - LOW_NOTE) * wide
            pen.rectangle(
                (x, bottom - 14 - (bottom - 14 - top) * seconds / most, x + wide - 1, bottom - 14),
                fill=_VOICE,
            )
    for octave_note in range(36, HIGH_NOTE, 12):
        x = left + (octave_note - LOW_NOTE) * wide
        pen.line((x, bottom - 14, x, bottom - 10), fill=_INK)
        pen.text((x, bottom - 11), note_name(440.0 * 2 ** ((octave_note - 69) / 12)), _INK, font)
