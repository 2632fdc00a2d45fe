"""The files in which previews are heard: the last few of this process, none of those that are gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from covermaker.audio.files import wav_writer
from covermaker.disk import disk_errors, is_alive

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.audio.buffer import Samples

# Two are made at a time of a bus or a master; those before may still be played.
_KEPT = 6


class PreviewFiles:
    """Files in one folder, named for the process.

    Parameters
    ----------
    folder : Path
        Made with the first file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []
        self._made = 0

    def write(self, sound: Samples, rate: int) -> Path:
        """Write a stereo file whole or not at all; without fsync, for it need not outlive a power cut."""
        with disk_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._files:
                sweep(self._folder)
            self._made += 1
            file = self._folder / f"{os.getpid()}-{self._made}.wav"
            unfinished = file.with_name(f".{file.name}")
            with wav_writer(unfinished, sample_rate=rate, channels=2) as writer:
                writer.write(sound)
            os.replace(unfinished, file)
            self._files.append(file)
            while len(self._files) > _KEPT:
                self._files.pop(0).unlink(missing_ok=True)
        return file


def sweep(folder: Path) -> None:
    """Remove what processes have left that are gone."""
    for file in (*folder.glob("[0-9]*-*.wav"), *folder.glob(".[0-9]*-*.wav")):
        maker = file.name.lstrip(".").partition("-")[0]
        if maker.isdecimal() and not is_alive(int(maker)):
            file.unlink(missing_ok=True)
