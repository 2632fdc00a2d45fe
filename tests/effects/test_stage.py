"""Racks in which something moves, listens, or comes late."""

from __future__ import annotations

import made_up_effects
import numpy as np
import pytest

from covermaker.audio.files import read, wav_writer
from covermaker.documents.document import PlaceError
from covermaker.effects.able import check_moves
from covermaker.effects.automation import Automation, Curve, Move
from covermaker.effects.rack import InPlace, Rack, listened_to, parse_rack, rack_params
from covermaker.effects.rack_file import KeyFile, render_rack

RATE = 44_100
LATE = made_up_effects.LATE_SAMPLES


@pytest.fixture(autouse=True)
def extra_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up_effects.add_to(monkeypatch)


def rows(*found: dict[str, object]):
    return parse_rack(found, where="rack")


def noise(frames: int = 30_000, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((2, frames)) * level).astype(np.float32)


def tone(hz: float = 440.0, frames: int = RATE, level: float = 0.3) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * hz * np.arange(frames) / RATE)
    return np.stack([wave, wave]).astype(np.float32)


def through(settings, sound, *, moves=(), start=0, size=None) -> np.ndarray:
    """Send a sound through a rack, in place, in blocks of `size`."""
    rack = InPlace(Rack(settings, sample_rate=RATE, channels=2, moves=moves, start=start), 2)
    size = size or sound.shape[1]
    made = [rack.process(sound[:, at : at + size]) for at in range(0, sound.shape[1], size)]
    return np.concatenate([*made, rack.finish()], axis=1)


def move(index, parameter, points, shape="linear"):
    return Move(index, parameter, Automation(tuple(points), shape))


@pytest.mark.parametrize("size", [None, 1, 63, 64, 65, 512, 8192])
def test_a_late_chain_is_the_same_chain_in_place(size):
    sound = noise(2500 if size == 1 else 30_000)
    chain = [{"effect": "high_pass"}, {"effect": "compressor", "threshold_db": -30.0}]
    plain = through(rows(*chain), sound)
    late = through(rows({"effect": "late"}, *chain, {"effect": "late"}), sound, size=size)
    np.testing.assert_array_equal(late, plain)


def test_what_moves_behind_a_late_effect_moves_at_its_time():
    ones = np.ones((2, RATE), np.float32)
    moves = (move(1, "gain_db", [(0.2, 0.0), (0.4, -40.0)]),)
    late = through(rows({"effect": "late"}, {"effect": "gain"}), ones, moves=moves)
    at = (move(0, "gain_db", [(0.2, 0.0), (0.4, -40.0)]),)
    plain = through(rows({"effect": "gain"}), ones, moves=at)
    worst = np.abs(20 * np.log10(late / plain)).max()
    assert worst < 40.0 / (0.2 * RATE) * 64 * 1.01  # never further apart than a cell of the slope
    part = through(rows({"effect": "gain"}), ones[:, 12_345:], moves=at, start=12_345)
    assert np.abs(20 * np.log10(part / plain[:, 12_345:])).max() < 40.0 / (0.2 * RATE) * 64 * 1.01


@pytest.mark.parametrize("size", [1, 63, 64, 65, 512])
def test_moving_does_not_depend_on_the_blocks(size):
    sound = noise(5_000)
    settings = rows(
        {"effect": "late"}, {"effect": "gain"}, {"effect": "echo"}, {"effect": "eq", "band1_db": 3.0}
    )
    moves = (
        move(1, "gain_db", [(0.01, 0.0), (0.09, -30.0)], "smooth"),
        move(2, "gain", [(0.0, 1.0), (0.05, -1.0)], "hold"),
        move(3, "bypass", [(0.0, 0.0), (0.03, 1.0), (0.07, 0.0)], "hold"),
    )
    whole = through(settings, sound, moves=moves)
    np.testing.assert_array_equal(through(settings, sound, moves=moves, size=size), whole)


def test_a_bypass_fades_and_is_exact_on_both_sides():
    sound = tone()
    settings = rows({"effect": "late", "gain_db": 6.0})
    found = through(settings, sound, moves=(move(0, "bypass", [(0.0, 1.0), (0.5, 0.0)], "hold"),))
    half = RATE // 2
    np.testing.assert_array_equal(found[:, :half], sound[:, :half])
    np.testing.assert_allclose(found[:, half + 442 :], sound[:, half + 442 :] * 10 ** (6 / 20), rtol=1e-6)
    steepest = 0.3 * 10 ** (6 / 20) * 2 * np.pi * 440 / RATE
    assert np.abs(np.diff(found[0])).max() < steepest * 1.05


def test_an_effect_that_is_off_may_be_moved_on():
    sound = noise()
    settings = rows({"effect": "gain", "gain_db": -20.0, "bypass": True})
    on = move(0, "bypass", [(0.0, 0.0)], "hold")
    np.testing.assert_allclose(through(settings, sound, moves=(on,)), 0.1 * sound, rtol=1e-6)
    assert rack_params(settings) == []
    assert len(rack_params(settings, (on,))) == 1


def test_what_cannot_glide_is_handed_over_and_rings_out():
    """A click before the change echoes as it would have; the direct sound goes over without a click."""
    sound = np.zeros((2, 2 * RATE), np.float32)
    sound[:, round(0.9 * RATE)] = 1.0
    settings = rows({"effect": "echo", "gain": 0.0, "echo": 0.5})
    found = through(settings, sound, moves=(move(0, "echo", [(0.0, 0.5), (1.0, 0.0)], "hold"),))
    np.testing.assert_allclose(found[:, round(1.4 * RATE)], 0.5)
    later = np.roll(sound, round(0.3 * RATE), axis=1)
    found = through(settings, later, moves=(move(0, "echo", [(0.0, 0.5), (1.0, 0.0)], "hold"),))
    assert not found.any()
    steady = through(
        rows({"effect": "echo", "gain": 1.0, "echo": 0.0}),
        tone(),
        moves=(move(0, "gain", [(0.0, 1.0), (0.5, 0.25)], "hold"),),
    )
    assert np.abs(np.diff(steady[0])).max() < 0.3 * 2 * np.pi * 440 / RATE * 1.05


def test_the_tail_of_what_moves_is_that_of_its_longest_setting():
    settings = rows({"effect": "delay", "time_ms": 100.0, "feedback": 0.1})
    still = Rack(settings, sample_rate=RATE, channels=2).tail_seconds()
    moves = (move(0, "feedback", [(0.0, 0.1), (1.0, 0.9)]),)
    moving = Rack(settings, sample_rate=RATE, channels=2, moves=moves).tail_seconds()
    longest = rows({"effect": "delay", "time_ms": 100.0, "feedback": 0.9})
    assert moving >= Rack(longest, sample_rate=RATE, channels=2).tail_seconds() > 5 * still


def test_a_file_through_a_rack_that_listens_is_late_and_moves(tmp_path):
    def write(name, sound):
        with wav_writer(tmp_path / name, sample_rate=RATE, channels=2) as writer:
            writer.write(sound)
        return tmp_path / name

    frames = 2 * RATE
    key = np.zeros((2, frames), np.float32)
    key[:, RATE : RATE + 8000] = 0.5
    settings = rows(
        {"effect": "late"},
        {"effect": "compressor", "sidechain": "voice", "threshold_db": -40.0, "ratio": 20.0, "attack_ms": 0.1,
         "release_ms": 5.0},
        {"effect": "gain"},
    )  # fmt: skip
    assert listened_to(settings) == ("voice",)
    moves = (move(2, "gain_db", [(1.5, 0.0), (1.6, -20.0)]),)
    source, listened = write("band.wav", tone(frames=frames)), write("voice.wav", key)
    keys = {"voice": KeyFile(listened)}
    report = render_rack(source, tmp_path / "out.wav", settings, sample_rate=RATE, moves=moves, keys=keys)
    whole = read(tmp_path / "out.wav").samples[:, : report.frames]
    assert report.frames == frames

    def level(begin, end):
        return 20 * np.log10(np.abs(whole[0, round(begin * RATE) : round(end * RATE)]).max() / 0.3)

    assert abs(level(0.0, 0.99)) < 0.01
    assert level(1.02, 1.17) < -20.0
    assert abs(level(1.3, 1.49)) < 0.01
    assert abs(level(1.7, 2.0) + 20.0) < 0.05
    # A region of it, and a key whose file begins at the region.
    cut = write("cut.wav", key[:, 40_000:])
    render_rack(
        source, tmp_path / "part.wav", settings, sample_rate=RATE, moves=moves, start=40_000, frames=30_000,
        keys={"voice": KeyFile(cut, 40_000)},
    )  # fmt: skip
    part = read(tmp_path / "part.wav").samples[:, :30_000]
    assert np.abs(part[:, 500:] - whole[:, 40_500:70_000]).max() < 0.01


def test_curves():
    linear = Curve(Automation(((1.0, 0.0), (2.0, 10.0))), 100)
    np.testing.assert_allclose(linear.at(np.array([0.0, 100.0, 150.0, 200.0, 999.0])), [0, 0, 5, 10, 10])
    assert (linear.over(0, 100) == 0.0).all()
    assert (linear.over(200, 50) == 10.0).all()
    assert linear.last == 10.0
    assert np.shape(linear.over(50, 100)) == (100,)
    smooth = Curve(Automation(((1.0, 0.0), (2.0, 10.0)), "smooth"), 100)
    np.testing.assert_allclose(
        smooth.at(np.array([100.0, 125.0, 150.0, 175.0, 200.0])), [0, 1.46447, 5, 8.53553, 10], atol=1e-4
    )
    hold = Curve(Automation(((1.0, 0.0), (2.0, 10.0)), "hold"), 1000)
    np.testing.assert_allclose(hold.at(np.array([1999.0, 2000.0, 2005.0, 2010.0, 3000.0])), [0, 0, 5, 10, 10])


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        (move(3, "gain_db", [(0.0, 0.0)]), "no effect 4: it has 2"),
        (move(0, "gian_db", [(0.0, 0.0)]), "gain has no parameter 'gian_db'.*gain_db"),
        (move(0, "gain_db", [(0.0, 0.0), (1.0, 99.0)]), r"points\[1\] = 99.0 is above 24"),
        (move(0, "bypass", [(0.0, 0.5)], "hold"), "true or false"),
        (move(1, "gain", [(0.0, 0.5)]), "gain of echo cannot glide .*hold"),
    ],
)
def test_what_cannot_move_is_refused(moved, words):
    with pytest.raises(PlaceError, match=words) as caught:
        check_moves(rows({"effect": "gain"}, {"effect": "echo"}), (moved,), where="automation[0]")
    assert caught.value.where.startswith("automation[0]")


@pytest.mark.parametrize("apart", [0.004, 0.010, 0.019])
def test_changes_that_follow_each_other_quickly_make_no_click(apart):
    """Of a slope of 12, 24 and 48 dB in turn, ten milliseconds and less apart."""
    sound = tone(300.0, level=0.5)
    points = [
        (0.0, 12.0),
        *((0.5 + number * apart, value) for number, value in enumerate((24.0, 48.0, 12.0, 24.0))),
    ]
    settings = rows({"effect": "high_pass", "cutoff_hz": 60.0})
    found = through(settings, sound, moves=(move(0, "slope_db", points, "hold"),))
    assert np.abs(found[:, RATE // 4 :]).max() < 0.52
    assert np.abs(np.diff(found[0, RATE // 4 :], 2)).max() < 0.5 * (2 * np.pi * 300 / RATE) ** 2 * 1.5
    last = through(rows({"effect": "high_pass", "cutoff_hz": 60.0, "slope_db": 24.0}), sound)
    np.testing.assert_allclose(found[:, -1000:], last[:, -1000:], atol=2e-3)


@pytest.mark.parametrize("size", [63, 512, 8192, 32768])
def test_a_hand_over_that_rings_is_the_same_in_any_blocks(size):
    sound = noise(3 * RATE)
    settings = rows({"effect": "delay", "time_ms": 150.0, "feedback": 0.5, "wet_db": 0.0})
    moves = (move(0, "ping_pong", [(0.0, 0.0), (0.3, 1.0), (0.31, 0.0), (0.6, 1.0)], "hold"),)
    np.testing.assert_array_equal(
        through(settings, sound, moves=moves, size=size), through(settings, sound, moves=moves)
    )


def test_an_effect_that_decides_by_the_level_keeps_its_word_while_it_is_handed_over():
    sound = tone(440.0, level=1.9)
    settings = rows({"effect": "limiter", "ceiling_db": -1.0})
    found = through(settings, sound, moves=(move(0, "release_ms", [(0.0, 70.0), (0.5, 200.0)], "hold"),))
    assert np.abs(found).max() <= 10 ** (-1.0 / 20) * 1.006
    # Nor is it ever silent: the other one looks ahead first.
    crests = np.abs(found[0, : RATE - RATE % 441]).reshape(-1, 441).max(axis=1)
    assert crests[5:-5].min() > 0.85


def test_many_changes_do_not_pile_up():
    settings = rows({"effect": "delay", "time_ms": 400.0, "feedback": 0.9, "wet_db": -6.0})
    points = [(number * 0.05, float(number % 2)) for number in range(60)]
    rack = Rack(settings, sample_rate=RATE, channels=2, moves=(move(0, "ping_pong", points, "hold"),))
    rack.process(noise(3 * RATE))
    assert len(rack._stages[0]._leaving) <= 5


def test_the_tail_is_that_of_all_lanes_together_at_their_end():
    settings = rows({"effect": "delay", "time_ms": 20.0, "feedback": 0.0})
    moves = (
        move(0, "time_ms", [(0.0, 20.0), (1.0, 1500.0)]),
        move(0, "feedback", [(0.0, 0.0), (1.0, 0.8)]),
    )
    ended = rows({"effect": "delay", "time_ms": 1500.0, "feedback": 0.8})
    wanted = Rack(ended, sample_rate=RATE, channels=2).tail_seconds()
    assert Rack(settings, sample_rate=RATE, channels=2, moves=moves).tail_seconds() >= wanted


@pytest.mark.parametrize(
    "row", [{"effect": "tremolo", "rate_hz": 0.7, "depth": 1.0}, {"effect": "chorus", "rate_hz": 0.7}]
)
def test_what_swings_swings_with_the_song(row):
    sound = tone(440.0, 2 * RATE)
    whole = through(rows(row), sound)
    part = through(rows(row), sound[:, 30_000:], start=30_000)
    np.testing.assert_allclose(part[:, 4000:], whole[:, 34_000:], atol=1e-5)


def test_which_row_listens_to_which_channel_is_part_of_the_key():
    def key(*names):
        return rack_params(rows(*({"effect": "compressor", "sidechain": name} for name in names)))

    assert key("a", "b", "a") != key("a", "b", "b")
    assert key("a", "b", "a") == key("x", "y", "x")


@pytest.mark.parametrize("effect", ["gate", "compressor", "limiter"])
def test_what_changes_the_latency_cannot_move(effect):
    moved = move(0, "lookahead_ms", [(0.0, 1.0), (1.0, 5.0)], "hold")
    with pytest.raises(PlaceError, match=r"cannot move, it changes the latency .*able: .*bypass"):
        check_moves(rows({"effect": effect}), (moved,), where="automation[0]")
