"""Racks side by side: as many at once as there are cores, the same bits, nothing left behind."""

import os
import threading

import numpy as np
import pytest
import soundfile

from covermaker.audio.files import read
from covermaker.errors import CovermakerError
from covermaker.graph.events import StepFinished, StepProgress, StepStarted
from covermaker.graph.run import run
from covermaker.graph.store import Store
from covermaker.project.load import load
from covermaker.render.pipeline import build

RATE, SECONDS = 44100, 4.0
COVER = """schema = 1
title = "Side by side"
[song]
file = "song.wav"
[stems]
separator = "provided"
files = { vocals = "vocals.wav", band = "band.wav", drums = "drums.wav" }
""" + "".join(
    f"""[[tracks]]
name = "{name}"
source = "{name}"
rack = [{{ effect = "compressor", threshold_db = -30.0{key} }}, {{ effect = "reverb" }}]
"""
    for name, key in (("vocals", ""), ("drums", ""), ("band", ', sidechain = "vocals"'))
)


@pytest.fixture
def project(tmp_path):
    rng = np.random.default_rng(3)
    for name in ("vocals", "band", "drums", "song"):
        sound = 0.1 * rng.standard_normal((round(SECONDS * RATE), 2))
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE, subtype="FLOAT")
    (tmp_path / "cover.toml").write_text(COVER, encoding="utf-8")
    return tmp_path


def made(project, store, monkeypatch, count):
    monkeypatch.setattr("covermaker.graph.run.cores", lambda: count)
    events = []
    river = build(load(project))
    (entry,) = run(store, [river.mix], listener=events.append)
    return read(entry.folder / "mix.wav").samples, events


def test_side_by_side_and_one_after_another_are_the_same(project, tmp_path, monkeypatch):
    one, _ = made(project, Store(tmp_path / "one"), monkeypatch, 1)
    two, events = made(project, Store(tmp_path / "two"), monkeypatch, 2)
    np.testing.assert_array_equal(one, two)
    # Two at once; the third listens to the first and waits for it.
    order = [
        event.name for event in events if isinstance(event, StepFinished) and event.name.startswith("rack")
    ]
    assert order[-1] == "rack: band"
    assert {event.name for event in events if isinstance(event, StepProgress)} >= {
        "rack: vocals",
        "rack: drums",
    }


def test_one_that_fails_stops_the_others(project, tmp_path, monkeypatch):
    """The drums' source is broken: what was made beside it is either whole or not there."""
    store = Store(tmp_path / "store")
    river = build(load(project))
    (entry,) = run(store, [river.separate], listener=lambda _: None)
    monkeypatch.setattr("covermaker.graph.run.cores", lambda: 2)
    monkeypatch.setattr("covermaker.graph.run._Runner._sound", lambda *_: True)
    with (entry.folder / "drums.wav").open("r+b") as file:  # the same size: the store looks at no more here
        file.seek(-4000, os.SEEK_END)
        file.write(np.full(1000, np.nan, np.float32).tobytes())
    started = []
    with pytest.raises(CovermakerError, match="NaN"):
        run(
            store,
            [river.mix],
            listener=lambda event: started.append(event) if isinstance(event, StepStarted) else None,
        )
    assert not [path for path in (store.root / "steps").iterdir() if path.name.startswith(".")]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("step")]
