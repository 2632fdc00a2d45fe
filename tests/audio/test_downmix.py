import numpy as np
import pytest

from covermaker.audio.downmix import mix_down, stereo_matrix, widen


def test_layout_names_count_more_than_order():
    usual = stereo_matrix(6)
    swapped = stereo_matrix(6, ("FL", "FR", "SL", "SR", "FC", "LFE"))
    assert np.array_equal(usual, swapped[:, [0, 1, 4, 5, 2, 3]])
    assert np.array_equal(stereo_matrix(6, ("NONE",) * 6), usual)


@pytest.mark.parametrize("channels", range(1, 12))
def test_left_and_right_are_treated_alike(channels):
    matrix = stereo_matrix(channels)
    assert matrix.shape == (2, channels)
    if channels % 2 == 0 or channels < 9:
        assert matrix[0].sum() == pytest.approx(matrix[1].sum())


def test_few_channels_pass():
    one, two = np.ones((1, 5), np.float32), np.ones((2, 5), np.float32)
    assert mix_down(two, stereo_matrix(2)) is two
    assert mix_down(one, stereo_matrix(1)) is one
    assert np.array_equal(widen(one), two)
    assert widen(two) is two
