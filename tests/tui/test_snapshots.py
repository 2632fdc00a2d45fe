"""What the screens look like, line by line, at both sizes.

``SNAPSHOTS=write`` writes them anew, to be read in the diff.
"""

import os
import time
from pathlib import Path

import pytest
from batch_stage import batch, song
from studio_stage import KILLED, lines, on_stage, project, state, studio, until

from covermaker.batch.rows import StepTime, Try
from covermaker.errors import CovermakerError
from covermaker.tui import project_model

FOLDER = Path(__file__).parent / "snapshots"
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
SCREENS = {"library": "1", "project": "2", "rack": "3", "voices": "4", "batch": "5", "presets": "6"}


@pytest.fixture
def songs(library, states, monkeypatch):
    """Three songs that are done, stale and failed."""
    monkeypatch.setenv("COVERMAKER_VOICES", str(library.parent / "voices"))
    monkeypatch.setenv("COVERMAKER_PRESETS", str(library.parent / "presets"))

    def refuse(project):
        raise CovermakerError("the song's file is gone")

    monkeypatch.setattr(project_model, "pictures", refuse)  # the true sentence has a path in it
    for name in ("harbor", "lantern", "tram"):
        project(library, name, artist="Covermaker", recording=KILLED)
    states["harbor"] = state("done")
    states["lantern"] = state("stale", to_do=("export",))
    states["tram"] = state(
        "failed", to_do=("separate", "export"), problem="the disk is full", hint="free some space"
    )
    return library


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS)
@on_stage
async def test_a_screen_looks_as_it_did(screen, size, songs):
    async with studio(songs, size=SIZES[size]) as (app, pilot):
        await until(pilot, lambda: app.library.is_settled)
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.current_mode == "project" and app.screen.state is not None)
        await pilot.press(SCREENS[screen])
        await until(pilot, lambda: app.current_mode == screen)
        await pilot.app.workers.wait_for_complete()
        await until(pilot, lambda: "looking" not in "\n".join(lines(app)))
        await pilot.pause(0.2)
        seen = [line.rstrip() for line in lines(app)]
    compare(seen, f"{screen}-{size}.txt")


@pytest.fixture
def utc():
    """Tell the time of day as in Greenwich."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize("size", SIZES)
@on_stage
async def test_a_batch_looks_as_it_did(size, library, tmp_path, monkeypatch, utc):
    monkeypatch.setenv("HOME", str(tmp_path))
    made = {
        "loudness_lufs": -14.0,
        "true_peak_dbtp": -1.0,
        "files": [str(tmp_path / "spring/blue/out/blue.wav")],
    }
    rows = [
        song(1, "done", "Blue Harbour", spent_seconds=48.0, tries=1, running_at="worker 1", result=made),
        song(2, "running", "Night Tram", step="convert", fraction=0.62, tries=1, running_at="worker 2"),
        song(3, "failed", "Quiet Engine", step="export", cause="no space left on /data", hint="free some space",
             tries=2, spent_seconds=52.0, running_at="worker 1", wishes={"voice": "Basso v1", "preset": "warm"}),
        song(4, "done", "Tin Roof", was_done=True, result=made),
        song(5, "failed", "gone.flac", cause="there is no file gone.flac", hint="did you mean 'stone.flac'?"),
        song(6, "cancelled", "Slow River"),
        song(7, title="Glass Stairs"),
    ]  # fmt: skip
    with batch(tmp_path / "spring", rows, began=28_860.0) as queue:
        for number, place in ((1, "worker 2"), (2, "worker 1")):
            began = 28_860.0 + 600.0 * number
            queue.put_try(
                Try(3, number, began, began + 9.0, place, "failed", "export", "no space left on /data", 6)
            )
        for name, seconds in (("decode", 0.2), ("separate", 9.0), ("convert", 2.0)):
            queue.put_step(StepTime(3, name, seconds, kept=False))
        async with studio(library, size=SIZES[size]) as (app, pilot):
            await pilot.press("5")
            await until(pilot, lambda: app.screen.query("#queue"))
            app.screen.show(queue.folder)
            await until(pilot, lambda: app.batches.state.is_read)
            await pilot.press("down", "down")
            await until(pilot, lambda: "try 2" in "\n".join(lines(app)))
            await pilot.pause(0.1)
            seen = [line.rstrip() for line in lines(app)]
    compare(seen, f"batch-queue-{size}.txt")


def compare(seen, name):
    text = "\n".join(seen) + "\n"
    file = FOLDER / name
    if os.environ.get("SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"SNAPSHOTS=write pytest {__file__} takes the new look"
