from __future__ import annotations

import numpy as np
import pytest
from master_signals import RATE, clicks, noise, quarter_rate, real_song, sine, stereo, true_peak_db

from covermaker.audio.truepeak import oversampling
from covermaker.master.blocks import BlockAnalyser, block_frames, output_meter


def analyse(
    samples: np.ndarray, *, cut: int = 1 << 16, rate: int = RATE
) -> tuple[np.ndarray, np.ndarray, int]:
    analyser = BlockAnalyser(channels=samples.shape[0], sample_rate=rate)
    for at in range(0, samples.shape[-1], cut):
        analyser.push(samples[:, at : at + cut])
    return *analyser.finish(), analyser.block


@pytest.mark.parametrize(
    ("rate", "block"), [(8000, 4), (22_050, 16), (44_100, 32), (48_000, 32), (192_000, 128)]
)
def test_a_block_lasts_about_0_7_ms(rate: int, block: int) -> None:
    assert block_frames(rate) == block
    assert oversampling(rate) * rate >= min(8 * rate, 352_800)


def test_peaks_between_samples_are_found() -> None:
    samples = quarter_rate(0.2)
    peaks, _, _ = analyse(samples)
    assert np.abs(samples).max() == pytest.approx(0.7071, abs=1e-4)
    assert peaks[4:-4] == pytest.approx(1.0, abs=0.003)


@pytest.mark.parametrize("hz", [30.0, 997.0, 5_000.0, 11_025.0, 16_000.0])
def test_a_tone_of_full_scale_reads_0_dbtp(hz: float) -> None:
    peaks, _, _ = analyse(stereo(sine(hz, 0.5)))
    assert 20.0 * np.log10(peaks[40:-40].max()) == pytest.approx(0.0, abs=0.05)


def test_noise_agrees_with_another_oversampler() -> None:
    samples = noise(5.0, level=0.1)
    peaks, _, _ = analyse(samples)
    assert 20.0 * np.log10(peaks.max()) == pytest.approx(true_peak_db(samples), abs=0.1)


def test_a_block_never_reads_below_its_samples() -> None:
    samples = noise(1.0, level=0.3)
    peaks, energies, block = analyse(samples)
    whole = samples.shape[-1] // block
    framed = samples[:, : whole * block].reshape(2, whole, block)
    assert (peaks[:whole] >= np.abs(framed).max(axis=(0, 2))).all()
    np.testing.assert_allclose(energies[:whole], (framed.astype(np.float64) ** 2).sum(axis=(0, 2)), rtol=1e-5)


@pytest.mark.parametrize("cut", [1, 31, 4096, 16_384, 70_001])
def test_the_cut_of_the_stream_does_not_matter(cut: int) -> None:
    samples = noise(0.9 if cut > 1 else 0.05, level=0.3)
    whole, pieces = analyse(samples), analyse(samples, cut=cut)
    np.testing.assert_array_equal(whole[0], pieces[0])
    np.testing.assert_array_equal(whole[1], pieces[1])


@pytest.mark.parametrize("frames", [1, 31, 32, 33, 16_383, 16_384, 16_385, 16_400, 16_416, 32_768])
def test_every_length_has_its_blocks(frames: int) -> None:
    peaks, energies, block = analyse(np.ones((1, frames), np.float32))
    assert len(peaks) == len(energies) == -(-frames // block)
    assert energies.sum() == pytest.approx(frames)


def test_nothing_gives_nothing() -> None:
    peaks, energies = BlockAnalyser(channels=2, sample_rate=RATE).finish()
    assert len(peaks) == len(energies) == 0


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000, 192_000])
@pytest.mark.parametrize(
    "samples", [noise(1.0, level=0.2), np.clip(noise(1.0, level=2.0), -1.0, 1.0), real_song(4.0), clicks(1.0)]
)
def test_the_meter_of_the_output_reads_the_highest_block(samples: np.ndarray, rate: int) -> None:
    silence = np.zeros((2, 100), np.float32)  # so that nothing rings outside
    samples = np.concatenate([silence, samples, silence], axis=1)
    meter = output_meter(2, rate)
    meter.push(samples)
    # Rows and blocks differ in length, and so may the last bit of a product.
    assert meter.finish()[1] == pytest.approx(analyse(samples, rate=rate)[0].max(), rel=1e-6)
