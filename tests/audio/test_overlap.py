import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from covermaker.audio.overlap import OverlapAdd, fade_in_ramp, plan


def passed_through(signal, chunk, overlap, process=lambda part, chunk: part):
    joiner = OverlapAdd()
    parts = [
        joiner.push(c, process(signal[..., c.start : c.stop], c), next_overlap=overlap)
        for c in plan(signal.shape[-1], chunk=chunk, overlap=overlap)
    ]
    return np.concatenate(parts, axis=-1) if parts else signal[..., :0]


@given(total=st.integers(0, 300), chunk=st.integers(1, 70), share=st.floats(0, 0.999))
def test_unchanged_chunks_come_back_unchanged(total, chunk, share):
    overlap = int(chunk * share)
    signal = np.random.default_rng(total).standard_normal((2, total))
    out = passed_through(signal, chunk, overlap)
    assert out.shape == signal.shape
    assert np.allclose(out, signal, atol=1e-12)


@given(total=st.integers(1, 300), chunk=st.integers(1, 70), share=st.floats(0, 0.999))
def test_plan_covers_everything_once(total, chunk, share):
    overlap = int(chunk * share)
    chunks = list(plan(total, chunk=chunk, overlap=overlap))
    assert chunks[0].start == 0
    assert chunks[0].fade_in == 0
    assert chunks[-1].stop == total
    assert [c.last for c in chunks] == [False] * (len(chunks) - 1) + [True]
    for before, after in itertools.pairwise(chunks):
        assert before.stop - after.start == after.fade_in == overlap
        assert after.stop > before.stop  # never a chunk of nothing but shared positions


def test_the_fade_between_two_levels_is_a_straight_line():
    signal = np.zeros((1, 20))
    out = passed_through(signal, 12, 4, lambda part, chunk: part + chunk.index)
    assert np.allclose(out[0, :8], 0)
    assert np.allclose(out[0, 8:12], fade_in_ramp(4))
    assert np.allclose(out[0, 12:], 1)


def test_memory_holds_only_the_shared_stretch():
    joiner = OverlapAdd()
    for chunk in plan(1000, chunk=100, overlap=10):
        joiner.push(chunk, np.ones((1, chunk.length)), next_overlap=10)
        assert joiner._held is None or joiner._held.shape[-1] == 10
    assert joiner._held is None


@pytest.mark.parametrize(("chunk", "overlap"), [(10, 10), (10, 11), (10, -1)])
def test_impossible_overlap_is_refused(chunk, overlap):
    with pytest.raises(ValueError, match="overlap"):
        list(plan(100, chunk=chunk, overlap=overlap))


def test_wrong_block_and_wrong_order_are_refused():
    first, second, *_ = plan(100, chunk=40, overlap=5)
    with pytest.raises(ValueError, match="40 positions, its block 39"):
        OverlapAdd().push(first, np.zeros((1, 39)), next_overlap=5)
    with pytest.raises(ValueError, match="in order"):
        OverlapAdd().push(second, np.zeros((1, second.length)), next_overlap=5)


def test_the_input_block_is_left_alone():
    block = np.ones((1, 40))
    joiner = OverlapAdd()
    first, second, *_ = plan(100, chunk=40, overlap=5)
    joiner.push(first, np.zeros((1, 40)), next_overlap=5)
    joiner.push(second, block, next_overlap=5)
    assert (block == 1).all()
