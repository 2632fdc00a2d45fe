"""Meters: ballistics by a clock of the test's own, one repaint for what changed."""

import numpy as np
import pytest
from drawing import on_stage, staged

from covermaker.tui.widgets.meters import Meters


class Clock:
    """A clock that stands until it is told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def gain(db):
    return 10.0 ** (db / 20.0)


@pytest.fixture
def clock():
    return Clock()


@pytest.mark.parametrize(("charset", "rest"), [("unicode", "░"), ("block", "░"), ("ascii", ".")])
@on_stage
async def test_lying(clock, charset, rest):
    meters = Meters(3, clock=clock)
    async with staged(meters, size=(44, 3), charset=charset) as (app, pilot):
        meters.feed([gain(-12), gain(-6), 0])
        await pilot.pause()
        lines = app.lines()
        assert [text[-6:] for text in lines] == [" -12.0", "  -6.0", "      "]
        lit = [37 - text[:37].count(rest) for text in lines]
        assert lit == [pytest.approx(0.62 * 37, abs=1), pytest.approx(0.81 * 37, abs=1), 0]


@on_stage
async def test_standing_has_both_sides(clock):
    meters = Meters(3, standing=True, strip_cells=7, inset_cells=2, clock=clock)
    async with staged(meters, size=(21, 11)) as (app, pilot):
        meters.feed([[gain(-6), gain(-24)], [0, 0], [1.0, 0.5]])
        await pilot.pause()
        lines = app.lines()
        left, right = ([line[column] for line in lines[:10]] for column in (2, 3))
        assert sum(sign not in "░─" for sign in left) == pytest.approx(8, abs=1)
        assert sum(sign not in "░─" for sign in right) == pytest.approx(4, abs=1)
        assert lines[10].split() == ["-6.0", "CLIP"]
        assert all(line[9:11] == "░░" for line in lines[:10])


@on_stage
async def test_it_rises_at_once_falls_slowly_and_holds_its_peak(clock):
    meters = Meters(3, clock=clock)
    async with staged(meters, size=(60, 3)) as (app, pilot):

        async def held():
            await pilot.pause()
            return float(app.lines()[0].split()[-1])

        meters.feed([gain(-10), 0, 0])
        assert meters._level[0, 0] == pytest.approx(-10.0)
        clock.now += 1.7
        meters.feed([0, 0, 0])
        assert meters._level[0, 0] == pytest.approx(-30.0)  # 20 dB in 1.7 s
        assert await held() == -10.0
        clock.now += 0.2
        meters.feed([gain(-20), 0, 0])
        assert meters._level[0, 0] == pytest.approx(-20.0)
        assert await held() == -10.0
        clock.now += 0.2  # 2.1 s after the peak
        meters.feed([gain(-40), 0, 0])
        assert await held() == pytest.approx(-20.0 - 0.2 * 20 / 1.7, abs=0.05)


@on_stage
async def test_clip_is_a_word_that_stays_until_it_is_clicked_away(clock):
    meters = Meters(3, clock=clock)
    async with staged(meters, size=(60, 3)) as (app, pilot):
        meters.feed([1.0, 0.999, 0])
        clock.now += 60
        meters.feed([0, 0, 0])
        await pilot.pause()
        assert app.lines()[0].endswith("CLIP")
        assert not app.lines()[1].endswith("CLIP")
        await pilot.click(Meters, offset=(3, 0))
        await pilot.pause()
        assert "CLIP" not in app.lines()[0]
        assert [type(message) for message in app.heard] == [Meters.Cleared]


@on_stage
async def test_it_repaints_only_what_changed(clock):
    meters = Meters(3, clock=clock)
    async with staged(meters, size=(60, 3)) as (_, pilot):
        meters.feed([gain(-10), gain(-10), 0])
        await pilot.pause()
        asked = []
        original = meters.refresh
        meters.refresh = lambda *regions, **options: asked.append(regions) or original(*regions, **options)
        clock.now += 0.0001
        meters.feed([gain(-10), gain(-10), 0])  # the same: nothing
        assert asked == []
        clock.now += 0.2
        meters.feed([gain(-10), 0, 0])
        (regions,) = asked
        assert {region.y for region in regions} == {1}
        assert sum(region.area for region in regions) < 8


@on_stage
async def test_eight_meters_at_fifteen_frames_cost_little_of_a_core(clock):
    """The budget is a tenth of a core; CPU time is counted, and three times that allowed."""
    import time

    rng = np.random.default_rng(1)
    meters = Meters(8, clock=clock)
    async with staged(meters, size=(120, 20)) as (_, pilot):
        frames = [rng.uniform(0, 1, (8, 2)) for _ in range(45)]
        meters.feed(frames[0])
        await pilot.pause()
        began = time.process_time()
        for peaks in frames:
            clock.now += 1 / 15
            meters.feed(peaks)
            await pilot.pause()
        assert time.process_time() - began < 0.3 * 45 / 15
