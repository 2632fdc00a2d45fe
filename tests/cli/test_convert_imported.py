"""What the command tells of settings that only imported voices know, before anything is sung."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.errors import ExitCode


@pytest.fixture
def vocal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "take.wav", 0.1 * np.sin(np.arange(16000) / 20), 16000)
    return tmp_path / "take.wav"


@pytest.mark.parametrize(
    ("option", "code", "said"),
    [
        (["--auto-pitch"], ExitCode.PROJECT, "convert.auto_pitch = true: the voice cannot make up a melody"),
        (
            ["--noise-scale", "2.5"],
            ExitCode.USAGE,
            "--noise-scale 2.5: input should be less than or equal to 2",
        ),
    ],
)
def test_what_cannot_be_is_refused(vocal, capsys, option, code, said):
    assert run(["convert", str(vocal), "--voice", "demo", *option]) == code
    assert said in capsys.readouterr().err
    assert not list(vocal.parent.glob("take-*"))
