"""Which songs are listened to, and when again."""

import asyncio
import sys

from studio_stage import on_stage, project, state, studio, until

from covermaker.tui.measure import Measurer

# Notes the folder that it is asked for.
CHILD = (sys.executable, "-SEc", "import os, sys; open(os.path.join(sys.argv[1], 'heard'), 'a').write('x')")


@on_stage
async def test_a_song_is_tried_once_until_its_document_is_another(tmp_path):
    done = []
    measurer = Measurer(done.append, command=CHILD)

    async def asked(times):
        measurer.want([tmp_path])
        for _ in range(500):
            if len(done) == times and measurer._task is None:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(done)

    await asked(1)
    await asked(1)
    measurer.forget(tmp_path)
    await asked(2)
    assert (tmp_path / "heard").read_text() == "xx"
    await measurer.close()


@on_stage
async def test_a_document_that_changed_lets_its_song_be_listened_to_again(library, states, monkeypatch):
    folder = project(library, "blue")
    states["blue"] = state("new", to_do=("decode",), song=folder / "song.wav")
    async with studio(library) as (app, pilot):
        app.measurer._command = CHILD
        await until(pilot, lambda: folder in app.measurer._tried)
        heard = folder / "heard"
        app.library._changed_on_disk([folder])
        await until(pilot, lambda: heard.exists() and heard.read_text())
