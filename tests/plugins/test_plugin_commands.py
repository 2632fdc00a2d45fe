"""``covermaker plugins`` and what other commands say of plug-ins."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from plugin_sounds import RATE, in_place, noise, rack

from covermaker.cli.main import run
from covermaker.errors import ExitCode

if TYPE_CHECKING:
    from conftest import Scanned


def said(
    capfd: pytest.CaptureFixture[str], *arguments: object, code: ExitCode = ExitCode.OK
) -> tuple[str, str]:
    capfd.readouterr()
    assert run([str(one) for one in arguments]) == code
    return capfd.readouterr()


def test_scan_tells_each_and_list_and_show_what_there_is(
    built: Path, own_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "covermaker plugins scan" in said(capfd, "plugins", "list")[0]
    places = [built / f"Fixture {kind}.vst3" for kind in ("Gain", "CrashAtOnce")]
    out, err = said(capfd, "plugins", "scan", *places)
    assert out == "1 plug-in, 1 blocked: covermaker plugins list\n"
    assert "1 of 2: Fixture Gain: " in err
    assert "2 of 2: Fixture CrashAtOnce: blocked: crashed (SIGABRT)" in err
    assert said(capfd, "plugins", "scan")[1] == ""
    assert "2 of 2: Fixture CrashAtOnce: blocked" in said(capfd, "plugins", "scan", "--plain")[1]
    listed, _ = said(capfd, "plugins", "list")
    assert "Fixture Gain  stereo  1.2.3" in listed
    assert "Fixture CrashAtOnce  crashed (SIGABRT)" in listed
    shown, _ = said(capfd, "plugins", "show", "Fixture Gain")
    assert "gain_db    -60 to 20 dB     0        Gain" in shown
    assert "mode       Soft, Hard, Off  Soft     Mode" in shown
    assert "frames" not in shown
    value = json.loads(said(capfd, "plugins", "show", "Fixture Gain", "--json")[0])
    assert value["parameters"][0] == {
        "name": "gain_db", "title": "Gain", "unit": "dB", "minimum": -60.0, "maximum": 20.0, "choices": [],
        "default": 0.0,
    }  # fmt: skip
    assert (
        json.loads(said(capfd, "plugins", "list", "--json")[0])["blocked"][0]["name"] == "Fixture CrashAtOnce"
    )
    rows = json.loads(said(capfd, "plugins", "scan", "--json")[0])
    assert [(one["name"], one["known"]) for one in rows] == [
        ("Fixture Gain", True),
        ("Fixture CrashAtOnce", True),
    ]


def test_what_failed_at_work_is_listed(fixtures: Scanned, capfd: pytest.CaptureFixture[str]) -> None:
    from covermaker.effects.plugins.failures import PluginFailed, remember

    fixtures("Crash")
    error = PluginFailed("plug-in 'Fixture Crash' crashed (SIGABRT)")
    error.plugin, error.settings = "Fixture Crash", "0" * 64
    remember(error)
    assert "Fixture Crash   plug-in 'Fixture Crash' crashed (SIGABRT)" in said(capfd, "plugins", "list")[0]
    (failed,) = json.loads(said(capfd, "plugins", "list", "--json")[0])["failed"]
    assert failed["name"] == "Fixture Crash"


def test_mistakes_are_told(fixtures: Scanned, capfd: pytest.CaptureFixture[str]) -> None:
    fixtures("Gain", "CrashAtOnce")
    _, err = said(capfd, "plugins", "show", "Fixture Gein", code=ExitCode.USAGE)
    assert "did you mean 'Fixture Gain'?" in err
    _, err = said(capfd, "plugins", "show", "Fixture CrashAtOnce", code=ExitCode.USAGE)
    assert "cannot be used: is blocked, it crashed" in err
    _, err = said(capfd, "plugins", "scan", "/nowhere", code=ExitCode.USAGE)
    assert "there is no /nowhere" in err
    for value, words in {
        "gian_db=1": "did you mean 'gain_db'?",
        "gain_db=50": "above 20",
        "gain_db": "is no value",
    }.items():
        assert words in said(capfd, "plugins", "row", "Fixture Gain", value, code=ExitCode.USAGE)[1]


def test_a_printed_row_sounds_as_it_says(fixtures: Scanned, capfd: pytest.CaptureFixture[str]) -> None:
    fixtures("Gain")
    out, _ = said(capfd, "plugins", "row", "Fixture Gain", "gain_db=-12", "mode=Hard")
    (row,) = tomllib.loads(f"rack = [{out}]")["rack"]
    assert row["parameters"] == {"gain_db": pytest.approx(-12.0, abs=1e-3), "mode": "Hard"}
    sound = noise(RATE)
    by_row = in_place(rack(row), sound)
    by_state = in_place(rack({key: value for key, value in row.items() if key != "parameters"}), sound)
    assert np.allclose(by_state[:, RATE // 2 :], by_row[:, RATE // 2 :], atol=1e-4)
    assert np.allclose(by_row[:, RATE // 2 :], sound[:, RATE // 2 :] * 10 ** (-12 / 20), atol=1e-4)


def test_a_row_may_begin_with_a_preset_of_the_plugin(
    zam: Scanned, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import subprocess
    import sys

    zam("ZamCompX2")
    code = (
        "import sys, numpy as np, pedalboard\n"
        "p = pedalboard.load_plugin('/usr/lib/vst3/ZamCompX2.vst3')\n"
        "p.ratio = 7.0\n"
        "p(np.zeros((2, 2048), 'float32'), 44100)\n"
        "open(sys.argv[1], 'wb').write(p.preset_data)\n"
    )
    preset = tmp_path / "seven.vstpreset"
    subprocess.run([sys.executable, "-c", code, str(preset)], check=True, capture_output=True)
    out, _ = said(capfd, "plugins", "row", "ZamCompX2", "knee_db=2", "--preset", preset, "--json")
    assert json.loads(out)["parameters"] == {
        "knee_db": pytest.approx(2.0, abs=0.01),
        "ratio": pytest.approx(7.0, abs=0.05),
    }
    said(capfd, "plugins", "row", "ZamCompX2", "--preset", tmp_path / "none", code=ExitCode.USAGE)
    (tmp_path / "bad").write_text("no preset")
    assert (
        "refused"
        in said(capfd, "plugins", "row", "ZamCompX2", "--preset", tmp_path / "bad", code=ExitCode.RESOURCE)[1]
    )


def test_doctor_counts_them_without_a_look(
    fixtures: Scanned, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from covermaker.render.doctor import _plugins

    assert "none looked at yet" in _plugins().detail
    fixtures("Late", "CrashAtOnce")
    assert _plugins().detail == "1 found, 1 blocked: covermaker plugins list"
    assert _plugins().ok
    assert not _plugins().needed


def test_a_rack_takes_a_plugin_from_the_command_line(
    fixtures: Scanned, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import soundfile

    fixtures("Gain")
    for name in ("song", "vocals"):
        soundfile.write(tmp_path / f"{name}.wav", noise(RATE).T, RATE, subtype="FLOAT")
    (tmp_path / "cover.toml").write_text(
        'schema = 1\ntitle = "P"\n[song]\nfile = "song.wav"\n[stems]\nseparator = "provided"\n'
        'files = { vocals = "vocals.wav" }\n[[tracks]]\nname = "vocals"\nsource = "vocals"\n',
        encoding="utf-8",
    )
    said(capfd, "rack", "add", tmp_path, "vocals", "vst3", "plugin=Fixture Gain", "parameters.gain_db=-3")
    said(capfd, "set", tmp_path, "tracks.vocals.rack.vst3.parameters.mode", "Hard")
    _, err = said(
        capfd, "set", tmp_path, "tracks.vocals.rack.vst3.parameters.gain_db", "30", code=ExitCode.PROJECT
    )
    assert "tracks[0].rack[0].parameters.gain_db = 30.0 is above 20" in err
    rack_rows = tomllib.loads((tmp_path / "cover.toml").read_text(encoding="utf-8"))["tracks"][0]["rack"]
    assert rack_rows == [
        {"effect": "vst3", "plugin": "Fixture Gain", "parameters": {"gain_db": -3.0, "mode": "Hard"}}
    ]
    assert (
        "vst3    on     Fixture Gain, gain -3 dB, mode Hard"
        in said(capfd, "rack", "show", tmp_path, "vocals")[0]
    )
    said(capfd, "undo", tmp_path)
    assert "Hard" not in (tmp_path / "cover.toml").read_text(encoding="utf-8")
    said(capfd, "rack", "add", tmp_path, "vocals", "vst3", code=ExitCode.PROJECT)
    # Short for what people type: the plug-in's name, no table, numbers from 1, units.
    said(capfd, "set", tmp_path, 'tracks.vocals.rack."Fixture Gain".gain_db', "-4 dB")
    said(capfd, "set", tmp_path, "tracks.vocals.rack.1.mode", "Off")
    said(capfd, "rack", "add", tmp_path, "vocals", "vst3", "plugin=Fixture Gain", "gain_db=-6dB", "mode=Hard")
    rack_rows = tomllib.loads((tmp_path / "cover.toml").read_text(encoding="utf-8"))["tracks"][0]["rack"]
    assert [one["parameters"] for one in rack_rows] == [
        {"gain_db": -4.0, "mode": "Off"},
        {"gain_db": -6.0, "mode": "Hard"},
    ]
    target = "tracks.vocals.rack.2.gain_db"
    assert "2 points" in said(capfd, "desk", "automate", tmp_path, target, "0=-6dB", "0.5=0")[0]
    _, err = said(
        capfd, "desk", "automate", tmp_path, "tracks.vocals.rack.2.mode", "0=Hard", code=ExitCode.PROJECT
    )
    assert "mode of Fixture Gain cannot move, it is one of a few words\n       able: gain_db, bypass" in err


def test_the_name_of_a_plugin_that_nobody_has_seen_is_refused_where_it_is_typed(
    fixtures: Scanned, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import soundfile

    soundfile.write(tmp_path / "song.wav", noise(RATE).T, RATE)
    text = (
        'schema = 1\ntitle = "P"\n[song]\nfile = "song.wav"\n[stems]\nseparator = "provided"\n'
        'files = { vocals = "song.wav" }\n[[tracks]]\nname = "vocals"\nsource = "vocals"\n'
        'rack = [{ effect = "vst3", plugin = "Elsewhere" }]\n'
    )
    (tmp_path / "cover.toml").write_text(text, encoding="utf-8")
    add = ("rack", "add", tmp_path, "vocals", "vst3")
    _, err = said(capfd, *add, "plugin=Fixture Gein", code=ExitCode.USAGE)
    assert "plug-in 'Fixture Gein' is not known" in err
    assert "covermaker plugins scan" in err
    fixtures("Gain", "CrashAtOnce")
    _, err = said(capfd, *add, "plugin=Fixture Gein", code=ExitCode.USAGE)
    assert "did you mean 'Fixture Gain'? install it, then: covermaker plugins scan" in err
    place = "tracks.vocals.rack.1.plugin"
    _, err = said(capfd, "set", tmp_path, place, "Fixture Gein", code=ExitCode.USAGE)
    assert "did you mean 'Fixture Gain'?" in err
    assert (tmp_path / "cover.toml").read_text(encoding="utf-8") == text
    # What stands there already, from another machine, stays and hinders nothing else.
    said(capfd, "set", tmp_path, "tracks.vocals.gain_db", "-1")
    said(capfd, "set", tmp_path, place, "Fixture Gain")
    assert 'plugin = "Fixture Gain"' in (tmp_path / "cover.toml").read_text(encoding="utf-8")
