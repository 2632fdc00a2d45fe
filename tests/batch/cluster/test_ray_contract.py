"""What every engine owes the queue, asked of all of them."""

from pathlib import Path

import pytest
from cluster_driving import INSIDE, ends, hear_until, task, write_songs

from covermaker.batch.engines import ENGINES
from covermaker.batch.engines.base import Setting, Sized, songs_at_once
from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.graph.events import SongDone, StepCached, StepFinished, StepStarted

pytestmark = [pytest.mark.own_network, pytest.mark.slow]


@pytest.fixture(scope="module")
def heard():
    """What each engine told of the same songs, by its name."""
    return {}


@pytest.fixture(params=["local", "ray"])
def engine(request, tmp_path):
    """Ray on a cluster of this machine, with a store behind a URL."""
    if not INSIDE:
        yield None
        return
    store = f"file://{tmp_path / 'far'}" if request.param == "ray" else str(tmp_path / "store")
    setting = Setting(tmp_path / "out", Sized(2, 2, 8 << 30), store, "cpu", "local")
    made = ENGINES.load(request.param)(setting)
    made.name = request.param
    try:
        made.open()
        yield made
    finally:
        made.close()


def projects(folder):
    """Make projects of songs of two seconds."""
    songs = write_songs(folder / "songs", 2.0).parent
    made = [folder / f"project {number}" for number in (1, 2)]
    for number, project in enumerate(made, start=1):
        assert run(["new", str(songs / f"song {number}.flac"), "--folder", str(project)]) == ExitCode.OK
    return made


def said(heard, song):
    """Return what was told of the steps of a song, in the order of their names."""
    events = [told.event for told in heard if told.song == song]
    return sorted(
        (event.KIND, event.name)
        for event in events
        if isinstance(event, StepStarted | StepFinished | StepCached)
    )


def test_an_engine_tells_of_every_song(engine, heard, tmp_path):
    one, two = projects(tmp_path)
    most = songs_at_once(engine.places())
    assert most >= 1
    assert engine.takes(task(1, one))
    engine.submit(task(1, one))
    assert songs_at_once(engine.places()) == most
    first = hear_until(engine, lambda told: ends(told))
    assert isinstance(ends(first)[1], SongDone)
    assert len([told for told in first if isinstance(told.event, SongDone)]) == 1
    assert {told.place for told in first} <= {place.name for place in engine.places()}
    (made,) = ends(first)[1].result["files"]

    engine.submit(task(2, one))  # everything is there
    second = hear_until(engine, lambda told: ends(told))
    assert {kind for kind, _ in said(second, 2)} == {"step.cached"}
    assert ends(second)[2].result["files"] == [made]

    engine.submit(task(3, tmp_path / "nowhere"))
    failure = ends(hear_until(engine, lambda told: ends(told)))[3]
    assert failure.exit_code == ExitCode.PROJECT
    assert "nowhere" in failure.message

    engine.submit(task(4, two))
    hear_until(engine, lambda told: any(isinstance(one.event, StepStarted) for one in told))
    engine.cancel(4)
    engine.cancel(99)  # nobody has it
    assert ends(hear_until(engine, lambda told: ends(told)))[4].exit_code == ExitCode.INTERRUPTED

    engine.submit(task(5, one, job="gauge"))
    measured = ends(hear_until(engine, lambda told: ends(told)))[5].result

    assert all(place.songs == () for place in engine.places())
    heard[engine.name] = said(first, 1), said(second, 2), Path(made).read_bytes(), measured
    if engine.name == "ray":
        assert {len(list(step.iterdir())) > 1 for step in (tmp_path / "far" / "steps").iterdir()} == {True}
    if len(heard) == 2:
        assert heard["local"] == heard["ray"]
