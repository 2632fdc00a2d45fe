"""A worker renders songs one after another: as a render of its own would, and whatever becomes of the one before."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from contextlib import contextmanager
from queue import SimpleQueue

import pytest
import soundfile
from driving import covermaker, real_clip
from driving import render as render_alone

from covermaker.audio.files import read
from covermaker.errors import ResourceError, UsageError
from covermaker.graph.events import Note, SongDone, SongFailed
from covermaker.jobs.launch import COMMAND, environment
from covermaker.render import songs
from covermaker.render.ending import FILE_NAME
from covermaker.weights import warm

SECONDS = 3.0


class Worker:
    """A worker process; its log is a file."""

    def __init__(self, log, *, threads=1):
        self._errors = log.open("wb")
        self.child = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(),
            start_new_session=True,
        )
        self.say(job="songs", keep_bytes=None, threads=threads)

    def say(self, **said):
        self.child.stdin.write(json.dumps(said).encode() + b"\n")
        self.child.stdin.flush()

    def give(self, song, project, store, **more):
        request = {"job": "render", "project": str(project), "store": str(store), **more}
        self.say(song=song, request=request)

    def hear(self):
        """Return the next event."""
        return json.loads(self.child.stdout.readline())

    def until(self, *kinds):
        """Return the next events up to one of these kinds, and with it."""
        events = [self.hear()]
        while events[-1]["event"] not in kinds:
            events.append(self.hear())
        return events

    def end_of_song(self):
        return self.until("song.done", "song.failed")[-1]

    def close(self):
        self.child.stdin.close()
        try:
            self.child.wait(20)
        finally:
            self.child.kill()
            self.child.stdout.close()
            self._errors.close()


@pytest.fixture
def log(tmp_path):
    return tmp_path / "worker.log"


@pytest.fixture
def worker(log):
    one = Worker(log)
    yield one
    one.close()


@contextmanager
def in_process(monkeypatch, jobs):
    """Let a worker of this process take `jobs` for what renders; gives a function that serves lines."""
    for name in ("COVERMAKER_CORES", "OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(songs, "_JOBS", jobs)

    def serve(*said, tell=None):
        told = []
        lines = [json.dumps(one).encode() for one in said]
        songs.serve({"keep_bytes": None, "threads": 1}, lines, tell or told.append)
        return told

    yield serve


def song_of(number, **more):
    return {"song": number, "request": {"job": "render", "project": f"project {number}", **more}}


# Failures, without rendering


@pytest.mark.parametrize(
    ("error", "message", "hint", "code", "out_of_memory"),
    [
        (UsageError("no such step", hint="look"), "no such step", "look", 2, False),
        (
            ZeroDivisionError("by 0"),
            "a defect in Covermaker: ZeroDivisionError: by 0",
            "please report",
            1,
            False,
        ),
        (MemoryError(), "a defect in Covermaker: MemoryError", "please report", 1, True),
        (RuntimeError("CUDA out of memory. Tried"), "a defect in Covermaker: RuntimeErr", "please", 1, True),
    ],
)
def test_a_failure_is_told_and_ends_nothing(monkeypatch, capfd, error, message, hint, code, out_of_memory):
    def render(request, listener):
        if request["project"] == "project 1":
            raise error
        return {"title": request["project"]}

    with in_process(monkeypatch, {"render": render}) as serve:
        failed, done = serve(song_of(1), song_of(2))
    assert isinstance(failed, SongFailed)
    assert failed.song == 1
    assert failed.message.startswith(message)
    assert failed.hint.startswith(hint)
    assert (failed.exit_code, failed.out_of_memory) == (code, out_of_memory)
    assert done == SongDone(2, {"title": "project 2"})
    said = capfd.readouterr().err
    assert said.startswith("== song 1 project 1\n")
    assert said.endswith("== song 2 project 2\n")
    assert ("Traceback" in said) == (code == 1)


def test_when_memory_runs_out_nothing_stays_warm(monkeypatch):
    held = []

    def render(request, listener):
        warm.loaded("network", "0", object, size_bytes=100)
        held.append(warm.held_bytes())
        if request["project"] == "project 2":
            try:
                raise MemoryError
            except MemoryError as error:
                raise ResourceError("step 'separate' ran out of memory", hint="a larger machine") from error
        return {}

    told = []

    def tell(event):
        told.append((event, warm.held_bytes()))

    with in_process(monkeypatch, {"render": render}) as serve:
        serve(song_of(1), song_of(2), song_of(3), tell=tell)
    assert held == [100, 100, 100]
    assert [size for _, size in told] == [100, 0, 100]
    assert told[1][0].out_of_memory
    assert told[1][0].exit_code == 6
    assert warm.held_bytes() == 0


def test_a_song_without_a_project_is_one_songs_failure(monkeypatch):
    with in_process(monkeypatch, {"render": lambda request, listener: {}}) as serve:
        failed, done = serve({"song": 1, "request": {"job": "render"}}, song_of(2))
    assert failed.exit_code == 1
    assert isinstance(done, SongDone)


def test_cancelled_while_it_runs_and_tried_again(monkeypatch):
    lines, told, begun = SimpleQueue(), [], []

    def say(said):
        lines.put(None if said is None else json.dumps(said).encode())

    def render(request, listener):
        begun.append(request["project"])
        if len(begun) == 1:
            say({"song": 1, "cancel": True})
            for _ in range(10_000_000):
                listener(Note("still running"))
            raise AssertionError("nobody stopped it")
        return {}

    def tell(event):
        if isinstance(event, Note):
            return
        told.append(event)
        if len(told) == 1:
            for said in (song_of(1), song_of(2), None):
                say(said)

    say(song_of(1))
    with in_process(monkeypatch, {"render": render}):
        songs.serve({"keep_bytes": None, "threads": 1}, iter(lines.get, None), tell)
    assert told == [
        SongFailed(1, "cancelled", "finished steps are kept", 130),
        SongDone(1, {}),
        SongDone(2, {}),
    ]
    assert begun == ["project 1", "project 1", "project 2"]


def test_a_line_that_is_no_wish_is_not_passed_over(monkeypatch):
    with in_process(monkeypatch, {}) as serve, pytest.raises(KeyError):
        serve({"request": {}})


# Real songs in a real process


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Two projects of different songs, each rendered by a command of its own."""
    folder = tmp_path_factory.mktemp("songs")
    clip = read(real_clip())
    for name, start in (("one", 0.0), ("two", 5.0)):
        first, frames = round(start * clip.sample_rate), round(SECONDS * clip.sample_rate)
        song = folder / f"{name}.flac"
        soundfile.write(song, clip.samples[:, first : first + frames].T, clip.sample_rate, subtype="PCM_24")
        covermaker("new", song, "--folder", folder / name, "--title", name)
        render_alone(folder / name, folder / "alone", "--score")
    return folder


def copied(base, name, folder):
    """Copy a project as it was before it was rendered."""
    ignored = shutil.ignore_patterns("out", ".covermaker")
    return shutil.copytree(base / name, folder, ignore=ignored)


def made(store):
    """Return the hashes of all files of a store, by key and name, and what the steps found out."""
    metas = [json.loads(file.read_text()) for file in store.glob("steps/*/meta.json")]
    files = {(meta["key"], name): facts["sha256"] for meta in metas for name, facts in meta["files"].items()}
    return files, {meta["key"]: meta["report"] for meta in metas}


@pytest.mark.slow
def test_songs_give_the_same_files_as_renders_of_their_own(base, worker, log, tmp_path):
    """On one core where they had all, after other songs, after a failure, and when everything is warm."""
    broken = copied(base, "two", tmp_path / "broken")
    document = broken / "cover.toml"
    document.write_text(document.read_text().replace('name = "demo"', 'name = "demo"\nvolume = 3'))
    one, two = copied(base, "one", tmp_path / "one"), copied(base, "two", tmp_path / "two")
    for number, project in enumerate((one, broken, two), start=1):
        worker.give(number, project, tmp_path / "store", score=True)
    first, failed, second = (worker.end_of_song() for _ in range(3))
    assert (first["event"], first["song"]) == ("song.done", 1)
    assert (second["event"], second["song"]) == ("song.done", 3)
    assert (failed["event"], failed["song"], failed["exit_code"]) == ("song.failed", 2, 3)
    assert "cover.toml" in failed["message"]
    assert "volume" in failed["message"]
    assert not failed["out_of_memory"]
    worker.give(4, one, tmp_path / "again", score=True)
    events = worker.until("song.done", "song.failed")
    assert {event["event"] for event in events} >= {"render.planned", "step.started", "step.finished"}
    assert made(tmp_path / "store") == made(base / "alone")
    files, _ = made(tmp_path / "again")
    assert files.items() <= made(tmp_path / "store")[0].items()
    assert len(files) > 10
    for name in ("one", "two"):
        for format in ("wav", "mp3"):
            for file in (base / name / "out").glob(f"*.{format}"):
                assert (tmp_path / name / "out" / file.name).read_bytes() == file.read_bytes()
    heads = [line for line in log.read_text().splitlines() if line.startswith("== song ")]
    assert heads == [
        f"== song {number} {project}" for number, project in enumerate((one, broken, two, one), start=1)
    ]


@pytest.mark.slow
def test_a_song_that_is_cancelled_leaves_nothing_half_made(base, worker, tmp_path):
    project, store = copied(base, "one", tmp_path / "one"), tmp_path / "store"
    worker.give(1, project, store)
    while (event := worker.until("step.started")[-1])["name"] != "separate":
        pass
    worker.say(song=1, cancel=True)
    worker.give(2, copied(base, "two", tmp_path / "two"), store)
    worker.say(song=2, cancel=True)  # before it began
    ends = [worker.end_of_song() for _ in range(2)]
    assert [(end["event"], end["song"], end["exit_code"]) for end in ends] == [
        ("song.failed", 1, 130), ("song.failed", 2, 130),
    ]  # fmt: skip
    assert not (project / ".covermaker" / FILE_NAME).exists()
    assert not list((store / "tmp").iterdir())
    assert not (project / "out").exists()
    worker.give(1, project, store)
    assert worker.end_of_song()["event"] == "song.done"
    assert made(store)[0].items() <= made(base / "alone")[0].items()
    assert event["key"] in {key for key, _ in made(store)[0]}


@pytest.mark.slow
def test_ctrl_c_drops_the_step_and_ends_the_worker(base, worker, tmp_path):
    project, store = copied(base, "one", tmp_path / "one"), tmp_path / "store"
    worker.give(1, project, store)
    while worker.until("step.started")[-1]["name"] != "separate":
        pass
    worker.child.send_signal(signal.SIGINT)
    last = worker.until("render.failed", "song.failed", "song.done")[-1]
    assert (last["event"], last["exit_code"]) == ("render.failed", 130)
    assert worker.child.wait(20) == 130
    assert not list((store / "tmp").iterdir())
    assert not (project / ".covermaker" / FILE_NAME).exists()


def test_a_worker_leaves_with_its_parent(worker):
    worker.child.stdin.close()
    assert worker.child.wait(60) == 130
