"""The option --device names what exists and refuses what does not, before anything runs."""

import pytest

from covermaker.cli.main import COMMANDS, run
from covermaker.errors import ExitCode

PROJECT = "projects/demo"
CALLS = {
    "render": ["render", PROJECT, "--dry-run"],
    "doctor": ["doctor"],
    "convert": ["convert", "song.wav", "--voice", "demo", "--out", "out.wav"],
    "evaluate": ["evaluate", "demo"],
    "train": ["train", "demo"],
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:1", "mps:0", ""])
def test_a_device_that_is_none_is_refused_with_the_names(name, device, capsys):
    assert name in COMMANDS
    assert run([*CALLS[name], "--device", device]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert f"unknown device '{device}'" in said
    assert "auto, cpu, cuda, cuda:N or mps" in said


def test_one_of_several_gpus_can_be_named(tmp_path, capsys):
    assert run(["render", PROJECT, "--dry-run", "--device", "cuda:3", "--store", str(tmp_path / "s")]) == 0
    assert "would run" in capsys.readouterr().out
