"""The mean spectrum: tones where and as loud as they are, noise flat, any length and rate."""

import numpy as np
import pytest

from covermaker.audio.spectrum import HIGHEST_HZ, LOWEST_HZ, SILENCE_DB, band_edges, spectrum_of

RATE = 48_000


def tone(hz, amplitude=1.0, rate=RATE, seconds=1.0):
    times = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hz * times)).astype(np.float32)[np.newaxis]


def power(db):
    return np.sum(10.0 ** (db / 10.0))


@pytest.mark.parametrize("bands_an_octave", [3, 6, 12])
@pytest.mark.parametrize("hz", [100.0, 440.0, 1000.0, 5000.0, 12_000.0])
def test_a_tone_is_in_its_band_at_its_level(hz, bands_an_octave):
    edges = band_edges(RATE, bands_an_octave)
    db = spectrum_of(tone(hz, 0.5), RATE, bands_an_octave)
    loudest = int(np.argmax(db))
    if hz >= 440.0:  # below, the window's main lobe is wider than a band
        assert edges[loudest] <= hz < edges[loudest + 1] or abs(db[loudest] - np.sort(db)[-2]) < 3.5
    assert 10.0 * np.log10(power(db)) == pytest.approx(20.0 * np.log10(0.5), abs=0.3)


def test_far_from_a_tone_there_is_nothing():
    db = spectrum_of(tone(1000.0, 0.5), RATE, 12)
    assert db[band_edges(RATE, 12)[:-1] > 3000].max() < -80


def test_a_full_scale_tone_in_the_middle_of_its_band_reads_0_db():
    edges = band_edges(RATE, 3)
    band = 15  # 1600 to 2016 Hz
    db = spectrum_of(tone(np.sqrt(edges[band] * edges[band + 1])), RATE, 3)
    assert db[band] == pytest.approx(0.0, abs=0.05)


def test_two_tones_are_two_bands():
    edges = band_edges(RATE, 6)
    db = spectrum_of(tone(500.0, 0.5) + tone(4000.0, 0.05), RATE, 6)
    low, high = (int(np.searchsorted(edges, hz, side="right")) - 1 for hz in (500.0, 4000.0))
    near = [10.0 * np.log10(power(db[at - 1 : at + 2])) for at in (low, high)]
    assert near[0] - near[1] == pytest.approx(20.0, abs=0.1)


def test_white_noise_rises_3_db_an_octave():
    noise = np.random.default_rng(1).standard_normal((1, 20 * RATE)).astype(np.float32) * 0.1
    edges, db = band_edges(RATE, 1), spectrum_of(noise, RATE, 1)
    assert np.diff(db)[1:] == pytest.approx([10.0 * np.log10(2.0)] * (len(db) - 2), abs=0.4)
    # Density times width, in the units of a sine: a power of 1/2 is 0 dB.
    expected = 10.0 * np.log10(2.0 * 0.01 * np.diff(edges) / (RATE / 2))
    assert db[2:] == pytest.approx(expected[2:], abs=0.2)


def test_channels_are_heard_as_their_mean():
    left = tone(1000.0, 0.5)
    both = spectrum_of(np.concatenate([left, left]), RATE, 6)
    np.testing.assert_array_equal(both, spectrum_of(left, RATE, 6))
    assert spectrum_of(np.concatenate([left, -left]), RATE, 6).max() == SILENCE_DB


@pytest.mark.parametrize("frames", [0, 1, 4095, 4096, 10_000])
@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_any_length_and_rate_has_a_spectrum(frames, rate):
    edges = band_edges(rate, 6)
    db = spectrum_of(np.zeros((2, frames), np.float32), rate, 6)
    assert len(db) == len(edges) - 1
    assert db.max() == SILENCE_DB


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
@pytest.mark.parametrize("bands_an_octave", [1, 6, 12])
def test_bands_are_parts_of_an_octave_below_half_the_rate(rate, bands_an_octave):
    edges = band_edges(rate, bands_an_octave)
    assert edges[0] == LOWEST_HZ
    assert edges[-1] <= min(HIGHEST_HZ, rate / 2)
    assert edges[-1] * 2.0 ** (1.0 / bands_an_octave) > min(HIGHEST_HZ, 0.499 * rate)
    assert edges[1:] / edges[:-1] == pytest.approx(2.0 ** (1.0 / bands_an_octave))
