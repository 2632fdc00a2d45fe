"""Files that racks name: found in the project, refused outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from covermaker.audio.files import wav_writer
from covermaker.documents.document import PlaceError
from covermaker.project.load import load
from covermaker.render.checks import parse_racks

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.project.load import Project

COVER = """schema = 1
title = "T"
[song]
file = "song.wav"
[voice]
name = "someone"
[[tracks]]
name = "vocals"
source = "converted"
rack = [{{ effect = "convolution", impulse = "{impulse}"{more} }}]
"""


@pytest.fixture
def project(tmp_path: Path):
    root = tmp_path / "song"
    (root / "rooms").mkdir(parents=True)
    for place in (root / "rooms" / "church.wav", tmp_path / "outside.wav"):
        with wav_writer(place, sample_rate=48000, channels=1) as writer:
            writer.write(np.array([[1.0, 0.5, 0.25]], np.float32))

    def make(impulse: str, more: str = "") -> Project:
        (root / "cover.toml").write_text(COVER.format(impulse=impulse, more=more), encoding="utf-8")
        return load(root)

    return make


def test_a_path_in_the_project_becomes_absolute(project, tmp_path: Path) -> None:
    (setting,) = parse_racks(project("rooms/church.wav"))["tracks", "vocals"]
    assert setting.values["impulse"] == str((tmp_path / "song" / "rooms" / "church.wav").resolve())
    assert len(setting.params()["values"]["impulse"]) == 64


def test_an_absolute_path_is_meant(project, tmp_path: Path) -> None:
    (setting,) = parse_racks(project(str(tmp_path / "outside.wav")))["tracks", "vocals"]
    assert setting.values["impulse"] == str(tmp_path / "outside.wav")


def test_a_place_of_ours_is_no_file(project) -> None:
    (setting,) = parse_racks(project("hall"))["tracks", "vocals"]
    assert setting.params()["values"]["impulse"] == "hall"


@pytest.mark.parametrize(
    ("impulse", "message"),
    [
        ("../outside.wav", r"tracks\[0\]\.rack\[0\]\.impulse = '\.\./outside\.wav' leaves the project"),
        ("rooms/chapel.wav", r"tracks\[0\]\.rack\[0\]\.impulse: no file"),
        ("haul", r"did you mean 'hall'"),
    ],
)
def test_what_is_refused(project, impulse: str, message: str) -> None:
    with pytest.raises(PlaceError, match=message):
        parse_racks(project(impulse))


def test_a_missing_file_of_an_effect_that_is_off_is_no_matter(project) -> None:
    (setting,) = parse_racks(project("rooms/chapel.wav", ", bypass = true"))["tracks", "vocals"]
    assert setting.bypass


def test_a_missing_file_of_an_effect_whose_bypass_moves_is_refused(project, tmp_path: Path) -> None:
    lane = """
[[automation]]
target = "tracks.vocals.rack[0].bypass"
points = [[0.0, true], [1.0, false]]
"""
    made = project("rooms/chapel.wav", ", bypass = true")
    parse_racks(made)
    file = made.root / "cover.toml"
    file.write_text(file.read_text(encoding="utf-8") + lane, encoding="utf-8")
    with pytest.raises(PlaceError, match=r"tracks\[0\].rack\[0\].impulse: no file"):
        parse_racks(load(made.root))
