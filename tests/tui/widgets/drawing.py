"""An application for widgets, and what is on its screen."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import wraps

import numpy as np
from textual.app import App
from textual.message import Message

from covermaker.tui.widgets.pyramid import Pyramid


class Stage(App):
    """Holds widgets and remembers what they say."""

    def __init__(self, *widgets, charset="unicode", css=""):
        type(self).CSS = css
        super().__init__()
        self.charset, self._shown, self.heard = charset, widgets, []

    def compose(self):
        yield from self._shown

    def post_message(self, message: Message) -> bool:
        if type(message).__module__.startswith("covermaker"):
            self.heard.append(message)
        return super().post_message(message)

    def lines(self):
        """Return the text of the screen."""
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def style_at(self, x, y):
        """Return the style of a cell."""
        at = 0
        for segment in self.screen._compositor.render_strips()[y]:
            at += len(segment.text)
            if at > x:
                return segment.style
        raise IndexError(x)


@asynccontextmanager
async def staged(*widgets, size=(80, 24), **options):
    """Run an application with these widgets; yields it and its pilot."""
    app = Stage(*widgets, **options)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


def on_stage(story):
    """Run a test that is a coroutine."""

    @wraps(story)
    def test(*arguments, **options):
        asyncio.run(story(*arguments, **options))

    return test


def wave(*peaks, seconds=10.0):
    """Return a sound whose peaks, evenly spread over it, are these."""
    high = np.array(peaks, np.float32)
    return Pyramid(-high, high, seconds / len(high))
