from __future__ import annotations

import numpy as np
import pytest
from master_signals import RATE, clicks, noise, quarter_rate, real_song, sine, square, stereo, true_peak_db
from numpy.typing import NDArray

from covermaker.master.blocks import BlockAnalyser
from covermaker.master.limiter import CHUNK_BLOCKS, GainCurve

CEILING_DB = -1.0


def curve_of(samples: NDArray[np.float32], *, rate: int = RATE) -> tuple[GainCurve, NDArray[np.float32]]:
    analyser = BlockAnalyser(channels=samples.shape[0], sample_rate=rate)
    analyser.push(samples)
    peaks, _ = analyser.finish()
    return GainCurve(peaks, block=analyser.block, sample_rate=rate), peaks


def limit(samples: NDArray[np.float32], *, drive_db: float) -> NDArray[np.float32]:
    curve, _ = curve_of(samples)
    drive, ceiling = 10.0 ** (drive_db / 20.0), 10.0 ** (CEILING_DB / 20.0)
    chunk = CHUNK_BLOCKS * curve.block
    return np.concatenate(
        [
            curve.apply(samples[:, index * chunk : (index + 1) * chunk], nodes, drive=drive)
            for index, nodes in enumerate(curve.nodes(drive=drive, ceiling=ceiling))
        ],
        axis=1,
    )


def all_nodes(curve: GainCurve, *, drive: float, ceiling: float) -> NDArray[np.float64]:
    """Join the chunks; the shared node must be the same on both sides."""
    joined = np.ones(1)
    for index, nodes in enumerate(curve.nodes(drive=drive, ceiling=ceiling)):
        blocks = min(CHUNK_BLOCKS, curve.blocks - index * CHUNK_BLOCKS)
        whole = np.ones(blocks + 1) if nodes is None else nodes
        assert len(whole) == blocks + 1
        assert index == 0 or joined[-1] == pytest.approx(whole[0], abs=1e-12)
        joined = np.concatenate([joined[:-1], whole])
    return joined


@pytest.mark.parametrize("drive_db", [3.0, 12.0, 30.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_gain_never_exceeds_what_a_block_requires(seed: int, drive_db: float) -> None:
    rng = np.random.default_rng(seed)
    # Long enough for several chunks; rare and dense peaks, some in the very first and last block.
    peaks = (rng.random(3 * CHUNK_BLOCKS + 77) ** (4 if seed % 2 else 60)).astype(np.float32)
    peaks[[0, -1, CHUNK_BLOCKS - 1, CHUNK_BLOCKS]] = 1.0
    curve = GainCurve(peaks, block=32, sample_rate=RATE)
    drive = 10.0 ** (drive_db / 20.0)
    nodes = all_nodes(curve, drive=drive, ceiling=1.0)
    required = np.minimum(1.0, 1.0 / (peaks.astype(np.float64) * drive + 1e-12))
    highest = np.maximum(nodes[:-1], nodes[1:])
    assert len(highest) == len(peaks)
    assert (highest <= required * (1.0 + 1e-5)).all()
    assert nodes.min() > 0.0


def test_chunks_do_not_show_in_the_gain() -> None:
    """A peak just after a chunk's border has its onset before it."""
    peaks = np.zeros(2 * CHUNK_BLOCKS, np.float32)
    here = np.zeros(2 * CHUNK_BLOCKS, np.float32)
    peaks[CHUNK_BLOCKS + 1] = here[CHUNK_BLOCKS // 2 + 1] = 2.0
    border = all_nodes(GainCurve(peaks, block=32, sample_rate=RATE), drive=1.0, ceiling=1.0)
    middle = all_nodes(GainCurve(here, block=32, sample_rate=RATE), drive=1.0, ceiling=1.0)
    shift = CHUNK_BLOCKS // 2
    np.testing.assert_allclose(border[shift : shift + 1500], middle[:1500], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "samples", "drive_db"),
    [
        ("quarter rate", quarter_rate(2.0), 6.0),
        ("square", square(997.0, 2.0), 3.0),
        ("low-passed noise", None, 12.0),
        ("clicks", clicks(2.0), 6.0),
        ("bass", stereo(sine(50.0, 2.0)), 6.0),
        ("song", real_song(10.0), 10.0),
    ],
)
def test_the_ceiling_is_kept_to_0_1_db(
    name: str, samples: NDArray[np.float32] | None, drive_db: float
) -> None:
    if samples is None:
        wide = noise(2.0, level=0.5)
        samples = ((wide[:, 2:] + 2.0 * wide[:, 1:-1] + wide[:, :-2]) / 4.0).astype(np.float32)
    limited = limit(samples, drive_db=drive_db)
    assert true_peak_db(limited) <= CEILING_DB + 0.1, name
    assert limited.shape == samples.shape
    assert limited.dtype == np.float32


def test_what_stays_below_the_ceiling_is_passed_to_the_bit() -> None:
    samples = noise(3.0, level=0.05)
    np.testing.assert_array_equal(limit(samples, drive_db=0.0), samples)


def test_a_lone_peak_leaves_the_rest_to_the_bit() -> None:
    samples = noise(12.0, level=0.05)
    samples[:, 6 * RATE] = 1.5
    limited = limit(samples, drive_db=0.0)
    changed = np.flatnonzero((limited != samples).any(axis=0)) / RATE
    assert changed.min() > 6.0 - 0.008
    assert changed.max() < 6.0 + 6.0
    # Audibly it is over much sooner: 0.5 s later less than 0.1 dB is left.
    late = round(6.5 * RATE)
    assert np.abs(limited[:, late:] / samples[:, late:]).min() > 10 ** (-0.1 / 20)


def test_both_channels_get_one_gain() -> None:
    samples = noise(2.0, level=0.1)
    samples[0] *= 8.0
    limited = limit(samples, drive_db=0.0)
    ratio = limited.astype(np.float64) / samples
    np.testing.assert_allclose(ratio[0], ratio[1], rtol=1e-5)


def test_nothing_is_delayed() -> None:
    samples = real_song(6.0)
    limited = limit(samples, drive_db=8.0)
    spectrum = np.fft.rfft(limited[0], 1 << 19) * np.conj(np.fft.rfft(samples[0], 1 << 19))
    assert int(np.argmax(np.fft.irfft(spectrum))) == 0


def distortion_db(samples: NDArray[np.float32], hz: int) -> float:
    """Return harmonics 2..40 against the fundamental, 10 s after the onset has passed."""
    steady = samples[0, RATE : 11 * RATE].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(steady * np.blackman(len(steady)))) ** 2
    power = [spectrum[10 * hz * n - 5 : 10 * hz * n + 6].sum() for n in range(1, 41)]
    return float(10.0 * np.log10(sum(power[1:]) / power[0]))


@pytest.mark.parametrize("hz", [30, 50, 100, 1000])
@pytest.mark.parametrize("drive_db", [3.0, 12.0])
def test_a_steady_tone_is_not_distorted(hz: int, drive_db: float) -> None:
    """The hold bridges the half period of everything down to 25 Hz: below -90 dB (0.003 %)."""
    assert distortion_db(limit(stereo(sine(hz, 12.0)), drive_db=drive_db), hz) < -90.0


def click_level(samples: NDArray[np.floating]) -> float:
    """Return the highest second difference: a step of the gain shows there and nowhere else for a low tone."""
    return float(np.abs(np.diff(samples[0].astype(np.float64), 2)).max())


def test_the_gain_has_no_step() -> None:
    """One loud sample in a 110 Hz tone moves the gain by 7 dB; no step of even 0.01 dB is in that move."""
    tone = sine(110.0, 6.0)
    quiet = stereo(tone * 0.3)
    loud = quiet.copy()
    loud[:, 2 * RATE] += 1.2  # one sample: makes the limiter move in the middle of the tone
    limited = limit(loud, drive_db=3.0)
    gap = slice(2 * RATE - 40, 2 * RATE + 40)
    limited[:, gap] = 0.0
    before, after = limited[:, : gap.start - 10], limited[:, gap.stop + 10 :]
    plain = click_level(quiet * 10 ** (3.0 / 20.0))
    planted = before.copy()
    planted[:, RATE + 100 :] *= 10 ** (-0.1 / 20.0)  # at a crest
    assert click_level(planted) > 20.0 * plain  # the detector finds a step of 0.1 dB
    assert click_level(before) < 0.1 * click_level(planted)
    assert click_level(after) < 0.1 * click_level(planted)


def test_a_short_and_an_odd_song() -> None:
    for frames in (1, 2, 31, 32, 33, 4410, CHUNK_BLOCKS * 32, CHUNK_BLOCKS * 32 + 1):
        samples = np.full((2, frames), 1.5, np.float32)
        limited = limit(samples, drive_db=0.0)
        assert limited.shape == samples.shape
        assert np.abs(limited).max() <= 10 ** (CEILING_DB / 20.0) + 1e-6
