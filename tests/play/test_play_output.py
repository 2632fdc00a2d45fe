"""Devices: which are there, at which rate they open, and how miniaudio is fed."""

import time
from functools import partial

import miniaudio
import numpy as np
import pytest

from covermaker.errors import ResourceError
from covermaker.play import output
from covermaker.play.output import device_names, open_output


def device(name="Speakers", rates=(48_000,)):
    return {"name": name, "id": None, "formats": [{"samplerate": rate} for rate in rates]}


def silent(frames):
    return np.zeros((2, frames), np.float32)


def test_no_device_is_one_plain_sentence(monkeypatch):
    monkeypatch.setattr(output, "_devices", list)
    assert device_names() == ()
    with pytest.raises(ResourceError, match="there is no audio device on this machine"):
        open_output(None, 44_100, silent)


def test_a_misspelt_device_names_the_nearest(monkeypatch):
    monkeypatch.setattr(output, "_devices", lambda: [device("Speakers"), device("Headset")])
    with pytest.raises(ResourceError, match="did you mean 'Speakers'"):
        open_output("Speaker", 44_100, silent)


def test_the_sink_that_throws_sound_away_is_no_device(monkeypatch):
    class Found:
        backend = "ALSA"

        def get_playbacks(self):
            return [
                device("Discard all samples (playback) or generate zero samples (capture)"),
                device("HDMI"),
            ]

    monkeypatch.setattr(miniaudio, "Devices", Found)
    assert device_names() == ("HDMI",)


@pytest.mark.parametrize(
    ("rates", "wanted", "opened"),
    [
        ((44_100, 48_000), 44_100, 44_100),
        ((48_000,), 44_100, 48_000),
        ((96_000, 192_000), 44_100, 96_000),
        ((), 44_100, 48_000),
        ((0,), 44_100, 48_000),
    ],
)
def test_the_files_rate_is_taken_where_the_device_has_it(rates, wanted, opened):
    assert output._rate(device(rates=rates), wanted) == opened


def test_miniaudio_pulls_in_its_own_thread_and_stops(monkeypatch):
    """Its null backend is a device without hardware: the same thread and callback as a real one."""
    null = partial(miniaudio.PlaybackDevice, backends=[miniaudio.Backend.NULL])
    monkeypatch.setattr(output, "_devices", lambda: [device()])
    monkeypatch.setattr(miniaudio, "PlaybackDevice", null)
    asked = []

    def pull(frames):
        asked.append(frames)
        return np.zeros((2, frames // 2), np.float32)  # fewer than asked for: the rest is silence

    opened = open_output(None, 48_000, pull)
    deadline = time.monotonic() + 5
    while len(asked) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    opened.close()
    count = len(asked)
    assert count >= 3
    time.sleep(0.1)
    assert len(asked) == count


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    from covermaker.audio.files import Writer

    def full(self, block):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Writer, "write", full)
    opened = open_output(f"file:{tmp_path / 'x.wav'}", 48_000, silent)
    deadline = time.monotonic() + 5
    while opened.problem is None and time.monotonic() < deadline:
        time.sleep(0.01)
    opened.close()
    assert "No space left" in opened.problem
