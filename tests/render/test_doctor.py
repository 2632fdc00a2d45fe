"""What ``covermaker doctor`` says is what the machine does."""

import errno
import json
import sys
import tempfile

import pytest

from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.render import doctor
from covermaker.render.doctor import Finding, examine
from covermaker.weights import device


@pytest.fixture
def no_children(monkeypatch):
    """Take every package for working: the tests of the probes start their own."""
    monkeypatch.setattr(doctor, "_probe", lambda name, code: Finding(name, True, True, "works"))


def devices(findings):
    return {one.stage: one.device for one in findings if one.device}


@pytest.mark.parametrize(
    ("chosen", "whisper"), [("cpu", "cpu"), ("mps", "cpu"), ("cuda", "cuda"), ("cuda:1", "cuda")]
)
def test_every_stage_names_the_device_it_runs_on(no_children, monkeypatch, chosen, whisper):
    monkeypatch.setattr(device, "pick_device", lambda preference: chosen)
    found = devices(examine())
    for stage in ("separate: spleeter", "separate: htdemucs", "pitch: fcpe", "pitch: crepe", "voice: demo"):
        assert found[stage] == chosen
    assert found["content: whisper base"] == whisper
    for stage in ("score: words", "pitch: harvest, dio", "effects and mix", "master", "export"):
        assert found[stage] == "cpu"


def test_a_device_that_is_not_there_fails_and_no_stage_claims_it(no_children, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    findings = {one.stage: one for one in examine("cuda")}
    assert not findings["device"].ok
    assert findings["pitch: fcpe"].device is None


def test_a_stage_fails_with_the_package_it_stands_on(monkeypatch):
    monkeypatch.setattr(
        doctor, "_probe", lambda name, code: Finding(name, name != "pyebur128", True, "tried")
    )
    findings = {one.stage: one for one in examine("cpu")}
    assert not findings["master"].ok
    assert "pyebur128" in findings["master"].detail
    assert findings["effects and mix"].ok


@pytest.mark.parametrize("name", list(doctor._PROBES))
def test_the_probes_pass_on_this_machine(name):
    found = doctor._probe(name, doctor._PROBES[name])
    assert found.ok, found.detail
    assert "version unknown" not in found.detail


def test_a_file_of_the_working_folder_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "soundfile.py").write_text("raise SystemExit('the wrong soundfile')")
    monkeypatch.chdir(tmp_path)
    assert doctor._probe("soundfile", doctor._PROBES["soundfile"]).ok


def test_a_meter_that_reads_nonsense_fails(tmp_path, monkeypatch):
    (tmp_path / "pyebur128.py").write_text(
        "class MeasurementMode: MODE_I = 1\n"
        "class R128State:\n"
        "    def __init__(self, *_): pass\n"
        "    def add_frames(self, *_): pass\n"
        "def get_loudness_global(_): return 0.0\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = doctor._probe("pyebur128", doctor._PROBES["pyebur128"])
    assert not found.ok
    assert "does not read -3 LUFS" in found.detail


@pytest.mark.parametrize(
    ("name", "package"), [("PyAV", "av"), ("pyworld", "pyworld-prebuilt"), ("torch", "torch")]
)
def test_hints_use_the_name_that_pip_knows(name, package):
    assert doctor._probe(name, "raise SystemExit(3)").hint == f"pip install --force-reinstall {package}"
    crash = doctor._probe(name, "import os; os.kill(os.getpid(), 11)")
    assert crash.hint.endswith(f"try another version of {package}")


def test_a_store_that_cannot_be_written_fails(monkeypatch, tmp_path):
    monkeypatch.setenv("COVERMAKER_STORE", str(tmp_path / "store"))
    assert doctor._store().ok
    assert list(tmp_path.iterdir()) == []

    def refuse(**_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    found = doctor._store()
    assert not found.ok
    assert found.needed
    assert "the disk is read-only" in found.detail


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_real_place_that_takes_no_files_fails(monkeypatch):
    monkeypatch.setenv("COVERMAKER_STORE", "/proc/covermaker")
    assert not doctor._store().ok


def test_a_failing_doctor_prints_one_json_value(monkeypatch, capsys):
    bad = Finding("store", False, True, "read-only", "move it")
    monkeypatch.setattr("covermaker.cli.doctor.examine", lambda _: [bad])
    assert run(["doctor", "--json"]) == ExitCode.RESOURCE
    said = capsys.readouterr()
    (row,) = json.loads(said.out)
    assert row == {"stage": "store", "ok": False, "needed": True, "device": None, "detail": "read-only"}
    assert "the main job cannot run" in said.err
