"""Scanning: what is found, what is blocked and why, what is not looked at twice."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from covermaker.effects.plugins.catalogue import catalogue
from covermaker.effects.plugins.places import bundles, folders
from covermaker.effects.plugins.scan import Looked, scan
from covermaker.errors import UsageError

if TYPE_CHECKING:
    from conftest import Scanned


def test_finds_a_plugin_and_its_parameters(fixtures: Scanned) -> None:
    fixtures("Gain")
    (found,) = catalogue().found()
    plugin = found.plugin
    assert (plugin.name, plugin.vendor, plugin.version) == ("Fixture Gain", "Covermaker tests", "1.2.3")
    assert plugin.channels == (2,)
    # What DPF adds to every plug-in, and the meter, are no settings.
    assert [one.name for one in plugin.parameters] == ["gain_db", "mode"]
    gain, mode = (one.spec() for one in plugin.parameters)
    assert (gain.unit, gain.minimum, gain.maximum, gain.default) == ("dB", -60.0, 20.0, 0.0)
    assert (mode.choices, mode.default) == (("Soft", "Hard", "Off"), "Soft")


def test_mono_only_and_latency_are_told(fixtures: Scanned) -> None:
    fixtures("Mono", "Late")
    found = {one.plugin.name: one.plugin for one in catalogue().found()}
    assert found["Fixture Mono"].channels == (1,)
    assert found["Fixture Late"].latency_samples == 1000


def test_one_that_crashes_is_blocked_with_why_and_the_others_are_found(fixtures: Scanned) -> None:
    fixtures("CrashAtOnce", "Late")
    assert [one.plugin.name for one in catalogue().found()] == ["Fixture Late"]
    (blocked,) = catalogue().blocked()
    assert blocked.name == "Fixture CrashAtOnce"
    assert blocked.problem.startswith("crashed (SIGABRT) when it was loaded")


def test_one_that_hangs_is_given_up(fixtures: Scanned) -> None:
    began = time.monotonic()
    fixtures("HangAtOnce", seconds=3.0)
    assert time.monotonic() - began < 10.0
    (blocked,) = catalogue().blocked()
    assert blocked.problem == "gave no answer within 3 s"


def test_a_slow_one_is_waited_for(fixtures: Scanned) -> None:
    fixtures("Slow", seconds=60.0)
    (found,) = catalogue().found()
    assert found.bundle.seconds > 2.0


def test_nothing_is_looked_at_twice_until_it_changes(built: Path, own_cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "vst3"
    for kind in ("Mono", "CrashAtOnce"):
        shutil.copytree(built / f"Fixture {kind}.vst3", folder / "deep" / f"Fixture {kind}.vst3")
    told: list[Looked] = []
    scan([folder], listener=told.append)
    assert [(one.known, one.number, one.total) for one in told] == [(False, 1, 2), (False, 2, 2)]
    told.clear()
    scan(listener=told.append)  # a folder that was named once stays known
    assert [one.known for one in told] == [True, True]
    binary = next((folder / "deep" / "Fixture Mono.vst3").rglob("*.so"))
    os.utime(binary, ns=(1, 1))
    told.clear()
    scan(listener=told.append)
    assert {one.bundle.name: one.known for one in told} == {
        "Fixture CrashAtOnce": True,
        "Fixture Mono": False,
    }
    told.clear()
    scan(again=True, listener=told.append)
    assert [one.known for one in told] == [False, False]
    shutil.rmtree(folder / "deep" / "Fixture Mono.vst3")
    scan()
    assert [one.name for one in catalogue().bundles] == ["Fixture CrashAtOnce"]


def test_a_stopped_scan_goes_on_where_it_was(built: Path, own_cache: Path) -> None:
    places = [built / f"Fixture {kind}.vst3" for kind in ("Late", "Mono")]

    def stop(looked: Looked) -> None:
        if looked.number == 1 and not looked.known:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(places, listener=stop)
    assert [one.name for one in catalogue().bundles] == ["Fixture Late"]
    told: list[Looked] = []
    scan(places, listener=told.append)
    assert [one.known for one in told] == [True, False]


def test_bundles_that_are_none(own_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "Empty.vst3").mkdir()
    (tmp_path / "Text.vst3").write_text("this is no program")
    scan([tmp_path])
    problems = {one.name: one.problem for one in catalogue().blocked()}
    assert problems["Empty"] == "holds no program for this machine"
    assert problems["Text"].startswith("cannot be loaded: ")
    with pytest.raises(UsageError, match="there is no"):
        scan([tmp_path / "nowhere"])


def test_where_plugins_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VST3_PATH", f"/opt/one{os.pathsep}~/two")
    assert folders() == [
        Path("/opt/one"), tmp_path / "two", tmp_path / ".vst3", Path("/usr/local/lib/vst3"), Path("/usr/lib/vst3"),
    ]  # fmt: skip
    (tmp_path / "two" / "maker" / "B.vst3").mkdir(parents=True)
    (tmp_path / "two" / "A.vst3" / "Inner.vst3").mkdir(parents=True)
    assert [one.name for one in bundles(folders()[:2])] == ["A.vst3", "B.vst3"]


def test_a_damaged_catalogue_is_no_catalogue(fixtures: Scanned, own_cache: Path) -> None:
    fixtures("Mono")
    file = own_cache / "covermaker" / "plugins" / "found.json"
    file.write_text('{"schema": 1, "bundles": [{}]}')
    assert catalogue().bundles == ()
    file.write_text("{")
    assert catalogue().bundles == ()


def test_zam_plugins(zam: Scanned) -> None:
    zam("ZamCompX2", "ZaMaximX2", "ZamGate")
    found = {one.plugin.name: one.plugin for one in catalogue().found()}
    assert found["ZamCompX2"].channels == (2,)
    assert found["ZamGate"].channels == (1,)
    threshold = next(one for one in found["ZamCompX2"].parameters if one.name == "threshold_db")
    assert (threshold.minimum, threshold.maximum, threshold.unit) == (-80.0, 0.0, "dB")
    for plugin in found.values():
        names = {one.name for one in plugin.parameters}
        assert not names & {
            "buffer_size_frames",
            "sample_rate_frames",
            "current_program",
            "gain_reduction_db",
        }
