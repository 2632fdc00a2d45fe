"""The next step of an error that only the command line knows."""

import pytest

from covermaker.cli.main import run
from covermaker.errors import ExitCode


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("HOME", str(tmp_path))
    here = tmp_path / "here"
    for name in ("harbor", "meadow"):
        (here / name).mkdir(parents=True)
        (here / name / "cover.toml").write_text("")
    (here / "harb").mkdir()  # no project
    monkeypatch.chdir(here)
    return here


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (["render", "harbr"], "did you mean 'harbor'?"),
        (["why", "harbr/cover.toml"], "did you mean 'harbor'?"),
        (["why", "../here/medow"], "did you mean '../here/meadow'?"),
        (["why", "something-else"], "make one with: covermaker new SONG"),
    ],
)
def test_a_project_that_is_called_nearly_so_is_named(places, capsys, command, hint):
    assert run(command) == ExitCode.PROJECT
    error, said = capsys.readouterr().err.splitlines()
    assert error.startswith("error: there is no project at ")
    assert said.strip() == hint
