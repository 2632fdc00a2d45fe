import json
import math
import os

import pytest

from covermaker.errors import ResourceError
from covermaker.export.report import build_report, versions, write_report


def report(**changes):
    parts = {
        "title": "Blå",
        "settings": {"master": {"loudness_lufs": -14.0}},
        "master": {
            "frames": 44_100 * 3,
            "sample_rate": 44_100,
            "integrated_lufs": -14.0001234567,
            "loudness_range_lu": -math.inf,
            "true_peak_dbtp": -1.0,
            "sample_peak_dbfs": -1.2,
        },
        "files": [{"name": "Blå.wav", "sha256": "cd" * 32}],
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
    assert data["loudness"]["loudness_range_lu"] is None  # silence: JSON has no minus infinity
    assert data["files"][0]["sha256"] == "cd" * 32
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

    monkeypatch.setattr("covermaker.disk.os.fsync", full)
    with pytest.raises(ResourceError, match="disk is full"):
        write_report(path, report(title="new"))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["render.json"]


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr("covermaker.export.report._PACKAGES", ("numpy", "no-such-package-here"))
    assert set(versions()) == {"python", "numpy"}
