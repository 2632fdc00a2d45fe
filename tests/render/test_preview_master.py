"""A stretch is heard mastered as it will be in the whole song, its limiter included."""

from pathlib import Path

import numpy as np
import pytest

from covermaker.audio.buffer import Audio
from covermaker.audio.files import read
from covermaker.audio.loudness import measure
from covermaker.graph.store import Store
from covermaker.project.document import Master
from covermaker.project.load import load
from covermaker.render.preview import Previewer
from covermaker.render.preview_master import mastered
from covermaker.render.previewing import MASTERED, Wish
from covermaker.render.sounds import find_sounds


@pytest.fixture
def hears(copy_of):
    previewer = Previewer(copy_of.project, Store(copy_of.store))

    def heard(changes=None):
        made = previewer.make(Wish(1, 0.5, 2.0, MASTERED, changes or {}))
        return read(Path(made.file)), made

    return heard


def crest_db(sound):
    return 20 * np.log10(np.abs(sound).max() / np.sqrt(np.mean(sound**2)))


def test_a_stretch_is_as_the_master_has_it(copy_of, hears):
    found, made = hears()
    file = find_sounds(load(copy_of.project), Store(copy_of.store)).master
    begin = round(made.start_seconds * found.sample_rate)
    master = read(file, start=begin, frames=found.samples.shape[1]).samples
    gain = float((found.samples * master).sum() / (found.samples**2).sum())
    # The stretch's part in the song's loudness is that of the song itself
    assert abs(20 * np.log10(gain)) < 1.5
    apart = np.sqrt(np.mean((found.samples * gain - master) ** 2))
    assert apart < 0.03 * np.sqrt(np.mean(master**2))  # the limiter sees less of what was before


def test_a_loud_master_is_heard_limited(hears):
    usual, _ = hears({"master.loudness_lufs": -14.0})
    loud, made = hears({"master.loudness_lufs": -7.0, "master.true_peak_dbtp": -2.0})
    assert crest_db(loud.samples) < crest_db(usual.samples) - 2.0
    level = measure(Audio(loud.samples, loud.sample_rate))
    assert level.true_peak_dbtp <= -2.0
    assert made.out_lufs == pytest.approx(level.integrated_lufs, abs=0.01)


@pytest.mark.parametrize(
    ("target", "louder_db", "lufs"), [(-14.0, 3.0, -11.0), (-6.0, 30.0, -5.0), (-39.0, -9.0, -40.0)]
)
def test_the_stretch_is_as_much_louder_as_it_is_in_its_song(target, louder_db, lufs):
    tone = (0.02 * np.sin(2 * np.pi * 997 * np.arange(88200) / 44100)).astype(np.float32)
    made = mastered(np.stack([tone, tone]), 44100, Master(loudness_lufs=target), louder_db=louder_db)
    assert made.shape == (2, len(tone))
    assert measure(Audio(made, 44100)).integrated_lufs == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(("target", "louder_db"), [("off", 5.0), (-14.0, None)])
def test_without_a_loudness_the_level_is_left(target, louder_db):
    noise = 0.02 * np.random.default_rng(4).standard_normal((2, 44100)).astype(np.float32)
    made = mastered(noise, 44100, Master(loudness_lufs=target), louder_db=louder_db)
    assert np.array_equal(made, noise)
