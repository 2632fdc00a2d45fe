"""The files in which previews are heard: the last few of this process, none of those that are gone."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from covermaker.audio.files import wav_writer
from covermaker.disk import disk_errors, runs, this_host

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.audio.buffer import Samples

# Two are made at a time of a bus or a master; those before may still be played.
_KEPT = 6
_NAME = re.compile(r"\.?(?P<pid>\d+)-\d+-(?P<host>.*)\.wav")


class PreviewFiles:
    """Files in one folder, named for the process and its machine.

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
            file = self._folder / f"{os.getpid()}-{self._made}-{this_host()}.wav"
            unfinished = file.with_name(f".{file.name}")
            with wav_writer(unfinished, sample_rate=rate, channels=2) as writer:
                writer.write(sound)
            os.replace(unfinished, file)
            self._files.append(file)
            while len(self._files) > _KEPT:
                self._files.pop(0).unlink(missing_ok=True)
        return file


def sweep(folder: Path) -> None:
    """Remove what processes of this machine have left that are gone."""
    for file in folder.iterdir():
        match = _NAME.fullmatch(file.name)
        if match and not runs(match["host"], int(match["pid"])):
            file.unlink(missing_ok=True)
