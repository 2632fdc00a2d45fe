"""Torch is made ready once, and the right device is picked or refused."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from covermaker.errors import ResourceError, UsageError
from covermaker.weights.device import (
    CORES,
    NETWORK_THREADS,
    computing,
    cores,
    is_out_of_memory,
    pick_device,
    set_network_threads,
    take_cores,
    torch_ready,
)


def run(script):
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.slow
def test_torchaudio_can_be_imported_beside_any_torch():
    run(
        "from covermaker.weights.device import torch_ready; torch = torch_ready();"
        "import sys; assert 'torchaudio' not in sys.modules;"
        "import torchaudio; from torchaudio.functional import resample, lfilter;"
        "assert resample(torch.ones(1, 480), 48000, 16000).shape == (1, 160);"
        "b = torch.tensor([1.0, 0.0]); assert torch.equal(lfilter(torch.ones(4), b, b), torch.ones(4))"
    )


def test_a_working_extension_is_left_alone(tmp_path):
    """With a torch that fits it, torchaudio's own module is what is imported."""
    package = tmp_path / "torchaudio"
    package.mkdir()
    (package / "__init__.py").write_text("from . import _extension\n")
    (package / "_extension.py").write_text("_IS_TORCHAUDIO_EXT_AVAILABLE = 'the real one'\n")
    run(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from covermaker.weights import torchaudio_shim; torchaudio_shim.install(); torchaudio_shim.install();"
        "import torchaudio; assert torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE == 'the real one'"
    )


def test_a_defect_of_the_extension_is_named_when_it_is_used(tmp_path):
    package = tmp_path / "torchaudio"
    package.mkdir()
    (package / "__init__.py").write_text("from . import _extension\n")
    (package / "_extension.py").write_text("raise OSError('libcudart is missing')\n")
    run(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from covermaker.weights import torchaudio_shim; torchaudio_shim.install();"
        "from torchaudio import _extension as e; assert e._IS_TORCHAUDIO_EXT_AVAILABLE is False\n"
        "def forced_align(): pass\n"
        "try: e.fail_if_no_align(forced_align)()\n"
        "except RuntimeError as error: assert 'forced_align' in str(error)\n"
        "else: raise SystemExit('nothing was raised')"
    )


def test_torch_computes_the_same_every_time():
    torch = torch_ready()
    assert torch is torch_ready()
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    assert torch.cuda.is_available() or torch.are_deterministic_algorithms_enabled()


def test_the_cpu_is_always_there():
    assert pick_device("cpu") == "cpu"
    assert pick_device() in {"cpu", "cuda", "mps"}


@pytest.mark.parametrize("preference", ["gpu", "", "cpu:1", "cuda:", "cuda:x", "tpu"])
def test_unknown_devices(preference):
    with pytest.raises(UsageError, match="unknown device"):
        pick_device(preference)


@pytest.mark.parametrize("preference", ["cuda", "cuda:3", "mps"])
def test_a_device_that_is_not_there(preference, monkeypatch):
    torch = torch_ready()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ResourceError, match=f"'{preference}' is not there"):
        pick_device(preference)
    assert pick_device("auto") == "cpu"


def test_cuda_comes_first_and_by_number(monkeypatch):
    torch = torch_ready()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("auto") == "cuda"
    assert pick_device("cuda:1") == "cuda:1"
    with pytest.raises(ResourceError):
        pick_device("cuda:2")


@pytest.mark.parametrize(
    ("error", "out"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("sizes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_when_memory_ran_out(error, out):
    assert is_out_of_memory(error) is out


def test_memory_that_ran_out_is_seen_through_our_own_words():
    ours = ResourceError("step 'separate' ran out of memory")
    assert not is_out_of_memory(ours)
    ours.__cause__ = RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
    assert is_out_of_memory(ours)


@pytest.fixture
def four_cores(monkeypatch):
    for name in (CORES, "OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)


@pytest.mark.parametrize(("said", "count"), [("1", 1), ("3", 3), ("64", 4), ("", 4)])
def test_a_process_may_be_given_fewer_cores(four_cores, monkeypatch, said, count):
    assert cores() == 4
    monkeypatch.setenv(CORES, said)
    assert cores() == count


@pytest.mark.parametrize("said", ["two", "0", "-1", "1.5"])
def test_a_number_of_cores_that_is_none(four_cores, monkeypatch, said):
    monkeypatch.setenv(CORES, said)
    with pytest.raises(UsageError, match=f"COVERMAKER_CORES = '{said}' is no number of cores"):
        cores()


def test_who_shares_the_machine_does_not_spin(four_cores):
    take_cores(2)
    assert cores() == 2
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_who_has_the_machine_alone_may_spin(four_cores):
    take_cores(4)
    assert cores() == 4
    assert "OMP_WAIT_POLICY" not in os.environ


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_network_has_as_many_threads_on_every_machine(before):
    torch = torch_ready()
    own = torch.get_num_threads()
    torch.set_num_threads(before)
    try:
        with computing() as given:
            assert given is torch
            assert torch.get_num_threads() == NETWORK_THREADS
            assert torch.is_inference_mode_enabled()
        assert torch.get_num_threads() == before
        with pytest.raises(ZeroDivisionError), computing():
            1 / 0  # noqa: B018
        assert torch.get_num_threads() == before
    finally:
        torch.set_num_threads(own)


def test_one_whose_bits_do_not_depend_on_them_takes_all(monkeypatch):
    torch = torch_ready()
    monkeypatch.setenv(CORES, "1")
    with computing(any_number=True):
        assert torch.get_num_threads() == 1


def test_a_process_of_many_alike_has_one_thread_a_network():
    torch = torch_ready()
    before = set_network_threads(1)
    try:
        with computing():
            assert torch.get_num_threads() == 1
    finally:
        assert set_network_threads(before) == 1
