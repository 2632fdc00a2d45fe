"""A studio on a stage: a folder of small projects, a child that plays a recording, a screen read as lines."""

from __future__ import annotations

import asyncio
import functools
import sys
from contextlib import asynccontextmanager

from textual.events import Key

from covermaker.render.state import State, StepState
from covermaker.tui.app import Studio
from covermaker.tui.keymap import textual_key
from covermaker.tui.settings import Settings

COVER = """schema = 1
title = "{title}"
[song]
file = "song.wav"
artist = "{artist}"
[voice]
name = "{voice}"
[[tracks]]
name = "vocals"
source = "converted"
"""

# Plays the lines of `recording.jsonl` in the project's folder; lines that begin with ! are stage directions.
CHILD = (
    sys.executable,
    "-SEc",
    """
import json, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have had it ignored
request = json.loads(sys.stdin.buffer.readline())
for line in open(os.path.join(request["project"], "recording.jsonl")):
    if line.startswith("!kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    elif line.startswith("!deaf"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    elif line.startswith("!stay"):
        try:
            sys.stdin.buffer.read()
        except KeyboardInterrupt:
            print('{"event": "render.failed", "message": "interrupted", "hint": null, "exit_code": 130}', flush=True)
            os._exit(130)
    elif line.startswith("!say "):
        print(line[5:].rstrip(), file=sys.stderr, flush=True)
    elif line.startswith("!exit "):
        os._exit(int(line[6:]))
    else:
        print(line.rstrip(), flush=True)
""",
)

PLAN = (
    '{"event": "render.planned", "steps": ['
    '{"name": "decode", "kind": "decode", "key": "a", "state": "kept"}, '
    '{"name": "separate", "kind": "separate", "key": "b", "state": "run"}, '
    '{"name": "export", "kind": "export", "key": "c", "state": "run"}]}'
)
SEPARATE = '{"event": "step.started", "name": "separate", "key": "b"}'
HALF = '{"event": "step.progress", "name": "separate", "fraction": 0.5}'
RESULT = (
    '{"event": "render.finished", "result": {"title": "x", "reports": {"master": {"integrated_lufs": -14.02}}, '
    '"files": ["out/x.wav"]}}'
)
WHOLE = "\n".join(
    (
        PLAN,
        SEPARATE,
        HALF,
        '{"event": "note", "text": "the song is mono"}',
        '{"event": "step.finished", "name": "separate", "key": "b", "seconds": 2.5, "report": {}}',
        '{"event": "step.started", "name": "export", "key": "c"}',
        '{"event": "step.finished", "name": "export", "key": "c", "seconds": 0.5, "report": {}}',
        RESULT,
    )
)
STUCK = "\n".join((PLAN, SEPARATE, HALF, "!stay"))
REFUSED = "\n".join(
    (
        PLAN,
        SEPARATE,
        '{"event": "step.failed", "name": "separate", "message": "the disk is full"}',
        '{"event": "render.failed", "message": "the disk is full", "hint": "free some space", "exit_code": 6}',
    )
)
KILLED = "\n".join((PLAN, SEPARATE, "!kill"))


def project(root, name, title=None, *, artist="", voice="demo", recording=WHOLE):
    """Make a project that no engine has to look at."""
    folder = root / name
    folder.mkdir(parents=True)
    text = COVER.format(title=title or name.title(), artist=artist, voice=voice)
    (folder / "cover.toml").write_text(text, encoding="utf-8")
    (folder / "recording.jsonl").write_text(recording, encoding="utf-8")
    return folder


def state(word, *, to_do=(), reasons=("tracks[0].gain_db: 0.0 -> 1.0",), **more):
    """Return a state with three steps, of which those named are to do."""
    steps = tuple(
        StepState(name, name, "to do", reasons) if name in to_do else StepState(name, name, "done", (), 1.0)
        for name in ("decode", "separate", "export")
    )
    return State(word, steps=steps, **{"seconds": 63.0, "stems": ("vocals", "accompaniment"), **more})


def on_stage(test):
    """Run a coroutine as a test."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


@asynccontextmanager
async def studio(root, *, size=(80, 24), settings=None):
    """Open a studio on a folder, once its first states are known."""
    app = Studio(root, settings or Settings(charset="unicode"), child=CHILD)
    async with app.run_test(size=size, tooltips=False) as pilot:
        await until(pilot, lambda: app.library is not None and app.library.is_settled)
        yield app, pilot
        await app.runner.close()
        await app.measurer.close()


async def until(pilot, is_so, *, seconds=10.0):
    """Wait until something is so, and what jobs have told is drawn."""
    for _ in range(int(seconds / 0.01)):
        await pilot.pause(0.01)
        draws = pilot.app.is_running and getattr(pilot.app, "_jobs_timer", None) is not None
        if is_so() and not draws:
            await pilot.pause()
            return
    raise AssertionError(f"it never came to be; the screen:\n{text(pilot.app)}")


async def burst(pilot, *keys):
    """Press keys as fast as a paste or a script does: all are there before the first one is looked at."""
    for key in keys:
        pilot.app.post_message(Key(textual_key(key), key if len(key) == 1 else None))
    await pilot.pause()


def lines(app):
    """Return the screen as lines of text."""
    rows = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in row) for row in rows]


def text(app):
    """Return the screen as one text."""
    return "\n".join(lines(app))
