"""The audio process, spoken to over its pipes; the device is a file, which holds what would be heard."""

import itertools
import json
import subprocess
import sys
import time

import counting
import numpy as np
import psutil
import pytest

from covermaker.audio.files import read
from covermaker.play.messages import Device, Ended, Gap, Loaded, Position, Problem, from_json


class Child:
    """The process and what it has said."""

    def __init__(self, device, *, fps=60):
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "covermaker.play.child", "--device", device, "--fps", str(fps)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.said = []

    def say(self, command, **arguments):
        self.process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
        self.process.stdin.flush()

    def until(self, kind, test=lambda message: True):
        for line in self.process.stdout:
            self.said.append(from_json(line))
            if isinstance(self.said[-1], kind) and test(self.said[-1]):
                return self.said[-1]
        pytest.fail(f"the process ended without {kind.__name__}")

    def heard(self, seconds):
        """Wait until the position is past a time."""
        return self.until(Position, lambda message: message.seconds >= seconds)

    def leave(self):
        out, _ = self.process.communicate(json.dumps({"command": "quit"}) + "\n", timeout=10)
        self.said += [from_json(line) for line in out.splitlines()]
        assert self.process.returncode == 0
        return self.said


@pytest.fixture
def start():
    """Start audio processes; they end with the test."""
    made = []

    def make(device, *, fps=60):
        made.append(Child(device, fps=fps))
        return made[-1]

    yield make
    for child in made:
        child.process.kill()
        child.process.wait()
        child.process.stdout.close()
        if not child.process.stdin.closed:
            child.process.stdin.close()


@pytest.fixture
def child(start, tmp_path):
    """Start one whose device is a file."""
    return start(f"file:{tmp_path / 'heard.wav'}")


def heard(tmp_path):
    sound = read(tmp_path / "heard.wav").samples
    return *counting.frames_of(sound), counting.is_pure(sound)


def runs(frames, sides, pure):
    """Cut what was heard into stretches of consecutive frames of one side, leaving out fades."""
    breaks = np.flatnonzero((np.diff(frames) != 1) | (sides[1:] != sides[:-1]) | (pure[1:] != pure[:-1])) + 1
    stretches = zip([0, *breaks], [*breaks, len(frames)], strict=True)
    return [
        (str(sides[begin]), int(frames[begin]), int(frames[end - 1]) + 1, int(begin))
        for begin, end in stretches
        if pure[begin] and end - begin > 1
    ]


def test_ab_is_gapless_at_the_sample(child, tmp_path, tapes):
    child.say("load", a=str(tapes[0]), b=str(tapes[1]))
    child.say("play")
    child.heard(0.3)
    child.say("switch", to="b")
    child.heard(0.6)
    child.say("switch", to="a")
    child.heard(0.8)
    said = child.leave()
    stretches = runs(*heard(tmp_path))
    assert [side for side, *_ in stretches] == ["a", "b", "a"]
    # Each stretch begins in the file at the sample that it has in the song: no frame is lost, repeated or late.
    assert all(begin == at for _, begin, _, at in stretches)
    fade = round(0.005 * counting.RATE)
    assert all(
        before[2] + fade - 1 <= after[1] <= before[2] + fade
        for before, after in itertools.pairwise(stretches)
    )
    assert not [message for message in said if isinstance(message, (Gap, Problem))]


def test_loop_points_are_exact(child, tmp_path, tapes):
    child.say("load", a=str(tapes[0]), start_seconds=0.5, loop=[0.5, 0.7])
    child.say("play")
    for _ in range(3):
        child.until(Position, lambda message: message.seconds > 0.6)
        child.until(Position, lambda message: message.seconds < 0.6)
    child.leave()
    first, *rest, _last = runs(*heard(tmp_path))
    assert first[2] == round(0.7 * counting.RATE)
    assert len(rest) >= 2
    for _side, begin, end, _at in rest:
        assert (begin, end) == (22_050, 30_870)


def test_a_loop_set_while_playing_has_no_gap_and_a_seek_lands_on_its_frame(child, tmp_path, tapes):
    child.say("load", a=str(tapes[0]))
    child.say("play")
    child.heard(0.2)
    child.say("loop", loop=[0.1, 0.5])
    child.until(Position, lambda message: message.seconds > 0.4)
    child.until(Position, lambda message: message.seconds < 0.4)
    child.say("loop", loop=None)
    child.say("seek", seconds=2.5)
    child.heard(2.7)
    said = child.leave()
    one, two, three = runs(*heard(tmp_path))
    assert one[1:3] == (0, 22_050)
    assert two[1] == 4410
    fade = round(0.005 * counting.RATE)
    assert three[1] in (110_250 + fade - 1, 110_250 + fade)
    assert not [message for message in said if isinstance(message, (Gap, Problem))]


def test_other_files_at_another_rate_follow_while_playing_without_a_gap(child, tmp_path, tapes):
    other = counting.write(tmp_path / "other.wav", np.full((2, 3 * 48_000), 0.5, np.float32), 48_000)
    child.say("load", a=str(tapes[0]))
    child.say("play")
    child.heard(0.2)
    child.say("load", a=str(other))
    loaded = child.until(Loaded)
    child.heard(child.until(Position).seconds + 0.4)
    said = child.leave()
    assert loaded.sample_rate == counting.RATE
    sound = read(tmp_path / "heard.wav").samples
    (first, *_) = runs(*counting.frames_of(sound), counting.is_pure(sound))
    after = sound[0, first[2] + round(0.005 * counting.RATE) :]
    assert first[1] == 0
    assert len(after) > 2000
    assert np.allclose(after, 0.5, atol=1e-4)
    assert not [message for message in said if isinstance(message, (Gap, Problem))]


def test_the_device_none_plays_in_real_time_and_ends(start, tapes):
    child = start("none")
    child.say("load", a=str(tapes[0]), start_seconds=2.2)
    began = time.monotonic()
    child.say("play")
    child.until(Ended)
    took = time.monotonic() - began
    assert child.said[-2].seconds == 3.0
    assert not child.said[-2].playing
    # The clock, not the machine, sets the pace: never early; how late it is read depends on the machine.
    assert took > 0.75
    child.say("play")
    again = child.until(Position, lambda message: message.playing)
    assert again.seconds < 0.5
    child.leave()


def test_what_is_wrong_is_said_and_the_process_goes_on(child, tapes):
    child.say("load", a="/nowhere/song.wav")
    problem = child.until(Problem)
    assert "/nowhere/song.wav" in problem.message
    assert problem.a == "/nowhere/song.wav"
    child.say("play")
    problem = child.until(Problem)
    assert (problem.message, problem.a) == ("there is nothing to play", None)
    child.say("pley")
    assert child.until(Problem).hint == "did you mean 'play'?"
    child.say("seek", seconds="soon")
    assert "'seek' was not understood" in child.until(Problem).message
    child.process.stdin.write("[1]\n")
    child.process.stdin.flush()
    assert "object of JSON" in child.until(Problem).message
    child.say("load", a=str(tapes[0]))
    assert child.until(Loaded).seconds == 3.0
    child.say("device", name="no such card")
    device = child.until(Device)
    assert device.name is None
    assert device.words.startswith("there is no audio device")
    child.leave()


def test_it_leaves_with_its_parent_and_finishes_the_file(child, tmp_path, tapes):
    child.say("load", a=str(tapes[0]))
    child.say("play")
    child.heard(0.1)
    child.process.stdin.close()
    assert child.process.wait(5) == 0
    assert read(tmp_path / "heard.wav").frames > 4000


def test_it_costs_little_and_loads_no_torch(start, tapes):
    child = start("none", fps=15)
    child.say("load", a=str(tapes[0]), b=str(tapes[1]))
    child.say("play")
    child.heard(0.3)
    process = psutil.Process(child.process.pid)
    before = process.cpu_times()
    child.heard(1.3)
    after = process.cpu_times()
    used = (after.user + after.system) - (before.user + before.system)
    files = {mapped.path for mapped in process.memory_maps()}
    child.leave()
    assert used < 0.25  # of a second that plays
    assert not [path for path in files if "torch" in path]
