"""What every list of steps needs: how a step is made, its kinds in order, a stretch of the song."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.graph.step import Step
from covermaker.weights import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.graph.step import From, Outside

# Raised when the glue in `work` and `singwork` changes what a step makes; the rooms' own versions are added where they
# have one.
VERSIONS = {
    "decode": 1, "vocal": 1, "separate": 1, "train": 1, "high-pass": 1, "content": 1, "pitch": 2, "loudness": 1,
    "listen": 1, "fit": 1, "music": 1, "harmony": 1, "convert": 1, "singers": 1, "key": 1, "level": 1, "rack": 1,
    "mix": 1, "master": 1, "export": 2, "stems": 1, "score": 3, "melody": 1, "mix-stems": 1, "bounces": 1,
}  # fmt: skip

LEAD, ORIGINAL, NOBODY = "lead", "original", "nobody"  # what tracks and parts call whom

# The order of the river, and what ``--until`` accepts.
KINDS = tuple(VERSIONS)
# Of these, several run at once.
_BESIDE = frozenset({"rack"})

# Seconds a minute of song on two cores, for the dry run's estimate; measured, see docs/benchmarks.md.
COSTS = {
    "decode": 0.3, "vocal": 0.3, "separate": 9.0, "high-pass": 0.2, "content": 4.0, "pitch": 3.0, "loudness": 0.1,
    "listen": 0.2, "fit": 0.1, "music": 1.0, "harmony": 0.1, "convert": 1.5, "singers": 0.2, "key": 8.0, "level": 0.1,
    "rack": 0.4, "mix": 0.5, "master": 1.0, "export": 0.8, "stems": 0.5, "score": 12.0, "melody": 0.1,
    "mix-stems": 1.5, "bounces": 0.8,
}  # fmt: skip


@dataclass(frozen=True)
class Region:
    """A stretch of the song, in seconds."""

    start_seconds: float
    seconds: float


def make_step(
    name: str,
    kind: str,
    params: Mapping[str, Any],
    inputs: Mapping[str, From | Outside],
    run: Any,
    *,
    weights: Mapping[str, str] | None = None,
    cost: float | None = None,
) -> Step:
    """Return a step of a known kind."""
    return Step(
        name, kind, VERSIONS[kind], params, inputs, run, weights or {}, COSTS[kind] if cost is None else cost,
        beside=kind in _BESIDE,
    )  # fmt: skip


def weight_hashes(names: Iterable[str]) -> dict[str, str]:
    """Return the sha256 of weights of the catalog, without loading them."""
    return {name: catalog.fingerprint(name) for name in names}


def region_params(region: Region | None) -> list[float] | None:
    """Return a region as it stands in a key."""
    return None if region is None else [region.start_seconds, region.seconds]
