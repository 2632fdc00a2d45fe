"""What the studio's own widgets cost: CPU time of drawing, in an application without a terminal.

Run: ``python benchmarks/bench_tui_widgets.py``. The budgets are those of the studio: eight meters at 15 frames a
second under 10 % of one core, the waveform of a four-minute song in 5 ms once its peaks are there.
"""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial

import numpy as np
from textual.app import App

from covermaker.audio.spectrum import spectrum_of
from covermaker.render.stages import BANDS_AN_OCTAVE, bands
from covermaker.tui.widgets.curve import Curve, Series
from covermaker.tui.widgets.meters import Meters
from covermaker.tui.widgets.pyramid import Pyramid
from covermaker.tui.widgets.spectrum import Spectrum
from covermaker.tui.widgets.waveform import Waveform

RATE, BUCKET = 44_100, 256
SONG_SECONDS = 240.0
FPS = 15
RNG = np.random.default_rng(1)


class Stage(App):
    """Shows one widget in one character set."""

    def __init__(self, widget, charset):
        super().__init__()
        self.widget, self.charset = widget, charset

    def compose(self):
        """Show it."""
        yield self.widget


def song_peaks():
    """Return the peaks of a song in buckets of 256 frames: noise under a slow envelope."""
    count = int(SONG_SECONDS * RATE / BUCKET)
    high = (RNG.uniform(0.3, 1.0, count) * np.abs(np.sin(np.arange(count) / 900))).astype(np.float32)
    return -high, high


async def cpu_ms(widget, charset, size, step, frames=150):
    """Return the mean CPU time in ms of `step` and of the repaint that follows."""
    app = Stage(widget, charset)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        step(0)
        await pilot.pause()
        began = time.process_time()
        for number in range(frames):
            step(number)
            await pilot.pause()
        spent = time.process_time() - began
        began = time.process_time()
        for _ in range(frames):
            await pilot.pause()
        idle = time.process_time() - began  # what the test driver itself costs
        return 1000 * (spent - idle) / frames


def meters(charset, standing):
    clock = [0.0]
    levels = (0.5 + np.cumsum(RNG.normal(0, 0.08, (400, 8, 2)), axis=0)) % 0.99  # a lively mix
    widget = Meters(8, standing=standing, strip_cells=12, clock=lambda: clock[0])

    def step(number):
        clock[0] += 1 / FPS
        widget.feed(levels[number])

    return asyncio.run(cpu_ms(widget, charset, (120, 20 if standing else 8), step))


def draw_ms(charset, size):
    """Return the time in ms to make the picture and all lines of a waveform whose peaks are there."""
    widget = Waveform(Pyramid(*song_peaks(), BUCKET / RATE))
    seconds = np.arange(0, SONG_SECONDS, 0.01)
    widget.show_pitch(seconds, 220 * 2 ** np.sin(seconds))
    widget.show_sections([(n * 30.0, f"part {n}") for n in range(8)])

    async def measure():
        app = Stage(widget, charset)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            took = []
            for number in range(100):
                widget.show_view(number * 0.01, SONG_SECONDS - 1 + number * 0.01)
                began = time.process_time()
                for y in range(size[1]):
                    widget.render_line(y)
                took.append(time.process_time() - began)
            return 1000 * float(np.median(took))

    return asyncio.run(measure())


def playhead(charset):
    widget = Waveform(Pyramid(*song_peaks(), BUCKET / RATE))
    widget.looping, widget.loop = True, (60.0, 90.0)

    def step(number):
        widget.position = number * 2.1  # a column a frame: the worst there is

    return asyncio.run(cpu_ms(widget, charset, (118, 8), step, frames=100))


def curve(charset):
    widget = Curve()
    x = np.arange(5000.0)

    def step(number):
        y = np.exp(-x / 1000) + 0.3 + 0.001 * number
        widget.show_series([Series("train", x, y), Series("held out", x[::50], y[::50] + 0.1)])

    return asyncio.run(cpu_ms(widget, charset, (120, 10), step, frames=50))


def spectrum(charset):
    widget = Spectrum()
    noise = RNG.uniform(-0.5, 0.5, (2, 12 * RATE)).astype(np.float32)
    shown = (np.array(bands(RATE)), spectrum_of(noise, RATE, BANDS_AN_OCTAVE))
    return asyncio.run(
        cpu_ms(widget, charset, (120, 8), lambda _: widget.show_spectra(shown, shown), frames=50)
    )


def main() -> int:
    low, high = song_peaks()
    began = time.process_time()
    Pyramid(low, high, BUCKET / RATE)
    print(f"pyramid of {len(low)} buckets              {1000 * (time.process_time() - began):6.2f} ms")
    failed = False
    for charset in ("unicode", "block", "ascii"):
        rows = [
            ("8 meters lying, a frame", partial(meters, charset, False), 100 / FPS),
            ("8 meters standing, a frame", partial(meters, charset, True), 100 / FPS),
            ("waveform 118x8, all lines", partial(draw_ms, charset, (118, 8)), 5.0),
            ("playhead, a frame", partial(playhead, charset), None),
            ("curve of 5000 + 100 points", partial(curve, charset), None),
            ("spectrum of A and B", partial(spectrum, charset), None),
        ]
        for name, measure, budget in rows:
            spent = measure()
            words = "" if budget is None else f"budget {budget:.2f} ms"
            if name.startswith("8 meters"):
                words += f"   {spent * FPS / 10:4.1f} % of one core at {FPS} fps"
            failed |= budget is not None and spent > budget
            print(f"{charset:8} {name:28} {spent:6.2f} ms   {words}".rstrip())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
