"""``covermaker export``: what it makes, says and refuses."""

from __future__ import annotations

import json
from zipfile import ZipFile

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run

COVER = """schema = 1
title = "Small"
[song]
file = "song.wav"
tempo_bpm = 120.0
[stems]
separator = "provided"
files = { vocals = "vocals.wav", band = "band.wav" }
[[tracks]]
name = "vocals"
source = "vocals"
sends = { room = -12.0 }
[[tracks]]
name = "band"
source = "band"
[[buses]]
name = "room"
rack = [{ effect = "reverb", wet_db = 0.0, dry_db = -100.0 }]
[[sections]]
name = "verse"
from_seconds = 0.0
"""


@pytest.fixture
def project(tmp_path):
    rng = np.random.default_rng(1)
    sounds = {name: 0.1 * rng.standard_normal((88_200, 2)) for name in ("vocals", "band")}
    sounds["song"] = sum(sounds.values())
    for name, sound in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", sound, 44_100, subtype="FLOAT")
    (tmp_path / "cover.toml").write_text(COVER, encoding="utf-8")
    return tmp_path


def test_everything_at_once_in_a_child_and_again_from_the_store(project, capsys):
    command = ["export", str(project), "--store", str(project / "store"), "--out", str(project / "to send")]
    assert run([*command, "--dry-run", "--stems", "--dawproject"]) == 0
    told = capsys.readouterr().out
    assert "mix stems  would run" in told
    assert "bounces" in told
    assert not (project / "to send").exists()
    assert run([*command, "--stems", "--reaper", "--dawproject", "--labels", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    out = project / "to send"
    assert {path.name for path in (out / "mix stems").iterdir()} == {"vocals.wav", "band.wav", "room.wav"}
    assert (out / "reaper" / "Small.rpp").is_file()
    assert ZipFile(out / "Small.dawproject").testzip() is None
    assert (out / "Small (sections).txt").read_text().split("\t")[2] == "verse\n"
    assert {str(path) for path in out.rglob("*.*")} == set(result["files"])
    assert run([*command, "--labels"]) == 0
    printed = capsys.readouterr().out
    assert "tempo     120 bpm\n" in printed
    assert "sections  verse 0:00\n" in printed
    assert run([*command, "--stems"]) == 0
    assert "3, 24 bits, their sum is the mix" in capsys.readouterr().out
    assert run([*command, "--dry-run", "--stems", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert {step["state"] for step in plan["steps"]} <= {"kept", "not needed"}
    # A session that somebody has worked on is not lost.
    file = out / "reaper" / "Small.rpp"
    file.write_text("<REAPER_PROJECT 0.1\n>\n")
    assert run([*command, "--reaper"]) == 2
    assert "has been saved by another program since" in capsys.readouterr().err
    assert run([*command, "--reaper", "--force"]) == 0
    assert "covermaker" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "nothing to export is named"),
        (["--original", "--stems"], 2, "--original does nothing without --melody"),
        (["--stmes"], 2, "--stems"),
        (["--stems", "--device", "abacus"], 2, "abacus"),
    ],
)
def test_what_is_refused(project, capsys, arguments, code, words):
    assert run(["export", str(project), *arguments]) == code
    assert words in capsys.readouterr().err
    assert not (project / "out").exists()


def test_strict_refuses_a_plugin_that_is_missing(project, capsys):
    row = '[[tracks.rack]]\neffect = "vst3"\nplugin = "Not There"\n'
    text = COVER.replace('source = "band"\n', f'source = "band"\n{row}', 1)
    (project / "cover.toml").write_text(text, encoding="utf-8")
    command = ["export", str(project), "--stems", "--dry-run", "--store", str(project / "store")]
    assert run(command) == 0
    assert run([*command, "--strict"]) == 3
    assert "Not There" in capsys.readouterr().err


def test_a_project_that_is_none(tmp_path, capsys):
    assert run(["export", str(tmp_path / "nothing"), "--stems", "--dry-run"]) == 3
    assert "nothing" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_to(project, capsys):
    (project / "taken").write_text("a file")
    command = ["export", str(project), "--store", str(project / "store"), "--out", str(project / "taken")]
    assert run([*command, "--stems"]) == 6
    assert "cannot write" in capsys.readouterr().err
