"""What songs are thought to take, whatever length they are told to have."""

import math

import pytest

from covermaker.batch.entries import LONGEST_SECONDS
from covermaker.batch.estimate import memory_of, seconds_of


@pytest.mark.parametrize("seconds", [float("9" * 308), math.inf, 2 * LONGEST_SECONDS])
def test_no_length_is_too_long_to_be_reckoned_with(seconds):
    assert memory_of(seconds, "demucs") == memory_of(LONGEST_SECONDS, "demucs")
    assert seconds_of(seconds, "demucs", score=True) == seconds_of(LONGEST_SECONDS, "demucs", score=True)


@pytest.mark.parametrize("seconds", [math.nan, -1.0, 0.0])
def test_what_is_no_length_counts_as_unknown(seconds):
    assert memory_of(seconds, "spleeter") == memory_of(None, "spleeter")
