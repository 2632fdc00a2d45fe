"""The wave of the selected song. Loads numpy: it is imported when the first one is there to be drawn."""

from __future__ import annotations

from covermaker.tui.widgets.waveform import Waveform


class SongWave(Waveform, can_focus=False):
    """What is heard of a song. Its keys are the library's; a click goes where it is."""
