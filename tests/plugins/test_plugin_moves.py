"""A plug-in's parameters while they move: where, how finely, to the bit, and what is refused."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from plugin_sounds import RATE, cut, in_place, noise, row

from covermaker.documents.document import PlaceError
from covermaker.effects.able import check_moves, movable
from covermaker.effects.automation import Automation, Curve, Move
from covermaker.effects.plugins.failures import PluginFailed, remember
from covermaker.effects.plugins.native import BLOCK_SAMPLES, Glider
from covermaker.effects.plugins.row import absences
from covermaker.effects.rack import Rack, parse_rack, rack_params
from covermaker.effects.spec import MOVE_SAMPLES

if TYPE_CHECKING:
    from conftest import Scanned

    from covermaker.effects.automation import Shape

GAIN = "parameters.gain_db"
RISE = ((0.1, -60.0), (0.2, 0.0))


def lane(name: str, points: tuple[tuple[float, float], ...], shape: Shape = "linear") -> Move:
    return Move(0, name, Automation(points, shape))


def moving(
    one: dict[str, object], *moves: Move, channels: int = 2, start: int = 0, checked: bool = True
) -> Rack:
    settings = parse_rack([one], where="rack")
    if checked:
        check_moves(settings, moves, where="automation[0]")
    return Rack(settings, sample_rate=RATE, channels=channels, moves=moves, start=start)


def db(level: float) -> np.float32:
    return np.float32(10.0 ** (np.float32(level) / np.float32(20.0)))


def test_a_parameter_moves_every_64_samples_at_its_own_place(fixtures: Scanned) -> None:
    """The plug-in takes a value at once: what it did to each sample can be read off a constant."""
    fixtures("Mover")
    frames = 12000
    made = in_place(moving(row("Fixture Mover"), lane(GAIN, RISE)), np.full((2, frames), 0.5, np.float32))
    starts = np.arange(0, frames, MOVE_SAMPLES)
    wanted = Curve(Automation(RISE), RATE).at((starts + MOVE_SAMPLES).astype(np.float64))
    expected = 0.5 * 10.0 ** (np.repeat(wanted, MOVE_SAMPLES)[:frames] / 20.0)
    np.testing.assert_allclose(made[0], expected, rtol=2e-5)
    assert np.array_equal(made[0], made[1])


def test_a_plugin_that_counts_blocks_gets_whole_ones_until_something_moves(fixtures: Scanned) -> None:
    fixtures("Gain")
    sound = noise(16384)
    one = row("Fixture Gain", parameters={"gain_db": -12.0})
    points = ((0.2, -12.0), (0.25, 0.0))
    made = in_place(moving(one, lane(GAIN, points)), sound)
    still = in_place(moving(one), sound)
    first = int(0.2 * RATE) // BLOCK_SAMPLES * BLOCK_SAMPLES
    assert np.array_equal(made[:, :first], still[:, :first])
    assert not np.array_equal(made[:, first:], still[:, first:])
    # It glides by half of what is missing at each block: of those that are cut, as many as are moved.
    gain, ends = np.float32(1.0), Curve(Automation(points), RATE)
    values = ends.at(np.arange(MOVE_SAMPLES, 16384 + 1, MOVE_SAMPLES, dtype=np.float64))
    before, expected = -12.0, np.empty(16384, np.float32)
    for block in range(0, 16384, BLOCK_SAMPLES):
        cells = range(block // MOVE_SAMPLES, (block + BLOCK_SAMPLES) // MOVE_SAMPLES)
        edges = [block]
        for cell in cells:
            if values[cell] != (values[cell - 1] if cell else -12.0) and cell * MOVE_SAMPLES > block:
                edges.append(cell * MOVE_SAMPLES)
        for at, until in zip(edges, [*edges[1:], block + BLOCK_SAMPLES], strict=True):
            before = values[at // MOVE_SAMPLES]
            gain += np.float32(0.5) * (db(before) - gain)
            expected[at:until] = gain
    settled = 4096  # the chain that was made before the stream has glided too
    np.testing.assert_allclose(made[0, settled:], (expected * sound[0])[settled:], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_any_cut_gives_the_same_bits_while_everything_moves(fixtures: Scanned, channels: int) -> None:
    fixtures("Mover", "Gain")
    sound = noise(9000, channels)
    for one, moves in (
        (row("Fixture Gain"), (lane(GAIN, ((0.0, -40.0), (0.2, 12.0)), "smooth"),)),
        (
            row("Fixture Mover"),
            (lane(GAIN, RISE), lane("parameters.phase", ((0.0, 0.0), (0.1, 1.0), (0.15, 0.0)), "hold")),
        ),
    ):
        whole = moving(one, *moves, channels=channels).process(sound)
        again = moving(one, *moves, channels=channels).process(sound)
        assert np.array_equal(whole, again)
        for size in (63, 64, 65, 512, 8192) + ((1,) if channels == 1 else ()):
            assert np.array_equal(cut(moving(one, *moves, channels=channels), sound, size), whole), size


def test_a_stretch_begins_where_the_song_is(fixtures: Scanned) -> None:
    fixtures("Mover")
    start = 100 * MOVE_SAMPLES
    sound = np.full((2, 4096), 0.5, np.float32)
    whole = in_place(
        moving(row("Fixture Mover"), lane(GAIN, RISE)), np.full((2, start + 4096), 0.5, np.float32)
    )
    part = in_place(moving(row("Fixture Mover"), lane(GAIN, RISE), start=start), sound)
    assert np.array_equal(part, whole[:, start:])


def beside_db(sound: np.ndarray, hz: float) -> float:
    """Return the energy further than 100 Hz from a tone, beside all of it; the ends are faded and do not count."""
    part = sound[0, RATE:].astype(np.float64) * np.blackman(sound.shape[1] - RATE)
    energy = np.abs(np.fft.rfft(part)) ** 2
    away = np.abs(np.fft.rfftfreq(len(part), 1.0 / RATE) - hz) > 100.0
    return float(10.0 * np.log10(energy[away].sum() / energy.sum()))


def test_a_sweep_of_10_s_leaves_nothing_above_minus_70_db(fixtures: Scanned) -> None:
    """Of a plug-in that smooths nothing itself: the steps are ours."""
    fixtures("Mover")
    time = np.arange(10 * RATE) / RATE
    tone = (0.3 * np.minimum(1.0, time) * np.sin(2 * math.pi * 440.0 * time)).astype(np.float32)
    sound = np.stack([tone, tone])
    swept = moving(row("Fixture Mover"), lane(GAIN, ((0.0, -60.0), (10.0, 0.0)))).process(sound)
    assert beside_db(moving(row("Fixture Mover")).process(sound), 440.0) < -100.0
    assert beside_db(swept, 440.0) < -70.0


class _Shown:
    """A parameter as a loaded plug-in has it: from -12 to 12 dB, shown in whole dB; no text leads back."""

    index, name, label, is_automatable, num_steps = 3, "Gain", "dB", True, 1 << 30

    def __init__(self, way_back: bool) -> None:
        self.raw_value, self._way_back = 0.5, way_back

    def get_text_for_raw_value(self, raw: float) -> str:
        return f"{24.0 * raw - 12.0:.0f}"

    def get_raw_value_for_text(self, text: str) -> float:
        return (float(text) + 12.0) / 24.0 if self._way_back else 0.0


@pytest.mark.parametrize("way_back", [True, False])
def test_what_is_shown_in_whole_steps_is_moved_in_between(way_back: bool) -> None:
    shown = _Shown(way_back)
    glider = Glider(SimpleNamespace(_parameters=[shown]), 3)
    found = []
    for value in np.linspace(-12.0, 12.0, 2401):
        glider.to(float(value))
        found.append(shown.raw_value)
    assert (found[0], found[-1]) == (0.0, 1.0)
    steps = np.diff(found)
    assert steps.min() >= 0.0
    assert steps.max() < 24.0 * (2.1 if not way_back else 1.1) * 0.01 / 24.0
    np.testing.assert_allclose(found, np.linspace(0.0, 1.0, 2401), atol=0.5 / 24.0 + 1e-3)


def test_a_switch_is_handed_over_without_a_click(fixtures: Scanned) -> None:
    """Turned around at once, a constant would jump by twice its size."""
    fixtures("Mover")
    sound = np.full((2, RATE), 0.5, np.float32)
    made = in_place(
        moving(row("Fixture Mover"), lane("parameters.phase", ((0.0, 0.0), (0.5, 1.0)), "hold")), sound
    )
    assert made[0, 1000] == 0.5
    assert made[0, -1] == -0.5
    assert np.abs(np.diff(made[0])).max() < 0.002


def test_what_can_move_is_listed_and_the_rest_refused(fixtures: Scanned) -> None:
    fixtures("Gain", "Mover")
    (gain,) = parse_rack([row("Fixture Gain")], where="rack")
    (mover,) = parse_rack([row("Fixture Mover")], where="rack")
    assert movable(gain) == {GAIN: True, "bypass": False}
    assert movable(mover) == {
        GAIN: True, "parameters.phase": False, "parameters.ahead": True, "bypass": False,
    }  # fmt: skip
    ends = ((0.0, 0.0), (1.0, 1.0))
    for one, moved, words in (
        (
            gain,
            lane("parameters.mode", ends, "hold"),
            r"mode of Fixture Gain cannot move, .*words .*able: gain_db, b",
        ),
        (gain, lane("parameters.gian_db", ends), r"Gain has no parameter 'gian_db' \(did you mean 'gain_db'"),
        (
            gain,
            lane("latency_samples", ends),
            "latency_samples of Fixture Gain cannot move, it changes the latency",
        ),
        (gain, lane(GAIN, ((0.0, -61.0),)), r"points\[0\] = -61.0 is below -60 .*-60 to 20 dB"),
        (mover, lane("parameters.phase", ends), "phase of Fixture Mover cannot glide"),
    ):
        with pytest.raises(PlaceError, match=words):
            check_moves([one], [moved], where="automation[0]")


def test_what_moves_is_part_of_the_key(fixtures: Scanned) -> None:
    fixtures("Gain")
    settings = parse_rack([row("Fixture Gain")], where="rack")
    still = rack_params(settings)
    moved = [rack_params(settings, (lane(GAIN, ((0.0, low), (1.0, 0.0))),)) for low in (-6.0, -7.0)]
    assert still not in moved
    assert moved[0] != moved[1]


@pytest.mark.parametrize(
    ("moved", "message"),
    [
        (lane("parameters.ahead", ((0.0, 0.0), (0.2, 90.0))), r"refused: its latency changed from 0 to \d+ samples"),
        (lane("parameters.ahead", ((0.0, 0.0), (0.1, 99.0)), "hold"), "its latency changed"),
    ],
)  # fmt: skip
def test_one_whose_latency_would_move_is_left_out_and_told(
    fixtures: Scanned, moved: Move, message: str
) -> None:
    fixtures("Mover")
    one = row("Fixture Mover", parameters={"gain_db": -1.0})
    with pytest.raises(PluginFailed, match=message) as raised:
        moving(one, moved).process(noise(RATE))
    remember(raised.value)
    settings = parse_rack([one], where="rack")  # by the row's own values, not by those of the moment
    assert "the sound passes it by" in absences(settings, "track 'vocals'")[0]
    sound = noise(3000)
    assert np.array_equal(moving(one, moved).process(sound), sound)


def test_automation_of_a_plugin_that_is_not_here_is_kept_and_passed_by() -> None:
    sound = noise(9000)
    one = row("Nowhere", parameters={"depth": 3.0})
    made = moving(
        one, lane("parameters.depth", ((0.0, 1.0), (0.1, 7.0))), lane("parameters.x", ((0.0, 1.0),))
    )
    assert np.array_equal(made.process(sound), sound)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "parameter", "ends"),
    [
        ("ZamCompX2", "makeup_db", (0.0, 20.0)),
        ("ZamCompX2", "threshold_db", (-40.0, 0.0)),
        ("ZamEQ2", "boost_cut_1_db", (-12.0, 12.0)),
        ("ZamTube", "tube_drive", (0.1, 10.0)),
    ],
)
def test_zam_plugins_move_and_keep_the_promises(
    zam: Scanned, plugin: str, parameter: str, ends: tuple[float, float]
) -> None:
    zam(plugin)
    moved = lane(f"parameters.{parameter}", ((0.1, ends[0]), (0.5, ends[1])))
    sound = noise(30000)
    whole = moving(row(plugin), moved).process(sound)
    assert np.isfinite(whole).all()
    for size in (63, 1000):
        assert np.array_equal(cut(moving(row(plugin), moved), sound, size), whole)
    still = moving(row(plugin, parameters={parameter: ends[0]})).process(sound)
    assert not np.array_equal(still, whole)
