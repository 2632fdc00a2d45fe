"""The app's side of the preview: the newest wish wins, and a process that dies is replaced."""

import asyncio
import sys

import pytest

from covermaker.render.previewing import Wish
from covermaker.tui.previewer import Preview

CHILD = """
import json, os, signal, sys, time
folder = json.loads(sys.stdin.readline())["project"]
os.makedirs(folder + "/.covermaker/preview", exist_ok=True)
for line in sys.stdin:
    wish = json.loads(line)
    if wish["what"] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if wish["what"] == "half a line":
        print('{"event": "step.prog', end="", flush=True)
        open(folder + "/told", "w").close()
        time.sleep(60.0)
    if wish["what"] == "sung":
        for fraction in (0.0, 0.5):
            print(json.dumps({"event": "step.started", "name": "convert", "key": "1"}), flush=True)
            print(json.dumps({"event": "step.progress", "name": "convert", "fraction": fraction}), flush=True)
        while wish["changes"]:
            time.sleep(1.0)
    if wish["what"] == "no":
        said = {"event": "preview.refused", "id": wish["id"], "message": "no sound", "hint": "render it"}
        print(json.dumps(said), flush=True)
        continue
    open(folder + "/.covermaker/preview/%d-1.wav" % os.getpid(), "w").close()
    names = ("file", "against")
    said = {name: "" for name in names} | {name: 0.0 for name in (
        "in_lufs", "out_lufs", "gain_db", "against_gain_db", "reduction_seconds", "took_seconds")}
    print(json.dumps({"event": "preview.made", "id": wish["id"], "what": wish["what"], "start_seconds": 0.0,
                      "seconds": wish["seconds"], "reductions": [], "peaks": {}, **said}), flush=True)
"""


def talk(tmp_path, script):
    """Run a coroutine with a preview and what it said: lists of answers and refusals."""

    async def run():
        made, refused = [], []
        preview = Preview(
            tmp_path, made.append, lambda *said: refused.append(said), command=(sys.executable, "-SEc", CHILD)
        )
        try:
            await asyncio.wait_for(script(preview, made, refused), 10.0)
        finally:
            await preview.close()

    asyncio.run(run())


async def until(is_so):
    while not is_so():
        await asyncio.sleep(0.005)


def test_the_newest_wish_wins(tmp_path):
    async def script(preview, made, refused):
        for seconds in (1.0, 2.0, 3.0):
            preview.ask(Wish(0, 0.0, seconds))
        assert preview.is_busy
        await until(lambda: not preview.is_busy)
        assert [(one.id, one.seconds) for one in made] == [(3, 3.0)]
        preview.ask(Wish(0, 0.0, 4.0))  # sent at once
        preview.ask(Wish(0, 0.0, 5.0))  # waits, and is overtaken
        preview.ask(Wish(0, 0.0, 6.0))
        await until(lambda: not preview.is_busy)
        assert [one.seconds for one in made] == [3.0, 4.0, 6.0]
        assert not refused

    talk(tmp_path, script)
    assert not list((tmp_path / ".covermaker" / "preview").iterdir())


def test_a_killed_process_is_replaced(tmp_path):
    async def script(preview, made, refused):
        preview.ask(Wish(0, 0.0, 1.0, "die"))
        await until(lambda: refused)
        assert refused[0][1].startswith("the preview was ended by SIGKILL")
        preview.ask(Wish(0, 0.0, 2.0))
        await until(lambda: made)
        assert made[0].seconds == 2.0

    talk(tmp_path, script)


def test_a_refusal_says_which_wish_it_is_of(tmp_path):
    async def script(preview, made, refused):
        preview.ask(Wish(0, 0.0, 1.0))
        await until(lambda: made)
        preview.ask(Wish(0, 0.0, 2.0, "no"))
        await until(lambda: refused)
        assert refused == [(2, "no sound: render it")]

    talk(tmp_path, script)


def test_singing_tells_how_far_it_is_and_can_be_interrupted(tmp_path):
    async def run():
        made, refused, told = [], [], []
        preview = Preview(
            tmp_path, made.append, lambda *said: refused.append(said),
            on_progress=told.append, command=(sys.executable, "-SEc", CHILD),
        )  # fmt: skip
        preview.ask(Wish(0, 0.0, 1.0, "sung"))
        await until(lambda: made)
        assert [event.fraction for event in told] == [0.0, 0.5]
        preview.ask(Wish(0, 0.0, 2.0, "sung", {"convert.protect": 0.5}))
        await until(lambda: len(told) == 4)
        preview.interrupt()
        assert not preview.is_busy
        number = preview.ask(Wish(0, 0.0, 3.0))  # before the process is gone
        await until(lambda: len(made) == 2)
        assert (made[1].id, made[1].seconds) == (number, 3.0)
        preview.interrupt()
        preview.interrupt()
        preview.ask(Wish(0, 0.0, 4.0))
        await until(lambda: len(made) == 3)
        assert refused == []
        await preview.close()

    asyncio.run(asyncio.wait_for(run(), 10.0))


def test_a_line_that_an_interruption_cuts_off_breaks_nothing(tmp_path):
    async def script(preview, made, refused):
        preview.ask(Wish(0, 0.0, 1.0, "half a line"))
        await until((tmp_path / "told").exists)
        preview.interrupt()
        preview.ask(Wish(0, 0.0, 2.0))
        await until(lambda: made)
        assert made[0].seconds == 2.0

    talk(tmp_path, script)


def test_what_an_interrupted_process_has_made_goes_with_the_last_one(tmp_path):
    files = tmp_path / ".covermaker" / "preview"

    async def script(preview, made, refused):
        for number in (1, 2):
            preview.ask(Wish(0, 0.0, 1.0))
            await until(lambda number=number: len(made) == number)
            preview.interrupt()
        (files / "1-1-elsewhere.wav").touch()
        assert len(list(files.iterdir())) == 3

    talk(tmp_path, script)
    assert [file.name for file in files.iterdir()] == ["1-1-elsewhere.wav"]


def test_a_process_whose_answers_break_us_does_not_go_on_unheard(tmp_path):
    async def run():
        children = []

        def breaks(made):
            children.append(preview._child)
            raise ZeroDivisionError

        preview = Preview(tmp_path, breaks, print, command=(sys.executable, "-SEc", CHILD))
        preview.ask(Wish(0, 0.0, 1.0))
        task = preview._task
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(task, 10.0)
        await asyncio.wait_for(until(lambda: children[0].returncode is not None), 10.0)
        await preview.close()

    asyncio.run(run())


def test_what_cannot_be_started_is_said(tmp_path):
    async def run():
        refused = []
        preview = Preview(
            tmp_path, print, lambda *said: refused.append(said), command=(str(tmp_path / "no such program"),)
        )
        preview.ask(Wish(0, 0.0, 1.0))
        await asyncio.wait_for(until(lambda: refused), 5.0)
        assert refused[0][0] is None
        assert "cannot be started" in refused[0][1]
        await preview.close()

    asyncio.run(run())
