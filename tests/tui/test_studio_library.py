"""The library on a stage: every state of the screen, every action, and what goes wrong."""

import json
import os
import re
import shutil
import threading

import pytest
import soundfile
from studio_stage import (
    KILLED,
    PLAN,
    REFUSED,
    RESULT,
    STUCK,
    burst,
    lines,
    on_stage,
    project,
    state,
    studio,
    text,
    until,
)
from textual.events import Paste
from textual.filter import Monochrome
from textual.widgets import Input
from textual.widgets._toast import Toast, ToastRack

from covermaker.disk import this_host
from covermaker.project.load import load
from covermaker.render.ending import last_failure
from covermaker.render.state import Output
from covermaker.tui import model
from covermaker.tui.ask import Ask
from covermaker.tui.help import HelpScreen
from covermaker.tui.jump import JumpScreen
from covermaker.tui.log import LogLines
from covermaker.tui.settings import Settings, load_settings
from covermaker.tui.songlist import Details, Songs
from covermaker.tui.toast import job_ended


def songs(app):
    return app.library.query_one(Songs)


def titles(app):
    return [app.library.shelf.songs[folder].title for folder in songs(app).items]


def job_states(app):
    return [job.state for job in app.board.jobs.values()]


@on_stage
async def test_the_first_run_opens_on_the_demo(tmp_path, states):
    async with studio(tmp_path / "new", size=(120, 40)) as (app, _):
        assert titles(app) == ["Blue Harbor"]
        assert songs(app).selected == tmp_path / "new" / "demo"
        assert lines(app)[0].startswith(" covermaker [1 Library] 2 Project ")


@on_stage
async def test_an_empty_library_names_the_key(library, states):
    async with studio(library) as (app, pilot):
        assert "No songs yet. + adds a file, or drop a path here." in text(app)
        await pilot.press("r")
        assert "Render: there is no song yet: + adds one" in lines(app)[-2]
        await pilot.press("enter")
        assert "Open: there is no song here: + adds one" in lines(app)[-2]


@on_stage
async def test_a_row_says_everything_at_80_columns(library, states):
    project(library, "blue", "Blue Harbour", artist="Anna")
    states["blue"] = state("stale", to_do=("export",))
    async with studio(library) as (app, _):
        assert "> Blue Harbour" in lines(app)[3]
        for words in ("Anna", "1:03", "✓ 2", "demo", "~ stale: 1 step"):
            assert words in lines(app)[3]
        assert "tracks[0].gain_db: 0.0 -> 1.0" in text(app)
        assert "Songs: 1 song, 1 stale" in lines(app)[1]


@on_stage
async def test_no_line_is_cut_and_help_is_always_there(library, states):
    project(library, "blue", "Blue Harbour")
    async with studio(library) as (app, pilot):
        for width, height in ((40, 10), (60, 24), (79, 40), (80, 24), (100, 24), (120, 40), (160, 24)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            rows = lines(app)
            assert all(len(row) == width for row in rows)
            assert rows[-1].rstrip().endswith("? Help")
            assert len([item for item in rows[-1].split("  ") if item.strip()]) <= 9
            assert "1 Library]" in rows[0]
            assert "> Blue Harbour" in text(app)


@on_stage
async def test_a_terminal_of_40_by_10_and_back(library, states):
    project(library, "blue", "Blue Harbour")
    async with studio(library, size=(120, 40)) as (app, pilot):
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert "tab shows the next pane" in lines(app)[-2]
        assert "song.wav" not in text(app)
        await pilot.press("tab")
        await pilot.pause()
        assert isinstance(app.library.pane(), Details)
        assert "State" not in text(app)
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert "State" in text(app)
        assert "small window" not in text(app)


@on_stage
async def test_rendering_shows_progress_then_the_result(library, states):
    project(library, "blue", "Blue Harbour")
    async with studio(library) as (app, pilot):
        states["blue"] = state("done")
        await pilot.press("r")
        await until(pilot, lambda: job_states(app) == ["done"])
        await until(pilot, lambda: "✓ done" in text(app))
        assert re.search(r"Blue Harbour: rendered in 0:\d\d, -14\.0 LUFS", lines(app)[-2])
        assert not app._notifications  # the row and the line say it


@on_stage
async def test_a_toast_tells_on_another_screen_what_this_one_does_not(library, states):
    project(library, "blue", "Blue Harbour")
    async with studio(library) as (app, pilot):
        await until(pilot, lambda: app.library.selected is not None)
        await burst(pilot, "r", "4")  # this screen is left before the render is over
        await until(pilot, lambda: len(app._notifications) == 1)
        assert "rendered in" in next(iter(app._notifications)).message


@on_stage
async def test_a_render_with_nothing_to_make_says_so(library, states):
    kept = PLAN.replace('"run"', '"kept"')
    project(library, "blue", "Blue Harbour", recording=f"{kept}\n{RESULT}")
    async with studio(library) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: job_states(app) == ["done"])
        await until(pilot, lambda: "Blue Harbour: nothing to do, every step was kept" in lines(app)[-2])
        assert any("nothing to do" in line.text and line.title for line in app.board.log)


@on_stage
async def test_a_paused_queue_is_told_where_a_render_is_asked_for(library, states):
    project(library, "blue", "Blue Harbour")
    async with studio(library) as (app, pilot):
        await pilot.press("5", "p", "1")
        await until(pilot, lambda: "paused" in lines(app)[0])
        await pilot.press("r")
        words = "waits: the queue is paused, p on Batch goes on"
        await until(pilot, lambda: f"Blue Harbour: {words}" in lines(app)[-2])
        assert "paused, 1 wait" in lines(app)[0]
        assert "waits: the queue is paused" in text(app).replace(words, "")


@on_stage
async def test_a_busy_row_can_be_cancelled_and_finished_steps_are_kept(library, states):
    project(library, "blue", "Blue Harbour", recording=STUCK)
    async with studio(library) as (app, pilot):
        await pilot.press("c")
        assert "Cancel: no render of this song runs or waits" in lines(app)[-2]
        await pilot.press("r")
        await until(pilot, lambda: "► separate 50 %" in text(app))
        assert "Blue…: 50 %, 0:0" in lines(app)[0]
        await pilot.press("r")
        assert "Render: it is being rendered: c cancels" in lines(app)[-2]
        await pilot.press("d")
        assert "c cancels that first" in lines(app)[-2]
        await pilot.press("c")
        await until(pilot, lambda: job_states(app) == ["stopped"])
        assert "finished steps are kept" in lines(app)[-2]
        assert app.is_running


@pytest.mark.parametrize(
    ("recording", "said"), [(REFUSED, "free some space"), (KILLED, "the job was killed")]
)
@on_stage
async def test_a_failure_is_told_with_the_log(library, states, recording, said):
    folder = project(library, "blue", "Blue Harbour", recording=recording)
    async with studio(library) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: job_states(app) == ["failed"])
        await until(pilot, lambda: "✗ failed" in lines(app)[3])
        told = " ".join(text(app).split())
        assert said in told
        assert "render.log" in told
        assert not app._notifications  # its details say it
        job = next(iter(app.board.jobs.values()))
        await pilot.press("4")
        job_ended(app, job)
        await until(pilot, lambda: app._notifications)
        (toast,) = app._notifications
        assert said in toast.message
        assert str(folder / ".covermaker" / "render.log") in toast.message
        assert toast.severity == "error"


@on_stage
async def test_the_log_screen_names_the_last_log_that_says_anything(library, states):
    project(library, "blue", recording=REFUSED)
    async with studio(library, size=(160, 24)) as (app, pilot):
        await pilot.press("L")
        assert lines(app)[0].strip() == "Log"
        await pilot.press("escape", "r")
        await until(pilot, lambda: job_states(app) == ["failed"])
        await pilot.press("L")
        await until(pilot, lambda: "Log   of Blue: " in lines(app)[0])
        assert ".log" in lines(app)[0]


@on_stage
async def test_all_stale_are_rendered_one_after_another_through_a_failure(library, states):
    project(library, "a", recording=REFUSED)
    for name in "bcd":
        project(library, name)
    for name in "abc":
        states[name] = state("stale", to_do=("export",))
    states["d"] = state("done")
    async with studio(library) as (app, pilot):
        await pilot.press("R")
        assert "3 songs to render, one after another" in [line.text for line in app.board.log]
        assert len(app.board.jobs) == 3
        await until(pilot, lambda: all(job.is_over for job in app.board.jobs.values()))
        assert job_states(app) == ["failed", "done", "done"]
        for name in "abc":
            states[name] = state("done")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: not app.library.shelf.stale())
        await pilot.press("R")
        assert "All stale: nothing is stale" in lines(app)[-2]


@on_stage
async def test_a_filter_typed_in_one_burst_is_a_filter(library, states):
    project(library, "a", "Blue")
    project(library, "b", "Red")
    async with studio(library) as (app, pilot):
        await burst(pilot, *"/blue", "enter")
        await until(pilot, lambda: titles(app) == ["Blue"] and app.library.focused is songs(app))
        assert app.library.shelf.filter == "blue"


@on_stage
async def test_the_picker_draws_no_emoji(library, states, tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "songs").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "home")
    async with studio(library, settings=Settings(charset="ascii")) as (app, pilot):
        await pilot.press("+")
        await until(pilot, lambda: "songs @" in text(app))
        assert text(app).isascii()


@on_stage
async def test_the_details_stay_where_they_were_scrolled_to_while_a_job_runs(library, states):
    project(library, "blue", "Blue Harbour", recording=STUCK)
    project(library, "night", "Night Tram")
    for name in ("blue", "night"):
        states[name] = state("stale", to_do=("separate",), words=tuple(f"why {n}" for n in range(90)))
    async with studio(library) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: "► separate 50 %" in text(app))
        await pilot.press("down")
        details = app.library.query_one(Details)
        await until(pilot, lambda: "Night Tram" in (details.border_title or ""))
        app.library.go_to(details)
        await until(pilot, lambda: details.has_focus and details.max_scroll_y > 0)
        await pilot.press("end")
        await until(pilot, lambda: details.scroll_y == details.max_scroll_y)
        before = details.scroll_y
        for _ in range(3):
            app.library.jobs_changed()
            await pilot.pause()
        assert details.scroll_y == before
        await pilot.press("shift+tab", "up")
        await until(pilot, lambda: "Blue Harbour" in (details.border_title or ""))
        assert details.scroll_y == 0


@on_stage
async def test_marked_songs_are_rendered_together(library, states):
    for name in "abc":
        project(library, name)
    async with studio(library) as (app, pilot):
        await pilot.press("v", "down", "v")
        assert "2 marked" in lines(app)[1]
        await pilot.press("r")
        assert [job.title for job in app.board.jobs.values()] == ["A", "C"]
        await until(pilot, lambda: job_states(app) == ["done", "done"])
        assert "marked" not in lines(app)[1]


@on_stage
async def test_a_dropped_file_becomes_a_project_and_undo_takes_it_away(library, states, tmp_path):
    file = tmp_path / "my songs" / "Night Tram.wav"
    file.parent.mkdir()
    soundfile.write(file, [[0.1, -0.1]] * 4000, 8000)
    async with studio(library) as (app, pilot):
        app.library.post_message(Paste(f"'{file}'"))
        await until(pilot, lambda: titles(app) == ["Night Tram"])
        assert (library / "night-tram" / "audio" / "Night Tram.wav").exists()
        assert "added Night Tram.wav: r renders it" in lines(app)[-2]
        assert songs(app).selected == library / "night-tram"
        await pilot.press("z")
        await until(pilot, lambda: titles(app) == [])
        await pilot.press("Z")
        await until(pilot, lambda: titles(app) == ["Night Tram"])
        app.library.post_message(Paste(str(file)))
        await until(pilot, lambda: "is in the library already: Night Tram" in text(app))
        await pilot.press("y")
        await until(pilot, lambda: len(titles(app)) == 2)
        assert "Night Tram (night-tram-2)" in text(app)
        assert (library / "night-tram-2").exists()


@on_stage
async def test_what_is_no_song_is_refused_in_words(library, states, tmp_path):
    file = tmp_path / "x.wav"
    file.write_text("no sound")
    async with studio(library) as (app, pilot):
        app.library.post_message(Paste(str(file)))
        await until(pilot, lambda: app._notifications)
        assert str(file) in next(iter(app._notifications)).message
        assert list(library.iterdir()) == []
        app.library.post_message(Paste("just words"))
        await until(pilot, lambda: "there is no such file: just words" in lines(app)[-2])


@on_stage
async def test_what_is_typed_in_the_file_picker_goes_into_the_field(library, states):
    async with studio(library) as (app, pilot):
        await pilot.press("+")
        await until(pilot, lambda: "Add songs" in text(app))
        assert "esc Cancel" in lines(app)[-1]
        await pilot.press("/", "t")
        assert app.screen.query_one(Input).value == "/t"
        await pilot.press("escape")
        await until(pilot, lambda: "+ Add" in lines(app)[-1])


@pytest.fixture
def album(tmp_path, monkeypatch):
    """Return a folder with songs, in the folder that the file picker begins with."""
    folder = tmp_path / "music" / "album"
    folder.mkdir(parents=True)
    for name, seconds in (("b side", 0.1), ("A side", 0.2), ("c side", 0.3)):
        soundfile.write(folder / f"{name}.wav", [[0.1, -0.1]] * round(8000 * seconds), 8000)
    (folder / "cover.jpg").write_text("no sound")
    monkeypatch.chdir(tmp_path / "music")
    return folder


@on_stage
async def test_a_folder_is_chosen_in_the_picker_and_asked_about(library, states, album):
    async with studio(library) as (app, pilot):
        await pilot.press("+")
        await until(pilot, lambda: "/ album" in text(app))
        assert "v Mark  + Add" in lines(app)[-1]
        await pilot.press("+")
        assert "go to a file or a folder first" in text(app)
        await pilot.press("down", "+")
        await until(pilot, lambda: "Add 3 songs from album?" in text(app))
        assert lines(app)[-1].rstrip().endswith("enter Add 3 songs")
        await pilot.press("n")
        assert titles(app) == []
        app.library.post_message(Paste(str(album)))
        await until(pilot, lambda: "Add 3 songs from album?" in text(app))
        await pilot.press("enter")  # nothing is lost by it
        await until(pilot, lambda: titles(app) == ["A side", "b side", "c side"])
        await until(
            pilot, lambda: "added 3 songs: v marks songs, r renders the marked ones" in lines(app)[-2]
        )
        await pilot.press("z")  # one change
        await until(pilot, lambda: titles(app) == [])
        await pilot.press("Z")
        await until(pilot, lambda: len(titles(app)) == 3)


@on_stage
async def test_several_files_are_marked_in_the_picker(library, states, album):
    async with studio(library) as (app, pilot):
        await pilot.press("+")
        await until(pilot, lambda: "/ album" in text(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "c side.wav" in text(app))
        await pilot.press("v")
        assert "only what is in this folder can be marked" in text(app)
        await pilot.press("down", "v", "down", "v")
        await until(pilot, lambda: "Add songs, 2 marked: + adds them" in text(app))
        assert "only what is in this folder" not in text(app)
        assert "*  A side.wav" in text(app)
        assert "*  c side.wav" in text(app)
        await pilot.press("up", "v", "up", "v")  # not that one, after all
        await pilot.press("+")
        await until(pilot, lambda: titles(app) == ["A side", "c side"])
        assert isinstance(app.screen, type(app.library))


@on_stage
async def test_songs_of_many_folders_and_files_are_asked_about_in_words(library, states, album, tmp_path):
    others = [album.with_name(name) for name in ("live", "demos", "rare")]
    for other in others:
        shutil.copytree(album, other)
    async with studio(library) as (app, pilot):
        for places, words in (
            ([album, others[0], album / "cover.jpg"], "Add 7 songs from album, live and 1 file?"),
            ([album, *others], "Add 12 songs from 4 folders?"),
        ):
            app.library.post_message(Paste("\n".join(map(str, places))))
            await until(pilot, lambda words=words: words in text(app))
            await pilot.press("n")


@on_stage
async def test_a_folder_without_songs_says_so(library, states, tmp_path):
    (tmp_path / "empty").mkdir()
    async with studio(library) as (app, pilot):
        app.library.post_message(Paste(str(tmp_path / "empty")))
        await until(pilot, lambda: "there is no audio file in" in lines(app)[-2])


@on_stage
async def test_a_long_title_ends_in_an_ellipsis_and_an_empty_column_takes_no_room(library, states):
    project(library, "blue", "Blue " * 20)
    async with studio(library) as (app, _):
        assert "…" in lines(app)[3]
        assert "Artist" not in lines(app)[2]


@on_stage
async def test_what_was_said_stays_with_its_screen(library, states):
    project(library, "blue", "Blue Harbour")
    async with studio(library) as (app, pilot):
        await pilot.press("z")
        assert "nothing to undo" in lines(app)[-2]
        await pilot.press("5", "1")
        await until(pilot, lambda: "nothing to undo" not in text(app))


@on_stage
async def test_the_file_picker_opens_and_closes(library, states):
    async with studio(library) as (app, pilot):
        await pilot.press("+")
        await until(pilot, lambda: "Add songs" in text(app))
        assert "📁" not in text(app)
        await pilot.press("escape")
        assert app.screen is app.library


@on_stage
async def test_removal_is_undone_in_words(library, states):
    project(library, "blue", "Blue Harbour")
    project(library, "night", "Night Tram")
    async with studio(library) as (app, pilot):
        await pilot.press("z")
        assert "there is nothing to undo here" in lines(app)[-2]
        await pilot.press("d")
        await until(pilot, lambda: titles(app) == ["Night Tram"])
        assert lines(app)[-2].split() == ["removed", "Blue", "Harbour", "z", "Undo"]
        assert not (library / "blue").exists()
        await pilot.press("z")
        await until(pilot, lambda: titles(app) == ["Blue Harbour", "Night Tram"])
        assert songs(app).selected == library / "blue"
        assert "undo: removed Blue Harbour; it is in the library again" in lines(app)[-2]


@on_stage
async def test_undo_after_an_edit_elsewhere_says_what_it_would_take_back(library, states):
    project(library, "blue", "Blue Harbour")
    project(library, "night", "Night Tram")
    async with studio(library) as (app, pilot):
        app.library.saved_elsewhere(load(library / "night"))
        await pilot.press("z")
        assert "nothing to undo here: what was changed in Night Tram is undone on" in lines(app)[-2]
        await pilot.press("d")
        await until(pilot, lambda: titles(app) == ["Night Tram"])
        app.library.saved_elsewhere(load(library / "night"))
        await pilot.press("z")
        await until(
            pilot, lambda: "z again undoes here: removed Blue Harbour; what was chang" in lines(app)[-2]
        )
        assert titles(app) == ["Night Tram"]
        await pilot.press("z")
        await until(pilot, lambda: titles(app) == ["Blue Harbour", "Night Tram"])


@on_stage
async def test_a_song_that_is_rendered_stays_where_it_is(library, states, tmp_path):
    async with studio(library) as (app, pilot):
        folder = project(library, "blue", "Blue Harbour", recording=STUCK)
        app.library.changes.added(folder, "added blue.wav")
        app.library.read_folder(folder)
        await until(pilot, lambda: app.library.selected == folder)
        await pilot.press("r")
        await until(pilot, lambda: "separate 50 %" in text(app))
        await pilot.press("z")
        assert "Undo: it is being rendered: c cancels that first" in lines(app)[-2]
        assert folder.exists()
        await pilot.press("c")
        await until(pilot, lambda: job_states(app) == ["stopped"])
        await pilot.press("z")
        await until(pilot, lambda: not folder.exists())
        # What is in the way of coming back is said, and the way back stays.
        folder.mkdir()
        await pilot.press("Z")
        assert "exists already" in app.last_words()[0]
        folder.rmdir()
        await pilot.press("Z")
        await until(pilot, lambda: (folder / "cover.toml").exists())


@on_stage
async def test_before_the_songs_are_read_it_says_so(library, states, monkeypatch):
    from covermaker.tui.app import Studio

    may, found = threading.Event(), model.list_songs

    def slowly(root):
        assert may.wait(10.0)
        return found(root)

    monkeypatch.setattr(model, "list_songs", slowly)
    app = Studio(library, Settings(charset="unicode"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.library is not None)
        await pilot.press("r")
        assert "Render: the songs are being read" in lines(app)[-2]
        may.set()
        await until(pilot, lambda: app.library.is_settled)
        await pilot.press("r")
        assert "Render: there is no song yet" in lines(app)[-2]


@on_stage
async def test_filter_and_sort(library, states):
    for name, artist in (("alpha", "Zoe"), ("beta", "Yan"), ("gamma", "Xia")):
        project(library, name, artist=artist)
    async with studio(library) as (app, pilot):
        await pilot.press("/", "b", "e", "t")
        assert titles(app) == ["Beta"]
        await pilot.press("enter", "down", "o")
        assert "filter: bet  sort: artist" in text(app)
        await pilot.press("escape")
        assert titles(app) == ["Gamma", "Beta", "Alpha"]
        await pilot.press("/", "z", "z", "z")
        assert "No song matches. esc shows all." in text(app)
        await pilot.press("escape")
        assert len(titles(app)) == 3
        # The title of a column sorts, too.
        assert await pilot.click(Songs, offset=(4, 1))
        assert titles(app) == ["Alpha", "Beta", "Gamma"]


@on_stage
async def test_the_mouse_selects_and_two_clicks_open(library, states):
    for name in "abc":
        project(library, name)
    async with studio(library) as (app, pilot):
        await pilot.click(Songs, offset=(4, 3))
        assert songs(app).selected == library / "b"
        await pilot.click(Songs, offset=(4, 3), times=2)
        assert app.current_mode == "project"
        assert app.project == library / "b"
        await pilot.click("Tabs", offset=(4, 0))
        assert app.current_mode == "library"
        # Keys of the footer can be clicked.
        await pilot.click("Keys", offset=(lines(app)[-1].index("? Help"), 0))
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)


@on_stage
async def test_digits_open_six_screens_and_jobs_go_on(library, states):
    project(library, "blue", "Blue Harbour", recording=STUCK)
    async with studio(library) as (app, pilot):
        await pilot.press("r")
        for digit, name in zip(
            "234561", ("project", "rack", "voices", "batch", "presets", "library"), strict=True
        ):
            await pilot.press(digit)
            await pilot.pause()
            assert app.current_mode == name
            assert f"[{digit} {name.title()}]" in lines(app)[0]
            assert lines(app)[-1].rstrip().endswith("? Help")
            assert job_states(app) == ["run"]


@on_stage
async def test_help_is_about_the_focused_pane_then_all_keys(library, states):
    async with studio(library) as (app, pilot):
        await pilot.press("?")
        await pilot.pause()
        assert "One line a song." in text(app)
        await pilot.press("end")
        await pilot.pause()
        assert "docs/keys.md" in text(app)
        await pilot.press("escape", "tab", "?")
        await pilot.pause()
        assert "what changed since its last render" in text(app)
        await pilot.press("?")
        assert app.screen is app.library


@on_stage
async def test_jump_mode_goes_where_a_letter_is_typed(library, states):
    async with studio(library) as (app, pilot):
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert " a Songs " in text(app)
        await pilot.press("x")
        assert isinstance(app.screen, JumpScreen)
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.library.pane(), Details)
        await pilot.press("ctrl+o", "4")
        await pilot.pause()
        assert app.current_mode == "voices"


@on_stage
async def test_the_palette_runs_actions_and_finds_songs(library, states):
    project(library, "blue", "Blue Harbour")
    project(library, "night", "Night Tram")
    async with studio(library) as (app, pilot):
        await pilot.press("ctrl+p", *"tram")
        await until(pilot, lambda: "Night Tram" in lines(app)[8])
        await pilot.press("enter")
        await until(pilot, lambda: songs(app).selected == library / "night")
        await pilot.press("ctrl+p", *"stale")
        await until(pilot, lambda: "Not now: nothing is stale." in " ".join(text(app).split()))
        await pilot.press("enter")
        await until(pilot, lambda: "All stale: nothing is stale" in lines(app)[-2])


@on_stage
async def test_the_log_follows_until_one_scrolls_up(library, states):
    async with studio(library) as (app, pilot):
        for number in range(100):
            app.board.say(0.0, "x", f"line {number}")
        await pilot.press("L")
        await until(pilot, lambda: "line 99" in text(app))
        await pilot.press("up", "up")
        assert not app.screen.query_one(LogLines).follows
        app.board.say(0.0, "x", "line 100")
        await until(pilot, lambda: app.screen.query_one(LogLines)._seen == app.board.logged)
        assert "line 100" not in text(app)
        await pilot.press("f")
        await until(pilot, lambda: "line 100" in text(app))
        await pilot.press("q")
        assert app.screen is app.library


@on_stage
async def test_leaving_asks_only_when_work_would_be_lost(library, states):
    project(library, "blue", "Blue Harbour", recording=STUCK)
    async with studio(library) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: "separate 50 %" in text(app))
        await pilot.press("q")
        await until(
            pilot, lambda: "Quitting stops it. Finished steps are kept" in text(app).replace("\n", " ")
        )
        # The safe answer has the focus.
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.library)
        assert job_states(app) == ["run"]
        await pilot.press("?", "ctrl+q")
        await until(pilot, lambda: "being rendered" in text(app))
        await pilot.press("y")
        await until(pilot, lambda: not app.is_running)
        assert job_states(app) == ["stopped"]


@on_stage
async def test_leaving_with_nothing_to_lose_does_not_ask(library, states):
    async with studio(library) as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
        assert app.return_value == 0


@on_stage
async def test_an_end_from_outside_is_no_failure_of_the_render(library, states, monkeypatch):
    monkeypatch.setattr("covermaker.tui.leaving.end_anyway", lambda code: None)
    folder = project(library, "blue", "Blue Harbour", recording=STUCK)
    async with studio(library) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: "separate 50 %" in text(app))
        note = {"step": "separate", "message": "", "hint": "", "when": 1.0}
        note |= {"host": this_host(), "process": 99999999}
        (folder / ".covermaker" / "ending.json").write_text(json.dumps(note))
        assert last_failure(folder / ".covermaker") is not None
        app._end(129)
        assert last_failure(folder / ".covermaker") is None
        await until(pilot, lambda: job_states(app) == ["stopped"])


@on_stage
async def test_what_changes_on_disk_is_noticed(library, states, monkeypatch):
    folder = project(library, "blue", "Blue Harbour")
    project(library, "night", "Night Tram")
    async with studio(library) as (app, pilot):
        look = app.library._watch
        look()
        await until(pilot, lambda: app.library._seen)
        (folder / "cover.toml").write_text("this is no TOML")
        os.utime(folder / "cover.toml", (10, 10))
        look()
        await until(pilot, lambda: "✗ failed" in text(app))
        assert "cover.toml is no TOML" in " ".join(text(app).split())
        await pilot.press("r")
        assert "is no TOML" in app.last_words()[0]
        project(library, "new", "New Song")
        look()
        await until(pilot, lambda: "New Song" in titles(app))
        for name in ("cover.toml", "recording.jsonl"):
            (library / "new" / name).unlink()
        (library / "new").rmdir()
        look()
        await until(pilot, lambda: "New Song" not in titles(app))


@on_stage
async def test_wide_combining_and_hostile_titles_keep_the_columns(library, states):
    for name, title in (
        ("a", "夜の港の長い長い長い歌の題名であるよ"),
        ("b", "e\u0301te\u0301"),
        ("c", "a\\u001b[2Jb\\u202e"),
    ):
        project(library, name, title)
    async with studio(library) as (app, _):
        from rich.cells import cell_len

        for row in lines(app)[3:6]:
            assert cell_len(row) == 80
            assert "· new" in row
        assert "\x1b" not in text(app)
        assert "\u202e" not in text(app)


@on_stage
async def test_nothing_but_ascii(library, states):
    project(library, "blue", "Blue Harbour", recording=STUCK)
    project(library, "night", "Night Tram")
    states["night"] = state("stale", to_do=("export",))
    async with studio(library, settings=Settings(charset="ascii")) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: "separate 50 %" in text(app))
        for keys in (
            (),
            ("?",),
            ("escape", "ctrl+p"),
            ("escape", "L"),
            ("escape", "ctrl+o"),
            ("escape", "q"),
            ("n", "+"),
        ):
            await pilot.press(*keys)
            await pilot.pause(0.05)
            assert text(app).isascii(), [char for char in text(app) if not char.isascii()]


@on_stage
async def test_without_colour_states_read_as_words(library, states, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    project(library, "blue", "Blue Harbour")
    states["blue"] = state("stale", to_do=("export",))
    async with studio(library) as (app, _):
        assert "~ stale: 1 step" in text(app)
        assert any(isinstance(line_filter, Monochrome) for line_filter in app._filters)


@on_stage
async def test_a_user_s_keys_and_theme(library, states):
    project(library, "blue", "Blue Harbour")
    settings = Settings(
        charset="unicode",
        theme="nord",
        keymap={"library.render": "x", "library.add": "alt+a", "library.ad": "x"},
    )
    async with studio(library, settings=settings) as (app, pilot):
        assert app.theme == "nord"
        assert app.theme_variables["state-failed"] == "#D55E00"
        assert "x Render" in lines(app)[-1]
        (toast,) = app._notifications
        assert "alt+a" in toast.message
        assert "did you mean 'library.add'?" in toast.message
        await pilot.press("r")
        assert not app.board.jobs
        await pilot.press("x")
        assert len(app.board.jobs) == 1
        await until(pilot, lambda: job_states(app) == ["done"])


@on_stage
async def test_an_unknown_theme_is_a_line(library, states):
    async with studio(library, settings=Settings(theme="no-such")) as (app, _):
        assert app.theme == "covermaker"
        assert "no theme is called 'no-such'" in next(iter(app._notifications)).message


@on_stage
async def test_a_thread_that_breaks_is_a_line_not_a_crash(library, monkeypatch):
    def broken(folder):
        raise ValueError("surprise")

    monkeypatch.setattr(model, "list_songs", lambda root: (_ for _ in ()).throw(ValueError("surprise")))
    from covermaker.tui.app import Studio

    app = Studio(library, Settings(charset="unicode"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app._notifications)
        assert "surprise" in next(iter(app._notifications)).message
        assert app.is_running


@pytest.mark.parametrize("where", ["_make_screen", "compose_body", "on_mount", "child"])
def test_a_screen_that_breaks_is_a_line_not_the_end(library, states, monkeypatch, where):
    from covermaker.tui.app import Studio
    from covermaker.tui.screens.batch import BatchScreen

    def surprise(*args):
        raise ValueError("surprise")

    @on_stage
    async def run():
        project(library, "blue", "Blue Harbour", recording=STUCK)
        async with studio(library) as (app, pilot):
            await pilot.press("r")
            await until(pilot, lambda: "separate 50 %" in text(app))
            with monkeypatch.context() as broken:
                if where == "_make_screen":
                    broken.setitem(
                        Studio._make_screen.__globals__["_SCREENS"], "batch", "covermaker.tui.none:None"
                    )
                elif where == "child":
                    broken.setattr("covermaker.tui.batch_list.Sums.on_mount", surprise, raising=False)
                else:
                    broken.setattr(BatchScreen, where, surprise)
                await pilot.press("5")
                await until(pilot, lambda: "a defect in Covermaker: " in text(app))
                assert app.screen is app.library
                assert job_states(app) == ["run"]
            await pilot.press("5")
            await until(pilot, lambda: isinstance(app.screen, BatchScreen))
            await pilot.press("1")
            await until(pilot, lambda: app.screen is app.library)

    run()


@on_stage
async def test_two_thousand_songs(library, states):
    for number in range(2000):
        folder = library / f"s{number:04}"
        folder.mkdir()
        (folder / "cover.toml").write_text(f'title = "Song {number:04}"')
    async with studio(library) as (app, pilot):
        assert "Songs: 2000 songs" in lines(app)[1]
        await pilot.press("end")
        await pilot.pause()
        assert "> Song 1999" in text(app)
        await pilot.press("/", *"1234")
        assert titles(app) == ["Song 1234"]


@on_stage
async def test_what_was_removed_comes_back_after_a_restart(library, states):
    for name in "abc":
        project(library, name)
    async with studio(library) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: titles(app) == ["B", "C"])
        await pilot.press("v", "v", "d")
        await until(pilot, lambda: titles(app) == [])
    async with studio(library) as (app, pilot):
        assert "z Undo: removed 2 songs" in lines(app)[-2]
        await pilot.press("z")
        await until(pilot, lambda: titles(app) == ["B", "C"])
        await pilot.press("z")
        await until(pilot, lambda: titles(app) == ["A", "B", "C"])
        await pilot.press("z")
        assert "nothing to undo" in lines(app)[-2]


@pytest.fixture
def rendered(library, states):
    """A song with a render of half its level, each four seconds long."""
    folder = project(library, "blue", "Blue Harbour")
    (folder / "out").mkdir()
    for name, level in (("song", 0.5), ("out/Blue", 0.25)):
        soundfile.write(folder / f"{name}.wav", [[level, -level]] * 32000, 8000)
    cover = Output(folder / "out" / "Blue.wav", 1.0, 1000)
    states["blue"] = state(
        "done", song=folder / "song.wav", outputs=(cover,), lufs=-14.0, true_peak_dbtp=-1.0
    )
    return folder


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_last_render_is_heard_and_the_original_against_it(rendered, library, size):
    @on_stage
    async def run():
        async with studio(library, size=size, settings=Settings(audio_device="none")) as (app, pilot):
            await pilot.press(",")
            assert "Back 5 s: nothing plays: space plays the song" in lines(app)[-2]
            if size == (120, 40):
                await until(pilot, lambda: app.library._wave is not None and app.library._wave.seconds == 4.0)
                assert "Blue Harbour, last render" in text(app)
            await pilot.press("space")
            await until(pilot, lambda: app.library.sound.playing)
            await until(pilot, lambda: " of 0:04  cover" in text(app))
            await pilot.press("-", "a")
            await until(pilot, lambda: " of 0:04  original  -3.0 dB" in text(app))
            assert "listening at -3 dB" in text(app)
            await pilot.press("space")
            await until(pilot, lambda: not app.library.sound.playing)
            before = app.library.sound.seconds
            await pilot.press(".")
            await until(pilot, lambda: app.library.sound.seconds > max(before, 3.9))
            assert app.library.sound.heard.first == rendered / "out" / "Blue.wav"

    run()


@on_stage
async def test_without_a_render_the_song_is_heard(rendered, library, states):
    states["blue"] = state("new", to_do=("export",), song=rendered / "song.wav")
    project(library, "red", "Red")
    async with studio(library, size=(120, 40), settings=Settings(audio_device="none")) as (app, pilot):
        await until(pilot, lambda: "Blue Harbour, original" in text(app))
        await pilot.press("space")
        await until(pilot, lambda: app.library.sound.playing)
        await pilot.press("a")
        assert "Cover/song: there is nothing to compare it with" in lines(app)[-2]
        await pilot.press("down")
        await until(pilot, lambda: "Blue Harbour  ► 0:0" in text(app))
        await pilot.press("space")
        assert "Play: neither its song nor a render of it is there" in lines(app)[-2]
        await pilot.press("2")
        app.silence(app.screen)
        await until(pilot, lambda: not app.library.sound.playing)


@on_stage
async def test_a_failed_render_of_an_earlier_day_says_why(library, states):
    project(library, "blue", "Blue Harbour", recording=REFUSED)
    problem = "the last render failed at separate: the disk is full"
    states["blue"] = state("failed", problem=problem, hint="free some space", failed_at=1.0)
    async with studio(library) as (app, pilot):
        assert "✗ failed" in lines(app)[3]
        assert "the last render failed at separate: the disk is full" in text(app)
        assert "free some space" in text(app)
        await pilot.press("r")
        await until(pilot, lambda: job_states(app) == ["failed"])
        await until(
            pilot, lambda: text(app).count("the disk is full") == 2
        )  # the details and the status line


@on_stage
async def test_one_song_comes_back_from_the_trash(library, states):
    for name in "abc":
        project(library, name)
    async with studio(library) as (app, pilot):
        await app.perform("library.trash")
        await until(pilot, lambda: "the trash is empty" in lines(app)[-2])
        await pilot.press("v", "v", "d")
        await until(pilot, lambda: titles(app) == ["C"])
        await app.perform("library.trash")
        await until(pilot, lambda: "A  (a)" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: len(titles(app)) == 2)
        assert app.library.undo_words().startswith("removed ")
        await pilot.press("z")
        await until(pilot, lambda: titles(app) == ["A", "B", "C"])


@on_stage
async def test_a_theme_that_is_chosen_is_kept(library, states, tmp_path):
    async with studio(library) as (app, pilot):
        app.theme = "nord"
        await until(pilot, lambda: app.settings.theme == "nord")
    assert load_settings().theme == "nord"


@on_stage
async def test_jobs_that_move_while_the_panes_go_break_nothing(library, states, monkeypatch):
    async with studio(library) as (app, pilot):
        await until(pilot, lambda: app.library.is_settled)
        asked = []

        def jobs_changed():
            asked.append(app.library.query_one("#a-pane-that-is-gone"))

        monkeypatch.setattr(app.library, "jobs_changed", jobs_changed)
        app._draw_jobs()
        await pilot.pause()
        assert app.is_running
        assert asked == []


@on_stage
async def test_a_toast_leaves_a_dialog_readable(library, states):
    async with studio(library) as (app, pilot):
        app._disable_notifications, answers = False, []  # a test has none unless it asks for them
        app.push_screen(Ask("Really?\nIt is a long question.", yes="Do it", no="Leave it"), answers.append)
        await until(pilot, lambda: isinstance(app.screen, Ask))
        for words in ("one: rendered", "two: failed\nnext: free some space\nlog: there"):
            app.notify(words, severity="error", markup=False)
        await until(pilot, lambda: "two: failed" in lines(app)[0])
        (dialog,) = app.screen.query(".dialog")
        rack = app.screen.get_child_by_type(ToastRack)
        assert all(not toast.region.overlaps(dialog.region) for toast in rack.walk_children(Toast))
        await pilot.resize_terminal(40, 10)
        await until(pilot, lambda: app.size.height == 10 and "two: failed" in lines(app)[0])
        assert "Leave it (n)" in text(app)
        assert "Really?" in text(app)


@on_stage
async def test_a_question_says_what_enter_does(library, states):
    async with studio(library) as (app, pilot):
        answers = []
        for keys in (("enter",), ("tab", "enter"), ("y",), ("n",)):
            app.push_screen(Ask("Really?", yes="Do it", no="Leave it"), answers.append)
            await until(pilot, lambda: "enter: Leave it" in text(app))
            assert lines(app)[-1].strip() == "y Do it  esc Leave it  tab Other button  enter Leave it"
            if "tab" in keys:
                await pilot.press("tab")
                await until(pilot, lambda: "enter: Do it" in text(app) and "enter Do it" in lines(app)[-1])
                await pilot.press("enter")
            else:
                await pilot.press(*keys)
        assert answers == [False, True, True, False]


@on_stage
async def test_the_details_say_that_no_voice_is_heard(library, states):
    project(library, "blue", "Blue Harbour")
    states["blue"] = state("done", unheard="the voice is not heard: track 'vocals' is muted")
    async with studio(library) as (app, _):
        assert "note     the voice is not heard: track 'vocals' is muted" in text(app)
