"""Parameters that move, begun and changed on the Rack screen."""

import pytest
from studio_stage import burst, lines, on_stage, saved, text, until
from test_rack_screen import at_parameters, rack_screen, song  # noqa: F401  # a fixture
from textual.widgets import OptionList

from covermaker.effects.automation import Automation
from covermaker.effects.rack import parse_rack
from covermaker.effects.spec import choice, switch
from covermaker.project.load import load
from covermaker.project.operations import on_values
from covermaker.tui import rack_moves
from covermaker.tui.rack_parameters import Parameters
from covermaker.tui.widgets.fader import Fader


def lanes(folder):
    return [(lane.target, lane.points, lane.shape) for lane in load(folder).cover.automation]


def shown(screen, name):
    pane = screen.query_one(Parameters)
    at = [spec.name for spec in pane.specs].index(name)
    return list(pane.query(Fader))[at].value


async def take(pilot, typed):
    """Choose from the list that lies over the screen what fits best to what is typed."""
    app = pilot.app

    def first():
        found = app.screen.query(OptionList)
        return (
            str(found.first().get_option_at_index(0).prompt) if found and found.first().option_count else ""
        )

    await until(pilot, lambda: first() != "")
    await burst(pilot, *typed)
    await until(pilot, lambda: typed in first())
    await pilot.press("enter")


@on_stage
async def test_a_point_lets_a_parameter_move_and_every_change_sets_one(song):  # noqa: F811
    async with rack_screen(song, size=(120, 40)) as (screen, app, pilot):
        await at_parameters(screen, pilot)
        await pilot.press("i")  # nothing plays yet: where the loop begins
        await saved(screen, pilot)
        target = "tracks.vocals.rack.gate.threshold_db"
        assert lanes(song) == [(target, [(20.0, -50.0)], "linear")]
        await until(pilot, lambda: "-50.0 dB ~" in text(app))
        assert "vocals gate threshold is -50.0 dB at 0:20, and moves" in text(app)
        screen.sound.seek(30.0)
        await pilot.press("t", *"-40", "enter")
        await saved(screen, pilot)
        assert lanes(song) == [(target, [(20.0, -50.0), (30.0, -40.0)], "linear")]
        assert "threshold_db = -50.0" in (song / "cover.toml").read_text(encoding="utf-8")
        # In between it is in between, and follows the playhead.
        screen.sound.seek(25.0)
        screen.show_now()
        await until(pilot, lambda: shown(screen, "threshold_db") == -45.0)
        await pilot.press("z")
        await until(pilot, lambda: lanes(song) == [(target, [(20.0, -50.0)], "linear")])
        await saved(screen, pilot)
        await pilot.press("z")
        await until(pilot, lambda: lanes(song) == [])


@on_stage
async def test_a_parameter_fades_over_the_loop_and_stays_again(song):  # noqa: F811
    async with rack_screen(song, size=(120, 40)) as (screen, app, pilot):
        await at_parameters(screen, pilot)
        assert screen.sound.loop == (20.0, 32.0)
        await pilot.press("m")
        await take(pilot, "fade from")
        await until(
            pilot,
            lambda: (
                lanes(song)
                == [("tracks.vocals.rack.gate.threshold_db", [(20.0, -90.0), (32.0, -50.0)], "linear")]
            ),
        )
        await saved(screen, pilot)
        await until(pilot, lambda: "threshold_db moves over the song, 2 points" in text(app))
        await pilot.press("m")
        await take(pilot, "stay")
        await until(pilot, lambda: lanes(song) == [])


@on_stage
async def test_what_cannot_move_says_what_can(song):  # noqa: F811
    async with rack_screen(song) as (screen, app, pilot):
        await at_parameters(screen, pilot)
        pane = screen.query_one(Parameters)
        names = [spec.name for spec in pane.specs]
        await pilot.press(*["down"] * names.index("lookahead_ms"), "i")
        await until(pilot, lambda: "Point: lookahead_ms stays as it is: of this effect" in lines(app)[-2])
        await pilot.press("end", *["down"] * len(names), "i")
        await until(pilot, lambda: "Point: sidechain stays as it is" in lines(app)[-2])
        assert lanes(song) == []


@on_stage
async def test_the_line_of_keys_names_points_presets_and_the_difference_in_a_narrow_window(song):  # noqa: F811
    async with rack_screen(song) as (screen, app, pilot):
        for words in ("+ d Add/remove", "a n A/B", "o On/off", "l Preset"):
            assert words in lines(app)[-1]
        await at_parameters(screen, pilot)
        await until(pilot, lambda: "i m Moves" in lines(app)[-1])


@on_stage
async def test_the_loop_of_a_master_says_what_is_not_in_it(song):  # noqa: F811
    with (song / "cover.toml").open("a", encoding="utf-8") as document:
        document.write('[master]\nmatch = "song.wav"\n')
    async with rack_screen(song, "master", measured=False) as (screen, app, pilot):
        await until(pilot, lambda: "Loop 0:20 to 0:32, without limiter and match" in text(app))
        screen.action_owner_next()
        await until(pilot, lambda: "Loop 0:20 to 0:32 " in text(app) and "without" not in text(app))


RACK = [{"effect": "delay", "time_ms": 300.0}, {"effect": "delay"}, {"effect": "gate"}]
VALUES = {"tracks": [{"name": "a", "source": "converted", "rack": RACK}]}


def specs(effect):
    (settings,) = parse_rack([{"effect": effect}], where="rack")
    return {spec.name: spec for spec in settings.specs()}


def test_a_lane_names_its_effect_and_two_of_a_kind_by_their_numbers():
    time = specs("delay")["time_ms"]
    assert rack_moves.target_of(VALUES, "tracks.a", 1, time) == "tracks.a.rack.2.time_ms"
    assert rack_moves.target_of(VALUES, "tracks.a", 2, specs("gate")["ratio"]) == "tracks.a.rack.gate.ratio"
    values = {**VALUES, "automation": [{"target": "tracks.a.rack.2.time_ms", "points": [[0.0, 200.0]]}]}
    assert list(rack_moves.moving(values, "tracks.a", 1)) == ["time_ms"]
    assert rack_moves.moving(values, "tracks.a", 0) == {}


@pytest.mark.parametrize(
    ("spec", "values", "found"),
    [
        (switch("on", False, "."), (0.0, 1.0), True),
        (choice("slope", "dB", (6.0, 12.0, 24.0), 12.0, "."), (6.0, 24.0), 12.0),
        (specs("delay")["time_ms"], (100.0, 300.0), 200.0),
    ],
)
def test_values_at_a_moment_are_values_that_there_are(spec, values, found):
    course = Automation(((0.0, values[0]), (10.0, values[1])))
    assert rack_moves.at_moment(spec, course, 5.0) == found


def test_a_fade_takes_the_points_in_between_and_a_switch_has_none():
    time, ping = specs("delay")["time_ms"], specs("delay")["ping_pong"]
    target = "tracks.a.rack.1.time_ms"
    values = {
        **VALUES,
        "automation": [
            {"target": target, "points": [[0.0, 100.0], [12.0, 900.0], [40.0, 500.0]], "shape": "hold"}
        ],
    }
    can = rack_moves.choices(values, target, time, 300.0, here=3.0, loop=(10.0, 20.0), glides=True)
    name = "fade from 0:10 to 0:20, the loop"
    assert can[name][0] == "from 350 ms to 300 ms"
    (lane,) = on_values(values, can[name][1].operations(values))["automation"]
    assert (lane["points"], lane.get("shape", "linear")) == (
        [[0.0, 100.0], [10.0, 350.0], [20.0, 300.0], [40.0, 500.0]],
        "linear",
    )
    assert [one for one in can if one.startswith("without")] == [
        f"without the point at 0:{at:02d}" for at in (0, 12, 40)
    ]
    switched = rack_moves.choices(
        VALUES, "tracks.a.rack.1.ping_pong", ping, True, here=3.0, loop=(10.0, 20.0), glides=False
    )
    assert list(switched) == ["point at 0:03, the playhead"]
    words, edit = switched["point at 0:03, the playhead"]
    assert words.startswith("sets it to on there")
    (lane,) = on_values(VALUES, edit.operations(VALUES))["automation"]
    assert (lane["points"], lane["shape"]) == ([[3.0, True]], "hold")
