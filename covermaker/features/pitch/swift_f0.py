"""SwiftF0: a network of fourteen thousand numbers, the quickest of the networks here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.errors import WeightsError
from covermaker.features.clock import f0_at_clock
from covermaker.features.pitch.recording import HOP_SAMPLES, SAMPLE_RATE
from covermaker.weights.warm import catalog_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.features.pitch.recording import Recording

OWN_HOP_SAMPLES = 256
LOWEST_HZ, HIGHEST_HZ = 46.875, 2093.75
CONFIDENCE = 0.5
CONTEXT_FRAMES = 24  # it hears 2815 samples to either side
ALIGN_FRAMES = 8  # both hops divide 8 frames of the clock: its grid does not move with the cuts


class SwiftF0:
    """Pitch by the packaged SwiftF0 weights; its 62.5 frames a second are read at the clock.

    References
    ----------
    L. Nieradzik, "SwiftF0: Fast and Accurate Monophonic Pitch Detection", arXiv 2508.18440, 2025.
    """

    NAME: ClassVar[str] = "swift-f0"
    VERSION: ClassVar[int] = 1
    WEIGHTS: ClassVar[tuple[str, ...]] = ("swift-f0",)

    def track(
        self, vocal: Recording, *, f0_min_hz: float, f0_max_hz: float, device: str
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the pitch; see `PitchMethod`."""
        session = catalog_network("swift-f0", _session, "cpu")
        limits = {"fmin": np.array(LOWEST_HZ, np.float32), "fmax": np.array(HIGHEST_HZ, np.float32)}
        for piece in vocal.pieces(context_frames=CONTEXT_FRAMES, align_frames=ALIGN_FRAMES):
            # Silence after the end, so that every frame of the clock lies between two of the network's.
            last = (piece.frames - 1) * HOP_SAMPLES + 2 * OWN_HOP_SAMPLES
            sound = np.pad(piece.samples, (0, max(0, last - len(piece.samples))))
            pitch, confidence = session.run(
                ["pitch", "confidence"], {"audio": sound[None].astype(np.float32), **limits}
            )
            hz = np.where(confidence[0] >= CONFIDENCE, pitch[0], 0.0)
            times = np.arange(len(hz)) * (OWN_HOP_SAMPLES / SAMPLE_RATE)
            f0_hz = f0_at_clock(hz, times, piece.frames)
            yield piece.wanted(np.where((f0_hz >= f0_min_hz) & (f0_hz <= f0_max_hz), f0_hz, np.float32(0)))


def _session(path: Path, device: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one thread keeps the sums' order, and the network is tiny
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's errors share no base of their own.
        if type(error).__module__.partition(".")[0] != "onnxruntime":
            raise
        raise WeightsError(
            f"{path} holds no SwiftF0 weights: {str(error).splitlines()[0][:120]}",
            hint="covermaker models verify",
        ) from error
