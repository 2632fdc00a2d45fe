"""The bars of a batch in a real terminal: what is on the screen while it runs, is paused and is over is true."""

import sys

import pytest

from covermaker.batch.queue import Queue
from covermaker.batch.rows import Song
from terminal import Terminal, is_there

pytestmark = pytest.mark.skipif(not is_there(), reason="the program tmux is missing: apt-get install tmux")

STAGES = """
import sys, time
from pathlib import Path
from covermaker.batch.events import BatchLeft, BatchSaid, BatchStarted, SongMoved
from covermaker.batch.queue import Queue
from covermaker.cli.batch_progress import batch_listening

folder = Path(sys.argv[1])
FULL = " ".join(["the disk of this machine is full"] * 3)

def stage(number, *events):
    for event in events:
        tell(event)
    while not (folder / str(number)).exists():
        time.sleep(0.02)

left = {"done": 1, "failed": 1, "running": 1, "waiting": 1}
with Queue(folder) as queue, batch_listening(queue, as_json=False) as tell:
    stage(
        1,
        BatchStarted(str(folder), "friday", {"waiting": 4}, 1, "local"),
        SongMoved(1, "Blue Harbor", "done", seconds=48.0, loudness_lufs=-14.0),
        SongMoved(2, "Night Tram", "failed", step="mix", cause=FULL, hint="free"),
        SongMoved(3, "Paper Boats on the River at Night", "running", step="convert", fraction=0.5),
        BatchLeft(left, 200.0),
    )
    stage(2, BatchSaid("paused"), BatchLeft(left, 200.0, paused=True))
    stage(3, SongMoved(3, "Paper Boats", "done", seconds=9.0))
    stage(4, BatchSaid("goes on"), BatchLeft({"done": 2, "failed": 1, "waiting": 1}, 60.0))
print("the table")
"""


def test_bars_say_what_is_done_and_go_when_it_pauses_or_is_over(tmp_path):
    with Queue.made(tmp_path / "out") as queue:
        queue.put(Song(number, float(number), str(number), "/song") for number in range(1, 5))
    command = [sys.executable, "-c", STAGES, str(tmp_path / "out")]

    def go(number):
        (tmp_path / "out" / str(number)).touch()

    with Terminal(
        command, columns=80, rows=24, folder=tmp_path, environment={"TERM": "tmux-256color"}
    ) as terminal:
        screen = terminal.wait_for("1 of 4 done, 1 failed, 3:20 left")
        assert screen.splitlines()[:4] == [
            "friday: 4 songs, 1 at once, engine local",
            "   1  Blue Harbor: done in 0:48, -14.0 LUFS",
            "   2  Night Tram: failed at mix: the disk of this machine is full the disk of",
            "      this machine is full the disk of this machine is full (free)",
        ]
        assert "Paper Boats on the Rive…" in screen
        assert "convert  50%" in screen
        go(1)
        screen = terminal.wait_for("note: paused")
        screen = terminal.wait_for(lambda screen: "of 4 done" not in screen)
        assert "convert  50%" in screen  # what runs is finished
        go(2)
        screen = terminal.wait_for(lambda screen: "convert" not in screen)
        assert "━" not in screen
        go(3)
        terminal.wait_for("2 of 4 done, 1 failed, 1:00 left")
        go(4)
        screen = terminal.wait_for("the table")
        assert "━" not in screen
        assert "2 of 4 done" not in screen
        assert [line for line in screen.splitlines() if line][-3:] == [
            "   3  Paper Boats: done in 0:09",
            "note: goes on",
            "the table",
        ]
