"""Fetch weights from the Hugging Face hub: the one place that reaches a network, and only when asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.errors import ResourceError, WeightsError
from covermaker.progress import Progress, silent
from covermaker.weights.catalog import Entry, WeightFile, entry, find, locate, models_folder
from covermaker.weights.hashes import hash_file

if TYPE_CHECKING:
    from collections.abc import Callable


def pull(name: str, *, progress: Progress = silent) -> Path:
    """Make sure the weights called `name` are on this machine; return where.

    What is there already, wherever it is, is checked and kept. Otherwise every file is fetched into the
    user's models folder, checked against the sha256 of the catalog or, where the catalog has none, the one
    the hub states.

    Raises
    ------
    WeightsError
        When the entry is on no hub, the hub cannot be reached or does not have it, or a file arrives damaged.
    ResourceError
        When the disk is full or the folder cannot be written.
    """
    wanted = entry(name)
    try:
        find(name)
    except WeightsError:
        if wanted.hub is None:
            raise
        _fetch(wanted, models_folder() / wanted.name, progress)
    progress(1.0)
    return locate(name)


def _fetch(wanted: Entry, folder: Path, progress: Progress) -> None:
    for index, file in enumerate(wanted.files):
        progress(index / len(wanted.files))
        _on_hub(wanted, lambda file=file: _fetch_file(wanted, file, folder))  # type: ignore[misc]


def _fetch_file(wanted: Entry, file: WeightFile, folder: Path) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    assert wanted.hub is not None
    # For large files the hub's etag is the sha256 of the content, for small ones a git hash, unused.
    etag = get_hf_file_metadata(hf_hub_url(wanted.hub, file.name)).etag or ""
    expected = file.sha256 or (etag if len(etag) == 64 else None)
    incoming = folder / ".incoming"
    path = Path(hf_hub_download(wanted.hub, file.name, local_dir=incoming))
    actual = hash_file(path)
    if expected is not None and actual != expected:
        path.unlink()
        raise WeightsError(f"{file.name} of '{wanted.name}' arrived damaged", hint="pull it again")
    (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
    if file.sha256 is None:
        (folder / f"{file.name}.sha256").write_text(actual + "\n", "ascii")
    os.replace(path, folder / file.name)
    if file is wanted.files[-1]:
        import shutil

        shutil.rmtree(incoming, ignore_errors=True)


def _on_hub(wanted: Entry, work: Callable[[], Any]) -> None:
    """Run `work`, with the hub's and the network's exceptions put into one line of ours."""
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError

    try:
        work()
    except (RepositoryNotFoundError, EntryNotFoundError) as error:
        raise WeightsError(f"the hub has no {wanted.hub} with the files of '{wanted.name}'") from error
    except HfHubHTTPError as error:
        raise WeightsError(
            f"the hub refused '{wanted.name}': {_first_line(error)}", hint="try later"
        ) from error
    except OSError as error:
        if error.errno in {28, 13, 30, 122}:  # no space, no permission, read-only, over quota
            raise ResourceError(
                f"cannot write '{wanted.name}' to {models_folder()}: {error.strerror}",
                hint="set COVERMAKER_MODELS to a folder with space",
            ) from error
        raise _unreachable(wanted, error) from error
    except WeightsError:
        raise
    except Exception as error:
        # The hub client's transport raises its own family, which differs between its versions.
        if type(error).__module__.partition(".")[0] not in _TRANSPORTS:
            raise
        raise _unreachable(wanted, error) from error


_TRANSPORTS = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "huggingface_hub", "hf_xet"}


def _unreachable(wanted: Entry, error: Exception) -> WeightsError:
    names = ", ".join(file.name for file in wanted.files)
    folder = models_folder() / wanted.name
    them = "them" if len(wanted.files) > 1 else "it"
    return WeightsError(
        f"the hub cannot be reached for '{wanted.name}': {_first_line(error)}",
        hint=f"get {names} of huggingface.co/{wanted.hub} elsewhere, and put {them} into {folder}",
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
