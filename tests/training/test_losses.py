"""The loss hears level and colour, not phase."""

import math

import pytest
import torch

from covermaker.training.losses import SpectralLoss, mel_matrix

RATE = 16_000


def tone(hz: float, *, phase: float = 0.0, gain: float = 0.3) -> torch.Tensor:
    time = torch.arange(RATE, dtype=torch.float32) / RATE
    return (gain * torch.sin(2 * math.pi * hz * time + phase))[None]


def test_zero_for_equal_and_grows_with_the_difference() -> None:
    loss, sound = SpectralLoss(RATE), tone(300) + 0.01 * torch.randn(1, RATE, generator=torch.manual_seed(0))
    assert float(loss(sound, sound)) < 1e-6
    steps = [float(loss(sound * gain, sound)) for gain in (1.1, 1.5, 3.0)]
    assert steps == sorted(steps)
    assert steps[0] > 0.02


def test_phase_is_free_and_pitch_is_not() -> None:
    loss = SpectralLoss(RATE)
    assert float(loss(tone(440, phase=1.0), tone(440))) < 0.25 * float(loss(tone(550), tone(440)))


def test_below_the_floor_all_is_silence() -> None:
    loss = SpectralLoss(RATE)
    assert float(loss(tone(440, gain=1e-7), torch.zeros(1, RATE))) < 0.05


def test_gradients_reach_a_silent_sound() -> None:
    silent = torch.zeros(2, 4000, requires_grad=True)
    SpectralLoss(RATE)(silent, tone(300)[:, :4000].repeat(2, 1)).backward()
    assert silent.grad is not None
    assert torch.isfinite(silent.grad).all()


def test_a_batch_is_the_mean_of_its_items() -> None:
    loss, pairs = SpectralLoss(RATE), [(tone(300), tone(330)), (tone(500), tone(500, gain=0.1))]
    alone = [float(loss(a, b)) for a, b in pairs]
    together = float(loss(torch.cat([a for a, _ in pairs]), torch.cat([b for _, b in pairs])))
    assert together == pytest.approx(sum(alone) / 2, rel=1e-4)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_every_mel_band_hears_something(rate: int) -> None:
    weights = mel_matrix(1024, rate, 80)
    assert weights.shape == (80, 513)
    assert torch.allclose(weights.sum(dim=1), torch.ones(80), atol=1e-5)
    centres = weights.argmax(dim=1)
    assert (centres[1:] >= centres[:-1]).all()
