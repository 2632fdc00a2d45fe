"""Two tapes in step; loop points exact to the sample."""

import counting
import numpy as np
import pytest

from covermaker.play import deck as deck_module
from covermaker.play.deck import Deck
from covermaker.play.tape import Tape


def make(tapes, loop=None):
    return Deck(tuple(Tape(path, counting.RATE) for path in tapes), loop)


def read(deck, *sizes):
    return [deck.read(size) for size in sizes]


def frames(blocks, side=0):
    return np.concatenate([counting.frames_of(block.samples[side])[0] for block in blocks])


def test_both_sides_run_in_step(tapes):
    blocks = read(make(tapes), 1, 100, 4095)
    assert np.array_equal(frames(blocks), np.arange(4196))
    assert np.array_equal(frames(blocks, 1), np.arange(4196))
    assert [block.start for block in blocks] == [0, 1, 101]


@pytest.mark.parametrize("memory", [60.0, 0.0], ids=["kept in memory", "read again"])
@pytest.mark.parametrize("size", [1, 7, 100, 101, 5000])
def test_a_loop_repeats_its_frames_and_no_other(tapes, monkeypatch, memory, size):
    monkeypatch.setattr(deck_module, "LOOP_MEMORY_SECONDS", memory)
    deck = make(tapes, (1000, 1101))
    deck.seek(990)
    heard = []
    while sum(block.frames for block in heard) < 10 + 3 * 101:
        heard.append(deck.read(size))
    wanted = np.concatenate([np.arange(990, 1000), *[np.arange(1000, 1101)] * 20])
    got = frames(heard)
    assert np.array_equal(got, wanted[: len(got)])


def test_a_short_loop_is_read_from_the_file_once(tapes, monkeypatch):
    deck = make(tapes, (1000, 2000))
    deck.seek(1000)
    read(deck, 600, 600)
    monkeypatch.setattr(Tape, "read", lambda self, frames: pytest.fail("the file was read again"))
    assert np.array_equal(frames(read(deck, 300, 300, 300, 300, 200)), np.r_[1000:2000, 1000:1200])


def test_the_end_of_the_loop_is_its_start_and_past_it_there_is_no_loop(tapes):
    deck = make(tapes, (1000, 2000))
    deck.seek(2000)
    assert deck.position == 1000
    deck.seek(2001)
    assert np.array_equal(frames(read(deck, 50)), np.arange(2001, 2051))


def test_the_end_is_none_and_a_shorter_b_is_silent_there(tapes, tmp_path):
    short = counting.write(tmp_path / "short.wav", counting.counting(counting.RATE, "b"))
    deck = make((tapes[0], short))
    deck.seek(3 * counting.RATE - 10)
    block = deck.read(100)
    assert block.frames == 10
    assert not block.samples[1].any()
    assert deck.read(100) is None


def test_a_loop_is_cut_to_the_time_line(tapes):
    assert make(tapes, (1000, 10**9)).loop == (1000, 3 * counting.RATE)
    assert make(tapes, (10**8, 10**9)).loop is None
    assert make(tapes, (50, 50)).loop is None


def test_alone_a_is_on_both_sides(tapes):
    block = make(tapes[:1]).read(64)
    assert np.array_equal(block.samples[0], block.samples[1])
