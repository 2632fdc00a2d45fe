"""What every screen does when it is opened, once."""

from collections import Counter

import pytest
from studio_stage import on_stage, project, quiet, state, studio, until

from covermaker.tui import model
from covermaker.tui.keytable import SEATS
from covermaker.tui.screens.base import StudioScreen


@pytest.fixture
def begun(monkeypatch):
    """How often each screen began."""
    times, begin = Counter(), StudioScreen.on_mount

    def counted(self):
        times[self.SCREEN] += 1
        begin(self)

    monkeypatch.setattr(StudioScreen, "on_mount", counted)
    return times


def timers(screen, seconds):
    """Count the timers of a screen that go off every so many seconds."""
    return sum(timer._interval == seconds for timer in screen._timers)


@on_stage
async def test_every_screen_begins_once(library, states, begun, monkeypatch):
    states["blue"] = state("done")
    folder = project(library, "blue")
    reads, list_songs = [], model.list_songs
    monkeypatch.setattr(model, "list_songs", lambda root: reads.append(root) or list_songs(root))
    async with studio(library, settings=quiet()) as (app, pilot):
        assert reads == [library]
        assert timers(app.library, 2.0) == 1
        app.project = folder
        for seat in SEATS:
            await pilot.press(seat.key)
            await until(pilot, lambda seat=seat: seat.name == app.screen.SCREEN and app.screen.is_mounted)
            if seat.name in ("project", "rack"):
                assert timers(app.screen, 1.0) == 1
        assert begun == Counter(seat.name for seat in SEATS)
