"""A failure of a song is told as long as its cause is there; the log is readable whole."""

import json
import os
import time

import pytest
from studio_stage import REFUSED, lines, on_stage, project, saved, state, studio, text, until

from covermaker.render.state import Output, StepState
from covermaker.tui.log import LogLines

# Refused before any step began, as for weights that are not there.
UNBEGUN = '{"event": "render.failed", "message": "the weights rmvpe are not installed", "hint": "pull", "exit_code": 5}'
STEPS = ("decode", "separate", "export")


def planned(*keys, **more):
    """Return a state whose steps have these keys."""
    steps = tuple(StepState(name, name, "to do", key=key) for name, key in zip(STEPS, keys, strict=True))
    return state("stale", **more).__class__("stale", steps=steps, seconds=63.0, **more)


def words_of(app):
    """Return the words of the screen in one line, without frames."""
    return " ".join(text(app).replace("│", " ").split())


async def failed(app, pilot, words):
    """Open the song and render it, which fails."""
    await pilot.press("enter")
    await until(pilot, lambda: app.current_mode == "project" and app.screen.state is not None)
    await until(pilot, lambda: app.screen.edits.project is not None)
    await pilot.press("r")
    await until(pilot, lambda: f"✗ failed: {words}" in text(app))


@on_stage
async def test_a_step_that_is_no_longer_planned_fails_no_more(library, states):
    project(library, "harbor", recording=REFUSED)
    states["harbor"] = planned("a", "b", "c")
    async with studio(library) as (app, pilot):
        await failed(app, pilot, "the disk is full")
        app.screen.look_again()
        await saved(app.screen, pilot)
        assert "✗ failed: the disk is full" in text(app)
        states["harbor"] = planned("a", "other", "another")
        app.screen.look_again()
        await until(pilot, lambda: "✗ failed" not in text(app))


@pytest.mark.parametrize("recording", [REFUSED, UNBEGUN])
@on_stage
async def test_a_render_elsewhere_is_noticed_and_ends_the_failure(library, states, recording):
    song = project(library, "harbor", recording=recording)
    states["harbor"] = planned("a", "b", "c")
    async with studio(library) as (app, pilot):
        await failed(app, pilot, "the disk is full" if recording is REFUSED else "the weights rmvpe")
        await until(pilot, lambda: app.screen._renders is not None)
        states["harbor"] = planned("a", "b", "c", outputs=(Output(song / "x.wav", time.time() + 1, 1),))
        (song / "out").mkdir()
        (song / "out" / "render.json").write_text("{}")
        await until(pilot, lambda: "✗ failed" not in text(app))


@on_stage
async def test_what_was_refused_as_it_stood_is_over_with_another_document(library, states):
    song = project(library, "harbor", recording=UNBEGUN, more="")
    states["harbor"] = planned("a", "b", "c")
    async with studio(library) as (app, pilot):
        await failed(app, pilot, "the weights rmvpe")
        file = song / "cover.toml"
        file.write_text(file.read_text() + "gain_db = -3.0\n")
        os.utime(file, (time.time() + 1, time.time() + 1))
        await until(pilot, lambda: "✗ failed" not in text(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 30)])
@on_stage
async def test_a_long_line_of_the_log_is_wrapped_and_can_be_read_whole(library, states, size):
    message = " ".join(f"word{number}" for number in range(60))
    refused = {"event": "render.failed", "message": message, "hint": "mend it", "exit_code": 6}
    project(library, "harbor", recording=json.dumps(refused))
    async with studio(library, size=size) as (app, pilot):
        await failed(app, pilot, "word0")
        await pilot.press("L")
        await until(pilot, lambda: app.screen.query(LogLines) and "mend it" in text(app))
        assert message in words_of(app)
        rows = [line for line in lines(app) if "word" in line]
        assert len(rows) > 3
        assert sum(row[:11].strip("│ ") == "" for row in rows) > 2  # below the first row of a line
        await pilot.resize_terminal(60, 30)
        await until(pilot, lambda: len([line for line in lines(app) if "word" in line]) > len(rows))
        assert message in words_of(app)
