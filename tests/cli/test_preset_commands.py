"""``covermaker presets``: two applies never mix, equal names are told apart, own ones are kept and thrown away."""

import json

import numpy as np
import pytest
import soundfile

from covermaker.cli import stretches
from covermaker.cli.main import run
from covermaker.errors import ExitCode, ResourceError
from covermaker.graph.events import StepFinished
from covermaker.project.load import load

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
    said = capsys.readouterr()
    assert "mine.toml:4: convrt is unknown" in said.err
    assert "'mine' cannot be used like this; to mend it: covermaker presets edit mine" in said.err
    assert said.out == ""
    monkeypatch.setenv("EDITOR", "true")
    assert (
        run(["presets", "edit", "mine", "--kind", "voice"]) == ExitCode.PROJECT
    )  # left as it was: still damaged
    assert "to mend it: covermaker presets edit mine --kind voice\n" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", "sed -i s/convrt/convert/")
    assert told(capsys, "edit", "mine") == "'mine' can be used: presets/voices/mine.toml\n"
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


def side(tmp_path, file, gain, lufs):
    """Return what a preview says of two seconds from 2 s on, and write it."""
    soundfile.write(tmp_path / file, np.full((16000, 2), gain), 8000, subtype="FLOAT")
    return {
        "id": 1, "what": "mix", "start_seconds": 2.0, "seconds": 2.0, "file": str(tmp_path / file),
        "against": "/song.wav", "in_lufs": None, "out_lufs": lufs, "gain_db": 0.0, "against_gain_db": 0.0,
        "reduction_seconds": 0.05, "reductions": [], "peaks": {}, "took_seconds": 0.1,
    }  # fmt: skip


def test_hearing_writes_both_sides_equally_loud(new, tmp_path, capsys, monkeypatch):
    assert new() == 0
    asked = []

    def make(job, request, **options):
        assert job == "stretches"
        asked.extend(
            (one["start_seconds"], one["seconds"], one["what"], sorted(one["changes"]))
            for one in request["wishes"]
        )
        return {
            "made": [side(tmp_path, "a.wav", 0.1, -20.0), side(tmp_path, "b.wav", 0.2, -13.979400086720377)]
        }

    monkeypatch.setattr(stretches, "run_alone", make)
    said = told(capsys, "hear", "pop-lead", "cover", "--stretch", "0:02-0:04", "--out", "heard")
    assert asked == [(2.0, 2.0, "mix", []), (2.0, 2.0, "mix", ["buses", "tracks"])]
    assert "covermaker play 'heard/cover without pop-lead.wav' 'heard/cover with pop-lead.wav'" in said
    assert sorted(file.name for file in (tmp_path / "heard").iterdir()) == [
        "cover with pop-lead.wav", "cover without pop-lead.wav",
    ]  # fmt: skip
    for name in ("cover without pop-lead.wav", "cover with pop-lead.wav"):
        sound, _ = soundfile.read(tmp_path / "heard" / name)
        assert len(sound) == 16000
        assert sound == pytest.approx(0.1, abs=1e-4)
    assert not (tmp_path / "a.wav").exists()


def test_without_a_stretch_it_is_a_third_into_the_song(new, tmp_path, monkeypatch):
    assert new() == 0
    asked = []

    def make(job, request, **options):
        asked.extend((one["start_seconds"], one["seconds"]) for one in request["wishes"])
        return {"made": [side(tmp_path, f"{name}.wav", 0.1, -20.0) for name in "ab"]}

    monkeypatch.setattr(stretches, "run_alone", make)
    monkeypatch.setattr("covermaker.cli.presets._song_seconds", lambda project: 60.0)
    assert run(["presets", "hear", "pop-lead", "cover"]) == 0
    assert asked == [(20.0, 8.0)] * 2


def test_voice_settings_are_sung_anew_on_the_device_that_was_asked_for(new, tmp_path, capsys, monkeypatch):
    assert new() == 0
    asked = []

    def make(job, request, *, device, listener, store):
        asked.append((device, [(one["what"], one["changes"]) for one in request["wishes"]]))
        listener(StepFinished("convert (preview)", "key", 1.5))
        return {"made": [side(tmp_path, f"{name}.wav", 0.1, -20.0) for name in "ab"]}

    monkeypatch.setattr(stretches, "run_alone", make)
    args = ["presets", "hear", "smaller-head", "cover", "--stretch", "0:02-0:04", "--device", "cpu"]
    assert run(args) == 0
    assert "convert (preview)        1.5 s" in capsys.readouterr().err
    ((device, ((what, as_it_is), (_, changed))),) = asked
    assert (device, what, as_it_is) == ("cpu", "sung", {})
    assert changed["convert"]["formant_semitones"] == 2.0
    assert run([*args, "--json"]) == 0
    heard = capsys.readouterr()
    assert json.loads(heard.out)["preset"] == "smaller-head"
    assert heard.err == ""


def test_a_side_that_cannot_be_written_leaves_what_was_there(new, tmp_path, monkeypatch):
    assert new() == 0
    (tmp_path / "cover without pop-lead.wav").write_bytes(b"of before")
    monkeypatch.setattr(
        stretches, "run_alone", lambda *_, **__: {"made": [side(tmp_path, "a.wav", 0.0, None)] * 2}
    )

    def full(self, samples):
        raise ResourceError("the disk is full")

    monkeypatch.setattr("covermaker.audio.files.WavWriter.write", full)
    assert run(["presets", "hear", "pop-lead", "cover"]) == ExitCode.RESOURCE
    assert (tmp_path / "cover without pop-lead.wav").read_bytes() == b"of before"


def test_a_preset_of_a_bus(new, preset, tmp_path, capsys):
    preset(
        "racks", "roomy", 'rack = []\nsends = { reverb = -12.0 }\n'
        'buses.reverb = [{ effect = "reverb", room_size = 0.9 }]\n',
    )  # fmt: skip
    assert new() == 0
    assert "~ 1 reverb: room size" in told(capsys, "diff", "roomy", "cover", "--bus", "reverb")
    assert "preset 'roomy' on bus reverb" in told(capsys, "apply", "roomy", "cover", "--bus", "reverb")
    assert told(capsys, "diff", "roomy", "cover", "--bus", "reverb") == "the same\n"
    told(capsys, "save", "hall", "cover", "--bus", "reverb", "--description", "Wide.")
    assert json.loads(told(capsys, "show", "hall", "--json"))["rack"][0]["room_size"] == 0.9
    assert run(["presets", "apply", "roomy", "cover", "--bus", "rever"]) == ExitCode.USAGE
    assert run(["presets", "apply", "streaming", "cover", "--bus", "reverb"]) == ExitCode.USAGE
    assert "goes on no bus" in capsys.readouterr().err


def test_the_users_of_a_damaged_preset_are_its_problem(new, preset, tmp_path, capsys):
    assert new() == 0
    preset("racks", "bad", "rack = 3\n")
    capsys.readouterr()
    assert run(["presets", "users", "bad", str(tmp_path)]) == ExitCode.PROJECT
    said = capsys.readouterr().err
    assert "bad.toml" in said
    assert "defect" not in said
    preset("racks", "good", 'rack = [{ effect = "gate" }]\n')
    assert told(capsys, "users", "good", str(tmp_path)) == "no project has it\n"
