"""Work in several processes: none is lost in silence, and all count alike."""

from __future__ import annotations

import os

import pytest

from covermaker.features.workers import in_processes
from covermaker.weights.device import cores


def _die_elsewhere(job):
    parent, number = job
    if number == 2 and os.getpid() != parent:
        os._exit(1)
    return number, os.getpid()


def _die_once(job):
    mark, number = job
    if number == 3:
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return number, os.getpid()
        os._exit(1)
    return number, os.getpid()


def _threads(job):
    from covermaker.weights.device import torch_ready

    return torch_ready().get_num_threads(), os.getpid()


def test_what_a_dead_process_leaves_is_done_here():
    jobs = [(os.getpid(), number) for number in range(5)]
    notes = []
    found = list(in_processes(_die_elsewhere, jobs, workers=2, note=notes.append))
    assert [number for number, _ in found] == list(range(5))
    assert {pid for number, pid in found if number >= 2} == {os.getpid()}
    (note,) = notes
    assert note.startswith("one of 2 processes was ended")
    assert "goes on with one" in note


def test_after_one_death_half_as_many_go_on(tmp_path):
    jobs = [(str(tmp_path / "died"), number) for number in range(6)]
    notes = []
    found = list(in_processes(_die_once, jobs, workers=4, note=notes.append))
    assert [number for number, _ in found] == list(range(6))
    assert os.getpid() not in {pid for _, pid in found}
    (note,) = notes
    assert "one of 4 processes" in note
    assert "goes on with 2" in note


def test_cores_are_counted_where_nobody_says_which_are_ours(monkeypatch):
    assert 1 <= cores() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() == os.cpu_count()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_work_has_one_thread_wherever_it_is_done(workers):
    found = list(in_processes(_threads, [1, 2, 3], workers=workers))
    assert {threads for threads, _ in found} == {1}
    assert (os.getpid() in {process for _, process in found}) == (workers == 1)
