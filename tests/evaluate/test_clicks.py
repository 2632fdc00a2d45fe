from __future__ import annotations

import numpy as np
import pytest

from covermaker.audio import files
from covermaker.evaluate import clicks
from covermaker.evaluate.clicks import find_clicks


def tone(rate=44100, seconds=3.0):
    time = np.arange(round(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * 220 * time) + 0.1 * np.sin(2 * np.pi * 880 * time)


def test_a_clean_tone_has_none(write_wav):
    assert find_clicks(write_wav(tone(), 44100)) == []


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("kind", ["spike", "step", "lost samples"])
def test_planted_ones_are_found_at_their_times(write_wav, rate, kind):
    sound = tone(rate)
    jump = 0.05 if rate > 40_000 else 0.5  # the fewer samples, the more a tone moves from one to the next
    planted = [0.501, 1.2345, 1.301, 2.9007]  # where the tone is away from zero
    for seconds in planted:
        at = round(seconds * rate)
        if kind == "spike":
            sound[at] += jump
        elif kind == "step":
            sound[at:] += jump
        else:
            sound[at:] = np.roll(sound[at:], -rate // 400)  # 2.5 ms are missing
    found = find_clicks(write_wav(sound, rate))
    if kind == "lost samples":
        found = [
            click for click in found if click.seconds < 2.95
        ]  # what was cut out comes back at the very end
    times = [click.seconds for click in found]
    assert len(times) == len(planted)
    np.testing.assert_allclose(times, planted, atol=0.002)


@pytest.mark.parametrize("amplitude", [0.2, 0.4])
def test_spikes_in_a_real_vocal_are_found(write_wav, stem_vocal, amplitude):
    sound, rate = stem_vocal
    clean = {round(click.seconds, 3) for click in find_clicks(write_wav(sound, rate))}
    assert not clean
    planted = np.random.default_rng(3).uniform(0.2, len(sound) / rate - 0.2, 20)
    damaged = sound.copy()
    for seconds in planted:
        damaged[round(seconds * rate), 1] += amplitude
    times = np.array([click.seconds for click in find_clicks(write_wav(damaged, rate))])
    found = [np.abs(times - seconds).min() < 0.001 for seconds in planted]
    assert np.mean(found) >= 0.95


def test_a_real_song_has_none(write_wav, real_song):
    audio = files.read(real_song)
    assert find_clicks(write_wav(audio.samples.T, audio.sample_rate)) == []


@pytest.mark.parametrize("voice", ["slt", "rms", "awb"])
def test_real_voices_have_none(speak, voice):
    assert find_clicks(speak(voice)) == []


def test_noise_and_silence_have_none(write_wav):
    rng = np.random.default_rng(0)
    assert find_clicks(write_wav(0.1 * rng.standard_normal(50_000), 44100)) == []
    assert find_clicks(write_wav(np.zeros(50_000), 44100)) == []


def test_a_lone_impulse_in_silence_is_one(write_wav):
    sound = np.zeros(44100)
    sound[1000] = 0.5
    assert [click.seconds for click in find_clicks(write_wav(sound, 44100))] == [
        pytest.approx(1000 / 44100, abs=1e-4)
    ]


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 100, 1102, 1103, 1104, 2206])
def test_every_length_is_read(write_wav, frames):
    assert find_clicks(write_wav(np.full(frames, 0.5), 44100)) == []


@pytest.mark.parametrize("size", [997, 4096, 1 << 20])
def test_blocks_do_not_matter(write_wav, monkeypatch, size):
    sound = tone() + 0.01 * np.random.default_rng(2).standard_normal(3 * 44100)
    sound[[0, 40_000, 65_535, 65_536, 100_000, 132_000]] += 0.9
    path = write_wav(sound, 44100)
    whole = [click.seconds for click in find_clicks(path)]
    assert len(whole) >= 4
    monkeypatch.setattr(clicks, "blocks", lambda path: files.blocks(path, block_frames=size))
    assert [click.seconds for click in find_clicks(path)] == whole
