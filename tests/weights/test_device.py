"""Torch is made ready once, and the right device is picked or refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from covermaker.errors import ResourceError, UsageError
from covermaker.weights.device import is_out_of_memory, pick_device, torch_ready


def run(script):
    subprocess.run([sys.executable, "-c", script], check=True)


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
