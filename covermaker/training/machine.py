"""What the machine has for a training: memory, and bfloat16."""

from __future__ import annotations

import sys
from pathlib import Path

from covermaker.weights.device import torch_ready

_MOST_SHARE = 0.6  # of the free memory that nothing else will take


def pieces_for_memory(
    cut_bytes: float, batch_size: int, device: str, *, kept_bytes: float = 0.0, processes: int = 1
) -> int:
    """Return into how many parts a batch must be cut to fit into the memory that is free now.

    A batch in parts has the same gradients but for the last bits of their sums, so a run that began with little free
    memory does not repeat one that began with enough. To try and see is no way out: where memory runs short, Linux
    ends a process without asking it.

    Parameters
    ----------
    cut_bytes : float
        What a cut takes, forward and backward.
    batch_size : int
    device : str
    kept_bytes : float
        What a process is still to take beside, and to keep: gradients and moments.
    processes : int
        That train together: on a CPU they share the memory.

    Returns
    -------
    int
        1, 2, 4 … up to `batch_size`.
    """
    free = free_memory_bytes(device) / (1 if device.startswith("cuda") else processes)
    free = _MOST_SHARE * (free - kept_bytes)
    pieces = 1
    while pieces < batch_size and batch_size / pieces * cut_bytes > free:
        pieces *= 2
    return min(pieces, batch_size)


def free_memory_bytes(device: str) -> int:
    """Return the free memory of a GPU, or of the machine; a large number where neither can be told."""
    if device.startswith("cuda"):
        return int(torch_ready().cuda.mem_get_info(device)[0])
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        return 1 << 50
    return 1 << 50


def peak_memory_bytes(device: str) -> int:
    """Return the most memory that training has held so far: the GPU's, or the process's."""
    if device.startswith("cuda"):
        return int(torch_ready().cuda.max_memory_allocated(device))
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def bfloat16_is_fast(device: str) -> bool:
    """Tell whether a device has instructions for bfloat16, in which the trunk runs in about half the time."""
    torch = torch_ready()
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    if device != "cpu":
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
