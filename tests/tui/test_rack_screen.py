"""The Rack screen on a stage: its states, every edit, what is heard and measured, presets, what goes wrong."""

import threading
from functools import partial

import numpy as np
import pytest
from studio_stage import (
    at_mixer,
    lines,
    on_screen,
    on_stage,
    preview,
    project,
    quiet,
    rendered,
    saved,
    studio,
    text,
    until,
    wishes,
)
from textual.widgets import Input

from covermaker.effects import EFFECTS, owners, preset_edits, presets
from covermaker.effects.spec import Spec, choice, switch
from covermaker.project.edits import apply
from covermaker.project.load import load
from covermaker.render.sounds import Sounds
from covermaker.tui import project_model, rack_model
from covermaker.tui.project_model import Pictures
from covermaker.tui.rack_chain import Chain
from covermaker.tui.rack_loop import pyramid
from covermaker.tui.rack_parameters import Parameters
from covermaker.tui.rack_readings import reading_of
from covermaker.tui.screens import rack as screen_module
from covermaker.tui.screens import saving
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.pyramid import Pyramid

MORE = """sends = { room = -12.0 }
rack = [
  { effect = "gate", threshold_db = -50.0 },
  { effect = "compressor", threshold_db = -20.0, ratio = 4.0 },
  { effect = "reverb" },
]
[[tracks]]
name = "band"
source = "instrumental"
[[buses]]
name = "room"
rack = [{ effect = "reverb" }]
"""
SECONDS = 60.0


def point(index, lufs):
    return {"index": index, "lufs": lufs, "peak_dbfs": lufs + 12.0, "spectrum_db": [-30.0, -40.0, -60.0]}


ROWS = [[0.1, 0.1]] * 120 + [[0.5, 0.5]] * 120
PREVIEW = preview(
    against="sung.wav",
    peaks={"dry": ROWS, "mix": ROWS},
    reductions=[{"track": "vocals", "index": 1, "effect": "compressor", "maximum_db": 6.5,
                 "history_db": [0.0] * 60 + [6.5] * 60}],
    points=[point(-1, -20.0), point(0, -20.0), point(1, -24.5), point(2, -18.0)],
    spectrum_hz=[100.0, 1000.0, 10000.0],
    of={"master.rack": {"instead": "the original vocal, for it is not rendered"}},
)  # fmt: skip


@pytest.fixture
def song(library, states, monkeypatch, tmp_path):
    """A project with two tracks, a bus and a master, as if it had been rendered."""
    monkeypatch.setenv("COVERMAKER_PRESETS", str(tmp_path / "presets"))
    folder = project(library, "blue", "Blue [Harbour]", more=MORE)
    level = np.full(3000, 0.1, np.float32)
    level[1000:1600] = 0.8  # 20 s to 32 s is the loudest
    peaks = Pyramid(-level, level, SECONDS / 3000)
    drawn = rendered(folder, seconds=SECONDS, tracks=["vocals", "band"], peaks=peaks)
    monkeypatch.setattr(project_model, "pictures", lambda project: drawn)
    monkeypatch.setattr(screen_module, "COMMAND", PREVIEW)
    return folder


async def opened(app, pilot, song, channel="", *, measured=True):
    """Open a project's rack and return its screen."""
    app.open_rack(song, channel)
    await until(
        pilot, lambda: isinstance(app.screen, screen_module.RackScreen) and app.screen.owner is not None
    )
    screen = app.screen
    if measured:
        await until(pilot, lambda: screen.sound.made is not None)
    return screen


def rack_screen(song, channel="", *, size=(80, 24), measured=True):
    """Open the Rack screen on a project."""
    opening = partial(opened, song=song, channel=channel, measured=measured)
    return on_screen(song.parent, opening, size=size)


async def at_parameters(screen, pilot):
    screen.go_to(screen.query_one(Parameters))
    await until(pilot, lambda: isinstance(screen.focused, Fader))


def rack(song, track=0):
    return load(song).cover.tracks[track].rack


@on_stage
async def test_without_a_project_it_names_the_keys(library, states):
    async with studio(library) as (app, pilot):
        await pilot.press("3")
        assert "No project is open. 1 shows your songs, enter opens one." in text(app)
        await pilot.press("+")
        assert "Add: no project is open: 1 shows your songs" in lines(app)[-2]
        await pilot.press("escape")
        assert app.current_mode == "library"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 24), (40, 10)])
def test_it_fits(song, size):
    @on_stage
    async def run():
        async with rack_screen(song, size=size) as (_, app, pilot):
            rows = lines(app)
            assert all(len(row) == size[0] for row in rows)
            assert rows[-1].rstrip().endswith("? Help")
            assert ">  1 gate" in text(app)
            if size[0] >= 80:
                for words in (
                    "threshold_db",
                    "-50.0 dB",
                    "Loop 0:20 to 0:32",
                    "A -20.0 LUFS, B -18.0 LUFS",
                    "3 reverb",
                ):
                    assert words in text(app)
            assert ("⠤⠤⠤ out" in text(app)) == (size == (120, 40))
            await pilot.press("tab")
            await until(pilot, lambda: "> threshold_db" in text(app))
            await pilot.press("tab")
            await until(pilot, lambda: "B rack" in text(app))

    run()


@on_stage
async def test_the_effect_that_is_selected_is_shown_and_measured(song):
    async with rack_screen(song, size=(100, 30)) as (_, app, pilot):
        await pilot.press("down")
        await until(pilot, lambda: "2 compressor ─" in text(app) and "makeup_db" in text(app))
        assert "-6.5 dB" in text(app)
        assert "max  6.5 dB" in text(app)
        assert "-20.0 LUFS  peak   -8.0 dB" in text(app)
        assert "-24.5 LUFS  peak  -12.5 dB" in text(app)
        await pilot.press("down")
        await until(pilot, lambda: "does not turn down by level" in text(app))
        await pilot.press("f")
        await until(pilot, lambda: "1k" in text(app) and "-24.5 LUFS" not in text(app))
        await pilot.press("f", "enter")
        await until(pilot, lambda: "room_size: " in text(app))


@on_stage
async def test_values_are_changed_typed_reset_and_undone(song, monkeypatch):
    monkeypatch.setattr(saving, "_GESTURE_SECONDS", 60.0)
    async with rack_screen(song) as (screen, app, pilot):
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(screen.focused, Fader) and "2 compressor" in text(app))
        await pilot.press("-", "-", "left")
        await saved(screen, pilot)
        assert rack(song)[1]["threshold_db"] == -21.1
        assert "vocals compressor threshold -20.0 -> -21.1 dB" in lines(app)[-2]  # one gesture
        await until(pilot, lambda: '"threshold_db": -21.1' in wishes(song))
        await pilot.press("down", "t", *"6", "enter")
        await saved(screen, pilot)
        assert rack(song)[1]["ratio"] == 6.0
        await pilot.press("t", *"99", "enter")
        assert "out of range" in lines(app)[-2]
        await pilot.press("escape", "0")
        await saved(screen, pilot)
        assert "ratio" not in rack(song)[1]
        assert rack_model.about(EFFECTS.load("compressor").SPECS[1], "", None)[:6] == "ratio:"
        await pilot.press("z")
        await saved(screen, pilot)
        assert rack(song)[1]["ratio"] == 4.0  # typed and put back: one gesture, too


@on_stage
async def test_effects_are_added_moved_switched_and_removed(song):
    async with rack_screen(song) as (screen, app, pilot):
        await pilot.press("K")
        assert "Earlier: it is the first already" in lines(app)[-2]
        await pilot.press("+")
        await until(pilot, lambda: "Turns down what is quieter" in text(app))
        await pilot.press(*"telephone")
        await until(pilot, lambda: "a telephone sound." in text(app) and "louder" not in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: len(screen.rows) == 4)
        await pilot.press("J", "J", "o")
        await saved(screen, pilot)
        assert [row["effect"] for row in rack(song)] == ["gate", "compressor", "reverb", "low_pass"]
        assert rack(song)[3]["bypass"] is True
        assert screen.query_one(Chain).cursor == 3
        assert "vocals low_pass on -> off" in lines(app)[-2]
        await pilot.press("J")
        assert "Later: it is the last already" in lines(app)[-2]
        await pilot.press("d")
        await saved(screen, pilot)
        assert len(rack(song)) == 3
        await pilot.press("z")
        await saved(screen, pilot)
        await until(pilot, lambda: len(screen.rows) == 4)


@on_stage
async def test_all_are_turned_off_and_those_that_were_on_come_back(song):
    async with rack_screen(song) as (screen, app, pilot):
        await pilot.press("o", "b")
        await saved(screen, pilot)
        assert [row.get("bypass", False) for row in rack(song)] == [True, True, True]
        assert "vocals: every effect off" in lines(app)[-2]
        await pilot.press("b")
        await saved(screen, pilot)
        assert [row.get("bypass", False) for row in rack(song)] == [True, False, False]


@on_stage
async def test_every_channel_has_its_rack(song):
    async with rack_screen(song, "band") as (screen, app, pilot):
        assert screen.owner.place == "tracks.band"
        assert "no effects yet: + adds one" in text(app)
        await pilot.press("d")
        assert "Remove: no effects yet: + adds one" in lines(app)[-2]
        await pilot.press("}")
        await until(pilot, lambda: "bus room" in text(app) and "buses.room.rack" in wishes(song))
        (song / "no-preview").write_text("no track sends to room")
        await pilot.press(",")
        await until(pilot, lambda: "no track sends to room" in text(app))
        (song / "no-preview").unlink()
        await pilot.press("}")
        await until(pilot, lambda: screen.owner.place == "master" and "on the original vocal" in text(app))
        screen.add_effect("gain")
        await saved(screen, pilot)
        assert load(song).cover.master.rack == [{"effect": "gain"}]
        await pilot.press("}")
        assert screen.owner.place == "tracks.vocals"


@on_stage
async def test_a_loop_plays_both_sides_and_follows_the_faders(song):
    async with rack_screen(song, size=(100, 30)) as (screen, app, pilot):
        await pilot.press("down", "space")
        await until(pilot, lambda: screen.sound.player.playing)
        await until(pilot, lambda: "hearing B rack" in text(app) and "now " in text(app))
        assert screen.sound.player.loop == (20.0, 32.0)
        assert 20.0 <= screen.sound.seconds < 32.0
        await pilot.press("a")
        await until(pilot, lambda: "hearing A dry" in text(app))
        await pilot.press("n")
        await until(pilot, lambda: '"difference": true' in wishes(song))
        await pilot.press("x")
        assert "levels as they are" in lines(app)[-2]
        await pilot.press(".")
        await until(pilot, lambda: screen.sound.player.loop == (25.0, 37.0))
        await pilot.press("tab", "tab", "right")
        await until(pilot, lambda: screen.sound.seconds > 25.5)
        await pilot.press("]")
        await until(pilot, lambda: screen.sound.loop[0] == 25.0 and screen.sound.loop[1] < 30.0)
        await pilot.press("\\")
        await until(pilot, lambda: "Loop off: the whole track, as rendered" in text(app))
        await pilot.press("\\", "1")
        await until(pilot, lambda: not screen.sound.player.playing)


@on_stage
async def test_switching_sides_says_which_while_nothing_plays(song):
    async with rack_screen(song) as (screen, app, pilot):
        await pilot.press("a")
        await until(pilot, lambda: "hearing A dry" in text(app))
        assert "A (what goes into the rack) is chosen: space plays it" in lines(app)[-2]
        await pilot.press("a")
        await until(pilot, lambda: "B (what comes out of the rack) is chosen" in lines(app)[-2])
        await pilot.press("space")
        await until(pilot, lambda: screen.sound.player.playing)
        await pilot.press("a")
        await until(pilot, lambda: "hearing A (what goes into the rack)" in lines(app)[-2])
        await pilot.press("space", "{", "\\")
        await until(pilot, lambda: screen.owner.place == "master" and screen.sound.loop is None)
        await pilot.press("a")
        await until(pilot, lambda: "A/B: only a loop is heard before the rack, too" in lines(app)[-2])


@on_stage
async def test_presets_are_put_on_compared_and_saved(song, tmp_path):
    async with rack_screen(song, size=(100, 30)) as (screen, app, pilot):
        await pilot.press("l")
        await until(pilot, lambda: "changes: " in text(app))
        await pilot.press(*"natural")
        await until(pilot, lambda: "pop-lead" not in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "vocals: natural" in text(app))
        await saved(screen, pilot)
        assert [row["effect"] for row in rack(song)] == ["gate", "high_pass", "eq", "de_esser", "compressor"]
        await at_parameters(screen, pilot)
        await pilot.press("=")
        await until(pilot, lambda: "1 edit  { } Channel" in text(app) and "-51.5 dB *" in text(app))
        await pilot.press("v", *"natural")
        await until(pilot, lambda: "pop-lead" not in text(app) and "1 change: " in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "vocals compared with natural" in text(app))
        await until(pilot, lambda: "'natural' would make 1 change:" in text(app))
        assert "changes  1 gate: threshold -51.5 -> -52 dB" in text(app)
        await pilot.press("escape", "w")
        await until(pilot, lambda: isinstance(app.focused, Input))
        assert app.focused.value == "natural-2"
        await pilot.press(*"mine", "enter")
        await until(pilot, lambda: "vocals: mine" in text(app))
        assert presets.load_preset("racks", "mine").rack[0]["threshold_db"] == -51.5
        await pilot.press("0", "w")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("enter")
        await until(pilot, lambda: "Write over it?" in text(app))
        await pilot.press("y")
        await until(pilot, lambda: "threshold_db" not in presets.load_preset("racks", "mine").rack[0])
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"a b", "enter")
        await until(pilot, lambda: "no name for a preset" in text(app))
        assert app.focused.value == "a b"


@on_stage
async def test_the_preset_s_value_comes_back(song):
    async with rack_screen(song) as (screen, app, pilot):
        await at_parameters(screen, pilot)
        await pilot.press("p")
        assert "no preset has this effect" in lines(app)[-2]
        screen.put_preset("natural")
        await until(pilot, lambda: "2 high_pass" in text(app))
        await pilot.press("-", "p")
        await saved(screen, pilot)
        assert rack(song)[0]["threshold_db"] == -52.0


class Wobble:
    """An effect of somebody else, with every kind of parameter."""

    HELP = "Wobbles the sound."
    VERSION = 1
    SPECS = (
        Spec("depth", "", 0.0, 1.0, 0.25, help="How much it wobbles."),
        Spec("rate_hz", "Hz", 0.1, 20.0, 2.0, "log", "How often."),
        choice("voices", "", (1.0, 2.0, 4.0), 2.0, "How many at once."),
        switch("spread", False, "From side to side."),
        Spec("shape", "", 0.0, 0.0, "sine", choices=("sine", "square"), help="Of the wave."),
    )


@on_stage
async def test_whatever_has_a_spec_appears_by_itself(song, monkeypatch):
    monkeypatch.setitem(EFFECTS._table, "wobble", f"{__name__}:Wobble")
    async with rack_screen(song) as (screen, app, pilot):
        await pilot.press("+", *"wobb")
        await until(pilot, lambda: "Wobbles the sound." in text(app) and "louder" not in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "2 wobble ─" in text(app))
        for words in ("depth", "0.25", "rate_hz", "2 Hz", "voices", "spread", "off", "shape", "sine"):
            assert words in text(app)
        await pilot.press("enter", "down", "down", "=", "down", "=", "down", "=")
        await saved(screen, pilot)
        assert rack(song)[1] == {"effect": "wobble", "voices": 4.0, "spread": True, "shape": "square"}
        assert "shape: Of the wave." in text(app)


@on_stage
async def test_what_others_change_is_taken_over_and_asked_about(song):
    async with rack_screen(song) as (screen, app, pilot):
        file = song / "cover.toml"
        file.write_text(file.read_text().replace("threshold_db = -50.0", "threshold_db = -44.0"))
        screen._look()
        await until(
            pilot, lambda: "changed on disk: vocals gate threshold -50.0 -> -44.0 dB" in lines(app)[-2]
        )
        assert "-44.0 dB" in text(app)
        screen._watch_ = None
        file.write_text(file.read_text().replace("threshold_db = -44.0", "threshold_db = -33.0"))
        await at_parameters(screen, pilot)
        await pilot.press("-")
        await until(pilot, lambda: "Do it all the same" in text(app))
        await pilot.press("n")
        await until(pilot, lambda: "-33.0 dB" in text(app))
        file.write_text("nonsense", encoding="utf-8")
        screen._look()
        # Where the lines break depends on how long the folder's name is.
        await until(pilot, lambda: "TOML:" in text(app))
        await pilot.press("+")
        assert lines(app)[-2].startswith(" Add: /")


@on_stage
async def test_what_one_screen_saves_another_shows_when_it_is_seen_again(song, library, monkeypatch):
    async with studio(library, settings=quiet()) as (app, pilot):
        app.open_project(song)
        await until(pilot, lambda: "rack gate, compressor, reverb" in text(app) or app.screen.query(Fader))
        project_screen, shown = app.screen, []
        take = type(project_screen).take

        async def taken(self, *what):
            shown.append(app.current_mode)
            await take(self, *what)

        monkeypatch.setattr(type(project_screen), "take", taken)
        rack_screen = await opened(app, pilot, song)
        await pilot.press("d")
        await saved(rack_screen, pilot)
        assert shown == []  # nobody looks at it
        await pilot.press("2")
        await until(pilot, lambda: shown == ["project"])
        await at_mixer(project_screen, pilot)
        assert "rack compressor, reverb" in text(app)
        asked = wishes(song)
        await pilot.press("-")
        await saved(project_screen, pilot)
        assert wishes(song) == asked  # the hidden rack asks for nothing
        await pilot.press("3")
        await until(pilot, lambda: rack_screen.edits.project.cover.tracks[0].gain_db == -0.5)
        await until(pilot, lambda: rack_screen.undo_words() == "vocals gain 0.0 -> -0.5 dB")
        project_screen._look()
        rack_screen._look()
        await pilot.pause(0.05)
        assert not any("changed on disk" in line.text for line in app.board.log)


@on_stage
async def test_what_is_being_made_is_not_heard_once_another_screen_is_open(song, player):
    (song / "wait").touch()
    async with rack_screen(song, measured=False) as (screen, _, pilot):
        await until(pilot, lambda: screen.sound.no_play() is None)
        await pilot.press("space")
        assert screen.sound.is_on
        await pilot.press("1")
        (song / "wait").unlink()
        await until(pilot, lambda: screen.sound.made is not None)
        assert not screen.sound.is_on
        assert ("play",) not in screen.sound.player.told


@on_stage
async def test_a_change_is_drawn_once_and_a_key_compares_with_no_preset(song, monkeypatch):
    async with rack_screen(song) as (screen, _, pilot):
        await pilot.pause()
        (song / "wait").touch()
        drawn, compared = [], []
        show, beside = Parameters.show, owners.lines_beside

        async def counted(self, *what):
            drawn.append(what)
            await show(self, *what)

        monkeypatch.setattr(Parameters, "show", counted)
        monkeypatch.setattr(owners, "lines_beside", lambda *what: compared.append(what) or beside(*what))
        await pilot.press("o")
        await saved(screen, pilot)
        assert len(drawn) == 1
        compared.clear()
        await pilot.press("down")
        assert len(drawn) == 2
        assert screen.refusal("rack.preset") is None
        assert compared == []
        (song / "wait").unlink()


@on_stage
async def test_before_a_render_it_says_why_nothing_is_heard(song, monkeypatch):
    nothing = Pictures(Sounds(None, None, None, None, None, 0.0, {}))
    monkeypatch.setattr(project_model, "pictures", lambda project: nothing)
    async with rack_screen(song, measured=False) as (screen, app, pilot):
        await until(pilot, lambda: "vocals has no sound yet: r renders the song" in text(app))
        await pilot.press("space")
        assert "Play: vocals has no sound yet" in lines(app)[-2]
        await pilot.press(".")
        assert "there is no sound yet: r renders it" in lines(app)[-2]
        assert screen.sound.made is None
        await pilot.press("r")
        await until(pilot, lambda: app.board.of(str(song)) is not None and app.board.of(str(song)).is_over)


@on_stage
async def test_a_preview_that_dies_is_said_and_comes_back(song, monkeypatch):
    async with rack_screen(song) as (screen, _, pilot):
        screen.sound._preview.kill()
        await until(pilot, lambda: "the preview was ended by SIGKILL" in screen.sound.problem)
        await pilot.press("o")
        await until(pilot, lambda: screen.sound.made is not None and not screen.sound.problem)


def test_the_loop_begins_where_it_is_loudest_and_stays_in_the_song():
    level = np.concatenate([np.full(100, 0.1), np.full(40, 0.9), np.full(60, 0.1)]).astype(np.float32)
    peaks = Pyramid(-level, level, 0.5)
    begin, end = rack_model.loudest(peaks)
    assert 50.0 <= begin <= 58.0
    assert end == begin + 12.0
    assert rack_model.moved((95.0, 99.0), 5.0, 100.0) == (96.0, 100.0)
    assert rack_model.moved((2.0, 6.0), -5.0, 100.0) == (0.0, 4.0)
    short = Pyramid(-level[:3], level[:3], 0.5)
    assert rack_model.loudest(short) == (0.0, 1.5)


def test_nothing_measured_is_nothing_to_read():
    assert reading_of(None, 0).before is None
    assert pyramid([], 1.0) is None


@on_stage
async def test_a_preset_that_another_screen_put_on_is_the_one_to_compare_with(song):
    async with rack_screen(song, size=(100, 30)) as (screen, app, pilot):
        known = {one.preset.name: one.preset for one in presets.list_presets("racks")}
        await pilot.press("l", *"natural", "enter")
        await until(pilot, lambda: "vocals: natural" in text(app))
        await saved(screen, pilot)
        edit = preset_edits.edit_of(known["telephone"], screen.edits.project, "vocals")
        screen.saved_elsewhere(apply(load(song), edit).project)
        await until(pilot, lambda: "vocals: telephone" in text(app))


@on_stage
async def test_a_comparison_leaves_the_title_as_it_was_and_counts_what_it_lists(song):
    async with rack_screen(song, size=(100, 40)) as (screen, app, pilot):
        screen.put_preset("natural")
        await until(pilot, lambda: "vocals: natural" in text(app))
        await saved(screen, pilot)
        await at_parameters(screen, pilot)
        await pilot.press("=")
        await saved(screen, pilot)
        await until(pilot, lambda: "1 edit  { } Channel" in text(app))
        told = dict(screen._offered())["pop-lead"].partition(":")[0]
        await pilot.press("v", *"pop-lead", "enter")
        await until(pilot, lambda: "vocals compared with pop-lead" in text(app))
        assert f"'pop-lead' would make {told}:" in text(app)
        listed = [row for row in lines(app) if {"changes", "adds", "removes"} & set(row.split()[1:3])]
        assert told == f"{len(listed)} changes"
        assert any("send to" in row for row in listed)
        assert any("bus delay" in row for row in listed)
        await pilot.press("escape")
        await until(pilot, lambda: "compared with" not in text(app) and isinstance(screen.focused, Fader))
        assert "vocals: natural" in text(app)
        assert "1 edit  { } Channel" in text(app)
        assert screen.preset.name == "natural"
        assert "'natural'" in text(app)
        assert "pop-lead" not in text(app)


@on_stage
async def test_while_the_rack_is_read_that_is_said_and_keys_are_kept(song, monkeypatch):
    may, read = threading.Event(), project_model.open_project

    def slowly(folder):
        assert may.wait(10.0)
        return read(folder)

    monkeypatch.setattr(project_model, "open_project", slowly)
    async with studio(song.parent, settings=quiet()) as (app, pilot):
        app.open_rack(song, "")
        await until(pilot, lambda: "reading the rack…" in text(app))
        assert "no effect" not in text(app)
        await pilot.press("enter")
        assert "Edit: reading the rack" in lines(app)[-2]
        await pilot.press("down", "down", "down", "up")
        may.set()
        await until(pilot, lambda: app.screen.query_one(Chain).items)
        assert app.screen.query_one(Chain).cursor == 2
        await until(pilot, lambda: ">  3 reverb" in text(app) and "room_size" in text(app))
        assert "reading the rack…" not in text(app)
        await pilot.press("up")
        await until(pilot, lambda: ">  2 compressor" in text(app))


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A plug-in as a scan has left it; the studio never runs it."""
    from covermaker.effects.plugins import catalogue, places
    from covermaker.effects.plugins.parameters import Parameter

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bundle = tmp_path / "Warm.vst3"
    bundle.write_bytes(b"a program")
    parameters = (
        Parameter(3, "drive_db", "Drive", "dB", "number", 0.0, 20.0, 6.0),
        Parameter(4, "mode", "Mode", "", "choice", 0.0, 1.0, "Soft", ("Soft", "Hard")),
    )
    found = catalogue.Plugin("Warm", "A maker", "1.0", "Fx|Distortion", "id", False, (2,), 0, parameters)
    stamp = places.stamp_of(bundle)
    catalogue.write([catalogue.Bundle(bundle, stamp, "0" * 64, 0.2, (found,))])
    return bundle


@on_stage
async def test_a_plugin_is_added_and_set_as_any_effect(song, plugin):
    async with rack_screen(song, size=(100, 30)) as (screen, app, pilot):
        await pilot.press("+")
        await until(pilot, lambda: "an effect to add" in text(app))
        await pilot.press(*"warm")
        await until(pilot, lambda: "Plug-in by A maker, Fx, Distortion." in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: len(screen.rows) == 4)
        await saved(screen, pilot)
        assert rack(song)[1] == {"effect": "vst3", "plugin": "Warm"}
        assert "2 Warm ─" in text(app)
        await at_parameters(screen, pilot)
        await pilot.press("t", *"12", "enter", "down", "right")
        await saved(screen, pilot)
        assert rack(song)[1]["parameters"] == {"drive_db": 12.0, "mode": "Hard"}
        assert "drive_db" in text(app)
        assert "12.0 dB" in text(app)
        await pilot.press("0")
        await saved(screen, pilot)
        assert rack(song)[1]["parameters"] == {"drive_db": 12.0}
        plugin.unlink()
        screen.go_to(screen.query_one(Chain))
        await pilot.press("o", "o")
        await until(pilot, lambda: "plug-in 'Warm' is not on this" in text(app))


@on_stage
async def test_a_plugin_that_fails_in_the_preview_is_told_of(song, monkeypatch):
    note = "track 'vocals': plug-in 'Warm' crashed (SIGSEGV); the sound passes it by"
    monkeypatch.setattr(screen_module, "COMMAND", preview(against="sung.wav", peaks={}, notes=[note]))
    async with rack_screen(song, size=(100, 30)) as (screen, app, pilot):
        await until(pilot, lambda: "plug-in 'Warm' crashed (SIGSEGV)" in lines(app)[-2])
        await pilot.press("up", "down")
        assert screen.sound.made is not None
