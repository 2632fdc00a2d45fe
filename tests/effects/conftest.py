"""What the effect tests share."""

from __future__ import annotations

import pytest
from effect_signals import RATE, MakeRack

from covermaker.effects.rack import Rack, parse_rack


@pytest.fixture
def rack() -> MakeRack:
    def build(*rows: dict[str, object], channels: int = 2) -> Rack:
        return Rack(parse_rack(rows, where="rack"), sample_rate=RATE, channels=channels)

    return build
