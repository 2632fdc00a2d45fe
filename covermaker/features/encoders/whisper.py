"""Whisper's encoder in every published size, run by CTranslate2.

Whisper reads 30 s windows of log-mel spectrum and no other length; its second convolution has stride 2 over 10 ms
frames, so row i of the encoder is centred at i / 50 s of the window.

The encoder runs in float32: int8 is 1.4 times faster on a CPU but moves rows by 4 % on average and some by more
than their own length. The distilled Whispers are left out: they keep the encoder of the network they come from.

References
----------
A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.errors import WeightsError
from covermaker.features.encoders.base import WINDOW_SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.features.encoders.base import Encode

WINDOW_ROWS = 1500


@dataclass(frozen=True, slots=True)
class Whisper:
    """One size; see `ContentEncoder`. Its name is that of its weights in the catalog."""

    NAME: str
    WIDTH: int

    VERSION: ClassVar[int] = 1
    RATE_HZ: ClassVar[float] = 50.0
    FIRST_ROW_SECONDS: ClassVar[float] = 0.0
    FIXED_WINDOW: ClassVar[bool] = True

    @property
    def WEIGHTS(self) -> tuple[str, ...]:
        """The catalog name of its folder."""
        return (self.NAME,)

    def open(self, *, device: str, threads: int) -> Encode:
        """Load the network from the folder that the catalog knows."""
        from covermaker.weights.catalog import locate

        return WhisperReader(locate(self.NAME), self, device=device, threads=threads)


BASE = Whisper("whisper-base", 512)
TINY_EN = Whisper("whisper-tiny.en", 384)
TINY = Whisper("whisper-tiny", 384)
BASE_EN = Whisper("whisper-base.en", 512)
SMALL_EN = Whisper("whisper-small.en", 768)
SMALL = Whisper("whisper-small", 768)
MEDIUM_EN = Whisper("whisper-medium.en", 1024)
MEDIUM = Whisper("whisper-medium", 1024)
LARGE_V1 = Whisper("whisper-large-v1", 1280)
LARGE_V2 = Whisper("whisper-large-v2", 1280)
LARGE_V3 = Whisper("whisper-large-v3", 1280)
LARGE_V3_TURBO = Whisper("whisper-large-v3-turbo", 1280)


class WhisperReader:
    """The loaded encoder.

    Parameters
    ----------
    folder : Path
        Holds model.bin, config.json, tokenizer.json and the vocabulary, as CTranslate2 wants them.
    size : Whisper
        What it should be.
    device : str
        ``"cuda"`` with an index or without; anything else is the CPU, CTranslate2 knows no other device.
    threads : int
        Used on a CPU.

    Raises
    ------
    WeightsError
        When the folder does not hold a Whisper.
    """

    def __init__(self, folder: Path, size: Whisper, *, device: str, threads: int) -> None:
        from faster_whisper import WhisperModel

        kind, _, index = device.partition(":")
        try:
            # local_files_only: a wrong folder must fail here, not go looking on a hub.
            self._model: Any = WhisperModel(
                str(folder),
                device="cuda" if kind == "cuda" else "cpu",
                device_index=int(index or 0),
                compute_type="float32",
                cpu_threads=threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise WeightsError(
                f"{size.NAME} cannot be loaded from {folder}: {error}", hint="run: covermaker models verify"
            ) from error
        self._size = size
        # CTranslate2 replicas are not re-entrant for one host array: one call at a time.
        self._lock = threading.Lock()

    def __call__(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode at most 30 s of 16 kHz mono sound.

        Returns
        -------
        float32 array (1500, WIDTH)
            Row i is centred at i / 50 s. All zeros for digital silence, which is not sent through the network.
        """
        if len(window) > WINDOW_SAMPLES:
            raise ValueError(f"a window holds {WINDOW_SAMPLES} samples, not {len(window)}")
        if not window.any():
            return np.zeros((WINDOW_ROWS, self._size.WIDTH), dtype=np.float32)
        padded = np.zeros(WINDOW_SAMPLES, dtype=np.float32)
        padded[: len(window)] = window
        mel = self._model.feature_extractor(padded)[:, : 2 * WINDOW_ROWS]  # (bands, 3000)
        with self._lock:
            rows = np.array(self._model.encode(mel))[0]  # (1500, WIDTH)
        if rows.shape != (WINDOW_ROWS, self._size.WIDTH):
            raise WeightsError(
                f"{self._size.NAME} gives rows of shape {rows.shape}, not {(WINDOW_ROWS, self._size.WIDTH)}",
                hint="these are the weights of another size",
            )
        return np.asarray(rows, dtype=np.float32)
