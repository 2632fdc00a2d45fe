"""Batches hold together: what belongs to one moment stays with it."""

from pathlib import Path

import numpy as np
import pytest

from covermaker.errors import AudioInputError
from covermaker.training.dataset import Dataset, Example, held_through, load_example, save_example

RATE, HOP = 16_000, 160


def example(frames: int, *, readings: int = 2, speaker: int = 0) -> Example:
    """Every feature of frame i tells i."""
    index = np.arange(frames, dtype=np.float32)
    rows = np.repeat(np.arange(0, frames + 1, 2, dtype=np.float16)[:, None], 3, axis=1)
    return Example(
        target=np.repeat(index, HOP) / 10_000,
        f0_hz=100 + index,
        loudness_db=np.full(frames, -20.0, np.float32),
        contents=tuple(rows for _ in range(readings)),
        speaker=speaker,
    )


def test_cuts_are_aligned_across_features() -> None:
    dataset = Dataset([example(300), example(500, speaker=1)], sample_rate=RATE, clip_frames=40)
    batch = dataset.batch(32, np.random.default_rng(0))
    start = batch.f0_hz[:, 0] - 100
    assert np.allclose(batch.content[:, 0, 0], start)
    assert np.allclose(batch.content[:, 39, 1], start + 39)
    gain = batch.target[:, 30 * HOP] * 10_000 / (start + 30)
    assert np.allclose(batch.target[:, 31 * HOP] * 10_000, (start + 31) * gain, rtol=1e-3)
    # The gain of the target is the gain told in the loudness, up to its jitter.
    told = 10 ** ((batch.loudness_db.mean(axis=1) + 20) / 20)
    assert np.allclose(20 * np.log10(told / gain), 0, atol=1.5)
    assert 20 * np.log10(gain.max() / gain.min()) > 6
    assert set(batch.speaker) == {0, 1}
    steps = (batch.phase_cycles[:, 1:] - batch.phase_cycles[:, :-1]) % 1.0
    assert np.allclose(steps, ((batch.f0_hz[:, 1:] + batch.f0_hz[:, :-1]) / 200) % 1.0, atol=1e-4)


def test_the_same_draws_give_the_same_batch() -> None:
    dataset = Dataset([example(300)], sample_rate=RATE, clip_frames=40)
    first, second = (dataset.batch(4, np.random.default_rng(9)) for _ in range(2))
    assert all(
        np.array_equal(getattr(first, n), getattr(second, n)) for n in ("content", "target", "loudness_db")
    )


def test_short_takes_are_left_out_and_none_is_an_error() -> None:
    assert len(Dataset([example(39), example(40)], sample_rate=RATE, clip_frames=40).examples) == 1
    with pytest.raises(AudioInputError, match=r"as long as the 0\.4 s"):
        Dataset([example(39)], sample_rate=RATE, clip_frames=40)


def test_statistics_are_those_of_all_rows() -> None:
    dataset = Dataset([example(300), example(100)], sample_rate=RATE, clip_frames=40)
    rows = np.concatenate([r for e in dataset.examples for r in e.contents]).astype(np.float64)
    mean, spread = dataset.content_statistics()
    assert np.allclose(mean, rows.mean(axis=0), rtol=1e-5)
    assert np.allclose(spread, rows.std(axis=0), rtol=1e-5)
    assert dataset.seconds == pytest.approx(4.0)


def test_gaps_are_bridged() -> None:
    assert held_through(np.array([0, 100, 0, 200, 0], np.float32)).tolist() == [100, 100, 150, 200, 200]
    assert held_through(np.zeros(3, np.float32)).tolist() == [0, 0, 0]


def test_a_stored_example_comes_back_equal(tmp_path: Path) -> None:
    given = example(60, readings=3, speaker=2)
    save_example(given, tmp_path / "example.npz")
    again = load_example(tmp_path / "example.npz")
    before, after = (Dataset([one], sample_rate=RATE, clip_frames=40) for one in (given, again))
    assert after.fingerprint() == before.fingerprint()
    assert len(again.contents) == 3
    assert again.speaker == 2
    again.target[3] += 1e-3
    assert after.fingerprint() != before.fingerprint()


def test_who_sings_which_counts_where_several_sing() -> None:
    def fingerprint(*speakers: int) -> str:
        examples = [example(60 + 10 * n, speaker=speaker) for n, speaker in enumerate(speakers)]
        return Dataset(examples, sample_rate=RATE, clip_frames=40).fingerprint()

    assert len({fingerprint(0, 0, 0), fingerprint(0, 0, 1), fingerprint(0, 1, 0)}) == 3
    # What voices of one singer were trained on keeps its name.
    assert fingerprint(0) == "90c9ad5c15283b54a2afed2d8198a84d9b30255aa33c217196b4b1f7dc0debbc"
