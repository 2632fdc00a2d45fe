"""Features of many clips: kept by content, the same for any number of processes, made again where damaged."""

from __future__ import annotations

import os

import numpy as np
import pytest
import soundfile

from covermaker.errors import AudioInputError, ResourceError, WeightsError
from covermaker.features import cache as cache_module
from covermaker.features import clips as clips_module
from covermaker.features.cache import cached, feature_path, sound_sha256
from covermaker.features.clips import clip_features
from covermaker.features.content import encode_clips
from covermaker.features.loudness import frame_loudness_db
from covermaker.features.pitch import estimate_pitch
from covermaker.features.workers import in_processes


def voice(seconds, seed, rate=16_000):
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    f0 = 150 + 50 * rng.random() + 20 * np.sin(2 * np.pi * 5 * time)
    phase = 2 * np.pi * np.cumsum(f0) / rate
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, 15))).astype(np.float32)


@pytest.fixture
def takes(tmp_path):
    files = []
    for number, (seconds, rate) in enumerate([(1.0, 16_000), (0.73, 44_100), (1.31, 48_000)]):
        path = tmp_path / f"clip{number}.wav"
        soundfile.write(path, voice(seconds, number, rate), rate, subtype="FLOAT")
        files.append(path)
    return [*files, voice(0.9, 9)]


def test_a_second_run_makes_nothing_and_gives_the_same_bits(takes, tmp_path, monkeypatch):
    kept = tmp_path / "cache"
    told = []
    first = clip_features(takes, cache=kept, pitch="dio", workers=1, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    for name in ("read_group", "estimate_pitch", "frame_loudness_db", "write_feature"):
        monkeypatch.setattr(clips_module, name, lambda *_, **__: pytest.fail("something was made again"))
    second = clip_features(takes, cache=kept, pitch="dio", workers=1)
    for before, after in zip(first, second, strict=True):
        for one, other in zip(before, after, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def test_each_feature_is_what_its_own_function_gives(takes, tmp_path):
    found = clip_features(takes, cache=tmp_path / "cache", pitch="dio", workers=1)
    for clip, features in zip(takes[:3], found, strict=False):
        np.testing.assert_array_equal(features.f0_hz, estimate_pitch(clip, method="dio"))
        np.testing.assert_array_equal(features.loudness_db, frame_loudness_db(clip))
    alone = clip_features(takes[3:], cache=tmp_path / "cache", pitch="dio", workers=1)[0]
    np.testing.assert_array_equal(alone.content, encode_clips(takes[3:])[0])
    np.testing.assert_array_equal(alone.f0_hz, found[3].f0_hz)
    for features in found:
        assert abs(len(features.f0_hz) - 2 * len(features.content)) <= 2


def test_processes_change_nothing(takes, tmp_path):
    one = clip_features(takes, cache=tmp_path / "one", workers=1)
    two = clip_features(takes, cache=tmp_path / "two", workers=2)
    for before, after in zip(one, two, strict=True):
        np.testing.assert_array_equal(before.f0_hz, after.f0_hz)
        np.testing.assert_array_equal(before.loudness_db, after.loudness_db)


def test_a_changed_option_or_sound_is_made_and_the_rest_is_not(takes, tmp_path):
    kept = tmp_path / "cache"

    def entries():
        return {path.name for path in kept.glob("*.npy")}

    clip_features(takes, cache=kept, pitch="dio", workers=1)
    before = entries()
    assert len(before) == 4 + 1  # curves of each clip, content of one window
    clip_features(takes, cache=kept, pitch="dio", pitch_options={"repair_octaves": True}, workers=1)
    with_option = entries()
    assert len(with_option - before) == 4
    assert all(name.startswith("pitch-") for name in with_option - before)
    takes[3] = takes[3] * np.float32(0.5)
    clip_features(takes, cache=kept, pitch="dio", workers=1)
    assert sorted(name[:5] for name in entries() - with_option) == ["conte", "pitch"]


def test_a_damaged_entry_is_made_again(takes, tmp_path):
    kept = tmp_path / "cache"
    first = clip_features(takes[:1], cache=kept, pitch="dio", workers=1)[0]
    for path in kept.glob("*.npy"):
        path.write_bytes(path.read_bytes()[: os.path.getsize(path) // 2])
    again = clip_features(takes[:1], cache=kept, pitch="dio", workers=1)[0]
    np.testing.assert_array_equal(first.f0_hz, again.f0_hz)
    np.testing.assert_array_equal(first.content, again.content)


def test_the_same_clip_twice_is_read_once(takes, tmp_path):
    found = clip_features([takes[0], takes[0]], cache=tmp_path / "cache", pitch="dio", workers=1)
    np.testing.assert_array_equal(found[0].f0_hz, found[1].f0_hz)
    assert len(list((tmp_path / "cache").glob("pitch-*.npy"))) == 1


def test_no_clips_are_no_features(tmp_path):
    assert clip_features([], cache=tmp_path) == []


def test_a_missing_file_and_missing_weights_are_named(tmp_path, monkeypatch):
    with pytest.raises(AudioInputError, match=r"nothing\.wav"):
        clip_features([tmp_path / "nothing.wav"], cache=tmp_path)
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="covermaker models pull rmvpe"):
        clip_features([voice(0.1, 0)], cache=tmp_path, pitch="rmvpe")


# The cache itself


def test_a_feature_is_made_once_for_one_sound_and_one_question(tmp_path):
    made = []

    def make():
        made.append(1)
        return np.arange(3, dtype=np.float16)

    sound = np.ones(10, np.float32)
    for _ in range(2):
        np.testing.assert_array_equal(cached(tmp_path, "level", {"window": 1.0}, sound, make), np.arange(3))
    assert len(made) == 1
    cached(tmp_path, "level", {"window": 2.0}, sound, make)
    cached(tmp_path, "level", {"window": 1.0}, sound * 2, make)
    cached(tmp_path, "loudness", {"window": 1.0}, sound, make)
    assert len(made) == 4


def test_a_name_depends_on_everything_and_not_on_the_order_of_options(tmp_path, monkeypatch):
    path = feature_path(tmp_path, "pitch", {"a": 1, "b": 2}, ("s",))
    assert path == feature_path(tmp_path, "pitch", {"b": 2, "a": 1}, ("s",))
    assert path != feature_path(tmp_path, "pitch", {"a": 1, "b": 2}, ("s", "s"))
    monkeypatch.setattr(cache_module, "VERSION", 99)
    assert path != feature_path(tmp_path, "pitch", {"a": 1, "b": 2}, ("s",))


def test_sounds_are_told_apart_by_samples_and_shape(tmp_path):
    sound = np.arange(6, dtype=np.float32)
    assert sound_sha256(sound) == sound_sha256(sound.copy())
    assert sound_sha256(sound) != sound_sha256(sound.reshape(2, 3))
    assert sound_sha256(sound) != sound_sha256(sound + 1)
    file = tmp_path / "a"
    file.write_bytes(b"1")
    assert sound_sha256(file) != sound_sha256(sound)


def test_a_cache_that_cannot_be_written_says_so(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ResourceError, match="cannot write"):
        clip_features([voice(0.2, 0)], cache=blocked / "cache", pitch="dio", workers=1)


# Processes


def _die(job):
    os._exit(1)


def _threads(job):
    from covermaker.weights.device import torch_ready

    return torch_ready().get_num_threads(), os.getpid()


def test_a_dead_process_is_one_clear_line():
    with pytest.raises(ResourceError, match="ended from outside"):
        list(in_processes(_die, [1, 2], workers=2))


@pytest.mark.parametrize("workers", [1, 2])
def test_work_has_one_thread_wherever_it_is_done(workers):
    found = list(in_processes(_threads, [1, 2, 3], workers=workers))
    assert {threads for threads, _ in found} == {1}
    assert (os.getpid() in {process for _, process in found}) == (workers == 1)
