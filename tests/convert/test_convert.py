"""The whole conversion, file to file: length, time, seams, silences, regions, determinism."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from covermaker.audio.files import probe, read, wav_writer
from covermaker.convert.convert import ConvertSettings, convert_vocal
from covermaker.errors import CovermakerError, ProjectError, UsageError, WeightsError
from covermaker.features.clock import frame_count
from covermaker.voices.networks.base import SungPitch, phase_curve

PLAIN = ConvertSettings(protect=0.5)  # the network alone, no consonants of the source


def sing(vocal, voice, tmp_path, *, name="out.wav", settings=PLAIN, transpose="off", **more):
    out = tmp_path / name
    report = convert_vocal(
        vocal.path, out, **vocal.features, voice=voice, transpose=transpose, seed=7, settings=settings, **more
    )
    return read(out).samples[0], report


def phrase(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    """A tone with a wandering level."""
    t = np.arange(round(seconds * rate)) / rate
    level = 0.25 + 0.2 * np.sin(2 * np.pi * 1.3 * t + seed)
    return (level * np.sin(2 * np.pi * 220 * t)).astype(np.float32)


@pytest.mark.parametrize("voice_rate", [16_000, 44_100])
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 44_101, 48_000, 192_000])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_length_is_exact(make_vocal, fake_voice, tmp_path, voice_rate, rate, extra):
    samples = 3 * rate // 10 + extra
    vocal = make_vocal(phrase(0.5, rate)[:samples], rate)
    voice = fake_voice(voice_rate)
    out, report = sing(vocal, voice, tmp_path)
    info = probe(tmp_path / "out.wav")
    assert (info.frames, info.sample_rate, info.channels) == (samples, rate, 1)
    assert report.seconds == samples / rate
    assert np.isfinite(out).all()


@pytest.mark.parametrize("samples", [0, 1, 2, 3, 63, 64, 65, 440, 441, 442])
def test_length_is_exact_for_next_to_nothing(make_vocal, fake_voice, tmp_path, samples):
    vocal = make_vocal(phrase(0.1, 44_100)[:samples], 44_100)
    out, _ = sing(vocal, fake_voice(), tmp_path)
    assert len(out) == samples


def test_the_file_is_float32_and_nothing_is_left_beside_it(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(phrase(0.5, 16_000), 16_000)
    sing(vocal, fake_voice(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.wav", "vocal.wav"]


@pytest.mark.parametrize(("rate", "voice_rate"), [(44_100, 16_000), (16_000, 16_000), (44_101, 24_000)])
def test_chunked_equals_whole(make_vocal, fake_voice, tmp_path, rate, voice_rate):
    f0_hz = 220 * 2 ** (np.sin(np.arange(rate * 7 * 100 // rate + 1) / 31) / 6)
    f0_hz[200:240] = 0.0
    vocal = make_vocal(phrase(7.0, rate), rate, f0_hz=f0_hz)
    settings = ConvertSettings()
    voice = fake_voice(voice_rate)
    whole, report = sing(vocal, voice, tmp_path, settings=settings)
    assert report.chunks == 1
    for seconds, chunks in ((1.0, 8), (1.37, 6), (6.9, 2)):
        part, report = sing(vocal, voice, tmp_path, settings=replace(settings, chunk_seconds=seconds))
        assert report.chunks == chunks
        assert np.abs(part - whole).max() < 1e-3
        assert not clicks(part, rate)


def clicks(samples: np.ndarray, rate: int) -> list[int]:
    """Find steps: places where the second difference stands far out of its surroundings."""
    bend = np.abs(np.diff(samples.astype(float), 2))
    half = rate // 100
    found = np.flatnonzero(bend > 8 * np.percentile(bend, 99.5))
    return sorted({int(place) // half for place in found})


def test_the_seam_detector_finds_planted_seams(make_vocal, fake_voice, tmp_path):
    rate = 44_100
    out, _ = sing(make_vocal(phrase(3.0, rate), rate), fake_voice(), tmp_path)
    assert not clicks(out, rate)
    planted = out.copy()
    planted[rate:] = np.roll(planted, 60)[rate:]  # a chunk whose phase does not fit
    assert clicks(planted, rate) in ([99], [100], [99, 100])


def test_memory_holds_one_chunk(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(phrase(6.0, 16_000), 16_000)
    voice = fake_voice()
    sing(vocal, voice, tmp_path, settings=replace(PLAIN, chunk_seconds=1.0))
    assert max(voice.singer.calls) <= 100 + 2 * voice.singer.context_frames


@pytest.mark.parametrize("loudness_mix", [0.0, 1.0])
@pytest.mark.parametrize(("rate", "voice_rate"), [(44_100, 16_000), (48_000, 44_100), (44_101, 24_000)])
def test_bursts_come_out_when_they_went_in(
    make_vocal, fake_voice, envelope_lag_ms, tmp_path, rate, voice_rate, loudness_mix
):
    """Bursts at irregular times, soft and hard: the output's envelope lags by 0 +-1 ms, at the end as at the start."""
    source = np.zeros(20 * rate, dtype=np.float32)
    generator = np.random.default_rng(2)
    for start in np.arange(45) * 0.43 + generator.uniform(0.15, 0.25, 45):
        length = round(generator.uniform(0.06, 0.2) * rate)
        at = round(start * rate)
        tone = np.sin(2 * np.pi * 220 * np.arange(length) / rate) * generator.uniform(0.1, 0.8)
        source[at : at + length] = tone * np.hanning(length) ** 0.2
    vocal = make_vocal(source, rate)
    vocal.features["content"][:] = 0  # the fake singer's level follows its content: that would be no lag
    settings = ConvertSettings(protect=0.5, loudness_mix=loudness_mix, chunk_seconds=3.0)
    out, _ = sing(vocal, fake_voice(voice_rate), tmp_path, settings=settings)
    assert abs(envelope_lag_ms(out, source, rate)) < 0.5
    assert abs(envelope_lag_ms(out[: 4 * rate], source[: 4 * rate], rate)) < 0.5
    assert abs(envelope_lag_ms(out[-4 * rate :], source[-4 * rate :], rate)) < 0.5


def test_the_lag_test_sees_a_lag(envelope_lag_ms):
    source = phrase(2.0, 44_100) * (np.arange(88_200) % 20_000 < 5_000)
    assert envelope_lag_ms(np.roll(source, 132), source, 44_100) == pytest.approx(3.0, abs=0.1)


class Ticks:
    """Sings one impulse at every whole second of the song."""

    content_dim, content_held, context_frames = 8, False, 3

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate, self.hop_samples = sample_rate, sample_rate // 100

    def pitch(self, f0_hz):
        return SungPitch(np.asarray(f0_hz), np.asarray(f0_hz) > 0, phase_curve(f0_hz))

    def render(self, content, pitch, loudness_db, *, first_frame, keep=slice(None), **rest):
        frames = np.zeros((len(pitch), self.hop_samples), dtype=np.float32)
        frames[-first_frame % 100 :: 100, 0] = 0.5
        return frames[keep].ravel()


def drift_samples(tmp_path, voice_of, seconds: int, rate: int, voice_rate: int) -> np.ndarray:
    """Return how far each impulse lies from its second, in samples."""
    frames = frame_count(seconds * rate, rate)
    with wav_writer(tmp_path / "long.wav", sample_rate=rate, channels=1) as writer:
        for _ in range(seconds):
            writer.write(np.full((1, rate), 0.1, dtype=np.float32))
    features = {
        "content": np.zeros((1, 8), dtype=np.float16),
        "f0_hz": np.full(frames, 200.0, dtype=np.float32),
        "loudness_db": np.full(frames, -20.0, dtype=np.float32),
    }
    out = tmp_path / "ticks.wav"
    voice = voice_of(Ticks(voice_rate))
    convert_vocal(
        tmp_path / "long.wav", out, **features, voice=voice, transpose="off", seed=0, settings=PLAIN
    )
    assert probe(out).frames == seconds * rate
    drift = []
    for second in range(1, seconds):
        near = read(out, start=second * rate - 8, frames=17).samples[0].astype(float)
        top = int(np.argmax(near))
        left, middle, right = near[top - 1 : top + 2]
        drift.append(top - 8 + 0.5 * (left - right) / (left - 2 * middle + right))
    return np.array(drift)


@pytest.mark.parametrize(("rate", "voice_rate"), [(44_100, 16_000), (44_101, 24_000)])
def test_no_drift_over_a_minute(tmp_path, voice_of, rate, voice_rate):
    assert np.abs(drift_samples(tmp_path, voice_of, 60, rate, voice_rate)).max() < 0.1


@pytest.mark.slow
def test_no_drift_over_an_hour(tmp_path, voice_of):
    assert np.abs(drift_samples(tmp_path, voice_of, 3600, 8_001, 16_000)).max() < 0.1


def test_gaps_are_as_silent_as_the_source(make_vocal, fake_voice, tmp_path):
    """The network hisses at -50 dB throughout; the source has a digital silence and a room at -70 dB."""
    rate = 44_100
    source = phrase(6.0, rate)
    source[2 * rate : 3 * rate] = 0.0
    room = np.random.default_rng(0).standard_normal(rate).astype(np.float32) * 10 ** (-70 / 20)
    source[4 * rate : 5 * rate] = room
    out, _ = sing(make_vocal(source, rate), fake_voice(hiss_db=-50.0), tmp_path, settings=ConvertSettings())
    fade = round(0.021 * rate)
    np.testing.assert_array_equal(out[2 * rate + fade : 3 * rate - fade], 0.0)
    inside = out[4 * rate + rate // 10 : 5 * rate - rate // 10]
    assert 20 * np.log10(inside.std()) < -70 + 4
    assert out[: 2 * rate].std() > 0.05


def test_a_silent_vocal_gives_silence(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(np.zeros(44_100), 44_100, f0_hz=0.0)
    out, report = sing(
        vocal, fake_voice(hiss_db=-20.0), tmp_path, transpose="auto", settings=ConvertSettings()
    )
    np.testing.assert_array_equal(out, 0.0)
    assert (report.semitones, report.peak, report.voiced_share) == (0, 0.0, 0.0)
    assert report.why == "the vocal has no pitch to move"


def test_following_the_sources_loudness(make_vocal, fake_voice, tmp_path):
    """A network that sings 8 dB too low: loudness_mix 0 lifts it to the source, 1 leaves it."""
    rate = 16_000
    vocal = make_vocal(phrase(4.0, rate), rate)
    voice = fake_voice(level_db=-8.0)
    from covermaker.features.loudness import frame_loudness_db

    levels = {}
    for mix in (0.0, 0.5, 1.0):
        _, report = sing(vocal, voice, tmp_path, settings=ConvertSettings(protect=0.5, loudness_mix=mix))
        levels[mix] = frame_loudness_db(tmp_path / "out.wav") - vocal.features["loudness_db"]
        assert report.gain_db_low <= report.gain_db_median <= report.gain_db_high
    assert np.abs(levels[0.0][5:-5]).max() < 0.5
    shift = np.median(levels[1.0])
    assert np.median(levels[0.5]) == pytest.approx(shift / 2, abs=0.2)


@pytest.mark.parametrize("rate", [44_100, 44_101])
@pytest.mark.parametrize(("start", "seconds"), [(0.0, 1.5), (2.345, 1.2), (5.0, 100.0)])
def test_a_region_is_a_slice_of_the_whole(make_vocal, fake_voice, tmp_path, rate, start, seconds):
    f0_hz = 200 + 30 * np.sin(np.arange(frame_count(7 * rate, rate)) / 17)
    f0_hz[300:330] = 0
    source = phrase(7.0, rate)
    source[3 * rate : 3 * rate + rate // 5] = 0
    vocal = make_vocal(source, rate, f0_hz=f0_hz)
    settings = ConvertSettings(protect=0.1, loudness_mix=0.3, chunk_seconds=2.0)
    whole, _ = sing(vocal, fake_voice(24_000), tmp_path, settings=settings)
    region, report = sing(
        vocal,
        fake_voice(24_000),
        tmp_path,
        settings=settings,
        name="r.wav",
        start_seconds=start,
        seconds=seconds,
    )
    first = round(start * rate)
    expected = whole[first : first + round(seconds * rate)]
    assert len(region) == len(expected)
    assert report.seconds == len(expected) / rate
    assert np.abs(region - expected).max() < 1e-3


def test_a_region_sings_only_its_neighbourhood(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(phrase(12.0, 16_000), 16_000)
    voice = fake_voice()
    sing(vocal, voice, tmp_path, start_seconds=5.5, seconds=1.0)
    assert sum(voice.singer.calls) < 100 * (1.0 + 2 * 1 + 1) + 20


@pytest.mark.parametrize(
    ("start", "seconds"), [(-1.0, 1.0), (2.0, 1.0), (9.0, None), (0.5, 0.0), (0.5, -1.0)]
)
def test_regions_that_are_none(make_vocal, fake_voice, tmp_path, start, seconds):
    vocal = make_vocal(phrase(2.0, 16_000), 16_000)
    with pytest.raises(UsageError, match=r"no such region: .* \(the vocal is 2\.00 s long\)"):
        sing(vocal, fake_voice(), tmp_path, start_seconds=start, seconds=seconds)


def test_twice_the_same(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(phrase(3.0, 44_100), 44_100)
    settings = ConvertSettings(chunk_seconds=1.0)
    first, report = sing(vocal, fake_voice(), tmp_path, settings=settings, name="a.wav")
    second, again = sing(vocal, fake_voice(), tmp_path, settings=settings, name="b.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert report == again
    np.testing.assert_array_equal(first, second)


def test_the_pitch_moves_as_reported(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(phrase(3.0, 16_000), 16_000, f0_hz=110.0)
    out, report = sing(vocal, fake_voice(), tmp_path, transpose="auto")
    assert report.semitones == 12
    assert "one octave up" in report.why
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert np.argmax(spectrum) / 3.0 == pytest.approx(220.0, abs=1.0)
    json.dumps(report.as_dict(), allow_nan=False)


def test_progress_rises_to_one(make_vocal, fake_voice, tmp_path):
    seen: list[float] = []
    vocal = make_vocal(phrase(5.0, 16_000), 16_000)
    sing(vocal, fake_voice(), tmp_path, settings=replace(PLAIN, chunk_seconds=1.0), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 5


def test_cancelling_leaves_no_first_pass_behind(make_vocal, fake_voice, tmp_path):
    def stop(fraction: float) -> None:
        raise KeyboardInterrupt

    vocal = make_vocal(phrase(2.0, 16_000), 16_000)
    with pytest.raises(KeyboardInterrupt):
        sing(vocal, fake_voice(), tmp_path, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["vocal.wav"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protect": 0.6}, r"convert\.protect must lie in 0\.\.0\.5, not 0\.6"),
        ({"protect": -0.1}, r"convert\.protect"),
        ({"loudness_mix": 1.5}, r"convert\.loudness_mix must lie in 0\.\.1, not 1\.5"),
        ({"loudness_mix": float("nan")}, r"convert\.loudness_mix"),
        ({"chunk_seconds": 0.1}, r"chunk_seconds must lie in 1\.\.120"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ProjectError, match=message):
        ConvertSettings(**settings)


def test_a_network_that_breaks(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(phrase(2.0, 16_000), 16_000)
    voice = fake_voice()
    sound = voice.singer.render
    voice.singer.render = lambda *args, **more: sound(*args, **more) * np.float32(np.nan)
    with pytest.raises(WeightsError, match=r"voice 'fake' sings no finite sound at 0\.00 s"):
        sing(vocal, voice, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["vocal.wav"]


def test_features_of_another_vocal(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(phrase(2.0, 16_000), 16_000)
    vocal.features["f0_hz"] = vocal.features["f0_hz"][:-1]
    with pytest.raises(CovermakerError, match="the vocal has 201 frames, its pitch 200"):
        sing(vocal, fake_voice(), tmp_path)


def test_content_of_another_encoder(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(phrase(1.0, 16_000), 16_000)
    vocal.features["content"] = vocal.features["content"][:, :4]
    with pytest.raises(
        WeightsError, match=r"trained on content of width 8 \(fake\), this content has width 4"
    ):
        sing(vocal, fake_voice(), tmp_path)


def test_a_network_of_another_rate(make_vocal, voice_of, fake_singer, tmp_path):
    vocal = make_vocal(phrase(1.0, 16_000), 16_000)
    with pytest.raises(WeightsError, match="sings at 16000 Hz, its card says 24000 Hz"):
        sing(vocal, voice_of(fake_singer(16_000), 24_000), tmp_path)
