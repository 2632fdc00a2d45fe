"""Targets, reference, labels and credentials of a document, through the steps to the files."""

from __future__ import annotations

import json
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from PIL import Image

from covermaker.audio.files import read
from covermaker.audio.loudness import measure_file
from covermaker.audio.targets import TARGETS
from covermaker.documents.document import DocumentError
from covermaker.errors import ProjectError, ResourceError, UsageError
from covermaker.export.credentials import verify_file
from covermaker.graph.events import StepStarted, nobody
from covermaker.graph.run import plan, run
from covermaker.graph.step import Outside
from covermaker.graph.store import Store
from covermaker.project.load import load, parse
from covermaker.render.judge import judge
from covermaker.render.pipeline import build
from covermaker.render.record import compare, last_render
from covermaker.render.steps import Region
from covermaker.render.tasks import render

RATE, SECONDS = 44_100, 5.0
COVER = """schema = 1
title = "Blue"
artist = "Us"
[song]
file = "song.wav"
artist = "Nobody"
[stems]
separator = "provided"
files = { vocals = "vocals.wav", band = "band.wav" }
[[tracks]]
name = "lead"
source = "vocals"
[[tracks]]
name = "band"
source = "band"
"""


def noise(seed, level=0.05):
    frames = round(SECONDS * RATE)
    spectra = np.fft.rfft(np.random.default_rng(seed).standard_normal((2, frames)))
    spectra /= np.sqrt(np.maximum(np.fft.rfftfreq(frames, 1 / RATE), 50.0))
    samples = np.fft.irfft(spectra, frames)
    return (level * samples / samples.std()).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    vocals, band = noise(1), noise(2)
    for name, sound in {"vocals": vocals, "band": band, "song": vocals + band}.items():
        soundfile.write(tmp_path / f"{name}.wav", sound.T, RATE, subtype="FLOAT")
    return tmp_path


def project(folder, more=""):
    (folder / "cover.toml").write_text(COVER + more, encoding="utf-8")
    return load(folder)


def rendered(folder, more=""):
    """Render; returns the reports of master and export, and the folder of the files."""
    river = build(project(folder, more))
    store = Store(folder / "store")
    (entry,) = run(store, [river.export], listener=nobody)
    return store.get(river.master.key).meta["report"], entry.meta["report"], entry.folder


def master_of(more):
    return parse(COVER + more).master


# What an older Covermaker put into the key of the master.
OLD_KEYS = {"loudness_lufs", "true_peak_dbtp", "rack"}


def test_a_project_that_asks_for_nothing_new_has_the_master_it_had(folder):
    for more in ("", "[master]\nloudness_lufs = -14.0\n", "[master]\nmax_drive_db = 18.0\n"):
        step = build(project(folder, more)).master
        assert set(step.params) == OLD_KEYS
        assert set(step.inputs) == {"mix"}
        assert (step.params["loudness_lufs"], step.params["true_peak_dbtp"]) == (-14.0, -1.0)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_loudness_and_ceiling(name, folder):
    step = build(project(folder, f'[master]\ntarget = "{name}"\n')).master
    assert {key: step.params[key] for key in TARGETS[name].levels} == TARGETS[name].levels
    assert set(step.params) == OLD_KEYS


def test_what_is_written_goes_before_the_target_and_is_told(folder):
    more = '[master]\ntarget = "amazon"\nloudness_lufs = -16.0\n'
    assert master_of(more).true_peak_dbtp == -2.0
    assert master_of(more).overruled == {"loudness_lufs": -14.0}
    master, export, _ = rendered(folder, more)
    assert master["integrated_lufs"] == pytest.approx(-16.0, abs=0.1)
    (note,) = master["notes"]
    assert note.startswith(
        "master.loudness_lufs = -16.0 is written, so it holds and not the -14 of the target"
    )
    assert "'amazon'" in note
    assert export["notes"] == []


def test_the_same_level_as_the_target_overrules_nothing():
    assert master_of('[master]\ntarget = "spotify"\nloudness_lufs = -14.0\n').overruled == {}


def test_the_cap_is_a_setting_and_gives_its_reason(folder):
    more = "[master]\nloudness_lufs = -8.0\nmax_drive_db = 3.0\n"
    master, _, _ = rendered(folder, more)
    assert not master["reached"]
    assert "push peaks more than 3 dB over the ceiling" in master["reason"]
    assert master["max_gain_reduction_db"] == pytest.approx(3.0, abs=0.4)
    assert build(project(folder, more)).master.params["max_drive_db"] == 3.0


def test_a_reference_gives_tone_and_loudness(folder):
    soundfile.write(folder / "reference.wav", noise(9, 0.1).T, RATE, subtype="FLOAT")
    more = '[master]\nmatch = "reference.wav"\nmatch_amount = 0.5\n'
    assert master_of(more).loudness_lufs == "reference"
    step = build(project(folder, more)).master
    key = step.key
    assert step.params["match_amount"] == 0.5
    assert "reference.wav" not in json.dumps(dict(step.params)), "a path is in no key"
    assert step.inputs["reference"] == Outside(folder / "reference.wav")
    master, _, _ = rendered(folder, more)
    wanted = measure_file(folder / "reference.wav").integrated_lufs
    assert master["target_lufs"] == pytest.approx(wanted, abs=1e-6)
    assert master["integrated_lufs"] == pytest.approx(wanted, abs=0.1)
    assert len(master["match"]["middle_db"]) == len(master["match"]["hz"])
    # Another content is another key, another name is not.
    (folder / "reference.wav").rename(folder / "other.wav")
    assert build(project(folder, more.replace("reference.wav", "other.wav"))).master.key == key
    soundfile.write(folder / "other.wav", noise(10, 0.1).T, RATE, subtype="FLOAT")
    assert build(project(folder, more.replace("reference.wav", "other.wav"))).master.key != key


def test_with_a_target_the_reference_gives_the_tone_alone():
    more = '[master]\nmatch = "reference.wav"\n'
    assert master_of(f'{more}target = "apple"\n').loudness_lufs == -16.0
    assert master_of(f"{more}loudness_lufs = -12.0\n").loudness_lufs == -12.0
    assert master_of(f'{more}target = "apple"\nloudness_lufs = "reference"\n').loudness_lufs == "reference"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[master]\ntarget = "spotfy"\n', "no target is called that; did you mean 'spotify'"),
        ('[master]\nmatch = "no.wav"\n', r"master.match = 'no.wav' is not there"),
        ('[master]\nmatch = "../out.wav"\n', r"master.match = '../out.wav' leaves the project"),
        ('[master]\nloudness_lufs = "reference"\n', r"master.loudness_lufs = 'reference' has no reference"),
        ('[master]\nmatch = "cover.toml"\n', r"master.match: .*cover.toml"),
        ("[master]\nmatch_amount = 1.5\n", r"master.match_amount"),
        ('[export]\ndither = "noise"\n', r"export.dither"),
        (
            '[tags]\nisrc = "DE-A12-26-1"\n',
            r"tags.isrc = 'DE-A12-26-1': two letters, .* as in 'DE-A12-26-00001'",
        ),
        ('[tags]\ntrack = "three"\n', r"tags.track = 'three': a number is expected"),
        ('[tags]\nkey = "H"\n', r"tags.key = 'H': a note and perhaps m"),
        ("[tags]\nyear = 26\n", r"tags.year"),
        ("[tags]\nbpm = 1000\n", r"tags.bpm"),
        ('[tags]\ncover = "no.jpg"\n', r"tags.cover = 'no.jpg' is not there"),
        ('[tags]\ncover = "song.wav"\n', r"tags.cover: 'song.wav' is no picture"),
        ('[tags]\nlyrics = "song.wav"\n', r"tags.lyrics: the lyrics 'song.wav' "),
        ('[tags]\nalbun = "x"\n', r"unknown key 'tags.albun'.*album"),
    ],
)
def test_what_is_refused_before_any_step(more, said, folder):
    with pytest.raises(ProjectError, match=said):  # an edit refuses it, too
        judge(project(folder, more))
    with pytest.raises(DocumentError, match=said) as caught:
        build(project(folder, more))
    line = len(COVER.splitlines()) + (1 if "unknown" in said else 2)
    assert f"cover.toml:{line}" in str(caught.value) or "unknown" in said


def test_sections_lie_in_the_song(folder):
    begins = '[[sections]]\nname = "a"\nfrom_seconds = {}\n'
    assert build(project(folder, begins.format(4.9)))
    with pytest.raises(
        DocumentError, match=r"sections\[0\].from_seconds = 5 is behind the end of the song.*0:05"
    ):
        build(project(folder, begins.format(5.0)))


def test_what_nobody_asks_for_can_be_rendered_by_its_name(folder):
    river = build(project(folder))
    for kind in ("music", "melody", "mix-stems", "bounces"):
        assert [step.kind for step in river.targets(kind)] == [kind]
    assert river.targets("mix") == [river.mix]
    with pytest.raises(UsageError, match="this project has no step 'train'"):
        river.targets("train")


def test_a_switch_on_a_number_is_refused_by_its_place(folder):
    lane = '[[automation]]\ntarget = "tracks.lead.rack[0].band1_db"\npoints = [[0.0, -1.0], [1.0, true]]\n'
    rack = '[[buses]]\nname = "b"\n'
    more = COVER.replace('source = "vocals"\n', 'source = "vocals"\nrack = [{ effect = "eq" }]\n')
    (folder / "cover.toml").write_text(more + rack + lane, encoding="utf-8")
    with pytest.raises(DocumentError, match=r"automation\[0\].points\[1\] = true must be a number"):
        build(load(folder))
    (folder / "cover.toml").write_text(more + rack + lane.replace("true", "1.0"), encoding="utf-8")
    assert build(load(folder)).checked.lanes.of_rack("tracks", "lead")


LABELS = """[export]
formats = ["wav16", "flac", "mp3-192", "ogg", "opus", "m4a"]
dither = "shaped"
[tags]
album = "Sea"
album_artist = "All of us"
year = 2026
genre = "Pop"
track = "3/9"
isrc = "DE-A12-26-00001"
bpm = 127.0
key = "F#m"
cover = "art.png"
lyrics = "words.lrc"
"""


def test_labels_reach_every_file(folder):
    Image.new("RGB", (100, 100)).save(folder / "art.png")
    (folder / "words.lrc").write_text("[00:01.00]la\n", encoding="utf-8")
    master, export, out = rendered(folder, LABELS)
    step = build(project(folder, LABELS)).export
    assert step.params["tags"] == {
        "title": "Blue", "artist": "Us", "original_artist": "Nobody", "album": "Sea",
        "albumartist": "All of us", "date": "2026", "genre": "Pop", "track": "3/9", "isrc": "DEA122600001",
        "bpm": "127", "key": "F#m", "comment": step.params["tags"]["comment"],
    }  # fmt: skip
    assert step.params["ceiling_dbtp"] == -1.0
    assert {"picture", "lyrics"} < set(step.inputs)
    assert len(export["files"]) == 6
    for file in export["files"]:
        path = out / file["name"]
        found = mutagen.File(str(path))
        text = repr(dict(found.tags))
        for words in ("Blue", "Sea", "DEA122600001", "F#m", "AI voice", "Nobody"):
            assert words in text, (file["name"], words)
        gain = f"{-18 - (master['integrated_lufs'] - file['lowered_db']):.2f} dB"
        assert gain in text or file["format"] == "opus"
        if file["true_peak_dbtp"] is not None:
            assert file["true_peak_dbtp"] <= -1.0
    lowered = [file for file in export["files"] if file["lowered_db"] > 0.0]
    assert len(export["notes"]) == len(lowered)


def test_another_picture_is_another_export_and_not_another_master(folder):
    Image.new("RGB", (100, 100)).save(folder / "art.png")
    more = '[tags]\ncover = "art.png"\n'
    first = build(project(folder, more))
    before = first.export.key
    Image.new("RGB", (100, 100), (1, 2, 3)).save(folder / "art.png")
    second = build(project(folder, more))
    assert first.master.key == second.master.key
    assert before != second.export.key


def test_a_preview_is_neither_signed_nor_compressed(folder):
    river = build(
        project(folder, '[export]\nformats = ["mp3"]\ncredentials = true\n'), region=Region(1.0, 2.0)
    )
    assert river.export.params["formats"] == ["wav24"]
    assert not {"credentials", "ceiling_dbtp"} & set(river.export.params)


def test_credentials_from_the_document_to_the_file(folder, monkeypatch):
    pytest.importorskip("c2pa")
    monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(folder / "credentials"))
    _, export, out = rendered(folder, '[export]\nformats = ["flac", "ogg"]\ncredentials = true\n')
    flac, ogg = (out / file["name"] for file in export["files"])
    found = verify_file(flac)
    assert found.state == "valid"
    assert found.title == "Blue"
    assert found.ingredients == ("Blue, the original recording by Nobody",)
    assert [name for name, _ in found.voices] == ["demo"]
    assert all(rights for _, rights in found.voices)
    assert export["notes"] == [f"{ogg.name} carries no content credentials: its format has no place for them"]


def whole(folder, more, hear=nobody):
    project(folder, more)
    return render({"project": str(folder), "store": str(folder / "store")}, hear)


SIGNED = '[export]\nformats = ["wav24"]\ncredentials = true\n'


def verdicts(folder):
    opened = load(folder)
    steps = plan(Store(folder / "store"), build(opened).targets())
    return {one.step.kind: one for one in compare(steps, last_render(opened.out), opened.cover)}


def test_without_the_extra_a_render_does_not_begin_but_is_planned(folder, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "c2pa", None)
    monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(folder / "credentials"))
    build(project(folder, SIGNED))
    assert verdicts(folder)["export"].state == "to do"
    heard = []
    with pytest.raises(
        ResourceError, match=r"cover\.toml:\d+: export\.credentials: .*need the extra"
    ) as caught:
        whole(folder, SIGNED, heard.append)
    assert "pip install 'covermaker[credentials]'" in str(caught.value)
    assert not any(isinstance(event, StepStarted) for event in heard)
    assert not (folder / "credentials").exists()
    # What signs nothing needs no extra.
    render({"project": str(folder), "store": str(folder / "store"), "until": "mix"}, nobody)


def test_a_certificate_is_made_by_a_render_and_by_nothing_before(folder, monkeypatch):
    pytest.importorskip("c2pa")
    place = folder / "credentials"
    monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(place))
    whole(folder, SIGNED.replace("true", "false"))
    project(folder, SIGNED)
    assert verdicts(folder)["export"].reasons == ("export.credentials: off -> on",)
    assert not place.exists()
    result = whole(folder, SIGNED)
    assert verify_file(Path(result["files"][0])).state == "valid"
    assert verdicts(folder)["export"].state == "done", "the key is that of the certificate that was made"
    # Another one: told as that.
    for file in place.iterdir():
        file.unlink()
    assert verdicts(folder)["export"].reasons == ("another certificate signs",)
    project(folder, SIGNED.replace("true", "false").replace("wav24", "flac"))
    assert "export.credentials: on -> off" in verdicts(folder)["export"].reasons


def test_a_key_that_does_not_fit_is_told_before_anything_is_made(folder, monkeypatch):
    pytest.importorskip("c2pa")
    from covermaker.export.identity import identity

    for name in ("other", "credentials"):
        monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(folder / name))
        identity()
    (folder / "credentials" / "key.pem").write_bytes((folder / "other" / "key.pem").read_bytes())
    heard = []
    with pytest.raises(
        ResourceError, match=r"export\.credentials: .*is not the key of the first certificate"
    ):
        whole(folder, SIGNED, heard.append)
    assert not any(isinstance(event, StepStarted) for event in heard)


def test_the_master_is_as_it_is_whatever_the_formats(folder):
    _, _, out = rendered(folder, '[export]\nformats = ["wav32f", "mp3-192"]\n')
    river = build(load(folder))
    master = Store(folder / "store").get(river.master.key).folder / "master.wav"
    np.testing.assert_array_equal(read(out / "Blue.wav").samples, read(Path(master)).samples)
