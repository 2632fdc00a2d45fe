"""A voice folder on disk whose weights are a few bytes: enough for everything but singing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CARD = """schema = 1
name = "demo"
description = "a voice of tests"
rights = "synthetic"
statement = ""
licence = "CC0"
origin = "made here"
created = 2026-01-31
languages = ["en"]
sample_rate = 16000

[network]
kind = "ddsp"
config = { hidden = 128, layers = [2, 3] }

[content]
encoder = "whisper-base"
sha256 = "{content}"

[f0]
low_hz = 120
median_hz = 200.0
high_hz = 400.0

[weights]
file = "voice.safetensors"
sha256 = "{weights}"

[training]
steps = 100
"""

NO_TENSORS = b"\x02" + b"\0" * 7 + b"{}"  # a whole safetensors file


@pytest.fixture
def make_voice(tmp_path):
    """Write a voice folder: make_voice(root, name, weights=…, replace={old: new})."""

    def make(
        root: Path | None = None,
        name: str = "demo",
        *,
        weights: bytes = NO_TENSORS,
        replace: dict | None = None,
    ) -> Path:
        folder = (root or tmp_path / "voices-here") / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "voice.safetensors").write_bytes(weights)
        digest = hashlib.sha256(weights).hexdigest()
        card = CARD.replace("{content}", "0" * 64).replace("{weights}", digest)
        for old, new in (replace or {}).items():
            assert old in card
            card = card.replace(old, new)
        (folder / "card.toml").write_text(card, encoding="utf-8")
        return folder

    return make
