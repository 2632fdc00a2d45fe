"""Small songs, lists of them, and queues that hold some."""

import shutil

import numpy as np
import pytest
import soundfile
from fake_engine import FakeEngine

from covermaker.batch import work as work_module
from covermaker.batch.entries import Entry, Playlist, Problem
from covermaker.batch.foresee import Foresight
from covermaker.batch.gather import gather
from covermaker.batch.options import Options
from covermaker.batch.queue import Queue

RATE = 44_100


@pytest.fixture(scope="session")
def hashes(tmp_path_factory):
    """The sha256 of weights that are asked for everywhere, found out once: half a second each time else."""
    cache = tmp_path_factory.mktemp("hashes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COVERMAKER_CACHE", str(cache))
        Foresight(Options()).refuse()
    return cache / "weight-hashes.json"


@pytest.fixture(autouse=True)
def at_home(tmp_path_factory, monkeypatch, hashes):
    """Nothing of the person who runs the tests is read or written."""
    home = tmp_path_factory.mktemp("home")
    for name in ("CACHE", "PRESETS", "VOICES", "STORE"):
        monkeypatch.setenv(f"COVERMAKER_{name}", str(home / name.lower()))
    (home / "cache").mkdir()
    shutil.copy(hashes, home / "cache")


@pytest.fixture
def make_song(tmp_path):
    """Write a song of some seconds: a tone and its fifth, one on each side."""

    def made(name="tone.wav", *, seconds=0.5, hertz=220.0, amplitude=0.3):
        t = np.arange(int(seconds * RATE)) / RATE
        sides = np.stack([np.sin(2 * np.pi * hertz * t), np.sin(3 * np.pi * hertz * t)], axis=1)
        place = tmp_path / "songs" / name
        place.parent.mkdir(exist_ok=True)
        soundfile.write(place, amplitude * sides.astype(np.float32), RATE, subtype="PCM_16")
        return place

    return made


@pytest.fixture
def make_queue(tmp_path):
    """Make a queue in `out` of songs' places; what is a string is a broken entry."""

    def made(*places, options=None, out="out", **more):
        entries = tuple(
            Entry(place, f"list.m3u:{line}", **more)
            for line, place in enumerate(places, start=1)
            if not isinstance(place, str)
        )
        problems = tuple(
            Problem(
                f"list.m3u:{line}",
                "there is no such file",
                "look at the list",
                said=place,
                after=sum(not isinstance(one, str) for one in places[: line - 1]),
            )
            for line, place in enumerate(places, start=1)
            if isinstance(place, str)
        )
        queue = Queue.made(tmp_path / out)
        gather(queue, Playlist("friday", entries, problems))
        options = options or Options(store=str(tmp_path / "store"), score=False)
        queue.note(title="friday", options=options.to_json(), state="new")
        return queue

    return made


@pytest.fixture
def engine(monkeypatch):
    """An engine that renders nothing stands where `local` does."""
    made = FakeEngine()
    monkeypatch.setattr(work_module.ENGINES, "load", lambda name: lambda setting: made)
    return made


@pytest.fixture
def friday(make_song, tmp_path, monkeypatch):
    """A list of three songs and one that is gone, in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in "abc":
        make_song(f"{name}.wav")
    (tmp_path / "friday.m3u").write_text("songs/a.wav\nsongs/gone.wav\nsongs/b.wav\nsongs/c.wav\n")
    return tmp_path / "friday.m3u"
