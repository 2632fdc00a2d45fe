"""What the screens look like, line by line, at both sizes.

``SNAPSHOTS=write`` writes them anew, to be read in the diff.
"""

import os
from pathlib import Path

import pytest
from studio_stage import KILLED, lines, on_stage, project, state, studio, until

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
    text = "\n".join(seen) + "\n"
    file = FOLDER / f"{screen}-{size}.txt"
    if os.environ.get("SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"SNAPSHOTS=write pytest {__file__} takes the new look"
