from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from covermaker.graph.plain import plain


@dataclass(frozen=True)
class Facts:
    level_db: float
    files: tuple[Path, ...]


def test_everything_becomes_json():
    value = {
        "facts": Facts(-math.inf, (Path("/secret/place/song.wav"),)),
        3: np.float32(0.5),
        "n": np.int64(7),
    }
    assert plain(value) == {"facts": {"level_db": None, "files": ["song.wav"]}, "3": 0.5, "n": 7}
    assert plain([True, None, "a", math.nan, np.bool_(False)]) == [True, None, "a", None, False]


def test_values_of_a_meter_are_rounded_where_asked():
    assert plain({"a": [0.1234567891, np.float64(-13.9999999)]}, digits=6) == {"a": [0.123457, -14.0]}
    assert plain(0.1234567891) == 0.1234567891
