"""Clipping, inverted channels and the band, against signals that were made to have them."""

import numpy as np
import pytest
import soxr

from covermaker.errors import AudioInputError
from covermaker.takes.band import average, band_limit_hz, rate_that_fits
from covermaker.takes.signal import read_facts, to_mono

RNG = np.random.default_rng(3)


def facts(samples, *, block=1000):
    samples = np.atleast_2d(np.asarray(samples, np.float32))
    return read_facts("x.wav", (samples[:, at : at + block] for at in range(0, samples.shape[1], block)))


def test_flat_tops_are_counted():
    samples = np.zeros(5000)
    samples[100:103] = 1.0
    samples[500:502] = -1.0  # two samples are a loud peak
    samples[700:750] = -1.0
    found = facts(samples)
    assert (found.clipped_runs, found.clipped_samples, found.peak) == (2, 53, 1.0)


@pytest.mark.parametrize("block", [1, 7, 1000, 5000, 9999])
def test_any_cut_into_blocks_counts_the_same(block):
    samples = np.clip(RNG.standard_normal((2, 5000)) * 0.2 + 2 * np.sin(np.arange(5000) / 40), -1, 1)
    samples[:, -5:] = 1.0
    one, other = facts(samples, block=block), facts(samples, block=5000)
    assert one.clipped_runs > 10
    assert (one.frames, one.peak, one.clipped_runs, one.clipped_samples) == (
        *(other.frames, other.peak, other.clipped_runs, other.clipped_samples),
    )
    assert one.correlation == pytest.approx(other.correlation)


def test_a_loud_but_whole_sine_is_not_clipped():
    assert facts(np.sin(np.arange(48000) * 0.03) * 0.9999).clipped_runs == 0


def test_inverted_channels_are_told_from_wide_ones():
    left = RNG.standard_normal(20_000) * 0.1
    assert facts([left, -left]).inverted
    assert facts([left, -0.5 * left]).inverted
    assert not facts([left, left]).inverted
    assert not facts([left, RNG.standard_normal(20_000) * 0.1]).inverted
    assert facts([left, 0 * left]).correlation is None
    assert facts(left).correlation is None


def test_inverted_channels_are_turned_round():
    left = RNG.standard_normal(100).astype(np.float32)
    block = np.stack([left, -left])
    assert np.allclose(to_mono(block, inverted=True), left)
    assert np.abs(to_mono(block, inverted=False)).max() == 0.0


def test_not_a_number_is_refused():
    with pytest.raises(AudioInputError, match="NaN"):
        facts([0.0, np.nan])


def band(samples, rate):
    return band_limit_hz(average([samples.astype(np.float32)]), rate)


def coloured(seconds, rate):
    """Return noise that falls 6 dB an octave, as voices do."""
    white = RNG.standard_normal(seconds * rate)
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.maximum(np.arange(1, len(spectrum)), 100 * seconds)
    out = np.fft.irfft(spectrum)
    return 0.1 * out / out.std()


@pytest.mark.parametrize(
    ("low", "high"), [(16000, 44100), (16000, 48000), (22050, 48000), (32000, 96000), (8000, 16000)]
)
@pytest.mark.parametrize("sixteen_bits", [False, True])
def test_an_upsample_is_told(low, high, sixteen_bits):
    samples = soxr.resample(coloured(5, low), low, high)
    if sixteen_bits:
        samples = np.round(samples * 32767) / 32768
    found = band(samples, high)
    assert 0.92 * low / 2 < found < 1.06 * low / 2
    assert rate_that_fits(min(found, low / 2)) == low


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("noise_db", [-100, -60, -40, -20])
def test_a_true_recording_has_its_whole_band(rate, noise_db):
    samples = coloured(5, rate)
    samples += 0.1 * 10 ** (noise_db / 20) * RNG.standard_normal(len(samples))
    assert band(samples, rate) == rate / 2


def test_speech_in_noise_is_not_taken_for_an_upsample(say):
    speech = say("slt")
    for noise_db in (-40, -30, -20, -10):
        noise = speech.std() * 10 ** (noise_db / 20) * RNG.standard_normal(len(speech))
        assert band(speech + noise, 16000) == 8000


def test_upsampled_speech_is_told(say):
    found = band(soxr.resample(say("slt"), 16000, 44100), 44100)
    assert 7400 < found < 8100


def test_silence_has_no_edge():
    assert band(np.zeros(50_000), 44100) == 22050
    assert band(np.zeros(10), 44100) == 22050
