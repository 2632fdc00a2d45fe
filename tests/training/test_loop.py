"""Training learns, repeats itself and stops when told."""

import numpy as np
import pytest
import torch

from covermaker.errors import CovermakerError
from covermaker.training.dataset import Dataset, Example
from covermaker.training.loop import Recipe, train
from covermaker.voices.networks.base import phase_curve
from covermaker.voices.networks.ddsp import DdspConfig, DdspSynthesizer

CONFIG = DdspConfig(content_dim=4, hidden=24, inner=32, dilations=(1,), harmonic_bands=24, noise_bands=16)


def two_vowels() -> Dataset:
    """Content says which of two colours sounds: 2 kHz-heavy noise, or a dull harmonic tone."""
    rng = np.random.default_rng(0)
    examples = []
    for which in (0, 1) * 3:
        frames = 120
        time = np.arange(frames * 160) / 16_000
        if which:
            target = 0.1 * sum(np.sin(2 * np.pi * 200 * k * time) / k**2 for k in range(1, 9))
            f0_hz = np.full(frames, 200.0, np.float32)
        else:
            target = 0.1 * np.diff(rng.normal(size=len(time) + 1)) / np.sqrt(2)
            f0_hz = np.zeros(frames, np.float32)
        level = 10 * np.log10(np.mean(target**2))
        content = np.tile(np.float16([which, 1 - which, 0.5, 0.1 * which]), (frames // 2, 1))
        examples.append(
            Example(target.astype(np.float32), f0_hz, np.full(frames, level, np.float32), (content,))
        )
    return Dataset(examples, sample_rate=16_000, clip_frames=32)


def recipe(**changes: object) -> Recipe:
    return Recipe(
        **{"steps": 60, "batch_size": 4, "warm_steps": 5, "peak_rate": 1e-2, "averaging": 0.9, **changes}
    )  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_it_learns_colour_and_level() -> None:
    dataset = two_vowels()
    network = train(CONFIG, dataset, recipe(steps=120))
    singer = DdspSynthesizer(network)
    for index in (0, 1):
        take = dataset.examples[index]
        content = np.repeat(take.contents[0], 2, axis=0).astype(np.float32)
        sung = singer.render(
            content, take.f0_hz, take.loudness_db,
            phase_cycles=phase_curve(take.f0_hz), first_frame=0, seed=1,
        )  # fmt: skip
        inner = slice(20 * 160, 100 * 160)
        assert 10 * np.log10(np.mean(sung[inner] ** 2)) == pytest.approx(take.loudness_db[0], abs=2.0)
        bright = [
            np.sum(np.abs(np.fft.rfft(x[inner]))[len(x[inner]) // 8 :] ** 2)
            / np.sum(np.abs(np.fft.rfft(x[inner])) ** 2)
            for x in (sung, take.target)
        ]
        assert bright[0] == pytest.approx(bright[1], abs=0.15)


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other = (
        train(CONFIG, two_vowels(), recipe(steps=6, seed=s)).state_dict() for s in (1, 1, 2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["out.weight"], other["out.weight"])


def test_it_tells_how_far_it_is() -> None:
    told: list[float] = []
    seen: list[tuple[int, float]] = []
    train(
        CONFIG, two_vowels(), recipe(steps=200, batch_size=2),
        progress=told.append, watch=lambda step, loss, _: seen.append((step, loss)),
    )  # fmt: skip
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert [step for step, _ in seen] == [100, 200]
    assert seen[1][1] < seen[0][1]


def test_a_budget_ends_it() -> None:
    steps: list[float] = []
    train(CONFIG, two_vowels(), recipe(steps=1_000_000), seconds=1.0, progress=steps.append)
    assert 0 < len(steps) < 1000


def test_the_rate_rises_and_falls() -> None:
    plan = Recipe(steps=1000, warm_steps=100, peak_rate=1e-3, final_rate=1e-5)
    rates = [plan.rate(step) for step in range(1000)]
    assert np.argmax(rates) in (99, 100)
    assert rates[0] == pytest.approx(1e-5)
    assert rates[-1] == pytest.approx(1e-5, rel=0.05)


def test_half_precision_trains_too() -> None:
    network = train(CONFIG, two_vowels(), recipe(steps=5, half=True))
    assert all(p.dtype == torch.float32 and torch.isfinite(p).all() for p in network.parameters())


def test_a_loss_that_is_no_number_is_an_error() -> None:
    dataset = two_vowels()
    for take in dataset.examples:
        take.target[:] = np.nan
    with pytest.raises(CovermakerError, match="went astray at step 0"):
        train(CONFIG, dataset, recipe())
