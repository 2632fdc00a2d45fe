"""What files say beside their tensors: the list in an RVC file, and ``config.json`` of either program.

Anybody can have written them, so every value is looked at before it is used, and sizes are left to the tensors.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import WeightsError
from covermaker.voices.community.shapes import Told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_BYTES: Final = 1 << 20  # of a config.json
_LARGEST: Final = 1_000_000
_LIST: Final = 18  # settings in an RVC file, of which these are wanted
_SPECTRUM, _DILATIONS, _RATES, _SAMPLE_RATE = 0, 11, 12, 17


def read_config(path: Path, called: str) -> dict[str, Any]:
    """Read a ``config.json``.

    Raises
    ------
    WeightsError
        When it is none.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError
        values = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise WeightsError(f"{called} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{called} is no JSON of a model", hint="give its own config.json") from error
    if not is_config(values):
        raise WeightsError(f"{called} is no config of a model", hint="give its own config.json")
    return dict(values)


def is_config(values: Any) -> bool:
    """Tell whether a JSON value is the config of a model."""
    return isinstance(values, dict) and all(isinstance(values.get(name), dict) for name in ("model", "data"))


def told_by_list(config: Any, sample_rate: Any) -> Told:
    """Return what the list of an RVC file says; `sample_rate` is beside it, as ``40000`` or ``"40k"``."""
    rows = list(config) if isinstance(config, (list, tuple)) and len(config) == _LIST else [None] * _LIST
    return Told(
        sample_rate=hertz(rows[_SAMPLE_RATE]) or hertz(sample_rate),
        rates=_numbers(rows[_RATES]),
        dilations=_table(rows[_DILATIONS]),
        spectrum=_number(rows[_SPECTRUM]),
    )


def told_by_config(values: Mapping[str, Any]) -> Told:
    """Return what a ``config.json`` says."""
    data, model = values["data"], values["model"]
    window = _number(data.get("filter_length"))
    return Told(
        sample_rate=hertz(data.get("sampling_rate")),
        hop_samples=_number(data.get("hop_length")),
        rates=_numbers(model.get("upsample_rates")),
        dilations=_table(model.get("resblock_dilation_sizes")),
        spectrum=window // 2 + 1 if window else None,
    )


def hertz(value: Any) -> int | None:
    """Return a sample rate that is written as 40000, "40000" or "40k"; None for everything else."""
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{2,6})(k?)", value.strip())):
        value = int(match[1]) * (1000 if match[2] else 1)
    return _number(value)


def plain_text(value: Any, most: int = 200) -> str:
    """Return a text of the file on one line, "" for what is no text."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in value[: 4 * most]).split())[:most]


def singer_name(value: Any) -> str:
    """Return a singer's name as a card may hold it, "" for what is no text."""
    return re.sub(r"[\\/:]", "-", plain_text(value, 64)).lstrip(".")


def _number(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < _LARGEST else None


def _numbers(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, (list, tuple)) or not 0 < len(value) <= 16:
        return None
    numbers = tuple(one for one in map(_number, value) if one is not None)
    return numbers if len(numbers) == len(value) else None


def _table(value: Any) -> tuple[tuple[int, ...], ...] | None:
    if not isinstance(value, (list, tuple)) or not 0 < len(value) <= 16:
        return None
    rows = tuple(row for row in map(_numbers, value) if row is not None)
    return rows if len(rows) == len(value) else None
