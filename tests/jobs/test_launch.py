"""A job in a child process: its errors, its death and its parent's death."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from covermaker.errors import CovermakerError, ExitCode, ResourceError
from covermaker.graph.events import Note, nobody
from covermaker.jobs import launch as launching
from covermaker.jobs.launch import launch

CHILD = """
import sys
from covermaker.jobs import child
sys.modules["helper"] = type(sys)("helper")
exec({body!r}, sys.modules["helper"].__dict__)
child.JOBS["test"] = "helper:job"
import os
os._exit(child.main())
"""


@pytest.fixture
def job(monkeypatch, tmp_path):
    """Let the child run the given body as its job."""

    def prepare(body):
        script = tmp_path / "child.py"
        script.write_text(CHILD.format(body=textwrap.dedent(body)))
        real = subprocess.Popen

        def start(command, **options):
            return real([sys.executable, str(script)], **options)

        monkeypatch.setattr(launching.subprocess, "Popen", start)

        def run(listener=nobody, **request):
            return launch({"job": "test", **request}, listener=listener, log=tmp_path / "log" / "job.log")

        return run

    return prepare


def test_a_job_tells_events_and_returns_its_result(job):
    run = job(
        """
        from covermaker.graph.events import Note
        def job(request, listener):
            print("a library talks")
            listener(Note("hello"))
            return {"twice": request["x"] * 2}
        """
    )
    seen = []
    assert run(seen.append, x=21) == {"twice": 42}
    assert seen[0] == Note("hello")


def test_a_user_error_keeps_its_words_and_exit_code(job):
    run = job(
        """
        from covermaker.errors import AudioInputError
        def job(request, listener):
            raise AudioInputError("no song", hint="bring one")
        """
    )
    with pytest.raises(CovermakerError, match="no song") as caught:
        run()
    assert caught.value.exit_code == ExitCode.AUDIO
    assert caught.value.hint == "bring one"


def test_a_defect_ends_with_one_line_and_its_traceback_in_the_log(job, tmp_path):
    run = job("def job(request, listener):\n    raise KeyError('oops')\n")
    with pytest.raises(CovermakerError, match="KeyError") as caught:
        run()
    assert caught.value.exit_code == ExitCode.INTERNAL
    assert "Traceback" in (tmp_path / "log" / "job.log").read_text()


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "out of memory"), (signal.SIGSEGV, "SIGSEGV")]
)
@pytest.mark.parametrize("half", ["", '{"event": "step.pro'])
def test_a_killed_child_is_one_line_with_the_log(job, number, words, half):
    run = job(f"""
        import os
        def job(request, listener):
            for number in range(3, 16):  # the stream of the events is one of them
                try:
                    os.write(number, {half.encode()!r})
                except OSError:
                    continue
            os.kill(os.getpid(), {int(number)})
    """)
    with pytest.raises(ResourceError, match=words) as caught:
        run()
    assert "job.log" in caught.value.hint


def test_cancelling_stops_the_child_at_once(job, tmp_path):
    run = job(
        """
        import os, time
        from covermaker.graph.events import Note
        def job(request, listener):
            listener(Note(str(os.getpid())))
            time.sleep(60)
        """
    )
    pids = []

    def cancel(event):
        pids.append(int(event.text))
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(cancel)
    assert time.monotonic() - started < 10
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_what_is_started_in_the_background_can_be_cancelled_too(job, monkeypatch):
    """A shell starts its background with SIGINT ignored, and so do the children of what runs there begin."""
    run = job(
        """
        import signal, time
        from covermaker.graph.events import Note
        def job(request, listener):
            listener(Note("begun"))
            time.sleep(60)
        """
    )

    # Told from one that was killed by its status, not by how long it took: the machine may be slow.
    monkeypatch.setattr(launching, "_GRACE_SECONDS", 60.0)
    children = []
    begin = launching.subprocess.Popen

    def kept(*arguments, **options):
        children.append(begin(*arguments, **options))
        return children[-1]

    monkeypatch.setattr(launching.subprocess, "Popen", kept)

    def cancel(event):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(cancel)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [child.returncode for child in children] == [ExitCode.INTERRUPTED]


def test_what_a_child_is_told_and_what_it_inherits(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.setenv("COVERMAKER_STORE", "/somewhere")
    monkeypatch.delenv("MALLOC_TOP_PAD_", raising=False)
    told = launching.environment()
    assert told["OPENBLAS_NUM_THREADS"] == "7"  # what a person sets wins
    assert told["COVERMAKER_STORE"] == "/somewhere"
    assert int(told["MALLOC_TOP_PAD_"]) > 0
    assert told["PYTHONUNBUFFERED"] == "1"


def test_the_child_leaves_when_its_parent_dies(tmp_path):
    script = tmp_path / "child.py"
    body = "import time\ndef job(request, listener):\n    time.sleep(60)\n"
    script.write_text(CHILD.format(body=body))
    child = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(json.dumps({"job": "test"}).encode() + b"\n")
    child.stdin.flush()
    time.sleep(0.5)
    assert child.poll() is None
    child.stdin.close()
    assert child.wait(timeout=20) == ExitCode.INTERRUPTED
    child.stdout.close()
