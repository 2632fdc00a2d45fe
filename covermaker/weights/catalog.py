"""Pretrained weights: what there is, where it lies, whether it is what it says.

A file is looked for in this order, without any network:

1. an explicit path, given as ``path=`` or in ``COVERMAKER_WEIGHTS_<NAME>`` (upper case, ``-`` as ``_``);
2. the user's models folder (``COVERMAKER_MODELS`` moves it), in a folder called like the entry;
3. an installed weight package, found without importing it;
4. the hub's cache on this machine, for what `covermaker.weights.pull` or another program has fetched before.

Files of 2 to 4 are checked against the catalog's size and sha256 on first use. An explicit path is the user's
own choice and taken as it is, and so is a file of 2 under one of the other names that other programs gave it; their
fingerprint tells them apart.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from importlib.util import find_spec
from pathlib import Path

from covermaker.disk import told_by
from covermaker.errors import WeightsError, nearest
from covermaker.weights.assemble import assemble
from covermaker.weights.hashes import forget, known_hash


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of an entry.

    Parameters
    ----------
    name : str
        In the models folder and on the hub.
    size : int, optional
        In bytes.
    sha256 : str, optional
    parts : tuple of str
        Its pieces inside installed packages.
    also : tuple of str
        What other programs call a file of theirs that holds the same network.
    """

    name: str
    size: int | None = None
    sha256: str | None = None
    parts: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalog: the weights of one network."""

    name: str
    role: str
    licence: str
    origin: str
    files: tuple[WeightFile, ...]
    package: str | None = None
    package_options: str | None = None
    hub: str | None = None
    folder: bool = False

    @property
    def size(self) -> int | None:
        """Bytes on disk, or None when the catalog does not know."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def variable(self) -> str:
        """The environment variable that overrides where this entry is."""
        return "COVERMAKER_WEIGHTS_" + self.name.upper().replace("-", "_")

    @property
    def next_step(self) -> str:
        """What a user does to get it."""
        steps = []
        if self.package:
            steps.append(
                f"pip install {self.package_options + ' ' if self.package_options else ''}{self.package}"
            )
        if self.hub:
            steps.append(f"covermaker models pull {self.name}")
        return " or ".join(steps)


@dataclass(frozen=True, slots=True)
class Found:
    """Where an entry is: `source` is ``path``, ``models folder``, ``package`` or ``hub cache``."""

    path: Path
    source: str
    files: tuple[Path, ...]


@cache
def entries() -> dict[str, Entry]:
    """Return the catalog, by name, in its own order."""
    text = package_files("covermaker.weights").joinpath("catalog.toml").read_text("utf-8")
    table = {}
    for name, row in tomllib.loads(text).items():
        files = tuple(
            WeightFile(
                file["name"],
                file.get("size"),
                file.get("sha256"),
                parts=tuple(file.get("parts", ())),
                also=tuple(file.get("also", ())),
            )
            for file in row.pop("files")
        )
        table[name] = Entry(name=name, files=files, **row)
    return table


def entry(name: str) -> Entry:
    """Return one row.

    Raises
    ------
    WeightsError
        When the catalog has no such name.
    """
    try:
        return entries()[name]
    except KeyError:
        raise WeightsError(f"no weights are called '{name}'", hint=nearest(name, entries())) from None


def models_folder() -> Path:
    """Return the user's models folder; it may not exist yet."""
    from platformdirs import user_data_dir

    return told_by("COVERMAKER_MODELS") or Path(user_data_dir("covermaker")) / "models"


def locate(name: str, *, path: Path | None = None) -> Path:
    """Return the file, or for a folder entry the folder, that holds the weights called `name`.

    Never reaches the network. Weights that a package carries in pieces are put together once, in the user's
    models folder.

    Parameters
    ----------
    name : str
        A name of the catalog.
    path : Path, optional
        Where the user says they are; taken as it is.

    Raises
    ------
    WeightsError
        When they are nowhere (the hint is the next step) or their size or sha256 is wrong.
    ResourceError
        When pieces cannot be put together for lack of space or permission.
    """
    found = find(name, path=path)
    if found.source != "path":
        _check(entry(name), found)
    return found.path


def fingerprint(name: str, *, path: Path | None = None) -> str:
    """Return the sha256 (64 hex digits) that stands for these weights in a step's key.

    For one file it is the sha256 of the content, wherever it lies; for a folder entry the sha256 over
    the sorted lines ``name sha256``.
    """
    return (
        fingerprint_of(found.files)
        if len((found := find(name, path=path)).files) > 1
        else known_hash(found.files[0])
    )


def fingerprint_of(files: tuple[Path, ...]) -> str:
    """Return one sha256 for several files: over their sorted lines ``name sha256``."""
    lines = sorted(f"{file.name} {known_hash(file)}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def verify(name: str, *, path: Path | None = None) -> Found:
    """Read every byte of the weights again and compare with the catalog; return where they are.

    Raises
    ------
    WeightsError
        When they are missing or differ, also for an explicit path.
    """
    found = find(name, path=path)
    for file in found.files:
        forget(file)
    _check(entry(name), found)
    return found


def find(name: str, *, path: Path | None = None) -> Found:
    """Return where the weights are, unchecked; see `locate` for the order and the errors."""
    wanted = entry(name)
    explicit = path or told_by(wanted.variable)
    if explicit is not None:
        return _explicit(wanted, explicit)
    for look in (_in_models_folder, _in_package, _in_hub_cache):
        found = look(wanted)
        if found is not None:
            return found
    steps = wanted.next_step
    if not wanted.folder and wanted.hub:
        first, *others = _names(wanted.files[0])
        called = first + (f" (or {', '.join(others)})" if others else "")
        steps += f" or put {called} into {models_folder() / name}"
    raise WeightsError(f"the weights '{name}' ({wanted.role}) are not installed", hint=steps)


def _names(file: WeightFile) -> tuple[str, ...]:
    return (file.name, *file.also)


def _explicit(wanted: Entry, path: Path) -> Found:
    names = [file.name for file in wanted.files]
    if not path.exists():
        raise WeightsError(
            f"the weights '{wanted.name}' are not at {path}", hint="the path was given explicitly"
        )
    if not wanted.folder:
        if path.is_file():
            return Found(path, "path", (path,))
        inside = _in_folder(wanted, path, "path")
        if inside is None:
            named = " or ".join(_names(wanted.files[0]))
            raise WeightsError(f"{path} holds no {named}", hint="the path was given explicitly")
        return inside
    missing = [file for file in names if not (path / file).is_file()]
    if missing:
        raise WeightsError(f"{path} holds no {', '.join(missing)}", hint="the path was given explicitly")
    return Found(path, "path", tuple(path / file for file in names))


def _in_models_folder(wanted: Entry) -> Found | None:
    return _in_folder(wanted, models_folder() / wanted.name, "models folder")


def _in_folder(wanted: Entry, folder: Path, source: str) -> Found | None:
    there = [
        next((folder / name for name in _names(file) if (folder / name).is_file()), None)
        for file in wanted.files
    ]
    files = tuple(file for file in there if file is not None)
    if len(files) < len(there):
        return None
    return Found(folder if wanted.folder else files[0], source, files)


def _in_package(wanted: Entry) -> Found | None:
    pieces = [[_installed(part) for part in file.parts] for file in wanted.files]
    if not all(pieces) or any(piece is None for row in pieces for piece in row):
        return None
    whole = [[piece for piece in row if piece is not None] for row in pieces]
    if not wanted.folder:
        return Found(whole[0][0], "package", (whole[0][0],))
    folder = models_folder() / wanted.name
    assemble(folder, {file.name: (row, file.sha256) for file, row in zip(wanted.files, whole, strict=True)})
    return _in_folder(wanted, folder, "package")


def _installed(part: str) -> Path | None:
    package, _, inside = part.partition("/")
    spec = find_spec(package)  # A top-level name: finding its spec imports nothing.
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(folder) / inside).is_file():
            return file
    return None


def _in_hub_cache(wanted: Entry) -> Found | None:
    if wanted.hub is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    cached = [try_to_load_from_cache(wanted.hub, file.name) for file in wanted.files]
    files = tuple(Path(file) for file in cached if isinstance(file, str))
    return Found(files[0].parent, "hub cache", files) if len(files) == len(cached) else None


def _check(wanted: Entry, found: Found) -> None:
    for row, file in zip(wanted.files, found.files, strict=True):
        if file.name in row.also:
            continue
        remedy = f"remove it, then {wanted.next_step}"
        if row.also:
            remedy += f"; another program's file is taken as {' or '.join(row.also)}"
        size = file.stat().st_size
        if row.size is not None and size != row.size:
            raise WeightsError(
                f"the weights '{wanted.name}' are damaged: {file} has {size} bytes, not {row.size}",
                hint=remedy,
            )
        expected = row.sha256 or _stated_by_hub(file)
        if expected is not None and (actual := known_hash(file)) != expected:
            raise WeightsError(
                f"the weights '{wanted.name}' are damaged: {file} has sha256 {actual[:16]}, not {expected[:16]}",
                hint=remedy,
            )


def _stated_by_hub(file: Path) -> str | None:
    note = file.with_name(file.name + ".sha256")
    return note.read_text("ascii").strip() if note.is_file() else None
