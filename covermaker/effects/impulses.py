"""Impulse responses: those of files, and four that are made here.

The ones that are made here are decaying noise, octave by octave as fast as such a place lets it decay, behind early
reflections where there are walls; the spring is what its physics gives: trips along a coil on which high tones travel
more slowly. Four channels each: from left and right to left and right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.buffer import Audio
from covermaker.audio.files import probe, read
from covermaker.audio.resample import resample
from covermaker.errors import AudioInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

MADE = ("plate", "hall", "room", "spring")
CHANNELS = (1, 2, 4)

_MADE_RATE = 48000
_OCTAVES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
_DECAYED_DB = 90.0
# What comes before the first sound of a recording: below this part of its peak.
_LEAD = 10.0 ** (-60.0 / 20.0)
# What is left of its energy behind the end.
_REST = 10.0 ** (-100.0 / 10.0)
_FADE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Room:
    """A place.

    Attributes
    ----------
    decay_seconds : tuple of float
        Until the sound is 60 dB down, for each of `_OCTAVES_HZ`.
    rise_seconds : float
        Until the diffuse sound is at its fullest.
    walls : tuple of (float, float, int), optional
        First and last early reflection in seconds, and how many there are.
    walls_share : float
        Energy of the early reflections, of the whole.
    seed : int
        Of its noise.
    """

    decay_seconds: tuple[float, ...]
    rise_seconds: float
    walls: tuple[float, float, int] | None
    walls_share: float
    seed: int


_ROOMS = {
    "plate": _Room((2.6, 2.5, 2.3, 2.1, 1.8, 1.4, 1.0, 0.6), 0.002, None, 0.0, 11),
    "hall": _Room((2.7, 2.6, 2.4, 2.2, 1.9, 1.4, 0.9, 0.5), 0.030, (0.018, 0.090, 18), 0.25, 12),
    "room": _Room((0.50, 0.48, 0.45, 0.42, 0.40, 0.34, 0.28, 0.20), 0.006, (0.003, 0.030, 14), 0.5, 13),
}


def load(impulse: str, sample_rate: int, *, seconds: float, trim: bool) -> NDArray[np.float64]:
    """Return an impulse response at a rate.

    Parameters
    ----------
    impulse : str
        One of `MADE`, or the absolute path of a file with 1, 2 or 4 channels.
    sample_rate : int
        In Hz; a file at another rate is converted.
    seconds : float
        Its greatest length; what is cut off there is faded out.
    trim : bool
        Leave out the silence before its first sound.

    Returns
    -------
    float64 array (channels, n)

    Raises
    ------
    AudioInputError
        When the file cannot be read, is silent, or has another number of channels.
    """
    if impulse in MADE:
        response = _made(impulse, sample_rate)
    else:
        file = Path(impulse)
        if not file.is_absolute():
            raise AudioInputError(
                f"the impulse response '{impulse}' is not looked for in the working directory"
            )
        response = _read(file, file.stat().st_mtime_ns if file.is_file() else 0, sample_rate, seconds, trim)
    return _limited(response.astype(np.float64), round(seconds * sample_rate))


def check_file(file: Path) -> None:
    """Refuse what is no impulse response, without reading all of it.

    Raises
    ------
    AudioInputError
        As `load`.
    """
    info = probe(file)
    if info.channels not in CHANNELS:
        raise AudioInputError(
            f"'{file}' has {info.channels} channels, an impulse response has 1, 2 or 4",
            hint="4 are true stereo: left to left, left to right, right to left, right to right",
        )
    if not info.frames:
        raise AudioInputError(f"'{file}' is empty")


@lru_cache(maxsize=4)
def _read(file: Path, changed_ns: int, sample_rate: int, seconds: float, trim: bool) -> Samples:
    """Read a file's response; `changed_ns` tells a file that was written anew from the one in the cache."""
    check_file(file)
    info = probe(file)
    lead = 0
    # No more than can be heard is read of a file that is much longer.
    audio = read(file, frames=round((seconds + 10.0) * info.sample_rate))
    peak = float(np.abs(audio.samples).max(initial=0.0))
    if peak == 0.0:
        raise AudioInputError(f"'{file}' is silent: no impulse response")
    if trim:
        lead = int(np.argmax(np.abs(audio.samples).max(axis=0) > peak * _LEAD))
    samples = np.ascontiguousarray(audio.samples[:, lead:])
    # Another rate has another number of samples to a second, which together are as loud.
    gain = np.float32(info.sample_rate / sample_rate)
    return resample(Audio(samples, info.sample_rate), sample_rate).samples * gain


def _limited(response: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """Cut a response to a length, and where nothing audible is left."""
    longer = response.shape[1] > frames
    response = response[:, :frames].copy()
    if longer:
        fade = max(1, round(_FADE_SHARE * response.shape[1]))
        response[:, -fade:] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    left = np.cumsum(np.square(response).sum(axis=0)[::-1])[::-1]
    if left[0] <= 0.0:
        raise AudioInputError(
            "what is left of the impulse response is silent", hint="allow it a greater length"
        )
    return response[:, : int(np.flatnonzero(left > _REST * left[0])[-1]) + 1]


@lru_cache(maxsize=8)
def _made(name: str, sample_rate: int) -> Samples:
    response = _spring() if name == "spring" else _room(_ROOMS[name])
    response /= np.abs(response).max()
    return resample(Audio(response.astype(np.float32), _MADE_RATE), sample_rate).samples


def _room(room: _Room) -> NDArray[np.float64]:
    generator = np.random.Generator(np.random.PCG64(room.seed))
    frames = round(max(room.decay_seconds) * _DECAYED_DB / 60.0 * _MADE_RATE)
    time = np.arange(frames) / _MADE_RATE
    spectrum = np.fft.rfft(generator.standard_normal((4, frames)))
    hz = np.fft.rfftfreq(frames, 1.0 / _MADE_RATE)
    octave = np.log2(np.maximum(hz, 1.0) / _OCTAVES_HZ[0])
    diffuse = np.zeros((4, frames))
    for number, seconds in enumerate(room.decay_seconds):
        share = np.clip(1.0 - np.abs(octave - number), 0.0, 1.0)
        if number == 0:
            share[octave < 0.0] = np.clip(1.0 + octave[octave < 0.0] / 2.0, 0.0, 1.0)
        band = np.fft.irfft(spectrum * np.sqrt(share), frames)
        diffuse += band * 10.0 ** (-3.0 * time / seconds)
    diffuse *= 1.0 - np.exp(-time / (room.rise_seconds / 3.0))
    if room.walls is None:
        return diffuse
    diffuse *= np.sqrt((1.0 - room.walls_share) / np.square(diffuse).sum(axis=1, keepdims=True))
    diffuse += math.sqrt(room.walls_share) * _reflections(generator, room.walls, frames)
    return diffuse


def _reflections(
    generator: np.random.Generator, walls: tuple[float, float, int], frames: int
) -> NDArray[np.float64]:
    """Return single echoes, the later the weaker and the denser; each path has its own, and unit energy."""
    first, last, count = walls
    early = np.zeros((4, frames))
    for path in early:
        times = np.sort(first + (last - first) * np.sqrt(generator.random(count)))
        signs = np.where(generator.random(count) < 0.5, -1.0, 1.0)
        np.add.at(path, np.round(times * _MADE_RATE).astype(np.intp), signs * first / times)
        path /= np.sqrt(np.square(path).sum())
    return early


# A spring reverberator's two coils: one trip in seconds, and from where on nothing travels along.
_COILS = ((0.0331, 4300.0), (0.0411, 3900.0))
_COIL_LOSS = 0.72  # from trip to return trip
_COIL_TRIPS = 24
_COIL_SECONDS = 2.5


def _spring() -> NDArray[np.float64]:
    """Return both coils heard from both sides, each nearer to its own.

    Below its cut-off frequency a coil delays a tone by ``T / sqrt(1 - f / cut-off)`` a trip: chirps (J. Parker,
    S. Bilbao, Spring reverberation: a physical perspective, DAFx 2009, section 3). The trip back counts twice.
    """
    frames = round(_COIL_SECONDS * _MADE_RATE)
    size = 2 * frames
    hz = np.fft.rfftfreq(size, 1.0 / _MADE_RATE)
    coils = []
    for seconds, cutoff_hz in _COILS:
        below = np.minimum(hz / cutoff_hz, 0.98)
        turned = -2.0 * np.pi * np.cumsum(seconds / np.sqrt(1.0 - below)) * (hz[1] - hz[0])
        band = np.clip((cutoff_hz - hz) / (0.25 * cutoff_hz), 0.0, 1.0) * np.clip(hz / 120.0, 0.0, 1.0)
        trip = _COIL_LOSS * band * np.exp(1j * turned)
        heard = np.zeros(len(hz), complex)
        for back in range(_COIL_TRIPS):
            heard += (-1.0) ** back * trip ** (2 * back + 1)
        coils.append(np.fft.irfft(heard, size)[:frames])
    near, far = coils
    return np.stack([near + 0.4 * far, 0.4 * near - far, 0.4 * near + far, near - 0.4 * far])
