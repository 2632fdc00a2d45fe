"""How errors of foreign files are told: which file, what is wrong with it, what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from covermaker.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTED: Final = "docs/import.md lists what can be taken in"
CLUSTERS_ALONE: Final = "the cluster model of so-vits-svc (kmeans_….pt), which belongs to a voice and is none"
MODEL_TOO: Final = "name the voice's model, and give this with --clusters or --index"
AGAIN: Final = "it is damaged or cut off: copy or download it again"


@contextmanager
def naming(called: str) -> Iterator[None]:
    """Put a file's name before what is said of it inside the block."""
    try:
        yield
    except WeightsError as error:
        if error.message.startswith(called):
            raise
        raise WeightsError(f"{called}: {error.message}", hint=error.hint) from error
