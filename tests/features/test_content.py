"""Content's rows: how many, where they lie, what seams and silence do."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from covermaker.errors import UsageError
from covermaker.features import content
from covermaker.features.clock import frame_count
from covermaker.features.content import CONTENT_DIM, content_at, encode_clips, extract_content
from covermaker.features.encoders import encoders_of


def syllables(seconds: float, rate: int = 16_000, *, seed: int = 3) -> np.ndarray:
    """A babble: glottal-like pulses through moving resonances, with pauses."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    pitch = 150 + 30 * np.sin(2 * np.pi * 0.7 * time)
    buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / rate))
    slow = np.interp(
        time, np.arange(0, seconds + 1, 0.15), rng.uniform(0, 1, len(np.arange(0, seconds + 1, 0.15)))
    )
    voice = buzz * slow + rng.normal(0, 0.3, len(time)) * (1 - slow) ** 3
    return (0.1 * voice).astype(np.float32)


@pytest.fixture
def write(tmp_path: Path):
    def to_file(samples: np.ndarray, rate: int = 16_000) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.wav"
        soundfile.write(path, samples, rate, subtype="FLOAT")
        return path

    return to_file


@pytest.mark.parametrize(
    ("samples", "rate"),
    [(1, 16_000), (159, 16_000), (160, 16_000), (320, 16_000), (44_099, 44_100), (3, 8_000)],
)
def test_rows_cover_the_clock_exactly(write, samples: int, rate: int) -> None:
    rows = extract_content(write(syllables(max(samples, rate) / rate, rate)[:samples], rate))
    assert rows.shape == (-(-frame_count(samples, rate) // 2), CONTENT_DIM)
    assert rows.dtype == np.float16
    assert np.isfinite(rows).all()


def test_silence_is_zeros_and_never_loads_the_encoder(write, monkeypatch) -> None:
    monkeypatch.setattr(content, "opened", lambda *which: pytest.fail("the encoder was loaded"))
    rows = extract_content(write(np.zeros(40 * 16_000, np.float32)))
    assert rows.shape == (2001, CONTENT_DIM)
    assert not rows.any()


def ruler(window: np.ndarray) -> np.ndarray:
    """Stand in for Whisper: row i is the level of its own 20 ms, and rubbish near the window's edges."""
    rows = np.abs(window).reshape(1500, 320).mean(axis=1)[:, None] * np.ones((1, CONTENT_DIM), np.float32)
    rows[:95] += 1e3 * (window[0] != 0)  # the start of a song has nothing before it
    rows[-95:] += 1e3
    return rows


@pytest.mark.parametrize("seconds", [25.99, 26.0, 30.0, 51.02, 80.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_row_comes_from_a_window_that_saw_both_sides(
    write, monkeypatch, seconds: float, channels: int
) -> None:
    monkeypatch.setattr(content, "opened", lambda *which: ruler)
    levels = np.random.default_rng(2).uniform(0.1, 0.9, int(seconds * 50) + 1).astype(np.float32)
    voice = np.repeat(levels, 320)[: int(seconds * 16_000)]
    voice[0] = 0.0
    sound = voice if channels == 1 else np.stack([voice * 0.5, voice * 1.5], axis=1)
    told: list[float] = []
    rows = extract_content(write(sound), progress=told.append)
    whole = len(voice) // 320
    assert np.allclose(rows[1:whole, 0], levels[1:whole], atol=2e-3)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_an_event_lies_at_its_own_time_and_a_second_run_is_identical(write) -> None:
    """A burst at 2.0 s of a 44.1 kHz file changes the rows there, and less elsewhere."""
    rate = 44_100
    quiet = np.random.default_rng(0).normal(0, 1e-3, 4 * rate).astype(np.float32)
    loud = quiet.copy()
    loud[2 * rate : 2 * rate + rate // 10] += 5 * syllables(0.1, rate)[: rate // 10]
    first, second = extract_content(write(quiet, rate)), extract_content(write(loud, rate))
    assert np.array_equal(second, extract_content(write(loud, rate)))
    change = np.linalg.norm(second.astype(np.float32) - first, axis=1)
    inside = change[98:108].mean()
    assert inside > 1.5 * change[20:70].mean()
    assert inside > 1.5 * change[140:190].mean()
    centre = np.average(np.arange(85, 121), weights=np.maximum(change[85:121] - np.median(change), 0) ** 2)
    assert centre == pytest.approx(102.5, abs=4)


@pytest.mark.slow
def test_seams_do_not_matter(write) -> None:
    """Around 25-26 s, where two windows join, rows differ no more from those of another cut than elsewhere.

    Whisper's rows depend on where in the window they lie, so they are compared in units of each column's own
    deviation, against the same song cut 10 s later.
    """
    voice = syllables(40.0)
    whole = extract_content(write(voice)).astype(np.float32)
    later = extract_content(write(voice[10 * 16_000 :])).astype(np.float32)
    spread = whole.std(axis=0)

    def difference(rows: slice) -> float:
        ours, theirs = whole[rows] / spread, later[rows.start - 500 : rows.stop - 500] / spread
        return float(np.linalg.norm(ours - theirs) / np.linalg.norm(ours))

    assert difference(slice(1230, 1320)) < 1.25 * difference(slice(900, 1100))


def test_clips_packed_into_one_window_read_nearly_as_alone() -> None:
    clips = [syllables(1.0, seed=1), syllables(0.501, seed=2)]
    packed = encode_clips(clips)
    assert [len(rows) for rows in packed] == [50, 26]
    alone = encode_clips(clips[:1])[0]
    cosine = (
        np.sum(alone * packed[0], axis=1) / np.linalg.norm(alone, axis=1) / np.linalg.norm(packed[0], axis=1)
    )
    assert np.median(cosine) > 0.8


def test_threads_do_not_move_rows() -> None:
    clips = [syllables(1.0, seed=1)]
    one, two = (encode_clips(clips, threads=threads)[0].astype(np.float32) for threads in (1, 2))
    assert np.linalg.norm(one - two) < 2e-3 * np.linalg.norm(two)


def test_every_clip_gets_its_own_rows_whatever_the_lengths(monkeypatch) -> None:
    """Packs end where the next clip would not fit; the rows of each clip are those of its own samples."""
    monkeypatch.setattr(content, "opened", lambda *which: lambda window: ruler(window) - ruler(window * 0))
    rng = np.random.default_rng(0)
    lengths = [1, 319, 320, 321, 5000, 160_000, 240_000, 16_000, 100_001, 320_000, 16_000]
    clips = [rng.uniform(0.1, 0.9, length).astype(np.float32) for length in lengths]
    groups = content.clip_groups(lengths, encoders_of("whisper-base")[0])
    assert [index for group in groups for index in group] == list(range(len(lengths)))
    assert groups == [tuple(range(8)), (8, 9, 10)]
    told: list[float] = []
    rows = encode_clips(clips, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    for clip, found in zip(clips, rows, strict=True):
        assert found.shape == (-(-len(clip) // 320), CONTENT_DIM)
        whole = np.pad(clip, (0, -len(clip) % 320)).reshape(-1, 320).mean(axis=1)
        assert (
            np.abs(found[:, 0] % 1000 - whole).max() < 0.6
        )  # float16 of about 1000 where the ruler is rubbish


@pytest.mark.slow
def test_a_clip_longer_than_a_window_is_read_like_a_vocal(write) -> None:
    voice = syllables(40.0)
    rows = encode_clips([voice])[0]
    assert rows.shape == (2000, CONTENT_DIM)
    assert np.array_equal(rows[:1900], extract_content(write(voice))[:1900])


def test_no_clips_are_no_rows() -> None:
    assert encode_clips([]) == []


def test_an_unknown_encoder_names_the_nearest(write) -> None:
    path = write(np.ones(10, np.float32))
    with pytest.raises(
        UsageError, match=r"unknown content encoder 'whisper-bse'.*did you mean 'whisper-base'"
    ):
        extract_content(path, encoder="whisper-bse")
    with pytest.raises(UsageError, match="names one encoder twice"):
        extract_content(path, encoder="whisper-base+whisper-base")


def test_content_at_means_between_rows_and_holds_the_ends() -> None:
    rows = np.arange(4, dtype=np.float16)[:, None] * np.ones((1, 2), np.float16)
    assert content_at(rows, 0, 7)[:, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert content_at(rows, -2, 3)[:, 0].tolist() == [0, 0, 0]
    assert content_at(rows, 6, 3)[:, 1].tolist() == [3, 3, 3]
    assert content_at(rows, 3, 2).dtype == np.float32
    assert content_at(rows[:0], 0, 3).shape == (3, 2)
    assert content_at(rows, -1, 9, held=True)[:, 0].tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 3]
    assert content_at(rows, 0, 3, held=True).dtype == np.float32


def test_any_cut_of_the_clock_equals_the_whole() -> None:
    rows = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float16)
    whole = content_at(rows, 0, 99)
    for start, count in ((0, 1), (1, 7), (40, 59)):
        assert np.array_equal(content_at(rows, start, count), whole[start : start + count])
