"""The key of a step: what its result depends on, and nothing else.

``key = sha256(kind, VERSION, params, inputs, weights)`` over canonical JSON, where an input is either the content
hash of a file from outside or the key of the step that makes it, and weights are content hashes.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# What can change without changing a result. A step that lists one of these among its parameters is refused, so
# that no cache entry is ever missed or doubled because of where, how fast or under which name it was made.
LEFT_OUT = frozenset(
    {
        "path", "folder", "project", "voice_name", "track_name", "title_of_project",
        "device", "threads", "workers", "store", "log_level", "progress", "json", "seed",
    }
)  # fmt: skip


def step_key(
    kind: str,
    version: int,
    params: Mapping[str, Any],
    inputs: Mapping[str, str],
    weights: Mapping[str, str],
) -> str:
    """Return the sha256 (hex) that names a step's result.

    Raises
    ------
    ValueError
        When `params` hold a name of `LEFT_OUT` or a value that JSON cannot hold exactly.
    """
    _refuse_left_out(kind, params)
    return digest(
        {
            "kind": kind,
            "version": version,
            "params": params,
            "inputs": inputs,
            "weights": sorted(weights.values()),
        }
    )


def canonical(value: Any) -> str:
    """Write a JSON value in the one form that is hashed: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Return the sha256 (hex) of a JSON value in canonical form."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def seed_of(key: str) -> int:
    """Return the 63-bit seed that belongs to a key: the only randomness a step may use."""
    return int(key[:16], 16) >> 1


def _refuse_left_out(kind: str, params: Mapping[str, Any]) -> None:
    for name, value in params.items():
        if name in LEFT_OUT:
            raise ValueError(f"step '{kind}' lists '{name}', which must not enter a key")
        if isinstance(value, dict):
            _refuse_left_out(kind, value)
