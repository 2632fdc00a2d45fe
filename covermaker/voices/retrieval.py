"""What a retrieval index of any kind can do, and how one is opened.

The file is an `.npz` of plain arrays that says itself what it is: one of our own (`voices.index`), or what an imported
voice brought, inverted lists (`voices.index_ivf`) or centres (`voices.index_centres`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from covermaker.disk import file_sha256
from covermaker.errors import AudioInputError, ResourceError, WeightsError
from covermaker.voices import index_centres, index_ivf
from covermaker.voices.index import ContentIndex
from covermaker.voices.index_centres import CentreIndex
from covermaker.voices.index_ivf import IvfIndex
from covermaker.voices.index_tables import index_kind, no_index
from covermaker.weights.warm import loaded

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_OWN = "own"  # files that say nothing
_KINDS: Final[dict[str, type[ContentIndex | IvfIndex | CentreIndex]]] = {
    _OWN: ContentIndex,
    index_ivf.KIND: IvfIndex,
    index_centres.KIND: CentreIndex,
}
_GROWTH = 3  # of our own: beside the rows faiss has its own, in twice the precision; others are mapped


class Retrieval(Protocol):
    """An opened index."""

    @property
    def DEFAULT_RATIO(self) -> float:
        """How far content is drawn when nobody says otherwise, 0..1."""
        ...

    @property
    def width(self) -> int:
        """Floats a row."""
        ...

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def blend(
        self,
        content: NDArray[np.floating[Any]],
        ratio: float | NDArray[np.floating[Any]],
        *,
        singer: int = 0,
    ) -> NDArray[np.float32]:
        """Draw content towards the voice's own. Each row's answer depends on that row alone.

        Parameters
        ----------
        content : float array (n, width)
            Of the source.
        ratio : float or array (n,)
            0..1: 0 leaves the content, 1 replaces it.
        singer : int
            Who sings, by the order on the card, where singers have rows of their own.

        Returns
        -------
        float32 array (n, width)

        Raises
        ------
        WeightsError
            When the content is of another width: another encoder's.
        """
        ...


def open_index(path: Path, *, sha256: str | None = None) -> Retrieval:
    """Open an index of any kind.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str, optional
        Of the file, as a card claims it.

    Raises
    ------
    WeightsError
        When the file is missing, damaged, of an unknown kind, or not the one of the card.
    """
    try:
        found = file_sha256(path)
    except (AudioInputError, ResourceError) as error:
        raise WeightsError(
            f"the index {path} is missing or cannot be read", hint="copy the whole voice folder"
        ) from error
    if sha256 is not None and found != sha256:
        raise WeightsError(
            f"{path} is not the index of its card: sha256 {found[:12]}…, the card says {sha256[:12]}…",
            hint="it is damaged or was replaced without its card",
        )
    kind = _kind(path)
    size_bytes = _GROWTH * path.stat().st_size if kind is ContentIndex else path.stat().st_size
    return loaded("index", found, lambda: kind.read(path), size_bytes=size_bytes)


def default_ratio(path: Path) -> float:
    """Return how far an index draws when nobody says otherwise, 0..1; the file's rows are not read.

    Raises
    ------
    WeightsError
        When the file is missing, damaged or of an unknown kind.
    """
    return _kind(path).DEFAULT_RATIO


def _kind(path: Path) -> type[ContentIndex | IvfIndex | CentreIndex]:
    kind = index_kind(path, default=_OWN)
    if kind not in _KINDS:
        raise no_index(path, f"it is of kind '{kind}', known are {', '.join(_KINDS)}")
    return _KINDS[kind]
