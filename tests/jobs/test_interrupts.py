"""Ctrl-C in a process that computes ends it whole: not in the middle of an import, and nothing half made stays."""

import subprocess
import sys

import pytest

from covermaker.graph.store import Store

WAITING = """
import signal, sys, time
from covermaker.jobs.interrupts import interruptible

interruptible()
{before}
try:
    {begin}
    time.sleep(60)  # longer than anybody waits below
    print("slept")
except KeyboardInterrupt:
    print("interrupted", sys.modules["slow_to_come"].whole if "slow_to_come" in sys.modules else "-")
"""
SLOW = """
import signal, time

whole = False
signal.raise_signal(signal.SIGINT)
for _ in range(10):
    time.sleep(0.01)
whole = True
"""


def ended(begin, folder, before=""):
    (folder / "slow_to_come.py").write_text(SLOW)
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n" + WAITING.format(begin=begin, before=before)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)


def test_an_import_is_let_finish_first(tmp_path):
    done = ended("import slow_to_come", tmp_path)
    assert (done.stdout, done.returncode) == ("interrupted True\n", 0), done.stderr


def test_everything_else_is_interrupted_at_once(tmp_path):
    done = ended("signal.raise_signal(signal.SIGINT); import slow_to_come", tmp_path)
    assert (done.stdout, done.returncode) == ("interrupted -\n", 0), done.stderr


LOST = """
class Going:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
"""


def test_an_interrupt_is_not_lost_in_what_python_calls_by_the_way(tmp_path):
    done = ended("del going", tmp_path, LOST + "going = Going()")
    assert (done.stdout, done.returncode) == ("interrupted -\n", 0), done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_step_interrupted_as_its_folder_is_made_leaves_none(tmp_path, monkeypatch):
    store = Store(tmp_path)
    make = type(tmp_path).mkdir

    def interrupted(self, *positional, **named):
        make(self, *positional, **named)
        if self.parent.name == "tmp":
            raise KeyboardInterrupt

    monkeypatch.setattr(type(tmp_path), "mkdir", interrupted)
    with pytest.raises(KeyboardInterrupt), store.making("some-key"):
        raise AssertionError("the folder was never whole")
    assert list((tmp_path / "tmp").iterdir()) == []
