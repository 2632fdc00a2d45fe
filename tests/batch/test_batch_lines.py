"""What a batch tells, as lines: beginnings, steps, quarters, ends, the whole now and then; each thing once."""

import pytest

from covermaker.batch.events import BatchLeft, BatchSaid, BatchStarted, SongMoved
from covermaker.cli.batch_lines import Lines


class Clock:
    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


def moved(state="running", step="", fraction=0.0, number=3, title="Blue Harbor", **more):
    return SongMoved(number, title, state, "worker 1", step, fraction, **more)


def told(lines, *events):
    return [line for event in events for line in lines.of(event)]


def test_a_song_tells_its_beginning_its_steps_and_their_quarters(clock):
    lines = Lines(steps=True, now=clock)
    assert told(
        lines,
        moved(),
        moved(step="separate"),
        moved(step="separate", fraction=0.1),
        moved(step="separate", fraction=0.26),
        moved(step="separate", fraction=0.4),
        moved(step="separate", fraction=0.8),
        moved(step="separate", fraction=1.0),
        moved(step="convert"),
        moved("done", seconds=48.0, loudness_lufs=-14.0),
    ) == [
        "   3  Blue Harbor: begins",
        "   3  Blue Harbor: separate",
        "   3  Blue Harbor: separate 25 %",
        "   3  Blue Harbor: separate 75 %",
        "   3  Blue Harbor: convert",
        "   3  Blue Harbor: done in 0:48, -14.0 LUFS",
    ]


def test_one_that_is_tried_again_begins_again(clock):
    lines = Lines(steps=True, now=clock)
    assert told(lines, moved(step="mix"), moved("waiting"), moved(step="mix")) == [
        "   3  Blue Harbor: mix",
        "   3  Blue Harbor: mix",
    ]


def test_in_a_log_only_ends_are_told(clock):
    lines = Lines(steps=False, now=clock)
    clock.seconds += 1000.0
    left = BatchLeft({"done": 1}, 5.0)
    assert told(lines, moved(), moved(step="mix", fraction=0.5), left, moved("done", was_done=True)) == [
        "   3  Blue Harbor: was done already"
    ]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (moved("failed", "export", cause="no space", hint="free some"), "failed at export: no space (free some)"),
        (moved("failed", "prepare", cause="no voice"), "failed: no voice"),
        (moved("failed", cause="there is no file"), "failed: there is no file"),
        (moved("cancelled", cause="cancelled"), "cancelled"),
        (moved("cancelled", "score", cause="cancelled at score: x"), "cancelled at score: x"),
        (moved("done"), "done"),
    ],
)  # fmt: skip
def test_how_a_song_ends(event, words):
    assert Lines(steps=False).of(event) == [f"   3  Blue Harbor: {words}"]


def test_notes_say_of_which_song_they_are(clock):
    lines = Lines(steps=True, now=clock)
    said = BatchSaid("failed at mix: no luck; again in 2 s", 3)
    assert told(lines, said, moved(), said, BatchSaid("goes on")) == [
        "   3  note: failed at mix: no luck; again in 2 s",
        "   3  Blue Harbor: begins",
        "   3  Blue Harbor: note: failed at mix: no luck; again in 2 s",
        "note: goes on",
    ]


def test_now_and_then_it_is_said_how_far_all_is(clock):
    lines = Lines(steps=True, now=clock)
    left = BatchLeft({"done": 3, "failed": 1, "running": 2, "waiting": 5}, 200.0)
    whole = "      3 of 11 done, 1 failed, 2 running, 5 waiting"
    assert told(lines, left) == []
    clock.seconds += 31.0
    assert told(lines, left, left) == [f"{whole}, about 3:20 left"]
    clock.seconds += 31.0
    assert told(lines, left) == [f"{whole}, about 3:20 left"]
    paused = BatchLeft(left.counts, 200.0, paused=True)
    clock.seconds += 31.0
    assert told(lines, paused) == [f"{whole}, paused"]
    clock.seconds += 3100.0
    assert told(lines, paused) == []  # nothing has changed


def test_the_first_line_says_what_begins():
    started = BatchStarted("/out", "friday\x1b", {"waiting": 3, "failed": 1}, 2, "local")
    assert Lines(steps=False).of(started) == ["friday\ufffd: 4 songs, 2 at once, engine local"]
    assert Lines(steps=False).of(BatchStarted("/out", "", {"waiting": 1}, 1, "ray")) == [
        "/out: 1 song, 1 at once, engine ray"
    ]
