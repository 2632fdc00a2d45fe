"""The desk: groups, sends before and behind the fader, side chains, lateness made good, what moves."""

from __future__ import annotations

import made_up_effects
import numpy as np
import pytest

from covermaker.effects.automation import Automation, Move
from covermaker.effects.rack import parse_rack
from covermaker.effects.stage import GRID_SAMPLES
from covermaker.errors import ProjectError
from covermaker.mix.desk import Desk
from covermaker.mix.strips import Strip, working_order

RATE = 44_100


@pytest.fixture(autouse=True)
def extra_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up_effects.add_to(monkeypatch)


def rack(*rows: dict[str, object]):
    return parse_rack(rows, where="rack")


def noise(frames: int = 20_000, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((2, frames)) * 0.1).astype(np.float32)


def mixed(strips, sources, *, size: int | None = None, start: int = 0) -> np.ndarray:
    """Mix in blocks of `size`, put into place."""
    desk = Desk(strips, sample_rate=RATE, start=start)
    late = desk.latency_samples
    frames = next(iter(sources.values())).shape[1]
    padded = {name: np.pad(sound, ((0, 0), (0, late))) for name, sound in sources.items()}
    size = size or frames + late
    blocks = []
    for at in range(0, frames + late, size):
        part = {name: padded[name][:, at : at + size] for name in desk.needed}
        count = min(size, frames + late - at)
        blocks.append(desk.mix(desk.gather(part, count)).mix)
    return np.concatenate(blocks, axis=1)[:, late:]


LATE_ROW = {"effect": "late"}


@pytest.mark.parametrize("size", [None, 1, 63, 64, 65, 512, 8192])
def test_a_late_bus_and_a_dry_path_come_out_together(size):
    sound = noise(3000 if size == 1 else 20_000)
    track = Strip(name="a", sends={"wet": 0.0})
    wet = Strip(name="wet", kind="bus", rack=rack(LATE_ROW))
    found = mixed([track, wet], {"a": sound}, size=size)
    np.testing.assert_array_equal(found, 2.0 * sound.astype(np.float64))


def test_paths_of_different_lateness_meet_in_a_group_and_in_the_mix():
    sounds = {name: noise(seed=seed) for seed, name in enumerate(("a", "b", "c"))}
    strips = [
        Strip(name="a", group="inner"),
        Strip(name="b", group="outer", sends={"wet": 0.0}),
        Strip(name="c"),
        Strip(name="inner", kind="group", group="outer", rack=rack(LATE_ROW, LATE_ROW)),
        Strip(name="outer", kind="group", rack=rack(LATE_ROW), sends={"wet": -6.0}),
        Strip(name="wet", kind="bus", rack=rack(LATE_ROW)),
    ]
    desk = Desk(strips, sample_rate=RATE)
    assert (
        desk.latency_samples == 4 * GRID_SAMPLES
    )  # inner 2, outer 1, and what outer sends to the bus 1 more
    found = mixed(strips, sounds)
    a, b, c = (sounds[name].astype(np.float64) for name in "abc")
    expected = a + b + c + b + (a + b) * 10 ** (-6 / 20)
    np.testing.assert_allclose(found, expected, atol=2e-7)


def test_a_side_chain_hears_the_same_moment_whatever_is_late():
    key = np.zeros((2, 20_000), np.float32)
    key[:, 5_000:6_000] = 0.5
    band = noise()
    strips = [
        Strip(name="vocal", gain_db=-96.0),
        Strip(name="band", group="music"),
        # The rack is late before the ducker, and the group that listens is late itself.
        Strip(name="music", kind="group", rack=rack(LATE_ROW, {"effect": "ducker", "sidechain": "vocal"})),
    ]
    found = mixed(strips, {"vocal": key, "band": band})
    np.testing.assert_allclose(found[:, 5_000:6_000], 0.0, atol=1e-5)
    np.testing.assert_allclose(found[:, :5_000], band[:, :5_000], atol=1e-7)
    np.testing.assert_allclose(found[:, 6_000:], band[:, 6_000:], atol=1e-7)


def test_a_group_that_is_listened_to_is_heard_behind_its_rack():
    key = np.zeros((2, 20_000), np.float32)
    key[:, 5_000:6_000] = 0.5
    strips = [
        Strip(name="lead", group="singers"),
        Strip(name="band", group="music"),
        Strip(name="music", kind="group", rack=rack({"effect": "ducker", "sidechain": "singers"})),
        Strip(name="singers", kind="group", gain_db=-96.0, rack=rack(LATE_ROW)),
    ]
    band = noise()
    found = mixed(strips, {"lead": key, "band": band})
    np.testing.assert_allclose(found[:, 5_000:6_000], 0.0, atol=1e-5)
    np.testing.assert_allclose(found[:, :5_000], band[:, :5_000], atol=1e-7)


def test_a_muted_track_is_still_listened_to():
    strips = [
        Strip(name="vocal", mute=True),
        Strip(name="band", group="music"),
        Strip(name="music", kind="group", rack=rack({"effect": "ducker", "sidechain": "vocal"})),
    ]
    found = mixed(strips, {"vocal": np.full((1, 900), 0.5, np.float32), "band": noise(900)})
    assert not found.any()


def test_groups_have_fader_mute_and_solo():
    sounds = {"a": noise(seed=1), "b": noise(seed=2)}
    a, b = (sounds[name].astype(np.float64) for name in "ab")

    def with_group(**group):
        strips = [Strip(name="a", group="g"), Strip(name="b"), Strip(name="g", kind="group", **group)]
        return mixed(strips, sounds)

    np.testing.assert_allclose(with_group(gain_db=-20.0), 0.1 * a + b, atol=1e-7)
    np.testing.assert_allclose(with_group(mute=True), b, atol=1e-7)
    np.testing.assert_allclose(with_group(solo=True), a, atol=1e-7)
    soloed = [Strip(name="a", group="g", solo=True), Strip(name="b"), Strip(name="g", kind="group")]
    np.testing.assert_allclose(mixed(soloed, sounds), a, atol=1e-7)


def test_a_send_before_the_fader_ignores_it():
    sound = noise()
    wet = Strip(name="wet", kind="bus")
    behind = Strip(name="a", gain_db=-20.0, pan=-1.0, sends={"wet": -6.0})
    before = Strip(name="a", gain_db=-20.0, pan=-1.0, sends={"wet": -6.0}, pre_fader=("wet",))
    half = 10 ** (-6 / 20)
    only = mixed([before, wet], {"a": sound}) - mixed(
        [Strip(name="a", gain_db=-20.0, pan=-1.0)], {"a": sound}
    )
    np.testing.assert_allclose(only, sound * half, atol=1e-7)
    only = mixed([behind, wet], {"a": sound}) - mixed(
        [Strip(name="a", gain_db=-20.0, pan=-1.0)], {"a": sound}
    )
    np.testing.assert_allclose(only[0], sound[0] * 0.1 * half, atol=1e-7)
    np.testing.assert_allclose(only[1], 0.0, atol=1e-7)
    assert not mixed(
        [Strip(name="a", sends={"wet": 0.0}, pre_fader=("wet",), mute=True), wet], {"a": sound}
    ).any()


def test_a_bus_may_send_to_a_bus():
    sound = noise()
    strips = [
        Strip(name="a", gain_db=-96.0, sends={"echo": 0.0}, pre_fader=("echo",)),
        Strip(name="room", kind="bus"),
        Strip(name="echo", kind="bus", sends={"room": -20.0}),
    ]
    np.testing.assert_allclose(mixed(strips, {"a": sound}), 1.1 * sound, atol=1e-5)


@pytest.mark.parametrize(
    ("strips", "words"),
    [
        ([Strip(name="x", kind="bus", sends={"y": 0.0}), Strip(name="y", kind="bus", sends={"x": 0.0})], "x"),
        ([Strip(name="x", kind="group", group="y"), Strip(name="y", kind="group", group="x")], "x"),
        ([Strip(name="x", kind="bus", sends={"x": 0.0})], "x -> x"),
    ],
)
def test_a_circle_is_refused(strips, words):
    with pytest.raises(ProjectError, match=f"round in a circle: .*{words}"):
        working_order(strips)


@pytest.mark.parametrize(
    ("strip", "words"),
    [
        (Strip(name="a", group="bnad"), "track 'a' goes to 'bnad', which is no group .*'band'"),
        (Strip(name="a", sends={"bnad": 0.0}), "track 'a' sends to 'bnad', which is no bus"),
        (Strip(name="band"), "a track and a group are called 'band'"),
    ],
)
def test_what_leads_nowhere_is_refused(strip, words):
    with pytest.raises(ProjectError, match=words):
        Desk([strip, Strip(name="band", kind="group")], sample_rate=RATE)


# What moves


def moving(points, shape="linear", *, name="gain_db", **strip):
    return Strip(name="a", moves={name: Automation(tuple(points), shape)}, **strip)


def test_a_fader_moves_by_the_sample_in_decibels():
    ones = np.ones((2, RATE), np.float32)
    found = mixed([moving([(0.25, -20.0), (0.75, 0.0)])], {"a": ones})
    seconds = np.arange(RATE) / RATE
    expected = 10 ** (np.interp(seconds, [0.25, 0.75], [-20.0, 0.0]) / 20)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)
    # From the middle of the song, the same.
    part = mixed([moving([(0.25, -20.0), (0.75, 0.0)])], {"a": ones[:, 15_000:]}, start=15_000)
    np.testing.assert_allclose(part[0], expected[15_000:], rtol=1e-6)


@pytest.mark.parametrize("shape", ["linear", "smooth", "hold"])
@pytest.mark.parametrize("size", [1, 63, 64, 65, 512, 8192])
def test_what_moves_does_not_depend_on_the_blocks(shape, size):
    sound = noise(3_000)
    strips = [
        moving([(0.01, -20.0), (0.03, 6.0), (0.05, -3.0)], shape, sends={"wet": -6.0}),
        Strip(
            name="wet", kind="bus", rack=rack(LATE_ROW), moves={"pan": Automation(((0.0, -1.0), (0.06, 1.0)))}
        ),
    ]
    np.testing.assert_array_equal(mixed(strips, {"a": sound}, size=size), mixed(strips, {"a": sound}))


def test_what_moves_behind_a_late_rack_moves_at_its_time():
    ones = np.ones((2, 10_000), np.float32)
    course = Automation(((0.0, 0.0), (0.1, -40.0)))
    late = [
        Strip(name="a", group="g"),
        Strip(name="g", kind="group", rack=rack(LATE_ROW), moves={"gain_db": course}),
    ]
    np.testing.assert_allclose(
        mixed(late, {"a": ones}), mixed([moving(course.points)], {"a": ones}), rtol=1e-6
    )


def test_a_mute_that_moves_steps_without_a_click_and_stops_sends():
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)[None].repeat(2, 0)
    strip = moving([(0.0, 0.0), (0.5, 1.0)], "hold", name="mute", sends={"wet": 0.0}, pre_fader=("wet",))
    found = mixed([strip, Strip(name="wet", kind="bus")], {"a": tone})
    assert not found[:, round(0.511 * RATE) :].any()
    np.testing.assert_allclose(found[:, : RATE // 2], 2 * tone[:, : RATE // 2], atol=1e-7)
    assert np.abs(np.diff(found[0])).max() < 2 * 0.3 * 2 * np.pi * 440 / RATE * 1.05


def test_a_pan_moves_with_constant_power():
    mono = np.ones((1, RATE), np.float32)
    found = mixed([moving([(0.0, -1.0), (1.0, 1.0)], name="pan")], {"a": mono})
    np.testing.assert_allclose((found**2).sum(axis=0), 2.0, rtol=1e-6)
    assert found[1, 0] < 1e-9
    assert found[0, -1] < 1e-3


def test_a_send_moves():
    ones = np.ones((2, RATE), np.float32)
    strip = moving([(0.0, -96.0), (1.0, 0.0)], name="sends.wet", sends={"wet": -12.0})
    found = mixed([strip, Strip(name="wet", kind="bus")], {"a": ones}) - 1.0
    np.testing.assert_allclose(found[0, RATE // 2], 10 ** (-48 / 20), rtol=1e-3)
    assert found[0, -1] == pytest.approx(1.0, rel=1e-3)


def test_a_rack_of_a_bus_moves_in_time():
    ones = np.ones((2, RATE), np.float32)
    course = Automation(((0.0, 0.0), (1.0, -40.0)))
    wet = Strip(
        name="wet",
        kind="bus",
        rack=rack(LATE_ROW, {"effect": "gain"}),
        rack_moves=(Move(1, "gain_db", course),),
    )
    found = mixed([Strip(name="a", sends={"wet": 0.0}), wet], {"a": ones}) - 1.0
    expected = 10 ** (np.linspace(0.0, -40.0, RATE) / 20)
    assert np.abs(20 * np.log10(found[0, 100:-100] / expected[100:-100])).max() < 0.1


@pytest.mark.parametrize("size", [512, 4096, 65536])
def test_a_pan_that_rests_and_moves_is_the_same_in_any_blocks(size):
    """Noise of full mantissas, so that a factor that is not quite 1 shows in the sum."""
    rng = np.random.default_rng(5)
    sounds = {name: rng.standard_normal((1, 3 * RATE)).astype(np.float32) * np.float32(0.1) for name in "ab"}
    lane = Automation(((0.0, 0.0), (1.0, 0.0), (1.5, 0.5)))
    strips = [
        Strip(name="a", moves={"pan": lane, "gain_db": Automation(((0.0, -3.0), (2.0, -3.0), (2.5, 0.0)))}),
        Strip(name="b"),
    ]
    whole = mixed(strips, sounds).astype(np.float32)
    np.testing.assert_array_equal(mixed(strips, sounds, size=size).astype(np.float32), whole)


def test_a_mute_that_moves_decides_instead_of_the_switch():
    ones = np.ones((2, RATE), np.float32)
    strip = moving([(0.0, 1.0), (0.5, 0.0)], "hold", name="mute", mute=True)
    found = mixed([strip], {"a": ones})
    assert not found[:, : RATE // 2].any()
    np.testing.assert_array_equal(found[:, round(0.52 * RATE) :], 1.0)


def test_a_group_that_mutes_itself_mutes_what_its_tracks_send():
    ones = np.ones((2, RATE), np.float32)
    strips = [
        Strip(name="a", group="g", sends={"wet": 0.0}, pre_fader=("wet",)),
        Strip(name="g", kind="group", moves={"mute": Automation(((0.0, 0.0), (0.5, 1.0)), "hold")}),
        Strip(name="wet", kind="bus"),
    ]
    found = mixed(strips, {"a": ones})
    np.testing.assert_array_equal(found[:, : RATE // 2], 2.0)
    assert not found[:, round(0.52 * RATE) :].any()
