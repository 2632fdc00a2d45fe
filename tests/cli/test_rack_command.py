"""``covermaker rack``: what the Rack screen does, by a command."""

import json
import re

import numpy as np
import pytest
import soundfile

from covermaker.cli import main
from covermaker.errors import ExitCode, ResourceError
from covermaker.project.load import load
from covermaker.render import preview
from covermaker.render.sounds import Sounds, TrackSound


@pytest.fixture
def run(new, tmp_path, monkeypatch, capsys):
    """Run a command on a fresh project, in its folder above."""
    for variable in ("CACHE", "STORE", "PROJECTS"):
        monkeypatch.setenv(f"COVERMAKER_{variable}", str(tmp_path / variable.lower()))
    assert new() == 0

    def call(*arguments):
        capsys.readouterr()
        name, *rest = arguments
        code = main.run(["rack", name, "cover", *rest])
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return call


def rack(tmp_path, of="tracks"):
    return getattr(load(tmp_path / "cover").cover, of)[0].rack


def test_effects_are_added_moved_turned_off_and_removed(run, tmp_path):
    before = len(rack(tmp_path))
    assert (
        run("add", "vocals", "low_pass", "cutoff_hz=8000", "slope_db=24", "--at", "1")[1]
        == "added low_pass to vocals"
    )
    assert rack(tmp_path)[0] == {"effect": "low_pass", "cutoff_hz": 8000.0, "slope_db": 24.0}
    assert run("move", "vocals", "low_pass", "2")[1] == "moved low_pass of vocals 1 -> 2"
    assert run("off", "vocals", "2")[1] == "vocals low_pass on -> off"
    code, text, _ = run("show", "vocals")
    assert code == 0
    assert "2  low_pass" in text
    assert "off" in text.splitlines()[3]
    assert run("on", "vocals", "all")[1] == "vocals: effects on"
    shown = json.loads(run("show", "vocals", "--json")[1])
    assert all(row["on"] for row in shown)
    assert shown[1]["values"]["cutoff_hz"] == 8000.0
    assert (
        json.loads(run("remove", "vocals", "low_pass", "--json")[1])["words"]
        == "removed low_pass from vocals"
    )
    assert len(rack(tmp_path)) == before


def test_values_are_read_with_their_units(run, tmp_path):
    values = ("time_ms=0.25s", "ping_pong=yes", "wet_db=-12 dB", "feedback=40%", "sync=1/8", "bypass=on")
    assert run("add", "vocals", "delay", *values)[0] == 0
    assert rack(tmp_path)[-1] == {
        "effect": "delay", "time_ms": 250.0, "ping_pong": True, "wet_db": -12.0, "feedback": 0.4, "sync": "1/8",
        "bypass": True,
    }  # fmt: skip


def test_buses_and_the_master_have_racks_too(run, tmp_path):
    assert run("add", "master", "gain")[1] == "added gain to master"
    assert load(tmp_path / "cover").cover.master.rack[-1] == {"effect": "gain"}
    rows = json.loads(run("show", "--json")[1])
    assert {"vocals", "master"} <= {row["channel"] for row in rows}
    assert "gain" in run("show")[1]
    assert run("show", "master")[1].endswith("its defaults")
    while load(tmp_path / "cover").cover.master.rack:
        assert run("remove", "master", "1")[0] == 0
    assert "no effects yet" in run("show", "master")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "vocal"), "did you mean 'vocals'?"),
        (("add", "vocals", "gat"), "did you mean 'gate'?"),
        (("add", "vocals", "gate", "threshold"), "write it as in"),
        (("add", "vocals", "gate", "threshold_db=3ms"), "'3ms' has the wrong unit\n       write it in dB"),
        (("add", "vocals", "gate", "threshold_db=9"), "is above 0"),
        (("remove", "vocals", "99"), "has no effect 99"),
        (("remove", "vocals", "choir"), "has no 'choir'"),
        (("measure", "vocals"), "render"),
    ],
)
def test_refusals_change_nothing(run, tmp_path, arguments, words):
    before = (tmp_path / "cover" / "cover.toml").read_text()
    code, out, error = run(*arguments)
    assert code in (ExitCode.USAGE, ExitCode.PROJECT)
    assert not out
    assert words in error
    assert (tmp_path / "cover" / "cover.toml").read_text() == before


def test_the_master_is_reached_beside_a_track_of_its_name(run, tmp_path):
    file = tmp_path / "cover" / "cover.toml"
    file.write_text(file.read_text().replace('name = "vocals"', 'name = "master"'))
    before = len(rack(tmp_path))
    assert run("add", "master", "gain")[1] == "added gain to master"
    assert load(tmp_path / "cover").cover.master.rack[-1] == {"effect": "gain"}
    assert run("add", "tracks.master", "gain")[0] == 0
    assert len(rack(tmp_path)) == before + 1


def test_a_track_and_a_bus_of_one_name_are_told_apart(run, tmp_path):
    file = tmp_path / "cover" / "cover.toml"
    file.write_text(file.read_text() + '\n[[buses]]\nname = "vocals"\n')
    code, _, error = run("show", "vocals")
    assert code == ExitCode.USAGE
    assert "a track and a bus are called 'vocals'" in error
    assert "say tracks.vocals or buses.vocals" in error


def test_two_of_one_name_are_told_apart(run):
    assert run("add", "master", "gain")[0] == run("add", "master", "gain")[0] == 0
    code, _, error = run("off", "master", "gain")
    assert code == ExitCode.USAGE
    assert "2 effects called 'gain'" in error


def test_a_stretch_is_measured_and_written(run, jobs_here, tmp_path, monkeypatch):
    rate = 44100
    tone = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(3 * rate) / rate)).astype(np.float32)
    soundfile.write(tmp_path / "tone.wav", tone, rate, subtype="FLOAT")
    file = tmp_path / "tone.wav"
    sounds = Sounds(file, file, file, None, None, 0.0, {"vocals": TrackSound(file, None, -18.0)})
    stores = []
    monkeypatch.setattr(preview, "find_sounds", lambda project, store: stores.append(store.root) or sounds)
    run("off", "vocals", "all")
    run("add", "vocals", "gain", "gain_db=-6")
    code, text, _ = run(
        "measure", "vocals", "--start", "1", "--for", "2", "--out", "wet.wav", "--dry", "dry.wav"
    )
    assert code == 0
    lines = text.splitlines()
    assert lines[0].split() == ["behind", "loudness", "peak", "turned", "down", "at", "most"]
    levels = [float(re.search(r"(\S+) LUFS", line)[1]) for line in lines[2:4]]
    assert levels[1] - levels[0] == pytest.approx(-6.0, abs=0.11)
    wet, dry = soundfile.read("wet.wav")[0], soundfile.read("dry.wav")[0]
    assert np.abs(wet).max() == pytest.approx(np.abs(dry).max() / 2, rel=0.01)
    assert len(wet) == len(dry) == 2 * rate
    assert not list((tmp_path / "cover" / ".covermaker" / "preview").glob("*.wav"))
    value = json.loads(run("measure", "vocals", "--start", "0", "--for", "1", "--json")[1])
    assert value["points"][0]["index"] == -1
    assert "tracks" not in value["instead"]
    code, _, error = run("measure", "vocals", "--difference")
    assert (code, "--difference needs --out" in error) == (ExitCode.USAGE, True)
    assert run("measure", "vocals", "--store", "elsewhere")[0] == 0
    assert stores[-1] == tmp_path / "elsewhere"

    def full(self, samples):
        raise ResourceError("the disk is full")

    before = (tmp_path / "wet.wav").read_bytes()
    monkeypatch.setattr("covermaker.audio.files.WavWriter.write", full)
    monkeypatch.setattr(
        "covermaker.render.preview_files.PreviewFiles.write", lambda *_: tmp_path / "tone.wav"
    )
    assert run("measure", "vocals", "--for", "1", "--out", "wet.wav")[0] == ExitCode.RESOURCE
    assert (tmp_path / "wet.wav").read_bytes() == before


def test_a_row_without_an_effect_is_told_with_its_place(run, tmp_path):
    file = tmp_path / "cover" / "cover.toml"
    file.write_text(file.read_text() + "\n[[buses]]\nname = 'odd'\nrack = [{ gain_db = 1.0 }]\n")
    for command in (("show",), ("show", "odd"), ("off", "odd", "1"), ("off", "odd", "all")):
        code, _, said = run(*command)
        assert code == ExitCode.PROJECT, command
        assert "effect is missing" in said


def test_an_effect_that_is_off_shows_its_values_alone(run, tmp_path):
    run("add", "vocals", "low_pass", "--at", "1")
    for state in ("on", "off"):
        run(state, "vocals", "1")
        line = run("show", "vocals")[1].splitlines()[2]
        assert line.split(maxsplit=3)[2:] == [state, "its defaults"]
