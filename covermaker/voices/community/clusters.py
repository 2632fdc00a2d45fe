"""The cluster model of so-vits-svc, ``kmeans_….pt``: a dict of singers, each with an array of centres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from covermaker.errors import WeightsError
from covermaker.voices.community.saying import AGAIN
from covermaker.voices.community.settings import singer_name
from covermaker.weights.arrays import array_of
from covermaker.weights.pickled import PickleError
from covermaker.weights.torch_file import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from covermaker.weights.torch_file import TorchFile

_CENTRES: Final = "cluster_centers_"
_WIDTH: Final = "n_features_in_"
_MOST_SINGERS: Final = 1000


def is_clusters(content: Any) -> bool:
    """Tell whether what a file holds is a cluster model."""
    return (
        isinstance(content, dict)
        and 0 < len(content) <= _MOST_SINGERS
        and all(isinstance(one, dict) and _CENTRES in one for one in content.values())
    )


def read_clusters(file: TorchFile, called: str) -> dict[str, NDArray[np.float32]]:
    """Return the centres of every singer, (n, width) each and of one width.

    Raises
    ------
    WeightsError
        When it is no cluster model, or holds what is not finite.
    """
    if not is_clusters(file.content):
        raise WeightsError(f"{called} is no cluster model", hint="give the kmeans_….pt of so-vits-svc")
    found: dict[str, NDArray[np.float32]] = {}
    total = 0
    for singer, table in file.content.items():
        name = singer_name(singer)
        if not name or name in found:
            raise WeightsError(f"{called}: its singers have no names of their own", hint=AGAIN)
        claim = file.claim(table[_CENTRES])
        try:
            centres = array_of(table[_CENTRES])
        except PickleError as error:
            raise WeightsError(f"{called}: {error}", hint=AGAIN) from error
        if claim is not None:
            ((_, centres),) = file.read({name: claim})
        if centres is None or centres.ndim != 2 or 0 in centres.shape:
            raise WeightsError(f"{called}: the centres of '{name}' are no table of numbers", hint=AGAIN)
        total += 4 * centres.size  # one array may be named by many singers
        if total > MOST_BYTES:
            raise WeightsError(f"{called} claims more centres than any voice has", hint=AGAIN)
        with np.errstate(over="ignore"):
            found[name] = np.ascontiguousarray(centres, dtype=np.float32)
        if not np.isfinite(found[name]).all():
            raise WeightsError(f"{called}: the centres of '{name}' are not finite numbers", hint=AGAIN)
    if len({centres.shape[1] for centres in found.values()}) != 1:
        raise WeightsError(f"{called}: its singers differ in width", hint="train the clusters again")
    return found


def by_singers(
    clusters: Mapping[str, NDArray[np.float32]], singers: Sequence[str]
) -> tuple[list[NDArray[np.float32]], list[str]]:
    """Return the centres of each singer of a voice, in their order, and what the person should know.

    A voice whose singers have no names takes those of the only singer there is, or of the first.
    """
    if not singers:
        name, *others = clusters
        notes = (
            [f"the clusters are of {len(clusters)} singers: those of '{name}' are taken"] if others else []
        )
        return [clusters[name]], notes
    if len(singers) == len(clusters) == 1:
        return list(clusters.values()), []
    nothing = np.empty((0, next(iter(clusters.values())).shape[1]), np.float32)
    missing = [name for name in singers if name not in clusters]
    if len(missing) == len(singers):
        raise WeightsError(
            f"the clusters are of {', '.join(map(repr, list(clusters)[:3]))} and not of the voice's singers",
            hint="give the kmeans_….pt that was made with the model",
        )
    notes = [f"there are no clusters of {', '.join(map(repr, missing[:5]))}"] if missing else []
    return [clusters.get(name, nothing) for name in singers], notes


def saved_clusters(centres: Mapping[str, NDArray[np.float32]]) -> dict[str, dict[str, Any]]:
    """Return what so-vits-svc saves of a cluster model, for ``torch.save``."""
    return {
        name: {_WIDTH: int(table.shape[1]), "_n_threads": 1, _CENTRES: table}
        for name, table in centres.items()
    }
