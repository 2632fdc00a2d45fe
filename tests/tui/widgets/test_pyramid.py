"""The pyramid says the same as a look at every sample."""

import numpy as np
import pytest

from covermaker.audio.peaks import Outline
from covermaker.tui.widgets.pyramid import Pyramid

RNG = np.random.default_rng(5)
HIGH = RNG.uniform(0, 1, 10_001).astype(np.float32)
LOW = -RNG.uniform(0, 1, 10_001).astype(np.float32)


@pytest.mark.parametrize("count", [1, 7, 118, 236, 1000])
def test_a_column_has_the_extremes_of_its_stretch(count):
    pyramid = Pyramid(LOW, HIGH, 0.01)
    low, high = pyramid.columns(0.0, pyramid.seconds, count)
    edges = np.linspace(0, len(HIGH), count + 1)
    slack = len(HIGH) / count / 4 + 1  # a column's edge may be off by a quarter of it
    for column in range(count):
        begin, end = edges[column], edges[column + 1]
        inner = slice(int(np.ceil(begin + slack)), max(int(np.ceil(begin + slack)), int(end - slack)))
        outer = slice(max(0, int(begin - slack)), int(end + slack) + 1)
        assert high[column] <= HIGH[outer].max()
        assert low[column] >= LOW[outer].min()
        if inner.stop > inner.start:
            assert high[column] >= HIGH[inner].max()
            assert low[column] <= LOW[inner].min()


def test_the_loudest_moment_is_at_every_scale():
    high = np.zeros(5000, np.float32)
    high[3210] = 0.9
    pyramid = Pyramid(-high, high, 0.01)
    for count in (1, 3, 50, 500, 5000):
        _, found = pyramid.columns(0.0, 50.0, count)
        assert found.max() == np.float32(0.9)
        assert abs(int(found.argmax()) - 3210 * count // 5000) <= 1


def test_beside_the_sound_it_is_flat_and_far_in_it_repeats_buckets():
    pyramid = Pyramid(LOW[:4], HIGH[:4], 1.0)
    _, high = pyramid.columns(-2.0, 6.0, 8)
    assert high.tolist() == [0, 0, *HIGH[:4].tolist(), 0, 0]
    _, near = pyramid.columns(1.0, 2.0, 4)
    assert near.tolist() == [HIGH[1]] * 4


def test_an_empty_sound_and_an_empty_view():
    empty = np.zeros(0, np.float32)
    assert Pyramid(empty, empty, 0.01).columns(0, 1, 3)[1].tolist() == [0, 0, 0]
    assert Pyramid(LOW, HIGH, 0.01).columns(1, 1, 3)[1].tolist() == [0, 0, 0]


def test_an_outline_of_a_file_becomes_one():
    pyramid = Pyramid.of(Outline(LOW, HIGH, HIGH, 441, 44_100))
    assert pyramid.bucket_seconds == pytest.approx(0.01)
    assert pyramid.seconds == pytest.approx(100.01)
