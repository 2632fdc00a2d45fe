"""Parameters that move: no clicks, and the figures of the slow sweeps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from effect_signals import RATE

from covermaker.effects import EFFECTS
from covermaker.effects.delay import Delay
from covermaker.effects.filters import butterworth
from covermaker.effects.gain import Gain
from covermaker.effects.glide import Glide
from covermaker.effects.lines import TapLoop
from covermaker.effects.moving import IDENTITY, MovingSections
from covermaker.effects.spec import MOVE_SAMPLES, OFF_DB, Movable, Value, defaults

if TYPE_CHECKING:
    from covermaker.effects.spec import Effect


def made(name: str, row: dict[str, Value], channels: int = 1) -> Effect:
    kind = EFFECTS.load(name)
    return kind(defaults(kind.SPECS) | row, RATE, channels)


def swept(effect: Effect, parameter: str, ends: tuple[float, float], sound: np.ndarray) -> np.ndarray:
    """The sound while the parameter goes from end to end, in a straight line; low to high Hz as a fader goes."""
    assert isinstance(effect, Movable)
    frames = sound.shape[1]
    start, end = ends
    out = []
    for at in range(0, frames, MOVE_SAMPLES):
        part = min(1.0, (at + MOVE_SAMPLES) / frames)
        value = start * (end / start) ** part if parameter.endswith("_hz") else start + (end - start) * part
        effect.move({parameter: value})
        out.append(effect.process(sound[:, at : at + MOVE_SAMPLES].copy()))
    return np.concatenate(out, axis=1)


def above_5_khz_db(sound: np.ndarray) -> float:
    """The peak above 5 kHz from the second second on; the ends faded so that they do not count."""
    part = sound[0, RATE:].astype(np.float64)
    edge = RATE // 2
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / edge)
    part[:edge] *= ramp
    part[-edge:] *= ramp[::-1]
    spectrum = np.fft.rfft(part)
    spectrum[: round(5000 * len(part) / RATE)] = 0.0
    return 20.0 * math.log10(max(float(np.abs(np.fft.irfft(spectrum, len(part))).max()), 1e-12))


SWEEPS: list[tuple[str, dict[str, Value], str, tuple[float, float]]] = [
    ("gain", {}, "gain_db", (-60.0, 0.0)),
    ("eq", {"band2_hz": 500.0}, "band2_db", (-18.0, 18.0)),
    ("eq", {"band2_db": 12.0}, "band2_hz", (100.0, 10000.0)),
    ("eq", {}, "low_cut_hz", (20.0, 2000.0)),
    ("high_pass", {}, "cutoff_hz", (50.0, 2000.0)),
    ("compressor", {}, "threshold_db", (0.0, -40.0)),
    ("compressor", {"threshold_db": -30.0}, "makeup_db", (0.0, 24.0)),
    ("gate", {"threshold_db": -50.0}, "threshold_db", (-50.0, -2.0)),
    ("delay", {}, "time_ms", (200.0, 400.0)),
    ("delay", {"wet_db": 0.0, "feedback": 0.5, "high_cut_hz": 20000.0}, "time_ms", (200.0, 400.0)),
]


@pytest.mark.parametrize(("name", "row", "parameter", "ends"), SWEEPS)
def test_a_sweep_of_10_s_leaves_nothing_above_minus_70_db(
    name: str, row: dict[str, Value], parameter: str, ends: tuple[float, float]
) -> None:
    """The tone that shows it: 440 Hz at 0.3, where a setting at rest leaves nothing above 5 kHz."""
    time = np.arange(10 * RATE) / RATE
    sound = (0.3 * np.minimum(1.0, time) * np.sin(2 * math.pi * 440.0 * time))[None].astype(np.float32)
    for value in ends:
        assert above_5_khz_db(made(name, {**row, parameter: value}).process(sound)) < -90.0
    moving_db = above_5_khz_db(swept(made(name, {**row, parameter: ends[0]}), parameter, ends, sound))
    assert moving_db < -75.0


@pytest.mark.parametrize(
    ("name", "row", "target"),
    [
        ("gain", {}, {"gain_db": -12.0}),
        ("eq", {"band2_hz": 500.0}, {"band2_db": 12.0}),
        ("high_pass", {"cutoff_hz": 40.0}, {"cutoff_hz": 600.0}),
        ("low_pass", {"cutoff_hz": 9000.0}, {"cutoff_hz": 1000.0}),
        ("width", {}, {"mid_db": -12.0}),
        ("delay", {"time_ms": 100.0, "wet_db": 0.0, "high_cut_hz": 20000.0}, {"time_ms": 203.7}),
    ],
)
def test_a_jump_is_no_step(name: str, row: dict[str, Value], target: dict[str, Value]) -> None:
    """From one sample to the next the sound changes no faster than a sine of twice its size would."""
    time = np.arange(2 * RATE) / RATE
    sound = (0.3 * np.minimum(1.0, 5 * time) * np.sin(2 * math.pi * 440.0 * time))[None].astype(np.float32)
    effect = made(name, row)
    assert isinstance(effect, Movable)
    half = RATE // MOVE_SAMPLES * MOVE_SAMPLES
    before = effect.process(sound[:, :half].copy())
    effect.move(target)
    out = np.concatenate([before, effect.process(sound[:, half:].copy())], axis=1)
    largest = float(np.abs(out[0, half - 2000 : half + 2000]).max())
    assert np.abs(np.diff(out[0, half - 2000 : half + 2000])).max() < 2 * largest * 2 * math.pi * 440.0 / RATE


def test_a_gain_arrives_after_64_samples_in_a_straight_line() -> None:
    effect = Gain({"gain_db": 0.0}, RATE, 1)
    ones = np.ones((1, 200), np.float32)
    effect.process(ones)
    effect.move({"gain_db": OFF_DB})
    out = effect.process(ones)[0]
    assert np.allclose(out[:64], 1.0 - np.arange(1, 65) / 64, atol=1e-7)
    assert not out[63:].any()


def test_a_glide_that_is_turned_round() -> None:
    glide = Glide(0.0, 4)
    glide.to(4.0)
    assert np.array_equal(glide.take(2), [1.0, 2.0])
    glide.to(0.0)
    assert np.array_equal(glide.take(6), [1.5, 1.0, 0.5, 0.0, 0.0, 0.0])
    assert glide.take(3) == 0.0


@pytest.mark.parametrize("order", [2, 4, 8])
def test_a_filter_that_moves_on_takes_over_the_state(order: int) -> None:
    """From a stream of matrix products to a recursion in the middle of a chunk: the sound goes on."""
    sections = butterworth("highpass", 60.0, order=order, sample_rate=RATE)
    noise = np.random.default_rng(order).standard_normal((2, 20000))
    expected = MovingSections(sections, 2).process(noise)
    nearly = np.array([1 + 1e-12] * 3 + [1.0] * 3)  # other bits, the same filter
    for at in (64, 5056, 8192, 12800):
        moving = MovingSections(sections, 2)
        first = moving.process(noise[:, :at])
        moving.move(sections * nearly)
        joined = np.concatenate([first, moving.process(noise[:, at:])], axis=1)
        assert np.abs(joined - expected).max() < 1e-7


def test_a_section_that_is_off_can_be_switched_on() -> None:
    """The end of the fade: the filter as it would have been, once its start is forgotten."""
    section = butterworth("lowpass", 2000.0, order=2, sample_rate=RATE)
    noise = np.random.default_rng(0).standard_normal((1, 9000))
    moving = MovingSections(IDENTITY, 1)
    assert moving.idle
    assert moving.process(noise[:, :640]) is not None
    moving.move(section)
    assert not moving.idle
    out = moving.process(noise[:, 640:])
    assert np.abs(out[:, 2000:] - MovingSections(section, 1).process(noise)[:, 2640:]).max() < 1e-9


def test_a_filter_that_has_moved_does_not_crawl_into_silence() -> None:
    moving = MovingSections(butterworth("highpass", 80.0, order=2, sample_rate=RATE), 1)
    moving.process(np.random.default_rng(0).standard_normal((1, 640)))
    moving.move(butterworth("highpass", 90.0, order=2, sample_rate=RATE))
    out = moving.process(np.zeros((1, 5 * RATE)))
    assert not out[:, -RATE:].any()


def test_a_delay_moves_its_echo_and_bends_no_pitch() -> None:
    """The echo of a steady tone keeps its frequency while the time goes from 300 to 200 ms."""
    time = np.arange(2 * RATE) / RATE
    sound = (0.3 * np.sin(2 * math.pi * 1000.0 * time))[None].astype(np.float32)
    effect = made("delay", {"time_ms": 300.0, "wet_db": 0.0, "dry_db": OFF_DB, "feedback": 0.0})
    assert isinstance(effect, Movable)
    half = RATE // MOVE_SAMPLES * MOVE_SAMPLES
    before = effect.process(sound[:, :half].copy())
    effect.move({"time_ms": 200.0})
    out = np.concatenate([before, effect.process(sound[:, half:].copy())], axis=1)
    around = out[0, half - 4410 : half + 4410].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(around * np.hanning(len(around)))) ** 2
    hz = np.fft.rfftfreq(len(around), 1 / RATE)
    # A tap that ran there in the same 15 ms would have played it several times faster.
    assert spectrum[(hz > 900.0) & (hz < 1100.0)].sum() > 0.99 * spectrum.sum()


def test_a_tap_fades_to_its_new_place_and_later_moves_wait() -> None:
    loop = TapLoop(100, 1, longest_samples=400, fade_samples=64)
    steps = np.arange(2000, dtype=np.float64)
    read: list[np.ndarray] = []

    def run(until: int) -> None:
        while (at := sum(part.shape[1] for part in read)) < until:
            count = loop.reach(until - at)
            read.append(loop.read(count).copy())
            loop.write(steps[None, at : at + count])

    run(512)
    loop.delay_by(200)
    run(512 + 32)
    loop.delay_by(300)  # in the middle of the fade to 200
    run(1024)
    heard = np.concatenate(read, axis=1)[0]
    late = steps[:1024] - heard
    assert np.array_equal(late[100:512], np.full(412, 100.0))
    assert late[512 + 63] == 200.0
    assert late[512 + 127] == 300.0
    assert (np.diff(late[511:640]) >= 0.0).all()
    assert np.array_equal(late[640:], np.full(384, 300.0))


def test_an_echo_that_grows_longer_finds_the_sound_of_then() -> None:
    """200 to 800 ms: what was sung before the move is still there to be repeated."""
    values = defaults(Delay.SPECS) | {"time_ms": 200.0, "feedback": 0.0, "wet_db": 0.0, "dry_db": OFF_DB}
    effect = Delay(values | {"low_cut_hz": 20.0, "high_cut_hz": 20000.0}, RATE, 1)
    click = np.zeros((1, RATE // 64 * 64), np.float32)
    click[0, 22050] = 1.0
    effect.process(click)
    effect.move({"time_ms": 800.0})
    out = effect.process(np.zeros((1, RATE), np.float32))
    assert np.argmax(out[0]) + click.shape[1] == 22050 + round(0.8 * RATE)
    assert out.max() == pytest.approx(1.0)
