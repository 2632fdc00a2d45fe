"""Files of a mix's parts: however many there are, their sum is the mix."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from covermaker.audio.files import wav_writer
from covermaker.errors import AudioInputError
from covermaker.export.labels import Labels
from covermaker.export.mix_stems import STEP, write_mix_stems

RATE, FRAMES = 44_100, 70_001


def write(path, sound):
    with wav_writer(path, sample_rate=RATE, channels=2) as writer:
        writer.write(np.ascontiguousarray(sound, np.float32))
    return path


def made(folder, sounds, *, mix=None):
    """Write parts; returns the report and what is read back, as float64."""
    total = np.sum(sounds, axis=0, dtype=np.float64) if mix is None else mix
    heard = write(folder / "mix.wav", total)
    raw = [write(folder / f"raw {number}.wav", sound) for number, sound in enumerate(sounds)]
    parts = {folder / f"stem {number}.wav": path for number, path in enumerate(raw)}
    report = write_mix_stems(parts, heard, labels={path: Labels({"title": path.stem}) for path in parts})
    return report, [soundfile.read(path)[0].T for path in parts], soundfile.read(heard)[0].T


def noise(count, scale=0.05):
    rng = np.random.default_rng(5)
    return [rng.standard_normal((2, FRAMES)).astype(np.float32) * scale for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, 16])
def test_the_sum_is_within_a_step_of_the_mix(tmp_path, count):
    report, stems, mix = made(tmp_path, noise(count))
    assert report.bits == 24
    off = np.abs(np.sum(stems, axis=0) - mix).max()
    assert off <= 0.5 * STEP * 1.001
    assert report.error_steps == pytest.approx(off / STEP)
    assert soundfile.info(tmp_path / "stem 0.wav").subtype == "PCM_24"


def test_rounding_each_alone_would_not_do(tmp_path):
    sounds = noise(16)
    _, _, mix = made(tmp_path, sounds)
    alone = np.sum([np.rint(sound.astype(np.float64) / STEP) * STEP for sound in sounds], axis=0)
    assert np.abs(alone - mix).max() > STEP


def test_a_stem_is_within_a_step_of_its_part_and_silence_stays_silence(tmp_path):
    sounds = noise(4)
    sounds[2][:, 10_000:30_000] = 0.0
    _, stems, _ = made(tmp_path, sounds)
    for stem, sound in zip(stems, sounds, strict=True):
        assert np.abs(stem - sound).max() <= STEP
    assert not stems[2][:, 10_000:30_000].any()


def test_what_integers_would_clip_is_float(tmp_path):
    sounds = noise(3)
    sounds[0][0, 5] = 1.3
    sounds[1][0, 5] = -1.2
    report, stems, mix = made(tmp_path, sounds)
    assert report.bits == 32
    assert soundfile.info(tmp_path / "stem 1.wav").subtype == "FLOAT"
    assert np.abs(np.sum(stems, axis=0) - mix).max() <= 0.5 * STEP
    assert stems[0][0, 5] == pytest.approx(1.3)


def test_a_part_that_is_missing_is_not_hidden(tmp_path):
    sounds = noise(3)
    report, stems, mix = made(tmp_path, sounds[:2], mix=np.sum(sounds, axis=0))
    off = np.abs(np.sum(stems, axis=0) - mix).max()
    assert report.error_steps == pytest.approx(off / STEP)
    assert off > 0.05


def test_the_files_carry_their_tags_and_are_the_same_again(tmp_path):
    from mutagen.wave import WAVE

    made(tmp_path, noise(2))
    before = (tmp_path / "stem 0.wav").read_bytes()
    assert str(WAVE(tmp_path / "stem 0.wav").tags["TIT2"]) == "stem 0"
    made(tmp_path, noise(2))
    assert (tmp_path / "stem 0.wav").read_bytes() == before


def test_a_part_of_another_length_is_refused_and_nothing_is_written(tmp_path):
    heard = write(tmp_path / "mix.wav", noise(1)[0])
    short = write(tmp_path / "short.wav", noise(1)[0][:, :-1])
    out = tmp_path / "stem.wav"
    with pytest.raises(AudioInputError, match=r"'short.wav' is no part of 'mix.wav'"):
        write_mix_stems({out: short}, heard, labels={out: Labels()})
    assert not out.exists()
