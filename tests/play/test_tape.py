"""A tape reads a file from anywhere as if it had been read, and resampled, whole."""

import counting
import numpy as np
import pytest

from covermaker.audio.buffer import Audio
from covermaker.audio.files import read
from covermaker.audio.resample import resample, resampled_frames
from covermaker.errors import AudioInputError
from covermaker.play.tape import Tape

NOISE = np.random.default_rng(3).uniform(-0.5, 0.5, (2, 44_100)).astype(np.float32)


@pytest.mark.parametrize(
    ("from_rate", "to_rate"),
    [(44_100, 44_100), (44_100, 48_000), (48_000, 44_100), (16_000, 48_000), (96_000, 44_100)],
)
@pytest.mark.parametrize("frame", [0, 1, 147, 12_345, 16_001])
def test_from_any_frame_it_is_the_whole_file_resampled(tmp_path, from_rate, to_rate, frame):
    path = counting.write(tmp_path / "noise.wav", NOISE, from_rate)
    whole = resample(Audio(NOISE, from_rate), to_rate).samples
    tape = Tape(path, to_rate)
    tape.seek(frame)
    assert tape.frames == whole.shape[1]
    assert np.array_equal(tape.read(999), whole[:, frame : frame + 999])
    assert np.array_equal(tape.read(1), whole[:, frame + 999 : frame + 1000])


def test_in_odd_pieces_it_is_the_same_and_ends_in_silence(tmp_path):
    path = counting.write(tmp_path / "noise.wav", NOISE, 44_100)
    tape = Tape(path, 48_000)
    pieces = [tape.read(size) for size in (1, 7, 4096, 30_000, 20_000)]
    sound = np.concatenate(pieces, axis=1)
    whole = resample(Audio(NOISE, 44_100), 48_000).samples
    assert np.array_equal(sound[:, : whole.shape[1]], whole)
    assert not sound[:, whole.shape[1] :].any()


def test_it_begins_where_it_is_laid_on_the_time_line(tapes):
    tape = Tape(tapes[0], counting.RATE, at_seconds=0.5)
    tape.seek(22_040)
    assert tape.frames == 22_050 + 3 * counting.RATE
    sound = tape.read(20)
    assert not sound[:, :10].any()
    assert np.array_equal(sound[:, 10:], counting.counting(10))


def test_mono_goes_to_both_sides_and_a_centre_to_both_at_minus_3_db(tmp_path):
    mono = Tape(counting.write(tmp_path / "mono.wav", NOISE[:1]), counting.RATE).read(100)
    assert np.array_equal(mono, np.repeat(NOISE[:1, :100], 2, axis=0))
    surround = np.zeros((6, 100), np.float32)
    surround[2] = 0.5
    centre = Tape(counting.write(tmp_path / "six.wav", surround), counting.RATE).read(100)
    assert np.allclose(centre, 0.5 * 0.5**0.5)


def test_a_compressed_file_is_sought_to_the_sample(tmp_path):
    import soundfile

    path = tmp_path / "song.mp3"
    soundfile.write(path, NOISE.T, 44_100)
    whole = read(path).samples
    tape = Tape(path, 44_100)
    tape.seek(30_001)
    assert np.array_equal(tape.read(5000), whole[:, 30_001:35_001])


def test_a_file_with_nan_is_refused_in_words(tmp_path):
    broken = NOISE.copy()
    broken[0, 100] = np.nan
    with pytest.raises(AudioInputError, match="holds NaN"):
        Tape(counting.write(tmp_path / "nan.wav", broken), counting.RATE).read(10)


def test_lengths_are_those_of_the_resampler(tmp_path):
    path = counting.write(tmp_path / "short.wav", NOISE[:, :147], 44_100)
    assert Tape(path, 48_000).frames == resampled_frames(147, 44_100, 48_000) == 160
