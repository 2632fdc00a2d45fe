"""Made-up takes keep what they should keep: time, words' place, pitch where it is not to move."""

import numpy as np
import pytest

from covermaker.training.augment import (
    WORLD_FRAME_SECONDS,
    Voice,
    channel_strip,
    colour,
    melody_hz,
    through_separator,
    without_rumble,
)

RATE = 16_000


def vowel(f0_hz: float = 200.0, seconds: float = 0.6) -> np.ndarray:
    """A pulse train through two resonances, then a quarter of silence."""
    from scipy.signal import lfilter

    pulses = np.zeros(int(seconds * RATE))
    pulses[:: round(RATE / f0_hz)] = 1.0
    for centre_hz, width_hz in ((700.0, 90.0), (1200.0, 120.0)):
        radius = np.exp(-np.pi * width_hz / RATE)
        pulses = lfilter(
            [1 - radius], [1, -2 * radius * np.cos(2 * np.pi * centre_hz / RATE), radius**2], pulses
        )
    pulses *= 0.5 / np.abs(pulses).max()
    return np.concatenate([pulses, np.zeros(len(pulses) // 3)]).astype(np.float32)


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice.analyse(vowel(), RATE)


def peak_hz(samples: np.ndarray, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    # Smoothed over a harmonic's distance, so that the formant and not one partial wins.
    smooth = np.convolve(spectrum, np.hanning(int(250 / hz[1])), "same")
    inside = (hz >= low) & (hz <= high)
    return float(hz[inside][np.argmax(smooth[inside])])


def median_f0(samples: np.ndarray) -> float:
    f0_hz = Voice.analyse(samples, RATE).f0_hz
    return float(np.median(f0_hz[f0_hz > 0]))


def test_transposing_moves_the_pitch_and_keeps_the_formants(voice: Voice) -> None:
    higher = voice.transposed(5.0).synthesize()
    assert 1200 * np.log2(median_f0(higher) / 200.0) == pytest.approx(500, abs=15)
    assert peak_hz(higher, 400, 950) == pytest.approx(peak_hz(voice.synthesize(), 400, 950), rel=0.1)


def test_another_throat_moves_the_formants(voice: Voice) -> None:
    bigger = voice.other_throat(0.8, 0.0).synthesize()
    assert peak_hz(bigger, 400, 950) == pytest.approx(0.8 * peak_hz(voice.synthesize(), 400, 950), rel=0.1)
    assert 1200 * np.log2(median_f0(bigger) / 200.0) == pytest.approx(0, abs=15)
    assert len(bigger) == len(voice.synthesize())


def test_stretching_changes_only_the_length(voice: Voice) -> None:
    longer = voice.stretched(1.7)
    assert longer.frames == int(voice.frames * 1.7)
    assert 1200 * np.log2(median_f0(longer.synthesize()) / 200.0) == pytest.approx(0, abs=15)


def test_a_sung_voice_follows_the_melody_and_keeps_its_pauses(voice: Voice) -> None:
    sung = voice.sing(np.random.default_rng(1), low_hz=250.0, high_hz=400.0)
    assert np.array_equal(sung.f0_hz > 0, voice.f0_hz > 0)
    voiced = sung.f0_hz[sung.f0_hz > 0]
    assert voiced.min() > 250.0 * 2 ** (-1 / 12)
    assert voiced.max() < 400.0 * 2 ** (1 / 12)


@pytest.mark.parametrize("frames", [1, 7, 60, 61, 3000])
def test_melodies_have_the_asked_length_and_range(frames: int) -> None:
    hz = melody_hz(frames, np.random.default_rng(frames), low_hz=130.0, high_hz=260.0)
    assert hz.shape == (frames,)
    assert hz.min() > 130 * 2 ** (-1 / 12)
    assert hz.max() < 260 * 2 ** (1 / 12)
    # No leaps: a glide takes at least 30 ms, so 5 ms never hold more than a third of an octave and some vibrato.
    assert np.abs(np.diff(np.log2(hz))).max(initial=0.0) < 0.4


def test_a_long_melody_moves_and_sways() -> None:
    hz = melody_hz(int(20 / WORLD_FRAME_SECONDS), np.random.default_rng(0), low_hz=130.0, high_hz=400.0)
    assert 1200 * np.log2(np.percentile(hz, 95) / np.percentile(hz, 5)) > 400
    # Against a twin with slow movement only: what remains between 4 and 7.5 Hz beats what remains above.
    slow = np.convolve(np.log2(hz), np.ones(50) / 50, "same")
    sway = np.abs(np.fft.rfft((np.log2(hz) - slow)[100:-100])) ** 2
    rate = np.fft.rfftfreq(len(hz) - 200, WORLD_FRAME_SECONDS)
    assert sway[(rate > 4) & (rate < 7.5)].mean() > 5 * sway[(rate > 9) & (rate < 12.5)].mean()


@pytest.mark.parametrize("samples", [1, 100, 5_001, 16_000])
def test_colour_keeps_length_time_and_reason(samples: int) -> None:
    take = np.resize(vowel(), samples)
    for seed in range(6):
        heard = colour(take, RATE, np.random.default_rng(seed))
        assert heard.shape == take.shape
        assert heard.dtype == np.float32
        assert np.isfinite(heard).all()
        assert np.array_equal(heard, colour(take, RATE, np.random.default_rng(seed)))


def test_colour_leaves_words_where_they_were() -> None:
    take = vowel()
    lags = []
    for seed in range(12):
        heard = colour(take, RATE, np.random.default_rng(seed)).astype(np.float64)
        correlation = np.correlate(np.abs(heard[::16]), np.abs(take[::16].astype(np.float64)), "full")
        lags.append(np.argmax(correlation) - (len(take[::16]) - 1))
    assert abs(np.median(lags)) <= 6  # of 1 ms each; a room may pull a few later


def test_silence_stays_finite() -> None:
    for seed in range(8):
        assert np.isfinite(colour(np.zeros(3000, np.float32), RATE, np.random.default_rng(seed))).all()


def tone(hz: float, seconds: float = 1.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples[RATE // 4 : -RATE // 4].astype(np.float64) ** 2)))


@pytest.mark.parametrize(("hz", "gain_db"), [(40.0, -24.0), (100.0, 0.0), (1000.0, 0.0), (7000.0, 0.0)])
def test_rumble_goes_and_the_rest_stays(hz: float, gain_db: float) -> None:
    assert level_db(without_rumble(tone(hz), RATE)) - level_db(tone(hz)) == pytest.approx(gain_db, abs=0.2)


def test_an_offset_goes() -> None:
    assert abs(without_rumble(tone(300) + np.float32(0.2), RATE)[RATE // 4 : -RATE // 4].mean()) < 1e-3


def test_the_channel_strip_brightens_at_equal_level_and_moves_nothing() -> None:
    both = tone(200) + tone(2000)
    strip = channel_strip(both, RATE)
    assert level_db(strip) == pytest.approx(level_db(both), abs=0.1)
    spectrum = np.abs(np.fft.rfft(strip))
    assert 20 * np.log10(spectrum[2000] / spectrum[200]) == pytest.approx(5 * np.log2(10), abs=0.3)
    click = np.zeros(4001, np.float32)
    click[2000] = 1.0
    assert int(np.abs(channel_strip(click, RATE)).argmax()) == 2000


def test_a_synthesised_voice_has_no_offset(voice: Voice) -> None:
    spectrum = np.abs(np.fft.rfft(voice.transposed(3.0).synthesize())) ** 2
    hz = np.fft.rfftfreq(2 * (len(spectrum) - 1), 1 / RATE)
    assert spectrum[hz < 40].sum() < 1e-4 * spectrum.sum()


def test_held_vowels_are_long_and_consonants_are_not() -> None:
    """Noise, vowel, noise: the vowel grows about threefold, the noise at both ends keeps its length."""
    rng = np.random.default_rng(4)
    hiss = (0.05 * rng.normal(size=RATE // 5)).astype(np.float32)
    voice = Voice.analyse(np.concatenate([hiss, vowel(seconds=0.5)[: RATE // 2], hiss]), RATE)
    longer = voice.held(3.0)
    voiced, unvoiced = (
        (int((v.f0_hz > 0).sum()) for v in (voice, longer)),
        (int((v.f0_hz == 0).sum()) for v in (voice, longer)),
    )
    before, after = voiced
    assert 1.5 * before < after < 3.2 * before
    before, after = unvoiced
    assert after < 1.35 * before
    silent = Voice(np.zeros(50), voice.envelope[:50], voice.aperiodicity[:50], RATE)
    assert silent.held(3.0).frames == 50


def test_the_separator_gets_a_band_and_its_answer_is_returned() -> None:
    mixes: list[np.ndarray] = []

    def separate(mix: np.ndarray) -> np.ndarray:
        mixes.append(mix)
        return mix * 0.5

    take = vowel()
    out = through_separator(take, RATE, np.random.default_rng(0), separate)
    assert np.array_equal(out, mixes[0] * np.float32(0.5))
    silent = mixes[0][int(0.65 * RATE) :]  # the take is silent there, the band is not
    assert np.sqrt(np.mean(silent**2)) > 1e-3
    assert np.array_equal(out, through_separator(take, RATE, np.random.default_rng(0), separate))
