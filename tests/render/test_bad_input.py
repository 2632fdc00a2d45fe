"""Every bad input: one clear line, its exit code, nothing half-written."""

import json
import os
import re
import shutil
import stat
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from driving import covermaker, real_clip, render, short_song

from covermaker.audio.files import probe
from covermaker.errors import ExitCode

RATE = 44100


def tone(seconds=1.0, rate=RATE, channels=2, level=0.3):
    wave = level * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def refused(done, code, *words):
    """Check that a command ended with one clear line and its exit code."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == code, done.stderr
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    return lines[0]


def project_of(song, base):
    folder = base / "project"
    covermaker("new", song, "--folder", folder, "--title", "T")
    return folder


def decoded(song, base):
    """Make a project and decode its song; returns what the decode step reports and the store's song."""
    _, result = render(project_of(song, base), base / "store", "--until", "decode")
    folder = Path(result["folders"][0])
    return json.loads((folder / "meta.json").read_text())["report"], folder / "song.wav"


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("missing.wav", lambda path: None, "missing.wav"),
        ("empty.wav", lambda path: path.write_bytes(b""), "empty"),
        ("text.mp3", lambda path: path.write_text("not a song at all\n" * 50), "text.mp3"),
        ("folder.wav", lambda path: path.mkdir(), "folder"),
        ("noise.flac", lambda path: path.write_bytes(bytes(range(256)) * 40), "noise.flac"),
    ],
)
def test_what_is_no_audio_is_refused_before_anything_is_written(tmp_path, name, make, words):
    make(tmp_path / name)
    done = covermaker("new", tmp_path / name, "--folder", tmp_path / "project", check=False)
    refused(done, ExitCode.AUDIO, words)
    assert not (tmp_path / "project").exists()


@pytest.mark.slow
def test_a_song_that_goes_missing_later_is_named(tmp_path):
    project = project_of(short_song(tmp_path / "a.flac", 1.0), tmp_path)
    (project / "audio" / "a.flac").unlink()
    for command in (("render", project), ("status", project), ("why", project)):
        refused(covermaker(*command, "--store", tmp_path / "s", check=False), ExitCode.AUDIO, "a.flac")
    assert not (project / "out").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    song = tone()
    song[22050, 0] = value
    soundfile.write(tmp_path / "bad.wav", song, RATE, subtype="FLOAT")
    project = project_of(tmp_path / "bad.wav", tmp_path)
    done = covermaker("render", project, "--store", tmp_path / "store", check=False)
    refused(done, ExitCode.AUDIO, "NaN")
    assert list((tmp_path / "store" / "tmp").iterdir()) == []
    assert not (project / "out").exists()


@pytest.mark.parametrize("suffix", ["mp3", "flac"])
def test_a_truncated_song_is_read_as_far_as_it_goes_and_told(tmp_path, suffix):
    whole = tmp_path / f"whole.{suffix}"
    if suffix == "mp3":
        shutil.copy(real_clip(), whole)
    else:
        short_song(whole, 10.0)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    report, song = decoded(cut, tmp_path)
    assert any("can be read" in note or "damaged" in note for note in report["notes"]), report
    assert 4.0 < probe(song).seconds < 11.0


@pytest.mark.parametrize(
    ("seconds", "rate", "channels", "expected"),
    [
        (1.0, 44100, 1, 44100),
        (1.0, 8000, 1, 44100),
        (0.5, 192000, 2, 48000),
        (1.0, 48000, 6, 48000),
        (1 / 44100, 44100, 2, 1),
    ],
    ids=["mono", "8 kHz", "192 kHz", "six channels", "one sample"],
)
def test_unusual_songs_are_decoded_to_stereo_at_exact_length(tmp_path, seconds, rate, channels, expected):
    soundfile.write(tmp_path / "song.wav", tone(seconds, rate, channels), rate, subtype="PCM_24")
    _, song = decoded(tmp_path / "song.wav", tmp_path)
    info = probe(song)
    assert info.channels == 2
    assert info.frames == expected


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["silence", "one sample", "8 kHz mono"])
def test_even_these_songs_become_a_master_of_their_length(tmp_path, kind):
    song = {
        "silence": lambda: (np.zeros((RATE, 2), np.float32), RATE),
        "one sample": lambda: (tone(1 / RATE), RATE),
        "8 kHz mono": lambda: (tone(1.0, 8000, 1), 8000),
    }[kind]()
    soundfile.write(tmp_path / "song.wav", *song, subtype="PCM_24")
    _, result = render(project_of(tmp_path / "song.wav", tmp_path), tmp_path / "store")
    (wav,) = [file for file in result["files"] if file.endswith(".wav")]
    info = probe(Path(wav))
    assert info.frames == round(len(song[0]) * info.sample_rate / song[1])


@pytest.mark.parametrize(
    ("before", "after", "code", "words"),
    [
        ('name = "demo"', 'name = "dmeo"', 3, ("unknown voice 'dmeo'", "did you mean 'demo'?")),
        ('name = "demo"', 'name = "../../elsewhere"', 3, ("leaves the project",)),
        ('file = "audio/a.flac"', 'file = "../a.flac"', 3, ("song.file", "leaves the project")),
        (
            'effect = "compressor"',
            'effect = "compresor"',
            3,
            ("tracks[0].rack[4]", "did you mean 'compressor'?"),
        ),
        ("ratio = 2.5", "ratio = 0.2", 3, ("tracks[0].rack[4]", "ratio", "1 to")),
        ("ratio = 2.5", "ratoi = 2.5", 3, ("tracks[0].rack[4]", "did you mean 'ratio'?")),
        ("ratio = 2.5", 'ratio = "much"', 3, ("tracks[0].rack[4]", "ratio")),
        ("reverb = -18.0", "revreb = -18.0", 3, ("sends", "did you mean 'reverb'?")),
        ('pitch = "fcpe"', 'pitch = "yin"', 3, ("convert.pitch = 'yin'", "known: ")),
        (
            'separator = "spleeter"',
            'separator = "spleter"',
            3,
            ("stems.separator = 'spleter'", "did you mean 'spleeter'?"),
        ),
        (
            'formats = ["wav24"]',
            'formats = ["wav24", "mp4"]',
            3,
            ("export.formats[1]", "did you mean 'mp3'?"),
        ),
        (
            'pitch = "fcpe"',
            'index_ratio = 1.5\npitch = "fcpe"',
            3,
            ("convert.index_ratio = 1.5", "less than or equal to 1"),
        ),
        (
            'pitch = "fcpe"',
            'pitch_correction = { strength = 0.5, scale = "H major" }\npitch = "fcpe"',
            3,
            ("'H major'",),
        ),
        (
            'pitch = "fcpe"',
            'pitch_correction = { strength = 0.5, guide = "melody.mid" }\npitch = "fcpe"',
            3,
            ("guide = 'melody.mid' is not there",),
        ),
        (
            'pitch = "fcpe"',
            'parts = [{ start = "0:01", stop = 3, voice = "dmeo" }]\npitch = "fcpe"',
            3,
            ("unknown voice 'dmeo'", "did you mean 'demo'?"),
        ),
        (
            'pitch = "fcpe"',
            'parts = [{ start = 4, stop = 3, voice = "demo" }]\npitch = "fcpe"',
            3,
            ("convert.parts[0] ends before it begins",),
        ),
        (
            'pitch = "fcpe"',
            'parts = [{ start = 1, stop = 3, voice = "demo" }, '
            '{ start = 2, stop = 4, voice = "nobody" }]\npitch = "fcpe"',
            3,
            ("convert.parts[1] begins before another one ends",),
        ),
        (
            'source = "instrumental"',
            'source = "instrumental"\nvoice = "demo"',
            3,
            ("tracks[1].voice", "name of a stem"),
        ),
        (
            'name = "demo"',
            'name = "demo"\ntrain = { takes = "voices/anna" }',
            3,
            ("holds no takes", "covermaker voices new"),
        ),
        (
            'name = "demo"',
            'name = "demo"\ntrain = { takes = "../anna" }',
            3,
            ("voice.train.takes", "leaves the project"),
        ),
        ('source = "converted"', 'source = "convreted"', 3, ("did you mean 'converted'?",)),
        ("gain_db = 0.0", "gain_bd = 0.0", 3, ("tracks[0].gain_bd", "did you mean 'gain_db'?")),
        ("gain_db = 0.0", 'gain_db = "loud"', 3, ("tracks[0].gain_db",)),
        ("true_peak_dbtp = -1.0", "true_peak_dbtp = 3.0", 3, ("master.true_peak_dbtp",)),
        ("schema = 1", "schema = 7", 3, ("schema 7",)),
    ],
)
def test_mistakes_in_the_document_name_their_place(document, before, after, code, words):
    text = document.read_text()
    assert before in text
    document.write_text(text.replace(before, after, 1))
    try:
        done = covermaker("render", document.parent, "--dry-run", check=False)
    finally:
        document.write_text(text)
    message = refused(done, code, *words)
    line = text.count("\n", 0, text.index(before)) + 1
    told = re.match(rf"error: {re.escape(str(document))}:(\d+): ", message)
    assert told, message
    assert line <= int(told[1]) <= line + after.count("\n")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    base = tmp_path_factory.mktemp("mistakes")
    return project_of(short_song(base / "a.flac", 1.0), base) / "cover.toml"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("new", "{song}", "--voice", "nobody"), 3, ("unknown voice 'nobody'",)),
        (("new", "{song}", "--preset", "naturl"), 2, ("did you mean 'natural'?",)),
        (("render", "{project}", "--until", "mixx"), 2, ("did you mean 'mix'?",)),
        (("render", "{project}", "--preview", "1:00"), 2, ("0:30-0:45",)),
        (("render", "{project}", "--preview", "0:09-0:03"), 2, ("ends before it begins",)),
        (("render", "{project}", "--preview", "0:30-0:45"), 2, ("the song ends",)),
        (("render", "{base}/nowhere"), 3, ("no project", "covermaker new")),
        (("presets", "apply", "natual", "{project}"), 2, ("did you mean 'natural'?",)),
        (("presets", "apply", "natural", "{project}", "--track", "vox"), 2, ("no track 'vox'",)),
        (("effects", "show", "revreb"), 2, ("did you mean 'reverb'?",)),
        (("voices", "show", "nobody"), 3, ("unknown voice 'nobody'",)),
        (("models", "path", "fpce"), 2, ("did you mean 'fcpe'?",)),
        (("models", "verify", "htdemucs"), 5, ("htdemucs", "covermaker models pull")),
        (("convert", "{song}", "--transpose", "up"), 2, ("--transpose up",)),
        (("convert", "{song}", "--pitch", "yin"), 2, ("unknown pitch method",)),
        (("separate", "{song}", "--separator", "spleter"), 2, ("did you mean 'spleeter'?",)),
        (("separate", "{song}", "--separator", "demucs"), 5, ("htdemucs", "covermaker models pull")),
        (("separate", "{song}", "--separator", "demucs", "--model", "htdemuc"), 5, ("htdemucs",)),
        (("cache", "gc", "--max-size", "lots"), 2, ("20GB",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) and value[0] in ("new", "render") else None,
)
def test_mistakes_on_the_command_line_name_the_way_out(document, tmp_path, arguments, code, words):
    names = {"song": document.parent / "audio" / "a.flac", "project": document.parent, "base": tmp_path}
    line = [argument.format(**names) for argument in arguments]
    done = covermaker(*line, check=False, COVERMAKER_STORE=str(tmp_path / "store"))
    refused(done, code, *words)


def test_errors_are_json_too(tmp_path):
    done = covermaker("render", tmp_path, "--json", check=False)
    assert json.loads(done.stdout.splitlines()[-1])["exit_code"] == ExitCode.PROJECT


def test_weights_that_are_not_what_they_should_be_are_refused(document, tmp_path):
    weights = tmp_path / "models" / "fcpe"
    done = covermaker("models", "path", "fcpe")
    original = Path(done.stdout.strip())
    weights.parent.mkdir()
    damaged = bytearray(original.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    for target in (weights.parent / original.name, weights / original.name):
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(damaged)
    environment = {"COVERMAKER_MODELS": str(weights.parent), "COVERMAKER_STORE": str(tmp_path / "store")}
    refused(covermaker("models", "verify", "fcpe", check=False, **environment), ExitCode.WEIGHTS, "sha256")


@contextmanager
def mounted(folder, options):
    """Mount a small memory disk; skips where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not allow mounting a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["1m", "1500k"])
def test_a_full_disk_is_told_and_nothing_stays_half_written(document, tmp_path, size):
    with mounted(tmp_path / "small", f"size={size}") as small:
        done = covermaker("render", document.parent, "--store", small / "store", check=False)
        refused(done, ExitCode.RESOURCE, "disk is full")
        temporary = small / "store" / "tmp"
        assert not temporary.exists() or list(temporary.iterdir()) == []
    assert not (document.parent / "out").exists()


def test_a_store_that_cannot_be_written_is_told(document, tmp_path):
    with mounted(tmp_path / "fixed", "size=1m,ro") as fixed:
        done = covermaker("render", document.parent, "--store", fixed / "store", check=False)
        refused(done, ExitCode.RESOURCE, "read-only")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_without_permission_is_told(document, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(stat.S_IRUSR | stat.S_IXUSR)
    done = covermaker("render", document.parent, "--store", closed / "store", check=False)
    refused(done, ExitCode.RESOURCE, "permission")


def test_a_song_without_samples_makes_no_project(tmp_path):
    song = tmp_path / "nothing.wav"
    soundfile.write(song, np.zeros((0, 2), np.float32), RATE)
    done = covermaker("new", song, "--folder", tmp_path / "project", check=False)
    refused(done, ExitCode.AUDIO, "holds no samples")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nothing.wav"]
