"""A store behind a URL: what one machine makes another one has, whole or not at all."""

import json

import fsspec
import pytest

from covermaker.errors import ResourceError, UsageError
from covermaker.graph.events import StepCached, StepFinished
from covermaker.graph.opening import is_url, open_store
from covermaker.graph.remote import RemoteStore, near_folder
from covermaker.graph.run import run
from covermaker.graph.step import From, Step
from covermaker.graph.store import Store

FAR = {"file": "file://{}/far", "memory": "memory://far{}"}


@pytest.fixture(params=FAR)
def url(request, tmp_path):
    yield FAR[request.param].format(tmp_path)
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def machine(url, tmp_path):
    """A machine with a folder of its own before the store."""
    return lambda name, **more: RemoteStore(url, tmp_path / name, **more)


def writer(text):
    def write(work):
        for name in ("out.txt", "more.txt"):
            (work.folder / name).write_text(text)
        return {"letters": len(text)}

    return write


def step_of(text, version=1, **inputs):
    return Step(text, "write", version, {"text": text}, inputs, writer(text))


def make(store, *steps):
    """Make steps; returns the kinds of events of them."""
    told = []
    entries = run(store, steps, listener=told.append)
    return entries, [type(event) for event in told if isinstance(event, StepCached | StepFinished)]


def far_names(store):
    return sorted(name.removeprefix(store._base) for name in store._far.find(store._base))


def test_what_one_machine_made_another_one_has(machine):
    step = step_of("hello")
    (made,), how = make(machine("a"), step)
    assert how == [StepFinished]
    (had,), how = make(machine("b"), step)
    assert how == [StepCached]
    assert had.meta == made.meta
    assert had.folder != made.folder
    assert {file.name: file.read_bytes() for file in had.folder.iterdir()} == {
        file.name: file.read_bytes() for file in made.folder.iterdir()
    }


def test_only_the_files_that_are_read_travel(machine):
    first = step_of("first")
    make(machine("a"), first)
    there = machine("b")
    entry = there.get(first.key)
    assert entry.meta["report"] == {"letters": 5}
    assert [file.name for file in entry.folder.iterdir()] == ["meta.json"]
    make(there, step_of("second", source=From(first, "out.txt")))
    assert sorted(file.name for file in entry.folder.iterdir()) == ["meta.json", "out.txt"]


def test_a_step_is_there_when_its_meta_is_and_not_before(machine, monkeypatch):
    store, step = machine("a"), step_of("hello")
    put = store._far.put_file

    def torn(here, far, *more):
        if far.endswith("meta.json"):
            raise OSError("the line is cut")
        put(here, far, *more)

    monkeypatch.setattr(store._far, "put_file", torn)
    with pytest.raises(ResourceError, match="refuses: the line is cut"):
        make(store, step)
    monkeypatch.undo()
    assert machine("b").get(step.key) is None
    assert len(far_names(store)) == 2
    _, how = make(machine("b"), step)
    assert how == [StepFinished]
    assert len(far_names(store)) == 3


def test_what_is_damaged_far_away_is_made_again_and_put_right(machine):
    step = step_of("hello")
    store = machine("a")
    make(store, step)
    store._far.pipe_file(f"{store._base}/steps/{step.key}/out.txt", b"jello")
    _, how = make(machine("b"), step)
    assert how == [StepFinished]
    (entry,), how = make(machine("c"), step)
    assert how == [StepCached]
    assert (entry.folder / "out.txt").read_text() == "hello"


def test_what_is_damaged_here_is_fetched_no_more_than_it_is_made(machine):
    step, store = step_of("hello"), machine("a")
    (entry,), _ = make(store, step)
    (entry.folder / "out.txt").write_text("jello")
    (entry,), how = make(store, step)
    assert how == [StepFinished]
    assert (entry.folder / "out.txt").read_text() == "hello"


@pytest.mark.parametrize("name", ["out.txt", "meta.json"])
def test_what_is_gone_far_away_is_made_again(machine, name):
    step, store = step_of("hello"), machine("a")
    make(store, step)
    other = machine("b")
    assert other.get(step.key) is not None
    store._far.rm_file(f"{store._base}/steps/{step.key}/{name}")
    if name == "meta.json":
        assert machine("c").get(step.key) is None
    else:
        assert not other.verify(step.key)
        _, how = make(other, step)
        assert how == [StepFinished]


@pytest.mark.parametrize("said", [b"", b"no json", b"[]", b'{"files": 3}'])
def test_what_is_no_meta_is_no_step(machine, said):
    store, step = machine("a"), step_of("hello")
    store._far.makedirs(f"{store._base}/steps/{step.key}", exist_ok=True)
    store._far.pipe_file(f"{store._base}/steps/{step.key}/meta.json", said)
    assert store.get(step.key) is None
    assert make(store, step)[1] == [StepFinished]


def test_the_folder_is_kept_small_and_what_is_dropped_is_fetched(machine, monkeypatch):
    store, step = machine("a", near_bytes=0), step_of("hello")
    store._looked -= 1e6
    (entry,), _ = make(store, step)
    assert not entry.folder.exists()
    assert make(store, step)[1] == [StepCached]
    assert (entry.folder / "out.txt").read_text() == "hello"


def test_a_place_is_a_folder_or_a_url(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    assert is_url("s3://bucket/store")
    assert not is_url("/a/store")
    assert type(open_store(str(tmp_path))) is Store
    assert open_store(str(tmp_path)).root == tmp_path
    far = open_store("memory://somewhere")
    assert isinstance(far, RemoteStore)
    assert far.root == near_folder("memory://somewhere")
    assert far.root.is_relative_to(tmp_path / "cache")
    assert near_folder("memory://elsewhere") != far.root


@pytest.mark.parametrize("url", ["nosuch://bucket", "s3://bucket/store"])
def test_a_url_that_nothing_here_reads(url, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(UsageError, match=f"the store {url} cannot be opened: ") as refused:
        open_store(url)
    assert "s3fs" in refused.value.hint


def test_a_place_that_refuses_is_named(machine, monkeypatch):
    store = machine("a")

    def refuse(path):
        raise PermissionError("Forbidden")

    monkeypatch.setattr(store._far, "cat_file", refuse)
    with pytest.raises(ResourceError, match="refuses: Forbidden") as refused:
        store.get("0" * 64)
    assert refused.value.hint == "look at its credentials and its name"


def test_an_attended_store_leaves_sweeping_to_who_attends(tmp_path):
    left = tmp_path / "tmp" / "key.abc"
    left.mkdir(parents=True)
    with Store(tmp_path, attended=True).session():
        assert left.exists()
        assert not (tmp_path / "sessions").exists()
    with Store(tmp_path).session():
        assert not left.exists()
        assert json.dumps([path.suffix for path in (tmp_path / "sessions").iterdir()]) == '[".lock"]'
