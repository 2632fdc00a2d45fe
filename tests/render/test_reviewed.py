"""Regressions: each test tells what once went wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from driving import covermaker, render

from covermaker.audio.files import probe, read
from covermaker.graph.key import step_key
from covermaker.graph.store import Store
from covermaker.stems import SEPARATORS

STEMS_DOCUMENT = """
schema = 1
title = "Own stems"
[song]
file = "song.wav"
[stems]
separator = "provided"
[stems.files]
{files}
[[tracks]]
name = "vocals"
source = "vocals"
[[tracks]]
name = "band"
source = "instrumental"
"""


def own_stems(folder, names):
    """Write a project with its own stems, tones that sum to the song."""
    time = np.arange(44100) / 44100
    folder.mkdir()
    song = np.zeros((44100, 2))
    lines = []
    for index, name in enumerate(names):
        wave = np.repeat(0.1 * np.sin(2 * np.pi * 220 * (index + 1) * time)[:, None], 2, axis=1)
        soundfile.write(folder / f"{name}.wav", wave, 44100, subtype="FLOAT")
        song += wave
        lines.append(f'{name} = "{name}.wav"')
    soundfile.write(folder / "song.wav", song, 44100, subtype="FLOAT")
    (folder / "cover.toml").write_text(STEMS_DOCUMENT.format(files="\n".join(lines)))
    return folder, song


@pytest.mark.parametrize("names", [("vocals", "instrumental"), ("vocals", "drums", "instrumental")])
def test_own_stems_called_instrumental_do_not_overwrite_themselves(tmp_path, names):
    project, song = own_stems(tmp_path / "project", names)
    render(project, tmp_path / "store", "--until", "mix")
    (mix,) = [entry for entry in Store(tmp_path / "store").entries() if entry.meta["step"] == "mix"]
    # The last 10 ms fade, since the song stops while it sounds.
    np.testing.assert_allclose(read(mix.folder / "mix.wav").samples.T[:-441], song[:-441], atol=1e-4)


def test_a_stem_may_not_be_called_like_the_converted_vocal(tmp_path):
    project, _ = own_stems(tmp_path / "project", ("vocals", "converted"))
    done = covermaker("status", project, check=False)
    assert done.returncode == 3
    assert "stems.files.converted" in done.stderr


@pytest.mark.parametrize("options", [{"shifts": 2}, {}], ids=["shifted", "plain"])
def test_the_options_of_demucs_may_enter_a_key(options):
    """`shifts = 1` once ended as a defect: its seed's name was refused by the key."""
    assert step_key("separate", 1, SEPARATORS.load("demucs")("cpu", **options).params(), {}, {})


def test_a_local_model_folder_belongs_to_the_project(rendered, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(rendered.project, project)
    text = (project / "cover.toml").read_text()
    file = project / "cover.toml"
    file.write_text(text.replace('separator = "spleeter"', 'separator = "demucs"\nrepo = "../elsewhere"'))
    done = covermaker("status", project, check=False)
    assert done.returncode == 3
    assert "stems.repo" in done.stderr


def test_a_render_after_the_master_was_collected_still_knows_its_loudness(copy_of, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(copy_of.store, store)
    render(copy_of.project, store)
    opened = Store(store)
    for entry in opened.entries():
        if entry.meta["step"] in ("master", "mix", "convert"):
            opened.drop(entry.key)
    ran, result = render(copy_of.project, store)
    assert ran == []
    assert result["reports"]["master"]["integrated_lufs"] == pytest.approx(-14.0, abs=0.3)
    assert covermaker("render", copy_of.project, "--store", store).returncode == 0


def test_a_file_of_the_working_folder_is_not_imported(copy_of, tmp_path, monkeypatch):
    (tmp_path / "soundfile.py").write_text("raise RuntimeError('a file of the user was imported')")
    (tmp_path / "numpy.py").write_text("raise RuntimeError('a file of the user was imported')")
    copy_of.edit("room_size = 0.35", "room_size = 0.41")
    import subprocess
    import sys

    script = Path(sys.executable).with_name("covermaker")
    line = [str(script), "render", str(copy_of.project), "--store", str(copy_of.store)]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_preview_sings_as_the_whole_song_does(rendered, copy_of, tmp_path):
    render(copy_of.project, tmp_path / "store", "--preview", "0:02-0:04")
    (part,) = [entry for entry in Store(tmp_path / "store").entries() if entry.meta["step"] == "convert"]
    steps = json.loads((rendered.project / "out" / "render.json").read_text())["steps"]
    (key,) = [step["key"] for step in steps if step["name"] == "convert"]
    whole = Store(rendered.store).get(key)
    one = read(part.folder / "converted.wav").samples
    other = read(whole.folder / "converted.wav", start=2 * 44100, frames=2 * 44100).samples
    middle = slice(4410, -4410)
    assert np.abs(one[:, middle] - other[:, middle]).max() < 2e-3


@pytest.mark.slow
def test_separate_and_convert_write_tagged_files_of_the_same_length(tmp_path, rendered):
    import mutagen

    environment = {"COVERMAKER_STORE": str(rendered.store)}
    done = covermaker("separate", rendered.song, "-o", tmp_path / "stems", "--json", **environment)
    vocals = tmp_path / "stems" / "vocals.wav"
    assert str(vocals) in json.loads(done.stdout.splitlines()[-1])["result"]["files"]
    assert probe(vocals).frames == probe(rendered.song).frames
    out = tmp_path / "sung.wav"
    sung = covermaker("convert", vocals, "-o", out, "--transpose", "0", **environment)
    assert "whole song" not in sung.stderr
    assert probe(out).frames == probe(vocals).frames
    assert "AI voice: demo" in str(mutagen.File(out).tags)


@pytest.mark.slow
def test_notes_reach_the_user_of_separate(tmp_path):
    soundfile.write(tmp_path / "mono.wav", np.zeros(22050), 22050)
    done = covermaker("separate", tmp_path / "mono.wav", COVERMAKER_STORE=str(tmp_path / "store"))
    assert "note: " in done.stderr


def test_files_of_an_earlier_render_do_not_stay_beside_the_new_ones(copy_of):
    out = copy_of.project / "out"
    (out / "mine.txt").write_text("a file of the user's")
    copy_of.edit('"wav24", "mp3"', '"flac"')
    copy_of.edit('title = "Short"', 'title = "Shorter"')
    render(copy_of.project, copy_of.store)
    assert sorted(path.name for path in out.iterdir()) == ["Shorter.flac", "mine.txt", "render.json"]


def test_only_the_converted_stem_is_tagged_as_artificial(copy_of):
    import mutagen

    copy_of.edit("stems = false", "stems = true")
    render(copy_of.project, copy_of.store)
    stems = copy_of.project / "out" / "stems"
    assert {path.stem for path in stems.iterdir()} == {"vocals", "accompaniment", "converted"}
    assert "AI voice" in str(mutagen.File(stems / "converted.wav").tags)
    assert "AI voice" not in str(mutagen.File(stems / "vocals.wav").tags)


def test_a_title_like_a_stem_does_not_mix_up_the_record(copy_of):
    """Files were once looked up by name alone: a cover called "vocals" got the stem's hash."""
    from covermaker.disk import file_sha256

    copy_of.edit("stems = false", "stems = true")
    copy_of.edit('title = "Short"', 'title = "vocals"')
    copy_of.edit('"wav24", "mp3"', '"wav24"')
    render(copy_of.project, copy_of.store)
    out = copy_of.project / "out"
    record = json.loads((out / "render.json").read_text())
    assert {file["name"] for file in record["files"]} >= {"vocals.wav", "stems/vocals.wav"}
    assert all(file_sha256(out / file["name"]) == file["sha256"] for file in record["files"])


def test_why_names_the_effect_that_came_or_went(copy_of):
    covermaker("presets", "apply", "pop-lead", copy_of.project)
    why = covermaker("why", copy_of.project, "--store", copy_of.store).stdout
    assert "vocals rack gate, high_pass, eq, de_esser, compressor -> " in why
    assert max(map(len, why.splitlines())) < 2000


def test_a_vocal_is_converted_to_wav_only(rendered, tmp_path):
    done = covermaker("convert", rendered.song, "-o", tmp_path / "x.mp3", check=False)
    assert done.returncode == 2
    assert ".wav" in done.stderr


def test_json_says_once_that_it_is_finished(copy_of):
    done = covermaker("render", copy_of.project, "--store", copy_of.store, "--json")
    assert done.stdout.count('"render.finished"') == 1


def test_notes_name_the_track(copy_of):
    copy_of.edit("pan = 0.0", "mute = true")
    done = covermaker("render", copy_of.project, "--store", copy_of.store)
    assert "track 'vocals' is muted" in done.stderr
    assert "track 'vocals' is muted" in (copy_of.project / "out" / "render.json").read_text()
