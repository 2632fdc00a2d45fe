"""The mixer of the Project screen: groups, buses, sends, what moves; bars and parts of the song."""

import numpy as np
import pytest
from studio_stage import (
    at_mixer,
    burst,
    lines,
    on_screen,
    on_stage,
    preview,
    project,
    rendered,
    saved,
    state,
    text,
    until,
    wishes,
)
from textual.widgets import OptionList

from covermaker.effects.automation import Automation
from covermaker.features.song.music import Music
from covermaker.features.song.sections import Section
from covermaker.project.load import load, parse
from covermaker.project.operations import on_values
from covermaker.tui import project_model
from covermaker.tui.project_channels import channels, move_words
from covermaker.tui.project_lanes import lane_words, line_of, point_choices, value_words
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_wave import Wave
from covermaker.tui.screens import project as screen_module
from covermaker.tui.screens.project import ProjectScreen
from covermaker.tui.widgets.fader import Fader

MORE = """gain_db = 0.0
sends = { room = -12.0 }
[[tracks]]
name = "band"
source = "instrumental"
group = "music"
[[groups]]
name = "music"
[[buses]]
name = "room"
[[buses]]
name = "hall"
"""
LANE = """[[automation]]
target = "tracks.vocals.gain_db"
points = [
    [0.0, -12.0], # quiet
    [10.0, 0.0],
]
"""
SECONDS = 30.0
MUSIC = Music(
    SECONDS, 120.0, 0.9, tuple(np.arange(0.0, SECONDS, 0.5)), 4, 0, 0.9,
    sections=(Section("A", 0.0, 8.0), Section("B", 8.0, SECONDS)),
)  # fmt: skip


@pytest.fixture
def drawn(library, states, monkeypatch):
    """Write a project with a group and two buses, as if it had been rendered; `music` is what is known of its song."""

    def write(more="", music=None):
        folder = project(library, "blue", "Blue", more=MORE + more)
        pictures = rendered(folder, seconds=SECONDS, tracks=["vocals"], music=music)
        monkeypatch.setattr(project_model, "pictures", lambda project: pictures)
        monkeypatch.setattr(screen_module, "COMMAND", preview())
        states["blue"] = state("done", lufs=-14.0, true_peak_dbtp=-1.0)
        return folder

    return write


async def opened(app, pilot):
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ProjectScreen) and app.screen.state is not None)
    await until(pilot, lambda: app.screen.pictures is not None and app.screen.query(Fader))
    await at_mixer(app.screen, pilot)
    return app.screen


def desk(library, *, size=(80, 24)):
    return on_screen(library, opened, size=size)


async def take(pilot, question, typed):
    """Choose from a list the row that is found by typing; the first one without."""
    app = pilot.app
    await until(pilot, lambda: question in text(app))
    await until(
        pilot, lambda: app.screen.query(OptionList) and app.screen.query_one(OptionList).option_count > 0
    )
    every = app.screen.query_one(OptionList).option_count
    if typed:
        await burst(pilot, *typed)
        await until(pilot, lambda: 0 < app.screen.query_one(OptionList).option_count < every)
    else:
        await pilot.press("down")
    await pilot.press("enter")
    await until(pilot, lambda: app.screen.query(Mixer) or question not in text(app))


def cover(folder):
    return load(folder).cover


# Without a screen


def test_tracks_stand_below_their_group(drawn):
    rows = channels(cover(drawn()), solo=["music"])
    assert [(row.place, row.depth, row.solo) for row in rows] == [
        ("tracks.vocals", 0, False), ("groups.music", 0, True), ("tracks.band", 1, False), ("buses.room", 0, False),
        ("buses.hall", 0, False), ("master", 0, False),
    ]  # fmt: skip


def test_groups_in_groups_and_in_circles_are_all_there():
    start = 'schema = 1\ntitle = "t"\nsong.file = "a.wav"\n[[tracks]]\nname = "a"\nsource = "x"\ngroup = "inner"\n'
    nested = '[[groups]]\nname = "inner"\ngroup = "outer"\n[[groups]]\nname = "outer"\n[[groups]]\nname = "empty"\n'
    rows = channels(parse(start + nested))
    assert [(row.name, row.depth) for row in rows] == [
        ("outer", 0), ("inner", 1), ("a", 2), ("empty", 0), ("MASTER", 0),
    ]  # fmt: skip
    circle = '[[groups]]\nname = "inner"\ngroup = "outer"\n[[groups]]\nname = "outer"\ngroup = "inner"\n'
    assert {row.name for row in channels(parse(start + circle))} == {"inner", "outer", "a", "MASTER"}


def test_what_moves_is_what_it_is_at_a_moment(drawn):
    mute = '[[automation]]\ntarget = "groups.music.mute"\npoints = [[0.0, false], ["0:05", true]]\n'
    eq = '[[automation]]\ntarget = "tracks.nobody.pan"\npoints = [[0.0, 0.0]]\n'
    vocals, music, *_ = channels(cover(drawn(LANE + mute + eq)))
    assert (vocals.at(0.0).value, vocals.at(5.0).value, vocals.at(29.0).value) == (-12.0, -6.0, 0.0)
    assert [music.at(seconds).mute for seconds in (1.0, 6.0)] == [False, True]
    assert "gain moves, 2 points" in vocals.parts(["room"])
    changed = vocals.changed("gain_db", -3.0, 5.0)
    assert changed.at(5.0).value == -3.0
    assert vocals.changed("pan", 0.5, 5.0).pan == 0.5
    assert vocals.changed("sends.room", None, 5.0).sends == {}


def test_what_moves_in_a_rack_goes_by_the_effect(drawn):
    rack = 'rack = [{ effect = "eq" }, { effect = "gate" }, { effect = "gate" }]\n'
    lanes = "".join(
        f'[[automation]]\ntarget = "tracks[1].rack[{index}].{name}"\npoints = [[0.0, {value}]]\n'
        for index, name, value in ((0, "band1_db", 1.0), (2, "bypass", "true"))
    )
    folder = drawn()
    document = (folder / "cover.toml").read_text().replace('group = "music"\n', f'group = "music"\n{rack}')
    (folder / "cover.toml").write_text(document + lanes)
    band = channels(cover(folder))[2]
    assert list(band.moves) == ["rack.eq.band1_db", "rack.3.bypass"]
    assert [move_words(key) for key in band.moves] == ["eq band1", "effect 3 bypass"]


def test_lanes_in_words_and_as_lines():
    swell = Automation(((0.0, -12.0), (10.0, 0.0), (20.0, -6.0), (25.0, 0.0)), "smooth")
    assert lane_words("gain_db", swell) == "4 points smooth: 0:00 -12.0 dB, 0:10 0.0 dB, 0:20 -6.0 dB, …"
    assert lane_words("mute", Automation(((3.0, 1.0),), "hold")) == "1 point: 0:03 on"
    assert [value_words(*one) for one in (("pan", -0.2), ("sends.room", -96.0), ("rack.eq.band1_hz", 300.0))] == [
        "L20", "off", "300",
    ]  # fmt: skip
    line = line_of("gain_db", swell)
    heights = line.heights(np.array([0.0, 5.0, 10.0]))
    assert (heights[0], heights[2]) == (0.0, 1.0)
    assert 0.0 < heights[1] < 1.0
    assert line.labels(1) == {0: "gain -12.0 dB to 0.0 dB"}
    assert line.labels(2) == {0: "0.0 dB", 1: "gain -12.0 dB"}
    still = line_of("pan", Automation(((0.0, 0.5),)))
    assert list(still.heights(np.array([0.0, 1.0]))) == [0.5, 0.5]
    assert still.labels(1) == {0: "pan R50"}


# On the screen


@on_stage
async def test_groups_and_buses_have_faders_pans_and_mutes(drawn, library):
    folder = drawn()
    async with desk(library) as (screen, app, pilot):
        await pilot.press("down", "-", "m", ">", "down", "down", "m")
        await saved(screen, pilot)
        assert [(one.gain_db, one.mute, one.pan) for one in cover(folder).groups] == [(-0.5, True, 0.05)]
        assert cover(folder).buses[0].mute
        assert "    band" in text(app)
        await pilot.press("s")
        assert "Solo: room has none of it: tracks and groups do" in lines(app)[-2]
        await pilot.press("up", "up", "s", "p")
        await until(pilot, lambda: '"solo": ["music"]' in wishes(folder))
        await pilot.press("down", "down", "down", "down", "m")
        assert "Mute: MASTER has none of it: tracks, groups and buses do" in lines(app)[-2]


@pytest.mark.parametrize(
    ("lines_of_it", "words"), [('loudness_lufs = "off"', "off"), ('match = "song.wav"', "matched")]
)
@on_stage
async def test_a_master_without_a_loudness_says_so(drawn, library, lines_of_it, words):
    folder = drawn()
    with (folder / "cover.toml").open("a", encoding="utf-8") as document:
        document.write(f"[master]\n{lines_of_it}\n")
    for size in ((80, 24), (120, 40)):
        async with desk(library, size=size) as (_, app, pilot):
            await until(pilot, lambda: "MASTER" in text(app))
            assert "LUFS" not in "\n".join(lines(app)[8:])
            assert f" {words}" in "\n".join(lines(app)[8:])
            await pilot.press("n")
            await until(pilot, lambda: "no send" in text(app))


@on_stage
async def test_the_line_of_keys_names_sends_moves_and_add_in_a_narrow_window(drawn, library):
    drawn()
    async with desk(library, size=(80, 24)) as (_, app, _pilot):
        for words in ("n o Sends", "i l Moves", "+ Add", "m s Mute/solo", "? Help"):
            assert words in lines(app)[-1]


@on_stage
async def test_sends_go_before_the_fader_and_from_bus_to_bus(drawn, library):
    folder = drawn()
    async with desk(library) as (screen, app, pilot):
        await pilot.press("o")
        assert "Pre/post: the faders show the gains: n turns them to the sends" in lines(app)[-2]
        await pilot.press("n", "o")
        await saved(screen, pilot)
        assert cover(folder).tracks[0].pre_fader == ["room"]
        await until(pilot, lambda: "vocals   pre" in text(app) and "room -12.0 dB pre-fader" in text(app))
        await pilot.press("0")  # off, and no pre-fader send is left behind
        await saved(screen, pilot)
        assert (cover(folder).tracks[0].sends, cover(folder).tracks[0].pre_fader) == ({}, [])
        await pilot.press("down", "o")
        assert "Pre/post: music is not sent to room: push its fader up first" in lines(app)[-2]
        await pilot.press("n", "j", "j", "=")
        await saved(screen, pilot)
        assert cover(folder).buses[0].sends == {"hall": -60.0}


@on_stage
async def test_a_point_lets_a_fader_move_and_every_change_sets_one(drawn, library):
    folder = drawn()
    async with desk(library, size=(120, 40)) as (screen, app, pilot):
        await pilot.press("t", *"-6", "enter", "i")
        await saved(screen, pilot)
        await until(pilot, lambda: "-6.0 dB ~" in text(app) and "gain moves, 1 point" in text(app))
        await pilot.press(".", ".")
        await pilot.press("t", *"0", "enter")
        await saved(screen, pilot)
        (lane,) = cover(folder).automation
        assert (lane.target, lane.points) == ("tracks.vocals.gain_db", [(0.0, -6.0), (10.0, 0.0)])
        assert "vocals gain is 0.0 dB at 0:10, and moves" in text(app)
        await until(pilot, lambda: "gain -6.0 dB to 0.0 dB" in text(app) or "gain -6.0 dB ⠤" in text(app))
        await pilot.press(",")
        await until(pilot, lambda: "-3.0 dB ~" in text(app))
        await pilot.press("z")
        await until(pilot, lambda: cover(folder).automation[0].points == [(0.0, -6.0)])
        await saved(screen, pilot)
        await pilot.press("z")
        await until(pilot, lambda: cover(folder).automation == [])


def test_what_can_be_done_with_what_moves(drawn):
    found = load(drawn(LANE))
    row = channels(found.cover)[0].at(5.0)
    can = point_choices(found.document.values, row, "gain_db", 5.0)
    assert list(can) == [
        "point at 0:05, the playhead", "without the point at 0:00", "without the point at 0:10", "shape smooth",
        "shape hold", "stay",
    ]  # fmt: skip
    assert can["point at 0:05, the playhead"][0].startswith("sets it to -6.0 dB there")

    def after(name):
        return on_values(found.document.values, can[name][1].operations(found.document.values))["automation"]

    assert after("shape smooth")[0]["shape"] == "smooth"
    assert after("without the point at 0:10")[0]["points"] == [[0.0, -12.0]]
    assert after("point at 0:05, the playhead")[0]["points"] == [[0.0, -12.0], [5.0, -6.0], [10.0, 0.0]]
    assert after("stay") == []
    assert list(point_choices(found.document.values, row, "mute", 5.0)) == ["point at 0:05, the playhead"]


@on_stage
async def test_what_moves_is_listed_and_a_switch_can_move(drawn, library):
    folder = drawn(LANE)
    async with desk(library) as (screen, app, pilot):
        await pilot.press("l")
        await until(pilot, lambda: "2 points linear: 0:00 -12.0 dB, 0:10 0.0 dB" in text(app))
        await take(pilot, "what moves of vocals", "mute")
        await take(pilot, "vocals mute", "")
        await until(pilot, lambda: len(cover(folder).automation) == 2)
        assert cover(folder).automation[1].points == [(0.0, False)]
        await saved(screen, pilot)
        await pilot.press("m")
        await until(pilot, lambda: cover(folder).automation[1].points == [(0.0, True)])


@on_stage
async def test_a_dragged_fader_that_moves_is_heard_with_its_point(drawn, library):
    folder = drawn(LANE)
    async with desk(library) as (screen, app, pilot):
        mixer = screen.query_one(Mixer)
        screen.post_message(Mixer.Wanted("tracks.vocals.gain_db", -1.0, settled=False))
        await pilot.press("p")
        await until(
            pilot,
            lambda: (
                '"automation": [{"target": "tracks.vocals.gain_db", "points": [[0.0, -1.0]' in wishes(folder)
            ),
        )
        mixer.show_value("tracks.vocals.gain_db", -1.0)
        assert "-1.0 dB ~" in text(app)


@on_stage
async def test_channels_are_put_into_groups(drawn, library):
    folder = drawn()
    async with desk(library) as (screen, app, pilot):
        await pilot.press("g")
        await take(pilot, "where vocals goes", "music")
        await until(pilot, lambda: cover(folder).tracks[0].group == "music")
        await saved(screen, pilot)
        await pilot.press("g")
        await take(pilot, "where vocals goes", "new gr")
        await until(pilot, lambda: "The name of the new group" in text(app))
        await pilot.press(*"Sung", "enter")
        assert "lower-case letters, digits, - and _ only" in text(app)
        await pilot.press(*["backspace"] * 4, *"band", "enter")
        assert "there is a 'band' already" in text(app)
        await pilot.press(*["backspace"] * 4, *"sung", "enter")
        await until(pilot, lambda: cover(folder).tracks[0].group == "sung")
        await saved(screen, pilot)
        await until(pilot, lambda: screen.query_one(Mixer).row.name == "sung")
        screen._put_into(screen.query_one(Mixer).row, "music")
        await until(pilot, lambda: cover(folder).groups[1].group == "music")


@on_stage
async def test_channels_are_added_and_removed(drawn, library):
    folder = drawn()
    async with desk(library) as (screen, app, pilot):
        await pilot.press("+")
        await take(pilot, "what to add", "bus")
        await until(pilot, lambda: "The name of the new bus" in text(app))
        await pilot.press(*"echo", "enter")
        await until(pilot, lambda: len(cover(folder).buses) == 3)
        await saved(screen, pilot)
        await until(pilot, lambda: screen.query_one(Mixer).row.name == "echo")
        await pilot.press("d")
        await until(pilot, lambda: len(cover(folder).buses) == 2)
        assert "removed bus echo" in lines(app)[-2]
        await saved(screen, pilot)
        screen._add("track: instrumental")
        await until(pilot, lambda: "The name of the new track" in text(app))
        await pilot.press(*"more", "enter")
        await until(
            pilot,
            lambda: cover(folder).tracks[-1].source == "instrumental" and len(cover(folder).tracks) == 3,
        )


@on_stage
async def test_bars_are_counted_and_loops_go_to_them(drawn, library):
    drawn(music=MUSIC)
    async with desk(library) as (screen, app, pilot):
        wave = screen.query_one("#a", Wave)
        assert "╵" in text(app)
        await until(pilot, lambda: "│A" in text(app) and "│B" in text(app))  # parts that were heard
        screen.go_to(wave)
        await pilot.press("b")
        assert "the ruler counts bars, loops go to them: 120.0 bpm, 4 beats a bar" in lines(app)[-2]
        await pilot.press(".", "[", ".", "]")
        assert wave.loop == (4.0, 10.0)
        await pilot.press("b")
        assert "the ruler counts seconds" in lines(app)[-2]
        await pilot.press(".", "]")
        assert wave.loop == (4.0, 15.0)


@on_stage
async def test_without_bars_it_listens_for_them(drawn, library, monkeypatch):
    folder = drawn()
    async with desk(library) as (screen, app, pilot):
        known = rendered(folder, seconds=SECONDS, tracks=["vocals"], music=MUSIC)
        monkeypatch.setattr(project_model, "pictures", lambda project: known)
        screen.go_to(screen.query_one("#a", Wave))
        await pilot.press("b")
        await until(pilot, lambda: "the ruler counts bars" in text(app))
        job = next(job for job in app.board.jobs.values() if job.kind == "listen")
        assert job.request["until"] == "music"
        assert screen.job is None
        await pilot.press("b")
        deaf = rendered(folder, seconds=SECONDS, tracks=["vocals"], music=Music(SECONDS))
        monkeypatch.setattr(project_model, "pictures", lambda project: deaf)
        screen.look_again()
        await until(pilot, lambda: screen.music is not None and not screen.music.beats)
        await pilot.press("b")
        assert "no beat was found in the song" in lines(app)[-2]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 10)])
def test_it_fits_with_groups_and_what_moves(drawn, library, size):
    drawn(LANE, music=MUSIC)

    @on_stage
    async def run():
        async with desk(library, size=size) as (_, app, _):
            rows = lines(app)
            assert all(len(row) == size[0] for row in rows)
            if size[0] >= 80:
                assert "-12.0 dB ~" in text(app)
                assert "gain moves, 2 points" in text(app)

    run()
