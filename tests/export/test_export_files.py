"""The contract of every registered format, and of writing several at once."""

import errno
import hashlib
import os

import numpy as np
import pytest
import soundfile
from export_signals import chirp

from covermaker.audio.files import probe, read
from covermaker.errors import AudioInputError, CovermakerError, ResourceError, UsageError
from covermaker.export import files
from covermaker.export.files import export_master
from covermaker.export.formats import FORMATS

TAGS = {"title": "Blue Harbour", "artist": "Nobody"}
LOSSLESS_STEP = {
    "wav16": 2.0**-15, "wav24": 2.0**-23, "wav32f": 0.0, "flac": 2.0**-23, "flac16": 2.0**-15
}  # fmt: skip


def export(master, out, formats, **options):
    settings = {"stem_name": "song", "tags": TAGS, "seed": 1, **options}
    return export_master(master, out, formats=formats, **settings)


def lag(reference, signal):
    n = min(len(reference), len(signal), 1 << 17)
    spectrum = np.fft.rfft(signal[:n], 2 * n) * np.conj(np.fft.rfft(reference[:n], 2 * n))
    peak = int(np.argmax(np.fft.irfft(spectrum)))
    return peak if peak < n else peak - 2 * n


@pytest.mark.parametrize("name", FORMATS.names())
@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 88_200, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_round_trip(make_master, tmp_path, name, sample_rate, channels):
    samples = chirp(100_003, sample_rate=sample_rate, channels=channels)
    (made,) = export(make_master(samples, sample_rate), tmp_path / "out", [name])
    back = read(tmp_path / "out" / made.name)
    wanted = FORMATS.load(name).frames(100_003, sample_rate)
    assert back.frames == made.frames == probe(tmp_path / "out" / made.name).frames == wanted
    assert (back.sample_rate, back.channels) == (made.sample_rate, channels)
    if back.sample_rate == sample_rate:
        assert lag(samples[0], back.samples[0]) == 0
        assert back.frames == 100_003
    level_db = 20 * np.log10(np.sqrt((back.samples**2).mean(axis=1)) / np.sqrt((samples**2).mean(axis=1)))
    assert np.abs(level_db).max() < 0.1
    if name in LOSSLESS_STEP:
        # Dither adds up to one step to the half step of rounding.
        assert np.abs(back.samples - samples).max() <= 1.5 * LOSSLESS_STEP[name]


@pytest.mark.parametrize("name", FORMATS.names())
@pytest.mark.parametrize("frames", [1, 1151, 1153, 65_537])
def test_odd_lengths(make_master, tmp_path, name, frames):
    (made,) = export(make_master(chirp(frames)), tmp_path / "out", [name])
    wanted = FORMATS.load(name).frames(frames, 44_100)
    assert made.frames == wanted == read(tmp_path / "out" / made.name).frames
    assert wanted == frames or made.sample_rate != 44_100


@pytest.mark.parametrize("name", FORMATS.names())
def test_written_twice_the_bytes_are_the_same(make_master, tmp_path, name):
    master = make_master(chirp(70_000))
    first, second = (export(master, tmp_path / folder, [name])[0] for folder in ("a", "b"))
    data = (tmp_path / "a" / first.name).read_bytes()
    assert first == second
    assert data == (tmp_path / "b" / second.name).read_bytes()
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert first.bytes == len(data)


@pytest.mark.parametrize("name", FORMATS.names())
def test_silence_stays_silence(make_master, tmp_path, name):
    (made,) = export(make_master(np.zeros((2, 20_000))), tmp_path / "out", [name])
    peak = np.abs(read(tmp_path / "out" / made.name).samples).max()
    assert peak == 0.0 if name in LOSSLESS_STEP else peak < 1e-6


@pytest.mark.parametrize("name", FORMATS.names())
def test_a_full_disk_is_one_clear_error_and_no_file(make_master, tmp_path, monkeypatch, name):
    """The disk fills while the file is written (libsndfile, LAME's Python file, our own writer)."""
    master = make_master(np.random.default_rng(0).standard_normal((2, 400_000)) * 0.1)
    out = tmp_path / "out"
    out.mkdir()
    real = files.replacing

    def on_full_disk(path):
        (tmp_path / "full").mkdir(exist_ok=True)
        link = tmp_path / "full" / f"x{path.suffix}"
        link.symlink_to("/dev/full")
        return _Link(link, real, path)

    monkeypatch.setattr(files, "replacing", on_full_disk)
    monkeypatch.setattr("covermaker.disk.ALMOST_FULL_BYTES", 1 << 62)
    with pytest.raises(ResourceError, match="disk is full") as caught:
        export(master, out, [name])
    assert "\n" not in str(caught.value)
    assert os.listdir(out) == []


class _Link:
    """`replacing`, but what is written goes to a device that is always full."""

    def __init__(self, link, real, path):
        self._link, self._inner = link, real(path)

    def __enter__(self):
        self._inner.__enter__()
        return self._link

    def __exit__(self, *error):
        self._link.unlink()
        return self._inner.__exit__(*error)


def test_several_formats_at_once_are_the_same_as_one_by_one(make_master, tmp_path):
    master = make_master(chirp(50_000))
    together = export(master, tmp_path / "all", FORMATS.names())
    assert [made.format for made in together] == FORMATS.names()
    for made in together:
        (alone,) = export(master, tmp_path / made.format, [made.format])
        assert alone.sha256 == made.sha256


def test_names_say_the_format_only_where_they_must(make_master, tmp_path):
    master = make_master(chirp(1000))
    one = export(master, tmp_path / "a", ["wav24", "mp3", "wav24"], stem_name="Blå/havn")
    assert [made.name for made in one] == ["Blå-havn.wav", "Blå-havn.mp3"]
    two = export(master, tmp_path / "b", ["wav16", "wav24", "wav32f", "flac"])
    assert [made.name for made in two] == [
        "song (16bit).wav",
        "song (24bit).wav",
        "song (32bit-float).wav",
        "song.flac",
    ]
    assert sorted(os.listdir(tmp_path / "b")) == sorted(made.name for made in two)


def test_the_seed_changes_the_dither_and_nothing_else(make_master, tmp_path):
    master = make_master(chirp(10_000))
    first, second = (export(master, tmp_path / str(s), ["wav16", "wav24"], seed=s) for s in (1, 2))
    assert first[0].sha256 != second[0].sha256
    assert first[1].sha256 == second[1].sha256


def test_flac_holds_the_samples_of_the_24_bit_wav(make_master, tmp_path):
    wav, flac = export(make_master(chirp(50_000)), tmp_path / "out", ["wav24", "flac"])
    a, b = (soundfile.read(str(tmp_path / "out" / made.name), dtype="int32")[0] for made in (wav, flac))
    assert np.array_equal(a, b)


def test_beyond_full_scale_is_counted_and_float_keeps_it(make_master, tmp_path):
    samples = chirp(10_000)
    samples[0, 100:110] = 1.5
    samples[1, 100] = -1.5
    made = {
        m.format: m
        for m in export(make_master(samples), tmp_path / "out", ["wav16", "wav24", "wav32f", "flac"])
    }
    assert {name: m.clipped_samples for name, m in made.items()} == {
        "wav16": 11,
        "wav24": 11,
        "wav32f": 0,
        "flac": 11,
    }
    assert read(tmp_path / "out" / made["wav32f"].name).samples.max() == 1.5


def test_unknown_format_writes_nothing(make_master, tmp_path):
    with pytest.raises(UsageError, match=r"unknown export format 'wav25'.*wav24"):
        export(make_master(chirp(1000)), tmp_path / "out", ["mp3", "wav25"])
    assert not (tmp_path / "out").exists()


def test_no_formats_and_no_samples(make_master, tmp_path):
    assert export(make_master(chirp(1000)), tmp_path / "out", []) == []
    with pytest.raises(AudioInputError, match="no samples"):
        export(make_master(np.zeros((2, 0))), tmp_path / "out", ["wav24"])


def test_progress_rises_to_one_over_all_formats(make_master, tmp_path):
    seen = []
    export(make_master(chirp(200_000)), tmp_path / "out", ["wav16", "flac", "mp3"], progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)


def test_cancelling_leaves_nothing(make_master, tmp_path):
    def cancel(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(make_master(chirp(400_000)), tmp_path / "out", FORMATS.names(), progress=cancel)
    assert os.listdir(tmp_path / "out") == []


def test_an_encoder_that_loses_samples_is_caught(make_master, tmp_path, monkeypatch):
    monkeypatch.setattr("covermaker.export.wav.blocks", lambda path: iter([np.zeros((2, 10), np.float32)]))
    with pytest.raises(CovermakerError, match="wrote 10 frames instead of 1000"):
        export(make_master(chirp(1000)), tmp_path / "out", ["wav24"])
    assert os.listdir(tmp_path / "out") == []


def test_read_only_folder(make_master, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("covermaker.disk.os.scandir", refuse)
    with pytest.raises(ResourceError, match="read-only"):
        export(make_master(chirp(1000)), tmp_path / "out", ["wav24"])
