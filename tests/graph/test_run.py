import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from covermaker.errors import AudioInputError, ResourceError, UsageError
from covermaker.graph import events
from covermaker.graph.run import from_here, plan, run
from covermaker.graph.step import From, Outside, Step
from covermaker.graph.store import META, Store


class Kitchen:
    """A small river of steps that counts what runs: source -> upper -> twice."""

    def __init__(self, tmp_path):
        self.source = tmp_path / "source.txt"
        self.source.write_text("song")
        self.store = Store(tmp_path / "store")
        self.ran = []
        self.events = []

    def step(self, name, inputs, make, **params):
        def work(job):
            self.ran.append(name)
            text = make([path.read_text() for path in job.inputs.values()])
            (job.folder / "out.txt").write_text(text)
            return {"length": len(text)}

        return Step(name, name, 1, params, inputs, work)

    def river(self, times=2):
        upper = self.step("upper", {"text": Outside(self.source)}, lambda texts: texts[0].upper())
        twice = self.step(
            "twice", {"text": From(upper, "out.txt")}, lambda texts: texts[0] * times, times=times
        )
        return upper, twice

    def cook(self, target):
        self.ran.clear()
        self.events.clear()
        (entry,) = run(self.store, [target], listener=self.events.append)
        return (entry.folder / "out.txt").read_text()


@pytest.fixture
def kitchen(tmp_path):
    return Kitchen(tmp_path)


def test_steps_run_once_and_then_never_again(kitchen):
    assert kitchen.cook(kitchen.river()[1]) == "SONGSONG"
    assert kitchen.ran == ["upper", "twice"]
    assert kitchen.cook(kitchen.river()[1]) == "SONGSONG"
    assert kitchen.ran == []
    assert [type(event) for event in kitchen.events] == [events.StepCached]


def test_a_changed_parameter_runs_only_that_step_and_what_follows(kitchen):
    kitchen.cook(kitchen.river()[1])
    assert kitchen.cook(kitchen.river(times=3)[1]) == "SONGSONGSONG"
    assert kitchen.ran == ["twice"]


def test_a_changed_source_runs_everything_and_a_moved_one_nothing(kitchen):
    kitchen.cook(kitchen.river()[1])
    kitchen.source = kitchen.source.rename(kitchen.source.with_name("moved.txt"))
    kitchen.cook(kitchen.river()[1])
    assert kitchen.ran == []
    kitchen.source.write_text("tune")
    assert kitchen.cook(kitchen.river()[1]) == "TUNETUNE"
    assert kitchen.ran == ["upper", "twice"]


def test_a_collected_step_that_nobody_needs_is_not_made_again(kitchen):
    upper, twice = kitchen.river()
    kitchen.cook(twice)
    kitchen.store.drop(upper.key)
    states = {
        planned.step.name: (planned.cached, planned.will_run) for planned in plan(kitchen.store, [twice])
    }
    assert states == {"upper": (False, False), "twice": (True, False)}
    kitchen.cook(kitchen.river()[1])
    assert kitchen.ran == []


@pytest.mark.parametrize("damaged", ["upper", "twice"])
def test_a_damaged_file_is_dropped_and_made_again(kitchen, damaged):
    upper, twice = kitchen.river()
    kitchen.cook(twice)
    victim = {"upper": upper, "twice": twice}[damaged]
    file = kitchen.store.get(victim.key).folder / "out.txt"
    file.write_text("X" * len(file.read_text()))
    if damaged == "upper":
        assert kitchen.cook(kitchen.river(times=3)[1]) == "SONGSONGSONG"
        assert kitchen.ran == ["upper", "twice"]
    else:
        assert kitchen.cook(kitchen.river()[1]) == "SONGSONG"
        assert kitchen.ran == ["twice"]


def test_what_a_run_reads_is_hashed_once_and_beside_its_first_steps(kitchen, monkeypatch):
    upper, twice = kitchen.river()
    kitchen.cook(twice)
    other = kitchen.step("other", {"text": From(kitchen.river()[0], "out.txt")}, lambda texts: texts[0])
    both = kitchen.step(
        "both", {"a": From(kitchen.river()[0], "out.txt"), "b": From(other, "out.txt")}, "".join
    )
    checked = []
    verify = Store.verify

    def noted(self, key, files=None):
        checked.append((key, tuple(files), threading.current_thread() is threading.main_thread()))
        return verify(self, key, files)

    monkeypatch.setattr(Store, "verify", noted)
    assert kitchen.cook(both) == "SONGSONG"
    assert checked == [(upper.key, ("out.txt",), False)]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("check")]


def test_a_file_that_is_missing_or_short_counts_as_not_made(kitchen):
    _, twice = kitchen.river()
    kitchen.cook(twice)
    (kitchen.store.get(twice.key).folder / "out.txt").write_text("SONG")
    assert kitchen.store.get(twice.key) is None
    assert kitchen.cook(kitchen.river()[1]) == "SONGSONG"


def test_a_failed_step_leaves_nothing_and_keeps_what_was_finished(kitchen):
    upper, _ = kitchen.river()

    def fail(texts):
        raise AudioInputError("cannot read this")

    bad = kitchen.step("bad", {"text": From(upper, "out.txt")}, fail)
    with pytest.raises(AudioInputError, match="cannot read this"):
        run(kitchen.store, [bad], listener=kitchen.events.append)
    assert kitchen.store.get(upper.key) is not None
    assert kitchen.store.get(bad.key) is None
    assert list((kitchen.store.root / "tmp").iterdir()) == []
    assert isinstance(kitchen.events[-1], events.StepFailed)


def test_running_out_of_memory_is_told_as_such(kitchen):
    def fail(texts):
        raise MemoryError

    bad = kitchen.step("big", {"text": Outside(kitchen.source)}, fail)
    with pytest.raises(ResourceError, match="'big' ran out of memory"):
        run(kitchen.store, [bad], listener=events.nobody)


def test_a_store_that_may_not_be_written_is_one_clear_line(kitchen, tmp_path):
    file = tmp_path / "not-a-folder"
    file.write_text("")
    with pytest.raises(ResourceError):
        run(Store(file / "store"), [kitchen.river()[1]], listener=events.nobody)


def test_collection_drops_the_least_recently_used_until_the_size_fits(kitchen):
    for times in (2, 3, 4):
        kitchen.cook(kitchen.river(times=times)[1])
    for age, entry in enumerate(kitchen.store.entries()):
        os.utime(entry.folder / META, (1000 + age, 1000 + age))
    kitchen.store.touch(kitchen.river(times=2)[1].key)
    steps, freed = kitchen.store.collect(max_bytes=8)
    assert steps == 3
    assert freed == 4 + 12 + 16
    assert [entry.key for entry in kitchen.store.entries()] == [kitchen.river(times=2)[1].key]


def test_collection_spares_what_a_running_render_has_used(kitchen):
    _, twice = kitchen.river()
    with kitchen.store.session():
        kitchen.cook(twice)
        assert kitchen.store.collect(max_bytes=0) == (0, 0)
    assert kitchen.store.collect(max_bytes=0)[0] == 2


SCRIPT = """
import sys, time
from pathlib import Path
from covermaker.graph.run import run
from covermaker.graph.step import Outside, From, Step
from covermaker.graph.store import Store
base = Path(sys.argv[1])
def slow(job):
    (job.folder / "half.txt").write_text("half")
    with open(base / "ran.log", "a") as log: log.write("slow\\n")
    print("working", flush=True)
    time.sleep(float(sys.argv[2]))
    (job.folder / "half.txt").unlink()
    (job.folder / "out.txt").write_text("done")
    return {}
def fast(job):
    with open(base / "ran.log", "a") as log: log.write("fast\\n")
    (job.folder / "out.txt").write_text(job.inputs["x"].read_text() + "!")
    return {}
first = Step("slow", "slow", 1, {}, {"x": Outside(base / "source.txt")}, slow)
second = Step("fast", "fast", 1, {}, {"x": From(first, "out.txt")}, fast)
(entry,) = run(Store(base / "store"), [second], listener=lambda event: None)
print((entry.folder / "out.txt").read_text())
"""


def start(base, seconds):
    command = [sys.executable, "-c", SCRIPT, str(base), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_make_each_step_once(tmp_path):
    (tmp_path / "source.txt").write_text("song")
    both = [start(tmp_path, 1.0), start(tmp_path, 1.0)]
    outputs = [process.communicate(timeout=60)[0].splitlines()[-1] for process in both]
    assert outputs == ["done!", "done!"]
    assert sorted((tmp_path / "ran.log").read_text().split()) == ["fast", "slow"]


def test_a_killed_render_blocks_nobody_and_leaves_nothing(tmp_path):
    (tmp_path / "source.txt").write_text("song")
    process = start(tmp_path, 60.0)
    assert process.stdout.readline() == "working\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    store = Store(tmp_path / "store")
    assert len(list((store.root / "tmp").iterdir())) == 1
    started = time.monotonic()
    second = start(tmp_path, 0.0)
    assert second.communicate(timeout=60)[0].splitlines()[-1] == "done!"
    assert time.monotonic() - started < 30
    assert list((store.root / "tmp").iterdir()) == []
    assert list((store.root / "sessions").iterdir()) == []
    assert {path.name for folder in (store.root / "steps").iterdir() for path in folder.iterdir()} == {
        "out.txt",
        "meta.json",
    }


def test_what_is_killed_while_another_render_begins_leaves_nothing_either(tmp_path):
    """A child outlives its killed parent by a moment: by then the next render may have looked for leftovers."""
    (tmp_path / "source.txt").write_text("song")
    process = start(tmp_path, 60.0)
    assert process.stdout.readline() == "working\n"
    store = Store(tmp_path / "store")
    with store.session():
        assert len(list((store.root / "tmp").iterdir())) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert list((store.root / "tmp").iterdir()) == []
    assert list((store.root / "sessions").iterdir()) == []


def test_events_survive_the_way_through_json():
    for event in (
        events.StepFinished("mix", "abc", 1.5, {"peak": 0.5}),
        events.Failed("no", None, 4),
        events.Note("mono song"),
    ):
        assert events.from_json(event.to_json()) == event
    with pytest.raises(ValueError, match="no event"):
        events.from_json('{"event": "step.dreamt"}')
    with pytest.raises(ValueError, match="Expecting value"):
        events.from_json("Traceback")


def test_the_source_of_a_step_must_exist(tmp_path):
    with pytest.raises(AudioInputError, match="there is no file"):
        _ = Outside(Path(tmp_path / "nothing.wav")).sha256


def test_a_source_that_changes_while_it_is_read_is_not_cached(kitchen):
    def change(texts):
        kitchen.source.write_text("another song")
        return texts[0]

    step = kitchen.step("slow", {"text": Outside(kitchen.source)}, change)
    with pytest.raises(AudioInputError, match="changed while it was read"):
        run(kitchen.store, [step], listener=events.nobody)
    assert kitchen.store.get(step.key) is None


def test_torch_out_of_memory_on_the_cpu_is_told_as_such(kitchen):
    def fail(texts):
        raise RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        )

    with pytest.raises(ResourceError, match="ran out of memory"):
        run(
            kitchen.store,
            [kitchen.step("big", {"text": Outside(kitchen.source)}, fail)],
            listener=events.nobody,
        )


def test_collection_frees_damaged_entries(kitchen):
    _, twice = kitchen.river()
    kitchen.cook(twice)
    folder = kitchen.store.get(twice.key).folder
    (folder / "out.txt").write_text("short")
    kitchen.store.collect(max_bytes=10**9)
    assert not folder.exists()


def test_a_step_is_made_again_with_all_that_follows(kitchen):
    twice = kitchen.river()[1]
    kitchen.cook(twice)
    kitchen.ran.clear()
    for name, made in (("twice", ["twice"]), ("upper", ["upper", "twice"])):
        again = from_here([twice], name)
        assert [one.step.name for one in plan(kitchen.store, [twice], again=again) if one.will_run] == made
        run(kitchen.store, [twice], listener=kitchen.events.append, again=again)
        assert kitchen.ran == made
        kitchen.ran.clear()
    with pytest.raises(UsageError, match="no step 'uper'") as refused:
        from_here([twice], "uper")
    assert "did you mean 'upper'" in refused.value.hint


def test_what_cannot_be_made_again_stays_as_it_was(kitchen):
    _, twice = kitchen.river()
    kitchen.cook(twice)
    again = from_here([twice], "twice")

    def spoil(job):
        raise ResourceError("the pan is too hot")

    object.__setattr__(twice, "run", spoil)
    with pytest.raises(ResourceError, match="too hot"):
        run(kitchen.store, [twice], listener=kitchen.events.append, again=again)
    assert kitchen.store.verify(twice.key)


def test_a_step_that_is_made_again_is_never_half_there(kitchen, monkeypatch):
    """Killed in the middle, the old result is there whole, or the new one."""
    upper, _ = kitchen.river()
    kitchen.cook(upper)
    folder = kitchen.store.root / "steps" / upper.key

    def killed(place, **_):
        if place == folder:
            (folder / "out.txt").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("covermaker.graph.store.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        run(kitchen.store, [upper], listener=events.nobody, again=frozenset([upper.key]))
    assert kitchen.store.verify(upper.key)
    monkeypatch.undo()
    kitchen.store.sweep()
    assert not list((kitchen.store.root / "tmp").iterdir())
