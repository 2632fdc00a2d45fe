"""Work in several processes: none is lost in silence, and all count alike."""

from __future__ import annotations

import os

import pytest

from covermaker.features.workers import in_processes


def _die_elsewhere(job):
    parent, number = job
    if number == 2 and os.getpid() != parent:
        os._exit(1)
    return number, os.getpid()


def _threads(job):
    from covermaker.weights.device import torch_ready

    return torch_ready().get_num_threads(), os.getpid()


def test_what_a_dead_process_leaves_is_done_here():
    jobs = [(os.getpid(), number) for number in range(5)]
    found = list(in_processes(_die_elsewhere, jobs, workers=2))
    assert [number for number, _ in found] == list(range(5))
    assert {pid for number, pid in found if number >= 2} == {os.getpid()}


@pytest.mark.parametrize("workers", [1, 2])
def test_work_has_one_thread_wherever_it_is_done(workers):
    found = list(in_processes(_threads, [1, 2, 3], workers=workers))
    assert {threads for threads, _ in found} == {1}
    assert (os.getpid() in {process for _, process in found}) == (workers == 1)
