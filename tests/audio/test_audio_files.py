import errno
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_signals import encode, lag, song

from covermaker.audio.files import blocks, probe, read
from covermaker.errors import AudioInputError

FRAMES = [1, 1151, 44_100, 100_003]

# file name, what writes it, rate, largest error of a sample (None: lossy)
KINDS = {
    "wav16": ("x.wav", "PCM_16", 44_100, 2**-15),
    "wav24": ("x.wav", "PCM_24", 44_100, 2**-23),
    "wav float": ("x.wav", "FLOAT", 96_000, 0.0),
    "aiff": ("x.aiff", "PCM_24", 48_000, 2**-23),
    "flac": ("x.flac", "PCM_24", 44_100, 2**-23),
    "ogg": ("x.ogg", "VORBIS", 44_100, None),
    "opus": ("x.opus", "libopus", 48_000, None),
    "opus in webm": ("x.webm", "libopus", 48_000, None),
    "mp3 lame": ("x.mp3", "libmp3lame", 44_100, None),
    "mp3 libsndfile": ("x.mp3", "MPEG_LAYER_III", 44_100, None),
    "m4a": ("x.m4a", "aac", 44_100, None),
    "mp4 48k": ("x.mp4", "aac", 48_000, None),
    "alac": ("x.m4a", "alac", 44_100, 2**-15),
}


@pytest.fixture
def make(tmp_path):
    def make(kind, samples):
        name, how, rate, _ = KINDS[kind]
        path = tmp_path / name
        if how.isupper() or "_" in how:
            soundfile.write(str(path), samples.T, rate, subtype=how)
        else:
            encode(path, samples, rate, how)
        return path

    return make


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frames", FRAMES)
def test_length_and_offset_are_exact(make, kind, frames):
    if KINDS[kind][1] in {"aac", "libmp3lame", "libopus"} and frames == 1:
        pytest.skip("ffmpeg's writers cannot say that a single packet is one sample long")
    samples = song(frames, sample_rate=KINDS[kind][2])
    path = make(kind, samples)
    info = probe(path)
    audio = read(path)
    assert info.frames == audio.frames == frames
    assert (info.sample_rate, info.channels) == (KINDS[kind][2], 2)
    if frames > 40_000:
        assert lag(samples[0], audio.samples[0]) == 0
    if KINDS[kind][3] is not None:
        assert np.abs(audio.samples - samples).max() <= KINDS[kind][3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "frames"), [(0, 100), (12_345, 5000), (30_001, None), (49_999, 5000)])
def test_a_piece_is_that_piece_of_the_whole(make, kind, start, frames):
    path = make(kind, song(50_000, sample_rate=KINDS[kind][2]))
    whole = read(path).samples
    stop = None if frames is None else start + frames
    assert np.array_equal(read(path, start=start, frames=frames).samples, whole[:, start:stop])


@pytest.mark.parametrize("kind", ["wav float", "flac", "m4a", "mp3 lame", "ogg"])
@pytest.mark.parametrize("block", [1000, 65_536])
def test_blocks_add_up_to_the_whole(make, kind, block):
    path = make(kind, song(50_001, sample_rate=KINDS[kind][2]))
    parts = list(blocks(path, block_frames=block))
    assert all(part.shape[1] == block for part in parts[:-1])
    assert all(part.flags.c_contiguous for part in parts)
    assert np.array_equal(np.concatenate(parts, axis=1), read(path).samples)


def test_past_the_end_there_is_nothing(write_wav):
    path = write_wav(song(100))
    assert read(path, start=100).samples.shape == (2, 0)
    assert read(path, start=500, frames=10).samples.shape == (2, 0)


def test_real_stem_file_is_trimmed_to_its_edit_list(real_stem_file):
    assert probe(real_stem_file).frames == read(real_stem_file).frames == 268_288


def test_real_mp3_is_gapless(real_mp3):
    # 10.88 s; libsndfile, an independent gapless decoder, agrees on length and samples.
    with soundfile.SoundFile(str(real_mp3)) as file:
        reference = file.read(dtype="float32").T
    samples = read(real_mp3).samples
    assert samples.shape == reference.shape
    assert np.abs(samples - reference).max() < 1e-4


def test_itunes_gapless_tag_ends_an_m4a(tmp_path):
    from mutagen.mp4 import MP4, MP4FreeForm

    path = encode(tmp_path / "x.m4a", song(100_003), 44_100, "aac")
    tags = MP4(str(path))
    smpb = " 00000000 00000400 00000161 000000000001869F" + " 00000000" * 8  # 99999 frames
    tags["----:com.apple.iTunes:iTunSMPB"] = [MP4FreeForm(smpb.encode())]
    tags.save()
    assert probe(path).frames == read(path).frames == 99_999


def test_nan_is_refused_with_the_files_name(write_wav):
    samples = song(100)
    samples[1, 50] = np.nan
    with pytest.raises(AudioInputError, match=r"x\.wav' holds NaN"):
        read(write_wav(samples))


@pytest.mark.parametrize("name", ["my song.wav", "Blåhaj ♪ 港.flac", "a'b\"c.wav"])
def test_any_file_name(write_wav, name):
    assert probe(write_wav(song(100), name=name, subtype="PCM_24")).frames == 100


def test_a_name_no_file_system_takes(tmp_path):
    with pytest.raises(AudioInputError, match="cannot be reached: File name too long"):
        probe(tmp_path / ("x" * 300 + ".wav"))
    with pytest.raises(AudioInputError, match="holds a NUL character"):
        probe(tmp_path / "a\0b.wav")


@pytest.mark.parametrize(
    ("name", "subtype"), [("x.wav", "PCM_16"), ("x.ogg", "VORBIS"), ("x.mp3", "MPEG_LAYER_III")]
)
def test_a_name_that_is_not_utf8(write_wav, name, subtype):
    path = write_wav(song(5000), name=name, subtype=subtype)
    assert read(path.rename(path.with_stem("\udcff"))).frames == 5000


def test_a_folder_that_may_not_be_read(write_wav, monkeypatch):
    path = write_wav(song(100))

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(AudioInputError, match=r"x\.wav' cannot be reached: Permission denied"):
        probe(path)
