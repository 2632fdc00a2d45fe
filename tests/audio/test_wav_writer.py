import numpy as np
import pytest
import soundfile
from audio_signals import song

from covermaker.audio import wav
from covermaker.audio.files import blocks, probe, read, wav_writer
from covermaker.audio.wav import WavWriter
from covermaker.errors import ResourceError


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [0, 1, 999, 70_001])
def test_float_round_trip_is_exact(tmp_path, channels, frames):
    samples = song(frames, channels=channels) * 4  # beyond full scale is legal
    path = tmp_path / "x.wav"
    with wav_writer(path, sample_rate=48_000, channels=channels) as writer:
        for at in range(0, frames, 333):
            writer.write(samples[:, at : at + 333])
    assert writer.frames == frames
    info = soundfile.info(str(path))
    assert (info.frames, info.channels, info.samplerate, info.subtype) == (frames, channels, 48_000, "FLOAT")
    assert np.array_equal(read(path).samples, samples)


def test_two_writings_are_the_same_bytes(tmp_path):
    # libsndfile's float WAVs hold the second in which they were made.
    for name in ("a.wav", "b.wav"):
        with wav_writer(tmp_path / name, sample_rate=44_100, channels=2) as writer:
            writer.write(song(1000))
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert b"PEAK" not in (tmp_path / "a.wav").read_bytes()


@pytest.mark.parametrize(("sample_format", "bits"), [("int16", 16), ("int24", 24)])
@pytest.mark.parametrize("reserve", [True, False])
@pytest.mark.parametrize("frames", [7, 5000])
def test_integers(tmp_path, sample_format, bits, reserve, frames):
    full = 1 << (bits - 1)
    values = np.random.default_rng(1).integers(-full, full, (1, frames), dtype=np.int32)
    values[0, :3] = [-full, full - 1, -1]
    path = tmp_path / "x.wav"
    with WavWriter(
        path, sample_rate=8000, channels=1, sample_format=sample_format, reserve=reserve
    ) as writer:
        writer.write(values)
    data, _ = soundfile.read(str(path), dtype="int32", always_2d=True)
    assert np.array_equal(data.T >> (32 - bits), values)
    assert path.stat().st_size % 2 == 0
    assert int.from_bytes(path.read_bytes()[4:8], "little") == path.stat().st_size - 8


@pytest.mark.parametrize("sample_format", ["float32", "int24"])
def test_past_the_limit_it_becomes_rf64(tmp_path, monkeypatch, sample_format):
    monkeypatch.setattr(wav, "RIFF_LIMIT", 10_000)
    path = tmp_path / "x.wav"
    samples = song(3001)
    block = samples if sample_format == "float32" else np.round(samples * 2**23).astype(np.int32)
    with WavWriter(path, sample_rate=44_100, channels=2, sample_format=sample_format) as writer:
        writer.write(block)
    assert path.read_bytes()[:4] == b"RF64"
    assert soundfile.info(str(path)).format == "RF64"
    assert probe(path).frames == 3001
    assert np.abs(np.concatenate(list(blocks(path)), axis=1) - samples).max() <= 2**-23


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 4, 5, 4099])
def test_24_bits_are_the_low_three_bytes_of_each_sample(channels, frames):
    values = np.random.default_rng(2).integers(-(1 << 23), 1 << 23, (frames, channels), dtype=np.int32)
    values[:1] = -(1 << 23)
    values[-1:] = (1 << 23) - 1
    expected = b"".join(int(value).to_bytes(4, "little", signed=True)[:3] for value in values.reshape(-1))
    assert wav.FORMATS["int24"].pack(values) == expected


def test_a_failed_block_leaves_no_file(tmp_path):
    def fail():
        with wav_writer(tmp_path / "x.wav", sample_rate=44_100, channels=2) as writer:
            writer.write(song(10))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_block_of_other_channels_is_refused(tmp_path):
    with (
        pytest.raises(ValueError, match="2 channels"),
        wav_writer(tmp_path / "x.wav", sample_rate=44_100, channels=2) as writer,
    ):
        writer.write(song(10, channels=1))


def test_full_disk_is_one_clear_error(tmp_path):
    full = tmp_path / "full.wav"
    full.symlink_to("/dev/full")
    with (
        pytest.raises(ResourceError, match="disk is full") as caught,
        wav_writer(full, sample_rate=44_100, channels=2) as writer,
    ):
        writer.write(song(100_000))
    assert "free some space" in caught.value.hint


def test_missing_folder_is_a_resource_error(tmp_path):
    with (
        pytest.raises(ResourceError, match="cannot write"),
        wav_writer(tmp_path / "no" / "x.wav", sample_rate=44_100, channels=2),
    ):
        pass
