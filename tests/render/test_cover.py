"""The main job on a real song: what a user would check on the finished cover."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from driving import covermaker, render

from covermaker.audio.files import probe, read
from covermaker.audio.loudness import measure_file
from covermaker.evaluate.lag import envelope_lag_ms
from covermaker.graph.store import Store

STEPS = ["decode", "separate", "content", "pitch", "loudness", "convert"]
STEPS += ["level: vocals", "rack: vocals", "mix", "master", "export"]


def files_of(result, suffix):
    return [Path(file) for file in result["files"] if file.endswith(suffix)]


def hashes(project):
    return {
        file["name"]: file["sha256"]
        for file in json.loads((project / "out" / "render.json").read_text())["files"]
    }


def test_every_step_ran_once_in_order(rendered):
    assert sorted(rendered.ran) == sorted([*STEPS, "score"])
    assert rendered.ran.index("separate") < rendered.ran.index("convert") < rendered.ran.index("mix")


def test_the_master_is_as_long_as_the_song_and_true_to_its_target(rendered):
    (wav,) = files_of(rendered.result, ".wav")
    assert probe(wav).frames == probe(rendered.song).frames
    found = measure_file(wav)
    assert found.true_peak_dbtp <= -1.0 + 0.01
    master = rendered.result["reports"]["master"]
    assert abs(found.integrated_lufs - -14.0) <= 0.1 or master["reason"]
    assert found.integrated_lufs == pytest.approx(master["integrated_lufs"], abs=0.02)


def test_the_mp3_is_as_long_as_the_master_and_tagged(rendered):
    import mutagen

    (mp3,) = files_of(rendered.result, ".mp3")
    assert probe(mp3).frames == probe(rendered.song).frames
    assert mutagen.File(mp3, easy=True).tags["title"] == ["Short"]


def test_the_converted_vocal_keeps_length_time_and_silence(rendered):
    store = Store(rendered.store)
    by_kind = {entry.meta["step"]: entry for entry in store.entries()}
    vocal = by_kind["separate"].folder / "vocals.wav"
    converted = by_kind["convert"].folder / "converted.wav"
    assert probe(converted).frames == probe(vocal).frames
    # Five seconds hold a dozen onsets, of which one may weigh a millisecond; a whole song is held to one.
    assert abs(envelope_lag_ms(vocal, converted).lag_ms) <= 2.0


def test_the_stems_sum_to_the_song(rendered):
    store = Store(rendered.store)
    by_kind = {entry.meta["step"]: entry for entry in store.entries()}
    song = read(by_kind["decode"].folder / "song.wav").samples.astype(np.float64)
    stems = [read(path).samples.astype(np.float64) for path in by_kind["separate"].folder.glob("*.wav")]
    residue = np.sqrt(np.mean((song - sum(stems)) ** 2) / np.mean(song**2))
    assert 20 * np.log10(residue + 1e-12) <= -60.0


def test_the_record_says_what_was_made_of_what(rendered):
    record = json.loads((rendered.project / "out" / "render.json").read_text())
    assert {step["name"] for step in record["steps"]} >= set(STEPS)
    assert record["reports"]["convert"]["why"]
    assert str(rendered.project) not in (rendered.project / "out" / "render.json").read_text()
    for file in record["files"]:
        assert (rendered.project / "out" / file["name"]).stat().st_size == file["bytes"]


def test_a_second_render_does_nothing_and_is_identical(copy_of):
    before = hashes(copy_of.project)
    ran, _ = render(copy_of.project, copy_of.store, "--score")
    assert ran == []
    assert hashes(copy_of.project) == before
    assert "everything is up to date" in covermaker("why", copy_of.project, "--store", copy_of.store).stdout


@pytest.mark.slow
def test_the_whole_render_is_reproducible_to_the_bit(copy_of, tmp_path):
    before = hashes(copy_of.project)
    ran, _ = render(copy_of.project, tmp_path / "new store")
    assert sorted(ran) == sorted(STEPS)
    assert hashes(copy_of.project) == before


def test_a_reverb_change_runs_the_mix_and_what_follows(copy_of):
    copy_of.edit("room_size = 0.35", "room_size = 0.5")
    why = covermaker("why", copy_of.project, "--store", copy_of.store).stdout
    assert "reverb room size 0.35 -> 0.5" in why
    assert render(copy_of.project, copy_of.store)[0] == ["mix", "master", "export"]


def test_a_rack_change_runs_that_rack_and_what_follows(copy_of):
    copy_of.edit("ratio = 2.5", "ratio = 3.0")
    assert (
        "vocals compressor ratio 2.5 -> 3"
        in covermaker("why", copy_of.project, "--store", copy_of.store).stdout
    )
    assert render(copy_of.project, copy_of.store)[0] == ["rack: vocals", "mix", "master", "export"]


def test_renaming_a_track_or_moving_the_project_runs_nothing(copy_of):
    copy_of.edit('name = "vocals"', 'name = "lead"')
    copy_of.project = copy_of.project.rename(copy_of.project.with_name("moved"))
    assert render(copy_of.project, copy_of.store)[0] == []


@pytest.mark.slow
def test_new_weights_under_the_same_name_change_the_vocal(copy_of):
    """A peer serves the old vocal after a voice is retrained under its name."""
    from safetensors.numpy import load_file, save_file

    from covermaker.disk import file_sha256
    from covermaker.voices.library import find_voice

    shipped = find_voice("demo")
    local = copy_of.project / "voices" / "demo"
    shutil.copytree(shipped.folder, local)
    assert render(copy_of.project, copy_of.store)[0] == []
    weights = local / shipped.weights_path.name
    tensors = {name: (value * 0.97).astype(value.dtype) for name, value in load_file(weights).items()}
    before = file_sha256(weights)
    save_file(tensors, weights)
    card = local / "card.toml"
    card.write_text(card.read_text().replace(before, file_sha256(weights)))
    assert (
        "the weights of the voice changed"
        in covermaker("why", copy_of.project, "--store", copy_of.store).stdout
    )
    old = hashes(copy_of.project)
    ran, _ = render(copy_of.project, copy_of.store)
    assert ran == ["convert", "level: vocals", "rack: vocals", "mix", "master", "export"]
    assert set(hashes(copy_of.project).values()).isdisjoint(old.values())


def test_a_preview_renders_its_stretch_only(copy_of):
    ran, result = render(copy_of.project, copy_of.store, "--preview", "0:01-0:03")
    assert "separate" not in ran
    assert "convert" not in ran
    (wav,) = files_of(result, ".wav")
    assert probe(wav).frames == 2 * 44100
    assert wav.name != files_of(copy_of.result, ".wav")[0].name


@pytest.mark.slow
def test_a_preview_before_any_render_converts_only_its_stretch(copy_of, tmp_path):
    _, result = render(copy_of.project, tmp_path / "store", "--preview", "0:01-0:03")
    (convert,) = [entry for entry in Store(tmp_path / "store").entries() if entry.meta["step"] == "convert"]
    assert probe(convert.folder / "converted.wav").frames == 2 * 44100
    assert probe(files_of(result, ".wav")[0]).frames == 2 * 44100


def test_until_stops_there(copy_of, tmp_path):
    ran, result = render(copy_of.project, tmp_path / "store", "--until", "loudness")
    assert ran == ["decode", "separate", "loudness"]
    assert result["folders"]


def test_a_dry_run_says_what_would_run_and_writes_nothing(copy_of, tmp_path):
    done = covermaker("render", copy_of.project, "--store", tmp_path / "store", "--dry-run")
    assert "would run" in done.stdout
    assert not (tmp_path / "store").exists()


def test_status_shows_every_step(copy_of):
    text = covermaker("status", copy_of.project, "--store", copy_of.store).stdout
    assert all(step in text for step in STEPS)


@pytest.mark.parametrize("command", ["status", "why"])
def test_looking_at_a_project_loads_no_torch(copy_of, command):
    import subprocess
    import sys

    script = (
        "import sys; from covermaker.cli.main import run; "
        f"run([{command!r}, {str(copy_of.project)!r}, '--store', {str(copy_of.store)!r}]); "
        "print(sorted(set(sys.modules) & {'torch', 'pedalboard', 'faster_whisper', 'demucs', 'librosa'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
