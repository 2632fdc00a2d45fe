"""Moves that wait until the sound they are for comes out."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.effects.glide import Glide
from covermaker.effects.late_glide import LateGlide
from covermaker.effects.spec import MOVE_SAMPLES


def course(glide: Glide | LateGlide, size: int) -> np.ndarray:
    """A walk with moves at 128 and 320, taken in pieces of `size` between them."""
    taken = []
    for start, stop, goal in ((0, 128, None), (128, 320, 1.0), (320, 2000, -2.0)):
        if goal is not None:
            glide.to(goal)
        for at in range(start, stop, size):
            count = min(size, stop - at)
            taken.append(np.broadcast_to(glide.take(count), count))
    return np.concatenate(taken)


@pytest.mark.parametrize("late", [0, 1, 100, 500])
@pytest.mark.parametrize("size", [1, 63, 64, 1000])
def test_it_is_the_same_course_later(late: int, size: int) -> None:
    expected = course(Glide(0.5), 1000)
    made = course(LateGlide(0.5, late), size)
    assert np.array_equal(made[late:], expected[: len(expected) - late])
    assert (made[:late] == 0.5).all()


def test_where_nothing_moves_it_is_a_number() -> None:
    glide = LateGlide(0.5, 200)
    glide.to(1.0)
    assert glide.take(200) == 0.5
    assert isinstance(glide.take(MOVE_SAMPLES), np.ndarray)
    assert glide.take(10) == 1.0
