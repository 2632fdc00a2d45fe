"""What is told before a vocal is converted; nothing is sung here."""

from __future__ import annotations

import shutil
from datetime import date

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.project.load import load
from covermaker.takes.document import make_takes, write_takes
from covermaker.voices.library import LIBRARY_VARIABLE, SHIPPED


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Return a library with the voice `trained` and the takes of `me`."""
    folder = tmp_path / "library"
    monkeypatch.setenv(LIBRARY_VARIABLE, str(folder))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SHIPPED / "demo", folder / "trained")
    soundfile.write(tmp_path / "take.wav", 0.1 * np.sin(np.arange(16000) / 20), 16000)
    (folder / "me").mkdir()
    row = {"file": "take.wav", "sha256": "0" * 64}
    takes = make_takes(name="me", rights="synthetic", created=date(2026, 1, 31), takes=[row])
    write_takes(takes, folder / "me")
    return folder


def error_of(capsys, *arguments):
    capsys.readouterr()
    assert run([str(one) for one in arguments]) == ExitCode.PROJECT
    return capsys.readouterr().err


def test_a_voice_that_is_not_trained_says_so(library, tmp_path, capsys):
    error = error_of(capsys, "convert", "take.wav", "--voice", "me")
    assert f"voice 'me' is not trained yet: {library / 'me'} holds its takes only" in error
    assert "train it first: covermaker train me\n" in error
    by_path = error_of(capsys, "convert", "take.wav", "--voice", library / "me")
    assert f"covermaker train {library / 'me'}\n" in by_path
    assert not (tmp_path / "take-me.wav").exists()


@pytest.mark.parametrize("command", [("voices", "show"), ("evaluate",)])
def test_other_commands_say_it_too(library, capsys, command):
    assert "covermaker train me" in error_of(capsys, *command, "me")


def test_a_project_that_names_it_says_where(library, song, capsys):
    assert run(["new", str(song), "--folder", "cover", "--voice", "trained"]) == 0
    document = load(library.parent / "cover").file
    document.write_text(document.read_text().replace('name = "trained"', 'name = "me"'))
    line = document.read_text().splitlines().index('name = "me"') + 1
    for arguments in (("render", "cover", "--dry-run"), ("why", "cover"), ("status", "cover")):
        error = error_of(capsys, *arguments)
        assert f"cover.toml:{line}: voice.name: voice 'me' is not trained yet" in error
        assert "covermaker train me" in error
    assert "covermaker train me" in error_of(capsys, "new", song, "--voice", "me", "--folder", "other")


def test_a_voice_of_the_project_is_trained_by_its_path(library, song, capsys):
    assert run(["new", str(song), "--folder", "cover", "--voice", "trained"]) == 0
    shutil.copytree(library / "me", library.parent / "cover" / "voices" / "own one")
    document = load(library.parent / "cover").file
    document.write_text(document.read_text().replace('name = "trained"', 'name = "own one"'))
    place = library.parent / "cover" / "voices" / "own one"
    assert f"covermaker train '{place}'\n" in error_of(capsys, "why", "cover")


def test_names_near_by(library, capsys):
    assert "did you mean 'me'?" in error_of(capsys, "convert", "take.wav", "--voice", "mee")
    shutil.copytree(library / "me", library.parent / "here")
    assert "for the one in this folder, write ./here" in error_of(
        capsys, "convert", "take.wav", "--voice", "here"
    )
    assert "is not trained yet" in error_of(capsys, "convert", "take.wav", "--voice", "./here")
