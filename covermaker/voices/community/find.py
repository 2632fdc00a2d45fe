"""Which files make a voice: the model, and what lies beside it, in a file, a folder or a zip file."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import UsageError, WeightsError
from covermaker.texts import one_line
from covermaker.voices.card import CARD_FILE
from covermaker.voices.community.clusters import is_clusters
from covermaker.voices.community.content import kind_of, refused
from covermaker.voices.community.ivf_file import row_count
from covermaker.voices.community.model import claims_of
from covermaker.voices.community.names import plain_stem
from covermaker.voices.community.saying import CLUSTERS_ALONE, LISTED, MODEL_TOO, naming
from covermaker.voices.community.scratch import scratch_folder
from covermaker.voices.community.unpack import MOST_FILES, unpack
from covermaker.voices.community.variants import refuse_known
from covermaker.voices.library import user_library
from covermaker.weights.torch_file import TorchFile

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH_HINT: Final = "name a model, its folder or a zip file"
# Endings under which models go about: a file that has one and is none is told, and not passed over.
_OF_MODELS: Final = {".pth", ".pt", ".ckpt", ".pkl", ".safetensors"}
_OURS: Final = {".safetensors", ".npz", ".npy", ".toml"}
_NAMED: Final = 8  # of several models, in a message


@dataclass(frozen=True)
class Files:
    """What a voice is made of.

    Attributes
    ----------
    called : str
        What messages call the model.
    archive, unpacked : Path, optional
        The zip file that they come from, and where it was unpacked for the moment.
    passed_over : tuple of Path
        Each ``.index`` beside a single model that is not taken: its name does not tell that it is the model's.
    """

    model: Path
    called: str
    config: Path | None = None
    index: Path | None = None
    clusters: Path | None = None
    archive: Path | None = None
    unpacked: Path | None = None
    passed_over: tuple[Path, ...] = ()

    def said(self, file: Path) -> str:
        """Return what messages call a file: of an archive its name in it, not where it was unpacked."""
        if self.unpacked is None or not file.is_relative_to(self.unpacked):
            return str(file)
        return f"{self.archive}: {one_line(str(file.relative_to(self.unpacked)))}"


@contextmanager
def found(
    path: Path, *, config: Path | None = None, index: Path | None = None, clusters: Path | None = None
) -> Iterator[Files]:
    """Find the files; what had to be unpacked is there until the block ends.

    Parameters
    ----------
    path : Path
        A model, a folder or a zip file that holds one.
    config, index, clusters : Path, optional
        Named by the person; what is not named is looked for in the folder, or beside the file.

    Raises
    ------
    UsageError
        When there is nothing there, or there are several of a kind.
    WeightsError
        When it is no model.
    ResourceError
        When there is no room to unpack it.
    """
    for one in (path, config, index, clusters):
        if one is not None and not one.exists():
            raise UsageError(
                f"there is no file {one}",
                hint=_PATH_HINT if one is path else "mend its path, or leave it out",
            )
        if one is not None and one is not path and not one.is_file():
            raise UsageError(f"{one} is no file", hint="name the file itself")
    _refuse_ours(path)
    with ExitStack() as stack:
        inside = _inside(path, stack)
        files = _beside(path) if inside is None else _Found(path, inside).chosen()
        # A voice has one of the two: the one that was named leaves the other where it is.
        yield Files(
            files.model, files.called, config or files.config,
            index or (None if clusters else files.index),
            clusters or (None if index else files.clusters), files.archive, files.unpacked, files.passed_over,
        )  # fmt: skip


def _refuse_ours(path: Path) -> None:
    """Refuse a voice of Covermaker's own: its folder, or one of the files in it."""
    folder = path if path.is_dir() else path.parent
    if not (folder / CARD_FILE).is_file() or (folder != path and path.suffix not in _OURS):
        return
    copied = f"copy the whole folder into {user_library()}, or sing with it where it is: --voice {quote(str(folder))}"
    if folder.absolute().parent == user_library().absolute():
        copied = f"it is in your library: covermaker voices show {quote(folder.name)}"
    raise UsageError(f"{folder} is a voice of Covermaker already: there is nothing to take in", hint=copied)


def _inside(path: Path, stack: ExitStack) -> Path | None:
    """Return the folder to look into, an archive's until the stack ends; None for a file to be taken as it is."""
    if path.is_dir():
        return path
    if not path.is_file():
        raise UsageError(f"{path} is no file", hint=_PATH_HINT)
    if kind_of(path) != "zip":
        return None
    scratch = stack.enter_context(scratch_folder())
    unpack(path, scratch)
    return scratch


def _beside(path: Path) -> Files:
    kind = kind_of(path)
    if kind == "torch":
        config = path.with_name("config.json")
        stem = plain_stem(path).casefold()
        indexes = [
            one for one in sorted(path.parent.glob("*.index")) if one.is_file() and kind_of(one) == "index"
        ]
        near = [one for one in indexes if stem in plain_stem(one).casefold()]
        return Files(
            path, str(path),
            config if config.is_file() and kind_of(config) == "config" else None,
            near[0] if len(near) == 1 else None,
            passed_over=() if len(near) == 1 else tuple(near or indexes),
        )  # fmt: skip
    if kind == "index":
        raise WeightsError(
            f"{path} is the index of a voice, not its model", hint="name the model, and this with --index"
        )
    if kind == "config":
        raise WeightsError(f"{path} is a model's config, not the model", hint="name the G_….pth")
    raise refused(path, str(path))


class _Found:
    """What lies in a folder; `others` are files that were recognised and refused."""

    def __init__(self, path: Path, inside: Path) -> None:
        self.path, self._inside = path, inside
        self.models: list[Path] = []
        self.configs: list[Path] = []
        self.indexes: list[Path] = []
        self.clusters: list[Path] = []
        self.others: list[WeightsError] = []
        for file in _files(inside):
            self._sort(file)

    def called(self, file: Path) -> str:
        """Return what a file is called in messages."""
        return Files(file, "", **self._origin).said(file)

    @property
    def _origin(self) -> dict[str, Any]:
        return {} if self._inside == self.path else {"archive": self.path, "unpacked": self._inside}

    def chosen(self) -> Files:
        """Choose the model, and what belongs to it."""
        if not self.models:
            if self.others:
                raise self._refusal()
            for files, what in ((self.clusters, CLUSTERS_ALONE), (self.indexes, "an index and no model")):
                if files:
                    raise WeightsError(f"{self.called(files[0])} is {what}", hint=MODEL_TOO)
            raise UsageError(f"{self.path} holds no model", hint=LISTED)
        model = self._one(self.models, "models", "name one of them", self.models)
        near = [file for file in self.configs if file.parent == model.parent]
        near = [file for file in near if file.name == "config.json"] or near or self.configs
        config = self._one(near, "configs", "name one with --config", near)
        full = [file for file in self.indexes if row_count(file) != 0] or self.indexes
        of_model = [file for file in full if plain_stem(model).casefold() in plain_stem(file).casefold()]
        index = self._one(full, "indexes", "name one with --index", of_model)
        clusters = self._one(self.clusters, "cluster models", "name one with --clusters", [])
        return Files(model, self.called(model), config, index, clusters, **self._origin)

    def _refusal(self) -> WeightsError:
        """Return why the first file that could have been a model is none, and how many others there are."""
        first, *more = self.others
        if not more:
            return first
        others = f"{len(more)} more files" if len(more) > 1 else "one more file"
        return WeightsError(f"{first.message}; {others} of {self.path} cannot be taken in", hint=first.hint)

    def _one(self, files: list[Path], what: str, hint: str, likely: list[Path]) -> Any:
        """Return the only file of a kind, or the only one that is likely; None where there is none."""
        if len(files) < 2:
            return files[0] if files else None
        if len(likely) == 1:
            return likely[0]
        names = ", ".join(one_line(str(file.relative_to(self._inside))) for file in files[:_NAMED])
        more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        unpacked = "" if self._inside == self.path else "unpack it, and "
        raise UsageError(f"{self.path} holds {len(files)} {what}: {names}{more}", hint=f"{unpacked}{hint}")

    def _sort(self, file: Path) -> None:
        kind, called = kind_of(file), self.called(file)
        if kind == "config":
            self.configs.append(file)
        elif kind == "index":
            self.indexes.append(file)
        elif kind == "torch":
            try:
                self._sort_torch(file, called)
            except WeightsError as error:
                self.others.append(error)
        elif kind == "zip":
            self.others.append(WeightsError(f"{called} is an archive itself", hint="unpack it first"))
        elif file.suffix.lower() in _OF_MODELS:
            self.others.append(refused(file, called))

    def _sort_torch(self, file: Path, called: str) -> None:
        with TorchFile.open(file, called=called) as opened:
            if is_clusters(opened.content):
                self.clusters.append(file)
                return
            claims = claims_of(opened)
        with naming(called):
            refuse_known(claims)
        if any(name.startswith(("enc_p.", "pre.")) for name in claims):
            self.models.append(file)


def _files(folder: Path) -> Iterator[Path]:
    """Return the files of a folder and of those in it, but not what is hidden."""
    number = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            number += 1
            if number > MOST_FILES:
                raise UsageError(f"{folder} holds more than {MOST_FILES} files", hint="name the model itself")
            file = Path(place, name)
            if not name.startswith(".") and file.is_file():
                yield file
