"""The master in the formats people asked for."""

from __future__ import annotations

import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.audio.files import probe
from covermaker.disk import flush_and_hash, replacing
from covermaker.errors import AudioInputError, CovermakerError
from covermaker.export.formats import FORMATS
from covermaker.export.names import safe_name
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.export.formats import Format


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A finished file; `clipped_samples` counts samples beyond full scale that the format cannot hold."""

    name: str
    format: str
    sha256: str
    bytes: int
    frames: int
    sample_rate: int
    clipped_samples: int


def export_master(
    master: Path,
    out: Path,
    *,
    formats: Sequence[str],
    stem_name: str,
    tags: Mapping[str, str],
    seed: int,
    progress: Progress = silent,
) -> list[ExportedFile]:
    """Write a master into a folder, one file a format, each whole or not at all.

    Independent formats are written side by side, a thread each.

    Parameters
    ----------
    master : Path
        Float32 WAV.
    out : Path
        Folder, made when missing.
    formats : sequence of str
        Names in `FORMATS`; asked twice is written once.
    stem_name : str
        Name of the files without suffix, e.g. the title; made safe by `safe_name`. Where several formats share a
        suffix their label is added: ``Song (16bit).wav``.
    tags : mapping of str to str
        See `tags.KEYS`.
    seed : int
        Of the dither.

    Returns
    -------
    list of ExportedFile
        In the order of `formats`.

    Raises
    ------
    UsageError
        For an unknown format; nothing is written then.
    AudioInputError
        When the master cannot be read or is empty.
    ResourceError
        When the disk refuses.
    """
    wanted = list(dict.fromkeys(formats))
    loaded = {name: FORMATS.load(name) for name in wanted}
    if not wanted:
        return []
    if not probe(master).frames:
        raise AudioInputError(f"'{master}' holds no samples")
    names = _file_names(loaded, safe_name(stem_name))
    shared = _SharedProgress(progress, wanted)
    with ThreadPoolExecutor(min(len(wanted), os.cpu_count() or 1)) as pool:
        futures = [
            pool.submit(
                export_file, master, out / names[name], format=name, tags=tags, seed=seed, progress=report
            )
            for name, report in shared.reports()
        ]
        try:
            return [future.result() for future in futures]
        except BaseException:
            # One failed or the user interrupts: the others stop at their next block and leave nothing behind.
            shared.cancel()
            for future in futures:
                future.cancel()
            raise


def export_file(
    master: Path, path: Path, *, format: str, tags: Mapping[str, str], seed: int, progress: Progress = silent
) -> ExportedFile:
    """Write one file of one format; see `export_master`."""
    form = FORMATS.load(format)
    info = probe(master)
    with replacing(path) as temporary:
        clipped = form.encode(master, temporary, seed=seed, progress=progress)
        form.tag(temporary, tags)
        made = probe(temporary)
        wanted = form.frames(info.frames, info.sample_rate)
        if made.frames != wanted:
            raise CovermakerError(f"the {format} encoder wrote {made.frames} frames instead of {wanted}")
        digest = flush_and_hash(temporary)
        size = temporary.stat().st_size
    return ExportedFile(path.name, format, digest, size, made.frames, made.sample_rate, clipped)


def _file_names(forms: Mapping[str, Format], stem: str) -> dict[str, str]:
    shared = Counter(form.suffix for form in forms.values())
    return {
        name: f"{stem} ({form.label}){form.suffix}" if shared[form.suffix] > 1 else f"{stem}{form.suffix}"
        for name, form in forms.items()
    }


class _Cancelled(Exception):
    pass


class _SharedProgress:
    """The mean progress of several threads, called by one at a time."""

    def __init__(self, progress: Progress, names: Sequence[str]) -> None:
        self._progress = progress
        self._done = dict.fromkeys(names, 0.0)
        self._lock = threading.Lock()
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    def reports(self) -> list[tuple[str, Progress]]:
        return [(name, self._reporter(name)) for name in self._done]

    def _reporter(self, name: str) -> Progress:
        def report(fraction: float) -> None:
            with self._lock:
                if self._cancelled:
                    raise _Cancelled
                self._done[name] = max(self._done[name], fraction)
                self._progress(sum(self._done.values()) / len(self._done))

        return report
