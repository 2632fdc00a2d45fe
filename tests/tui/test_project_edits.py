"""Edits that wait to be saved: none is lost, whatever the one before it did, and nobody is asked in the wrong place."""

import asyncio
import threading

import pytest
from studio_stage import at_mixer, burst, on_stage, project, quiet, state, studio, text, until

from covermaker.errors import CovermakerError
from covermaker.project.edits import SetValue
from covermaker.project.load import load
from covermaker.tui import project_edits
from covermaker.tui.project_edits import EditQueue
from covermaker.tui.screens.project import ProjectScreen
from covermaker.tui.widgets.fader import Fader


@pytest.fixture
def song(library, states):
    states["blue"] = state("done")
    return project(library, "blue", "Blue Harbour")


class Slow:
    """In place of `apply`: each edit waits until it may be saved."""

    def __init__(self, monkeypatch):
        self.began, self.may = threading.Event(), threading.Event()
        self._apply = project_edits.apply
        monkeypatch.setattr(project_edits, "apply", self)

    def __call__(self, *args, **more):
        self.began.set()
        assert self.may.wait(10.0)
        return self._apply(*args, **more)


def gain(song):
    return load(song).cover.tracks[0].gain_db


async def at_fader(app, pilot):
    """Open the song and give its first fader the focus."""
    app.open_project(app.library.selected)
    await until(pilot, lambda: isinstance(app.screen, ProjectScreen) and app.screen.query(Fader))
    await at_mixer(app.screen, pilot)
    return app.screen


# The queue


@on_stage
async def test_a_defect_is_said_and_the_edits_behind_it_are_saved(song, monkeypatch):
    said, saved = [], []
    queue = EditQueue(saved.append, lambda error, root, anyway: said.append(str(error)))
    queue.open(load(song))
    apply, broken = project_edits.apply, SetValue("tracks.vocals.pan", 1.0)

    def breaks(project, edit, **more):
        if edit is broken:
            raise ZeroDivisionError("surprise")
        return apply(project, edit, **more)

    monkeypatch.setattr(project_edits, "apply", breaks)
    queue.put(broken)
    queue.put(SetValue("tracks.vocals.gain_db", -2.0))
    await queue.finish()
    assert said == ["a defect in Covermaker: ZeroDivisionError: surprise"]
    assert (gain(song), len(saved)) == (-2.0, 1)


@on_stage
async def test_an_edit_that_comes_while_the_history_is_read_is_saved_too(song, monkeypatch):
    reads, reads_on, history = [], threading.Event(), project_edits.history.history

    def slowly(project):
        reads.append(project)
        assert reads_on.wait(10.0)
        return history(project)

    monkeypatch.setattr(project_edits.history, "history", slowly)
    queue = EditQueue(lambda done: None, lambda error, root, anyway: None)
    queue.open(load(song))
    while not reads:
        await asyncio.sleep(0.01)
    queue.put(SetValue("tracks.vocals.gain_db", -2.0))
    await asyncio.sleep(0.01)
    reads_on.set()
    await queue.finish()
    assert gain(song) == -2.0
    assert (queue.is_busy, queue.undo_words) == (False, "vocals gain 0.0 -> -2.0 dB")
    assert len(reads) == 2  # once when it was opened, once for the edit


@on_stage
async def test_what_waits_is_saved_without_the_event_loop(song, monkeypatch):
    slow = Slow(monkeypatch)
    queue = EditQueue(lambda done: None, lambda error, root, anyway: None)
    queue.open(load(song))
    for value in (-1.0, -2.0, -3.0):
        queue.put(SetValue("tracks.vocals.gain_db", value))
    while not slow.began.is_set():
        await asyncio.sleep(0.01)
    queue.save_now(0.0)  # no time at all: the studio would end now
    assert gain(song) == 0.0
    slow.may.set()
    queue.save_now(5.0)
    assert gain(song) == -3.0
    await queue.finish()


@on_stage
async def test_a_defect_at_the_end_costs_one_edit_alone(song, monkeypatch):
    slow = Slow(monkeypatch)
    queue = EditQueue(lambda done: None, lambda error, root, anyway: None)
    queue.open(load(song))
    queue.put(SetValue("tracks.vocals.gain_db", -1.0))
    queue.put(None)  # is no edit
    queue.put(SetValue("tracks.vocals.pan", 0.5))
    while not slow.began.is_set():
        await asyncio.sleep(0.01)
    slow.may.set()
    queue.save_now(5.0)
    track = load(song).cover.tracks[0]
    assert (track.gain_db, track.pan) == (-1.0, 0.5)
    await queue.finish()


@on_stage
async def test_an_edit_of_another_project_is_done_all_the_same(song, library):
    asked, other = [], project(library, "grey", "Grey Morning")
    queue = EditQueue(lambda done: None, lambda error, root, anyway: asked.append((error, root, anyway)))
    queue.open(load(song))
    queue.put(SetValue("tracks.vocals.gain_db", -3.0))
    text = (song / "cover.toml").read_text(encoding="utf-8")
    (song / "cover.toml").write_text(text + "gain_db = -9.0\n", encoding="utf-8")
    await queue.finish()
    queue.open(load(other))
    ((error, root, anyway),) = asked
    assert isinstance(error, CovermakerError)
    assert root == song
    anyway()
    await queue.finish()
    assert (gain(song), gain(other)) == (-3.0, 0.0)


# The screens


@on_stage
async def test_leaving_waits_for_a_burst_of_edits(song, library):
    async with studio(library, settings=quiet()) as (app, pilot):
        await at_fader(app, pilot)
        await burst(pilot, *"============", "q")
        await until(pilot, lambda: not app.is_running)
    assert gain(song) == 6.0


@on_stage
async def test_leaving_asks_when_a_change_cannot_be_saved(song, library, monkeypatch):
    def full(*args, **more):
        raise CovermakerError("the disk is full")

    async with studio(library, settings=quiet()) as (app, pilot):
        await at_fader(app, pilot)
        monkeypatch.setattr(project_edits, "apply", full)
        await burst(pilot, "=", "q")
        await until(pilot, lambda: "Quitting loses that change." in text(app))
        assert "the disk is full" in text(app)
        await pilot.press("n")
        assert app.is_running


@on_stage
async def test_a_signal_saves_what_waits(song, library, monkeypatch):
    async with studio(library, settings=quiet()) as (app, pilot):
        screen = await at_fader(app, pilot)
        monkeypatch.setattr("covermaker.tui.leaving.end_anyway", lambda code: None)
        slow = Slow(monkeypatch)
        await pilot.press(*"====")
        await until(pilot, lambda: screen.edits.is_waiting)
        threading.Timer(0.1, slow.may.set).start()
        app._end(143)
        assert gain(song) == 2.0
        await until(pilot, lambda: not app.is_running)


@on_stage
async def test_a_conflict_is_asked_about_where_it_came_up(song, library, monkeypatch):
    async with studio(library, settings=quiet()) as (app, pilot):
        screen = await at_fader(app, pilot)
        await until(pilot, lambda: not screen.edits.is_busy)
        slow = Slow(monkeypatch)
        await pilot.press("-")
        await until(pilot, lambda: slow.began.is_set())
        cover = (song / "cover.toml").read_text(encoding="utf-8")
        (song / "cover.toml").write_text(cover + "gain_db = -9.0\n", encoding="utf-8")
        await pilot.press("1")
        slow.may.set()
        await until(pilot, lambda: not screen.edits.is_busy)
        assert app.screen is app.library
        assert "has changed meanwhile" in text(app)
        await pilot.press("2")
        await until(pilot, lambda: "Do it all the same" in text(app))
        await pilot.press("y")
        await until(pilot, lambda: gain(song) == -0.5)
