"""Torch, made ready once: import it here and nowhere else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from covermaker.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

DEVICE_NAMES = "auto, cpu, cuda, cuda:N or mps"
_KINDS = ("auto", "cpu", "cuda", "mps")
_ready: ModuleType | None = None


def torch_ready() -> Any:
    """Import torch, set up to give the same numbers every time, and return the module.

    The first call installs the torchaudio shim (`covermaker.weights.torchaudio_shim`), asks for
    deterministic algorithms and turns TF32 off, so that a GPU computes in float32 as a CPU does. These are
    settings of the process.

    Raises
    ------
    ResourceError
        When torch cannot be imported on this machine.
    """
    global _ready
    if _ready is not None:
        return _ready
    from covermaker.weights import torchaudio_shim

    torchaudio_shim.install()
    try:
        import torch
    except (ImportError, OSError) as error:
        raise ResourceError(
            f"torch cannot be loaded: {error}", hint="install torch for this machine"
        ) from error
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    if not torch.cuda.is_available():
        # On CUDA this would also refuse cuBLAS unless a variable was set before the process began.
        torch.use_deterministic_algorithms(True)
        cast("Any", torch.utils).deterministic.fill_uninitialized_memory = False
    _ready = torch
    return torch


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def checked_device(name: str) -> str:
    """Return the name of a device when it is one, there or not; torch is not needed for that.

    Raises
    ------
    UsageError
        When it is none of auto, cpu, cuda, cuda:N and mps.
    """
    kind, colon, index = name.partition(":")
    if kind not in _KINDS or (colon and not (kind == "cuda" and index.isdecimal())):
        raise UsageError(f"unknown device '{name}'", hint=DEVICE_NAMES)
    return name


def pick_device(preference: str = "auto") -> str:
    """Choose where networks run.

    Parameters
    ----------
    preference : str
        ``"auto"`` takes CUDA, then Apple's MPS, then the CPU. ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``
        is taken at its word.

    Raises
    ------
    UsageError
        When the word is none of these.
    ResourceError
        When the device asked for is not there.
    """
    kind, _, index = checked_device(preference).partition(":")
    if kind == "cpu":
        return "cpu"
    torch = torch_ready()
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind == "auto":
        return next((name for name, available in there.items() if available), "cpu")
    if not there[kind] or int(index or 0) >= (torch.cuda.device_count() if kind == "cuda" else 1):
        raise ResourceError(f"the device '{preference}' is not there", hint="use --device auto or cpu")
    return preference


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception out of torch means that memory ran out, on whatever device."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
