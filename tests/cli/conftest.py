import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run


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
