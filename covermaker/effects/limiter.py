"""A limiter: nothing comes out above a ceiling, on the samples or between them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from covermaker.audio.limiting import GainShape, GainWalk, LimiterTimes, wanted_db
from covermaker.audio.truepeak import (
    CONTEXT_FRAMES,
    ROW_FRAMES,
    bs1770_interpolator,
    oversampling,
    sinc_interpolator,
)
from covermaker.effects.follower import Reduction
from covermaker.effects.glide import Glide
from covermaker.effects.spec import Spec, Value, level_gain, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

# Blocks of `ROW_FRAMES` that are looked at together: always as many, since BLAS takes other kernels for other sizes.
_BLOCKS = 64
_HOP = _BLOCKS * ROW_FRAMES
_CONTEXT = CONTEXT_FRAMES + ROW_FRAMES  # heard before a hop's own blocks, and behind them
_GRID_BLOCKS = 512 // ROW_FRAMES
# The slow stage of the release, as against the fast one: see `covermaker.audio.limiting`.
_SLOWER = 4.0
_RAMP: Samples = (np.arange(ROW_FRAMES) / ROW_FRAMES).astype(np.float32)


class Limiter:
    """A true-peak limiter with linked channels that looks ahead.

    The sound is raised by `gain_db`, then turned down around each peak so that neither a sample nor a value between
    two (by the meter of BS.1770, and by a finer one) is above `ceiling_db`. What needs no limiting passes untouched.
    The gain moves as that of the master's limiter.
    """

    HELP: ClassVar[str] = "Keeps every peak below a ceiling, also between the samples; gain_db drives it."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("gain_db", "dB", -12.0, 24.0, 0.0, help="Gain in front of the limiter: more makes it louder."),
        Spec("ceiling_db", "dB", -24.0, 0.0, -1.0, help="The highest true peak that comes out."),
        Spec("release_ms", "ms", 10.0, 1000.0, 70.0, "log", "Time to come back (63 % of the way)."),
        Spec("lookahead_ms", "ms", 1.0, 20.0, 5.0, "log", "How long before a peak it begins to turn down."),
    )
    FIXED: ClassVar[frozenset[str]] = frozenset({"lookahead_ms"})
    MOVES: ClassVar[frozenset[str]] = frozenset({"gain_db", "ceiling_db"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        release_s = number(values, "release_ms") / 1000.0
        times = LimiterTimes(
            lookahead_s=number(values, "lookahead_ms") / 1000.0,
            fast_release_s=release_s,
            slow_release_s=_SLOWER * release_s,
        )
        shape = GainShape(step_s=ROW_FRAMES / sample_rate, chunk=_BLOCKS, times=times)
        self._walk, self._matrix = GainWalk(shape), _matrix(sample_rate)
        self._drive = Glide(level_gain(number(values, "gain_db")))
        self._ceiling = Glide(level_gain(number(values, "ceiling_db")))
        # The gain at a node needs the blocks of the lookahead behind it, and one more: a node lies between two. A block
        # is looked at when what surrounds it is there: it ends one context before what has come in, rounded up to one
        # block. And the whole is late by whole cells of the grids that other effects work on.
        behind = -(-(shape.ahead + 2) // _GRID_BLOCKS) * _GRID_BLOCKS - 1
        self.latency_samples = _HOP + (1 + behind) * ROW_FRAMES
        self._over_db = np.zeros(shape.hold + behind + _BLOCKS)
        self._nodes_wanted = shape.hold + shape.ahead + _BLOCKS
        self._heard: Samples = np.zeros((channels, _HOP + _CONTEXT), np.float32)
        self._ceilings = np.full(_HOP + _CONTEXT, self._ceiling.goal)
        self._sound: Samples = np.zeros((channels, self.latency_samples + _HOP), np.float32)
        self._gains: Samples = np.ones(_HOP, np.float32)
        self._filled = 0
        self._nodes, self._sum_db, self._maximum_db = 0, 0.0, 0.0

    def process(self, block: Samples) -> Samples:
        """Return the limited sound, `latency_samples` late."""
        frames = block.shape[1]
        driven: Samples = block * np.asarray(self._drive.take(frames), np.float32)
        ceilings = np.broadcast_to(self._ceiling.take(frames), frames)
        limited = np.empty_like(driven)
        at = 0
        while at < frames:
            stop = at + min(_HOP - self._filled, frames - at)
            first, last = self._filled, self._filled + stop - at
            coming = slice(_CONTEXT + first, _CONTEXT + last)
            self._heard[:, coming], self._ceilings[coming] = driven[:, at:stop], ceilings[at:stop]
            late = self.latency_samples
            self._sound[:, late + first : late + last] = driven[:, at:stop]
            limited[:, at:stop] = self._sound[:, first:last] * self._gains[first:last]
            at, self._filled = stop, last
            if last == _HOP:
                self._decide()
        return limited

    def tail_seconds(self) -> float:
        """Return 0: what comes late is no tail."""
        return 0.0

    def reduction(self) -> Reduction:
        """Return how far it has turned down."""
        return Reduction(self._maximum_db, self._sum_db / self._nodes if self._nodes else 0.0)

    def move(self, values: Mapping[str, Value]) -> None:
        """Take another drive or ceiling."""
        if "gain_db" in values:
            self._drive.to(level_gain(number(values, "gain_db")))
        if "ceiling_db" in values:
            self._ceiling.to(level_gain(number(values, "ceiling_db")))

    def _decide(self) -> None:
        """Find the gains of the next hop, and make room for it."""
        self._over_db[:-_BLOCKS] = self._over_db[_BLOCKS:].copy()
        inner = slice(CONTEXT_FRAMES, CONTEXT_FRAMES + _HOP)
        ceilings = self._ceilings[inner].reshape(_BLOCKS, ROW_FRAMES).min(axis=1)
        self._over_db[-_BLOCKS:] = wanted_db(self._peaks() / ceilings, 1.0)
        asked = np.maximum(self._over_db[:-1], self._over_db[1:])
        nodes = self._walk.advance(asked[: self._nodes_wanted])
        self._nodes += _BLOCKS
        if nodes is None:
            self._gains = np.ones(_HOP, np.float32)
        else:
            gains = nodes.astype(np.float32)
            self._gains = (gains[:-1, None] + np.diff(gains)[:, None] * _RAMP).ravel()
            reductions_db = -20.0 * np.log10(nodes[1:])
            self._sum_db += float(reductions_db.sum())
            self._maximum_db = max(self._maximum_db, float(reductions_db.max()))
        for held in (self._heard, self._ceilings, self._sound):
            held[..., :-_HOP] = held[..., _HOP:].copy()
        self._filled = 0

    def _peaks(self) -> NDArray[np.float64]:
        """Return the true peak of each block of the hop, over all channels."""
        peaks = np.zeros(_BLOCKS, np.float32)
        own = slice(CONTEXT_FRAMES, CONTEXT_FRAMES + ROW_FRAMES)
        for channel in self._heard:
            windows = sliding_window_view(channel, ROW_FRAMES + 2 * CONTEXT_FRAMES)
            rows = np.ascontiguousarray(windows[:_HOP:ROW_FRAMES])
            between = rows @ self._matrix
            for found in (np.abs(rows[:, own]), np.abs(between)):
                peaks = np.maximum(peaks, found.max(axis=1))
        return peaks.astype(np.float64)


@lru_cache(maxsize=4)
def _matrix(sample_rate: int) -> NDArray[np.float32]:
    """Return what makes the values between the samples of a row, as the meter reads them and more finely."""
    fine = sinc_interpolator(ROW_FRAMES, oversampling(sample_rate))
    return np.concatenate([bs1770_interpolator(sample_rate), fine], axis=1)
