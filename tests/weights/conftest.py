"""A models folder and a cache of its own for every test; no hub."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "models"
