"""What every effect promises, run over all that are registered."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from covermaker.effects import EFFECTS
from covermaker.effects.rack import InPlace, Rack, parse_rack
from covermaker.effects.spec import MOVE_SAMPLES, OFF_DB, Keyed, Late, Movable, defaults, describe
from covermaker.errors import AudioInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from covermaker.effects.spec import Effect, Spec, Value

RATE = 44100

# What cannot be made from its defaults alone, and why; it has its own tests.
NOT_ALONE = {"vst3": "it needs the plug-in that it is"}

NAMES = [name for name in EFFECTS.names() if name not in NOT_ALONE]

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
    "de_esser": {"threshold_db": -50.0, "range_db": 18.0, "frequency_hz": 3000.0, "release_ms": 10.0},
    "saturation": {"drive_db": 15.0, "mix": 0.8, "curve": "tube"},
    "tremolo": {"depth": 0.9, "rate_hz": 9.0},
    "width": {"width": 1.7, "mid_db": -3.0, "mono_below_hz": 200.0},
    "limiter": {"ceiling_db": -20.0, "gain_db": 6.0, "release_ms": 20.0},
    "bitcrush": {"bits": 5.0, "rate_hz": 9000.0, "mix": 0.9},
    "chorus": {"rate_hz": 3.0, "mix": 0.6},
    "doubler": {"cents": 20.0, "level_db": 0.0},
    "pitch_shift": {"semitones": 5.0, "mix": 0.8},
    "convolution": {"impulse": "room", "pre_delay_ms": 3.0, "wet_db": 0.0},
}

# More ways to work hard, where one does not show everything.
BUSY_TOO: dict[str, list[dict[str, object]]] = {
    "gate": [
        {"threshold_db": -14.0, "hysteresis_db": 6.0, "lookahead_ms": 3.0, "detector_low_cut_hz": 150.0},
    ],
    "compressor": [{"threshold_db": -40.0, "lookahead_ms": 2.0, "mix": 0.5, "detector_low_cut_hz": 150.0}],
    "eq": [
        {"low_cut_hz": 90.0, "low_cut_slope_db": 24.0, "high_cut_hz": 7000.0, "band2_db": 4.0},
        {"high_cut_hz": 9000.0, "high_cut_slope_db": 24.0},
    ],
    "de_esser": [{"threshold_db": -50.0, "listen": True}],
    "saturation": [{"curve": "tape"}, {"curve": "warm", "drive_db": 20.0}],
    "delay": [{"time_ms": 37.0, "duck_db": 12.0, "feedback": 0.3}],
    "tremolo": [{"shape": "square", "stereo_degrees": 90.0}, {"shape": "triangle", "depth": 1.0}],
    "limiter": [{"ceiling_db": -12.0, "lookahead_ms": 1.0, "gain_db": -3.0}],
    "bitcrush": [{"bits": 3.5, "rate_hz": 4000.0, "filter": True}],
    "chorus": [{"voices": 4.0, "spread": 0.5, "depth_ms": 10.0, "delay_ms": 1.0}],
    "doubler": [{"cents": 0.0, "width": 0.4}],
    "pitch_shift": [{"semitones": -7.0, "formants": True}],
    "convolution": [{"impulse": "spring", "wet_db": -6.0, "dry_db": OFF_DB}],
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
    "de_esser": [{"range_db": 0.0}, {"ratio": 1.0}, {"threshold_db": 0.0}],
    "saturation": [{"mix": 0.0}],
    "tremolo": [{"depth": 0.0}],
    "width": [{}],
    "limiter": [{}],
    "bitcrush": [{"mix": 0.0}],
    "chorus": [{"mix": 0.0}],
    "doubler": [{"level_db": OFF_DB}],
    "pitch_shift": [{}, {"mix": 0.0, "semitones": 3.0}],
    "convolution": [{"wet_db": OFF_DB}],
}

# Settings at which equal channels stay equal, where others part them; None where none does.
EQUAL: dict[str, dict[str, object] | None] = {
    "delay": {"ping_pong": False},
    "reverb": None,  # a room spreads a centred sound
    "convolution": None,
    "chorus": {"spread": 0.0},
    "doubler": None,
}

# How far the bits may differ with the cut of the stream.
ROUGH: dict[str, float] = {"convolution": 1e-6}

# An effect whose output has a random or running phase is not that of a fresh one after this parameter has moved.
PHASES = {
    ("tremolo", "rate_hz"),
    ("chorus", "rate_hz"),
    ("pitch_shift", "semitones"),
    ("pitch_shift", "cents"),
}


CASES = [(name, row) for name in NAMES for row in (BUSY.get(name, {}), *BUSY_TOO.get(name, []))]
CASE_IDS = [f"{name}-{number}" for number, (name, _) in enumerate(CASES)]


def rack_of(
    name: str, row: Mapping[str, object] | None = None, *, channels: int = 2, rate: int = RATE
) -> Rack:
    rows = parse_rack([{"effect": name, **(row or {})}], where="rack")
    return Rack(rows, sample_rate=rate, channels=channels)


class Alone:
    """An effect by itself, its sound put back into its place."""

    def __init__(
        self, name: str, row: Mapping[str, object] | None = None, *, channels: int = 2, rate: int = RATE
    ) -> None:
        (setting,) = parse_rack([{"effect": name, **(row or {})}], where="rack")
        self.values = dict(setting.values)
        self.channels = channels
        self.effect: Effect = EFFECTS.load(name)(self.values, rate, channels)
        self.late = self.effect.latency_samples if isinstance(self.effect, Late) else 0

    def process(
        self, sound: np.ndarray, size: int | None = None, key: np.ndarray | None = None
    ) -> np.ndarray:
        """The whole answer to a sound, fed in blocks of `size` with silence behind it."""
        return self.moving(sound, {}, size, key)

    def moving(
        self,
        sound: np.ndarray,
        moves: Mapping[int, Mapping[str, Value]],
        size: int | None = None,
        key: np.ndarray | None = None,
    ) -> np.ndarray:
        """The same, with moves before the samples they are named by: the cuts lie there, and at every `size`."""
        padded, padded_key = self._padded(sound), None if key is None else self._padded(key)
        frames = padded.shape[1]
        cuts = sorted({0, frames, *moves, *(range(0, frames, size) if size else ())})
        made = []
        for start, stop in itertools.pairwise(cuts if frames else (0, 0)):
            if start in moves:
                assert isinstance(self.effect, Movable)
                self.effect.move(moves[start])
            block = padded[:, start:stop].copy()
            given = block.copy()
            if padded_key is None:
                part = self.effect.process(block)
            else:
                assert isinstance(self.effect, Keyed)
                part = self.effect.process_keyed(block, padded_key[:, start:stop].copy())
            assert part.dtype == np.float32
            assert part.shape == block.shape
            assert np.array_equal(block, given), "the input was written to"
            made.append(part)
        whole = np.concatenate(made, axis=1)
        assert not whole[:, : self.late].any(), "sound comes before the latency"
        return whole[:, self.late :]

    def _padded(self, sound: np.ndarray) -> np.ndarray:
        return np.concatenate([sound, np.zeros((len(sound), self.late), np.float32)], axis=1)


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


def same(name: str, one: np.ndarray, other: np.ndarray) -> bool:
    """Equal bits; for the few that are named, nearly."""
    return one.shape == other.shape and (
        np.array_equal(one, other) or float(np.abs(one - other).max()) <= ROUGH.get(name, 0.0)
    )


@pytest.mark.parametrize("name", NAMES)
def test_declares_itself(name: str) -> None:
    effect = EFFECTS.load(name)
    assert effect.HELP.endswith(".")
    assert effect.VERSION >= 1
    assert effect.SPECS
    names = {spec.name for spec in effect.SPECS}
    assert len(names) == len(effect.SPECS)
    for spec in effect.SPECS:
        assert spec.help.endswith("."), spec.name
        assert spec.name not in ("effect", "bypass", "sidechain")
        if isinstance(spec.default, str):
            assert spec.default in spec.choices
        elif isinstance(spec.default, float):
            assert spec.minimum <= spec.default <= spec.maximum
            assert spec.curve == "linear" or spec.minimum > 0.0
    assert [row["parameter"] for row in describe(effect)] == [spec.name for spec in effect.SPECS]
    assert defaults(effect.SPECS) == dict(parse_rack([{"effect": name}], where="rack")[0].values)
    numbers = {spec.name for spec in effect.SPECS if type(spec.default) is float and not spec.choices}
    assert getattr(effect, "MOVES", frozenset()) <= numbers


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_silence_stays_silence(name: str, channels: int, rate: int) -> None:
    for row in (BUSY.get(name, {}), *BUSY_TOO.get(name, [])):
        out = Alone(name, row, channels=channels, rate=rate).process(np.zeros((channels, 20011), np.float32))
        assert out.shape == (channels, 20011)
        assert not out.any(), row


@pytest.mark.parametrize("name", NAMES)
def test_silence_returns_after_the_tail(name: str) -> None:
    rack = rack_of(name, BUSY.get(name))
    rack.process(song())
    silence = np.zeros((2, math.ceil(rack.tail_seconds() * RATE) + rack.latency_samples + 1), np.float32)
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
    Alone(name, BUSY.get(name), channels=channels).process(sound)  # looks at types, shapes and the input
    before = sound.copy()
    out = rack_of(name, BUSY.get(name), channels=channels).process(sound)
    assert out.shape == sound.shape
    assert out.dtype == np.float32
    assert np.array_equal(sound, before)
    assert not np.shares_memory(out, sound)


@pytest.mark.parametrize(("name", "row"), CASES, ids=CASE_IDS)
@pytest.mark.parametrize("channels", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_block_size_does_not_matter(name: str, row: dict[str, object], channels: int) -> None:
    sound = song(0.4, channels=channels)
    whole = Alone(name, row, channels=channels).process(sound)
    assert same(name, Alone(name, row, channels=channels).process(sound), whole)  # nor which run it is
    for size in (63, 64, 65, 512, 8192):
        assert same(name, Alone(name, row, channels=channels).process(sound, size), whole), size
    part = sound[:, :700]
    expected = Alone(name, row, channels=channels).process(part)
    assert same(name, Alone(name, row, channels=channels).process(part, 1), expected)


@pytest.mark.parametrize("name", NAMES)
def test_busy_is_busy(name: str) -> None:
    assert not np.array_equal(Alone(name, BUSY.get(name)).process(song()), song())


@pytest.mark.parametrize(("name", "row"), CASES, ids=CASE_IDS)
def test_a_rack_plays_what_the_effect_plays(name: str, row: dict[str, object]) -> None:
    """Put back into its place too, and whatever the size of the blocks."""
    sound = song()
    expected = Alone(name, row).process(sound)
    for size in (1000, 8192, sound.shape[1]):
        rack = InPlace(rack_of(name, row), 2)
        made = [rack.process(sound[:, at : at + size]) for at in range(0, sound.shape[1], size)]
        assert same(name, np.concatenate([*made, rack.finish()], axis=1), expected), size


@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_instance_knows_nothing_of_the_one_before(name: str) -> None:
    used = Alone(name, BUSY.get(name)).effect
    used.process(song(seed=9))
    first = Alone(name, BUSY.get(name)).process(song())
    used.process(song(seed=9))
    assert same(name, Alone(name, BUSY.get(name)).process(song()), first)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_a_number_is_stopped_at_the_door(name: str, bad: float) -> None:
    sound = song()
    rack = rack_of(name, BUSY.get(name))
    spoilt = sound.copy()
    spoilt[1, 1000] = bad
    with pytest.raises(AudioInputError, match="NaN or infinite"):
        rack.process(spoilt)
    assert same(name, rack.process(sound), rack_of(name, BUSY.get(name)).process(sound))


@pytest.mark.parametrize("name", NAMES)
def test_equal_channels_stay_equal_to_mono(name: str) -> None:
    apart = EQUAL.get(name, {})
    if apart is None:
        assert not getattr(EFFECTS.load(name), "KEEPS_MONO", False)
        return
    row = BUSY.get(name, {}) | apart
    mono = song(channels=1)
    out = Alone(name, row).process(np.repeat(mono, 2, axis=0))
    assert np.allclose(out[0], out[1], atol=1e-7)
    assert np.allclose(out[0], Alone(name, row, channels=1).process(mono)[0], atol=1e-6)


def _corners(specs: tuple[Spec, ...]) -> Iterator[dict[str, Value]]:
    def ends(spec: Spec) -> tuple[Value, ...]:
        if isinstance(spec.default, bool):
            return (False, True)
        return spec.choices or (spec.minimum, spec.maximum)

    yield {}
    yield {spec.name: ends(spec)[0] for spec in specs}
    yield {spec.name: ends(spec)[-1] for spec in specs}
    for spec in specs:
        for value in ends(spec):
            yield {spec.name: value}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_extremes_stay_finite(name: str, rate: int) -> None:
    sound = song(0.1, rate=rate)
    loud = np.concatenate([sound, np.ones((2, 500), np.float32), -np.ones((2, 500), np.float32)], axis=1)
    for row in _corners(EFFECTS.load(name).SPECS):
        rack = InPlace(rack_of(name, row, rate=rate), 2)
        out = np.concatenate([rack.process(loud), rack.finish()], axis=1)  # raises when not finite
        assert np.abs(out).max() < 1e6, row  # six bands at +24 dB reach 1e4 by right


@pytest.mark.parametrize(("name", "row"), [(name, row) for name in NAMES for row in NEUTRAL.get(name, [])])
def test_neutral_settings_change_nothing(name: str, row: dict[str, object]) -> None:
    for channels in (1, 2):
        sound = song(channels=channels)
        assert np.array_equal(Alone(name, row, channels=channels).process(sound), sound)


@pytest.mark.parametrize("name", NAMES)
def test_bypass_changes_nothing_and_has_no_tail(name: str) -> None:
    sound = song()
    rack = rack_of(name, {**BUSY.get(name, {}), "bypass": True})
    assert np.array_equal(rack.process(sound), sound)
    assert rack.tail_seconds() == 0.0
    assert rack.latency_samples == 0


@pytest.mark.parametrize("name", NAMES)
def test_no_delay(name: str) -> None:
    """The direct sound of a click comes out at its own sample, under default settings."""
    click = np.zeros((2, 30000), np.float32)
    click[:, 10000] = 0.5
    out = Alone(name).process(click)
    spread = 2 if name == "low_pass" else 0  # a low-pass smears a click over the samples after it
    if not Alone(name).late:  # the filters of one that is late may ring before the click
        assert not out[:, :10000].any()
    assert 10000 <= np.argmax(np.abs(out[0])) <= 10000 + spread
    noise = song(0.3)
    answer = Alone(name, NEUTRAL.get(name, [{}])[0]).process(noise)
    correlation = np.fft.irfft(np.fft.rfft(noise[0], 1 << 15).conj() * np.fft.rfft(answer[0], 1 << 15))
    assert 0 <= np.argmax(correlation) <= spread


@pytest.mark.parametrize("name", NAMES)
def test_tail_bound_holds(name: str) -> None:
    """Nothing above -90 dBFS is heard after the bound that `tail_seconds` gives, at full scale input."""
    for row in (BUSY.get(name, {}), *BUSY_TOO.get(name, [])):
        rack = rack_of(name, row)
        rack.process(np.clip(song() * 8, -1, 1))
        bound = math.ceil(rack.tail_seconds() * RATE) + rack.latency_samples
        assert bound < 5 * RATE
        after = rack.process(np.zeros((2, bound + 3000), np.float32))[:, bound:]
        assert np.abs(after).max() < 10 ** (-90 / 20), row


# Side chains.

KEYED = [name for name in NAMES if hasattr(EFFECTS.load(name), "process_keyed")]
KEYED_CASES = [(name, row) for name, row in CASES if name in KEYED]


@pytest.mark.parametrize(("name", "row"), KEYED_CASES)
def test_its_own_sound_as_a_key_is_no_key(name: str, row: dict[str, object]) -> None:
    sound = song()
    expected = Alone(name, row).process(sound)
    assert np.array_equal(Alone(name, row).process(sound, key=sound), expected)
    left = np.repeat(song(channels=1), 2, axis=0)
    assert np.array_equal(
        Alone(name, row).process(left, key=left[:1]), Alone(name, row).process(left)
    )  # a mono key does as well


@pytest.mark.parametrize(("name", "row"), KEYED_CASES)
def test_keyed_blocks_may_have_any_size(name: str, row: dict[str, object]) -> None:
    sound, key = song(), song(seed=5)
    whole = Alone(name, row).process(sound, key=key)
    assert not np.array_equal(whole, Alone(name, row).process(sound))
    for size in (63, 512, 8192):
        assert np.array_equal(Alone(name, row).process(sound, size, key=key), whole)


@pytest.mark.parametrize("name", KEYED)
def test_a_silent_key(name: str) -> None:
    """Turns nothing down, but what waits for a sound stays shut."""
    sound = song()
    silent = np.zeros_like(sound)
    row = {"makeup_db": 0.0} if name == "compressor" else {}
    out = Alone(name, {**BUSY.get(name, {}), **row}).process(sound, key=silent)
    if name == "gate":
        assert np.abs(out).max() < np.abs(sound).max() * 10 ** (-29 / 20)
    else:
        assert np.array_equal(out, sound)


# Moves.

MOVABLE = [name for name in NAMES if hasattr(EFFECTS.load(name), "MOVES")]
MOVES = [(name, parameter) for name in MOVABLE for parameter in sorted(EFFECTS.load(name).MOVES)]


def _spec(name: str, parameter: str) -> Spec:
    return next(spec for spec in EFFECTS.load(name).SPECS if spec.name == parameter)


def _along(spec: Spec, start: float, part: float) -> float:
    """A value between `start` and the end of the range that is further away, as a fader would go."""
    if spec.curve == "log":
        low, high, at = math.log(spec.minimum), math.log(spec.maximum), math.log(start)
    else:
        # Levels end at silence: a fader goes there at once, not through 80 dB of it.
        low, high, at = max(spec.minimum, -60.0), spec.maximum, max(start, -60.0)
    end = low + 0.2 * (high - low) if at - low > high - at else high - 0.2 * (high - low)
    value = at + (end - at) * part
    return math.exp(value) if spec.curve == "log" else value


def _course(
    name: str,
    row: Mapping[str, object],
    parameters: list[str],
    frames: int,
    *,
    until: float = 1.0,
    step: int = 1,
) -> dict[int, dict[str, Value]]:
    """Moves on the grid, to and fro once, or only there when `until` is a half."""
    start = Alone(name, row).values
    cells = range(step, frames // MOVE_SAMPLES, step)
    moves: dict[int, dict[str, Value]] = {}
    for cell in cells:
        part = until * cell * MOVE_SAMPLES / frames
        swing = math.sin(math.pi * part) ** 2
        moves[cell * MOVE_SAMPLES] = {
            parameter: _along(_spec(name, parameter), float(start[parameter]), swing)
            for parameter in parameters
        }
    return moves


@pytest.mark.parametrize(("name", "row"), [case for case in CASES if case[0] in MOVABLE])
def test_moving_to_the_same_value_changes_no_bit(name: str, row: dict[str, object]) -> None:
    sound = song()
    alone = Alone(name, row)
    still = {parameter: alone.values[parameter] for parameter in EFFECTS.load(name).MOVES}
    moves = dict.fromkeys(range(0, sound.shape[1], 3 * MOVE_SAMPLES), still)
    assert same(name, alone.moving(sound, moves), Alone(name, row).process(sound))


@pytest.mark.parametrize(("name", "row"), [case for case in CASES if case[0] in MOVABLE])
@pytest.mark.parametrize("channels", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_moving_blocks_may_have_any_size(name: str, row: dict[str, object], channels: int) -> None:
    sound = song(0.3, channels=channels)
    moves = _course(name, row, sorted(EFFECTS.load(name).MOVES), sound.shape[1], step=7)
    whole = Alone(name, row, channels=channels).moving(sound, moves)
    assert not np.array_equal(whole, Alone(name, row, channels=channels).process(sound))
    for size in (63, 65, 512, 8192):
        assert same(name, Alone(name, row, channels=channels).moving(sound, moves, size), whole), size
    part = sound[:, :700]
    expected = Alone(name, row, channels=channels).moving(part, moves)
    assert same(name, Alone(name, row, channels=channels).moving(part, moves, 1), expected)


def _settled_after(name: str, parameter: str) -> tuple[np.ndarray, np.ndarray]:
    """The last half second of a move that is long over, and of an effect that stood there from the start."""
    row = BUSY.get(name, {})
    moves = _course(name, row, [parameter], RATE, until=0.5)
    there = Alone(name, {**row, **moves[max(moves)]})
    sound = np.tile(song(1.0), 4 + math.ceil(there.effect.tail_seconds()))
    moved = Alone(name, row).moving(sound, moves)
    fresh = there.process(sound)
    return moved[:, -RATE // 2 :], fresh[:, -RATE // 2 :]


@pytest.mark.parametrize(("name", "parameter"), [move for move in MOVES if move not in PHASES])
def test_after_a_move_it_is_as_if_it_had_been_there(name: str, parameter: str) -> None:
    moved, fresh = _settled_after(name, parameter)
    assert np.allclose(moved, fresh, atol=1e-4)


def _above_5_khz_db(sound: np.ndarray) -> float:
    """The peak above 5 kHz, the ends faded so that they do not count."""
    frames = sound.shape[1]
    edge = RATE // 4
    window = np.ones(frames)
    window[:edge] = 0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / edge)
    window[-edge:] = window[edge - 1 :: -1]
    spectrum = np.fft.rfft(sound[0].astype(np.float64) * window)
    spectrum[: round(5000 * frames / RATE)] = 0.0
    return 20.0 * math.log10(max(float(np.abs(np.fft.irfft(spectrum, frames)).max()), 1e-12))


@cache
def _tone(seconds: float) -> np.ndarray:
    wave = 0.3 * np.sin(2 * math.pi * 440.0 * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave[None], 2, axis=0).astype(np.float32)


@pytest.mark.parametrize(("name", "parameter"), MOVES)
def test_moves_do_not_click(name: str, parameter: str) -> None:
    """To the far end of the range in 1.5 s: above 5 kHz a tone stays as clean as with the parameter at rest."""
    row = {key: value for key, value in BUSY.get(name, {}).items() if key not in ("threshold_db",)}
    sound = _tone(1.5)
    moves = _course(name, row, [parameter], sound.shape[1], until=0.5)
    rest_db = max(
        _above_5_khz_db(Alone(name, {**row, **values}).process(sound))
        for values in ({}, moves[max(moves)], moves[max(moves) // 2 // MOVE_SAMPLES * MOVE_SAMPLES])
    )
    moved_db = _above_5_khz_db(Alone(name, row).moving(sound, moves))
    assert moved_db < max(-70.0, rest_db + 3.0)
