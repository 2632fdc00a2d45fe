"""Level matching turns the louder one down."""

import counting
import numpy as np
import pytest

from covermaker.play.match import matching_gains

RATE = 48_000


def tone(tmp_path, name, level_db, channels=2, seconds=1.0, head=0.0):
    t = np.arange(round(seconds * RATE)) / RATE
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * 997 * t)
    wave = np.concatenate([np.zeros(round(head * RATE)), wave])
    return counting.write(
        tmp_path / f"{name}.wav", np.repeat(wave[None], channels, 0).astype(np.float32), RATE
    )


def test_the_louder_one_comes_down_to_the_quieter(tmp_path):
    loud, quiet = tone(tmp_path, "loud", -10), tone(tmp_path, "quiet", -16)
    assert matching_gains(loud, quiet) == pytest.approx((-6.0, 0.0), abs=0.01)
    assert matching_gains(quiet, loud) == pytest.approx((0.0, -6.0), abs=0.01)


def test_mono_counts_as_it_is_heard_on_two_speakers(tmp_path):
    mono, stereo = tone(tmp_path, "mono", -16, channels=1), tone(tmp_path, "stereo", -16)
    assert matching_gains(mono, stereo) == pytest.approx((0.0, 0.0), abs=0.01)


def test_a_stretch_is_measured_alone_and_silence_matches_nothing(tmp_path):
    late, even = tone(tmp_path, "late", -10, head=2.0), tone(tmp_path, "even", -16, seconds=3.0)
    assert matching_gains(late, even, stretch=(2.0, 3.0)) == pytest.approx((-6.0, 0.0), abs=0.05)
    assert matching_gains(late, even, stretch=(0.0, 1.0)) == (0.0, 0.0)
    assert matching_gains(late, even, stretch=(2.0, 2.1)) == (0.0, 0.0)
