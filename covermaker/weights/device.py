"""Torch, made ready once: import it here and nowhere else. How many cores and threads a process has."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from covermaker.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

DEVICE_NAMES = "auto, cpu, cuda, cuda:N or mps"
_KINDS = ("auto", "cpu", "cuda", "mps")
_ready: ModuleType | None = None

CORES = "COVERMAKER_CORES"
# Of every network, on every machine: on another number sums are cut at other places, which moves the last bits.
NETWORK_THREADS = 2
_network_threads = NETWORK_THREADS
_own_threads = 1  # torch's, as it was loaded


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
    global _ready, _own_threads
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
    _own_threads = torch.get_num_threads()
    _ready = torch
    return torch


def cores() -> int:
    """Return how many cores this process may use: what COVERMAKER_CORES says, and no more than there are.

    Raises
    ------
    UsageError
        When the variable holds no number.
    """
    said = os.environ.get(CORES)
    if not said:
        return _cores_there()
    if not said.isdecimal() or int(said) < 1:
        raise UsageError(f"{CORES} = '{said}' is no number of cores", hint="write 1 or more, or unset it")
    return min(int(said), _cores_there())


def _cores_there() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def take_cores(count: int) -> None:
    """Leave this process `count` cores, as others work beside it; before torch and its like are loaded.

    Threads of native packages then sleep while they wait for each other. To spin, as they do otherwise, takes from a
    neighbour what it could use.
    """
    if count < _cores_there():
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ[CORES] = os.environ["OMP_NUM_THREADS"] = str(count)


@contextmanager
def computing(*, any_number: bool = False) -> Iterator[Any]:
    """Give torch for a network's work: no autograd, and a number of threads that does not depend on the machine.

    Nor on what ran before: CTranslate2 sets the number for torch too when it loads a network.

    Parameters
    ----------
    any_number : bool
        For a network that was seen to give the same bits on 1, 2, 3, 5 and 8 threads: it takes all `cores`.
    """
    torch = torch_ready()
    before = torch.get_num_threads()
    torch.set_num_threads(min(cores(), _own_threads) if any_number else _network_threads)
    try:
        with torch.inference_mode():
            yield torch
    finally:
        torch.set_num_threads(before)


def set_network_threads(count: int) -> int:
    """Set how many threads a network has in this process from now on, and return how many it had.

    For processes that share out many pieces of the same work, one thread each.
    """
    global _network_threads
    before, _network_threads = _network_threads, count
    return before


@contextmanager
def threads_unchanged() -> Iterator[None]:
    """Undo what the block does to torch's number of threads, where torch is loaded."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    try:
        yield
    finally:
        if torch:
            torch.set_num_threads(before)


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
    """Tell whether an exception means that memory ran out, on whatever device; also one of ours that it caused."""
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause).lower() if isinstance(cause, RuntimeError) else ""
        if isinstance(cause, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
            return True
        cause = cause.__cause__
    return False
