import asyncio
import time

import pytest
from studio_stage import Player, state
from textual.css.stylesheet import Stylesheet

from covermaker.tui import listening, model


class Kept(dict):
    """What Textual has parsed; it stays when a style sheet forgets its own."""

    def clear(self):
        """Keep it."""


async def until_idle(_=0.0):
    """Wait, as Textual does after every key, until nothing is worked on; at a finer grain."""
    for _ in range(200):
        before = time.process_time()
        await asyncio.sleep(0.005)
        if time.process_time() - before < 0.001:
            return


@pytest.fixture(autouse=True, scope="session")
def quick_studios():
    """Wait shorter for keys, and parse style sheets once for all studios: they are a quarter of a test's time."""
    parsed = {}

    def kept(sheet):
        return parsed.setdefault(frozenset(sheet._variables.items()), Kept())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textual.app.wait_for_idle", until_idle)
        patch.setattr(Stylesheet, "_parse_cache", property(kept, lambda sheet, _: None), raising=False)
        yield


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
def player(monkeypatch):
    """Players without processes; `made` is the last one."""
    monkeypatch.setattr(listening, "Player", Player)
    monkeypatch.setattr(Player, "made", None)
    return Player


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
