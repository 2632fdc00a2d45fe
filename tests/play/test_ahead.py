"""What leaves the render-ahead: no frame lost or repeated, A and B switched at the sample."""

import counting
import numpy as np
import pytest

from covermaker.play.ahead import Ahead
from covermaker.play.deck import Block

FADE = Ahead(counting.RATE).fade_frames


def block(start, frames, mark=0):
    a = counting.counting(frames, "a", start + mark)
    return Block(start, np.stack([a, -a]))


def filled(frames=20_000, start=0, piece=1000):
    ahead = Ahead(counting.RATE)
    ahead.clear(start)
    for at in range(start, start + frames, piece):
        ahead.put(block(at, min(piece, start + frames - at)))
    ahead.play()
    return ahead


def pulls(ahead, *sizes):
    return np.concatenate([ahead.pull(size) for size in sizes], axis=1)


@pytest.mark.parametrize("size", [1, 3, 441, 999, 1000, 1001, 4096])
def test_frames_leave_in_order_in_pieces_of_any_size(size):
    ahead = filled(5000)
    sound = pulls(ahead, *[size] * (5000 // size))
    assert np.array_equal(sound, counting.counting(sound.shape[1]))
    assert ahead.position == sound.shape[1]


def test_a_switch_is_gapless_and_begins_at_its_sample():
    ahead = filled()
    before = pulls(ahead, 1234)
    ahead.switch("b")
    after = pulls(ahead, 100, 1, 5000)
    assert np.array_equal(before, counting.counting(1234))
    pure_b = after[:, FADE:]
    assert np.array_equal(pure_b, counting.counting(pure_b.shape[1], "b", 1234 + FADE))
    # In between A passes into B in equal steps: here B is -A, so the mix falls from 1 to -1 times A.
    share = np.arange(1, FADE + 1) / FADE
    wanted = counting.counting(FADE, "a", 1234) * (1 - 2 * share)
    assert np.allclose(after[:, :FADE], wanted, atol=1e-6)


def test_a_switch_back_within_the_fade_does_not_jump():
    ahead = filled(start=500_000)
    pulls(ahead, FADE)  # the fade in
    ahead.switch("b")
    first = pulls(ahead, FADE // 2)
    ahead.switch("a")
    sound = np.concatenate([first, pulls(ahead, 2000)], axis=1)
    steepest = 2 * counting.counting(1, "a", 501_000)[0, 0] / FADE
    assert np.abs(np.diff(sound[0])).max() < 1.1 * steepest
    assert np.array_equal(
        sound[:, FADE // 2 + FADE :], counting.counting(2000 - FADE, "a", 500_000 + FADE + FADE // 2 + FADE)
    )


def test_gains_are_exact_after_the_fade_and_belong_to_their_side():
    ahead = filled()
    ahead.set_gains(0.5, 0.25)
    sound = pulls(ahead, 1000)
    assert np.array_equal(sound[:, FADE:], 0.5 * counting.counting(1000)[:, FADE:])
    ahead.switch("b")
    assert np.array_equal(
        pulls(ahead, 1000)[:, FADE:], 0.25 * counting.counting(1000 - FADE, "b", 1000 + FADE)
    )


def test_a_switch_while_paused_needs_no_fade():
    ahead = filled()
    ahead.pause()
    ahead.switch("b")
    ahead.play()
    assert np.array_equal(pulls(ahead, 500)[:, FADE:], counting.counting(500 - FADE, "b", FADE))


def test_a_pause_fades_out_and_loses_no_frame():
    ahead = filled()
    pulls(ahead, 1000)
    ahead.pause()
    tail = pulls(ahead, 4000, 4000)
    assert tail.shape[1] == FADE
    assert np.all(np.abs(tail[0]) <= counting.counting(FADE, "a", 1000)[0])
    assert ahead.position == 1000
    ahead.play()
    again = pulls(ahead, 1000)
    assert np.array_equal(again[:, FADE:], counting.counting(1000 - FADE, "a", 1000 + FADE))


def test_a_seek_fades_what_was_heard_and_lands_on_its_frame():
    ahead = filled()
    pulls(ahead, 1000)
    ahead.clear(90_000)
    assert pulls(ahead, 100).shape[1] == 100  # the fade, while the file is read
    ahead.put(block(90_000, 3000))
    sound = pulls(ahead, 1000)
    assert np.array_equal(sound[:, FADE:], counting.counting(1000 - FADE, "a", 90_000 + FADE))
    assert ahead.report()[1] == 0  # no gap: the silence was asked for


def test_other_sound_follows_without_a_gap():
    ahead = filled()
    pulls(ahead, 1000)
    frame = ahead.seam(5000)
    assert frame == 6000
    other = block(6000, 4000, mark=300_000)
    assert ahead.splice(
        6000, [Block(6000, other.samples[:, :, :100]), Block(6100, other.samples[:, :, 100:])]
    )
    sound = pulls(ahead, *[777] * 11)
    assert np.array_equal(sound[:, :5000], counting.counting(5000, "a", 1000))
    after = sound[:, 5000 + FADE :]
    assert np.array_equal(after, counting.counting(after.shape[1], "a", 6000 + 300_000 + FADE))
    assert np.all(np.diff(sound[0, 5000 : 5000 + FADE]) > 0)  # passes from one into the other
    assert ahead.report()[1] == 0


@pytest.mark.parametrize("lead", [0, 1, 999, 1000, 1001, 19_999, 10**6])
def test_a_splice_of_the_same_sound_changes_no_bit(lead):
    ahead = filled()
    pulls(ahead, 333)
    frame = ahead.seam(lead)
    assert frame == min(333 + lead, 20_000)
    assert ahead.splice(frame, [block(frame, 5000)])
    sound = pulls(ahead, 4000)
    assert np.array_equal(sound, counting.counting(4000, "a", 333))


def test_a_seam_is_not_behind_a_loops_jump_and_a_heard_frame_is_refused():
    ahead = filled(1000)
    ahead.put(block(200, 800))
    assert ahead.seam(10_000) == 1000
    pulls(ahead, 500)
    assert not ahead.splice(499, [block(499, 100)])
    assert not ahead.splice(1100, [block(1100, 100)])
    assert np.array_equal(pulls(ahead, 500), counting.counting(500, "a", 500))


def test_nothing_is_begun_before_enough_is_ready():
    ahead = Ahead(counting.RATE, prime_seconds=0.1)
    ahead.clear(0)
    ahead.play()
    ahead.put(block(0, 4000))
    assert pulls(ahead, 500).shape[1] == 0
    ahead.put(block(4000, 1000))
    assert np.array_equal(pulls(ahead, 4500), counting.counting(4500))
    ahead.clear(10_000)
    ahead.put(block(10_000, 300))
    ahead.close()  # less than enough is all there is
    assert pulls(ahead, 1000).shape[1] == 300
    assert ahead.report()[1] == 0


def test_want_of_sound_is_silence_that_is_counted():
    ahead = filled(1000)
    sound = pulls(ahead, 1500)
    assert not sound[:, 1000:].any()
    assert ahead.report()[1] == 500
    ahead.put(block(1000, 500))
    assert np.array_equal(pulls(ahead, 500), counting.counting(500, "a", 1000))


def test_the_end_stops_and_says_so():
    ahead = filled(1000)
    ahead.close()
    assert not ahead.ended
    assert pulls(ahead, 700, 700).shape[1] == 1000
    assert ahead.ended
    assert not ahead.playing


def test_the_peak_is_that_of_what_was_heard():
    ahead = filled(1000)
    pulls(ahead, 1000)
    (left, right), _ = ahead.report()
    assert left == right == pytest.approx(1000 * 2.0**-20)
    assert ahead.report()[0] == (0.0, 0.0)


def test_another_rate_keeps_the_wishes():
    ahead = filled()
    ahead.switch("b")
    ahead.retune(48_000)
    ahead.put(block(0, 1000))
    assert ahead.playing
    assert np.array_equal(pulls(ahead, 500), counting.counting(500, "b"))
