"""Presets: the shipped ones are sound, a person's own are found, bad ones are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from covermaker.effects.presets import KINDS, Kind, list_presets, load_preset, shipped_folder, user_folder
from covermaker.effects.rack import Rack, parse_rack
from covermaker.errors import ProjectError, UsageError
from covermaker.project.document import Track

if TYPE_CHECKING:
    from pathlib import Path

BUS_RACKS = ["bus-crush", "bus-echo", "bus-glue", "bus-plate", "bus-room-for-voice"]
RACKS = [
    "backing-wide", "ballad-plate", *BUS_RACKS, "cathedral", "edm-wide", "intimate", "lofi", "natural", "pop-lead",
    "rap-dry", "rock", "svc-repair", "telephone",
]  # fmt: skip
TARGETS = {
    "streaming": (-14.0, -1.0),
    "cd": (-9.0, -1.0),
    "broadcast": (-23.0, -1.0),
    "podcast": (-16.0, -1.0),
    "warm": (-14.0, -1.0),
}

DESCRIBED = 'description = "x"\n'


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERMAKER_PRESETS", str(tmp_path / "mine"))


def own(folder: Path, kind: Kind, name: str, text: str) -> Path:
    path = folder / "mine" / kind / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_shipped_presets_are_all_there() -> None:
    assert [entry.name for entry in list_presets("racks")] == RACKS
    assert [entry.name for entry in list_presets("masters")] == sorted(TARGETS)
    for kind in KINDS:
        for entry in list_presets(kind):
            assert entry.problem is None
            assert entry.shipped
            assert entry.description.endswith(".")
            assert "name = " in entry.path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(RACKS) - set(BUS_RACKS)))
def test_shipped_racks_make_a_voice_neither_louder_nor_quieter(name: str) -> None:
    """A voice-like burst train at the level the presets are made for comes out within 3 dB (backing: 6 dB down)."""
    preset = load_preset("racks", name)
    rate = 44100
    time = np.arange(4 * rate) / rate
    harmonics = sum(np.sin(2 * np.pi * 196.0 * n * time + n * n) / n for n in range(1, 40))
    voice = harmonics * np.maximum(0.0, np.sin(2 * np.pi * 1.5 * time)) ** 0.5
    voice = np.repeat(voice[None] * 10 ** (-19 / 20) / voice.std(), 2, axis=0).astype(np.float32)
    out = Rack(parse_rack(preset.rack, where=name), sample_rate=rate, channels=2).process(voice)
    change_db = 20 * np.log10(out.std() / voice.std())
    expected_db = {"backing-wide": -6.0, "telephone": -4.0}.get(name, 0.0)
    assert change_db == pytest.approx(expected_db, abs=3.0)


@pytest.mark.parametrize("name", RACKS)
def test_shipped_sends_have_their_buses(name: str) -> None:
    preset = load_preset("racks", name)
    assert set(preset.sends) == set(preset.buses)
    assert all(-40.0 <= level_db < 0.0 for level_db in preset.sends.values())
    for rows in preset.buses.values():
        (row,) = rows
        assert row["dry_db"] == -100.0  # a return holds no direct sound


@pytest.mark.parametrize("name", list(TARGETS))
def test_shipped_masters(name: str) -> None:
    preset = load_preset("masters", name)
    assert (preset.loudness_lufs, preset.true_peak_dbtp) == TARGETS[name]
    assert parse_rack(preset.rack, where="rack")[0].effect == "high_pass"


def test_own_preset_hides_a_shipped_one(tmp_path: Path) -> None:
    path = own(
        tmp_path, "racks", "natural", 'description = "mine"\nrack = [{ effect = "gain", gain_db = -1 }]\n'
    )
    own(tmp_path, "racks", "zebra", 'description = "stripes"\nsends = { reverb = -20 }\n')
    entries = {entry.name: entry for entry in list_presets("racks")}
    assert entries["natural"].path == path
    assert not entries["natural"].shipped
    assert load_preset("racks", "natural").rack == ({"effect": "gain", "gain_db": -1},)
    assert load_preset("racks", "zebra").sends == {"reverb": -20.0}
    assert load_preset("racks", "zebra").rack == ()
    assert len(entries) == len(RACKS) + 1
    assert user_folder() == tmp_path / "mine"


def test_folders_without_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERMAKER_PRESETS")
    assert user_folder().parts[-2:] == ("covermaker", "presets")
    assert (shipped_folder() / "racks" / "natural.toml").is_file()


def test_unknown_preset() -> None:
    with pytest.raises(UsageError, match=r"unknown rack preset 'naturel' \(did you mean 'natural'\?\)"):
        load_preset("racks", "naturel")
    with pytest.raises(UsageError, match=r"unknown master preset '../x'"):
        load_preset("masters", "../x")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("racks", "rack = [", r"racks/bad\.toml is no TOML"),
        ("racks", DESCRIBED + "racks = []", r"racks/bad\.toml:2: racks is unknown \(did you mean 'rack'\?\)"),
        ("racks", "rack = []", r"racks/bad\.toml: description is missing"),
        ("racks", DESCRIBED + 'name = "good"', r"name = 'good' must be 'bad', as the file"),
        ("racks", DESCRIBED + "sends = { reverb = 40.0 }", r"sends\.reverb = 40\.0 is out of range"),
        ("racks", DESCRIBED + "sends = 3", r"racks/bad\.toml:2: sends must be a table"),
        ("racks", DESCRIBED + 'rack = [{ effect = "compressor", ratio = 0.2 }]',
         r"racks/bad\.toml:2: rack\[0\]\.ratio = 0\.2 is below 1"),
        ("racks", DESCRIBED + 'buses = { reverb = [{ effect = "reverv" }] }',
         r"buses\.reverb\[0\]\.effect = 'reverv' is no effect"),
        ("masters", DESCRIBED + "true_peak_dbtp = -1.0", r"masters/bad\.toml: loudness_lufs must be a number"),
        ("masters", DESCRIBED + "loudness_lufs = -14.0\ntrue_peak_dbtp = 2.0",
         r"true_peak_dbtp = 2\.0 is out of range \(allowed: -12 to 0\)"),
        ("masters", DESCRIBED + "loudness_lufs = nan\ntrue_peak_dbtp = -1.0",
         r"loudness_lufs = nan is out of range"),
    ],
)  # fmt: skip
def test_bad_presets_are_refused_and_do_not_hide_others(
    tmp_path: Path, kind: Kind, text: str, message: str
) -> None:
    own(tmp_path, kind, "bad", text)
    with pytest.raises(ProjectError, match=message):
        load_preset(kind, "bad")
    entries = {entry.name: entry for entry in list_presets(kind)}
    assert entries["bad"].problem
    assert sum(entry.problem is None for entry in entries.values()) == len(
        RACKS if kind == "racks" else TARGETS
    )


def test_binary_preset(tmp_path: Path) -> None:
    path = own(tmp_path, "racks", "bad", "")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProjectError, match="no TOML"):
        load_preset("racks", "bad")


@pytest.mark.parametrize(("level_db", "fine"), [(-96.0, True), (24.0, True), (-96.1, False), (24.1, False)])
def test_a_send_may_be_what_a_document_takes(tmp_path: Path, level_db: float, fine: bool) -> None:
    own(tmp_path, "racks", "sent", f"{DESCRIBED}sends = {{ reverb = {level_db} }}")
    track = {"name": "a", "source": "converted", "sends": {"reverb": level_db}}
    if fine:
        assert Track.model_validate(track).sends == load_preset("racks", "sent").sends
        return
    with pytest.raises(ProjectError, match="out of range"):
        load_preset("racks", "sent")
    with pytest.raises(ValueError, match=r"sends\.reverb"):
        Track.model_validate(track)


def test_there_is_a_choice_of_presets() -> None:
    racks = [entry.preset for entry in list_presets("racks") if entry.preset is not None]
    assert sum(preset.made_for == "tracks" for preset in racks) >= 12
    assert sum(preset.made_for == "buses" for preset in racks) >= 4
    assert len(list_presets("masters")) >= 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema = 7\nsparkle = true\n", r"schema = 7: the preset was made by a newer Covermaker, .*update"),
        ('description = "x"\nfor = "choirs"\n', r"for = 'choirs' is not allowed .*tracks, buses"),
    ],
)
def test_a_preset_of_a_newer_version_says_so(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVERMAKER_PRESETS", str(tmp_path))
    (tmp_path / "racks").mkdir()
    (tmp_path / "racks" / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=words):
        load_preset("racks", "mine")
