"""Dither does what the theory says (Lipshitz, Wannamaker and Vanderkooy 1992)."""

import numpy as np
import pytest

from covermaker.export.quantise import Dither, Quantiser, quantise

RATE = 48_000


def sine(level_db, hz=997.0, seconds=8):
    t = np.arange(RATE * seconds) / RATE
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * hz * t))[None].astype(np.float32)


def harmonics_db(integers, hz=997.0):
    """Levels of the 3rd, 5th and 7th harmonic against the fundamental."""
    window = np.hanning(integers.shape[1])
    spectrum = np.abs(np.fft.rfft(integers[0] * window))
    per_hz = integers.shape[1] / RATE
    at = [spectrum[round(n * hz * per_hz) - 2 : round(n * hz * per_hz) + 3].max() for n in (1, 3, 5, 7)]
    return [20 * np.log10(level / at[0]) for level in at[1:]]


def test_a_quiet_sine_without_dither_is_distorted_and_with_it_is_not():
    # -90 dBFS is one step of 16 bits: rounding makes a square-like wave of it.
    plain, _ = quantise(sine(-90), 16)
    dithered, _ = quantise(sine(-90), 16, Dither(0))
    assert max(harmonics_db(plain)) > -20
    assert max(harmonics_db(dithered)) < -40


def test_a_sine_below_the_last_bit_survives_only_dithered():
    plain, _ = quantise(sine(-100), 16)
    dithered, _ = quantise(sine(-100), 16, Dither(0))
    assert not plain.any()
    t = np.arange(dithered.shape[1]) / RATE
    found = 2 * np.mean(dithered[0] * np.sin(2 * np.pi * 997 * t)) / 32768
    assert 20 * np.log10(found) == pytest.approx(-100, abs=0.5)


@pytest.mark.parametrize("level", [0.1, 0.25, 0.5, 10.3])
def test_the_error_has_mean_zero_and_a_power_that_does_not_depend_on_the_signal(level):
    signal = np.full((1, 400_000), level / 32768, np.float32)
    integers, _ = quantise(signal, 16, Dither(3))
    error = integers - signal.astype(float) * 32768
    assert error.mean() == pytest.approx(0, abs=0.01)
    assert error.var() == pytest.approx(0.25, rel=0.02)  # 1/12 of rounding + 2/12 of triangular noise


def test_the_noise_is_triangular_and_white():
    noise = Dither(1).next(1, 1_000_000)[0]
    assert noise.min() >= -1
    assert noise.max() <= 1
    histogram, _ = np.histogram(noise, bins=20, range=(-1, 1), density=True)
    centres = np.linspace(-0.95, 0.95, 20)
    assert histogram == pytest.approx(1 - np.abs(centres), abs=0.02)
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.005


def test_the_stream_is_the_one_it_always_was():
    # Golden values: another numpy or machine must give the same 16-bit file. By hand from PCG64(0)'s raw output.
    raw = np.random.PCG64(0).random_raw(2)
    by_hand = [((int(r) & 0xFFFFFFFF) - (int(r) >> 32)) / 2**32 for r in raw]
    assert Dither(0).next(2, 1)[:, 0].tolist() == by_hand
    assert [int(r) for r in raw] == [11749869230777074271, 4976686463289251617]


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_chunked_is_whole(block):
    signal = np.random.default_rng(0).standard_normal((2, 3000)).astype(np.float32) * 0.1
    whole, _ = quantise(signal, 16, Dither(5))
    dither = Dither(5)
    parts = [quantise(signal[:, at : at + block], 16, dither)[0] for at in range(0, 3000, block)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_the_channels_are_not_alike():
    noise = Dither(0).next(2, 100_000)
    assert abs(np.corrcoef(noise)[0, 1]) < 0.02


def test_digital_silence_gets_no_dither_but_silence_on_one_side_does():
    signal = np.zeros((2, 1000), np.float32)
    assert not quantise(signal, 16, Dither(0))[0].any()
    signal[0] = 1e-6
    assert quantise(signal, 16, Dither(0))[0][1].any()


@pytest.mark.parametrize("bits", [16, 24])
def test_full_scale(bits):
    full = 1 << (bits - 1)
    values = np.array([[-1.0, 1.0, 1.0 - 1.0 / full, -1.5, 1.5]], np.float32)
    integers, clipped = quantise(values, bits)
    assert integers[0].tolist() == [-full, full - 1, full - 1, -full, full - 1]
    assert clipped == 3


def quantised(signal, how, *, block=None, rate=44_100, bits=16):
    quantiser = Quantiser(bits, how, seed=5, channels=len(signal), sample_rate=rate)
    block = block or signal.shape[1]
    parts = [
        part for at in range(0, signal.shape[1], block) for part in quantiser.push(signal[:, at : at + block])
    ]
    parts += list(quantiser.finish())
    return np.concatenate(parts, axis=1), quantiser.clipped


def error_density_db(signal, how, rate=44_100):
    """Power of the error in LSB, in dB, by third octaves: frequencies and levels."""
    integers, _ = quantised(signal, how, rate=rate)
    error = integers[0] - signal[0].astype(float) * 32768
    power = np.abs(np.fft.rfft(error)) ** 2 / len(error)
    hz = np.fft.rfftfreq(len(error), 1 / rate)
    centres = 1000 * 2.0 ** (np.arange(-9, 14) / 3)
    found = [power[(hz >= f / 1.12) & (hz < f * 1.12)].mean() for f in centres]
    return centres, 10 * np.log10(found)


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_shaped_dither_moves_the_noise_to_where_the_ear_is_dull(rate):
    signal = np.random.default_rng(1).standard_normal((1, 1 << 20)).astype(np.float32) * 0.05
    hz, plain = error_density_db(signal, "tpdf", rate)
    _, shaped = error_density_db(signal, "shaped", rate)
    keen = (hz > 2500) & (hz < 5000)
    assert np.abs(plain - plain.mean()).max() < 1.0
    assert (shaped - plain)[keen].max() < -9.0
    assert (shaped - plain)[hz > 13_000].max() > 5.0 or rate > 64_000


def test_shaped_dither_still_dithers():
    shaped, _ = quantised(sine(-90), "shaped")
    assert max(harmonics_db(shaped)) < -30
    quiet, _ = quantised(sine(-104), "shaped")
    t = np.arange(quiet.shape[1]) / RATE
    assert 20 * np.log10(2 * np.mean(quiet[0] * np.sin(2 * np.pi * 997 * t)) / 32768) == pytest.approx(
        -104, abs=0.5
    )


@pytest.mark.parametrize("how", ["tpdf", "shaped", "off"])
@pytest.mark.parametrize("block", [1, 4096, 70_000])
def test_any_cut_gives_the_same_integers(how, block):
    frames = 2000 if block == 1 else 600_000
    signal = np.random.default_rng(0).standard_normal((2, frames)).astype(np.float32) * 0.1
    signal[:, 500:900] = 0.0
    whole, parts = quantised(signal, how), quantised(signal, how, block=block)
    assert np.array_equal(whole[0], parts[0])
    assert whole[0].shape == signal.shape
    assert whole[1] == parts[1]
    assert not whole[0][:, 500:900].any(), "digital silence stays so"


@pytest.mark.parametrize("how", ["tpdf", "shaped"])
def test_beyond_full_scale_is_clipped_and_the_shaping_recovers(how):
    signal = 0.1 * np.ones((1, 20_000), np.float32)
    signal[0, 1000:2000] = 1.5
    integers, clipped = quantised(signal, how)
    assert clipped == 1000
    assert integers.max() == 32767
    assert np.abs(integers[0, 2100:] / 32768 - 0.1).max() < 40 / 32768


def test_off_is_rounding():
    signal = np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32) * 0.1
    integers, _ = quantised(signal, "off")
    assert np.array_equal(integers, np.floor(signal.astype(float) * 32768 + 0.5))
