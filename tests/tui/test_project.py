"""The Project screen on a stage: its states, the mixer's edits, what is heard, what goes wrong."""

import os
import re
import threading
from functools import partial

import numpy as np
import pytest
from studio_stage import (
    REFUSED,
    STUCK,
    at_mixer,
    burst,
    lines,
    on_screen,
    on_stage,
    preview,
    project,
    quiet,
    rendered,
    saved,
    state,
    studio,
    text,
    until,
    wishes,
)

from covermaker.errors import ProjectError
from covermaker.project.load import load
from covermaker.render.sounds import Sounds
from covermaker.tui import project_model, project_sections
from covermaker.tui.project_channels import channels, pan_words
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_model import Pictures
from covermaker.tui.project_steps import Steps
from covermaker.tui.project_wave import Wave
from covermaker.tui.screens import project as screen_module
from covermaker.tui.screens.project import ProjectScreen
from covermaker.tui.widgets import meters
from covermaker.tui.widgets.fader import Fader

MORE = """gain_db = 0.0
[[tracks]]
name = "band"
source = "instrumental"
[[buses]]
name = "room"
"""
SECONDS = 30.0

PREVIEW = preview(peaks={"vocals": [[0.5, 0.5]] * 999, "mix": [[0.5, 0.5]] * 999})


@pytest.fixture
def song(library, states, monkeypatch):
    """A project with two tracks and a bus, as if it had been rendered."""
    folder = project(library, "blue", "Blue [Harbour]", more=MORE)
    melody = (np.arange(3000) / 100, np.full(3000, 220.0))
    drawn = rendered(folder, seconds=SECONDS, tracks=["vocals"], semitones=12.0, pitch=melody)
    monkeypatch.setattr(project_model, "pictures", lambda project: drawn)
    monkeypatch.setattr(screen_module, "COMMAND", PREVIEW)
    states["blue"] = state("done", lufs=-14.0, true_peak_dbtp=-1.0)
    return folder


async def opened(app, pilot, *, drawn=True):
    """Open the selected song and return its screen."""
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ProjectScreen) and app.screen.state is not None)
    if drawn:
        await until(pilot, lambda: app.screen.pictures is not None and app.screen.query(Fader))
    return app.screen


def project_screen(library, *, size=(80, 24), drawn=True):
    """Open the Project screen on the first song."""
    return on_screen(library, partial(opened, drawn=drawn), size=size)


@on_stage
async def test_without_a_project_it_names_the_keys(library, states):
    async with studio(library) as (app, pilot):
        await pilot.press("2")
        assert "No project is open. 1 shows your songs, enter opens one." in text(app)
        await pilot.press("r")
        assert "Render: no project is open: 1 shows your songs" in lines(app)[-2]
        await pilot.press("escape")
        assert app.current_mode == "library"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 24), (40, 10)])
def test_it_fits(song, library, size):
    @on_stage
    async def run():
        async with project_screen(library, size=size) as (_, app, _):
            rows = lines(app)
            assert all(len(row) == size[0] for row in rows)
            assert rows[-1].rstrip().endswith("? Help")
            assert "Blue [Harbour]: steps" in text(app)
            if size[0] >= 80:
                for words in (
                    "✓ decode",
                    "A vocal, converted",
                    "vocals",
                    "band",
                    "room",
                    "MASTER",
                    "-14 LUFS",
                ):
                    assert words in text(app)
            assert ("B vocal, original" in text(app)) == (size == (120, 40))

    run()


@on_stage
async def test_stale_and_failed_say_why(song, library, states):
    states["blue"] = state("stale", to_do=("export",))
    async with project_screen(library) as (screen, app, pilot):
        screen.go_to(screen.query_one(Wave))
        await until(pilot, lambda: "stale because: tracks[0].gain_db: 0.0 -> 1.0" in text(app))
        assert "~ export" in text(app)
        states["blue"] = state("failed", problem="the song is gone", hint="bring it back")
        screen.look_again()
        await until(pilot, lambda: "✗ failed: the song is gone" in text(app))
        assert "next: bring it back" in text(app)


@on_stage
async def test_a_document_that_is_none_says_so(song, library):
    # Wide: the folder's name is long.
    async with studio(library, size=(240, 40), settings=quiet()) as (app, pilot):
        (song / "cover.toml").write_text("schema = 'x'", encoding="utf-8")
        await opened(app, pilot, drawn=False)
        await until(pilot, lambda: "✗ failed: " in text(app))
        assert "cover.toml" in text(app)


@on_stage
async def test_a_render_is_watched_and_cancelled(song, library):
    (song / "recording.jsonl").write_text(STUCK, encoding="utf-8")
    async with project_screen(library) as (_, app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: "► separate 50 %" in text(app))
        await pilot.press("r")
        assert "Render: it is being rendered: c cancels" in lines(app)[-2]
        await pilot.press("c")
        await until(pilot, lambda: app.board.of(str(song)).is_over)
        (song / "recording.jsonl").write_text(REFUSED, encoding="utf-8")
        await pilot.press("r")
        await until(pilot, lambda: app.board.of(str(song)).state == "failed")
        assert "failed" in lines(app)[-2]


@on_stage
async def test_before_its_sound_is_found_it_says_that_it_looks(song, library, monkeypatch):
    drawn, found = project_model.pictures(None), threading.Event()

    def slowly(project):
        assert found.wait(10.0)
        return drawn

    monkeypatch.setattr(project_model, "pictures", slowly)
    async with project_screen(library, drawn=False) as (screen, app, pilot):
        await pilot.press("space")
        assert "Play: looking for its sound" in lines(app)[-2]
        await pilot.press("[")
        assert "Loop in: looking for its sound" in lines(app)[-2]
        found.set()
        await until(pilot, lambda: screen.pictures is not None)
        assert screen.refusal("project.play") is None


@on_stage
async def test_sound_that_cannot_be_found_says_why(song, library, monkeypatch):
    def refuse(project):
        raise ProjectError("the song's file is gone")

    monkeypatch.setattr(project_model, "pictures", refuse)
    async with project_screen(library, drawn=False) as (screen, app, pilot):
        await until(pilot, lambda: screen.no_sound_why == "the song's file is gone")
        for key, label in (("space", "Play"), ("]", "Loop out")):
            await pilot.press(key)
            assert f"{label}: the song's file is gone" in lines(app)[-2]


@on_stage
async def test_the_mixer_edits_the_document_and_undoes(song, library):
    async with project_screen(library) as (screen, app, pilot):
        await at_mixer(screen, pilot)
        await pilot.press("-", "-")
        await saved(screen, pilot)
        assert load(song).cover.tracks[0].gain_db == -1.0
        assert "vocals gain 0.0 -> -1.0 dB" in lines(app)[-2]  # one gesture
        await pilot.press("down", "m", ">")
        await saved(screen, pilot)
        band = load(song).cover.tracks[1]
        assert (band.mute, band.pan) == (True, 0.05)
        assert "R5   muted" in text(app)
        await pilot.press("z")
        await saved(screen, pilot)
        await pilot.press("z")
        await saved(screen, pilot)
        assert load(song).cover.tracks[1].mute is False
        await pilot.press("Z")
        await saved(screen, pilot)
        assert load(song).cover.tracks[1].mute is True


@on_stage
async def test_faders_turn_to_sends(song, library):
    async with project_screen(library) as (screen, app, pilot):
        await at_mixer(screen, pilot)
        await pilot.press("n", "t")
        assert "Mixer: sends to room" in text(app)
        await pilot.press(*"-12.5", "enter")
        await saved(screen, pilot)
        assert load(song).cover.tracks[0].sends == {"room": -12.5}
        await pilot.press("0")
        await saved(screen, pilot)
        assert load(song).cover.tracks[0].sends == {}
        await pilot.press("=")
        await saved(screen, pilot)
        assert load(song).cover.tracks[0].sends == {"room": -60.0}
        await pilot.press("t")
        await pilot.press(*"off", "enter")
        await saved(screen, pilot)
        assert load(song).cover.tracks[0].sends == {}
        await pilot.press("n")
        assert "Mixer: sends" not in text(app)


@on_stage
async def test_keys_of_a_burst_find_the_typing_and_the_pane(song, library):
    async with project_screen(library) as (screen, app, pilot):
        await burst(pilot, "tab", "tab", "down", *"t-2.5", "enter")
        await until(pilot, lambda: load(song).cover.tracks[1].gain_db == -2.5)
        await saved(screen, pilot)
        assert app.current_mode == "project"
        assert load(song).cover.tracks[0].gain_db == 0.0
        await burst(pilot, ".", ".", "[")
        assert screen.query_one("#a", Wave).loop == (10.0, SECONDS)
        await burst(pilot, "tab", "tab", "tab", "shift+tab")
        assert screen.pane() is screen.query_one("#a")


@on_stage
async def test_solo_is_not_saved(song, library):
    before = (song / "cover.toml").read_text(encoding="utf-8")
    async with project_screen(library) as (screen, app, pilot):
        await at_mixer(screen, pilot)
        await pilot.press("s")
        assert "solo, for listening only: vocals" in lines(app)[-2]
        assert "C      m   solo" in text(app)
        await pilot.press("end")
        assert (song / "cover.toml").read_text(encoding="utf-8") == before


@on_stage
async def test_what_others_change_is_taken_over(song, library):
    async with project_screen(library) as (screen, app, pilot):
        document = (song / "cover.toml").read_text(encoding="utf-8")
        (song / "cover.toml").write_text(document.replace('name = "band"', 'name = "band"\ngain_db = -9.0'))
        screen._look()
        await until(pilot, lambda: "changed on disk: band gain 0.0 -> -9.0 dB" in text(app))
        assert "-9.0 dB" in text(app)
        (song / "cover.toml").write_text("nonsense", encoding="utf-8")
        screen._look()
        await until(pilot, lambda: "✗ failed: " in text(app))


@on_stage
async def test_a_conflict_is_asked_about(song, library):
    async with project_screen(library) as (screen, app, pilot):
        screen._watch_ = None
        document = (song / "cover.toml").read_text(encoding="utf-8")
        (song / "cover.toml").write_text(document.replace("gain_db = 0.0", "gain_db = -9.0"))
        await at_mixer(screen, pilot)
        await pilot.press("-")
        await until(pilot, lambda: "Do it all the same" in text(app))
        await pilot.press("y")
        await saved(screen, pilot)
        assert load(song).cover.tracks[0].gain_db == -0.5


@on_stage
async def test_a_loop_of_the_mix_follows_the_faders(song, library):
    async with project_screen(library, size=(120, 40)) as (screen, app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: "A mix of the loop, live" in text(app) and screen.sound.player.playing)
        assert screen.sound.loop == (0.0, 8.0)
        await until(pilot, lambda: "-6.0" in text(app))  # the meter of vocals
        await at_mixer(screen, pilot)
        await pilot.press("-")
        await until(pilot, lambda: '"tracks.vocals.gain_db": -0.5' in wishes(song))
        await pilot.press("s")
        await until(pilot, lambda: '"solo": ["vocals"]' in wishes(song))
        await pilot.press("a")
        await until(pilot, lambda: "hearing B" in text(app))
        (song / "no-preview").write_text("no sound: render")
        await pilot.press("-")
        await until(pilot, lambda: "preview: no sound: render" in text(app))


@on_stage
async def test_a_refusal_that_is_overtaken_is_not_said(song, library):
    async with project_screen(library) as (screen, app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: screen.sound.player.playing)
        await at_mixer(screen, pilot)
        (song / "wait").touch()
        (song / "no-preview").write_text("no sound")
        await pilot.press("-")
        await until(pilot, lambda: '"tracks.vocals.gain_db": -0.5' in wishes(song))
        (song / "no-preview").unlink()
        await pilot.press("-")
        made = screen.sound.made
        (song / "wait").unlink()
        await until(pilot, lambda: screen.sound.made is not made and not screen.sound.is_working)
        assert not any("no sound" in line.text for line in app.board.log)


@on_stage
async def test_in_a_small_window_the_mixer_says_the_value_of_the_chosen_channel(song, library):
    async with project_screen(library, size=(40, 10)) as (screen, app, pilot):
        await at_mixer(screen, pilot)
        await until(pilot, lambda: "vocals  0.0 dB" in text(app))
        await pilot.press("-")
        await until(pilot, lambda: "vocals  -0.5 dB" in text(app))
        await pilot.press("k", *"jjjjjj")
        await until(pilot, lambda: "MASTER  -14 LUFS" in text(app))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "MASTER  -14 LUFS" not in text(app))


@on_stage
async def test_the_vocal_is_heard_against_the_original(song, library):
    async with project_screen(library) as (screen, app, pilot):
        await pilot.press(".", ".")
        assert "0:10  hearing A" in text(app)
        await pilot.press("space")
        await until(pilot, lambda: screen.sound.player.playing)
        assert screen.sound.seconds >= 10.0
        await pilot.press("a")
        await until(pilot, lambda: "B vocal, original" in text(app))
        assert "hearing B (vocal, original)" in lines(app)[-2]
        await pilot.press("x")
        assert "levels as they are" in lines(app)[-2]
        await pilot.press(".")
        await until(pilot, lambda: screen.query_one("#a", Wave).position >= 15.0)
        await pilot.press("space")
        await until(pilot, lambda: not screen.sound.player.playing)


@on_stage
async def test_one_thing_sounds_at_a_time(song, library, states, player):
    states["blue"] = state("done", song=song / "song.wav")
    async with studio(library, settings=quiet()) as (app, pilot):
        await pilot.press("space")
        await until(pilot, lambda: app.library.sound.playing)
        screen = await opened(app, pilot)
        await pilot.press("p")
        await until(pilot, lambda: screen.sound.player.playing)
        assert not app.library.sound.playing
        await pilot.press("1", "space")
        await until(pilot, lambda: app.library.sound.playing)
        assert not screen.sound.player.playing


@on_stage
async def test_a_sound_that_cannot_be_loaded_leaves_it_quiet(song, library, player):
    async with project_screen(library) as (screen, app, pilot):
        screen.sound.player.broken = {"sung.wav"}
        await pilot.press("space")
        await until(pilot, lambda: "sound: no sound in it" in lines(app)[-2])
        assert not screen.sound.is_on
        screen.sound.player.broken = set()
        await pilot.press("space")
        await until(pilot, lambda: screen.sound.player.playing)


@on_stage
async def test_what_a_quick_hand_changes_is_looked_at_once_more(song, library, monkeypatch):
    async with project_screen(library) as (screen, _, pilot):
        await until(pilot, lambda: screen._surveyed is None)
        looks, may, found = [], threading.Event(), project_model.pictures(None)

        def slowly(project):
            looks.append(project.cover.tracks[0].gain_db)
            assert may.wait(10.0)
            return found

        monkeypatch.setattr(project_model, "pictures", slowly)
        await at_mixer(screen, pilot)
        for _ in range(5):
            await pilot.press("-")
            await saved(screen, pilot)
        assert looks == [-0.5]
        may.set()
        await until(pilot, lambda: screen._surveyed is None)
        assert looks == [-0.5, -2.5]


def test_a_melody_is_read_once_while_it_stays_as_it_is(tmp_path):
    file = tmp_path / "pitch.npy"
    np.save(file, np.full(200, 220.0))
    (times, hz), again = project_model._pitch(file), project_model._pitch(file)
    assert again[1] is hz
    assert (times[-1], hz[0]) == (1.99, 220.0)
    np.save(file, np.full(100, 440.0))
    os.utime(file, ns=(1, 1))
    assert project_model._pitch(file)[1][0] == 440.0


@on_stage
async def test_before_a_render_there_is_nothing_to_hear(library, states, monkeypatch):
    project(library, "new")
    nothing = Pictures(Sounds(None, None, None, None, None, 0.0, {}))
    monkeypatch.setattr(project_model, "pictures", lambda project: nothing)
    async with project_screen(library) as (_, app, pilot):
        for key, words in (
            ("space", "Play: it is not rendered yet: r renders it"),
            ("e", "Files: no file yet"),
        ):
            await pilot.press(key)
            assert words in lines(app)[-2]


@on_stage
async def test_a_step_says_what_it_is_about(song, library, states):
    states["blue"] = state("stale", to_do=("export",))
    async with project_screen(library) as (screen, app, pilot):
        assert isinstance(screen.focused, Steps)
        await pilot.press("enter")
        assert "decode: done, took 1.0 s" in lines(app)[-2]
        await pilot.press("right", "right", "enter")
        assert "export: tracks[0].gain_db: 0.0 -> 1.0" in lines(app)[-2]


@on_stage
async def test_another_project_begins_anew(song, library, states):
    project(library, "zebra", "Zebra")
    async with project_screen(library) as (screen, app, pilot):
        await at_mixer(screen, pilot)
        await pilot.press("-", "p", "escape", "down", "enter")
        await until(pilot, lambda: "Zebra: steps" in text(app) and not screen.edits.is_busy)
        assert load(song).cover.tracks[0].gain_db == -0.5
        assert screen.query_one("#a", Wave).loop is None
        assert screen.undo_words() == ""


def test_pans_are_written_as_on_desks():
    assert [pan_words(pan) for pan in (0.0, -0.2, 1.0)] == ["C", "L20", "R100"]


def test_channels_are_tracks_buses_and_the_master(song):
    rows = channels(load(song).cover, solo=["band"])
    assert [(row.place, row.solo) for row in rows] == [
        ("tracks.vocals", False), ("tracks.band", True), ("buses.room", False), ("master", False),
    ]  # fmt: skip


@on_stage
async def test_upright_faders_follow_the_arrows(song, library):
    async with project_screen(library, size=(120, 40)) as (screen, app, pilot):
        await until(pilot, lambda: screen.query_one(Mixer).standing)
        await at_mixer(screen, pilot)
        await pilot.press("right", "down", "m")
        await saved(screen, pilot)
        band = load(song).cover.tracks[1]
        assert (band.gain_db, band.mute) == (-0.1, True)
        assert "muted  s" in text(app)
        await pilot.press("left")
        assert "vocals: converted; sends room off; no rack" in text(app)
        await pilot.resize_terminal(90, 40)
        await until(pilot, lambda: not screen.query_one(Mixer).standing)
        await pilot.press("down", "left")
        await saved(screen, pilot)
        assert load(song).cover.tracks[1].gain_db == -0.2
        await pilot.resize_terminal(40, 10)
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: screen.query_one(Mixer).standing)


@on_stage
async def test_a_channel_opens_its_rack(song, library, monkeypatch):
    async with project_screen(library) as (screen, app, pilot):
        asked = []
        monkeypatch.setattr(app, "open_rack", lambda folder, owner: asked.append((folder, owner)))
        await at_mixer(screen, pilot)
        await pilot.press("enter", "down", "down", "down", "enter")
        await until(pilot, lambda: asked == [(song, "tracks.vocals"), (song, "master")])


@on_stage
async def test_a_rack_is_bypassed_for_listening(song, library):
    document = (song / "cover.toml").read_text(encoding="utf-8")
    racked = document.replace("gain_db = 0.0", 'rack = [{ effect = "gain", gain_db = 3.0 }]')
    (song / "cover.toml").write_text(racked, encoding="utf-8")
    async with project_screen(library, size=(120, 40)) as (screen, app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: wishes(song))
        await at_mixer(screen, pilot)
        await pilot.press("b")
        await until(pilot, lambda: '"tracks.vocals.rack[0].bypass": true' in wishes(song))
        assert "without its rack, for listening only: vocals" in lines(app)[-2]
        assert "rack gain, bypassed for listening" in text(app)
        await pilot.press("b")
        await until(pilot, lambda: '"changes": {}' in wishes(song).splitlines()[-1])
        await pilot.press("right", "b")
        assert "Bypass: band has no rack" in lines(app)[-2]
        assert (song / "cover.toml").read_text(encoding="utf-8") == racked


@on_stage
async def test_a_step_is_rendered_again_though_it_is_done(song, library):
    (song / "recording.jsonl").write_text(STUCK, encoding="utf-8")
    async with project_screen(library) as (_, app, pilot):
        await pilot.press("right", "R")
        await until(pilot, lambda: "► separate 50 %" in text(app))
        assert app.board.of(str(song)).request["again"] == "separate"
        assert "again from separate" in "".join(line.text for line in app.board.log)
        await pilot.press("R")
        assert "From here: it is being rendered: c cancels" in lines(app)[-2]
        await pilot.press("c")


@on_stage
async def test_sections_are_named_gone_to_and_taken_away(song, library):
    async with project_screen(library, size=(120, 40)) as (screen, app, pilot):
        await pilot.press("tab", ">")
        assert "Next section: the song has no sections: + begins one at the playhead" in lines(app)[-2]
        await pilot.press("end", "+")
        assert "Add section: the song ends here" in lines(app)[-2]
        await pilot.press("home")
        assert screen.query_one("#a").position == 0.0
        await pilot.press("shift+tab", "+")
        assert "Add section: this key is for the pane Waveform: tab goes there" in lines(app)[-2]
        await pilot.press("tab")
        for seconds, name in (("", "intro"), (".", "verse")):
            await pilot.press(*seconds, "+")
            await until(pilot, lambda: "A section begins at" in text(app))
            await pilot.press(*name, "enter")
            await until(pilot, lambda name=name: f"│{name}" in text(app))
        assert [one.from_seconds for one in load(song).cover.sections] == [0.0, 5.0]
        await pilot.press("<")
        assert screen.query_one("#a").position == 0.0
        await pilot.press(">")
        assert screen.query_one("#a").position == 5.0
        await pilot.press("d")
        await until(pilot, lambda: [one.name for one in load(song).cover.sections] == ["intro"])
        await saved(screen, pilot)
        await pilot.press("z")
        await until(pilot, lambda: len(load(song).cover.sections) == 2)


@on_stage
async def test_a_broken_document_goes_back_to_an_earlier_state(song, library):
    before = (song / "cover.toml").read_text(encoding="utf-8")
    async with project_screen(library) as (screen, app, pilot):
        await pilot.press("u")
        await until(pilot, lambda: "there is no earlier state" in lines(app)[-2])
        await at_mixer(screen, pilot)
        await pilot.press("-")
        await saved(screen, pilot)
        (song / "cover.toml").write_text("nonsense", encoding="utf-8")
        screen._look()
        await until(pilot, lambda: "✗ failed: " in text(app))
        await pilot.press("u")
        await until(pilot, lambda: "before: vocals gain 0.0 -> -0.5 dB" in text(app))
        await pilot.press(*"before", "enter")
        await until(pilot, lambda: (song / "cover.toml").read_text(encoding="utf-8") == before)
        await until(pilot, lambda: screen.problem == "")


def test_the_way_through_the_sections():
    found = [(0.0, "intro"), (6.0, "verse"), (16.0, "chorus")]
    assert [project_sections.after(found, at) for at in (0.0, 6.0, 16.0)] == [found[1], found[2], None]
    assert [project_sections.before(found, at) for at in (0.5, 7.0, 9.0, 30.0)] == [
        found[0], found[0], found[1], found[2],
    ]  # fmt: skip
    assert project_sections.at(found, 5.0) == found[0]
    assert [row["name"] for row in project_sections.put(found, 6.01, "bridge")] == [
        "intro",
        "bridge",
        "chorus",
    ]
    assert project_sections.without(found[:1], found[0]) is None


@on_stage
async def test_what_is_said_of_hearing_is_renewed_with_what_is_heard(song, library):
    async with project_screen(library) as (screen, app, pilot):
        await pilot.press("v")
        assert "is chosen" not in lines(app)[-2]  # nothing of it was said
        await pilot.press("v", "a")
        await until(pilot, lambda: "B vocal, original" in text(app))
        assert "B (vocal, original) is chosen: space plays it" in lines(app)[-2]
        await pilot.press("v")
        await until(pilot, lambda: "B song, original" in text(app))
        assert "B (song, original) is chosen: space plays it" in lines(app)[-2]
        await pilot.press("space")
        await until(pilot, lambda: screen.sound.player.playing)
        assert "hearing B (song, original)" in lines(app)[-2]
        await pilot.press("a")
        await until(pilot, lambda: "hearing A (mix, as rendered)" in lines(app)[-2])
        await pilot.press("p")
        await until(pilot, lambda: "A mix of the loop, live" in text(app))
        assert "hearing A (mix of the loop)" in lines(app)[-2]
        await pilot.press("v")
        await until(pilot, lambda: "hearing A (vocal, converted)" in lines(app)[-2])
        await pilot.press("x", "v")
        assert "levels as they are" in lines(app)[-2]  # said later, and as true as before


@on_stage
async def test_with_nothing_to_hear_nothing_is_said_of_hearing(song, library, monkeypatch):
    nothing = Pictures(Sounds(None, None, None, None, None, 0.0, {}))
    monkeypatch.setattr(project_model, "pictures", lambda project: nothing)
    async with project_screen(library) as (screen, app, _):
        assert "there is no sound yet: r renders it" in app.named(screen.nothing())
        assert "A vocal, converted" in text(app)
        assert "hearing" not in text(app)
        assert "levels matched" not in text(app)


@on_stage
async def test_meters_fall_back_once_nothing_plays(song, library, monkeypatch):
    monkeypatch.setattr(meters, "FALL_DB_PER_SECOND", 300.0)
    monkeypatch.setattr(meters, "HOLD_SECONDS", 0.05)
    async with project_screen(library, size=(120, 40)) as (screen, _, pilot):
        mixer = screen.query_one(Mixer)
        await pilot.press("p")
        await until(pilot, lambda: screen.sound.player.playing and not mixer.is_at_rest)
        await pilot.press("space")
        await until(pilot, lambda: not screen.sound.player.playing)
        await until(pilot, lambda: mixer.is_at_rest and screen._falling is None)
        await pilot.press("space")
        await until(pilot, lambda: not mixer.is_at_rest)
        await pilot.press("1")
        screen.pause()
        await pilot.press("2")
        await until(pilot, lambda: mixer.is_at_rest)


@on_stage
async def test_without_a_project_a_small_window_says_only_that(library, states):
    async with studio(library, size=(40, 10)) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: "No project is open" in text(app))
        assert "looking" not in text(app)


@on_stage
async def test_of_many_reasons_it_says_how_many_more_there_are_and_shows_all_on_a_key(song, library, states):
    words = tuple(f"tracks[{number}].gain_db: 0.0 -> 1.0" for number in range(30))
    states["blue"] = state("stale", to_do=("export",), words=words)
    async with project_screen(library) as (_, app, pilot):
        await pilot.press("right", "right")
        await until(pilot, lambda: "export: tracks[0].gain_db" in text(app))
        seen = " ".join(line.strip(" │") for line in lines(app))
        assert re.search(
            r"export: tracks\[0\].*…, and \d\d more.*stale because: tracks\[0\].*…, and \d\d more", seen
        )
        await pilot.press("enter")
        await until(pilot, lambda: "Why" in text(app) and words[5] in text(app))
        await pilot.press("end")
        await until(pilot, lambda: words[29] in text(app))
