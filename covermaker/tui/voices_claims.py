"""What a model's file tells before anything is asked about it: that it is none, or what was said beside it.

Called on a thread. Nothing is unpacked, and no tensor is read; what the file holds, the import finds out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from covermaker.errors import CovermakerError
from covermaker.texts import one_line
from covermaker.voices.community.content import kind_of, refused
from covermaker.voices.community.sidecar import read_sidecar
from covermaker.weights.careful_zip import careful_zip

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.tui.voices_models_ask import ModelWish

# Under a name without an ending, too, a model may lie in an archive.
_MODELS: Final = {".pth", ".pt", ".ckpt", ".safetensors", ""}


def no_model(path: Path) -> str:
    """Say why a file cannot hold a voice of another program; "" where it may."""
    name = one_line(path.name)
    if path.is_dir():
        return ""
    kind = kind_of(path)
    if kind == "torch":
        return ""
    if kind == "zip":
        with path.open("rb") as file:
            inside = [PurePosixPath(one) for one in careful_zip(file).namelist() if not one.endswith("/")]
        holds = any(one.suffix.lower() in _MODELS for one in inside)
        return "" if holds else f"{name} holds no voice's model: there is no .pth file in it"
    return str(refused(path, name))


def looked_at(wish: ModelWish) -> tuple[ModelWish, str]:
    """Return what to suggest for a file, and why it is refused; "" where it is not."""
    try:
        problem = no_model(wish.path)
        if problem or not wish.path.is_file() or kind_of(wish.path) != "torch":
            return wish, problem
        said = read_sidecar(wish.path, "")  # which encoder it names is nothing to ask about
    except (CovermakerError, OSError) as error:
        return wish, str(error)
    if not said.rights:
        return wish, ""
    return replace(wish, rights=said.rights, statement=said.statement, is_said_beside=True), ""
