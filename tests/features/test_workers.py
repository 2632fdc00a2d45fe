"""Work in several processes: none is lost in silence, and all count alike."""

from __future__ import annotations

import os

import pytest

from covermaker.errors import ResourceError
from covermaker.features.workers import in_processes


def _die(job):
    os._exit(1)


def _threads(job):
    from covermaker.weights.device import torch_ready

    return torch_ready().get_num_threads(), os.getpid()


def test_a_dead_process_is_one_clear_line():
    with pytest.raises(ResourceError, match="ended from outside"):
        list(in_processes(_die, [1, 2], workers=2))


@pytest.mark.parametrize("workers", [1, 2])
def test_work_has_one_thread_wherever_it_is_done(workers):
    found = list(in_processes(_threads, [1, 2, 3], workers=workers))
    assert {threads for threads, _ in found} == {1}
    assert (os.getpid() in {process for _, process in found}) == (workers == 1)
