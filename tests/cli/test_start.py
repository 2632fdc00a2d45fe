"""The command line starts fast and loads nothing heavy; errors end with one line and an exit code."""

import json
import subprocess
import sys

import pytest

from covermaker.cli.main import COMMANDS, run
from covermaker.errors import (
    AudioInputError,
    CovermakerError,
    ExitCode,
    ProjectError,
    ResourceError,
    UsageError,
    WeightsError,
    nearest,
)

HEAVY = ("torch", "pedalboard", "scipy", "faster_whisper", "demucs", "textual", "ray", "librosa", "rich")


def modules_after(code):
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_heavy():
    loaded = modules_after("from covermaker.cli.main import run; run(['--help'])")
    assert not loaded & {*HEAVY, "numpy", "pydantic", "soundfile"}


def test_help_lists_every_command_in_order(capsys):
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    places = [text.index(f"  {name} ") for name in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    assert run([name, "--help"]) == 0
    assert "Usage: covermaker" in capsys.readouterr().out


def test_an_unknown_command_names_the_nearest(capsys):
    assert run(["rendr"]) == ExitCode.USAGE
    assert "did you mean 'render'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["voices", "promte"], "error: no command 'promte': did you mean 'promote'?"),
        (["voices", "remov", "anna"], "did you mean 'remove'?"),
        (["voices", "--plain", "delete", "anna"], "did you mean 'remove'?"),
        (["presets", "ls"], "did you mean 'list'?"),
        (["rack", "demote"], "error: no command 'demote': known: "),  # what is only half alike is not offered
        (["delete", "song"], "did you mean 'remove'?"),
        (["lsit"], "did you mean 'list'?"),
    ],
)
def test_the_nearest_command_of_a_group_is_named(capsys, arguments, said):
    assert run(arguments) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert said in error
    assert error.splitlines()[-1].endswith(" --help")


def test_a_command_that_is_only_half_alike_is_not_offered():
    known = ["add", "keep", "new", "promote", "scan"]
    assert nearest("remove", known, alike=0.7) == "known: add, keep, new, promote, scan"


def test_wrong_options_are_usage_errors(capsys):
    assert run(["render"]) == ExitCode.USAGE
    assert "PROJECT" in capsys.readouterr().err
    assert run(["render", "x", "--nonsense"]) == ExitCode.USAGE
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["render", "separate", "convert"])
def test_a_stream_of_events_ends_with_the_failure(command, capsys, tmp_path):
    assert run([command, str(tmp_path / "none"), "--json"]) != 0
    assert json.loads(capsys.readouterr().out)["event"] == "render.failed"


def test_a_command_that_prints_one_value_prints_no_event(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_WEIGHTS_FCPE", str(tmp_path / "none"))
    assert run(["models", "verify", "fcpe", "--json"]) == ExitCode.WEIGHTS
    said = capsys.readouterr()
    assert json.loads(said.out) == [{"name": "fcpe", "state": "not here"}]
    assert "error: " in said.err


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (CovermakerError, 1),
        (UsageError, 2),
        (ProjectError, 3),
        (AudioInputError, 4),
        (WeightsError, 5),
        (ResourceError, 6),
    ],
)
def test_every_error_has_its_exit_code(kind, code):
    assert int(kind("x").exit_code) == code


@pytest.mark.parametrize(
    ("variable", "command"),
    [
        ("COVERMAKER_STORE", ("cache", "stats")),
        ("COVERMAKER_MODELS", ("models", "path", "fcpe")),
        ("COVERMAKER_MODELS", ("models", "list")),
        ("COVERMAKER_CACHE", ("models", "path", "fcpe")),
        ("COVERMAKER_PRESETS", ("presets", "list")),
        ("COVERMAKER_VOICES", ("voices", "list")),
        ("COVERMAKER_WEIGHTS_FCPE", ("models", "path", "fcpe")),
    ],
)
def test_a_home_of_nobody_in_the_environment(variable, command, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(variable, "~nobody-at-all/here")
    monkeypatch.chdir(tmp_path)
    assert run(list(command)) == ExitCode.USAGE
    assert f"error: {variable} = '~nobody-at-all/here' leads nowhere" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_messages_are_one_line():
    error = ProjectError("two\n  lines", hint="try this")
    assert error.message == "two lines"
    assert str(error) == "two lines (try this)"


def test_nearest_names():
    assert nearest("reverd", ["reverb", "delay"]) == "did you mean 'reverb'?"
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
    assert nearest("zzz", []) == "there are none"
