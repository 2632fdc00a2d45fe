"""Batches on three nodes: the files of one machine, also when nodes come and go."""

import os
import shutil
import signal

import pytest
from cluster_driving import (
    INSIDE,
    batch,
    covers,
    ends,
    engine_at,
    hear_until,
    task,
    write_songs,
)  # fmt: skip

from covermaker.batch.queue import Queue
from covermaker.errors import ExitCode
from covermaker.graph.events import Note, SongDone, StepStarted

pytestmark = [pytest.mark.own_network, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("three")


@pytest.fixture(scope="module")
def songs(place):
    return write_songs(place / "songs")


@pytest.fixture(scope="module")
def calm(place, songs):
    """What the local engine makes."""
    if not INSIDE:
        return None
    assert batch(songs, place / "local", store=str(place / "local store")) == ExitCode.OK
    return covers(place / "local")


def test_three_nodes_make_the_files_that_one_machine_makes(cluster, place, songs, calm):
    out, store = place / "ray", place / "ray store"
    assert batch(songs, out, engine="ray", address=cluster.address, store=str(store)) == ExitCode.OK
    assert len(calm) == 4
    assert covers(out) == calm
    with Queue(out) as queue:
        places = {one.running_at for song in queue.songs() for one in queue.tries(song.id)}
    assert places <= {"node-1", "node-2", "node-3"}
    assert sorted(file.stem for file in (out / "logs").iterdir()) == ["node-1", "node-2", "node-3"]
    assert list((store / "tmp").iterdir()) == []
    assert not list(out.glob(".shared*"))


def test_a_second_run_makes_nothing(cluster, place, songs, calm):
    out = place / "ray"
    again = batch(songs, out, engine="ray", address=cluster.address, store=str(place / "ray store"))
    assert again == ExitCode.OK
    assert covers(out) == calm
    with Queue(out) as queue:
        assert all(song.was_done for song in queue.songs())


def test_a_node_that_is_killed_loses_nothing(cluster, place, songs, calm):
    said = []

    def hear(event):
        said.append(event)
        moved = event.KIND == "batch.song" and event.step == "convert" and event.running_at == "node-3"
        if moved and not killed:
            killed.append(event.number)
            cluster.kill("node-3")

    killed = []
    out = place / "killed"
    code = batch(songs, out, hear, engine="ray", address=cluster.address, store=str(place / "killed store"))
    assert code == ExitCode.OK
    assert killed
    assert covers(out) == calm
    words = [event.words for event in said if event.KIND == "batch.log"]
    assert "node-3 is gone" in words
    assert any(text.startswith("node-3 is gone while it made 'convert'") for text in words), words
    places = [event for event in said if event.KIND == "batch.song" and event.number == killed[0]]
    assert places[-1].state == "done"
    assert places[-1].running_at in {"node-1", "node-2"}


@pytest.fixture
def engine(cluster, place, songs, calm):
    """An open engine; the projects of the local batch are there to be rendered, with a store of their own."""
    if not INSIDE:
        yield None
        return
    shutil.copytree(place / "local", place / "again", ignore=shutil.ignore_patterns("batch.sqlite*", "out"))
    made = engine_at(cluster.address, place / "again", place / "again store")
    try:
        made.open()
        yield made
    finally:
        made.close()
        shutil.rmtree(place / "again")
        shutil.rmtree(place / "again store", ignore_errors=True)


def test_what_happens_to_songs_ends_them_or_is_made_good(cluster, engine, place, calm):
    projects = [place / "again" / f"song-{number}" for number in (1, 2, 3, 4)]
    (projects[2] / "cover.toml").write_text("[song]\n")
    assert [one.name for one in engine.places()][:2] == ["node-1", "node-2"]
    cluster.add("node-4")
    for number, project in enumerate(projects, start=1):
        assert engine.takes(task(number, project))
        engine.submit(task(number, project))
    heard = hear_until(engine, lambda heard: 3 in ends(heard))
    assert ends(heard)[3].exit_code == ExitCode.PROJECT

    def begun(heard, song, name):
        return any(
            told.song == song and isinstance(told.event, StepStarted) and told.event.name == name
            for told in heard
        )

    # A process that is ended from outside is started again, and its step made again.
    heard += hear_until(engine, lambda more: begun(heard + more, 1, "separate"))
    os.kill(process_of(engine, 1), signal.SIGKILL)
    heard += hear_until(engine, lambda more: begun(heard + more, 2, "separate"))
    engine.cancel(2)
    heard += hear_until(
        engine,
        lambda more: (
            set(ends(heard + more)) == {1, 2, 3, 4} and "node-4 came and works" in notes_of(heard + more)
        ),
    )
    assert ends(heard)[2].exit_code == ExitCode.INTERRUPTED
    assert isinstance(ends(heard)[1], SongDone)
    assert isinstance(ends(heard)[4], SongDone)
    again = {name.replace("again/", ""): content for name, content in covers(place / "again").items()}
    assert again == {name: calm[name] for name in again}
    assert len(again) == 2
    notes = notes_of(heard)
    assert any("lost the process while it made 'separate'; it is made again" in text for text in notes), notes

    assert "node-4" in [one.name for one in engine.places()]

    # The mix of an album, and a song that must be alone.
    engine.submit(task(5, projects[0], job="gauge"))
    engine.submit(task(6, projects[1], careful=True, alone=True))
    assert not engine.takes(task(7, projects[3], alone=True))
    heard = hear_until(engine, lambda heard: set(ends(heard)) == {5, 6})
    assert ends(heard)[5].result["lufs"] < 0.0
    assert isinstance(ends(heard)[6], SongDone)
    assert covers(place / "again")["song-2/out/song 2.wav"] == calm["song-2/out/song 2.wav"]


def notes_of(heard):
    return [told.event.text for told in heard if isinstance(told.event, Note)]


def process_of(engine, song):
    """Return the process of the actor that works for a song."""
    (flight,) = [one for one in engine._flights.values() if one.piece.song.task.song == song and one.hand]
    import psutil

    log = str(flight.station.log)
    for process in psutil.process_iter(["cmdline"]):
        if "ray::Singer" in " ".join(process.info["cmdline"] or ()):
            held = {file.path for file in process.open_files()}
            if log in held and flight.station.hands:
                return process.pid
    raise AssertionError("no such process")
