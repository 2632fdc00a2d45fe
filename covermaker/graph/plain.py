"""What rooms report, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any


def plain(value: Any, *, digits: int | None = None) -> Any:
    """Return a report as JSON values: dataclasses as objects, infinities and NaN as null, paths as names.

    Parameters
    ----------
    value : object
        Anything that a room reports.
    digits : int, optional
        Decimals that are kept, for values that a meter has read.
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, digits=digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, digits=digits) for item in value]
    if isinstance(value, float):
        if value - value != 0.0:
            return None
        return float(value) if digits is None else round(float(value), digits)
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if hasattr(value, "item"):
        return plain(value.item(), digits=digits)
    return getattr(value, "name", str(value))
