"""``covermaker batch status``: what is true now, once or followed, whoever works on the batch or died."""

import json
from contextlib import contextmanager
from functools import partial

import pytest

from covermaker.batch.holding import working_on
from covermaker.batch.options import Options
from covermaker.batch.queue import Queue
from covermaker.batch.rows import Song
from covermaker.cli import batch_following
from covermaker.cli.batch_lines import Lines
from covermaker.cli.main import run
from covermaker.errors import ExitCode


def batch(*more):
    return run(["batch", *map(str, more)])


def song(number, title, **columns):
    return Song(number, float(number), f"{number}", f"/songs/{number}.wav", title=title, **columns)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """A batch with a song in each state, in the working folder."""
    monkeypatch.chdir(tmp_path)
    with Queue.made(tmp_path / "my out") as made:
        made.put(
            [
                song(1, "Blue", state="done", spent_seconds=48.0, result={"loudness_lufs": -14.0}),
                song(2, "Night", state="running", step="convert", fraction=0.3, tries=1),
                song(3, "Paper", state="failed", step="mix", cause="no luck", hint="look"),
                song(4, "Quiet"),
            ]
        )
        made.note(title="friday", options=Options().to_json(), seconds_left=200.0, state="running")
        yield made


@contextmanager
def worked_on(queue, state="running"):
    with working_on(queue):
        queue.note(state=state)
        yield


def out(capsys):
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("new", "it begins"),
        ("over", "it begins"),  # of the run before
        ("running", "about 3:20 left"),
        ("paused", "paused; go on with: covermaker batch go-on 'my out'"),
        ("stopping", "it stops: what runs waits for the next time"),
    ],
)
def test_the_state_is_said_and_which_batch_it_is(queue, capsys, state, words):
    with worked_on(queue, state):
        assert batch("status", "my out") == ExitCode.OK
        lines = out(capsys).splitlines()
        assert lines[0] == "friday, in my out"
        assert lines[-2:] == ["1 of 4 done, 1 failed, 1 running, 1 waiting", words]
        assert batch("status", "my out", "--json") == ExitCode.OK
        said = json.loads(out(capsys))
        assert (said["state"], said["worked_on"]) == ("new" if state == "over" else state, True)


def test_of_a_batch_that_was_killed_nothing_runs(queue, capsys):
    assert batch("status", "my out") == ExitCode.OK
    text = out(capsys)
    assert "interrupted" in next(line for line in text.splitlines() if "Night" in line)
    assert "1 of 4 done, 1 failed, 1 interrupted, 1 waiting" in text
    assert text.splitlines()[-1] == "nobody works on it; go on with: covermaker batch resume 'my out'"
    batch("status", "my out", "--json")
    said = json.loads(out(capsys))
    assert (said["state"], said["counts"]) == ("stopped", {"done": 1, "failed": 1, "waiting": 2})
    assert [one["state"] for one in said["songs"]] == ["done", "waiting", "failed", "waiting"]
    for number in (2, 4):
        queue.change(number, state="cancelled")
    batch("status", "my out", "--json")
    assert json.loads(out(capsys))["state"] == "over"
    batch("status", "my out")
    assert "nobody works" not in out(capsys)


def test_only_those_that_failed(queue, capsys):
    assert batch("status", "my out", "--failed") == ExitCode.OK
    text = out(capsys)
    assert ("Paper" in text, "Blue" in text, "1 of 4 done, 1 failed" in text) == (True, False, True)
    assert batch("status", "my out", "--failed", "--json") == ExitCode.OK
    assert [one["title"] for one in json.loads(out(capsys))["songs"]] == ["Paper"]


@pytest.fixture
def following(queue, monkeypatch):
    """Follow a batch: each look is preceded by what a function does with the queue; then nobody works on it."""

    def follow(*deeds, state="running", more=()):
        looks = []

        def step(seconds):
            looks.append(seconds)
            if len(looks) <= len(deeds):
                with Queue(queue.folder) as other:
                    deeds[len(looks) - 1](other)

        monkeypatch.setattr(batch_following.time, "sleep", step)
        monkeypatch.setattr(Queue, "is_worked_on", property(lambda queue: len(looks) <= len(deeds)))
        queue.note(state=state)
        return batch("status", "my out", "--follow", *more)

    return follow


def test_what_is_followed_tells_steps_notes_and_ends(queue, following, capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(batch_following, "Lines", partial(Lines, now=lambda: clock[0]))

    def later(queue):
        clock[0] += 40.0
        queue.change(2, fraction=0.6)
        queue.say("the voice is silent", song=2)

    def fails(queue):
        queue.change(2, state="failed", step="mix", cause="no luck", hint=None)
        queue.say("failed at mix: no luck", song=2)
        queue.change(4, state="running", step="decode")
        queue.say("a word")

    def ends(queue):
        queue.change(4, state="done", spent_seconds=31.0, result={"loudness_lufs": -13.9})
        queue.note(began=100.0, ended=190.0)

    assert following(later, fails, ends) == ExitCode.BATCH_PARTLY_FAILED
    assert out(capsys).splitlines() == [
        "friday, in my out: 4 songs",
        "   1  Blue: done in 0:48, -14.0 LUFS",
        "   2  Night: convert 25 %",
        "   3  Paper: failed at mix: no luck (look)",
        "   2  Night: note: the voice is silent",
        "   2  Night: convert 50 %",
        "      1 of 4 done, 1 failed, 1 running, 1 waiting, about 3:20 left",
        "note: a word",
        "   2  Night: failed at mix: no luck",
        "   4  Quiet: decode",
        "   4  Quiet: done in 0:31, -13.9 LUFS",
        "2 of 4 done in 1:30, 2 failed",
    ]


def test_what_is_paused_or_stopped_is_said(following, capsys):
    assert following(lambda queue: None, state="paused") == ExitCode.BATCH_PARTLY_FAILED
    lines = out(capsys).splitlines()
    assert lines[0] == "friday, in my out: 4 songs, paused"
    assert lines[-2:] == [
        "1 of 4 done, 1 failed, 2 waiting",
        "nobody works on it; go on with: covermaker batch resume 'my out'",
    ]


def test_lines_are_broken_between_words(queue, following, capsys, monkeypatch):
    monkeypatch.setattr(batch_following, "terminal_width", lambda: 40)
    queue.change(3, cause="the file cannot be read as audio, for it ends too early")
    following()
    lines = out(capsys).splitlines()
    assert max(map(len, lines)) <= 66  # the last one names a command, which is not broken
    at = next(index for index, line in enumerate(lines) if "Paper" in line)
    assert lines[at : at + 3] == [
        "   3  Paper: failed at mix: the file",
        "      cannot be read as audio, for it",
        "      ends too early (look)",
    ]


def test_it_reads_again_only_what_changed(queue, following, capsys, monkeypatch):
    asked = []
    moved = Queue.moved
    monkeypatch.setattr(Queue, "songs", None)
    monkeypatch.setattr(
        Queue, "moved", lambda queue, at, most: asked.append(at) or moved(queue, at, most=most)
    )
    following(lambda queue: None, lambda queue: queue.change(4, state="cancelled", cause="cancelled"))
    assert out(capsys).count("Quiet: cancelled") == 1
    assert len(asked) == 2
    assert asked[1] > asked[0] == 0


def test_of_many_that_are_over_only_those_that_failed_are_told(queue, following, capsys):
    queue.put(song(number, f"Song {number}", state="done") for number in range(10, 90))
    following()
    text = out(capsys)
    assert "friday, in my out: 84 songs" in text
    assert ("Paper: failed" in text, "Song " in text, "Blue" in text) == (True, False, False)


def test_ctrl_c_ends_it_without_a_word(queue, capsys, monkeypatch):
    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(batch_following.time, "sleep", interrupt)
    with worked_on(queue):
        assert batch("status", "my out", "--follow") == ExitCode.INTERRUPTED
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines()[-1].startswith("   3  Paper")


def test_json_lines_are_the_events_of_the_batch(queue, following, capsys):
    following(lambda queue: queue.change(2, fraction=0.6), more=["--json"])
    events = [json.loads(line) for line in out(capsys).splitlines()]
    assert [event["event"] for event in events] == ["batch.song"] * 4 + ["batch.over"]
    assert events[0]["loudness_lufs"] == -14.0
    assert (events[3]["fraction"], events[4]["stopped"]) == (0.6, True)
