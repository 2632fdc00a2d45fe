"""Level steps: where scaling what came before explains what comes after.

Places are suspected on two grounds, and tried out by a linear prediction of the surroundings: one period of a sound
with a pitch stands apart from its predecessor; or the prediction fails at one place far more than around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW_SECONDS = 0.032
HOP_SECONDS = 0.004
COARSE_HZ = 16_000  # about the rate at which periods are found and compared
LOW_HZ, HIGH_HZ = 70.0, 900.0
REPEATS = 0.8  # normalised correlation one period on: below, there is no pitch
ALIKE = 0.6  # of all six periods around a step, each with the next
AUDIBLE = 0.003
EXCESS_DB = 0.5  # of the one ratio over all its neighbours
LEAST_DB = 2.5
EXPLAINED = 3.0  # times less unpredicted energy once the earlier samples are scaled …
APART = 0.6  # … by a period whose ratio stands that far, as a share of itself, above all its neighbours' …
AGREE_DB = 1.5  # … and is the height that explains the samples
EXPLAINED_WELL = 5.0  # the same where the periods around say less: in a burst of growth, or beside a step
EXPLAINED_ALONE = 10.0  # the same without the witness of a period
MOST_DB = 14.0  # more is an impulse: it looks scaled, too
BURST_HOP_SECONDS = 0.01
BURST_BIN_SECONDS = 0.002
BURST_BINS = 10  # to either side
BURST_TIMES = 3.0
MODEL_SECONDS = 0.02
SLACK_SECONDS = 0.001
PERIODS = 3  # to either side


def find_level_steps(samples: NDArray[np.float64], rate: int) -> list[tuple[int, float]]:
    """Return sample and height in dB of each step of one channel."""
    stride = max(1, rate // COARSE_HZ)
    count = len(samples) // stride
    coarse = samples[: count * stride].reshape(count, stride).mean(axis=1)
    slack = round(SLACK_SECONDS * rate)
    found = []
    for first, last, ratio_db, excess_db in _suspects(coarse, rate / stride):
        place = first * stride - slack, last * stride + stride + slack
        explained, height_db, at = _scaled_at(samples, *place, rate)
        # A vowel that turns into a hum excites its samples anew at one instant, too, but its level goes on.
        level = excess_db >= APART * abs(ratio_db) and abs(height_db - ratio_db) <= AGREE_DB
        enough = EXPLAINED if level else EXPLAINED_WELL
        if height_db * ratio_db > 0 and abs(height_db) >= LEAST_DB and explained >= enough:
            found.append((at, height_db))
    for burst in _bursts(samples, rate):
        explained, height_db, at = _scaled_at(samples, burst - slack, burst + slack, rate)
        if LEAST_DB <= abs(height_db) <= MOST_DB and explained >= EXPLAINED_ALONE:
            found.append((at, height_db))
    return found


def _bursts(samples: NDArray[np.float64], rate: int) -> list[int]:
    """Return places where prediction from frame to frame fails several times more than it does around them."""
    order = _order(rate)
    hop = round(BURST_HOP_SECONDS * rate)
    width = 4 * hop
    count = len(samples) // hop + 1
    if len(samples) < width:
        return []
    padded = np.pad(samples, (width // 2, width))
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[::hop][:count] * np.hanning(width)
    size = 1 << (2 * width).bit_length()
    lags = np.fft.irfft(np.abs(np.fft.rfft(frames, size, axis=1)) ** 2, axis=1)[:, : order + 1]
    lags[:, 0] = lags[:, 0] * (1.0 + 1e-4) + 1e-9
    toeplitz = lags[:, np.abs(np.arange(order)[:, None] - np.arange(order))]
    models = np.linalg.solve(toeplitz, lags[:, 1:, None])[..., 0]
    past = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (order, 0)), order + 1)
    missed = np.zeros(len(samples))
    for number, model in enumerate(models):
        here = slice(max(0, number * hop - hop // 2), number * hop - hop // 2 + hop)
        missed[here] = past[here, -1] - past[here, -2::-1] @ model
    energy = _sums(missed * missed, order)
    bin_samples = max(8, round(BURST_BIN_SECONDS * rate))
    bins = len(energy) // bin_samples
    binned = energy[: bins * bin_samples].reshape(bins, bin_samples)
    highest = binned.max(axis=1)
    near = np.pad(highest, BURST_BINS, mode="reflect" if bins > BURST_BINS else "edge")
    around = np.median(np.lib.stride_tricks.sliding_window_view(near, 2 * BURST_BINS + 1), axis=1)
    loud = (
        _sums(np.pad(samples * samples, hop), 2 * hop)[np.arange(bins) * bin_samples] > 2 * hop * AUDIBLE**2
    )
    standing_out = np.flatnonzero((highest > BURST_TIMES * around) & loud)
    return [int(at) for at in standing_out * bin_samples + binned.argmax(axis=1)[standing_out]]


def _suspects(samples: NDArray[np.float64], rate: float) -> list[tuple[int, int, float, float]]:
    """Return each stretch where one period's level stands apart from the one before.

    First and last sample, the step between the two in dB, and by how much it exceeds all those around.
    """
    hop, window = round(HOP_SECONDS * rate), round(WINDOW_SECONDS * rate)
    places: list[tuple[int, float, float]] = []
    for frame, period in _periods(samples, rate, hop, window):
        start = frame * hop + window // 2
        if start < PERIODS * period or start + hop + PERIODS * period > len(samples):
            continue
        near = samples[start - PERIODS * period : start + hop + PERIODS * period]
        powers = _sums(near * near, period)  # at m: of the period that begins there
        together = _sums(near[:-period] * near[period:], period)
        grid = np.arange(hop)[:, None] + period * np.arange(2 * PERIODS)
        power = np.maximum(powers[grid], 1e-12)
        ratios_db = 10.0 * np.log10(power[:, 1:] / power[:, :-1])
        alike = together[grid[:, :-1]] / np.sqrt(power[:, 1:] * power[:, :-1])
        middle = PERIODS - 1
        others = np.abs(np.delete(ratios_db, middle, axis=1)).max(axis=1)
        excess = np.abs(ratios_db[:, middle]) - others
        good = (excess > EXCESS_DB) & (alike.min(axis=1) > ALIKE) & (power.min(axis=1) > period * AUDIBLE**2)
        places += [
            (start + int(n), float(excess[n]), float(ratios_db[n, middle])) for n in np.flatnonzero(good)
        ]
    stretches: list[tuple[int, int, float, float]] = []
    for at, excess_db, ratio_db in places:
        if stretches and at - stretches[-1][1] < HOP_SECONDS * rate:
            first, _, *kept = stretches[-1]
            best, step_db = max((kept[1], kept[0]), (excess_db, ratio_db))
            stretches[-1] = (first, at, step_db, best)
        else:
            stretches.append((at, at, ratio_db, excess_db))
    return stretches


def _periods(samples: NDArray[np.float64], rate: float, hop: int, window: int) -> list[tuple[int, int]]:
    """Return number and period in samples of each frame with a pitch, by normalised cross-correlation."""
    low, high = int(rate / HIGH_HZ), int(rate / LOW_HZ)
    if len(samples) < window + high:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(samples, window + high)[::hop]
    size = 1 << (2 * window + high).bit_length()
    found = []
    for begin in range(0, len(frames), 256):
        some = frames[begin : begin + 256]
        heads = np.fft.rfft(some[:, :window], size, axis=1)
        product = np.fft.irfft(np.conj(heads) * np.fft.rfft(some, size, axis=1), size, axis=1)[:, : high + 1]
        energy = np.concatenate((np.zeros((len(some), 1)), np.cumsum(some * some, axis=1)), axis=1)
        lagged = energy[:, window:] - energy[:, : high + 1]
        likeness = product / np.sqrt(energy[:, window, None] * lagged + 1e-12)
        likeness[:, :low] = 0.0
        best = likeness.max(axis=1)
        peak = np.zeros(likeness.shape, dtype=bool)
        peak[:, 1:-1] = (likeness[:, 1:-1] >= likeness[:, :-2]) & (likeness[:, 1:-1] >= likeness[:, 2:])
        # The shortest that is nearly the best: two periods repeat as well as one.
        lags = np.argmax(peak & (likeness >= 0.95 * best[:, None]), axis=1)
        found += [(begin + int(k), int(lags[k])) for k in np.flatnonzero((best >= REPEATS) & (lags >= low))]
    return found


def _scaled_at(samples: NDArray[np.float64], first: int, last: int, rate: int) -> tuple[float, float, int]:
    """Find the sample at which scaling all that comes before explains best what comes after.

    Returns
    -------
    explained : float
        Unpredicted energy as it is, over that with the best scaling.
    height_db : float
        Level after over level before.
    at : int
    """
    order = _order(rate)
    first, last = max(first, order), min(last, len(samples) - order)
    reach = round(MODEL_SECONDS * rate)
    model = _all_pole(samples[max(0, first - reach) : last + reach], order)
    if last <= first or model is None:
        return 0.0, 0.0, first
    # Row k of a place's matrix: what each of the `order` samples before sample at + k, and itself, adds to the error.
    spans = np.lib.stride_tricks.sliding_window_view(samples[first - order : last + order], order + 1)
    rows = np.arange(last - first)[:, None] + np.arange(order)
    parts = spans[rows] * model[::-1]
    earlier = np.arange(order)[:, None] + np.arange(order + 1) < order
    before, after = (parts * earlier).sum(axis=2), (parts * ~earlier).sum(axis=2)
    power = (before * before).sum(axis=1)
    scale = -(before * after).sum(axis=1) / np.maximum(power, 1e-20)
    as_it_is = ((before + after) ** 2).sum(axis=1)
    scaled = ((scale[:, None] * before + after) ** 2).sum(axis=1)
    explained = np.where((scale > 0) & (power > 1e-14), as_it_is / (scaled + 1e-12), 0.0)
    best = int(explained.argmax())
    height_db = 20.0 * float(np.log10(scale[best])) if scale[best] > 0 else 0.0
    return float(explained[best]), height_db, first + best


def _order(rate: int) -> int:
    return 24 if rate > 20_000 else rate // 1000 + 4


def _all_pole(samples: NDArray[np.float64], order: int) -> NDArray[np.float64] | None:
    """Fit a linear prediction by least squares (covariance method): 1 and minus the coefficients, newest first."""
    if len(samples) < 3 * order:
        return None
    rows = np.lib.stride_tricks.sliding_window_view(samples, order + 1)
    past, now = rows[:, -2::-1], rows[:, -1]
    moments = past.T @ past
    moments[np.diag_indices(order)] *= 1.0 + 1e-4
    moments[np.diag_indices(order)] += 1e-12
    return np.concatenate(([1.0], -np.linalg.solve(moments, past.T @ now)))


def _sums(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the sum of `width` values from each place on."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(total[width:] - total[:-width])
