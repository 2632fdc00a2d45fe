"""What a file is, by how it begins; its name says nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from covermaker.errors import WeightsError
from covermaker.texts import one_line
from covermaker.voices.community.ivf_file import IVF_FLAT, KINDS
from covermaker.voices.community.saying import LISTED
from covermaker.voices.community.settings import MOST_BYTES, is_config
from covermaker.weights.careful_zip import BROKEN, careful_zip
from covermaker.weights.pickled import PickleError, read_pickle
from covermaker.weights.torch_file import is_legacy, is_torch_archive

if TYPE_CHECKING:
    from pathlib import Path

Kind: TypeAlias = Literal["torch", "index", "config", "zip", "other"]

_HEAD: Final = 16
_RETRIEVAL_HINT: Final = "nothing of it was run; of so-vits-svc's retrieval take the kmeans_….pt instead"
_PICKLE_HINT: Final = "nothing of it was run: do not open it in another program, either"
# What begins otherwise, in words.
_OTHERS: Final = {
    b"\x93NUMPY": "an array of numpy; RVC's oldest index (total_fea.npy) is not read",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
    b"\x1f\x8b": "packed by gzip: unpack it first",
    b"RIFF": "a sound file",
    b"ID3": "a sound file",
    b"fLaC": "a sound file",
    b"<": "a web page: was the download a page that asks for something?",
    b"version https://git-lfs": "a pointer to a file that was not fetched: get it with git lfs",
}


def kind_of(path: Path) -> Kind:
    """Return what a file is, as far as its beginning tells; a file that cannot be read is something else."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if head.startswith(b"PK"):
                file.seek(0)
                return "torch" if is_torch_archive(set(careful_zip(file).namelist())) else "zip"
        if is_legacy(head):
            return "torch"
        if head[:4] == IVF_FLAT or head[:4] in KINDS:
            return "index"
        if re.match(rb"(\xef\xbb\xbf)?\s*\{", head) and _holds_config(path):
            return "config"
    except BROKEN:
        return "other"
    return "other"


def may_be_ours(head: bytes) -> bool:
    """Tell by its first 16 bytes whether a file could be one of those that a voice is made of."""
    return (
        head.startswith((b"PK", IVF_FLAT, *KINDS, b"\x80"))
        or is_legacy(head)
        or re.match(rb"(\xef\xbb\xbf)?\s*\{", head) is not None
    )


def refused(path: Path, called: str, wanted: str = "model of RVC or so-vits-svc") -> WeightsError:
    """Return what to say of a file that is none of those that a voice is made of; `wanted` is what it was taken for."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
            file.seek(0)
            asked = _asked_by_pickle(head, file, path.stat().st_size)
    except OSError as error:
        return WeightsError(f"{called} cannot be read: {error.strerror}")
    if not head:
        return WeightsError(f"{called} is empty", hint="copy or download it again")
    if asked is not None:
        return WeightsError(
            f"{called} is a raw pickle, which only opens by running what it names{asked}",
            hint=_RETRIEVAL_HINT if "faiss" in asked or "index" in path.name else _PICKLE_HINT,
        )
    if head.startswith(b"PK"):
        return WeightsError(f"{called} is a damaged archive", hint="copy or download it again")
    if head[8:9] == b"{":
        return WeightsError(f"{called} is a safetensors file, which neither program writes", hint=LISTED)
    for begin, what in _OTHERS.items():
        if head.lstrip().startswith(begin):
            return WeightsError(f"{called} is {what}", hint=LISTED)
    return WeightsError(f"{called} is no {wanted}", hint=LISTED)


def _asked_by_pickle(head: bytes, file: object, size: int) -> str | None:
    """Return what a raw pickle names, in words; None of another file."""
    if len(head) < 2 or head[0] != 0x80 or head[1] > 5:
        return None
    try:
        names = sorted(map(str, read_pickle(file, size).names))  # type: ignore[arg-type]
    except PickleError:
        names = []
    return f": {one_line(names[0][:80])}" if names else ""


def _holds_config(path: Path) -> bool:
    try:
        text = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
        return is_config(json.loads(text.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return False
