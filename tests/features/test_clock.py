import numpy as np
import pytest

from covermaker.features.clock import f0_at_clock, f0_at_times, frame_count, frame_times


@pytest.mark.parametrize(
    ("frames", "sample_rate", "count"),
    [
        (0, 44100, 1),
        (1, 44100, 1),
        (440, 44100, 1),
        (441, 44100, 2),
        (442, 44100, 2),
        (44100, 44100, 101),
        (110, 11025, 1),
        (111, 11025, 2),
        (158_760_000, 44100, 360_001),
        (192_000, 192_000, 101),
    ],
)
def test_count_is_exact_integer_arithmetic(frames, sample_rate, count):
    assert frame_count(frames, sample_rate) == count


@pytest.mark.parametrize("sample_rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
def test_last_frame_lies_inside_and_the_next_would_not(sample_rate):
    for frames in range(1, 3 * sample_rate // 100):
        count = frame_count(frames, sample_rate)
        assert (count - 1) * sample_rate <= frames * 100 < count * sample_rate


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="no clock"):
        frame_count(-1, 44100)
    with pytest.raises(ValueError, match="no clock"):
        frame_count(1, 0)


def test_pitch_between_two_clocks_is_linear_in_log_frequency():
    source = np.arange(0, 1, 512 / 44100)
    f0 = 110 * 2 ** (source * 2)
    count = int(source[-1] * 100) + 1
    read = f0_at_clock(f0, source, count)
    assert read.dtype == np.float32
    np.testing.assert_allclose(1200 * np.log2(read / (110 * 2 ** (frame_times(count) * 2))), 0, atol=1e-3)


def test_voiced_and_unvoiced_are_never_mixed():
    f0 = np.array([0, 200, 0, 0, 400, 410, 0], dtype=np.float64)
    times = np.arange(7) * 0.013
    read = f0_at_clock(f0, times, 9)
    assert all(value == 0 or value == 200 or 399.99 <= value <= 410.01 for value in read)
    assert (read == 200).any()
    assert (read == 0).any()


def test_the_nearer_point_decides_and_ties_go_to_the_earlier():
    read = f0_at_times(
        np.array([0.0, 300.0]), np.array([0.0, 1.0]), np.array([-1.0, 0.0, 0.49, 0.5, 0.51, 1.0, 9.0])
    )
    np.testing.assert_array_equal(read, [0, 0, 0, 0, 300, 300, 300])


def test_reading_a_curve_on_its_own_clock_changes_nothing():
    f0 = np.array([0, 100, 101, 0, 0, 333.25], dtype=np.float32)
    np.testing.assert_allclose(f0_at_clock(f0, frame_times(6), 6), f0, rtol=1e-6)


def test_empty_curves_are_silence():
    nothing, when = np.zeros(0), np.zeros(0)
    np.testing.assert_array_equal(f0_at_clock(nothing, when, 3), [0, 0, 0])


def test_one_point_holds_everywhere():
    np.testing.assert_array_equal(f0_at_clock(np.array([220.0]), np.array([0.02]), 4), [220] * 4)
