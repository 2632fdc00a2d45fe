"""The master in the formats people asked for."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.audio.files import probe
from covermaker.disk import flush_and_hash, replacing
from covermaker.errors import AudioInputError, CovermakerError
from covermaker.export.codec import encode
from covermaker.export.formats import FORMATS, Encoding
from covermaker.export.labels import Labels, Level
from covermaker.export.names import safe_name
from covermaker.progress import Progress, silent
from covermaker.weights.device import cores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.export.credentials import Claim
    from covermaker.export.formats import Dithering, Format
    from covermaker.export.labels import Lyrics, Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What else a file is to be or to say.

    Parameters
    ----------
    dither : {"tpdf", "shaped", "off"}
        Where 24 or more bits become 16.
    ceiling_dbtp : float or None
        What lossy files may not exceed when they are decoded; None does not look.
    level : Level or None
        What the master measures; the files get ReplayGain tags of it.
    picture, lyrics : optional
        Written into every file.
    claim : Claim or None
        What is signed into those files that can carry content credentials.
    """

    dither: Dithering = "tpdf"
    ceiling_dbtp: float | None = None
    level: Level | None = None
    picture: Picture | None = None
    lyrics: Lyrics | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A finished file.

    Attributes
    ----------
    clipped_samples : int
        Samples beyond full scale that the format cannot hold.
    true_peak_dbtp : float or None
        Of what a lossy file decodes to, where that was looked at.
    lowered_db : float
        By how much it was turned down for that.
    signed : bool
        Whether it carries content credentials.
    """

    name: str
    format: str
    sha256: str
    bytes: int
    frames: int
    sample_rate: int
    clipped_samples: int
    true_peak_dbtp: float | None = None
    lowered_db: float = 0.0
    signed: bool = False


def export_master(
    master: Path,
    out: Path,
    *,
    formats: Sequence[str],
    stem_name: str,
    tags: Mapping[str, str],
    seed: int,
    wishes: Wishes | None = None,
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
    wishes : Wishes, optional

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
    with ThreadPoolExecutor(min(len(wanted), cores())) as pool:
        futures = [
            pool.submit(
                export_file,
                master,
                out / names[name],
                format=name,
                tags=tags,
                seed=seed,
                wishes=wishes,
                progress=report,
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
    master: Path,
    path: Path,
    *,
    format: str,
    tags: Mapping[str, str],
    seed: int,
    wishes: Wishes | None = None,
    progress: Progress = silent,
) -> ExportedFile:
    """Write one file of one format; see `export_master`."""
    form, wishes = FORMATS.load(format), wishes or Wishes()
    info = probe(master)
    with replacing(path) as temporary:
        made = encode(
            form,
            master,
            temporary,
            settings=Encoding(seed=seed, dither=wishes.dither),
            ceiling_dbtp=wishes.ceiling_dbtp,
            progress=progress,
        )
        level = wishes.level and wishes.level.louder(-made.lowered_db, made.true_peak_dbtp)
        form.tag(temporary, Labels(tags, wishes.picture, wishes.lyrics, level))
        signed = wishes.claim is not None and _sign(form, temporary, wishes.claim)
        written = probe(temporary)
        wanted = form.frames(info.frames, info.sample_rate)
        if written.frames != wanted:
            raise CovermakerError(f"the {format} encoder wrote {written.frames} frames instead of {wanted}")
        digest = flush_and_hash(temporary)
        size = temporary.stat().st_size
    return ExportedFile(
        path.name, format, digest, size, written.frames, written.sample_rate, made.clipped,
        made.true_peak_dbtp, made.lowered_db, signed,
    )  # fmt: skip


def notes_of(files: Sequence[ExportedFile], wishes: Wishes) -> list[str]:
    """Return what a person should know of the files: what was turned down, what could not be signed."""
    notes = []
    for file in files:
        peak = file.true_peak_dbtp
        if peak is not None and wishes.ceiling_dbtp is not None and peak > wishes.ceiling_dbtp:
            notes.append(
                f"{file.name} decodes to {peak:.2f} dBTP, above the ceiling of {wishes.ceiling_dbtp:g} dBTP, though it "
                f"was turned down by {file.lowered_db:.2f} dB"
            )
        elif file.lowered_db > 0.0:
            notes.append(
                f"{file.name} is turned down by {file.lowered_db:.2f} dB: its encoder raises peaks above the ceiling"
            )
        if wishes.claim is not None and not file.signed:
            notes.append(f"{file.name} carries no content credentials: its format has no place for them")
    return notes


def _sign(form: Format, path: Path, claim: Claim) -> bool:
    """Sign a tagged file; nothing in it may change afterwards."""
    from covermaker.export.credentials import sign_file

    return form.signable and sign_file(path, claim)


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
