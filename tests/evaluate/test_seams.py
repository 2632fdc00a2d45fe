from __future__ import annotations

import numpy as np
import pytest
import soundfile
from scipy.ndimage import uniform_filter1d

from covermaker.audio import files
from covermaker.evaluate import seams
from covermaker.evaluate.seams import Seam, find_seams

TEXTS = [
    "The harbour was blue and the morning wind had gone to sleep",
    "Nobody knew why the old man was smiling",
]


@pytest.fixture(scope="module")
def material(speak, real_song, stem_vocal):
    """Return clean sound by name: (channels, n) and rate; synthetic speech of two voices, a song, a real vocal."""
    found = {}
    for voice in ("slt", "rms"):
        for number, text in enumerate(TEXTS):
            sound, rate = soundfile.read(speak(voice, text))
            found[f"{voice} {number}"] = sound[np.newaxis], rate
    song = files.read(real_song)
    found["song"] = song.samples.astype(np.float64), song.sample_rate
    vocal, rate = stem_vocal
    found["vocal"] = vocal.T.astype(np.float64), rate
    return found


def loud_places(sound, rate, count, seed):
    """Draw samples where the sound is at most 10 dB below its loudest."""
    power = uniform_filter1d((sound.mean(axis=0) ** 2), round(0.02 * rate))
    loud = np.flatnonzero(power > 0.1 * power.max())
    inside = loud[(loud > rate // 4) & (loud < sound.shape[1] - rate // 4)]
    return np.random.default_rng(seed).choice(inside, count)


def damage(sound, rate, at, kind):
    broken = sound.copy()
    if kind == "gap":
        broken[:, at : at + rate // 1000] = 0
    elif kind == "click":
        broken[:, at] += 0.7
    else:
        broken[:, at:] *= 10 ** (float(kind) / 20)
    return broken


def test_clean_speech_song_and_vocal_have_none(material):
    assert {name: find_seams(sound, sample_rate=rate) for name, (sound, rate) in material.items()} == {
        name: [] for name in material
    }


@pytest.mark.parametrize(
    ("kind", "share"),
    # A level step in a consonant may be the beginning of another consonant.
    [("gap", 1.0), ("click", 0.85), ("-6", 0.8), ("6", 0.8), ("-3", 0.65), ("3", 0.65)],
)
def test_planted_ones_are_found(material, kind, share):
    found = []
    for name, (sound, rate) in material.items():
        if name == "song" and kind not in ("gap", "click"):
            continue  # a whole band has no one pitch
        for at in loud_places(sound, rate, 8, 3):
            near = slice(at - rate // 4, at + rate // 4)
            hits = find_seams(damage(sound, rate, at, kind)[:, near], sample_rate=rate)
            assert all(abs(seam.seconds - 0.25) < 0.006 for seam in hits), name
            right = [seam for seam in hits if seam.kind == (kind if kind in ("gap", "click") else "step")]
            found.append(bool(hits))
            if right and right[0].kind == "step":
                assert right[0].size == pytest.approx(float(kind), abs=2.5)
    assert np.mean(found) >= share


@pytest.mark.parametrize("kind", ["gap", "click", "-6", "-3", "1"])
def test_with_a_reference_every_one_is_found(material, kind):
    for name, (sound, rate) in material.items():
        for at in loud_places(sound, rate, 4, 5):
            near = slice(at - rate // 4, at + rate // 4)
            broken = damage(sound, rate, at, kind)[:, near]
            times = [seam.seconds for seam in find_seams(broken, sound[:, near], sample_rate=rate)]
            assert any(abs(seconds - 0.25) < 0.006 for seconds in times), name


def test_a_reference_excuses_its_own(material):
    sound, rate = material["slt 0"]
    broken = damage(sound, rate, rate, "click")
    assert find_seams(broken, sample_rate=rate)
    assert find_seams(broken, broken, sample_rate=rate) == []


def test_a_slow_change_of_level_and_quiet_noise_are_no_seams(material):
    for sound, rate in material.values():
        fade = 10 ** (np.linspace(0, -12, sound.shape[1]) / 20)
        noise = np.random.default_rng(1).normal(0, 1e-4, sound.shape)
        assert find_seams(sound * fade + noise, sound, sample_rate=rate) == []


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("slt", "The woman means nothing now and nobody knows"),
        ("slt", "My lemon lingers among them on the mountain"),
        ("rms", "My lemon lingers among them on the mountain"),
        ("slt", "My melon lingers among them on the mountain"),
    ],
)
def test_a_vowel_that_becomes_a_hum_and_a_growing_voice_are_no_steps(speak, voice, text):
    """What excites such a sound anew at one instant is no scaling: its periods go on at their level."""
    sound, rate = soundfile.read(speak(voice, text))
    assert find_seams(sound, sample_rate=rate) == []
    for at in loud_places(sound[np.newaxis], rate, 3, 7):
        near = slice(at - rate // 4, at + rate // 4)
        assert find_seams(damage(sound[np.newaxis], rate, at, "-6")[:, near], sample_rate=rate)


@pytest.mark.parametrize(("kind", "share"), [("gap", 1.0), ("click", 0.85), ("-6", 0.8), ("-3", 0.65)])
def test_the_sound_it_was_made_from_excuses_no_planted_ones(material, kind, share):
    """A converted vocal is held against its source, which is another sound."""
    sound, rate = material["slt 0"]
    source = np.resize(material["rms 0"][0], sound.shape)
    assert find_seams(sound, source, sample_rate=rate) == []
    found = []
    for at in loud_places(sound, rate, 12, 11):
        near = slice(at - rate // 4, at + rate // 4)
        hits = find_seams(damage(sound, rate, at, kind)[:, near], source[:, near], sample_rate=rate)
        found.append(any(abs(seam.seconds - 0.25) < 0.006 for seam in hits))
    assert np.mean(found) >= share


def test_another_sound_is_no_reference_for_deviations(material):
    sound, rate = material["slt 0"]
    other = np.resize(material["rms 0"][0], sound.shape)
    assert find_seams(sound, other, sample_rate=rate) == []


@pytest.mark.slow
def test_a_file_in_pieces_gives_the_same_as_the_whole(material, write_wav, monkeypatch):
    sound, rate = material["song"]
    for second in (1.0, 1.99, 2.0, 4.3, 8.5):
        sound = damage(sound, rate, round(second * rate), "gap")
    path = write_wav(sound.T, rate)
    whole = find_seams(path)
    assert [seam.kind for seam in whole] == ["gap"] * 5
    for seconds in (0.5, 1.0, 1.9995, 3.7):
        monkeypatch.setattr(seams, "PIECE_SECONDS", seconds)
        assert find_seams(path) == whole
        assert find_seams(sound.astype(np.float32), sample_rate=rate) == whole


def test_the_length_of_a_gap_is_told(material):
    sound, rate = material["vocal"]
    at = loud_places(sound, rate, 1, 1)[0]
    broken = sound.copy()
    broken[0, at : at + round(0.004 * rate)] = 0  # one channel is enough
    (gap,) = find_seams(broken, sample_rate=rate)
    assert gap == Seam(pytest.approx(at / rate, abs=1e-3), "gap", pytest.approx(4.0, abs=0.1))


def test_silence_and_pauses_are_no_gaps():
    assert find_seams(np.zeros(16000), sample_rate=16000) == []
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)
    faded = tone * np.clip(np.abs(np.arange(16000) - 8000) / 800 - 1, 0, 1)  # down and up in 50 ms
    assert find_seams(faded, sample_rate=16000) == []


@pytest.mark.parametrize("frames", [0, 1, 2, 30])
def test_hardly_any_sound(frames):
    assert find_seams(np.zeros(frames), sample_rate=16000) == []


def test_samples_need_a_rate():
    with pytest.raises(ValueError, match="sample rate"):
        find_seams(np.zeros(10))
