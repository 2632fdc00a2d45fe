"""Networks stay loaded while songs follow each other, within a budget, and not where nobody asked for that."""

from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest

from covermaker.weights import warm
from covermaker.weights.device import torch_ready
from covermaker.weights.warm import catalog_network, held_bytes, kept, loaded


class Network:
    """Something that was loaded."""


@pytest.fixture(autouse=True)
def cold():
    warm.drop()
    yield
    warm.drop()


@pytest.fixture
def load():
    """A loader that counts: ``load("a")`` asks for the thing called so."""
    loads = []

    def asked(name, *, sha256="0", size_bytes=10, shared=False):
        def fresh():
            loads.append(name)
            return Network()

        return loaded(name, sha256, fresh, size_bytes=size_bytes, shared=shared)

    asked.loads = loads
    return asked


def test_a_single_render_keeps_nothing(load):
    assert load("a") is not load("a")
    assert load.loads == ["a", "a"]
    assert held_bytes() == 0


def test_what_several_steps_share_is_loaded_once(load):
    assert load("a", shared=True) is load("a", shared=True)
    assert load.loads == ["a"]


def test_a_single_render_shares_only_a_few(load):
    for number in range(20):
        load(number, shared=True)
    assert held_bytes() < 100
    assert load.loads == list(range(20))
    load(19, shared=True)
    assert len(load.loads) == 20


def test_songs_share_everything(load):
    with kept():
        first = load("a")
        load("b", shared=True)
        assert load("a") is first
        assert load.loads == ["a", "b"]
        assert held_bytes() == 20


def test_other_weights_are_another_network(load):
    with kept():
        assert load("voice", sha256="1") is not load("voice", sha256="2")
        assert load("voice", sha256="1") is load("voice", sha256="1")


def test_the_least_recently_used_goes_first(load):
    with kept(30):
        for name in "abcab":
            load(name)
        assert load.loads == ["a", "b", "c"]
        load("d")  # c has not been used for the longest time
        for name in "abd":
            load(name)
        assert load.loads == ["a", "b", "c", "d"]
        load("c")
        assert load.loads[-1] == "c"
        assert held_bytes() == 30


def test_room_is_made_before_the_next_one_comes():
    with kept(10):
        first = weakref.ref(loaded("a", "0", Network, size_bytes=10))
        assert first() is not None
        found = []

        def second():
            found.append(first())
            return Network()

        loaded("b", "0", second, size_bytes=10)
        assert found == [None]


@pytest.mark.parametrize("budget", [0, 9])
def test_what_is_larger_than_the_budget_never_stays(load, budget):
    with kept(budget):
        for _ in range(2):
            load("a", shared=True)
        assert load.loads == ["a", "a"]
        assert held_bytes() == 0


def test_at_the_end_all_goes(load):
    with kept():
        held = weakref.ref(load("a"))
        assert held() is not None
    assert held() is None
    load("a")
    assert load.loads == ["a", "a"]


def test_dropped_on_request_and_used_to_the_end(load):
    with kept():
        in_use, idle = load("a"), weakref.ref(load("b"))
        warm.drop()
        assert idle() is None
        assert held_bytes() == 0
        assert isinstance(in_use, Network)
        assert load("a") is not in_use


def test_a_failed_load_leaves_nothing(load):
    def broken():
        raise MemoryError

    with kept():
        with pytest.raises(MemoryError):
            loaded("a", "0", broken, size_bytes=10)
        assert held_bytes() == 0
        load("a")
        assert load.loads == ["a"]


def test_two_who_ask_at_once_get_the_same():
    begun, go = threading.Event(), threading.Event()
    loads, found = [], []

    def slow():
        loads.append(1)
        begun.set()
        go.wait(10)
        return Network()

    with kept():
        askers = [
            threading.Thread(target=lambda: found.append(loaded("a", "0", slow, size_bytes=1)))
            for _ in range(2)
        ]
        askers[0].start()
        begun.wait(10)
        askers[1].start()
        go.set()
        for asker in askers:
            asker.join(10)
        assert len(loads) == 1
        assert found[0] is found[1]


def test_loading_leaves_the_threads_of_others_alone():
    """CTranslate2 sets the number of threads of the whole process."""
    torch = torch_ready()
    before = torch.get_num_threads()
    with kept():
        loaded("a", "0", lambda: torch.set_num_threads(before + 1), size_bytes=1)
    assert torch.get_num_threads() == before


def test_a_network_of_the_catalog_is_known_by_its_content(tmp_path, monkeypatch):
    file = tmp_path / "mine.pth"
    monkeypatch.setenv("COVERMAKER_WEIGHTS_CREPE_TINY", str(file))
    with kept():
        file.write_bytes(b"first")
        assert catalog_network("crepe-tiny", _bytes_of, "cpu") == b"first on cpu"
        moved = tmp_path / "moved.pth"
        file.rename(moved)
        monkeypatch.setenv("COVERMAKER_WEIGHTS_CREPE_TINY", str(moved))
        first = catalog_network("crepe-tiny", _bytes_of, "cpu")
        assert first is catalog_network("crepe-tiny", _bytes_of, "cpu")
        assert catalog_network("crepe-tiny", _bytes_of, "cuda") == b"first on cuda"
        assert held_bytes() == 10
        moved.write_bytes(b"second")
        assert catalog_network("crepe-tiny", _bytes_of, "cpu") == b"second on cpu"


def _bytes_of(path, device):
    return path.read_bytes() + f" on {device}".encode()


def test_a_voice_stays_warm_and_sings_as_a_fresh_one():
    from covermaker.voices.library import find_voice

    voice = find_voice("demo")
    frames = 30
    rng = np.random.default_rng(0)
    content = rng.normal(size=(frames, 512)).astype(np.float32)

    def sung(pitch_hz):
        singer = voice.synthesizer("cpu")
        pitch = singer.pitch(np.full(frames, pitch_hz))
        return singer.render(content, pitch, np.full(frames, -20.0), first_frame=0, seed=1)

    fresh = sung(220.0)
    with kept():
        assert voice.synthesizer("cpu") is voice.synthesizer("cpu")
        sung(330.0)
        np.testing.assert_array_equal(sung(220.0), fresh)


def test_an_index_stays_warm(tmp_path):
    from covermaker.voices.index import build_index
    from covermaker.voices.retrieval import open_index

    path = tmp_path / "index.npz"
    digest = build_index(np.random.default_rng(0).normal(size=(50, 8)), path, seed=1)
    with kept():
        first = open_index(path, sha256=digest)
        assert open_index(path) is first
        build_index(np.random.default_rng(1).normal(size=(50, 8)), path, seed=1)
        assert open_index(path) is not first
    assert open_index(path) is not open_index(path)
