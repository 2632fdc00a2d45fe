"""Reading the queue of a batch in a thread: what changed and nothing else, whoever works on it, whatever befalls it."""

import time

import pytest
from batch_stage import Ear, batch, song, worked_on

from covermaker.batch.asking import leave_ask
from covermaker.batch.queue import FILE_NAME, Queue
from covermaker.batch.rows import StepTime, Try
from covermaker.errors import CovermakerError
from covermaker.tui import batch_watch
from covermaker.tui.batch_state import BatchState, Reading
from covermaker.tui.batch_watch import MOST_SONGS, Answer, Watch


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Look often."""
    monkeypatch.setattr(batch_watch, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(batch_watch, "_LOCK_SECONDS", 0.0)


@pytest.fixture
def watching():
    """Watch folders; what they tell is collected. The threads end with the test."""
    ears = []

    def began(folder):
        ear = Ear()
        ear.watch = Watch(folder, ear.wake)
        ears.append(ear)
        return ear

    yield began
    for ear in ears:
        ear.watch.close()
        ear.watch._thread.join(10.0)
        assert not ear.watch._thread.is_alive()


def readings(heard):
    return [one for one in heard if isinstance(one, Reading)]


def numbers(heard):
    return [one.id for reading in readings(heard) for one in reading.songs]


def test_what_another_process_writes_is_told_and_nothing_else(tmp_path, watching):
    with batch(tmp_path / "out", [song(1), song(2), song(3)]) as queue:
        ear = watching(queue.folder)
        ear.until(lambda heard: numbers(heard) == [1, 2, 3])
        first = readings(ear.all)[0]
        assert first.is_first
        assert first.facts["title"] == "spring covers"
        queue.change(2, state="running", step="convert", fraction=0.5)
        ear.until(lambda heard: numbers(heard) == [1, 2, 3, 2])
        last = readings(ear.all)[-1]
        assert (last.songs[0].step, last.is_first) == ("convert", False)
        queue.remove([3])
        ear.until(lambda heard: readings(heard)[-1].gone == (3,))
        queue.say("goes on", song=2, running_at="worker 1")
        ear.until(lambda heard: readings(heard)[-1].lines)
        queue.say("and on")
        ear.until(lambda heard: [line.words for line in readings(heard)[-1].lines] == ["and on"])


def test_of_ten_thousand_songs_only_those_that_changed_are_read_again(tmp_path, watching, monkeypatch):
    looks, reads = [], []
    version, moved = Queue.version, Queue.moved

    def looked(queue):
        looks.append(queue)
        return version.fget(queue)

    def read(queue, after, *, most):
        found = moved(queue, after, most=most)
        reads.append(len(found.songs))
        return found

    monkeypatch.setattr(Queue, "version", property(looked))
    monkeypatch.setattr(Queue, "moved", read)
    with batch(tmp_path / "out", [song(number) for number in range(1, 10_001)]) as queue:
        ear = watching(queue.folder)
        ear.until(lambda heard: len(numbers(heard)) == 10_000)
        ear.until(lambda heard: not readings(heard)[-1].more)
        assert max(reads) == MOST_SONGS
        assert numbers(ear.all) == list(range(1, 10_001))
        reads.clear()
        before = len(looks)
        ear.until(lambda heard: len(looks) > before + 5)
        assert reads == []  # nothing was written: no row is read
        for number in (7, 9_000):
            queue.change(number, fraction=0.5)
        ear.until(lambda heard: sum(reads) >= 2)
        assert sum(reads) == 2
        state = BatchState(queue.folder)
        for reading in readings(ear.all):
            state.take(reading)
        assert state.order == list(range(1, 10_001))
        assert (state.counts["waiting"], state.is_read) == (10_000, True)


def test_who_works_on_it_is_told_by_the_heart_or_by_the_lock(tmp_path, watching, monkeypatch):
    with batch(tmp_path / "out", [song(1)]) as queue:
        ear = watching(queue.folder)
        ear.until(lambda heard: readings(heard))
        assert not readings(ear.all)[-1].worked_on
        with worked_on(queue):
            ear.until(lambda heard: readings(heard)[-1].worked_on)
            # It beats no more, as while a long list is being prepared, and holds its lock.
            queue.note(heartbeat=time.time() - 60.0)
            ear.until(lambda heard: readings(heard)[-1].facts["heartbeat"] < time.time() - 30.0)
            assert readings(ear.all)[-1].worked_on
        ear.until(lambda heard: not readings(heard)[-1].worked_on)
        assert (
            readings(ear.all)[-1].facts["state"] == "running"
        )  # it was killed: nobody could write that it ended


def test_the_selected_song_is_read_closely(tmp_path, watching):
    with batch(tmp_path / "out", [song(1), song(2)]) as queue:
        (queue.folder / "logs").mkdir()
        (queue.folder / "logs" / "worker-1.log").write_text("", encoding="utf-8")
        queue.put_try(Try(2, 1, 1.0, 2.0, "worker 1", "failed", "export", "no space", 6))
        queue.put_step(StepTime(2, "decode", 0.5, kept=False))
        ear = watching(queue.folder)
        ear.watch.look_at(2)
        ear.until(lambda heard: readings(heard) and readings(heard)[-1].close)
        close = readings(ear.all)[-1].close
        assert [one.cause for one in close.tries] == ["no space"]
        assert [one.name for one in close.steps] == ["decode"]
        assert close.log == str(queue.folder / "logs" / "worker-1.log")
        queue.put_step(StepTime(2, "separate", 9.0, kept=False))
        ear.until(lambda heard: len(readings(heard)[-1].close.steps) == 2)


def test_deeds_are_done_in_the_thread_and_answered(tmp_path, watching):
    with batch(tmp_path / "out", [song(1, "failed")]) as queue:
        ear = watching(queue.folder)

        def retried(mine):
            assert mine is not queue
            leave_ask(mine, "retry", [1])
            return Answer("tried again")

        ear.watch.do(retried)
        ear.until(lambda heard: Answer("tried again") in heard and 1 in numbers(heard))
        ear.until(lambda heard: readings(heard)[-1].songs and readings(heard)[-1].songs[0].state == "waiting")
        ear.watch.do(lambda mine: leave_ask(mine, "pause"))
        ear.until(lambda heard: any(isinstance(one, Answer) and "nobody works" in one.words for one in heard))


def test_a_queue_that_is_damaged_is_told_once_and_read_again_when_it_is_whole(tmp_path, watching):
    queue = batch(tmp_path / "out", [song(1)])
    ear = watching(queue.folder)
    ear.until(readings)
    queue._base.execute("pragma wal_checkpoint(truncate)")
    queue.close()
    whole = queue.file.read_bytes()
    for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
        (queue.folder / name).unlink(missing_ok=True)
    ear.until(lambda heard: isinstance(heard[-1], CovermakerError))
    assert "holds no batch" in str(ear.all[-1])
    queue.file.write_bytes(b"this is no database" * 300)
    ear.until(lambda heard: "is damaged or no queue" in str(heard[-1]))
    ear.watch.do(lambda mine: Answer("done"))
    ear.until(lambda heard: isinstance(heard[-1], Answer))
    assert ear.all[-1].tone == "failed"
    assert "move it away" in ear.all[-1].words
    assert sum(isinstance(one, CovermakerError) for one in ear.all) == 2
    other = tmp_path / "mended"
    other.write_bytes(whole)
    other.replace(queue.file)
    ear.until(lambda heard: isinstance(heard[-1], Reading))
    assert readings(ear.all)[-1].is_first
    assert numbers(ear.all) == [1, 1]


def test_rows_that_nobody_can_read_are_told_too(tmp_path, watching):
    with batch(tmp_path / "out", [song(1)]) as queue:
        with queue.writing():
            queue._base.execute("update songs set wishes = 'no json'")
        ear = watching(queue.folder)
        ear.until(lambda heard: heard and isinstance(heard[-1], CovermakerError))
        assert "is damaged" in str(ear.all[-1])


def test_nobody_looks_and_nothing_runs_so_nothing_is_read(tmp_path, watching):
    with batch(tmp_path / "out", [song(1)]) as queue:
        ear = watching(queue.folder)
        ear.until(readings)
        ear.watch.attend(False)
        ear.watch.do(lambda mine: Answer("it has heard that"))  # from here on it waits
        ear.until(lambda heard: any(isinstance(one, Answer) for one in heard))
        ear.until(lambda heard: isinstance(heard[-1], Reading))
        before = len(readings(ear.all))
        queue.change(1, state="done")
        ear.watch.attend(True)
        ear.until(lambda heard: readings(heard)[-1].songs)
        assert len(readings(ear.all)) == before + 1
        assert readings(ear.all)[-1].songs[0].state == "done"
