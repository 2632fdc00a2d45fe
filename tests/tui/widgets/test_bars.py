"""Bars, beats and what moves, below a waveform."""

import numpy as np
import pytest
from drawing import on_stage, staged, wave

from covermaker.tui.widgets.charset import GLYPHS
from covermaker.tui.widgets.courses import Course, melody
from covermaker.tui.widgets.ruler import Axis, Grid, ruler
from covermaker.tui.widgets.waveform import Waveform

BARS = Grid(tuple(np.arange(0.0, 40.0, 2.0)), tuple(np.arange(0.0, 40.0, 0.5)))


WHOLE = Axis(0.0, 40.0, 80)


def drawn(grid, axis=WHOLE, charset="ascii"):
    return "".join(text for text, *_ in ruler(axis, None, looping=False, glyphs=GLYPHS[charset], grid=grid))


def test_bars_are_marked_beside_seconds_and_counted_on_wish():
    assert drawn(BARS.uncounted).startswith("0:00'   '   '   '   0:10")
    assert drawn(BARS).startswith("1   '   3   '   5   '   7")
    assert drawn(BARS, charset="unicode").startswith("1   ╵   3")


def test_what_lies_too_close_is_left_out():
    whole = Axis(0.0, 40.0, 20)
    assert "'" not in drawn(BARS.uncounted, whole)
    assert drawn(BARS, whole).split() == ["1", "9", "17"]
    near = drawn(BARS, Axis(0.0, 4.0, 80))
    assert near.startswith("1         .         .")
    assert near.index("2") == 40


def test_a_part_of_the_song_has_its_own_numbers():
    assert drawn(BARS, Axis(10.0, 20.0, 80)).split("'")[0].startswith("6")
    assert len(drawn(BARS, Axis(10.0, 20.0, 80))) == 80


@pytest.mark.parametrize(
    ("loop", "snapped"),
    [
        ((3.1, 8.8), (4.0, 8.0)),
        ((3.1, 3.2), (4.0, 6.0)),
        ((38.0, 40.0), (38.0, 40.0)),
        ((39.9, 40.0), (38.0, 40.0)),
    ],
)
def test_loops_go_to_bars(loop, snapped):
    assert BARS.snapped(loop, 40.0) == snapped


def test_without_bars_loops_go_to_beats_and_without_beats_nowhere():
    assert Grid((), (0.3, 0.8, 1.3)).snapped((0.0, 0.9), 2.0) == (0.0, 0.8)
    assert Grid().snapped((0.1, 0.9), 2.0) == (0.1, 0.9)


@on_stage
async def test_what_moves_is_drawn_below_the_melody():
    widget = Waveform(wave(0.5, 0.5))
    widget.show_pitch(np.arange(0, 10, 0.01), np.full(1000, 220.0))
    widget.show_moves(Course("gain -6.0 dB", "0.0 dB", "gain -6.0 dB to 0.0 dB", lambda at: at / 10.0))
    async with staged(widget, size=(60, 14)) as (app, pilot):
        rows = app.lines()
        assert rows[11].startswith("0.0 dB ")
        assert rows[12].startswith("gain -6.0 dB ")
        assert rows[12][14:].strip()
        widget.show_moves(None)
        await pilot.pause()
        assert not any("gain" in row for row in app.lines())
    async with staged(Waveform(wave(0.5, 0.5)), size=(60, 7)) as (app, pilot):
        flat = app.query_one(Waveform)
        flat.show_pitch(np.arange(0, 10, 0.01), np.full(1000, 220.0))
        flat.show_moves(Course("a", "b", "a to b", lambda at: np.full(len(at), 0.5)))
        await pilot.pause()
        assert "a to b" in app.lines()[5]
        assert not any("A3" in row for row in app.lines())  # no room for both


@on_stage
async def test_a_drawn_loop_goes_to_bars():
    widget = Waveform(wave(0.5, 0.5))
    widget.show_grid(Grid(tuple(np.arange(0.0, 10.0, 2.0))), by_bars=True)
    async with staged(widget, size=(40, 6)) as (_, pilot):
        await pilot.mouse_down(widget, offset=(9, 1))
        await pilot.hover(widget, offset=(22, 1))
        await pilot.mouse_up(widget, offset=(22, 1))
        assert widget.loop == (2.0, 6.0)
        assert widget.looping


def test_nothing_sung_is_no_melody():
    assert melody(np.arange(3.0), np.zeros(3)) is None
