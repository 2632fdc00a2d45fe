"""What songs are thought to take, whatever length they are told to have."""

import math

import pytest

from covermaker.batch.entries import LONGEST_SECONDS
from covermaker.batch.estimate import (
    USUAL_SECONDS,
    cores_of,
    learned,
    memory_of,
    seconds_left,
    seconds_of,
    usual,
)


@pytest.mark.parametrize("seconds", [float("9" * 308), math.inf, 2 * LONGEST_SECONDS])
def test_no_length_is_too_long_to_be_reckoned_with(seconds):
    assert memory_of(seconds, "demucs") == memory_of(LONGEST_SECONDS, "demucs")
    assert seconds_of(seconds, "demucs", score=True) == seconds_of(LONGEST_SECONDS, "demucs", score=True)


@pytest.mark.parametrize("seconds", [math.nan, -1.0, 0.0])
def test_what_is_no_length_counts_as_unknown(seconds):
    assert memory_of(seconds, "spleeter") == memory_of(None, "spleeter")


def test_a_song_of_which_nobody_knows_is_as_long_as_the_others():
    assert usual([10.0, None, 20.0, 0.0]) == 15.0
    assert usual([None]) == USUAL_SECONDS
    alike = seconds_of(None, "spleeter", score=True, usual_seconds=15.0)
    assert alike == seconds_of(15.0, "spleeter", score=True)


def test_fewer_cores_take_longer():
    assert seconds_of(60.0, "spleeter", score=False, cores=1.0) == 2.0 * seconds_of(
        60.0, "spleeter", score=False
    )
    assert [cores_of(16, 4), cores_of(2, 4), cores_of(3, 2)] == [4, 1, 1]


def test_what_is_done_teaches_what_is_left():
    assert learned([]) == 1.0
    assert learned([(20.0, 10.0)] * 2) == 1.0  # too few to learn from
    assert learned([(20.0, 10.0)] * 3) == 2.0
    assert seconds_left([10.0, 10.0], workers=2) == 10.0
    assert seconds_left([10.0, 10.0, 10.0], workers=2) == 15.0
    assert seconds_left([30.0, 1.0], workers=2) == 30.0  # never less than the longest
    assert seconds_left([], workers=2) is None
