"""Second-order sections: their design, and running them over a stream."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from covermaker.audio.buffer import Samples

Sections: TypeAlias = NDArray[np.float64]  # (sections, 6): b0 b1 b2 a0 a1 a2

# The stream is worked on in chunks on a fixed grid, a chunk as rows of samples: every product then has one shape,
# wherever the stream is cut, and the result the same bits.
_ROW_SAMPLES = 32
_ROWS = 256
_CHUNK_SAMPLES = _ROWS * _ROW_SAMPLES
# Whole chunks share their products, of unchanged shape: fewer and longer calls let other threads work meanwhile.
_CHUNKS_AT_ONCE = 4
# States and powers below this are zero: a filter that rings out into digital silence would otherwise crawl through
# denormal numbers.
_TINY = 1e-20


def usable_hz(frequency_hz: float, sample_rate: int) -> float:
    """Keep a corner frequency below the Nyquist frequency, where filters turn unstable."""
    return min(frequency_hz, 0.49 * sample_rate)


def butterworth(
    kind: Literal["highpass", "lowpass"], cutoff_hz: float, *, order: int, sample_rate: int
) -> Sections:
    """Design a Butterworth filter: −3 dB at `cutoff_hz`, 6 dB per octave and order.

    The poles of the analogue filter in pairs, each through the bilinear transform with the corner kept in its place;
    an odd order has one section of first order.
    """
    omega = 2 * math.pi * usable_hz(cutoff_hz, sample_rate) / sample_rate
    cosine, sine = math.cos(omega), math.sin(omega)
    side = 1.0 if kind == "lowpass" else -1.0
    parts = []
    for pair in range(order // 2):
        alpha = sine * math.sin(math.pi * (2 * pair + 1) / (2 * order))
        edge = (1 - side * cosine) / 2
        parts.append(_section(edge, 2 * side * edge, edge, 1 + alpha, -2 * cosine, 1 - alpha))
    if order % 2:
        warped = math.tan(omega / 2)
        edge = warped if kind == "lowpass" else 1.0
        parts.append(_section(edge, side * edge, 0.0, warped + 1, warped - 1, 0.0))
    return np.concatenate(parts)


def bell(frequency_hz: float, gain_db: float, q: float, *, sample_rate: int) -> Sections:
    """Design a peaking equaliser (R. Bristow-Johnson, Audio EQ Cookbook): `gain_db` at its centre."""
    amplitude, cosine, alpha = _cookbook(frequency_hz, gain_db, q, sample_rate)
    up, down = alpha * amplitude, alpha / amplitude
    return _section(1 + up, -2 * cosine, 1 - up, 1 + down, -2 * cosine, 1 - down)


def band_pass(frequency_hz: float, q: float, *, sample_rate: int) -> Sections:
    """Design a band-pass that is 0 dB and without a turn of phase at its centre (same source)."""
    _, cosine, alpha = _cookbook(frequency_hz, 0.0, q, sample_rate)
    return _section(alpha, 0.0, -alpha, 1 + alpha, -2 * cosine, 1 - alpha)


def shelf(kind: Literal["low", "high"], frequency_hz: float, gain_db: float, *, sample_rate: int) -> Sections:
    """Design a shelf without overshoot (same source, Q 0.7071): half of `gain_db` at its corner."""
    amplitude, cosine, alpha = _cookbook(frequency_hz, gain_db, math.sqrt(0.5), sample_rate)
    sign = 1.0 if kind == "low" else -1.0
    root = 2 * math.sqrt(amplitude) * alpha
    plus, minus = amplitude + 1, amplitude - 1
    return _section(
        amplitude * (plus - sign * minus * cosine + root),
        2 * sign * amplitude * (minus - sign * plus * cosine),
        amplitude * (plus - sign * minus * cosine - root),
        plus + sign * minus * cosine + root,
        -2 * sign * (minus + sign * plus * cosine),
        plus + sign * minus * cosine - root,
    )


def ring_seconds(sections: Sections, *, sample_rate: int) -> float:
    """Return how long the filter rings until it has fallen by 120 dB, from its slowest pole."""
    radius = max((float(np.abs(np.roots(row[3:])).max()) for row in sections), default=0.0)
    return 0.0 if radius <= 0.0 else -math.log(1e6) / math.log(min(radius, 1.0 - 1e-9)) / sample_rate


class SectionStream:
    """Second-order sections with their state, over (channels, n) blocks of one stream.

    The cascade runs as one state-space system (A, B, C, D) by matrix products, in float64: at low corners the
    coefficients need it. With x a row of samples and s the state before it, the row's output is T x + O s, T holding
    the impulse response; the states of all rows follow by doubling: after step k each holds what the last 2^k rows
    left. scipy's recursion takes as long, and half a second to import.
    """

    def __init__(self, sections: Sections, channels: int) -> None:
        a, b, c, d = _state_space(sections)
        self._state = np.zeros((channels, len(b)))
        self._held = np.zeros((channels, _CHUNK_SAMPLES))
        self._filled = 0
        powers = [np.eye(len(b))]
        for _ in range(_ROW_SAMPLES):
            powers.append(powers[-1] @ a)
        response = np.array([d, *(c @ power @ b for power in powers[: _ROW_SAMPLES - 1])])
        toeplitz = np.zeros((_ROW_SAMPLES, _ROW_SAMPLES))
        for sample in range(_ROW_SAMPLES):
            toeplitz[sample, sample:] = response[: _ROW_SAMPLES - sample]
        left = np.stack([powers[_ROW_SAMPLES - 1 - sample] @ b for sample in range(_ROW_SAMPLES)])
        self._into = _calm(np.concatenate([toeplitz, left], axis=1))  # (row, row + states)
        self._out = _calm(np.stack([c @ power for power in powers[:_ROW_SAMPLES]], axis=1))  # (states, row)
        rows = [np.eye(len(b))]
        for _ in range(_ROWS):
            rows.append(rows[-1] @ powers[_ROW_SAMPLES])
        self._doubling = [(2**k, _calm(rows[2**k].T)) for k in range(_ROWS.bit_length() - 1)]
        self._carry = _calm(np.concatenate([row.T for row in rows[1:]], axis=1))  # (states, rows * states)

    def process(self, block: Samples | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the filtered block."""
        frames = block.shape[-1]
        filtered = np.empty(block.shape)
        done = 0
        while done < frames:
            whole = min((frames - done) // _CHUNK_SAMPLES, _CHUNKS_AT_ONCE)
            if whole and not self._filled:
                stop = done + whole * _CHUNK_SAMPLES
                self._state = self._chunks(block[:, done:stop], filtered[:, done:stop])[:, -1]
                done = stop
                continue
            start = self._filled
            stop = min(_CHUNK_SAMPLES, start + frames - done)
            self._held[:, start:stop] = block[:, done : done + stop - start]
            made = np.empty_like(self._held)
            after = self._chunks(self._held, made)
            filtered[:, done : done + stop - start] = made[:, start:stop]
            done += stop - start
            self._filled = stop % _CHUNK_SAMPLES
            if not self._filled:
                self._state = after[:, -1]
                self._held[:] = 0.0
        return filtered

    def state(self) -> NDArray[np.float64]:
        """Return the state after the last sample, (channels, 2 a section); the stream must stand at a row's end.

        Raises
        ------
        ValueError
            In the middle of a row.
        """
        rows, rest = divmod(self._filled, _ROW_SAMPLES)
        if rest:
            raise ValueError(f"the state is known every {_ROW_SAMPLES} samples")
        if not rows:
            return self._state
        return self._chunks(self._held, np.empty_like(self._held))[:, rows - 1]

    def _chunks(
        self, samples: Samples | NDArray[np.float64], made: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Fill `made` with the output of whole chunks, zeros standing in for what is still to come.

        Return the states (channels, rows, states) after every row of the last of them.
        """
        channels, states = self._state.shape
        count = samples.shape[1] // _CHUNK_SAMPLES
        shape = (channels, count, _ROWS)
        rows, product, after, before, step = (room[:, :count] for room in _ROOMS.of(channels, states))
        np.copyto(rows, samples.reshape(*shape, _ROW_SAMPLES))
        np.matmul(rows, self._into, out=product)
        after[...] = product[..., _ROW_SAMPLES:]  # (channels, chunks, rows, states), left by each row
        for distance, power in self._doubling:
            shorter = step[:, :, :-distance]
            np.matmul(after[:, :, :-distance], power, out=shorter)
            after[:, :, distance:] += shorter
        state = self._state
        for chunk in range(count):
            before[:, chunk, 0] = state
            after[:, chunk] += (state[:, np.newaxis] @ self._carry).reshape(channels, _ROWS, states)
            state = _calm(after[:, chunk, -1])
        before[:, :, 1:] = after[:, :, :-1]
        np.matmul(before, self._out, out=rows)
        np.add(product[..., :_ROW_SAMPLES], rows, out=made.reshape(*shape, _ROW_SAMPLES))
        return _calm(after[:, -1])


class _Rooms(threading.local):
    """The arrays that filters of one size work in, the same ones every time, for each thread.

    Fresh ones of this size would be asked of the system, and cleared by it, for every block; these stay in the
    processor's cache from one filter to the next.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], list[NDArray[np.float64]]] = {}

    def of(self, channels: int, states: int) -> list[NDArray[np.float64]]:
        """Return five arrays (channels, chunks, rows, ...): for samples, products, and three for states."""
        if (channels, states) not in self._made:
            chunks = (channels, _CHUNKS_AT_ONCE, _ROWS)
            sizes = (_ROW_SAMPLES, _ROW_SAMPLES + states, states, states, states)
            self._made[channels, states] = [np.empty((*chunks, size)) for size in sizes]
        return self._made[channels, states]


_ROOMS = _Rooms()


def _state_space(sections: Sections) -> tuple[NDArray[np.float64], ...]:
    """Chain sections, each in transposed direct form II, to one system: A (n, n), B (n,), C (n,), D ()."""
    a, b, c, d = np.zeros((0, 0)), np.zeros(0), np.zeros(0), np.ones(())
    for b0, b1, b2, a0, a1, a2 in sections:
        gain, n = b0 / a0, len(b)
        entry = np.array([b1 - a1 * gain, b2 - a2 * gain]) / a0
        joined = np.zeros((n + 2, n + 2))
        joined[:n, :n] = a
        joined[n:, :n] = np.outer(entry, c)
        joined[n:, n:] = [[-a1 / a0, 1.0], [-a2 / a0, 0.0]]
        a, b, c, d = joined, np.concatenate([b, entry * d]), np.concatenate([c * gain, [1.0, 0.0]]), d * gain
    return a, b, c, d


def _calm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with the tiny ones set to zero."""
    return np.where(np.abs(values) < _TINY, 0.0, values)


# Cut-offs at these ends of their range are off: the band is passed untouched.
LOW_CUT_OFF_HZ = 20.0
HIGH_CUT_OFF_HZ = 20000.0


def band_limits(low_cut_hz: float, high_cut_hz: float, *, sample_rate: int) -> Sections:
    """Design the 12 dB per octave low and high cut of an effect's wet path; either may be off."""
    parts = [np.zeros((0, 6))]
    if low_cut_hz > LOW_CUT_OFF_HZ:
        parts.append(butterworth("highpass", low_cut_hz, order=2, sample_rate=sample_rate))
    if high_cut_hz < HIGH_CUT_OFF_HZ:
        parts.append(butterworth("lowpass", high_cut_hz, order=2, sample_rate=sample_rate))
    return np.concatenate(parts)


def _cookbook(frequency_hz: float, gain_db: float, q: float, sample_rate: int) -> tuple[float, float, float]:
    omega = 2 * math.pi * usable_hz(frequency_hz, sample_rate) / sample_rate
    return 10.0 ** (gain_db / 40.0), math.cos(omega), math.sin(omega) / (2 * q)


def _section(b0: float, b1: float, b2: float, a0: float, a1: float, a2: float) -> Sections:
    return np.array([[b0, b1, b2, a0, a1, a2]]) / a0
