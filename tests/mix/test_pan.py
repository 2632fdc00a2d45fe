from __future__ import annotations

import numpy as np
import pytest

from covermaker.mix.pan import pan_gains


def test_the_middle_is_exactly_one() -> None:
    assert pan_gains(0.0, channels=1) == pan_gains(0.0, channels=2) == (1.0, 1.0)


@pytest.mark.parametrize("pan", [-1.0, -0.7, -0.1, 0.2, 0.5, 1.0])
def test_mono_keeps_its_power_everywhere(pan: float) -> None:
    left, right = pan_gains(pan, channels=1)
    assert left**2 + right**2 == pytest.approx(2.0)
    assert (left > right) == (pan < 0.0)
    assert pan_gains(-pan, channels=1) == pytest.approx((right, left))


@pytest.mark.parametrize("pan", [-1.0, -0.3, 0.4, 1.0])
def test_stereo_is_balanced(pan: float) -> None:
    left, right = pan_gains(pan, channels=2)
    assert max(left, right) == 1.0
    assert (right if pan < 0 else left) == pytest.approx(np.cos(abs(pan) * np.pi / 2), abs=1e-12)


def test_hard_left() -> None:
    assert pan_gains(-1.0, channels=1) == pytest.approx((2**0.5, 0.0))
    assert pan_gains(-1.0, channels=2) == pytest.approx((1.0, 0.0))
