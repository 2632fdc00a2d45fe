"""The music of the song in the river: asked for when something reads it; second voices; what is exported."""

import json
from pathlib import Path

import mido
import numpy as np
import pytest
from driving import covermaker, render

from covermaker.convert.guide import read_guide
from covermaker.convert.scales import scale_classes
from covermaker.convert.tuning import detect_a4_hz
from covermaker.documents.document import PlaceError
from covermaker.errors import ExitCode, ProjectError
from covermaker.features.notes import read_notes
from covermaker.features.pitch.estimate import estimate_pitch
from covermaker.features.song.music import Music, write_music
from covermaker.graph.store import Store
from covermaker.project.load import load
from covermaker.render.music import check_key, key_of, known_music, tempo_of
from covermaker.render.pipeline import build

THIRD = '\n[[tracks]]\nname = "third"\nsource = "converted"\nharmony = "{harmony}"\ngain_db = -6.0\n'


# They share a render of the demo song.
pytestmark = pytest.mark.slow


def add(copy, text):
    file = copy.project / "cover.toml"
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def made(store, kind):
    return [entry for entry in Store(store).entries() if entry.meta["step"] == kind]


def test_nobody_asks_for_it_unless_somebody_reads_it(copy_of):
    assert "music" not in copy_of.ran
    assert "music" not in [step.kind for step in build(load(copy_of.project)).steps()]
    project, store = load(copy_of.project), Store(copy_of.store)
    river = build(project)
    ran, result = render(copy_of.project, copy_of.store, "--until", "music")
    assert ran in (["music"], [])
    found = json.loads((Path(result["folders"][0]) / "music.json").read_text())
    assert found["seconds"] == pytest.approx(5.0)
    music = known_music(river.music, store, project.cover)
    assert music is not None
    assert music.key == found["key"]


def test_what_the_document_says_wins(copy_of):
    copy_of.edit("[song]\n", '[song]\ntempo_bpm = 96.0\nkey = "D dorian"\n')
    add(copy_of, '\n[[sections]]\nname = "verse"\nfrom_seconds = 1.0\n')
    ran, _ = render(copy_of.project, copy_of.store, "--until", "music")
    assert ran == ["music"]
    project = load(copy_of.project)
    music = known_music(build(project).music, Store(copy_of.store), project.cover)
    assert (music.tempo_bpm, music.key) == (96.0, "D dorian")
    assert [part.name for part in music.sections] == ["verse"]
    assert np.median(np.diff(music.beats)) == pytest.approx(60.0 / 96.0, rel=0.05)
    # Key and parts are read by who asks; only the tempo is listened for.
    copy_of.edit('name = "verse"', 'name = "chorus"')
    copy_of.edit("D dorian", "E minor")
    assert render(copy_of.project, copy_of.store, "--until", "music")[0] == []


def test_tempo_and_key_that_nobody_found_say_what_to_do(tmp_path):
    write_music(Music(10.0), tmp_path / "music.json")
    with pytest.raises(
        ProjectError, match="the delay of 'vocals' follows the song's tempo, and none"
    ) as error:
        tempo_of(tmp_path / "music.json", "the delay of 'vocals'")
    assert "song.tempo_bpm" in error.value.hint
    with pytest.raises(ProjectError, match="follows the song's key, and none was found") as error:
        key_of(tmp_path / "music.json", "the harmony 'third_above'")
    assert "song.key" in error.value.hint


@pytest.mark.parametrize("key", ["H major", "C", "chromatic", "C E G", "A minor pentatonic", "C majr", ""])
def test_keys_that_are_none(key):
    with pytest.raises(PlaceError, match=r"song\.key"):
        check_key(key)


@pytest.mark.parametrize("key", ["C major", "f# minor", "Bb harmonic minor", "D dorian", None])
def test_keys(key):
    check_key(key)


def test_a_third_above_is_sung_a_third_above(copy_of):
    """On a real vocal, as it is heard: the median of the interval within 15 cents of the key's own."""
    copy_of.edit("[song]\n", '[song]\nkey = "F major"\n')
    add(copy_of, THIRD.format(harmony="third_above"))
    ran, _ = render(copy_of.project, copy_of.store)
    assert ran == ["harmony: third", "convert: third", "mix", "master", "export"]  # no music: the key is told
    (harmony,) = made(copy_of.store, "harmony")[-1:]
    lead, second = (
        next(
            entry
            for entry in reversed(made(copy_of.store, "convert"))
            if ("heard" in entry.meta["inputs"]) is wanted
        )
        for wanted in (False, True)
    )
    assert lead.meta["report"]["semitones"] == second.meta["report"]["semitones"]
    f0_hz = np.load(made(copy_of.store, "pitch")[-1].folder / "f0.npy")
    level_db = np.load(made(copy_of.store, "loudness")[-1].folder / "loudness.npy")
    classes = sorted(scale_classes("F major"))
    wanted = np.full(len(f0_hz), np.nan)
    for note in read_notes(f0_hz, level_db, a4_hz=detect_a4_hz(f0_hz), classes=classes):
        place = classes.index(note.number % 12)
        octaves, third = divmod(place + 2, 7)
        wanted[note.start : note.stop] = classes[third] + 12 * octaves - classes[place]
    one, other = (estimate_pitch(entry.folder / "converted.wav") for entry in (lead, second))
    sung = (one > 0) & (other > 0) & ~np.isnan(wanted)
    cents = 100.0 * np.abs(12.0 * np.log2(other[sung] / one[sung]) - wanted[sung])
    assert sung.sum() > 100
    assert np.median(cents) < 15.0
    assert harmony.meta["report"]["key"] == "F major"
    # Another key is another harmony, and nothing else.
    copy_of.edit("F major", "C minor")
    plan = covermaker("render", copy_of.project, "--store", copy_of.store, "--dry-run").stdout
    would = [line.split("  ")[0] for line in plan.splitlines() if "would run" in line]
    assert would == ["harmony: third", "convert: third", "mix", "master", "export"]
    assert "key" in plan


def test_a_harmony_asks_the_music_for_the_key(copy_of):
    add(copy_of, THIRD.format(harmony="fifth_below"))
    ran, _ = render(copy_of.project, copy_of.store, "--until", "harmony")
    assert [name for name in ran if name != "music"] == ["harmony: third"]
    report = made(copy_of.store, "harmony")[-1].meta["report"]
    assert report["key"] is not None
    assert "write key under [song]" in report["notes"][0]


def refused(copy, *words):
    done = covermaker("render", copy.project, "--store", copy.store, "--dry-run", check=False)
    assert done.returncode == ExitCode.PROJECT, done.stderr
    assert done.stderr.count("error: ") == 1
    for word in words:
        assert word in done.stderr


def test_harmonies_that_are_none(copy_of):
    add(copy_of, THIRD.format(harmony="third_abov"))
    refused(copy_of, "tracks[2].harmony", "did you mean 'third_above', or a MIDI file?")
    copy_of.edit("third_abov", "alto.mid")
    refused(copy_of, "tracks[2].harmony", "'alto.mid' is not there", "check the path")
    (copy_of.project / "alto.mid").write_bytes(b"")
    refused(
        copy_of, "tracks[2].harmony", "'alto.mid' cannot be read as MIDI: it ends too soon", "export it again"
    )
    mido.MidiFile().save(copy_of.project / "alto.mid")
    refused(copy_of, "tracks[2].harmony", "holds no notes")
    copy_of.edit('harmony = "alto.mid"', 'harmony = "third_above"')
    copy_of.edit('source = "converted"\nharmony', 'source = "instrumental"\nharmony')
    refused(copy_of, "tracks[2].harmony", "'instrumental' has no second voice")
    copy_of.edit("[song]\n", '[song]\nkey = "X minor"\n')
    refused(copy_of, "song.key")


def test_the_melody_and_labels_are_exported(copy_of, tmp_path):
    done = covermaker(
        "export", copy_of.project, "--store", copy_of.store, "--melody", "--labels", "--out", tmp_path / "out", "--json"
    )  # fmt: skip
    result = json.loads(done.stdout)
    names = [Path(file).name for file in result["files"]]
    assert names[0] == "Short (melody).mid"
    assert "Short (sections).txt" in names
    notes = read_guide(Path(result["parts"]["melody"][0]))
    assert len(notes) == result["reports"]["melody"]["notes_found"] > 3
    again = covermaker(
        "export", copy_of.project, "--store", copy_of.store, "--melody", "--original", "--out", tmp_path / "out"
    )  # fmt: skip
    assert "Short (original melody).mid" in again.stdout
    original = read_guide(tmp_path / "out" / "Short (original melody).mid")
    semitones = json.loads((made(copy_of.store, "convert")[-1].folder / "report.json").read_text())[
        "semitones"
    ]
    assert [note.number + semitones for note in original] == [note.number for note in notes]


def test_a_render_writes_the_melody_too(copy_of):
    copy_of.edit('formats = ["wav24", "mp3"]', 'formats = ["wav24", "mp3"]\nmelody = true')
    ran, result = render(copy_of.project, copy_of.store)
    assert ran in (["music", "melody"], ["melody"], [])
    assert (copy_of.project / "out" / "Short (melody).mid").exists()
    assert any(file.endswith("(melody).mid") for file in result["files"])


@pytest.mark.parametrize(
    ("options", "words"),
    [((), "--melody"), (("--labels", "--original"), "does nothing without --melody")],
)
def test_exports_of_nothing(copy_of, options, words):
    done = covermaker("export", copy_of.project, *options, check=False)
    assert done.returncode == ExitCode.USAGE
    assert words in done.stderr


def raised(guide, out, semitones):
    """Write a MIDI file with every note so much higher."""
    file = mido.MidiFile(guide)
    for track in file.tracks:
        for message in track:
            if message.type in ("note_on", "note_off"):
                message.note += semitones
    file.save(out)


def middle(f0_hz, notes, add=0):
    """Return by how many cents the middle of each note is off, at the median."""
    off = []
    for note in notes:
        here = f0_hz[round(note.start * 100) : round(note.stop * 100)]
        here = here[here > 0]
        if len(here) > 10:
            cents = 1200.0 * np.log2(np.median(here) / 440.0) + 6900.0 - 100.0 * (note.number + add)
            off.append((cents + 600.0) % 1200.0 - 600.0)
    return float(np.median(np.abs(off)))


@pytest.mark.slow
def test_a_midi_melody_of_a_project_is_followed(copy_of, tmp_path):
    """Its own melody, written a semitone higher: corrected to it, the voice sings it; as a harmony too."""
    covermaker(
        "export", copy_of.project, "--store", copy_of.store, "--melody", "--original", "--out", tmp_path
    )
    guide = copy_of.project / "guide.mid"
    raised(tmp_path / "Short (original melody).mid", guide, 1)
    notes = read_guide(guide)
    correction = 'pitch_correction = { strength = 1.0, guide = "guide.mid", retune_ms = 100 }'
    copy_of.edit('pitch = "fcpe"', f'pitch = "fcpe"\n{correction}')
    assert render(copy_of.project, copy_of.store, "--until", "convert")[0] == ["convert"]
    corrected = estimate_pitch(made(copy_of.store, "convert")[-1].folder / "converted.wav")
    assert middle(corrected, notes) < 15.0
    # What is exported is what is sung.
    covermaker("export", copy_of.project, "--store", copy_of.store, "--melody", "--out", tmp_path)
    sung = read_guide(tmp_path / "Short (melody).mid")
    assert middle(corrected, sung) < 15.0

    copy_of.edit(f"\n{correction}", "")
    raised(guide, copy_of.project / "alto.mid", 3)
    add(copy_of, THIRD.format(harmony="alto.mid"))
    render(copy_of.project, copy_of.store, "--until", "convert")
    second = [entry for entry in made(copy_of.store, "convert") if "heard" in entry.meta["inputs"]][-1]
    alto = estimate_pitch(second.folder / "converted.wav")
    assert middle(alto, read_guide(copy_of.project / "alto.mid")) < 15.0
