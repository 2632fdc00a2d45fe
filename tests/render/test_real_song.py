"""The whole real clip: what the cover must be, measured."""

import json
import shutil
from pathlib import Path

import pytest
from driving import covermaker, real_clip, render

from covermaker.audio.files import probe
from covermaker.audio.loudness import measure_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cover(tmp_path_factory):
    base = tmp_path_factory.mktemp("real")
    song = Path(shutil.copy(real_clip(), base / "song.mp3"))
    covermaker("new", song, "--folder", base / "project")
    _, result = render(base / "project", base / "store", "--score")
    return song, result


def test_length_loudness_and_true_peak(cover):
    song, result = cover
    wav = next(Path(file) for file in result["files"] if file.endswith(".wav"))
    assert probe(wav).frames == probe(song).frames
    found = measure_file(wav)
    assert found.true_peak_dbtp <= -1.0
    assert found.integrated_lufs == pytest.approx(-14.0, abs=0.1) or result["reports"]["master"]["reason"]


def test_the_vocal_is_in_time_in_tune_and_understood(cover):
    score = cover[1]["reports"]["score"]
    assert abs(score["lag_ms"]) <= 1.0
    assert score["f0_median_cents"] < 10.0
    assert score["octave_errors"] < 0.02
    assert len(score["source_words"]) >= 8
    assert score["words_read"] >= 0.3  # of 11; with the noise of seven keys 36 to 64 %
    assert score["new_clicks_seconds"] == []


def test_the_separation_gives_the_residue_to_the_last_stem(cover):
    assert cover[1]["reports"]["separate"]["residue_db"] <= -60.0


def test_the_demo_project_renders(tmp_path):
    demo = Path(__file__).parents[2] / "projects" / "demo"
    project = tmp_path / "demo"
    shutil.copytree(demo, project, ignore=shutil.ignore_patterns("out", ".covermaker"))
    _, result = render(project, tmp_path / "store", "--score")
    score = result["reports"]["score"]
    assert result["reports"]["convert"]["semitones"] == 12
    assert abs(score["lag_ms"]) <= 1.0
    assert score["words_read"] >= 0.6
    assert score["octave_errors"] < 0.06
    assert score["similarity"] > score["source_similarity"]
    assert json.loads((project / "out" / "render.json").read_text())["title"] == "Blue Harbor"
