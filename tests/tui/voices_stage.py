"""Voices on a stage: folders made of a recorded training, and a child that plays what each kind of job would say."""

import json
import shutil
import sys
from pathlib import Path

from studio_stage import on_screen, until
from textual.events import Paste

from covermaker.tui.screens.voices import VoicesScreen
from covermaker.tui.voices_ask import NewVoiceAsk

RECORDED = Path(__file__).parent / "recordings" / "voice"

# Notes the request beside the voices and plays the recording of its kind; without one it is done at once.
CHILD = (
    sys.executable,
    "-SEc",
    """
import json, os, sys
request = json.loads(sys.stdin.buffer.readline())
stage = os.path.dirname(os.path.dirname(request["voice"]))
with open(os.path.join(stage, "requests.jsonl"), "a") as log:
    log.write(json.dumps(request) + "\\\\n")
told = os.path.join(stage, request["job"] + ".jsonl")
lines = open(told).read().splitlines() if os.path.exists(told) else ['{"event": "render.finished", "result": {"x": 1}}']
for line in lines:
    if line == "!stay":
        try:
            sys.stdin.buffer.read()
        except KeyboardInterrupt:
            print('{"event": "render.failed", "message": "interrupted", "hint": null, "exit_code": 130}', flush=True)
            os._exit(130)
    else:
        print(line, flush=True)
""".replace("\\\\n", "\\n"),
)

FINISHED = {"event": "render.finished"}
FAILED = {"event": "render.failed", "hint": None, "exit_code": 6}
STARTED = '{"event": "step.started", "name": "clips", "key": ""}'
TRAINS = (
    '{"event": "training.progress", "step": 900, "steps": null, "fraction": 0.46, "losses": {"loss": 0.5}, '
    '"rate": 0.001, "seconds_per_step": 0.2, "seconds_left": 312.0, "memory_bytes": 1000000}'
)
SAVED = (
    '{"event": "render.failed", "message": "stopped at step 900: all of it is saved", '
    '"hint": "go on with: covermaker train anna --resume", "exit_code": 130}'
)
# Whole files that hold nothing.
EMPTY = {".safetensors": b"\x02" + b"\0" * 7 + b"{}", ".npz": b"PK\x05\x06" + b"\0" * 18}


def now_json(**more):
    """Return what a training says of itself."""
    values = {
        "pid": 4711, "host": "studio", "device": "cpu", "began": 1000.0, "told": 1100.0, "phase": "train",
        "fraction": 0.46, "step": 900, "steps": None, "loss": 0.512, "rate": 1.2e-3, "seconds_per_step": 0.16,
        "seconds_left": 312.0, "memory_bytes": 2_400_000_000, **more,
    }  # fmt: skip
    return json.dumps(values)


def voice(
    root,
    name="anna",
    *,
    card=True,
    takes=True,
    scan=True,
    training=True,
    status="finished",
    kept=(1502, 2150),
):
    """Make a voice of the recording; its checkpoints are empty files."""
    folder = root / name
    (folder / "takes").mkdir(parents=True)
    if card:
        text = (
            (RECORDED / "card.toml")
            .read_text(encoding="utf-8")
            .replace('name = "anna"', f'name = "{name}"', 1)
        )
        (folder / "card.toml").write_text(text, encoding="utf-8")
        files = [line.split('"')[1] for line in text.splitlines() if line.startswith('file = "')]
        for file in files:
            (folder / file).write_bytes(EMPTY[Path(file).suffix])
    if takes:
        shutil.copy(RECORDED / "takes.toml", folder)
        for number in (1, 2, 3):
            (folder / "takes" / f"take-{number}.wav").write_bytes(b"RIFF")
    if takes and scan:
        (folder / ".takes").mkdir()
        shutil.copy(RECORDED / "scan.json", folder / ".takes")
    if training:
        work = folder / "training"
        for name_ in ("checkpoints", "heldout", "auditions"):
            (work / name_).mkdir(parents=True)
        for file in ("history.jsonl", "scores.json"):
            shutil.copy(RECORDED / file, work)
        run = json.loads((RECORDED / "run.json").read_text(encoding="utf-8"))
        (work / "run.json").write_text(json.dumps({**run, "status": status}), encoding="utf-8")
        (work / "heldout" / "phrases.json").write_text('{"spoken": {}, "sung": {}}', encoding="utf-8")
        for step in kept:
            (work / "checkpoints" / f"step-{step:09d}.safetensors").write_bytes(b"")
    return folder


def sing(folder, *steps, kinds=("spoken", "sung")):
    """Write what an audition leaves behind."""
    out = folder / "training" / "auditions"
    for kind in kinds:
        for name in ("source", "singer", *(f"step-{step}" for step in steps)):
            (out / f"{name}-{kind}.wav").write_bytes(b"RIFF")


def tells(root, job, *said):
    """Give what the child says of a kind of job: lines, or an event's fields; those of `FINISHED` and `FAILED`."""
    rows = [one if isinstance(one, str) else json.dumps(one) for one in said]
    (root.parent / f"{job}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


def requests(root):
    """Return what jobs were asked for."""
    file = root.parent / "requests.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def voices_screen(library, *, size=(80, 24), at=None, settings=None):
    """Open the Voices screen, with the cursor on a voice."""

    async def opened(app, pilot):
        app.runner._command = CHILD
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, VoicesScreen) and app.screen.whole is not None)
        screen = app.screen
        if at is not None:
            listing = screen.query_one("#list")
            listing.cursor = next(i for i, folder in enumerate(listing.items) if folder.name == at)
            await until(pilot, lambda: screen.whole.row.name == at)
        return screen

    return on_screen(library, opened, size=size, settings=settings)


async def form_for(file, app, pilot):
    """Drop a recording on the Voices screen; returns the form that asks whose voice it is."""
    app.screen.post_message(Paste(f"'{file}'"))
    await until(pilot, lambda: isinstance(app.screen, NewVoiceAsk))
    return app.screen
