"""Batches that render: real songs, real workers, killed and gone on with. Slow."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from covermaker.audio.files import read
from covermaker.audio.loudness import MOMENTARY_HOPS, LoudnessMeter, gated_lufs
from covermaker.batch.queue import Queue
from covermaker.voices.library import find_voice

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "projects" / "demo" / "audio" / "song.flac"
COMMAND = [sys.executable, "-m", "covermaker"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with three stretches of the demo song, one of them quiet, and a list with two broken entries."""
    folder = tmp_path_factory.mktemp("real")
    demo = read(DEMO)
    for name, begin, gain in (("one", 4.8, 1.0), ("two", 9.6, 0.3), ("three", 16.0, 1.0)):
        start = int(begin * demo.sample_rate)
        cut = gain * demo.samples[:, start : start + 4 * demo.sample_rate]
        soundfile.write(folder / f"{name}.flac", cut.T, demo.sample_rate, subtype="PCM_24")
    (folder / "text.wav").write_text("no audio")
    (folder / "list.m3u8").write_text("one.flac\ngone.flac\ntwo.flac\ntext.wav\nthree.flac\n")
    return folder


def start(place, out, *more, store=None):
    arguments = ["batch", "list.m3u8", "--out", out, "--store", store or f"{out} store", "--no-score", *more]
    return subprocess.Popen(
        [*COMMAND, *arguments, "--json"], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip


def through(place, out, *more, store=None, code=7):
    """Run a batch to its end; returns its events."""
    child = start(place, out, *more, store=store)
    said, _ = child.communicate(timeout=300)
    assert child.returncode == code, said
    return [json.loads(line) for line in said.splitlines()]


def covers(folder):
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("*/out/*"))
        if file.suffix != ".json"
    }


def steps_of(events):
    """Tell the kinds of steps that were begun."""
    moves = [event for event in events if event["event"] == "batch.song" and event["state"] == "running"]
    return {event["step"].partition(":")[0] for event in moves if event["step"]}


@pytest.fixture(scope="module")
def calm(place):
    """The batch, undisturbed."""
    return through(place, "calm"), covers(place / "calm")


def test_what_can_be_made_is_and_the_rest_has_a_cause(place, calm):
    events, made = calm
    assert events[-1]["counts"] == {"done": 3, "failed": 2}
    assert len(made) == 3
    with Queue(place / "calm") as queue:
        causes = {song.name: song.cause for song in queue.songs("failed")}
    assert "there is no file" in causes["gone"]
    assert "text.wav" in causes["text"]


def test_its_files_are_those_of_single_renders(place, calm):
    _, made = calm
    for name in ("one", "two", "three"):
        for command in (["new", f"{name}.flac", "--folder"], ["render", "--store", "single store"]):
            subprocess.run([*COMMAND, *command, f"single/{name}"], cwd=place, check=True, capture_output=True)
    assert covers(place / "single") == made


def test_run_again_it_does_nothing_and_with_another_preset_only_racks_and_what_follows(place, calm):
    assert steps_of(through(place, "calm")) == set()
    assert steps_of(through(place, "calm", "--preset", "telephone")) == {"rack", "mix", "master", "export"}
    assert steps_of(through(place, "calm")) == set()


def tree(process):
    found = [process]
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            for child in Path(f"/proc/{process}/task/{thread}/children").read_text().split():
                found += tree(int(child))
    except OSError:
        pass
    return found


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes in /proc")
def test_killed_at_any_moment_it_goes_on_to_the_same_files(place, calm):
    _, made = calm
    draws = random.Random(5)
    begun, kills = Begun(), 0
    for what in ("worker", "all", "coordinator", "worker", "all"):
        child = start(place, "killed", "--retries", "9")
        lines = []
        for line in child.stdout:
            lines.append(line)
            if '"step": "' in line:  # the first step of a song is begun
                break
        reader = threading.Thread(target=lambda to=lines, said=child.stdout: to.extend(said))
        reader.start()
        time.sleep(draws.uniform(0.0, 3.0))
        processes = tree(child.pid)
        for victim in {"worker": processes[1:2], "coordinator": processes[:1], "all": processes}[what]:
            try:
                os.kill(victim, signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                continue
        if what == "worker":
            time.sleep(1.0)
            child.send_signal(signal.SIGINT)
        child.wait(timeout=60)
        reader.join(timeout=60)
        child.stdout.close()
        begun.hear(lines)
    begun.hear(map(json.dumps, through(place, "killed", "--retries", "9")))
    assert kills >= 5
    assert begun.twice == []
    assert len(begun.steps) >= 3 * 8
    assert covers(place / "killed") == made
    assert list((place / "killed store" / "tmp").iterdir()) == []


class Begun:
    """The steps that were begun, song by song, over several runs; `twice` lists those that need not have been.

    A step may be begun again only while it is the last that was begun of its song: it was in flight when something
    was killed.
    """

    def __init__(self):
        self.steps, self.twice, self._last = set(), [], {}

    def hear(self, lines):
        for line in lines:
            event = json.loads(line)
            if event["event"] != "batch.song" or event["state"] != "running" or event["fraction"]:
                continue
            step = (event["number"], event["step"])
            if not step[1]:
                continue
            if step in self.steps and self._last[step[0]] != step[1]:
                self.twice.append(step)
            self.steps.add(step)
            self._last[step[0]] = step[1]


def test_a_step_is_in_flight_only_while_it_is_the_last_of_its_song():
    def moves(*steps):
        return [
            json.dumps(
                {"event": "batch.song", "state": "running", "number": song, "step": step, "fraction": 0.0}
            )
            for song, step in steps
        ]

    begun = Begun()
    begun.hear(moves((1, "decode"), (1, "separate"), (2, "decode")))
    begun.hear(moves((1, "separate"), (1, "content"), (2, "decode")))
    assert begun.twice == []
    begun.hear(moves((1, "separate")))
    assert begun.twice == [(1, "separate")]


def test_interrupted_it_leaves_nothing_half_made(place):
    child = start(place, "stopped")
    while '"step": "' not in child.stdout.readline():
        pass
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 130
    with Queue(place / "stopped") as queue:
        assert queue.counts()["waiting"] >= 2
        assert not queue.songs("running")
        assert not queue.is_worked_on


def test_an_album_keeps_its_relation_and_reaches_its_loudness(place):
    through(place, "album", "--album", "--loudness", "-16", store="calm store")
    levels, energies = {}, []
    with Queue(place / "album") as queue:
        for song in queue.songs("done"):
            levels[song.name] = song.result["loudness_lufs"]
            meter = LoudnessMeter(2, 44_100)
            meter.push(read(Path(song.result["files"][0])).samples)
            energies.append(meter.energies(MOMENTARY_HOPS))
    assert gated_lufs(np.concatenate(energies)) == pytest.approx(-16.0, abs=0.1)
    assert levels["one"] - levels["two"] == pytest.approx(10.5, abs=1.5)  # as they were recorded
    assert steps_of(through(place, "album", "--album", "--loudness", "-16", store="calm store")) == set()


def test_a_voice_that_is_taken_away_meanwhile_is_the_cause_of_what_fails(place, tmp_path, monkeypatch):
    ghost = tmp_path / "voices" / "ghost"
    shutil.copytree(find_voice("demo").folder, ghost)
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "voices"))
    child = start(place, "haunted", "--voice", "ghost", "--workers", "1", store="calm store")
    while '"state": "done"' not in child.stdout.readline():
        pass
    shutil.rmtree(ghost)
    child.communicate(timeout=120)
    assert child.returncode == 7
    with Queue(place / "haunted") as queue:
        assert [song.name for song in queue.songs("done")] == ["one"]
        causes = [song.cause for song in queue.songs("failed") if song.name in {"two", "three"}]
    assert len(causes) == 2
    assert all("ghost" in cause for cause in causes)
