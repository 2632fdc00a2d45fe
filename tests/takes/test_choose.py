"""Which takes are used, more of them, and the scan that is kept for later."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from covermaker.errors import AudioInputError, ProjectError, ResourceError, UsageError
from covermaker.takes import create, document, lock
from covermaker.takes import report as report_module
from covermaker.takes.choose import choose_takes
from covermaker.takes.create import add_takes
from covermaker.takes.document import TAKES_FILE, read_takes
from covermaker.takes.report import read_report
from covermaker.takes.scan import ScanReport, scan
from covermaker.takes.task import scan as scan_job
from covermaker.takes.task import take_in


def tone(seconds, hz=220.0):
    t = np.arange(round(seconds * 16000)) / 16000
    return (0.2 * np.sin(2 * np.pi * hz * t)).astype(np.float32)


@pytest.fixture
def anna(make_takes):
    folder = make_takes({"One.wav": tone(2.0), "two.flac": tone(2.0, 330.0)})
    path = folder / TAKES_FILE
    path.write_text(path.read_text() + "\n# my own words\n")
    return folder


def used(folder):
    return [row.file for row in read_takes(folder).used]


def test_a_take_is_left_out_and_comes_back(anna):
    assert choose_takes(anna, ["ONE"], use=False) == ["one.wav"]
    assert used(anna) == ["two.flac"]
    assert choose_takes(anna, ["one.wav"], use=False) == []
    assert choose_takes(anna, ["one.wav", "one", "two"], use=True) == ["one.wav"]
    assert used(anna) == ["one.wav", "two.flac"]
    assert "# my own words" in (anna / TAKES_FILE).read_text()


def test_what_is_refused_changes_nothing(anna):
    before = (anna / TAKES_FILE).read_text()
    with pytest.raises(UsageError, match=r"no take 'tow'.*two\.flac"):
        choose_takes(anna, ["tow"], use=False)
    with pytest.raises(ProjectError, match="no take of 'anna' would be left"):
        choose_takes(anna, ["one", "two"], use=False)
    assert (anna / TAKES_FILE).read_text() == before


def test_two_at_once_lose_nothing(make_takes, monkeypatch):
    folder = make_takes({f"{name}.wav": tone(1.0, hz) for name, hz in (("a", 200), ("b", 300), ("c", 400))})
    plain = document.write_text

    def slowly(path, text):
        time.sleep(0.1)
        plain(path, text)

    monkeypatch.setattr(document, "write_text", slowly)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: choose_takes(folder, [name], use=False), ("a", "b")))
    assert used(folder) == ["c.wav"]


def test_takes_that_came_meanwhile_are_there_too(anna, tmp_path, monkeypatch):
    """What others add while recordings are decoded counts."""
    soundfile.write(tmp_path / "new.wav", tone(1.0, 440.0), 16000)
    soundfile.write(tmp_path / "other.wav", tone(1.0, 550.0), 16000)
    plain = create._read_sources

    def meanwhile(files, progress):
        monkeypatch.setattr(create, "_read_sources", plain)
        assert [row.file for row in add_takes(anna, [tmp_path / "new.wav", tmp_path / "other.wav"])]
        return plain(files, progress)

    monkeypatch.setattr(create, "_read_sources", meanwhile)
    with pytest.raises(UsageError, match="has these recordings already"):
        add_takes(anna, [tmp_path / "new.wav"])
    assert len(read_takes(anna).takes) == 4


def test_takes_that_another_changes_are_waited_for_and_then_told(anna, monkeypatch):
    monkeypatch.setattr(lock, "_WAIT_SECONDS", 0.05)
    with lock.changing(anna):
        with pytest.raises(ResourceError, match="'anna' are being changed by another Covermaker"):
            choose_takes(anna, ["one"], use=False)
        with pytest.raises(ResourceError, match="being changed"):
            create.new_takes(anna, "anna", [anna / "takes" / "one.wav"], rights="synthetic", replace=True,
                             least_seconds=0.0)  # fmt: skip
    assert choose_takes(anna, ["one"], use=False) == ["one.wav"]


def test_more_takes_come_in(anna, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    soundfile.write(more / "one.wav", tone(1.0, 440.0), 16000)
    shutil.copy(anna / "takes" / "one.wav", more / "again.wav")
    rows = add_takes(anna, [more], singer="ben")
    assert [(row.file, row.original, row.singer) for row in rows] == [("one-2.wav", "one.wav", "ben")]
    assert used(anna) == ["one.wav", "two.flac", "one-2.wav"]
    assert (anna / "takes" / "one-2.wav").read_bytes() == (more / "one.wav").read_bytes()
    assert "# my own words" in (anna / TAKES_FILE).read_text()
    with pytest.raises(UsageError, match="has these recordings already"):
        add_takes(anna, [more / "one.wav"])


def test_takes_that_are_refused_leave_nothing(anna, tmp_path):
    there = sorted(path.name for path in (anna / "takes").iterdir())
    before = (anna / TAKES_FILE).read_text()
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(16000, np.float32), 16000)
    with pytest.raises(AudioInputError, match="silent"):
        add_takes(anna, [silent])
    good = tmp_path / "good.wav"
    soundfile.write(good, tone(1.0, 500.0), 16000)
    with pytest.raises(ProjectError, match="singer"):
        add_takes(anna, [good], singer="a/b")
    assert sorted(path.name for path in (anna / "takes").iterdir()) == there
    assert (anna / TAKES_FILE).read_text() == before


def test_a_scan_is_kept_for_the_takes_it_was_made_of(anna, monkeypatch):
    monkeypatch.setattr(
        "covermaker.takes.scan.singer_pieces", lambda *_: (np.zeros((0, 256), np.float32), np.zeros(0))
    )
    assert read_report(anna, read_takes(anna)) == ({}, [])
    report = scan(anna, bleed=False)
    kept, notes = read_report(anna, read_takes(anna))
    assert [kept[take.take].lufs for take in report.takes] == [take.lufs for take in report.takes]
    assert [kept[take.take].verdict for take in report.takes] == [take.verdict for take in report.takes]
    assert notes == report.notes
    changed = (anna / TAKES_FILE).read_text().replace(read_takes(anna).takes[0].sha256, "0" * 64)
    (anna / TAKES_FILE).write_text(changed)
    kept, notes = read_report(anna, read_takes(anna))
    assert (list(kept), notes) == (["two.flac"], [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 0}', '{"version": 1, "takes": [{}]}'])
def test_a_kept_scan_that_cannot_be_read_is_none(anna, text):
    file = anna / ".takes" / report_module.FILE_NAME
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    assert read_report(anna, read_takes(anna)) == ({}, [])


def test_as_jobs(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "covermaker.takes.scan.scan", lambda folder, *, bleed, progress: ScanReport(folder.name, [], [])
    )
    for name, hz in (("a", 220.0), ("b", 330.0)):
        soundfile.write(tmp_path / f"{name}.wav", tone(31.0, hz), 16000)
    told = []
    request = {"voice": str(tmp_path / "anna"), "paths": [str(tmp_path / "a.wav")], "rights": "synthetic"}
    assert take_in(request, told.append)["takes"] == ["a.wav"]
    more = {"voice": str(tmp_path / "anna"), "paths": [str(tmp_path / "b.wav")], "add": True}
    assert take_in(more, told.append)["takes"] == ["b.wav"]
    assert scan_job({"voice": str(tmp_path / "anna")}, told.append)["report"]["takes"] == []
    kinds = [type(event).__name__ for event in told]
    assert (kinds[0], kinds[-1]) == ("StepStarted", "StepFinished")
