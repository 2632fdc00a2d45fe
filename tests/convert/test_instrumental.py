"""An instrumental in another key: length, pitch, time, joins, memory."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.audio.files import probe, read, wav_writer
from covermaker.convert import instrumental
from covermaker.convert.instrumental import shift_key
from covermaker.errors import AudioInputError, ProjectError


@pytest.fixture
def shifted(tmp_path):
    """Shift samples (channels, n): shifted(samples, rate, semitones, …) -> samples."""

    def shift(samples, rate, semitones, **more):
        samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
        with wav_writer(tmp_path / "in.wav", sample_rate=rate, channels=len(samples)) as writer:
            writer.write(samples)
        shift_key(tmp_path / "in.wav", tmp_path / "out.wav", semitones=semitones, **more)
        info = probe(tmp_path / "out.wav")
        assert (info.frames, info.sample_rate, info.channels) == (samples.shape[1], rate, len(samples))
        return read(tmp_path / "out.wav").samples

    return shift


def chord(seconds, rate, frequencies=(220.0, 277.18, 329.63)):
    t = np.arange(round(seconds * rate)) / rate
    return 0.1 * sum(np.sin(2 * np.pi * hz * t) for hz in frequencies)


def peaks_hz(signal, rate, count):
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal)), 8 * len(signal)))
    found = []
    for _ in range(count):
        top = int(np.argmax(spectrum))
        found.append(top * rate / 8 / len(signal))
        spectrum[max(0, top - 400) : top + 400] = 0
    return np.sort(found)


@pytest.mark.parametrize("semitones", [-12, -5, 1, 3, 7])
def test_tones_land_where_they_belong(shifted, semitones):
    rate = 44_100
    out = shifted(chord(6, rate), rate, semitones)[0][rate:-rate]
    expected = np.array([220.0, 277.18, 329.63]) * 2 ** (semitones / 12)
    assert np.abs(1200 * np.log2(peaks_hz(out, rate, 3) / expected)).max() < 6.0
    assert 20 * np.log10(out.std() / chord(6, rate).std()) == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize("samples", [0, 1, 64, 44_099, 44_101])
def test_length_is_exact(shifted, samples):
    out = shifted(np.random.default_rng(0).standard_normal((2, samples)) * 0.1, 44_100, 3)
    assert np.isfinite(out).all()


def bursts(seconds, rate, seed=3):
    generator = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    level = np.zeros(len(t))
    for start in np.arange(0.2, seconds - 0.3, 0.43) + generator.uniform(
        0, 0.1, len(np.arange(0.2, seconds - 0.3, 0.43))
    ):
        level[(t >= start) & (t < start + generator.uniform(0.04, 0.15))] = 0.2
    return level * (generator.standard_normal(len(t)) + np.sin(2 * np.pi * 500 * t))


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "semitones"), [(44_100, 3), (44_100, -5), (48_000, -12), (48_000, 2)])
def test_time_stays_from_start_to_end(shifted, rate, semitones):
    """Over 40 s in four pieces: within 2 ms at the start as at the end; the engine by itself is 30 ms off and more."""
    source = bursts(40, rate).astype(np.float32)
    out = shifted(source, rate, semitones, piece_seconds=10)[0]
    part = 8 * rate
    early = instrumental._delay(out[:part], source[:part], rate) / rate
    late = instrumental._delay(out[-part:], source[-part:], rate) / rate
    assert abs(early) < 0.002
    assert abs(late) < 0.002
    assert abs(late - early) < 0.001


def test_the_lag_measure_sees_a_lag():
    source = bursts(6, 44_100).astype(np.float32)
    assert instrumental._delay(np.roll(source, 300), source, 44_100) == pytest.approx(300, abs=2)


def test_joins_hide_in_pauses(shifted):
    """Notes with rests: pieces join in a rest, and no sample there is louder than a rest."""
    rate = 44_100
    t = np.arange(25 * rate) / rate
    source = 0.3 * np.sin(2 * np.pi * 330 * t) * (t % 1.0 < 0.6)
    whole = shifted(source, rate, 2)[0]
    parts = shifted(source, rate, 2, piece_seconds=10)[0]
    assert np.abs(parts[(t % 1.0 > 0.75) & (t % 1.0 < 0.9)]).max() < 0.01
    notes = [parts[s * rate + rate // 5 : s * rate + rate // 2].std() for s in range(25)]
    expected = [whole[s * rate + rate // 5 : s * rate + rate // 2].std() for s in range(25)]
    np.testing.assert_allclose(notes, expected, rtol=0.1)


def test_the_middle_stays_in_the_middle(shifted):
    """A chord in the middle, another noise on each side: what left and right differ by holds none of the chord."""
    rate = 44_100
    middle, noise = chord(6, rate), 0.02 * np.random.default_rng(2).standard_normal((2, 6 * rate))
    out = shifted(middle + noise, rate, -3)[:, rate:-rate]
    window = np.hanning(out.shape[1])
    hz = np.fft.rfftfreq(out.shape[1], 1 / rate)
    near = np.abs(hz - 220 * 2 ** (-3 / 12)) < 2
    together, apart = (
        np.abs(np.fft.rfft(signal * window))[near].max() for signal in (out[0] + out[1], out[0] - out[1])
    )
    assert 20 * np.log10(together / apart) > 40


def test_one_side_stays_on_one_side(shifted):
    out = shifted(np.stack([chord(3, 44_100), np.zeros(3 * 44_100)]), 44_100, 2)
    assert np.abs(out[1]).max() < 1e-3 * np.abs(out[0]).max()


def test_twice_the_same_and_zero_is_a_copy(shifted):
    source = np.random.default_rng(1).standard_normal((2, 90_000)).astype(np.float32) * 0.1
    np.testing.assert_array_equal(shifted(source, 44_100, 1), shifted(source, 44_100, 1))
    np.testing.assert_array_equal(shifted(source, 44_100, 0), source)


def test_silence_stays_silence(shifted):
    assert np.abs(shifted(np.zeros((2, 50_000)), 44_100, 5)).max() < 1e-6


@pytest.mark.parametrize("semitones", [13, -13, 1.5, True, "2"])
def test_intervals_that_are_none(tmp_path, semitones):
    with pytest.raises(ProjectError, match="moves by whole semitones from -12 to 12"):
        shift_key(tmp_path / "a.wav", tmp_path / "b.wav", semitones=semitones)


def test_no_such_file(tmp_path):
    with pytest.raises(AudioInputError):
        shift_key(tmp_path / "a.wav", tmp_path / "b.wav", semitones=1)
    assert not list(tmp_path.iterdir())
