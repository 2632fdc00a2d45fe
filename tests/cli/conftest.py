import json
from importlib import import_module

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.jobs.child import JOBS


@pytest.fixture
def song(tmp_path):
    """Return a short song in a folder of its own."""
    path = tmp_path / "songs" / "song.wav"
    path.parent.mkdir()
    soundfile.write(path, 0.1 * np.sin(np.arange(8000) * 0.1), 8000)
    return path


@pytest.fixture
def new(song, tmp_path, monkeypatch):
    """Run ``covermaker new`` in the temporary folder with its own presets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERMAKER_PRESETS", str(tmp_path / "presets"))

    def make(*options, of=song):
        return run(["new", str(of), "--folder", "cover", *options])

    return make


@pytest.fixture
def preset(tmp_path):
    """Write a preset of one's own."""

    def write(kind, name, text):
        path = tmp_path / "presets" / kind / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('description = "x"\n' + text)

    return write


@pytest.fixture
def jobs_here(monkeypatch):
    """Run a command's jobs in the test's own process, where what they use can be replaced; they start at once."""

    def launch(request, *, listener, log):
        module, _, name = JOBS[request["job"]].partition(":")
        result = getattr(import_module(module), name)(json.loads(json.dumps(request)), listener)
        return json.loads(json.dumps(result))

    monkeypatch.setattr("covermaker.cli.alone.launch", launch)
