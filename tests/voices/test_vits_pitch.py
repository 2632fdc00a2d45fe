"""Pitch bins, gaps, units and levels as the original programs read them, and the clock that a song is read by."""

from __future__ import annotations

import numpy as np
import pytest
from parity_weights import vectors

from covermaker.convert.transpose import shift_pitch
from covermaker.voices.networks.vits_clock import OwnFrames
from covermaker.voices.networks.vits_pitch import fill_gaps, pitch_bins
from covermaker.voices.networks.vits_source import frame_cycles, sample_cycles
from covermaker.voices.networks.vits_units import expansion, frame_levels

MISC = vectors("misc")


def test_the_bins_of_all_three_programs() -> None:
    f0_hz = MISC["coarse_f0"]
    assert np.array_equal(pitch_bins(f0_hz), MISC["coarse_rvc"])
    assert np.array_equal(pitch_bins(f0_hz), MISC["coarse_fork"])
    assert np.array_equal(pitch_bins(f0_hz, drops_high=True), MISC["coarse_sovits41"])
    assert (MISC["coarse_sovits41"] == 0).any()


@pytest.mark.parametrize(
    ("hz", "expected"),
    [(55, 3), (110, 23), (220, 60), (440, 122), (880, 217), (1100, 255), (9e3, 255), (0, 1)],
)
def test_known_bins(hz: float, expected: int) -> None:
    assert pitch_bins(np.array([hz])).tolist() == [expected]


def test_bins_of_a_moved_melody() -> None:
    moved = shift_pitch(MISC["coarse_f0"], int(MISC["transpose_semitones"]))
    assert np.allclose(moved, MISC["transpose_f0"], rtol=1e-12)
    assert np.array_equal(pitch_bins(moved), MISC["transpose_coarse"])


@pytest.mark.parametrize("where", ["mid", "ends"])
def test_gaps_are_filled_as_both_programs_do(where: str) -> None:
    f0_hz = MISC[f"interp_{where}_in"]
    assert np.allclose(fill_gaps(f0_hz), MISC[f"interp_{where}_f0_41"], rtol=1e-6)
    assert np.allclose(fill_gaps(f0_hz, early=True), MISC[f"interp_{where}_f0_fork"], rtol=1e-6)
    assert np.array_equal(f0_hz > 0, MISC[f"interp_{where}_uv"] > 0)


def test_nothing_voiced_stays_silent_and_one_voiced_frame_holds() -> None:
    assert fill_gaps(np.zeros(5)).tolist() == [0, 0, 0, 0, 0]
    assert fill_gaps(np.array([0, 0, 200.0, 0]), early=True).tolist() == [200, 200, 200, 200]
    assert fill_gaps(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("mode", ["nearest", "left", "fork"])
def test_units_are_spread_as_the_programs_spread_them(mode: str) -> None:
    for number, (units, frames) in enumerate(MISC["expand_pairs"].tolist()):
        assert np.array_equal(expansion(units, frames, mode), MISC[f"expand_{mode}_{number}"]), (
            units,
            frames,
        )  # type: ignore[arg-type]


def test_units_are_repeated_for_rvc() -> None:
    assert expansion(3, 6, "repeat").tolist() == [0, 0, 1, 1, 2, 2]


def test_levels_of_sovits() -> None:
    levels = vectors("levels")
    ours = frame_levels(levels["volume_in_i16"] / 32768, int(levels["volume_hop"]))
    assert np.abs(ours - levels["volume_sovits"]).max() < 1e-5


@pytest.mark.parametrize("hop", [441, 512, 256, 1000])
@pytest.mark.parametrize(("first", "frames"), [(0, 1), (0, 100), (7, 1), (7, 30), (5999, 13)])
def test_own_frames_cover_a_range_and_no_more(hop: int, first: int, frames: int) -> None:
    own = OwnFrames(first, frames, 441, hop)
    assert own.first * hop <= first * 441 < (own.first + 1) * hop
    assert (own.stop - 1) * hop < (first + frames) * 441 <= own.stop * hop


@pytest.mark.parametrize("hop", [441, 512, 256])
def test_any_cut_reads_what_the_whole_reads(hop: int) -> None:
    rng = np.random.default_rng(0)
    curve, rows, flags = rng.normal(size=900), rng.normal(size=(900, 3)), rng.random(900) < 0.5
    whole = OwnFrames(0, 900, 441, hop)
    for start, stop in ((0, 300), (1, 2), (300, 777), (650, 900)):
        part = OwnFrames(start, stop - start, 441, hop)
        # The ends may lie half outside: they take what is there.
        inner = slice(part.first - whole.first + (start > 0), part.stop - whole.first - 2 * (stop < 900))
        ours = slice(int(start > 0), len(part) - 2 * (stop < 900))
        assert np.array_equal(part.linear(curve[start:stop])[ours], whole.linear(curve)[inner])
        assert np.array_equal(part.held(rows[start:stop])[ours], whole.held(rows)[inner])
        assert np.array_equal(part.nearest(flags[start:stop])[ours], whole.nearest(flags)[inner])


def test_own_frames_are_read_at_their_time() -> None:
    own = OwnFrames(0, 1000, 441, 512)
    seconds = np.arange(len(own)) * 512 / 44100
    assert np.allclose(own.linear(np.arange(1000) / 100), np.minimum(seconds, 9.99), atol=1e-12)
    assert np.array_equal(own.held(np.arange(1000)), np.minimum(seconds * 100 // 1, 999))


def test_a_held_pitch_has_a_phase_without_drift() -> None:
    """Two hours of 220.1 Hz: float32 would be off by cycles."""
    f0_hz = np.full(2 * 3600 * 100, 220.1)
    cycles = frame_cycles(f0_hz, 400, 40_000)
    assert cycles[-1] == pytest.approx(220.1 * (len(f0_hz) - 1) / 100, abs=1e-4)
    last = sample_cycles(f0_hz[-2:], cycles[-2:], 400, 40_000)
    expected = ((len(f0_hz) - 2) * 400 + np.arange(1, 801)) * 220.1 / 40_000
    assert np.abs((last - expected + 0.5) % 1.0 - 0.5).max() < 1e-4
    assert frame_cycles(np.zeros(0), 400, 40_000).shape == (0,)
