"""What a model is drawn towards, of either program: the ``.index`` of RVC, the cluster model of so-vits-svc."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import WeightsError
from covermaker.texts import one_line
from covermaker.voices.community.clusters import by_singers, read_clusters
from covermaker.voices.community.content import kind_of, refused
from covermaker.voices.community.ivf_file import read_ivf
from covermaker.voices.index_centres import write_centres
from covermaker.voices.index_ivf import write_ivf
from covermaker.weights.torch_file import TorchFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from covermaker.voices.community.content import Kind
    from covermaker.voices.community.find import Files

_WORDS: Final[dict[Kind, str]] = {
    "torch": "a checkpoint, and no index",
    "index": "an index, and no cluster model",
    "config": "a model's config",
    "zip": "an archive: unpack it first",
    "other": "something else",
}
_WANTED: Final[dict[Kind, str]] = {"index": "index of RVC", "torch": "cluster model of so-vits-svc"}


@dataclass(frozen=True)
class Retrieval:
    """An index that was read and can be written.

    Attributes
    ----------
    write : callable
        Writes it as a voice's own, and returns the file's sha256.
    facts : dict
        For the card.
    notes : tuple of str
        What the person should know.
    """

    write: Callable[[Path], str]
    facts: dict[str, Any]
    notes: tuple[str, ...] = ()


def read_retrieval(files: Files, *, width: int, singers: Sequence[str]) -> Retrieval | None:
    """Read what lies beside a model, or was named with it; None where nothing does.

    Parameters
    ----------
    files : Files
    width : int
        Of the content that the model reads.
    singers : sequence of str
        As on the card.

    Raises
    ------
    WeightsError
        When it is damaged, something else, or of another model.
    """
    if files.index is not None:
        return _index(files.index, files.said(files.index), width)
    if files.clusters is not None:
        return _clusters(files.clusters, files.said(files.clusters), width, singers)
    return None


def _index(path: Path, called: str, width: int) -> Retrieval:
    _check_kind(path, called, "index", "give the added_….index of the model")
    index = read_ivf(path, called)
    _check_width(called, index.rows.shape[1], width)
    write = partial(write_ivf, rows=index.rows, centres=index.centres, lists=index.lists, nprobe=index.nprobe)
    return Retrieval(write, {"index": one_line(path.name), "index_rows": len(index.rows)})


def _clusters(path: Path, called: str, width: int, singers: Sequence[str]) -> Retrieval:
    _check_kind(path, called, "torch", "give the kmeans_….pt of the model")
    with TorchFile.open(path, called=called) as file:
        table = read_clusters(file, called)
    centres, notes = by_singers(table, singers)
    _check_width(called, centres[0].shape[1], width)
    write = partial(write_centres, centres=centres[0] if len(centres) == 1 else centres)
    return Retrieval(
        write, {"index": one_line(path.name), "index_rows": sum(map(len, centres))}, tuple(notes)
    )


def _check_kind(path: Path, called: str, wanted: Kind, hint: str) -> None:
    kind = kind_of(path)
    if kind == "other":
        raise refused(path, called, _WANTED[wanted])
    if kind != wanted:
        raise WeightsError(f"{called} is {_WORDS[kind]}", hint=hint)


def _check_width(called: str, found: int, width: int) -> None:
    if found != width:
        raise WeightsError(
            f"{called} holds rows of width {found}, and the model reads {width}: it belongs to another model",
            hint="give the one that was made with it, or import the model's file alone",
        )
