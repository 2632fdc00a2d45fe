"""``covermaker new``: what is written stays true when the project is rendered."""

import json
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


@pytest.fixture
def album(song, tmp_path):
    """Return a folder with two songs in it, and what is none."""
    folder = tmp_path / "album"
    (folder / "more").mkdir(parents=True)
    for name in ("b side.wav", "A side.wav", ".hidden.wav", "more/c.wav"):
        shutil.copy(song, folder / name)
    (folder / "cover.jpg").write_text("no sound")
    return folder


def test_a_folder_becomes_a_project_a_song(new, album, tmp_path, capsys):
    assert run(["new", "album", "--artist", "Me"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "a-side: 'A side', 0:01",
        "b-side: 'b side', 0:01",
        "2 of 2 made",
        "next: covermaker render a-side b-side",
    ]
    assert load(tmp_path / "b-side").cover.artist == "Me"
    assert run(["new", "album", "--folder", "lib", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["song"], row["project"], row["title"]) for row in rows] == [
        ("album/A side.wav", str(tmp_path / "lib" / "a-side"), "A side"),
        ("album/b side.wav", str(tmp_path / "lib" / "b-side"), "b side"),
    ]


def test_of_several_songs_the_good_ones_are_made(new, album, song, tmp_path, capsys):
    (tmp_path / "broken.wav").write_text("no sound")
    assert run(["new", str(song), "broken.wav", "album"]) == ExitCode.BATCH_PARTLY_FAILED
    said = capsys.readouterr()
    assert "3 of 4 made" in said.out
    assert said.err.startswith("failed: ")
    assert "broken.wav" in said.err
    assert run(["new", str(song), "broken.wav", "--json"]) == ExitCode.BATCH_PARTLY_FAILED
    rows = json.loads(capsys.readouterr().out)
    assert [row["project"] for row in rows] == [None, None]  # the first one is there already
    assert "exists already" in rows[0]["problem"]


def test_of_several_songs_none_has_the_title(new, album, tmp_path, capsys):
    assert run(["new", "album", "--title", "x"]) == ExitCode.USAGE
    assert "one title for 2 songs" in capsys.readouterr().err
    assert run(["new", "album/more", "--title", "x"]) == 0
    assert load(tmp_path / "x").cover.title == "x"
    (tmp_path / "empty").mkdir()
    assert run(["new", "empty"]) == ExitCode.AUDIO
    assert "there is no audio file in 'empty'" in capsys.readouterr().err


def test_a_name_longer_than_any_file_s_is_no_defect(new, capsys):
    endless = "a" * 300
    assert run(["new", endless]) == ExitCode.AUDIO
    assert run(["new", "nowhere.wav", endless]) == ExitCode.BATCH_PARTLY_FAILED
    assert capsys.readouterr().err.count("File name too long") == 2


@pytest.mark.parametrize("command", ["separate", "convert"])
@pytest.mark.parametrize("place", [".", "/", ".."])
def test_a_folder_is_no_song(command, place, capsys):
    assert run([command, place]) == ExitCode.AUDIO
    assert f"'{place}' is a folder, not an audio file" in capsys.readouterr().err
