"""What ``voices scan`` advises can be typed as it stands."""

import shlex

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.takes.document import read_takes


@pytest.fixture
def library(tmp_path, monkeypatch, jobs_here):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "my library"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "covermaker.takes.scan.singer_pieces", lambda *_: (np.zeros((0, 256), np.float32), np.zeros(0))
    )
    return tmp_path / "my library"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["anna", "./her voice"])
def test_a_take_to_be_left_out_comes_with_the_command_for_it(library, tmp_path, capsys, name):
    t = np.arange(16000 * 40) / 16000
    tone = 0.2 * sum(np.sin(2 * np.pi * 200 * k * t) / k for k in range(1, 8)) * (t % 8 < 7.5)
    soundfile.write(
        tmp_path / "sung.wav", tone + 1e-4 * np.random.default_rng(0).standard_normal(len(t)), 16000
    )
    soundfile.write(
        tmp_path / "room.wav", 1e-5 * np.random.default_rng(1).standard_normal(len(t)), 16000, "FLOAT"
    )
    assert run(["voices", "new", name, "sung.wav", "room.wav", "--rights", "synthetic"]) == 0
    following = capsys.readouterr().out.splitlines()[-1]
    scan = shlex.split(following.removeprefix("next: ").partition(", then ")[0])
    assert run([*scan[1:], "--no-bleed"]) == 0
    said = capsys.readouterr().out.splitlines()
    (advice,) = (line for line in said if "voices skip" in line)
    assert advice.startswith("  leave it out of training: covermaker voices skip ")
    assert run(shlex.split(advice.partition(": ")[2])[1:]) == 0
    folder = library / "anna" if name == "anna" else tmp_path / "her voice"
    assert [row.file for row in read_takes(folder).used] == ["sung.wav"]
    capsys.readouterr()
    assert run([*scan[1:], "--no-bleed"]) == 0
    assert "voices skip" not in capsys.readouterr().out  # it is left out already
