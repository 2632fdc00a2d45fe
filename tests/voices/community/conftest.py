"""A library of voices of the test's own."""

from __future__ import annotations

import pytest


@pytest.fixture
def own_library(tmp_path, monkeypatch):
    """Return the folder of the user's voices, which is not there yet."""
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path / "library"
