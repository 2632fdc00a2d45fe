"""One writer at a time: what ``takes.toml`` says is read, changed and written by one process, or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from covermaker.disk import disk_errors
from covermaker.errors import ResourceError
from covermaker.locks import held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_FILE = ".takes.lock"
_WAIT_SECONDS = 10.0


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Hold the right to change the takes of a voice's folder, which is made when it is missing.

    Raises
    ------
    ResourceError
        When somebody else holds it for long, or the folder cannot be written.
    """

    def taken() -> ResourceError:
        return ResourceError(
            f"the takes of '{folder.name}' are being changed by another Covermaker",
            hint="try again in a moment",
        )

    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with held(folder / LOCK_FILE, _WAIT_SECONDS, taken):
        yield
