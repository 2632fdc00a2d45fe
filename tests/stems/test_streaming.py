"""What every separator shares: rate, length, residue, and no half-written stems."""

from __future__ import annotations

import math

import numpy as np
import pytest

from covermaker.errors import AudioInputError
from covermaker.stems.streaming import BlockQueue, StemWriter, relative_db, song_blocks


@pytest.mark.parametrize("rate", [44100, 48000, 88200, 96000])
@pytest.mark.parametrize("frames", [1, 1023, 44101])
def test_there_and_back_again_keeps_length_and_sum(noise, write_song, load_stems, tmp_path, rate, frames):
    samples = noise(frames)
    song = write_song(samples, rate)
    with StemWriter(song, tmp_path / "out", ["a", "b"], sample_rate=44100) as writer:
        for block in song_blocks(song, 44100):
            writer.write(np.stack([0.25 * block, 0.75 * block]))
        report = writer.finish()
    stems = load_stems(tmp_path / "out", ["a", "b"])
    assert report.frames == frames
    assert stems["a"].shape == stems["b"].shape == (2, frames)
    np.testing.assert_allclose(stems["a"] + stems["b"], samples, atol=1e-7)


def test_the_residue_is_measured_and_given_to_the_last(noise, write_song, load_stems, tmp_path):
    samples = noise(5000)
    with StemWriter(write_song(samples), tmp_path / "out", ["a", "b"], sample_rate=44100) as writer:
        writer.write(np.stack([0.5 * samples, 0.4 * samples]))
        report = writer.finish()
    assert report.residue_db == pytest.approx(-20.0, abs=0.01)
    np.testing.assert_allclose(load_stems(tmp_path / "out", ["b"])["b"], 0.5 * samples, atol=1e-7)


def test_a_stream_that_ends_early_is_made_up_for(noise, write_song, load_stems, tmp_path):
    samples = noise(5000)
    with StemWriter(write_song(samples), tmp_path / "out", ["a", "b"], sample_rate=44100) as writer:
        writer.write(np.stack([samples[:, :4000], 0 * samples[:, :4000]]))
        writer.finish()
    stems = load_stems(tmp_path / "out", ["a", "b"])
    assert not stems["a"][:, 4000:].any()
    assert np.array_equal(stems["b"][:, 4000:], samples[:, 4000:])


def test_too_much_is_cut(noise, write_song, load_stems, tmp_path):
    samples = noise(5000)
    with StemWriter(write_song(samples[:, :3000]), tmp_path / "out", ["a"], sample_rate=44100) as writer:
        writer.write(samples[None])
        report = writer.finish()
    assert report.residue_db == -math.inf
    assert np.array_equal(load_stems(tmp_path / "out", ["a"])["a"], samples[:, :3000])


def test_nothing_is_left_of_a_failure(noise, write_song, tmp_path):
    def fail():
        with StemWriter(write_song(noise(5000)), tmp_path / "out", ["a", "b"], sample_rate=44100) as writer:
            writer.write(np.zeros((2, 2, 100), np.float32))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("shape", "message"), [((1, 100), "1 channels"), ((6, 100), "6 channels"), ((2, 0), "no")]
)
def test_songs_that_cannot_be_separated(write_song, shape, message):
    with pytest.raises(AudioInputError, match=message):
        list(song_blocks(write_song(np.zeros(shape)), 44100))


def test_a_queue_takes_any_cut():
    queue = BlockQueue(np.arange(start, start + 3)[None] for start in (0, 3, 6))
    assert queue.fill() == 3
    assert queue.take(2).tolist() == [[0, 1]]
    assert queue.fill() == 1
    assert queue.take(1).tolist() == [[2]]
    assert queue.fill() == 3


@pytest.mark.parametrize(
    ("energy", "reference", "level_db"),
    [(1, 100, -20), (0, 1, -math.inf), (0, 0, -math.inf), (1, 0, math.inf)],
)
def test_levels(energy, reference, level_db):
    assert relative_db(energy, reference) == level_db
