"""One process at a time, and what is told of those who hold a lock."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from covermaker.errors import ResourceError
from covermaker.locks import held, is_held

HOLDER = """
import sys, time
from pathlib import Path
from covermaker.locks import held
with held(Path(sys.argv[1]), 0.0, lambda: None):
    print("mine", flush=True)
    time.sleep(60)
"""


class TakenError(Exception):
    pass


def refuse():
    return TakenError("somebody else")


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "x.lock"


def test_one_at_a_time(lock):
    with held(lock, 0.0, refuse):
        with pytest.raises(TakenError), held(lock, 0.05, refuse):
            pass
        assert is_held(lock, unknown=False)
    assert not is_held(lock, unknown=True)
    with held(lock, 0.0, refuse):
        pass


def test_it_goes_with_an_error(lock):
    with pytest.raises(KeyError), held(lock, 0.0, refuse):
        raise KeyError
    assert not is_held(lock, unknown=True)


def test_it_goes_with_a_process_that_is_killed(lock):
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "mine\n"
    assert is_held(lock, unknown=False)
    with pytest.raises(TakenError), held(lock, 0.0, refuse):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not is_held(lock, unknown=True)
    with held(lock, 0.0, refuse):
        pass


def test_who_has_nothing_to_say_waits_on(lock):
    asked = []
    with held(lock, 0.0, refuse):
        waiter = threading.Thread(target=lambda: wait_for(lock, asked))
        waiter.start()
        while not asked:
            time.sleep(0.01)
        assert asked == ["asked"]
    waiter.join(timeout=20)
    assert asked == ["asked", "held"]


def wait_for(lock, asked):
    with held(lock, 0.0, lambda: asked.append("asked")):
        asked.append("held")


def test_a_patient_one_is_not_asked(lock):
    inside = threading.Event()

    def leave_soon():
        with held(lock, 0.0, refuse):
            inside.set()
            time.sleep(0.1)

    other = threading.Thread(target=leave_soon)
    other.start()
    assert inside.wait(20)
    with held(lock, 20.0, refuse):
        other.join()


def test_who_waits_makes_no_folder_and_its_file_once(lock, monkeypatch):
    """Else a folder that is deleted in that very moment would come back, or could not be deleted."""
    made, opened, asked = [], [], []
    real = os.open
    monkeypatch.setattr(os, "mkdir", lambda path, *_, **__: made.append(path))
    monkeypatch.setattr(
        os, "open", lambda path, flags, *mode, **at: opened.append(flags) or real(path, flags, *mode, **at)
    )

    def at_last():
        asked.append(len(opened))
        return refuse() if len(asked) == 3 else None

    monkeypatch.setattr("covermaker.locks._ASK_SECONDS", 0.0)
    with held(lock, 0.0, refuse):
        opened.clear()
        with pytest.raises(TakenError), held(lock, 0.0, at_last):
            pass
    assert made == []
    assert asked == [1, 1, 1]


def test_a_folder_deleted_while_somebody_waits_stays_deleted(lock):
    deleting = held(lock, 0.0, lambda: shutil.rmtree(lock.parent))
    with held(lock, 0.0, refuse), pytest.raises(ResourceError, match="cannot write"), deleting:
        pass
    assert not lock.parent.exists()


def test_a_lock_that_was_deleted_alone_is_made_again(lock):
    with held(lock, 0.0, refuse), held(lock, 0.0, lock.unlink):
        assert is_held(lock, unknown=False)


def test_nobody_holds_what_is_not_there(lock):
    assert not is_held(lock, unknown=True)
    assert not lock.exists()


@pytest.mark.parametrize("unknown", [True, False])
def test_what_cannot_be_opened_is_unknown(lock, unknown):
    lock.mkdir()
    assert is_held(lock, unknown=unknown) is unknown


def test_a_folder_that_refuses_is_named(lock):
    lock.mkdir()
    with pytest.raises(ResourceError, match="cannot write"), held(lock, 0.0, refuse):
        pass
