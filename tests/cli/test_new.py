"""``covermaker new``: what is written stays true when the project is rendered."""

import shutil
import subprocess
import sys

import pytest

from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.project.load import load
from covermaker.voices.library import SHIPPED, find_voice


def test_a_voice_given_by_its_path_is_found_from_the_project(new, tmp_path):
    shutil.copytree(SHIPPED / "demo", tmp_path / "mine")
    assert new("--voice", "./mine") == 0
    project = load(tmp_path / "cover")
    assert project.cover.voice.name == str(tmp_path / "mine")
    assert find_voice(project.cover.voice.name, project.root).folder == tmp_path / "mine"


def test_a_voice_given_by_its_name_keeps_it(new, tmp_path):
    assert new() == 0
    assert load(tmp_path / "cover").cover.voice.name == "demo"


def test_an_unknown_separator_is_refused(new, tmp_path, capsys):
    assert new("--separator", "spleetr") == ExitCode.USAGE
    assert "did you mean 'spleeter'?" in capsys.readouterr().err
    assert not (tmp_path / "cover").exists()


def test_the_rack_of_the_master_is_written(new, preset, tmp_path):
    preset(
        "masters",
        "warm",
        'loudness_lufs = -12.5\ntrue_peak_dbtp = -2.0\nrack = [{ effect = "gain", gain_db = -1.0 }]\n',
    )
    assert new("--master", "warm") == 0
    master = load(tmp_path / "cover").cover.master
    assert master.rack == [{"effect": "gain", "gain_db": -1.0}]
    assert (master.loudness_lufs, master.true_peak_dbtp) == (-12.5, -2.0)


def test_a_file_name_that_is_not_utf8(new, song, tmp_path, capsys):
    odd = song.rename(song.with_name("\udcff.wav"))
    assert new("--reference", of=odd) == ExitCode.PROJECT
    assert "not UTF-8" in capsys.readouterr().err
    assert new("--json", of=odd) == 0
    cover = load(tmp_path / "cover").cover
    assert cover.title == "\ufffd"
    assert cover.song.file == "audio/cover.wav"
    assert (tmp_path / "cover" / cover.song.file).read_bytes() == odd.read_bytes()


def test_an_argument_that_is_not_utf8_is_printed(song, tmp_path):
    """In a process of its own: the captured stdout of a test forgives what a terminal's does not."""
    command = [
        sys.executable,
        "-m",
        "covermaker",
        "new",
        str(song),
        "--folder",
        "c\udcff",
        "--title",
        "t\udcff",
    ]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert b"next: covermaker render" in done.stdout


@pytest.mark.parametrize("command", ["separate", "convert"])
@pytest.mark.parametrize("place", [".", "/", ".."])
def test_a_folder_is_no_song(command, place, capsys):
    assert run([command, place]) == ExitCode.AUDIO
    assert f"'{place}' is a folder, not an audio file" in capsys.readouterr().err
