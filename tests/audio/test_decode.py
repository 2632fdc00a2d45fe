import numpy as np
import pytest
import soundfile
from audio_signals import encode, lag, song

from covermaker.audio.decode import decode_song, project_rate
from covermaker.audio.files import probe, read
from covermaker.errors import AudioInputError, ExitCode, ResourceError


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "song.wav"


@pytest.mark.parametrize(
    ("source", "project"),
    [
        (8000, 44_100),
        (22_050, 44_100),
        (32_000, 44_100),
        (44_100, 44_100),
        (48_000, 48_000),
        (50_000, 50_000),
        (88_200, 88_200),
        (96_000, 96_000),
        (176_400, 88_200),
        (192_000, 96_000),
        (384_000, 96_000),
    ],
)
def test_project_rate(source, project):
    assert project_rate(source) == project


@pytest.mark.parametrize("source_rate", [8000, 22_050, 44_100, 48_000, 176_400, 192_000])
@pytest.mark.parametrize("frames", [1, 30_001])
def test_rate_and_length(write_wav, out, source_rate, frames):
    path = write_wav(song(frames, sample_rate=source_rate), source_rate)
    info = decode_song(path, out)
    rate = project_rate(source_rate)
    assert info.frames == max(1, round(frames * rate / source_rate)) == probe(out).frames
    assert info.sample_rate == probe(out).sample_rate == rate
    assert (info.source_frames, info.source_rate) == (frames, source_rate)
    assert any("resampled" in note for note in info.notes) == (rate != source_rate)


def test_a_wanted_rate_wins(write_wav, out):
    assert decode_song(write_wav(song(44_100)), out, sample_rate=48_000).frames == 48_000


def test_at_its_own_rate_every_sample_stays(write_wav, out):
    samples = song(70_001) * 5
    info = decode_song(write_wav(samples), out)
    assert np.array_equal(read(out).samples, samples)
    assert info.notes == []


def test_same_song_same_bytes(write_wav, tmp_path):
    path = write_wav(song(50_000, sample_rate=22_050), 22_050)
    for name in ("a.wav", "b.wav"):
        decode_song(path, tmp_path / name)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_mono_is_on_both_sides(write_wav, out):
    samples = song(5000, channels=1)
    info = decode_song(write_wav(samples), out)
    assert np.array_equal(read(out).samples, np.repeat(samples, 2, axis=0))
    assert info.notes == ["mono: both channels carry the same signal"]


@pytest.mark.parametrize("container", ["wav", "flac", "m4a"])
def test_six_channels_follow_bs775(tmp_path, out, container):
    rate, levels = 48_000, np.array([0.1, 0.2, 0.15, 0.3, 0.05, 0.08])
    hz = [300, 500, 700, 60, 1100, 1300]
    t = np.arange(rate) / rate
    samples = np.stack([a * np.sin(2 * np.pi * f * t) for a, f in zip(levels, hz, strict=True)]).astype(
        np.float32
    )
    path = tmp_path / f"six.{container}"
    if container == "m4a":
        encode(path, samples, rate, "aac")
    else:
        soundfile.write(str(path), samples.T, rate, subtype="PCM_24")
    info = decode_song(path, out)
    spectrum = np.abs(np.fft.rfft(read(out).samples)) / (rate / 2)
    gains = np.array([[1, 0, 0.5**0.5, 0, 0.5**0.5, 0], [0, 1, 0.5**0.5, 0, 0, 0.5**0.5]])
    assert spectrum[:, hz] == pytest.approx(gains * levels, abs=0.004 if container == "m4a" else 1e-4)
    assert any("6 channels" in note and "BS.775" in note for note in info.notes)


def test_digital_silence_is_legal_and_named(write_wav, out):
    info = decode_song(write_wav(np.zeros((2, 1000), np.float32)), out)
    assert info.frames == 1000
    assert info.notes == ["the song is digital silence"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_counted(write_wav, out, value):
    samples = song(100_000)
    samples[0, 66_150] = samples[1, 66_150] = samples[0, 99_999] = value
    with pytest.raises(AudioInputError, match=r"holds 3 NaN or infinite samples, the first at 1\.500 s"):
        decode_song(write_wav(samples), out)
    assert not list(out.parent.iterdir())


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize(
    ("name", "slack_seconds"), [("x.flac", 0.2), ("x.mp3", 0.1), ("x.wav", 0.01), ("x.aiff", 0.01)]
)
def test_what_can_be_read_of_a_truncated_file_is_named(tmp_path, out, name, slack_seconds):
    path = tmp_path / name
    samples = song(441_000) + np.random.default_rng(5).standard_normal((2, 441_000)).astype(np.float32) * 0.1
    soundfile.write(str(path), samples.T, 44_100)
    info = decode_song(cut(path, 0.662), out)
    assert info.seconds == pytest.approx(6.62, abs=slack_seconds)
    assert info.notes == [f"damaged after 0:06; {info.seconds:.1f} s of 10.0 s can be read"]
    assert lag(samples[0], read(out).samples[0]) == 0


def test_truncated_ogg_is_named_although_it_knows_no_length(tmp_path, out):
    path = tmp_path / "x.ogg"
    soundfile.write(str(path), song(441_000).T, 44_100, subtype="VORBIS")
    info = decode_song(cut(path, 0.6), out)
    assert 1 < info.seconds < 9
    assert info.notes == [f"damaged after 0:0{int(info.seconds)}; {info.seconds:.1f} s can be read"]


def test_truncated_real_mp3(real_mp3, tmp_path, out):
    path = tmp_path / "song.mp3"
    path.write_bytes(real_mp3.read_bytes()[:170_000])
    info = decode_song(path, out)
    assert len(info.notes) == 1
    assert "of 10.9 s can be read" in info.notes[0]
    assert np.array_equal(
        read(out).samples[:, : info.frames - 2304], read(real_mp3).samples[:, : info.frames - 2304]
    )


def test_a_hole_is_silence_and_the_rest_stays_in_place(tmp_path, out):
    path = encode(tmp_path / "x.m4a", song(441_000), 44_100, "aac")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(data)
    info = decode_song(path, out)
    assert info.frames == 441_000
    assert any("cannot be read and are silent" in note for note in info.notes)
    assert lag(song(441_000)[0, 330_000:], read(out).samples[0, 330_000:]) == 0


def test_tags_behind_an_mp3_are_no_damage(tmp_path, out):
    path = encode(tmp_path / "x.mp3", song(100_000), 44_100, "libmp3lame")
    path.write_bytes(path.read_bytes() + b"TAG" + b"x" * 125 + np.random.default_rng(1).bytes(5000))
    info = decode_song(path, out)
    assert info.frames == 100_000
    assert info.notes == []


def test_raw_aac_says_what_it_cannot_know(tmp_path, out):
    info = decode_song(encode(tmp_path / "x.aac", song(44_100), 44_100, "aac"), out)
    assert any("encoder delay" in note for note in info.notes)


def unreadable_files(folder):
    (folder / "empty.mp3").write_bytes(b"")
    (folder / "text.mp3").write_text("<html>this is a web page, föö</html>\n" * 300)
    (folder / "noise.mp3").write_bytes(np.random.default_rng(3).bytes(20_000))
    (folder / "a folder").mkdir()
    soundfile.write(str(folder / "nothing.wav"), np.zeros((0, 2)), 44_100)
    soundfile.write(str(folder / "head.flac"), song(44_100).T, 44_100)
    cut(folder / "head.flac", 0.001)
    soundfile.write(str(folder / "head.mp3"), song(44_100).T, 44_100)
    cut(folder / "head.mp3", 0.004)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.wav", "does not exist"),
        ("empty.mp3", r"is empty \(0 bytes\)"),
        ("text.mp3", "it holds text"),
        ("noise.mp3", r"cannot be read as audio: ffmpeg: "),
        ("a folder", "is a folder"),
        ("nothing.wav", "holds no samples"),
        ("head.flac", "cannot be read as audio: .*ffmpeg: .*libsndfile: "),
        ("head.mp3", "cannot be read as audio: ffmpeg: "),
    ],
)
def test_unreadable_files_are_one_line(tmp_path, out, capfd, name, words):
    unreadable_files(tmp_path)
    with pytest.raises(AudioInputError, match=words) as caught:
        decode_song(tmp_path / name, out)
    assert name in caught.value.message
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_code == ExitCode.AUDIO
    assert not list(out.parent.iterdir())
    assert capfd.readouterr().err == ""


def test_progress_rises_to_one(write_wav, out):
    seen = []
    decode_song(write_wav(song(300_000)), out, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_cancelling_leaves_nothing(write_wav, out):
    def cancel(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decode_song(write_wav(song(300_000)), out, progress=cancel)
    assert not list(out.parent.iterdir())


def test_output_folder_that_cannot_be_made(write_wav, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="cannot write"):
        decode_song(write_wav(song(100)), tmp_path / "file" / "x.wav")
