"""A voice to be: recordings are checked, copied in under safe names, and written down in ``takes.toml``.

Everything is checked before anything is written. The recordings are copied first and the document is replaced last,
so whoever reads the folder at any moment finds the old takes whole or the new ones.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.audio.files import blocks, probe
from covermaker.audio.names import audio_in
from covermaker.disk import copy_file, disk_errors, file_sha256
from covermaker.errors import AudioInputError, ProjectError, UsageError
from covermaker.progress import silent
from covermaker.project.create import slug
from covermaker.takes import denoise as denoiser
from covermaker.takes.document import (
    TAKES_FILE,
    TAKES_FOLDER,
    Cleaning,
    Slicing,
    TakeRow,
    Takes,
    labels_path,
    make_takes,
    read_takes,
    rewrite,
    write_takes,
)
from covermaker.takes.lock import changing
from covermaker.takes.signal import read_facts
from covermaker.voices.card import CARD_FILE
from covermaker.voices.library import SHIPPED, user_library

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from covermaker.progress import Progress

LEAST_SECONDS = 30.0  # of takes; a voice that is worth hearing wants five minutes and more
SILENT_PEAK = 10.0 ** (-60.0 / 20.0)


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    sha256: str
    seconds: float
    peak: float


def holds_voice(folder: Path) -> bool:
    """Tell whether a folder holds takes or a trained voice already."""
    return (folder / TAKES_FILE).exists() or (folder / CARD_FILE).exists()


def new_takes(
    folder: Path,
    name: str,
    paths: Sequence[Path],
    *,
    rights: str,
    statement: str = "",
    languages: Sequence[str] = (),
    slicing: Slicing | None = None,
    cleaning: Cleaning | None = None,
    replace: bool = False,
    least_seconds: float = LEAST_SECONDS,
    progress: Progress = silent,
) -> Takes:
    """Take recordings in.

    Parameters
    ----------
    folder : Path
        The voice's folder; made when it is missing.
    name : str
        What the voice is called.
    paths : sequence of Path
        Audio files of any format, and folders that are searched for them.
    rights, statement : str
        ``own-voice`` and ``licensed`` need a statement: who agreed, to what.
    languages : sequence of str
        What is sung, as ``en``.
    slicing, cleaning
        How the takes are cut and cleaned; the defaults when left out.
    replace : bool
        Replace the takes that are there. A trained voice stays until it is trained again.
    least_seconds : float
        Less than this in all is refused.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    UsageError
        When there is no audio among `paths`, or the folder holds a voice and `replace` is false.
    ProjectError
        For a name, rights, statement or slicing that are refused.
    AudioInputError
        When a recording cannot be read, all are silent, or there is too little of them.
    ResourceError
        When the disk is full or may not be written, or a package for the cleaning is missing.
    """
    _refuse_another(folder, name, replace=replace)
    cleaning = cleaning or Cleaning()
    if cleaning.denoise:
        denoiser.require()
    # The document is checked before the recordings, which take longer.
    facts = {
        "name": name,
        "rights": rights,
        "statement": statement.strip(),
        "languages": list(languages),
        "created": date.today(),
        "slicing": (slicing or Slicing()).model_dump(),
        "cleaning": cleaning.model_dump(),
    }
    make_takes(**facts, takes=[{"file": "x", "sha256": "0" * 64}])
    sources = _read_sources(find_audio(paths), progress)
    _refuse_too_little(sources, least_seconds)

    existed = folder.exists()
    with changing(folder):
        # Somebody else may have made the folder, and a voice in it, while this one waited for its turn.
        existed = existed or holds_voice(folder)
        _refuse_another(folder, name, replace=replace)
        before = _hashes(folder)
        made: list[Path] = []
        try:
            rows = _copy_in(sources, folder / TAKES_FOLDER, made)
            takes = make_takes(**facts, takes=[row.model_dump() for row in rows])
            write_takes(takes, folder)
        except BaseException:
            for path in made:
                path.unlink(missing_ok=True)
            if not existed:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        _remove_others(folder, takes, before)
    progress(1.0)
    return takes


def _refuse_another(folder: Path, name: str, *, replace: bool) -> None:
    # In a project, or a folder of its own, a voice may have that name: there it is meant.
    in_library = folder.absolute().parent == user_library().absolute()
    if in_library and (SHIPPED / folder.name / CARD_FILE).is_file():
        raise UsageError(
            f"'{name}' is the voice that comes with Covermaker", hint="choose another name for yours"
        )
    if holds_voice(folder) and not replace:
        raise UsageError(
            f"there is a voice '{name}' already in {folder}", hint="replace its takes with --force"
        )


def add_takes(
    folder: Path, paths: Sequence[Path], *, singer: str = "", progress: Progress = silent
) -> list[TakeRow]:
    """Take more recordings in for a voice that has some; those that are there already count as there.

    Parameters
    ----------
    folder : Path
        With ``takes.toml``, whose comments stay.
    paths : sequence of Path
        As `new_takes` takes them.
    singer : str
        Who sings them, where takes of several singers make one voice.

    Returns
    -------
    list of TakeRow
        What is new.

    Raises
    ------
    UsageError
        When there is no audio among `paths`, or all of it is there already.
    ProjectError
        When the document cannot be read, or refuses the singer.
    AudioInputError
        When a recording cannot be read, or all are silent.
    ResourceError
        When the disk is full or may not be written.
    """
    read_takes(folder)
    sources = _read_sources(find_audio(paths), progress)  # this takes long, and nobody waits for it
    with changing(folder):
        takes = read_takes(folder)
        known = {row.sha256 for row in takes.takes}
        sources = [source for source in sources if source.sha256 not in known]
        if not sources:
            raise UsageError(f"'{takes.name}' has these recordings already", hint="name others")
        _refuse_too_little(sources, 0.0)
        made: list[Path] = []
        try:
            rows = _copy_in(sources, folder / TAKES_FOLDER, made, taken={row.stem for row in takes.takes})
            rows = [row.model_copy(update={"singer": singer}) for row in rows]
            rewrite(folder, lambda listed: listed.extend(row.model_dump() for row in rows))
        except BaseException:
            for path in made:
                path.unlink(missing_ok=True)
            raise
    progress(1.0)
    return rows


def find_audio(paths: Iterable[Path]) -> list[Path]:
    """Return the audio files that are named, and those in the folders that are named, sorted by path.

    Raises
    ------
    UsageError
        When a folder holds no audio file, or nothing is named.
    """
    found: list[Path] = []
    for path in paths:
        with disk_errors(path):
            if not path.is_dir():
                found.append(path)
                continue
            inside = sorted(audio_in(path))
        if not inside:
            raise UsageError(f"the folder '{path}' holds no audio file", hint="name the recordings")
        found.extend(inside)
    if not found:
        raise UsageError("no recordings are named", hint="name audio files or a folder of them")
    return found


def safe_stem(name: str) -> str:
    """Return what a recording is called inside: lower case, letters and digits of any script, dashes."""
    stem = Path(name).stem
    return slug(stem) if re.search(r"[^\W_]", stem) else "take"


def _read_sources(files: Sequence[Path], progress: Progress) -> list[_Source]:
    """Decode every file to its end; the same recording named twice counts once."""
    sources: dict[str, _Source] = {}
    for number, path in enumerate(files):
        info = probe(path)
        facts = read_facts(path, blocks(path))
        if not facts.frames:
            raise AudioInputError(f"'{path}' holds no samples", hint="is the recording empty?")
        sha256 = file_sha256(path)
        sources.setdefault(sha256, _Source(path, sha256, facts.frames / info.sample_rate, facts.peak))
        progress(0.7 * (number + 1) / len(files))
    return list(sources.values())


def too_little(voice_seconds: float, least_seconds: float = LEAST_SECONDS) -> tuple[str, str] | None:
    """Return what to say of clips that are too short in all to train on, and what to do; None of others."""
    if voice_seconds >= least_seconds:
        return None
    return (
        f"{int(voice_seconds)} s of voice, too little to train one",
        f"record {least_seconds:g} s at the very least, better 5 to 20 minutes",
    )


def _refuse_too_little(sources: Sequence[_Source], least_seconds: float) -> None:
    audible = [source for source in sources if source.peak > SILENT_PEAK]
    if not audible:
        what = "the take is" if len(sources) == 1 else f"all {len(sources)} takes are"
        raise AudioInputError(f"{what} silent", hint="was the right input recorded?")
    seconds = sum(source.seconds for source in audible)
    if seconds < least_seconds:
        raise AudioInputError(
            f"{seconds:.0f} s of takes are too little to train a voice",
            hint=f"record {least_seconds:g} s at the very least, better 5 to 20 minutes",
        )


def _copy_in(
    sources: Sequence[_Source], folder: Path, made: list[Path], *, taken: Iterable[str] = ()
) -> list[TakeRow]:
    rows: list[TakeRow] = []
    taken = {name.casefold() for name in taken}
    for source in sources:
        suffix = source.path.suffix.lower()
        suffix = suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""
        stem, number = safe_stem(source.path.name), 1
        while True:
            name = stem if number == 1 else f"{stem}-{number}"
            target = folder / f"{name}{suffix}"
            free = name.casefold() not in taken
            # A file that is there already may be of the takes that are being replaced: it stays until the end.
            if free and (not target.exists() or file_sha256(target) == source.sha256):
                break
            number += 1
        taken.add(name.casefold())
        if not target.exists():
            copy_file(source.path, target)
            made.append(target)
            if file_sha256(target) != source.sha256:
                raise AudioInputError(f"'{source.path}' changed while it was copied", hint="run it again")
        original = source.path.name.encode("utf-8", "replace").decode()
        rows.append(TakeRow(file=target.name, original=original, sha256=source.sha256))
    return rows


def _hashes(folder: Path) -> dict[str, str]:
    """Return the recordings that are there by the stem of their files; none when the document is damaged."""
    try:
        return {row.stem: row.sha256 for row in read_takes(folder).takes}
    except ProjectError:
        return {}


def _remove_others(folder: Path, takes: Takes, before: Mapping[str, str]) -> None:
    """Delete recordings that are no longer listed, and labels that were made for another recording."""
    keep = {row.file for row in takes.takes}
    keep |= {labels_path(folder, row).name for row in takes.takes if before.get(row.stem) == row.sha256}
    with disk_errors(folder):
        for path in sorted((folder / TAKES_FOLDER).iterdir()):
            if path.name not in keep and path.is_file():
                path.unlink()
