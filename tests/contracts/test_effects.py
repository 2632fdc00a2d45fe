"""What every effect promises, run over all that are registered."""

from __future__ import annotations

import math

import numpy as np
import pytest

from covermaker.effects import EFFECTS
from covermaker.effects.rack import Rack, parse_rack
from covermaker.effects.spec import OFF_DB, defaults, describe

RATE = 44100
NAMES = EFFECTS.names()

# Settings that make an effect work hard, so that a contract is not kept by doing nothing.
BUSY = {
    "gate": {"threshold_db": -14.0, "hold_ms": 3.0, "release_ms": 20.0},
    "high_pass": {"cutoff_hz": 300.0, "slope_db": 48.0},
    "low_pass": {"cutoff_hz": 3000.0, "slope_db": 48.0},
    "eq": {
        "low_shelf_db": 6.0,
        "band1_db": -9.0,
        "band2_db": 5.0,
        "band3_db": 3.0,
        "band4_db": -4.0,
        "high_shelf_db": 6.0,
    },
    "compressor": {
        "threshold_db": -40.0,
        "ratio": 8.0,
        "attack_ms": 0.5,
        "release_ms": 20.0,
        "makeup_db": 6.0,
        "mix": 0.7,
    },
    "reverb": {"room_size": 0.2, "pre_delay_ms": 7.0, "wet_db": 0.0},
    "delay": {"time_ms": 11.0, "feedback": 0.6, "ping_pong": True, "wet_db": -3.0},
    "gain": {"gain_db": -7.3},
}

# Settings at which an effect must leave every sample as it is. The two plain filters have none but the bypass.
NEUTRAL = {
    "gate": [{"range_db": 0.0}, {"ratio": 1.0}],
    "eq": [{}],
    "compressor": [
        {"ratio": 1.0},
        {"mix": 0.0, "threshold_db": -60.0},
        {"threshold_db": 0.0, "knee_db": 0.0},
    ],
    "reverb": [{"wet_db": OFF_DB}],
    "delay": [{"wet_db": OFF_DB}],
    "gain": [{}],
}


def make(name: str, row: dict[str, object] | None = None, *, channels: int = 2, rate: int = RATE) -> Rack:
    return Rack(
        parse_rack([{"effect": name, **(row or {})}], where="rack"), sample_rate=rate, channels=channels
    )


def song(seconds: float = 0.6, *, channels: int = 2, rate: int = RATE, seed: int = 1) -> np.ndarray:
    """Noise that swells and falls silent, over a tone; channels differ."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    swell = 0.02 + 0.3 * np.maximum(0.0, np.sin(2 * math.pi * 5.0 * time)) ** 4
    sound = swell * rng.standard_normal((channels, len(time))) * 0.4 + 0.1 * swell * np.sin(
        2 * math.pi * 220 * time
    )
    sound[:, len(time) // 2 : len(time) // 2 + 2000] = 0.0
    return np.clip(sound, -1, 1).astype(np.float32)


def in_blocks(rack: Rack, sound: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate(
        [rack.process(sound[:, at : at + size]) for at in range(0, sound.shape[1], size)], axis=1
    )


@pytest.mark.parametrize("name", NAMES)
def test_declares_itself(name: str) -> None:
    effect = EFFECTS.load(name)
    assert effect.HELP.endswith(".")
    assert effect.VERSION >= 1
    assert effect.SPECS
    assert len({spec.name for spec in effect.SPECS}) == len(effect.SPECS)
    for spec in effect.SPECS:
        assert spec.help, spec.name
        assert spec.name not in ("effect", "bypass")
        if isinstance(spec.default, float):
            assert spec.minimum <= spec.default <= spec.maximum
            assert spec.curve == "linear" or spec.minimum > 0.0
    assert [row["parameter"] for row in describe(effect)] == [spec.name for spec in effect.SPECS]
    assert defaults(effect.SPECS) == dict(parse_rack([{"effect": name}], where="rack")[0].values)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_silence_stays_silence(name: str, channels: int, rate: int) -> None:
    rack = make(name, BUSY.get(name), channels=channels, rate=rate)
    out = rack.process(np.zeros((channels, 20011), np.float32))
    assert out.shape == (channels, 20011)
    assert out.dtype == np.float32
    assert not out.any()


@pytest.mark.parametrize("name", NAMES)
def test_silence_returns_after_the_tail(name: str) -> None:
    rack = make(name, BUSY.get(name))
    rack.process(song())
    silence = np.zeros((2, math.ceil(rack.tail_seconds() * RATE) + 1), np.float32)
    rack.process(silence)
    assert np.abs(rack.process(np.zeros((2, RATE), np.float32))).max() < 10 ** (-90 / 20)
    rack.process(np.zeros((2, 2 * RATE), np.float32))
    rack.process(silence)
    assert not rack.process(np.zeros((2, 1000), np.float32)).any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 17, 8191, 8193])
def test_shape_is_kept_and_input_untouched(name: str, channels: int, frames: int) -> None:
    sound = song(channels=channels)[:, :frames]
    before = sound.copy()
    out = make(name, BUSY.get(name), channels=channels).process(sound)
    assert out.shape == sound.shape
    assert out.dtype == np.float32
    assert np.array_equal(sound, before)
    assert not np.shares_memory(out, sound)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2])
def test_block_size_does_not_matter(name: str, channels: int) -> None:
    sound = song(channels=channels)
    whole = make(name, BUSY.get(name), channels=channels).process(sound)
    assert not np.array_equal(whole, sound)
    for size in (64, 65, 1000, 8192, 8193):
        assert np.array_equal(in_blocks(make(name, BUSY.get(name), channels=channels), sound, size), whole), (
            size
        )
    for size in (1, 2, 3):
        part = sound[:, :3000]
        cut = in_blocks(make(name, BUSY.get(name), channels=channels), part, size)
        assert np.array_equal(cut, whole[:, :3000]), size


@pytest.mark.parametrize("name", NAMES)
def test_same_sound_same_bits(name: str) -> None:
    sound = song()
    first = make(name, BUSY.get(name)).process(sound)
    assert np.array_equal(make(name, BUSY.get(name)).process(sound), first)


@pytest.mark.parametrize("name", NAMES)
def test_equal_channels_stay_equal_to_mono(name: str) -> None:
    row = BUSY.get(name, {}) | ({"ping_pong": False} if name == "delay" else {})
    mono = song(channels=1)
    out = make(name, row).process(np.repeat(mono, 2, axis=0))
    if name != "reverb":  # a room spreads a centred sound
        assert np.allclose(out[0], out[1], atol=1e-7)
        assert np.allclose(out[0], make(name, row, channels=1).process(mono)[0], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_extremes_stay_finite(name: str, rate: int) -> None:
    sound = song(0.1, rate=rate)
    loud = np.concatenate([sound, np.ones((2, 500), np.float32), -np.ones((2, 500), np.float32)], axis=1)
    specs = EFFECTS.load(name).SPECS
    rows = [{}, {spec.name: spec.minimum for spec in specs}, {spec.name: spec.maximum for spec in specs}]
    rows += [{spec.name: end} for spec in specs for end in (spec.minimum, spec.maximum)]
    switches = {spec.name for spec in specs if isinstance(spec.default, bool)}
    for row in rows:
        typed = {key: bool(value) if key in switches else value for key, value in row.items()}
        out = make(name, typed, rate=rate).process(loud)  # raises when not finite
        assert np.abs(out).max() < 1e6, row  # six bands at +24 dB reach 1e4 by right


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in NEUTRAL.items() for row in rows])
def test_neutral_settings_change_nothing(name: str, row: dict[str, object]) -> None:
    sound = song()
    assert np.array_equal(make(name, row).process(sound), sound)


@pytest.mark.parametrize("name", NAMES)
def test_bypass_changes_nothing_and_has_no_tail(name: str) -> None:
    sound = song()
    rack = make(name, {**BUSY.get(name, {}), "bypass": True})
    assert np.array_equal(rack.process(sound), sound)
    assert rack.tail_seconds() == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_no_delay(name: str) -> None:
    """The direct sound of a click comes out at its own sample, under default settings."""
    click = np.zeros((2, 30000), np.float32)
    click[:, 10000] = 0.5
    out = make(name).process(click)
    assert not out[:, :10000].any()
    spread = 2 if name == "low_pass" else 0  # a low-pass smears a click over the samples after it
    assert 10000 <= np.argmax(np.abs(out[0])) <= 10000 + spread
    noise = song(0.3)
    answer = make(name, NEUTRAL.get(name, [{}])[0]).process(noise)
    correlation = np.fft.irfft(np.fft.rfft(noise[0], 1 << 15).conj() * np.fft.rfft(answer[0], 1 << 15))
    assert 0 <= np.argmax(correlation) <= spread


@pytest.mark.parametrize("name", NAMES)
def test_tail_bound_holds(name: str) -> None:
    """Nothing above -90 dBFS is heard after the bound that `tail_seconds` gives, at full scale input."""
    rack = make(name, BUSY.get(name))
    rack.process(np.clip(song() * 8, -1, 1))
    bound = math.ceil(rack.tail_seconds() * RATE)
    assert bound < 5 * RATE
    after = rack.process(np.zeros((2, bound + 3000), np.float32))[:, bound:]
    assert np.abs(after).max() < 10 ** (-90 / 20)
