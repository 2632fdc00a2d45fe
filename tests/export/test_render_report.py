import json
import math
import os

import pytest

from covermaker.audio.loudness import Loudness
from covermaker.errors import ResourceError
from covermaker.export.files import ExportedFile
from covermaker.export.report import build_report, versions, write_report


def report(**changes):
    loudness = Loudness(-14.0001234567, None, -math.inf, -12.0, -1.0, -1.2, 44_100 * 3, 44_100)
    parts = {
        "title": "Blå",
        "keys": {"mix": "ab" * 32},
        "settings": {"master": {"loudness_lufs": -14.0}},
        "loudness": loudness,
        "files": [ExportedFile("Blå.wav", "wav24", "cd" * 32, 100, 44_100 * 3, 44_100, 0)],
        "notes": ["mono"],
    }
    return build_report(**{**parts, **changes})


def test_everything_is_in_it(tmp_path):
    write_report(tmp_path / "render.json", report(extra={"scores": {"cer": 0.25}}))
    data = json.loads((tmp_path / "render.json").read_text(encoding="utf-8"))
    assert data["title"] == "Blå"
    assert data["length"] == {"frames": 132_300, "sample_rate": 44_100, "seconds": 3.0}
    assert data["loudness"]["integrated_lufs"] == -14.000123
    assert data["loudness"]["true_peak_dbtp"] == -1.0
    assert data["loudness"]["momentary_max_lufs"] is None  # silence: JSON has no minus infinity
    assert data["files"][0]["sha256"] == "cd" * 32
    assert data["keys"] == {"mix": "ab" * 32}
    assert data["settings"]["master"]["loudness_lufs"] == -14.0
    assert data["notes"] == ["mono"]
    assert data["scores"] == {"cer": 0.25}
    assert {"python", "covermaker", "numpy", "soxr"} <= set(data["versions"])


def test_the_same_render_writes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_report(tmp_path / name, report())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_failed_write_keeps_the_old_report(tmp_path, monkeypatch):
    path = tmp_path / "render.json"
    write_report(path, report())
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("covermaker.audio.disk.os.fsync", full)
    with pytest.raises(ResourceError, match="disk is full"):
        write_report(path, report(title="new"))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["render.json"]


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr("covermaker.export.report._PACKAGES", ("numpy", "no-such-package-here"))
    assert set(versions()) == {"python", "numpy"}
