import pytest
from studio_stage import state

from covermaker.tui import model


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    """Keep the user's own settings, projects and store out of every test."""
    monkeypatch.setenv("COVERMAKER_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("COVERMAKER_PROJECTS", str(tmp_path / "library"))
    monkeypatch.setenv("COVERMAKER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


@pytest.fixture
def library(tmp_path):
    """A folder for projects; made, so that it is no first run."""
    folder = tmp_path / "library"
    folder.mkdir()
    return folder


@pytest.fixture
def states(monkeypatch):
    """States of projects by the name of the folder, in place of looking at them; the rest is new."""
    told = {}
    monkeypatch.setattr(
        model,
        "state_of",
        lambda folder: told.get(folder.name) or state("new", to_do=("decode", "separate", "export")),
    )
    return told
