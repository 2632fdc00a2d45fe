"""A studio on a stage: a folder of small projects, a child that plays a recording, a screen read as lines."""

from __future__ import annotations

import asyncio
import functools
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import soundfile
from textual.events import Key

from covermaker.play.messages import Loaded, Position, Problem
from covermaker.render.sounds import Sounds, TrackSound
from covermaker.render.state import State, StepState
from covermaker.tui.app import Studio
from covermaker.tui.keymap import textual_key
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_model import Pictures
from covermaker.tui.settings import Settings
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.pyramid import Pyramid

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


def project(root, name, title=None, *, artist="", voice="demo", recording=WHOLE, more=""):
    """Make a project that no engine has to look at; its document goes on with `more`, at first of the track."""
    folder = root / name
    folder.mkdir(parents=True)
    text = COVER.format(title=title or name.title(), artist=artist, voice=voice) + more
    (folder / "cover.toml").write_text(text, encoding="utf-8")
    (folder / "recording.jsonl").write_text(recording, encoding="utf-8")
    return folder


def state(word, *, to_do=(), words=("tracks[0].gain_db: 0.0 -> 1.0",), **more):
    """Return a state with three steps, of which those named are to do."""
    steps = tuple(
        StepState(name, name, "to do", reasons=words, words=words)
        if name in to_do
        else StepState(name, name, "done", seconds=1.0)
        for name in ("decode", "separate", "export")
    )
    return State(word, steps=steps, **{"seconds": 63.0, "stems": ("vocals", "accompaniment"), **more})


def rendered(folder, *, seconds, tracks, peaks=None, **more):
    """Write the sounds of a project as if it had been rendered; returns what is drawn of them."""
    sound = np.full((round(seconds * 8000), 2), 0.25, np.float32)
    for name in ("song", "vocal", "sung", "master", "live"):
        soundfile.write(folder / f"{name}.wav", sound, 8000, subtype="FLOAT")
    if peaks is None:
        peaks = Pyramid(np.full(1500, -0.5, np.float32), np.full(1500, 0.5, np.float32), seconds / 1500)
    heard = (folder / f"{name}.wav" for name in ("song", "vocal", "sung", "master"))
    found = {name: TrackSound(folder / "sung.wav", folder / "live.wav", None) for name in tracks}
    sounds = Sounds(*heard, None, more.pop("semitones", 0.0), found)
    return Pictures(sounds, peaks, peaks, peaks, peaks, dict.fromkeys(tracks, peaks), **more)


_PREVIEW = """
import json, os, sys, time
always, changed, of = json.loads(sys.argv[1])
folder = json.loads(sys.stdin.readline())["project"]
for line in sys.stdin:
    wish = json.loads(line)
    refusal = os.path.join(folder, "no-preview")
    refused = open(refusal).read() if os.path.exists(refusal) else ""
    with open(os.path.join(folder, "wishes.jsonl"), "a") as log:
        log.write(line)
    if wish["what"] == "sung":
        print(json.dumps({"event": "step.progress", "name": "convert (preview)", "fraction": 0.4}), flush=True)
    while os.path.exists(os.path.join(folder, "wait")):
        time.sleep(0.01)
    said = {"event": "preview.made", "id": wish["id"], "what": wish["what"], "start_seconds": wish["start_seconds"],
            "seconds": wish["seconds"], "file": "live.wav", "against": "song.wav", "in_lufs": -20.0, "out_lufs": -18.0,
            "gain_db": -2.0, "against_gain_db": 0.0, "reduction_seconds": 0.1, "reductions": [], "peaks": {},
            "took_seconds": 0.1, **always, **(changed if wish["changes"] else {}), **of.get(wish["what"], {})}
    said.update({name: os.path.join(folder, said[name]) for name in ("file", "against")})
    if refused:
        said = {"event": "preview.refused", "id": wish["id"], "message": refused, "hint": None}
    print(json.dumps(said), flush=True)
"""


def preview(*, changed=None, of=None, **always):
    """Return a process that answers every wish at once, with files of the project's folder, and keeps the `wishes`.

    What it says can be another where something was `changed`, and `of` a kind of wish. A file ``no-preview`` in the
    folder holds the words of a refusal; while there is one with the name ``wait``, it does not answer.
    """
    return (sys.executable, "-SEc", _PREVIEW, json.dumps([always, changed or {}, of or {}]))


def wishes(folder):
    """Return what a project's `preview` was asked for, as text; nothing before it was."""
    file = folder / "wishes.jsonl"
    return file.read_text() if file.exists() else ""


class Player:
    """A player without a process: notes what it is told, believes that it plays; `made` is the last one."""

    made = None
    pid = 4711

    def __init__(self, listener, **_):
        self._tell, self.told, self.broken, Player.made = listener, [], set(), self
        self.position, self.length_seconds = Position(0.0, False, "a"), 60.0
        self.files = self.loop = None

    playing = property(lambda self: self.position.playing)
    hearing = property(lambda self: self.position.hearing)
    loads = property(lambda self: [told[1:] for told in self.told if told[0] == "load"])
    names = property(lambda self: [(files.a.name, files.b and files.b.name) for files, *_ in self.loads])

    def _now(self, *told, **position):
        self.told.append(told)
        self.position = replace(self.position, **position)
        self._tell(self.position)

    async def load(self, files, *, start_seconds=None, loop=None):
        self._now("load", files, start_seconds, loop)
        self.files, self.loop, a = files, loop, str(files.a)
        known = files.a.name not in self.broken
        self._tell(Loaded(a, None, self.length_seconds, 44100) if known else Problem("no sound in it", a=a))

    async def play(self):
        self._now("play", playing=True)

    async def pause(self):
        self._now("pause", playing=False)

    async def switch(self, to=None):
        self._now("switch", to, hearing=to or ("a" if self.hearing == "b" else "b"))

    async def seek(self, seconds):
        self._now("seek", seconds, seconds=seconds)

    async def set_loop(self, loop):
        self._now("loop", loop)

    async def set_gains(self, *gains):
        self._now("gains", *gains)

    async def close(self):
        self.told.append(("close",))


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


@asynccontextmanager
async def on_screen(root, opened, *, size=(80, 24), settings=None):
    """Open a studio in which nothing is heard, and a screen of it: `opened` takes app and pilot and returns that."""
    async with studio(root, size=size, settings=settings or quiet()) as (app, pilot):
        yield await opened(app, pilot), app, pilot


def quiet():
    """Return settings with which nothing is heard, and all else is as ever."""
    return Settings(charset="unicode", audio_device="none")


async def saved(screen, pilot):
    """Wait until the edits of a screen are saved."""
    await until(pilot, lambda: not screen.edits.is_busy)


async def at_mixer(screen, pilot):
    """Give the first fader of a Project screen the focus."""
    screen.go_to(screen.query_one(Mixer))
    await until(pilot, lambda: isinstance(screen.focused, Fader))


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
