"""A batch in a process of its own: what it is started with, that it outlives who started it, why it ended."""

import os
import signal
import subprocess
import sys
import time

import pytest

from covermaker.batch import detached
from covermaker.errors import ResourceError
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
        "import sys, time; from pathlib import Path; from covermaker.batch import detached\n"
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
