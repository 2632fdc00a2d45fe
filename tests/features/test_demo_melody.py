"""The demo song's low vocal, separated: every method has to find its notes in the octave they are written in."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from covermaker.features.pitch import estimate_pitch
from covermaker.stems.spleeter import SpleeterSeparator

DEMO = Path(__file__).parents[2] / "projects" / "demo"


@pytest.fixture(scope="module")
def vocal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    SpleeterSeparator("cpu").separate(DEMO / "audio" / "song.flac", folder)
    return folder / "vocals.wav"


@pytest.fixture(scope="module")
def notes():
    """Return the first frame, the one behind the last, and the MIDI number of each sung syllable."""
    pytest.importorskip("pyworld")
    sys.path.insert(0, str(DEMO))
    try:
        import make_song
    finally:
        sys.path.remove(str(DEMO))
    found = []
    for line in make_song.LINES:
        starts = [beat for _, beat, _ in line.notes]
        for (_, start, midi), end in zip(line.notes, [*starts[1:], line.end_beat], strict=True):
            first, stop = (round(100 * make_song.BEAT_S * (line.beat + beat)) for beat in (start, end))
            found.append((first, stop, midi))
    return found


def octaves_off(f0_hz, notes):
    """Return by how many octaves each note is read too high; notes that are not read are left out."""
    off = []
    for first, stop, midi in notes:
        read = f0_hz[first:stop]
        if (read > 0).sum() >= 5:
            off.append((69 + 12 * np.log2(np.median(read[read > 0]) / 440) - midi) / 12)
    return np.round(off)


@pytest.mark.parametrize(
    ("method", "least"),
    [("fcpe", 0.95), pytest.param("crepe-tiny", 0.95, marks=pytest.mark.slow), ("pm", 0.97)],
)
def test_the_demo_song_is_read_in_its_octave(method, least, vocal, notes):
    off = octaves_off(estimate_pitch(vocal, method=method), notes)
    assert len(off) > 0.6 * len(notes)
    assert (off == 0).mean() >= least


def test_without_the_repair_the_default_method_would_not(vocal, notes):
    """What the test above is worth."""
    off = octaves_off(estimate_pitch(vocal, repair_octaves=False), notes)
    assert (off == 1).mean() > 0.25
