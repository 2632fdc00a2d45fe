"""How loud a mix is before it is mastered, kept fine enough to be put together with others: an album's loudness.

Integrated loudness is gated over the whole (ITU-R BS.1770-5), so that of an album is not a mean of its songs'. What
adds up is the histogram of their 400 ms energies, as libebur128 keeps one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.render.tasks import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from covermaker.graph.events import Listener

# What of a project is made for it.
WANTED: Final[Mapping[str, Any]] = {"until": "mix", "score": False}

BINS_PER_LU: Final = 20
_LOWEST_LUFS: Final = -70  # the absolute gate
_OFFSET_LUFS: Final = -0.691  # BS.1770-5, equation 2
_RELATIVE_GATE_LU: Final = -10.0


def gauge(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Render a project up to its mix and measure that.

    Returns
    -------
    dict
        ``{"key": str, "lufs": float or None, "seconds": float, "bins": {bin: count}}``: the key of the mix, and of its
        histogram, whose bin 0 begins at the absolute gate.
    """
    result = render({**request, **WANTED}, listener)
    return read(Path(result["folders"][0]) / "mix.wav")


def read(mix: Path) -> dict[str, Any]:
    """Measure a mix in the store; see `gauge`."""
    import numpy as np

    from covermaker.audio.files import blocks, probe
    from covermaker.audio.loudness import MOMENTARY_HOPS, LoudnessMeter

    info = probe(mix)
    meter = LoudnessMeter(info.channels, info.sample_rate)
    for block in blocks(mix):
        meter.push(block)
    energies = meter.energies(MOMENTARY_HOPS)
    levels = _OFFSET_LUFS + 10.0 * np.log10(np.maximum(energies, 1e-12))
    bins = np.floor((levels[levels >= _LOWEST_LUFS] - _LOWEST_LUFS) * BINS_PER_LU).astype(int)
    numbers, counts = np.unique(bins, return_counts=True)
    found = {str(number): int(count) for number, count in zip(numbers, counts, strict=True)}
    return {"key": mix.parent.name, "lufs": together([found]), "seconds": info.seconds, "bins": found}


def together(histograms: Iterable[Mapping[str, int]]) -> float | None:
    """Return the integrated loudness of all of them as one programme, in LUFS; None when nothing is above the gate."""
    import numpy as np

    sums: dict[int, int] = {}
    for histogram in histograms:
        for number, count in histogram.items():
            sums[int(number)] = sums.get(int(number), 0) + count
    if not sums:
        return None
    levels = _LOWEST_LUFS + (np.array(list(sums), dtype=np.float64) + 0.5) / BINS_PER_LU
    counts = np.array(list(sums.values()), dtype=np.float64)
    gate = _loudness(levels, counts) + _RELATIVE_GATE_LU
    loud = levels >= gate
    return _loudness(levels[loud], counts[loud])


def _loudness(levels: NDArray[Any], counts: NDArray[Any]) -> float:
    import numpy as np

    return float(10.0 * np.log10((counts * 10.0 ** (levels / 10.0)).sum() / counts.sum()))
