"""Working at twice the rate: what a bent curve adds above the old one does not fold back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.audio.buffer import Samples

# How many samples are worked on at once: they stay in the processor's cache through all steps.
_PIECE_SAMPLES = 4096


class HalfBand:
    """Doubles the rate of a stream and halves it again, with one linear-phase half-band filter each way.

    A half-band filter has every second weight zero, and half in the middle: of the doubled stream every even sample is
    one of the input, every odd one a weighted sum of the `reach` input samples on either side (a windowed sinc,
    Kaiser). All steps are sums and products of whole arrays in one order, so the bits do not depend on how the stream
    is cut. There and back takes ``2 reach - 1`` samples of the slow rate.

    Parameters
    ----------
    reach : int
        The weights on either side: more are steeper.
    beta : float
        The shape of the Kaiser window: more attenuate more and are less steep.
    channels : int
        Of the stream.
    """

    def __init__(self, reach: int, beta: float, channels: int) -> None:
        self.latency_samples = 2 * reach - 1
        self._reach = reach
        places = np.arange(reach) + 0.5
        window = np.i0(beta * np.sqrt(1.0 - (places / reach) ** 2)) / np.i0(beta)
        weights = np.sinc(places) * window
        weights /= 2.0 * weights.sum()  # a constant stays what it is
        self._weights = weights.astype(np.float32).tolist()
        self._slow: Samples = np.zeros((channels, 2 * reach - 1), dtype=np.float32)
        self._even: Samples = np.zeros((channels, reach - 1), dtype=np.float32)
        self._odd: Samples = np.zeros((channels, 2 * reach - 1), dtype=np.float32)

    def up(self, block: Samples) -> Samples:
        """Return the next (channels, 2 n) samples at the doubled rate."""
        frames, reach = block.shape[1], self._reach
        slow = np.concatenate([self._slow, block], axis=1)
        self._slow = slow[:, frames:].copy()
        fast = np.empty((len(block), 2 * frames), dtype=np.float32)
        fast[:, 0::2] = slow[:, reach - 1 : reach - 1 + frames]
        fast[:, 1::2] = self._between(slow, frames)
        return fast

    def down(self, fast: Samples) -> Samples:
        """Return the next (channels, n) samples at the old rate."""
        frames = fast.shape[1] // 2
        even = np.concatenate([self._even, fast[:, 0::2]], axis=1)
        odd = np.concatenate([self._odd, fast[:, 1::2]], axis=1)
        self._even, self._odd = even[:, frames:].copy(), odd[:, frames:].copy()
        made = self._between(odd, frames)
        made += even[:, :frames]
        made *= np.float32(0.5)
        return made

    def _between(self, samples: Samples, frames: int) -> Samples:
        """Return the weighted sums half-way between samples; the n-th has `reach` of them from n on before it."""
        reach = self._reach
        total = np.zeros((len(samples), frames), dtype=np.float32)
        pair = np.empty_like(total)
        for place, weight in enumerate(self._weights):
            before, behind = reach - 1 - place, reach + place
            np.add(samples[:, before : before + frames], samples[:, behind : behind + frames], out=pair)
            np.multiply(pair, np.float32(weight), out=pair)
            np.add(total, pair, out=total)
        return total


class Oversampler:
    """Runs a function at four times the rate of a stream.

    The filters ring before a sound as they do after it; what would come before the stream begins is left out.

    Parameters
    ----------
    shape : callable
        From samples at the high rate to as many, each by itself.
    channels : int
        Of the stream.
    """

    def __init__(self, shape: Callable[[Samples], Samples], channels: int) -> None:
        self._shape = shape
        self._first = HalfBand(24, 8.9, channels)
        self._second = HalfBand(8, 8.9, channels)
        # The second stage is late by an odd number of samples of twice the rate: one more makes it whole ones.
        self._spare: Samples = np.zeros((channels, 1), dtype=np.float32)
        self.latency_samples = self._first.latency_samples + (self._second.latency_samples + 1) // 2
        self._early = self.latency_samples

    def process(self, block: Samples) -> Samples:
        """Return the next block, `latency_samples` late."""
        made = np.empty_like(block)
        for start in range(0, block.shape[1], _PIECE_SAMPLES):
            piece = slice(start, start + _PIECE_SAMPLES)
            doubled = self._first.up(block[:, piece])
            doubled = self._second.down(self._shape(self._second.up(doubled)))
            joined = np.concatenate([self._spare, doubled], axis=1)
            self._spare = joined[:, -1:].copy()
            made[:, piece] = self._first.down(joined[:, :-1])
        if self._early:
            made[:, : self._early] = 0.0
            self._early -= min(self._early, block.shape[1])
        return made
