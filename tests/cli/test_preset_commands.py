"""``covermaker presets``: two applies never mix, equal names are told apart, own ones are kept and thrown away."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.errors import ExitCode, ResourceError
from covermaker.project.load import load
from covermaker.tui import presets_sound

LEVELS = "loudness_lufs = -12.0\ntrue_peak_dbtp = -1.0\n"


def test_the_second_master_leaves_nothing_of_the_first(new, preset, tmp_path):
    preset("masters", "bright", LEVELS + 'rack = [{ effect = "gain", gain_db = 1.0 }]\n')
    preset("masters", "plain", LEVELS)
    assert new() == 0
    assert run(["presets", "apply", "bright", "cover"]) == 0
    assert load(tmp_path / "cover").cover.master.rack == [{"effect": "gain", "gain_db": 1.0}]
    assert run(["presets", "apply", "plain", "cover"]) == 0
    assert load(tmp_path / "cover").cover.master.rack == []


def test_a_rack_and_a_master_of_one_name(new, preset, tmp_path, capsys):
    preset("masters", "warm", LEVELS)
    preset("racks", "warm", 'rack = [{ effect = "gain", gain_db = 1.0 }]\n')
    assert new() == 0
    for command in (["show", "warm"], ["apply", "warm", "cover"]):
        capsys.readouterr()
        assert run(["presets", *command]) == ExitCode.USAGE
        assert "add --kind rack or --kind master" in capsys.readouterr().err
    assert run(["presets", "apply", "warm", "cover", "--kind", "master"]) == 0
    assert load(tmp_path / "cover").cover.master.loudness_lufs == -12.0
    assert run(["presets", "apply", "warm", "cover", "--kind", "rack"]) == 0
    assert load(tmp_path / "cover").cover.tracks[0].rack == [{"effect": "gain", "gain_db": 1.0}]
    assert run(["presets", "show", "streaming", "--kind", "rack"]) == ExitCode.USAGE


def told(capsys, *command):
    """Run a command that must go well and return what it printed."""
    capsys.readouterr()
    assert run(["presets", *command]) == 0
    return capsys.readouterr().out


def test_own_presets_are_made_changed_and_thrown_away(new, tmp_path, capsys, monkeypatch):
    assert new() == 0
    assert told(capsys, "save", "mine", "cover").endswith("presets/racks/mine.toml: rack 'mine'\n")
    assert "the same" in told(capsys, "diff", "mine", "cover")
    assert run(["presets", "save", "mine", "cover"]) == ExitCode.USAGE
    assert run(["set", "cover", "convert.protect", "0.1"]) == 0
    told(capsys, "save", "breath", "cover", "--kind", "voice", "--description", "Breathes.")
    assert json.loads(told(capsys, "show", "breath", "--json"))["convert"]["protect"] == 0.1
    assert run(["set", "cover", "convert.protect", "0.3"]) == 0
    assert "~ convert protect 0.3 -> 0.1" in told(capsys, "diff", "breath", "cover")
    told(capsys, "save", "breath", "cover", "--kind", "voice", "--replace")
    shown = json.loads(told(capsys, "show", "breath", "--json"))
    assert (shown["convert"]["protect"], shown["description"]) == (0.3, "Breathes.")
    assert "copied from 'rock'" in told(capsys, "copy", "rock", "rock")
    rows = {(row["kind"], row["name"]): row for row in json.loads(told(capsys, "list", "--json"))}
    assert rows["racks", "rock"]["hides_shipped"]
    assert "edited" in next(line for line in told(capsys, "list").splitlines() if " rock " in line)
    told(capsys, "rename", "mine", "yours")
    monkeypatch.setenv("VISUAL", "sed -i s/Breathes/Sighs/")
    told(capsys, "edit", "breath")
    assert json.loads(told(capsys, "show", "breath", "--json"))["description"] == "Sighs."
    assert "is in the trash" in told(capsys, "remove", "yours")
    assert "yours" in told(capsys, "restore")
    assert run(["presets", "restore", "your"]) == ExitCode.USAGE
    assert json.loads(told(capsys, "restore", "yours", "--json"))["name"] == "yours"
    assert told(capsys, "restore") == "the trash is empty\n"
    for command in (
        ["edit", "natural"],
        ["remove", "natural"],
        ["rename", "natural", "x"],
        ["copy", "natural", "../x"],
    ):
        assert run(["presets", *command]) == ExitCode.USAGE


def test_a_rack_goes_to_the_track_that_a_voice_sings(new, tmp_path, capsys):
    assert new() == 0
    file = tmp_path / "cover" / "cover.toml"
    file.write_text(file.read_text().replace('name = "vocals"', 'name = "lead"'))
    assert "replaced the rack of track 'lead'" in told(capsys, "apply", "pop-lead", "cover")
    assert told(capsys, "diff", "pop-lead", "cover") == "the same\n"
    assert told(capsys, "apply", "pop-lead", "cover").endswith(": nothing changes: it is so already\n")


def test_an_editor_that_leaves_nonsense_is_told_with_its_line(new, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERMAKER_PRESETS", str(tmp_path / "presets"))
    told(capsys, "copy", "straight", "mine")
    monkeypatch.setenv("EDITOR", "sed -i s/convert/convrt/")
    monkeypatch.delenv("VISUAL", raising=False)
    assert run(["presets", "edit", "mine"]) == ExitCode.PROJECT
    assert "mine.toml:4: convrt is unknown" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", "no-such-editor")
    assert run(["presets", "edit", "mine"]) == ExitCode.USAGE
    assert "there is no editor 'no-such-editor'" in capsys.readouterr().err


def test_who_uses_a_preset_and_voices_are_applied(new, tmp_path, capsys):
    assert new() == 0
    told(capsys, "apply", "in-tune", "cover")
    assert load(tmp_path / "cover").cover.convert.pitch_correction.strength == 0.7
    assert run(["presets", "apply", "pop-lead", "cover", "--track", "vocal"]) == ExitCode.USAGE
    assert "the same" in told(capsys, "users", "natural", ".")
    (row,) = json.loads(told(capsys, "users", "in-tune", ".", "--json"))
    assert (row["title"], row["state"]) == ("song", "the same")
    assert told(capsys, "users", "rock", ".") == "no project has it\n"


def test_hearing_writes_both_sides_equally_loud(new, tmp_path, capsys, monkeypatch):
    assert new() == 0
    assert run(["presets", "hear", "in-tune", "cover"]) == ExitCode.USAGE
    assert "heard after a render" in capsys.readouterr().err

    def side(file, gain, lufs):
        soundfile.write(tmp_path / file, np.full((800, 2), gain), 8000, subtype="FLOAT")
        return SimpleNamespace(file=str(tmp_path / file), out_lufs=lufs)

    asked = []

    async def make(self, loop, what, changes):
        asked.append((loop, what, sorted(changes)))
        return side("a.wav", 0.1, -20.0), side("b.wav", 0.2, -13.979400086720377)

    monkeypatch.setattr(presets_sound.Pairs, "make", make)
    said = told(capsys, "hear", "pop-lead", "cover", "--stretch", "0:02-0:04", "--out", "heard")
    assert asked == [((2.0, 4.0), "mix", ["buses", "tracks"])]
    assert "covermaker play 'heard/cover as it is.wav' 'heard/cover with pop-lead.wav'" in said
    assert sorted(file.name for file in (tmp_path / "heard").iterdir()) == [
        "cover as it is.wav", "cover with pop-lead.wav",
    ]  # fmt: skip
    for name in ("cover as it is.wav", "cover with pop-lead.wav"):
        sound, _ = soundfile.read(tmp_path / "heard" / name)
        assert sound == pytest.approx(0.1, abs=1e-4)


def test_a_side_that_cannot_be_written_leaves_what_was_there(new, tmp_path, monkeypatch):
    assert new() == 0
    (tmp_path / "cover as it is.wav").write_bytes(b"of before")
    soundfile.write(tmp_path / "a.wav", np.zeros((800, 2)), 8000, subtype="FLOAT")

    async def make(*_):
        return (SimpleNamespace(file=str(tmp_path / "a.wav"), out_lufs=None),) * 2

    def full(self, samples):
        raise ResourceError("the disk is full")

    monkeypatch.setattr(presets_sound.Pairs, "make", make)
    monkeypatch.setattr("covermaker.audio.files.WavWriter.write", full)
    assert run(["presets", "hear", "pop-lead", "cover"]) == ExitCode.RESOURCE
    assert (tmp_path / "cover as it is.wav").read_bytes() == b"of before"
