"""The local engine: workers are used again, die, are cancelled, and always somebody tells of a song's end.

The workers here are small programs that speak as `covermaker.jobs.child` does and render nothing;
`test_batch_command` has real ones.
"""

import sys
import time

import pytest

from covermaker.batch.engines import ENGINES, local
from covermaker.batch.engines.base import Setting, Sized, Task
from covermaker.batch.estimate import WORKER_BYTES
from covermaker.errors import ExitCode
from covermaker.graph.events import SongDone, SongFailed, StepStarted

WORKER = """
import json, os, signal, sys, time
begun = json.loads(sys.stdin.readline())
def tell(**said):
    print(json.dumps(said), flush=True)
for line in sys.stdin:
    said = json.loads(line)
    song = said["song"]
    if said.get("cancel"):
        continue
    what = said["request"].get("do", "make")
    tell(event="step.started", name="mix", key="k")
    if what == "make":
        facts = {"process": os.getpid(), **begun, "cores": os.environ["COVERMAKER_CORES"]}
        tell(event="song.done", song=song, result=facts)
    elif what == "fail":
        tell(event="song.failed", song=song, message="no", hint="yes", exit_code=4, out_of_memory=False)
    elif what == "die":
        os.kill(os.getpid(), getattr(signal, said["request"]["signal"]))
    elif what == "leave":
        sys.exit(3)
    elif what == "hang":
        if said["request"].get("obey"):
            assert json.loads(sys.stdin.readline())["cancel"]
            tell(event="song.failed", song=song, message="cancelled", hint=None, exit_code=130, out_of_memory=False)
        else:
            time.sleep(60)
"""

MUCH = 100 * WORKER_BYTES


@pytest.fixture
def start(tmp_path, monkeypatch):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    monkeypatch.setattr(local, "COMMAND", (sys.executable, str(script)))
    engines = []

    def started(workers=1, memory_bytes=MUCH, cores=4):
        engine = ENGINES.load("local")(Setting(tmp_path / "out", Sized(workers, cores, memory_bytes)))
        engine.open()
        engines.append(engine)
        return engine

    yield started
    for engine in engines:
        engine.close()
        assert engine.places()[0].songs == ()


def ends(engine, count=1):
    """Hear until so many songs have ended."""
    heard, found = [], []
    until = time.monotonic() + 30
    while len(found) < count:
        assert time.monotonic() < until, heard
        heard += engine.hear(0.2)
        found = [told for told in heard if isinstance(told.event, SongDone | SongFailed)]
    return heard, found


def test_a_worker_takes_one_song_after_another(start):
    engine = start()
    processes = []
    for song in (1, 2, 3):
        engine.submit(Task(song, {}))
        heard, (end,) = ends(engine)
        assert [type(told.event) for told in heard] == [StepStarted, SongDone]
        assert {(told.song, told.place) for told in heard} == {(song, "worker 1")}
        processes.append(end.event.result["process"])
    assert len(set(processes)) == 1


def test_cores_and_memory_are_divided(start):
    engine = start(workers=2, cores=4)
    engine.submit(Task(1, {}))
    engine.submit(Task(2, {}))
    _, both = ends(engine, 2)
    assert {told.place for told in both} == {"worker 1", "worker 2"}
    assert {told.event.result["cores"] for told in both} == {"2"}
    assert {told.event.result["keep_bytes"] for told in both} == {MUCH // 2}


def test_it_takes_as_many_as_there_are_workers_and_memory_for(start):
    engine = start(workers=2, memory_bytes=2 * WORKER_BYTES + 10)
    assert engine.takes(Task(1, {}, 5))
    engine.submit(Task(1, {"do": "hang"}, 5))
    assert engine.takes(Task(2, {}, 5))
    assert not engine.takes(Task(2, {}, 6))  # memory
    assert not engine.takes(Task(2, {}, 0, alone=True))
    engine.submit(Task(2, {"do": "hang"}, 5))
    assert not engine.takes(Task(3, {}, 0))  # workers
    assert [place.room for place in engine.places()] == [0, 0]


def test_a_song_that_is_too_large_is_begun_where_nothing_runs(start):
    engine = start(memory_bytes=1)
    assert engine.takes(Task(1, {}, 1 << 40))


def test_nothing_is_begun_beside_a_song_that_is_alone(start):
    engine = start(workers=2)
    engine.submit(Task(1, {"do": "hang"}, alone=True))
    assert not engine.takes(Task(2, {}))


def test_one_that_must_be_careful_gets_a_process_of_its_own_that_keeps_nothing(start):
    engine = start(workers=2)
    seen = []
    for song, careful in ((1, False), (2, True), (3, False)):
        engine.submit(Task(song, {}, careful=careful))
        _, (end,) = ends(engine)
        seen.append((end.event.result["process"], end.event.result["keep_bytes"]))
    assert len({process for process, _ in seen}) == 3
    assert [kept > 0 for _, kept in seen] == [True, False, True]


def test_one_that_is_alone_has_all_cores(start):
    engine = start(workers=4, cores=4)
    engine.submit(Task(1, {}, careful=True, alone=True))
    _, (end,) = ends(engine)
    assert end.event.result["cores"] == "4"


def test_a_failure_is_told_and_the_worker_goes_on(start):
    engine = start()
    engine.submit(Task(1, {"do": "fail"}))
    _, (end,) = ends(engine)
    assert (end.event.message, end.event.hint, end.event.exit_code) == ("no", "yes", ExitCode.AUDIO)
    engine.submit(Task(2, {}))
    assert isinstance(ends(engine)[1][0].event, SongDone)


@pytest.mark.parametrize(
    ("request_", "words", "memory"),
    [
        ({"do": "die", "signal": "SIGKILL"}, "ran out of memory", True),
        ({"do": "die", "signal": "SIGSEGV"}, "crashed (SIGSEGV)", False),
        ({"do": "leave"}, "exit status 3", False),
    ],
)
def test_the_death_of_a_worker_is_its_songs_failure_and_another_takes_over(start, request_, words, memory):
    engine = start()
    engine.submit(Task(1, request_))
    _, (end,) = ends(engine)
    assert words in end.event.message
    assert "worker-1.log" in end.event.hint
    assert end.event.out_of_memory == memory
    assert engine.places()[0].room == 1
    engine.submit(Task(2, {}))
    assert isinstance(ends(engine)[1][0].event, SongDone)


@pytest.mark.parametrize("obey", [True, False])
def test_a_song_that_is_cancelled_ends_whether_its_worker_listens_or_not(start, monkeypatch, obey):
    monkeypatch.setattr(local, "_GRACE_SECONDS", 0.3)
    engine = start()
    engine.submit(Task(1, {"do": "hang", "obey": obey}))
    while not engine.hear(0.2):
        pass
    engine.cancel(1)
    engine.cancel(1)
    engine.cancel(9)  # nobody's
    _, (end,) = ends(engine)
    assert (end.song, end.event.exit_code) == (1, ExitCode.INTERRUPTED)
    assert not end.event.out_of_memory


def test_closed_nothing_is_left_running(start):
    engine = start(workers=2)
    for song in (1, 2):
        engine.submit(Task(song, {"do": "hang"}))
    children = [worker.child for worker in engine._workers]
    engine.hear(0.5)
    engine.close()
    assert all(child.poll() is not None for child in children)
