"""The sound of a place, taken from its impulse response."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.audio.files import probe
from covermaker.effects.filters import (
    HIGH_CUT_OFF_HZ,
    LOW_CUT_OFF_HZ,
    SectionStream,
    band_limits,
    ring_seconds,
)
from covermaker.effects.glide import Glide
from covermaker.effects.impulses import MADE, check_file, load
from covermaker.effects.lines import Line
from covermaker.effects.spec import OFF_DB, Spec, Value, file, level_gain, number, switch
from covermaker.errors import AudioInputError
from covermaker.weights.hashes import known_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

_PART = 8192  # samples of a partition
_SUB = 512  # within a partition that is still being filled
_DIRECT = 64  # so few samples are convolved one by one
# What transforms leave where there should be nothing; the response has unit energy.
_NOTHING = 1e-13
_CANCELLED = 1e-8  # of a response's energy: what is left of sides that cancel out


class Convolution:
    """The wet sound is the input convolved with an impulse response; the dry sound is added, untouched.

    A response of one channel answers left and right alike, one of two each side by itself, one of four also from
    side to side. It is scaled to unit energy for a centred sound, before the band limits, so that ``wet_db = 0`` is
    as loud as what feeds it. Nothing is late: the response begins with its own first sound.
    """

    HELP: ClassVar[str] = (
        "The sound of a place from its impulse response: a file of 1, 2 or 4 channels, or one of ours. "
        "As an insert lower wet_db; on a send bus set dry_db to -100."
    )
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (
        file(
            "impulse", MADE, "The place; or a recording of its answer to a click. Any rate: it is converted."
        ),
        Spec("length_s", "s", 0.05, 20.0, 6.0, "log", "The answer's greatest length; longer ones fade out."),
        switch("trim", True, "Leaves out the silence before the first sound of the file."),
        switch("normalise", True, "Brings the answer to unit energy; off takes the file's level as it is."),
        Spec("pre_delay_ms", "ms", 0.0, 500.0, 0.0, help="Pause before the place answers."),
        Spec(
            "low_cut_hz", "Hz", LOW_CUT_OFF_HZ, 2000.0, 150.0, "log", "Low cut of the wet sound; 20 is off."
        ),
        Spec("high_cut_hz", "Hz", 500.0, HIGH_CUT_OFF_HZ, 12000.0, "log", "High cut of it; 20000 is off."),
        Spec("wet_db", "dB", OFF_DB, 12.0, -16.0, help="Level of the wet sound; -100 is off."),
        Spec("dry_db", "dB", OFF_DB, 12.0, 0.0, help="Level of the direct sound; -100 is off."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset({"wet_db", "dry_db"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        impulse = str(values["impulse"])
        changed_ns = 0 if impulse in MADE else _changed_ns(Path(impulse))
        self._kernel = _kernel(
            impulse,
            changed_ns,
            sample_rate,
            channels,
            number(values, "length_s"),
            bool(values["trim"]),
            bool(values["normalise"]),
            number(values, "low_cut_hz"),
            number(values, "high_cut_hz"),
        )
        pre_delay = round(number(values, "pre_delay_ms") / 1000.0 * sample_rate)
        self._line = Line(pre_delay, channels)
        self._stream = Convolver(self._kernel)
        self._wet = Glide(level_gain(number(values, "wet_db")))
        self._dry = Glide(level_gain(number(values, "dry_db")))
        self._heard = number(values, "wet_db") > OFF_DB
        self._whole_tail_seconds = (pre_delay + self._kernel.frames) / sample_rate
        self._impulse, self._sample_rate = impulse, sample_rate

    @classmethod
    def content(cls, values: Mapping[str, Value]) -> dict[str, str]:
        """Return the sha256 of the file, by the parameter that names it; nothing for a place of ours.

        Raises
        ------
        AudioInputError
            When the file is none that can be used.
        """
        impulse = str(values["impulse"])
        if impulse in MADE:
            return {}
        check_file(Path(impulse))
        return {"impulse": known_hash(Path(impulse))}

    def notes(self) -> tuple[str, ...]:
        """Return what was done to the file: another rate is converted."""
        if self._impulse in MADE:
            return ()
        file = Path(self._impulse)
        rate = probe(file).sample_rate
        if rate == self._sample_rate:
            return ()
        return (f"impulse response {file.name} is at {rate} Hz: converted to {self._sample_rate} Hz",)

    def process(self, block: Samples) -> Samples:
        """Return the block with the place around it."""
        frames = block.shape[1]
        dry: Samples = block * np.asarray(self._dry.take(frames), np.float32)
        wet = self._wet.take(frames)
        if not self._heard:
            return dry
        answer = self._stream.process(self._line.process(block))
        result: Samples = dry + (answer * wet).astype(np.float32)
        return result

    def tail_seconds(self) -> float:
        """Return pre-delay and length of the response."""
        return self._whole_tail_seconds if self._heard else 0.0

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new levels; a place that was off hears from here on."""
        if "wet_db" in values:
            self._wet.to(level_gain(number(values, "wet_db")))
            self._heard = self._heard or number(values, "wet_db") > OFF_DB
        if "dry_db" in values:
            self._dry.to(level_gain(number(values, "dry_db")))


def _changed_ns(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


class Kernel:
    """An impulse response cut into partitions and transformed.

    Parameters
    ----------
    paths : mapping of (int, int) to float64 array (n,)
        The response from an input channel to an output channel, by (output, input).
    """

    def __init__(self, paths: Mapping[tuple[int, int], NDArray[np.float64]]) -> None:
        self.frames = max(len(response) for response in paths.values())
        self.channels = 1 + max(out for out, _ in paths)
        self.parts: list[dict[tuple[int, int], NDArray[np.complex128]]] = [
            {
                path: np.fft.rfft(response[at : at + _PART], 2 * _PART)
                for path, response in paths.items()
                if response[at : at + _PART].any()
            }
            for at in range(0, self.frames, _PART)
        ]
        # Of the first partition, for blocks that do not fill one: the first samples, and those behind them.
        heads = {path: response[:_SUB] for path, response in paths.items()}
        self.heads = {path: np.pad(head, (0, _SUB - len(head))) for path, head in heads.items()}
        self.head_spectra = {path: np.fft.rfft(head, 2 * _SUB) for path, head in self.heads.items()}
        self.rest_spectra = {
            path: np.fft.rfft(response[_SUB:_PART], _PART)
            for path, response in paths.items()
            if response[_SUB:_PART].any()
        }


class Convolver:
    """A stream's convolution, without delay.

    Uniformly partitioned overlap-save (F. Wefers, Partitioned convolution algorithms for real-time auralization,
    2015, chapter 5) on a grid fixed to the start of the stream. Where a block ends within a partition, the later
    partitions of the response are already known for all of it; the first is made up from what has been heard so far,
    in steps of `_SUB`. In float64, so that a different cut changes nothing that float32 could hold.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._heard = np.zeros((kernel.channels, 2 * _PART))  # the partition before, and the one being filled
        self._filled = 0
        self._spectra: list[NDArray[np.complex128] | None] = []  # of whole partitions, the latest first
        self._later: NDArray[np.float64] | None = (
            None  # what later parts of the response give to this partition
        )
        self._rest: NDArray[np.float64] | None = None  # what the first part's later samples give to this step

    def process(self, block: Samples) -> NDArray[np.float64]:
        """Return the next samples."""
        frames = block.shape[1]
        made = np.empty(block.shape)
        at = 0
        while at < frames:
            if self._filled == 0 and frames - at >= _PART:
                stop = at + _PART
                self._heard[:, _PART:] = block[:, at:stop]
                self._complete()
                made[:, at:stop] = self._sum(first=0)
            else:
                stop = at + min(frames - at, _SUB - self._filled % _SUB)
                made[:, at:stop] = self._step(block[:, at:stop])
            at = stop
        made[np.abs(made) < _NOTHING] = 0.0
        return made

    def _step(self, block: Samples) -> NDArray[np.float64]:
        """Return what comes of a block that stays within a step of `_SUB` samples."""
        count, start = block.shape[1], _PART + self._filled
        stop = start + count
        self._heard[:, start:stop] = block
        if self._later is None:
            self._later = self._sum(first=1)
        if self._rest is None:
            self._rest = self._circular(self._kernel.rest_spectra, start - _PART, _PART)[:, -_SUB:]
        within = self._filled % _SUB
        made = self._later[:, self._filled : self._filled + count] + self._rest[:, within : within + count]
        made = made + self._head(start, count)
        self._filled += count
        if self._filled % _SUB == 0:
            self._rest = None
        if self._filled == _PART:
            self._complete()
        return made

    def _head(self, start: int, count: int) -> NDArray[np.float64]:
        """Return what the first `_SUB` samples of the response give, for `count` samples from `start`."""
        if count > _DIRECT:
            # The step's samples and those before them; what follows is not known yet, and not asked for.
            at = start - start % _SUB
            made = self._circular(self._kernel.head_spectra, at - _SUB, 2 * _SUB, until=start + count)
            return made[:, _SUB + start - at : _SUB + start - at + count]
        made = np.zeros((self._kernel.channels, count))
        for (out, source), head in self._kernel.heads.items():
            made[out] += np.convolve(self._heard[source, start - _SUB + 1 : start + count], head, "valid")
        return made

    def _circular(
        self,
        spectra: Mapping[tuple[int, int], NDArray[np.complex128]],
        start: int,
        size: int,
        *,
        until: int | None = None,
    ) -> NDArray[np.float64]:
        heard = self._heard[:, start : start + size]
        if until is not None:
            heard = heard.copy()
            heard[:, until - start :] = 0.0
        made = np.zeros((self._kernel.channels, size))
        if heard.any():
            spectrum = np.fft.rfft(heard)
            summed = np.zeros_like(spectrum)
            for (out, source), response in spectra.items():
                summed[out] += spectrum[source] * response
            made = np.fft.irfft(summed, size)
        return made

    def _complete(self) -> None:
        """Transform the partition that has been filled, and begin the next."""
        self._spectra.insert(0, np.fft.rfft(self._heard) if self._heard.any() else None)
        del self._spectra[len(self._kernel.parts) :]
        self._heard[:, :_PART] = self._heard[:, _PART:]
        self._heard[:, _PART:] = 0.0
        self._filled = 0
        self._later = self._rest = None

    def _sum(self, *, first: int) -> NDArray[np.float64]:
        """Return what the response from partition `first` on gives to a partition of the stream."""
        summed: NDArray[np.complex128] | None = None
        for spectrum, part in zip(self._spectra, self._kernel.parts[first:], strict=False):
            if spectrum is None:
                continue
            if summed is None:
                summed = np.zeros_like(spectrum)
            for (out, source), response in part.items():
                summed[out] += spectrum[source] * response
        if summed is None:
            return np.zeros((self._kernel.channels, _PART))
        return np.fft.irfft(summed, 2 * _PART)[:, _PART:]


@lru_cache(maxsize=4)
def _kernel(
    impulse: str,
    changed_ns: int,
    sample_rate: int,
    channels: int,
    seconds: float,
    trim: bool,
    normalise: bool,
    low_cut_hz: float,
    high_cut_hz: float,
) -> Kernel:
    """Return the response of a place as the convolver takes it; the band limits are part of it."""
    response = load(impulse, sample_rate, seconds=seconds, trim=trim)
    paths = _paths(response, channels)
    if normalise:
        gain = 1.0 / math.sqrt(_energy(paths, channels, response))
        paths = {path: one * gain for path, one in paths.items()}
    sections = band_limits(low_cut_hz, high_cut_hz, sample_rate=sample_rate)
    if len(sections):
        ring = np.zeros((1, math.ceil(ring_seconds(sections, sample_rate=sample_rate) * sample_rate)))
        paths = {
            path: SectionStream(sections, 1).process(np.concatenate([one[np.newaxis], ring], axis=1))[0]
            for path, one in paths.items()
        }
    return Kernel(paths)


def _energy(
    paths: Mapping[tuple[int, int], NDArray[np.float64]], channels: int, response: NDArray[np.float64]
) -> float:
    """Return the mean energy of the outputs for a centred sound; where that cancels, for sides that differ.

    Raises
    ------
    AudioInputError
        When one channel would hear next to nothing of the response.
    """
    nothing = _CANCELLED * float(np.square(response).sum())
    centred = [sum(one for (out, _), one in paths.items() if out == channel) for channel in range(channels)]
    apart = list(paths.values())
    for made in (centred, apart):
        energy = sum(float(np.square(one).sum()) for one in made) / channels
        if energy > nothing:
            return energy
    raise AudioInputError(
        "the two sides of the impulse response cancel out on one channel",
        hint="take a file of one channel, or put the effect on a stereo channel; normalise = false takes it as it is",
    )


def _paths(response: NDArray[np.float64], channels: int) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Return a response by (output, input); one channel hears the mean of both sides."""
    if channels == 1:
        return {(0, 0): response.sum(axis=0) / min(2, len(response))}
    if len(response) == 4:
        return {(0, 0): response[0], (1, 0): response[1], (0, 1): response[2], (1, 1): response[3]}
    return {(0, 0): response[0], (1, 1): response[-1]}
