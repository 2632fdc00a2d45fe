"""The queue: what was written is there, whoever dies; whoever reads sees a whole."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from covermaker.batch.queue import FILE_NAME, LOCK_NAME, Queue
from covermaker.batch.rows import LONGEST_WAIT_SECONDS, Song, StepTime, Try
from covermaker.batch.schema import SCHEMA
from covermaker.cli.main import run
from covermaker.errors import ExitCode, ProjectError, ResourceError


@pytest.fixture
def queue(tmp_path):
    with Queue.made(tmp_path / "out") as made:
        yield made


def song(number, **more):
    return Song(number, float(number), f"/songs/{number}.wav#1", f"/songs/{number}.wav", **more)


def test_a_row_comes_back_as_it_was_put(queue):
    whole = song(
        1, origin="l.m3u:3", title="Blå", artist="A", seconds=12.5, wishes={"voice": "demo"}, project="/out/bla",
        kept=True, applied={"wishes": {"preset": ["rock", "ab"]}}, state="failed", stage="gauge", step="mix",
        fraction=0.5, running_at="worker 1", tries=2, not_before=9.0, began=1.0, ended=2.0, spent_seconds=1.0,
        was_done=True, cause="no", hint="yes", exit_code=4, result={"files": ["a"]},
    )  # fmt: skip
    queue.put([whole, song(2)])
    assert queue.songs() == [whole, song(2)]
    assert queue.songs("failed") == [whole]
    assert queue.song(2) == song(2)
    assert queue.song(3) is None
    assert queue.counts() == {"failed": 1, "waiting": 1}


def test_a_name_that_is_no_text_comes_back_as_it_is(queue):
    odd = Song(1, 1.0, "/songs/\udcff.wav#1", "/songs/\udcff.wav", title="\udcff", cause="no \udcff")
    queue.put([odd])
    queue.say("no \udcff")
    queue.put_try(Try(1, 1, 0.0, None, "", "failed", "", "no \udcff", 4))
    assert queue.songs() == [odd]
    assert queue.tries(1)[0].cause == "no \udcff"
    assert queue.lines()[0].words == "no ?"


def test_songs_come_in_the_order_of_their_turns(queue):
    queue.put([song(1), song(2), song(3)])
    queue.change(1, turn=2.5)
    assert [one.id for one in queue.songs()] == [2, 1, 3]


def test_a_song_that_is_removed_takes_its_past_along(queue):
    queue.put([song(1), song(2)])
    for number in (1, 2):
        queue.put_try(Try(number, 1, 0.0, None, "", "running", "", "", 0))
        queue.put_step(StepTime(number, "mix", 1.0, kept=False))
    queue.remove([1])
    assert [one.id for one in queue.songs()] == [2]
    assert {one.song for one in queue.tries()} == {one.song for one in queue.steps()} == {2}


def test_a_step_that_is_found_there_keeps_the_time_that_it_took(queue):
    queue.put_step(StepTime(1, "separate", 3.5, kept=False))
    queue.put_step(StepTime(1, "mix", 1.5, kept=False))
    queue.put_step(StepTime(1, "separate", 0.0, kept=True))
    assert queue.steps(1) == [
        StepTime(1, "separate", 3.5, kept=True),
        StepTime(1, "mix", 1.5, kept=False),
    ]


def test_asks_are_taken_once_and_in_order(queue):
    with Queue(queue.folder) as other:
        other.ask("retry", 3)
        other.ask("pause")
    assert [(ask.what, ask.song) for ask in queue.take_asks()] == [("retry", 3), ("pause", None)]
    assert queue.take_asks() == []


def test_the_log_is_read_from_where_one_left_it(queue):
    for words in ("one", "two", "three"):
        queue.say(words, song=1)
    first = queue.lines(last=1)
    assert [line.words for line in first] == ["three"]
    queue.say("four")
    assert [line.words for line in queue.lines(first[0].id)] == ["four"]
    assert [line.words for line in queue.lines()] == ["one", "two", "three", "four"]


def test_several_writes_are_one_or_nothing(queue):
    queue.put([song(1)])

    def half():
        with queue.writing():
            queue.change(1, title="half")
            queue.put([song(2)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert queue.songs() == [song(1)]


def test_who_reads_while_another_writes_sees_the_state_before(queue):
    queue.put([song(1)])
    with Queue(queue.folder) as reader, queue.writing():
        queue.change(1, title="new")
        assert reader.songs() == [song(1)]
        assert reader.counts() == {"waiting": 1}


def test_two_writers_wait_for_each_other(queue):
    queue.put([song(1)])

    def write():
        with Queue(queue.folder) as other:
            for number in range(50):
                other.ask("retry", number)

    thread = threading.Thread(target=write)
    thread.start()
    for number in range(50):
        queue.change(1, tries=number)
    thread.join()
    assert len(queue.take_asks()) == 50
    assert queue.song(1).tries == 49


_WRITER = """
import sys
from pathlib import Path
from covermaker.batch.queue import Queue
from covermaker.batch.rows import Song
with Queue.made(Path(sys.argv[1])) as queue:
    number = 0
    while True:
        number += 1
        with queue.writing():
            queue.put([Song(number, float(number), str(number), "place")])
            queue.say(str(number), song=number)
        print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 40])
def test_what_was_committed_outlives_a_kill(tmp_path, after):
    child = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    )
    with child.stdout:
        told = [int(child.stdout.readline()) for _ in range(after)]
        os.kill(child.pid, signal.SIGKILL)
        told += [int(line) for line in child.stdout if line.endswith("\n")]
    child.wait()
    with Queue(tmp_path / "out") as queue:
        rows = [one.id for one in queue.songs()]
        assert set(told) <= set(rows)
        assert [int(line.words) for line in queue.lines()] == rows  # both writes of a block, or none
        assert not queue.is_worked_on


def test_a_folder_without_a_batch_says_how_to_begin_one(tmp_path):
    with pytest.raises(ProjectError, match="holds no batch") as caught:
        Queue(tmp_path)
    assert "covermaker batch PLAYLIST" in caught.value.hint
    assert not (tmp_path / FILE_NAME).exists()


def test_a_queue_of_a_newer_version_is_refused(queue):
    queue.note(schema=SCHEMA + 1)
    with pytest.raises(ProjectError, match=f"schema {SCHEMA + 1}, ours is {SCHEMA}"):
        Queue(queue.folder)
    with pytest.raises(ProjectError, match="another version"):
        Queue.made(queue.folder)


@pytest.mark.parametrize("content", [b"no database at all" * 99, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ProjectError, match=FILE_NAME) as caught:
        Queue(tmp_path)
    assert caught.value.exit_code == ExitCode.PROJECT
    assert "move it away" in caught.value.hint


def test_a_database_of_something_else_is_told(tmp_path):
    base = sqlite3.connect(tmp_path / FILE_NAME)
    base.execute("create table other (a)")
    base.commit()
    base.close()
    with pytest.raises(ProjectError):
        Queue(tmp_path)


def test_facts_are_json(queue):
    queue.note(options={"voice": "demo", "score": False}, ended=None)
    assert queue.fact("options") == {"voice": "demo", "score": False}
    assert queue.fact("ended", 1.0) is None
    assert queue.fact("nothing", 7) == 7
    assert json.dumps(queue.fact("schema")) == str(SCHEMA)


def test_the_next_song_is_the_first_whose_time_has_come(queue):
    late = 50.0 + LONGEST_WAIT_SECONDS - 1.0
    queue.put([song(1, state="done"), song(2, not_before=late), song(3, not_before=50.0), song(4)])
    assert queue.next_due(49.5).id == 4
    assert queue.next_due(50.0).id == 3
    assert queue.next_due(late).id == 2
    assert queue.next_due(40.0).id == 2  # a clock that was set back
    queue.remove([2, 3, 4])
    assert queue.next_due(50.0) is None


def test_lengths_tell_what_an_estimate_needs(queue):
    queue.put(
        [song(1, seconds=10.0, wishes={"separator": "demucs"}), song(2, state="done", spent_seconds=3.0)]
    )
    one, other = queue.lengths()
    assert (one.state, one.seconds, one.separator) == ("waiting", 10.0, "demucs")
    assert (other.state, other.spent_seconds, other.separator) == ("done", 3.0, None)


@pytest.fixture
def as_nobody():
    """Become somebody who may read what root has made, and write nothing; anybody else is that already."""
    locked, opened = [], []

    def lock(folder):
        for place in (*folder.iterdir(), folder):
            locked.append(place)
            place.chmod(0o555 if place.is_dir() else 0o444)
        if os.geteuid() == 0:
            for above in folder.parents:
                mode = above.stat().st_mode
                if mode & 0o011 != 0o011:  # pytest keeps its folders from others, and our group stays root
                    opened.append((above, mode))
                    above.chmod(mode | 0o055)
            os.seteuid(65534)

    before = os.geteuid()
    yield lock
    os.seteuid(before)
    for place in reversed(locked):
        place.chmod(0o755)
    for above, mode in opened:
        above.chmod(mode)


def test_a_batch_where_nothing_may_be_written_can_be_looked_at(tmp_path, as_nobody, capsys):
    with Queue.made(tmp_path / "out") as queue:
        queue.put([song(1, title="Sea", state="done"), song(2)])
        queue.note(title="friday", state="over")
    (tmp_path / "out" / LOCK_NAME).touch()
    as_nobody(tmp_path / "out")
    with Queue(tmp_path / "out") as queue:
        assert [one.title for one in queue.songs()] == ["Sea", ""]
        assert not queue.is_worked_on
        assert queue.version == queue.version
        with pytest.raises(ResourceError, match="cannot be used") as caught:
            queue.note(title="saturday")
    assert "read-only" in caught.value.hint
    assert run(["batch", "status", str(tmp_path / "out"), "--follow"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "   1  Sea: done" in said
    assert run(["batch", "status", str(tmp_path / "out")]) == ExitCode.OK
    assert "1 of 2 done" in capsys.readouterr().out


def test_somebody_else_sees_what_a_living_batch_writes(tmp_path, as_nobody):
    with Queue.made(tmp_path / "out") as queue:
        queue.put([song(1)])
        queue.change(1, title="Sea")
        as_nobody(tmp_path / "out")
        with Queue(tmp_path / "out") as other:
            assert other.songs() == [song(1, title="Sea")]
