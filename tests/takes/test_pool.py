"""The same results with a pool and without, and when its workers die."""

import os

import pytest

from covermaker.errors import AudioInputError
from covermaker.progress import silent
from covermaker.takes import pool


def double(number, progress=silent):
    progress(1.0)
    return 2 * number


def die_in_a_worker(parent, progress=silent):
    if os.getpid() != parent:
        os._exit(9)
    return "done here"


def refuse(number, progress=silent):
    raise AudioInputError(f"no {number}", hint="x")


@pytest.mark.parametrize("size_bytes", [0, 10**9])
def test_results_keep_their_order(size_bytes, monkeypatch):
    monkeypatch.setattr(pool, "cores", lambda: 2)
    told = []
    assert pool.each(double, [(n,) for n in range(5)], size_bytes=size_bytes, progress=told.append) == [
        0,
        2,
        4,
        6,
        8,
    ]
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_killed_workers_leave_the_work_to_us(monkeypatch):
    monkeypatch.setattr(pool, "cores", lambda: 2)
    found = pool.each(die_in_a_worker, [(os.getpid(),)] * 3, size_bytes=10**9, progress=silent)
    assert found == ["done here"] * 3


def test_errors_come_out_of_the_pool_with_their_hint(monkeypatch):
    monkeypatch.setattr(pool, "cores", lambda: 2)
    with pytest.raises(AudioInputError) as caught:
        pool.each(refuse, [(1,), (1,)], size_bytes=10**9, progress=silent)
    assert (caught.value.message, caught.value.hint) == ("no 1", "x")
