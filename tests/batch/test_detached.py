"""A batch in a process of its own: what it is started with, that it outlives who started it, why it ended."""

import os
import signal
import subprocess
import sys
import time

import pytest

from covermaker.batch import detached
from covermaker.batch.queue import Queue
from covermaker.cli.main import run
from covermaker.errors import ExitCode, ResourceError
from covermaker.graph.events import Failed

SAYS_ARGUMENTS = (sys.executable, "-SEc", "import sys; print(sys.argv[1:])")


def test_it_is_started_with_what_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(detached, "COMMAND", SAYS_ARGUMENTS)
    folder = tmp_path / "my covers"
    assert detached.begin("/music/-odd.m3u", folder, {"voice": "-x", "preset": "warm"}).wait(30.0) == 0
    told = detached.log_of(folder).read_text(encoding="utf-8")
    assert told.splitlines()[-1] == str(
        ["run", "--json", f"--out={folder}", "--voice=-x", "--preset=warm", "--", "/music/-odd.m3u"]
    )
    assert detached.resume(folder).wait(30.0) == 0
    told = detached.log_of(folder).read_text(encoding="utf-8")
    assert told.splitlines()[-1] == str(["resume", "--json", "--", str(folder)])


def test_what_another_process_writes_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(detached, "COMMAND", SAYS_ARGUMENTS)
    log = detached.log_of(tmp_path)
    log.parent.mkdir()
    with log.open("ab", buffering=0) as other:
        other.write(b"before\n" + Failed("an old failure", None, 5).to_json().encode() + b"\n")
        assert detached.resume(tmp_path).wait(30.0) == 0
        other.write(b"after\n")
    lines = log.read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert str(["resume", "--json", "--", str(tmp_path)]) in lines
    assert detached.failure(tmp_path).message == "after"  # not what ended a process before


def test_these_are_words_of_the_command(tmp_path):
    process = detached.resume(tmp_path / "nothing")
    assert process.wait(60.0) == 3
    failure = detached.failure(tmp_path / "nothing")
    assert "holds no batch" in failure.message
    assert failure.hint


def test_it_outlives_who_started_it(tmp_path):
    folder = tmp_path / "out"
    stays = (
        "import os, sys, time; folder = sys.argv[-1]\n"
        "print(os.getpid(), flush=True)\n"
        "while not os.path.exists(os.path.join(folder, 'go')): time.sleep(0.01)\n"
        "open(os.path.join(folder, 'done'), 'w').close()\n"
    )
    starter = (
        "import signal, sys, time; from pathlib import Path; from covermaker.batch import detached\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # whoever runs the tests may have it ignored
        f"detached.COMMAND = (sys.executable, '-SEc', {stays!r})\n"
        f"detached.resume(Path({str(folder)!r})); print('started', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        (sys.executable, "-c", starter), stdout=subprocess.PIPE, start_new_session=True
    ) as parent:
        assert parent.stdout.readline() == b"started\n"
        os.killpg(parent.pid, signal.SIGHUP)  # as when the terminal is closed
        parent.wait(30.0)
    (folder / "go").touch()
    until = time.monotonic() + 30.0
    while not (folder / "done").exists():
        assert time.monotonic() < until, "it ended with the process that started it"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "words\n" + Failed("no voice 'x'", "see: voices", 5).to_json() + "\nerror: no voice\n",
            "no voice 'x'",
        ),
        ('{"event": "batch.left"}\nIllegal instruction\n\n', "Illegal instruction"),
        ("", None),
        (None, None),
    ],
)
def test_why_it_ended(tmp_path, log, said):
    if log is not None:
        detached.log_of(tmp_path).parent.mkdir()
        detached.log_of(tmp_path).write_text(log, encoding="utf-8")
    failure = detached.failure(tmp_path)
    assert (failure and failure.message) == said


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError):
        detached.resume(tmp_path / "file" / "out")


WORKS = """
import os, sys, time
from pathlib import Path
from covermaker.batch.holding import working_on
from covermaker.batch.queue import Queue
with Queue(Path(sys.argv[-1])) as queue, working_on(queue):
    queue.note(state="running", process=os.getpid())
    while not (queue.folder / "go").exists():
        time.sleep(0.01)
"""


@pytest.fixture
def begun(make_song, tmp_path, monkeypatch):
    """A list of one song, in the working folder; returns how a batch of it is begun."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "friday.csv").write_text(f"file,bpm\n{make_song()},120\n")

    processes = []
    resume = detached.resume

    def kept(folder):
        processes.append(resume(folder))
        return processes[-1]

    monkeypatch.setattr(detached, "resume", kept)

    def begin(code, *more):
        monkeypatch.setattr(detached, "COMMAND", (sys.executable, "-c", code))
        return run(["batch", *(more or ("friday.csv", "--out", "my out")), "--detach"])

    yield begin
    (tmp_path / "my out").mkdir(exist_ok=True)
    (tmp_path / "my out" / "go").touch()
    for process in processes:
        process.wait(30.0)


def test_a_batch_that_is_detached_goes_on_by_itself_and_it_is_said_where(begun, capsys, tmp_path):
    assert begun(WORKS) == 0
    said = capsys.readouterr()
    assert "note: friday.csv:1: the column 'bpm' is not read" in said.err
    assert said.out.splitlines() == [
        "the batch goes on in a process of its own: covermaker batch status --follow 'my out'",
        "it ends before with: covermaker batch stop 'my out'",
    ]
    with Queue(tmp_path / "my out") as queue:
        assert queue.is_worked_on
        assert queue.fact("process") != os.getpid()
    assert begun(WORKS) == ExitCode.RESOURCE
    assert begun(WORKS, "resume", "my out") == ExitCode.RESOURCE
    assert "another process works on the batch" in capsys.readouterr().err


def test_one_that_ends_at_once_says_why(begun, capsys):
    failed = Failed("no cluster is at there:1", "is it up?", 6).to_json()
    assert begun(f"import sys; print({failed!r}); sys.exit(6)") == ExitCode.RESOURCE
    assert "no cluster is at there:1" in capsys.readouterr().err
    assert begun("import sys; sys.exit(3)") == ExitCode.RESOURCE
    assert "ended with 3" in capsys.readouterr().err


def test_one_that_is_over_at_once_shows_what_came_of_it(begun, capsys):
    assert begun("import sys; sys.exit(7)") == ExitCode.BATCH_PARTLY_FAILED
    assert "report: my out/report.html" in capsys.readouterr().out


def test_what_is_wrong_is_refused_before_a_process_begins(begun, capsys, tmp_path):
    assert begun(WORKS, "friday.csv", "--out", "out", "--voice", "nobody") == ExitCode.PROJECT
    assert not (tmp_path / "out").exists()
