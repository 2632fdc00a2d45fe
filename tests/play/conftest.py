"""Two files that count their frames."""

from __future__ import annotations

import counting
import pytest


@pytest.fixture(scope="session")
def tapes(tmp_path_factory):
    """Return the paths of A and B, three seconds at 44.1 kHz."""
    folder = tmp_path_factory.mktemp("tapes")
    return tuple(
        counting.write(folder / f"{side}.wav", counting.counting(3 * counting.RATE, side)) for side in "ab"
    )
