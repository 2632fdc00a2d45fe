"""The model of a cluster obeys the laws that any cluster obeys."""

import importlib.util
import sys
from pathlib import Path

import pytest
from PIL import Image

from covermaker.render.steps import KINDS

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "cluster_model.py"


@pytest.fixture(scope="module")
def model():
    spec = importlib.util.spec_from_file_location("cluster_model", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["cluster_model"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["cluster_model"]


@pytest.fixture(scope="module")
def song(model):
    return model.work(3.5)


@pytest.mark.parametrize("storage", [0, 1, 2])
def test_nodes_never_give_more_than_as_many_single_ones(model, song, storage):
    storage = model.STORAGES[storage]
    single, _, _ = model.predict(model.Cluster(1, storage), song, 10**6, 0.1)
    before = 0.0
    for nodes in model.NODES:
        rate, _, _ = model.predict(model.Cluster(nodes, storage), song, 10**6, 0.1)
        assert before <= rate <= nodes * single * (1 + 1e-9)
        before = rate


def test_every_limit_can_be_the_limit(model, song):
    fast = model.Storage("fast", 1e15, 1e12, 1, link=1e15)

    def limit(nodes, storage, songs=10**6, **more):
        return model.predict(model.Cluster(nodes, storage, **more), song, songs, 0.1)[2]

    assert limit(1, fast) == "networks"
    assert limit(1000, fast) == "scheduler"
    assert limit(8, model.Storage("narrow", 1e6, 1e12, 1)) == "store: bytes"
    assert limit(8, model.Storage("slow", 1e15, 1e3, 2600, link=1e15)) == "store: calls"
    assert limit(1000, fast, songs=1) == "one song's steps"


def test_no_song_is_faster_than_its_longest_chain(model, song):
    fast = model.Storage("fast", 1e15, 1e12, 1, link=1e15)
    played = model.simulate(model.Cluster(50, fast), song, 1)
    assert played.seconds == pytest.approx(song.chain, rel=0.01)
    _, seconds, _ = model.predict(model.Cluster(1000, fast), song, 1, 0.0)
    assert seconds == pytest.approx(song.chain)


@pytest.mark.parametrize(("nodes", "cores"), [(1, 2), (1, 16), (4, 8)])
def test_step_by_step_comes_close_to_the_bound_and_not_beyond(model, song, nodes, cores):
    cluster = model.Cluster(nodes, model.STORAGES[1], cores)
    played = model.simulate(cluster, song, 40 * cluster.songs)
    bound, _, _ = model.predict(cluster, song, 40 * cluster.songs, played.moved)
    assert 0.8 * bound < played.rate <= bound * (1 + 1e-9)
    assert played.pieces == 40 * cluster.songs * song.pieces
    assert model.simulate(cluster, song, 40 * cluster.songs) == played


def test_songs_stay_where_their_files_are(model, song):
    played = model.simulate(model.Cluster(8, model.STORAGES[1], 8), song, 400)
    assert played.moved < 0.25


def test_what_was_measured_are_steps_of_a_render(model):
    assert set(model.work(1.0).seconds) <= set(KINDS)
    assert set(model.work(1.0).seconds) - set(model.work(1.0, score=False).seconds) == {"score"}
    short, long = model.work(1.0), model.work(6.0)
    assert all(short.seconds[kind] <= long.seconds[kind] for kind in short.seconds)


def test_it_prints_a_table_and_draws_a_picture(model, tmp_path, capsys, monkeypatch):
    place = tmp_path / "model.png"
    monkeypatch.setattr(sys, "argv", ["cluster_model.py", "--png", str(place), "--cores", "8"])
    model.main()
    said = capsys.readouterr().out
    assert said.count("networks") >= 3
    assert "  1000 " in said
    with Image.open(place) as image:
        assert (image.format, image.size) == ("PNG", (900, 560))
