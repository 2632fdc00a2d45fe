"""Curves: every series can be told apart, every size is filled."""

import numpy as np
import pytest
from drawing import on_stage, staged

from covermaker.audio.spectrum import band_edges, spectrum_of
from covermaker.tui.widgets.curve import Curve, Series
from covermaker.tui.widgets.spectrum import Spectrum

STEPS = np.arange(0, 20_000, 100)
TRAIN = Series("train", STEPS, 0.9 * np.exp(-STEPS / 4000) + 0.3)
HELD_OUT = Series("held out", STEPS[::10], 0.9 * np.exp(-STEPS[::10] / 4000) + 0.4)
SCORES = Series("score", [5000, 10_000, 15_000], [0.5, 0.6, 0.7], draw="points")


@pytest.mark.parametrize("charset", ["unicode", "block", "ascii"])
@pytest.mark.parametrize("size", [(120, 10), (80, 8), (40, 5), (20, 3), (9, 3)])
@on_stage
async def test_every_size_is_filled(charset, size):
    curve = Curve()
    async with staged(curve, size=size, charset=charset) as (app, pilot):
        curve.show_series([TRAIN, HELD_OUT, SCORES], notes=["best 0.341", "at 18 000"])
        await pilot.pause()
        lines = app.lines()
        assert [len(text) for text in lines] == [size[0]] * size[1]
        assert "".join(lines).strip()
        if charset == "ascii":
            assert all(text.isascii() for text in lines)


@on_stage
async def test_axes_legend_and_notes():
    curve = Curve()
    async with staged(curve, size=(100, 10)) as (app, pilot):
        curve.show_series([TRAIN, HELD_OUT], notes=["best 0.341"])
        await pilot.pause()
        lines = app.lines()
        assert "train 0.306" in lines[0]
        assert "held out 0.408" in lines[1]
        assert "best 0.341" in lines[3]
        assert "19 900" in lines[-1]
        assert "10 000" in lines[-1]
        labels = [float(text[:6]) for text in lines[:-1] if text[6] == "┤"]
        assert labels == [1.2, 1.0, 0.8, 0.6, 0.4]


@on_stage
async def test_a_falling_loss_falls_on_the_screen():
    curve = Curve()
    async with staged(curve, size=(60, 12)) as (app, pilot):
        curve.show_series([Series("", STEPS, np.linspace(1, 0, len(STEPS)))])
        await pilot.pause()
        rows = [text[7:] for text in app.lines()[:-1]]
        tops = [next(y for y, row in enumerate(rows) if row[column] != " ") for column in (2, 20, 40)]
        assert tops == sorted(tops)
        assert tops[0] < tops[-1]


@pytest.mark.parametrize("charset", ["unicode", "block", "ascii"])
@on_stage
async def test_two_series_do_not_differ_by_colour_alone(charset):
    curve = Curve()
    flat = [Series("one", [0, 1], [0.0, 0.0]), Series("two", [0, 1], [1.0, 1.0])]
    async with staged(curve, size=(80, 9), charset=charset) as (app, pilot):
        curve.show_series(flat)
        await pilot.pause()
        lines = [text[7:60] for text in app.lines()[:-1]]
        drawn = [text.rstrip() for text in lines if text.strip()]
        assert len(drawn) == 2
        assert set(drawn[0]) != set(drawn[1])


@on_stage
async def test_nothing_yet_gaps_and_one_value():
    curve = Curve(empty="no checkpoint yet: T trains")
    async with staged(curve, size=(60, 7)) as (app, pilot):
        assert "no checkpoint yet: T trains" in app.lines()[3]
        curve.show_series([Series("loss", [1, 2, 3], [np.nan, np.inf, 0.5])])
        await pilot.pause()
        assert "loss 0.500" in app.lines()[0]
        curve.show_series([Series("loss", [], [])])
        await pilot.pause()
        assert "no checkpoint" in app.lines()[3]


@on_stage
async def test_a_logarithmic_axis_leaves_out_what_has_no_logarithm():
    curve = Curve()
    async with staged(curve, size=(60, 9)) as (app, pilot):
        curve.show_series([Series("loss", [0, 1, 2, 3], [100.0, 10.0, 0.0, 0.1])])
        curve.action_log_y()
        await pilot.pause()
        assert "loss 0.100" in app.lines()[0]


@on_stage
async def test_a_spectrum_shows_both_sides():
    spectrum = Spectrum()
    rng = np.random.default_rng(2)
    noise = rng.uniform(-0.5, 0.5, (2, 44_100)).astype(np.float32)
    async with staged(spectrum, size=(100, 8)) as (app, pilot):
        assert "nothing heard yet" in "".join(app.lines())
        edges = band_edges(44_100, 12)
        hz = np.sqrt(edges[:-1] * edges[1:])
        spectrum.show_spectra(
            (hz, spectrum_of(noise, 44_100, 12)), (hz, spectrum_of(0.1 * noise, 44_100, 12))
        )
        await pilot.pause()
        lines = app.lines()
        assert "1k" in lines[-1]
        assert "10k" in lines[-1]
        assert "⢕" in "".join(lines)  # A, every other dot
        assert " A" in lines[0]
        assert " B" in lines[1]
