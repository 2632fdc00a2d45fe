"""The engine's own work, on a Ray that runs nothing: what goes out when and where, and what is told of it."""

import random

import pytest
from cluster_driving import ends, engine_at, task
from fake_ray import GOOD, FakeRay, NodeDiedError, OutOfMemoryError, WorkerCrashedError

from covermaker.batch.engines import ray as ray_engine
from covermaker.batch.engines import ray_cluster, ray_muster
from covermaker.batch.engines.base import songs_at_once
from covermaker.batch.engines.ray_needs import SINGING
from covermaker.errors import ExitCode, ResourceError
from covermaker.graph.events import Note, SongDone, SongFailed, StepFinished, StepStarted


def part(key, *needs, kind="rack"):
    return {"key": key, "name": key, "kind": kind, "needs": list(needs)}


CHAIN = (
    part("decode", kind="decode"),
    part("separate", "decode", kind="separate"),
    part("content", "separate", kind="content"),
    part("pitch", "separate", kind="pitch"),
    part("convert", "content", "pitch", kind="convert"),
    part("mix", "convert", "decode", kind="mix"),
)


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Open an engine on a Ray of some nodes: their CPUs by name."""
    engines = []

    def started(cpus, *, answers=None, device="auto", more=None, **resources):
        ray = FakeRay(cpus, **resources)
        ray.answers.update(answers or {})
        monkeypatch.setattr(ray_engine, "connect", lambda address, sized: ray)
        monkeypatch.setattr(ray_muster, "_REFRESH_SECONDS", 0.0)
        monkeypatch.setattr(ray_muster, "_beside", lambda look: look())
        engine = engine_at("auto", tmp_path / "out", tmp_path / "store", device=device, **(more or {}))
        engines.append(engine)
        engine.open()
        engine.hear(0.0)
        return engine, ray

    yield started
    for engine in engines:
        engine.close()


def song(number, **more):
    return task(number, f"/songs/{number}", **more)


def begin(engine, ray, number, parts=CHAIN, **more):
    """Submit a song and give its plan."""
    engine.submit(song(number, **more))
    ray.the(number, "begin").give(parts=list(parts), minutes=3.0)
    return engine.hear(0.0)


def step(engine, ray, number, key):
    ray.the(number, key).made()
    return engine.hear(0.0)


def later(engine):
    """Hear until all is heard: a look at the nodes, what came of it, and of that."""
    return [told for _ in range(4) for told in engine.hear(0.0)]


def keys(ray, number):
    return sorted(one.order["key"] or one.order["do"] for one in ray.open if one.order["song"] == number)


def notes(heard):
    return [told.event.text for told in heard if isinstance(told.event, Note)]


def test_steps_go_out_as_what_they_read_is_made(start):
    engine, ray = start({"a": 4})
    heard = begin(engine, ray, 1)
    assert keys(ray, 1) == ["decode"]
    heard += step(engine, ray, 1, "decode")
    assert keys(ray, 1) == ["separate"]
    assert ray.the(1, "separate").order["needs"] == ("decode",)
    heard += step(engine, ray, 1, "separate")
    assert keys(ray, 1) == ["content", "pitch"]
    heard += step(engine, ray, 1, "pitch")
    assert keys(ray, 1) == ["content"]
    heard += step(engine, ray, 1, "content")
    for key in ("convert", "mix"):
        heard += step(engine, ray, 1, key)
    assert keys(ray, 1) == ["end"]
    assert ray.the(1, "end").order["needs"] == ("mix",)
    ray.the(1, "end").give(result={"files": ["a.wav"]})
    heard += engine.hear(0.0)
    assert ends(heard)[1] == SongDone(1, {"files": ["a.wav"]})
    assert {told.place for told in heard} == {"a"}
    finished = [told.event.name for told in heard if isinstance(told.event, StepFinished)]
    assert finished == ["decode", "separate", "pitch", "content", "convert", "mix"]
    assert notes(heard) == ["the same"]  # told by every step, heard once
    assert ray.open == []


def test_networks_are_with_actors_and_the_rest_are_tasks(start):
    engine, ray = start({"a": 8})
    begin(engine, ray, 1)
    decode = ray.the(1, "decode")
    assert decode.actor is None
    assert decode.options["num_cpus"] == 1
    assert decode.options["max_retries"] == 0
    assert 0 < decode.options["memory"] < 1 << 30
    decode.made()
    engine.hear(0.0)
    separate = ray.the(1, "separate")
    assert separate.actor is not None
    assert separate.actor.options["num_cpus"] == 1.0
    assert separate.actor.options["num_gpus"] == 0.0
    assert separate.order["request"]["attended"] is True
    assert separate.order["request"]["device"] == "cpu"


@pytest.mark.parametrize(("device", "count", "gpus"), [("auto", 2, 1.0), ("cuda", 2, 1.0), ("cpu", 13, 0.0)])
def test_with_gpus_there_is_an_actor_for_each(start, device, count, gpus):
    engine, ray = start({"a": 16}, device=device, GPU=2.0)
    begin(engine, ray, 1, [part(f"s{number}", kind="separate") for number in range(20)])
    assert [one.actor.options["num_gpus"] for one in ray.open] == [gpus] * count
    assert {one.order["request"]["device"] for one in ray.open} == {device}


def test_actors_begin_with_the_work_for_them(start):
    engine, ray = start({"a": 8, "b": 8})

    def singers():
        return [actor for actor in ray.actors if actor.node]

    begin(engine, ray, 1, [part("decode", kind="decode"), part("separate", "decode", kind="separate")])
    assert singers() == []
    place = ray.the(1, "decode").node
    step(engine, ray, 1, "decode")
    assert [actor.node for actor in singers()] == [place]  # where its song is
    assert ray.the(1, "separate").actor is singers()[0]
    step(engine, ray, 1, "separate")
    begin(engine, ray, 2, [part("other", kind="separate")])
    assert len(singers()) == 1  # the same again


def test_what_waits_is_bounded_and_all_songs_end(start):
    engine, ray = start({"a": 2, "b": 6, "c": 1})
    draws = random.Random(4)
    wanted, ended = list(range(40)), {}
    most = songs_at_once(engine.places())
    while len(ended) < 40:
        while wanted and engine.takes(song(wanted[0])):
            number = wanted.pop(0)
            engine.submit(song(number))
        assert len({one.order["song"] for one in ray.open}) <= most
        for node, cpus in (("a", 2), ("b", 6), ("c", 1)):
            here = [one for one in ray.open if one.node == node]
            working = [one.actor for one in here if one.actor]
            assert len(working) == len(set(working))
            assert len(here) - len(working) <= max(1, cpus // 6)
        one = draws.choice(ray.open)
        number = one.order["song"]
        if one.order["do"] == "begin":
            parts = [{**each, "key": f"{number} {each['key']}", "needs": [f"{number} {up}" for up in each["needs"]]}
                     for each in CHAIN]  # fmt: skip
            one.give(parts=parts, minutes=1.0)
        elif one.order["do"] == "end":
            one.give(result={})
        else:
            one.made()
        ended |= ends(engine.hear(0.0))
    assert all(isinstance(event, SongDone) for event in ended.values())
    assert ray.open == []
    assert songs_at_once(engine.places()) == most


def test_a_song_stays_where_it_is_as_long_as_there_is_room(start):
    engine, ray = start({"a": 4, "b": 4})
    begin(engine, ray, 1)
    places = []
    for key in ("decode", "separate", "content"):
        places.append(ray.the(1, key).node)
        step(engine, ray, 1, key)
    assert len(set(places)) == 1


def test_a_step_of_two_songs_is_made_once(start):
    engine, ray = start({"a": 12})
    begin(engine, ray, 1)
    begin(engine, ray, 2)
    assert (keys(ray, 1), keys(ray, 2)) == (["decode"], [])
    step(engine, ray, 1, "decode")
    assert (keys(ray, 1), keys(ray, 2)) == (["separate"], ["decode"])  # there it is found made
    engine.cancel(1)
    engine.hear(0.0)
    step(engine, ray, 2, "decode")
    assert keys(ray, 2) == ["separate"]


def test_nothing_is_taken_beyond_what_keeps_the_cluster_busy(start):
    engine, _ = start({"a": 2})
    assert [place.room for place in engine.places()] == [2]
    engine.submit(song(1))
    assert engine.takes(song(2))
    engine.submit(song(2))
    assert not engine.takes(song(3))
    assert engine.places()[0].songs == (1,)  # the other waits for a place
    assert engine.places()[0].room == 0


def test_a_person_may_want_fewer_songs_at_once(start):
    engine, _ = start({"a": 16}, more={"songs": 1})
    assert songs_at_once(engine.places()) == 1
    engine.submit(song(1))
    assert not engine.takes(song(2))


def test_a_step_on_a_node_that_dies_is_made_elsewhere(start):
    engine, ray = start({"a": 4, "b": 4})
    begin(engine, ray, 1)
    first = ray.the(1, "decode")
    first.fail(NodeDiedError("gone"))
    heard = engine.hear(0.0)
    assert notes(heard) == [
        f"{first.node} is gone",
        f"{first.node} is gone while it made 'decode'; it is made again",
    ]
    other = ray.the(1, "decode")
    assert {first.node, other.node} == {"a", "b"}
    gone = next(place for place in engine.places() if place.name == first.node)
    assert gone.room == 0
    assert gone.note.startswith("gone since")
    # Ray comes to the same conclusion: nothing is told twice.
    ray.rows[first.node]["Alive"] = False
    assert later(engine) == []
    other.made()
    engine.hear(0.0)
    assert ray.the(1, "separate").node == other.node


def test_where_no_node_is_left_songs_wait_for_one(start):
    engine, ray = start({"a": 4})
    begin(engine, ray, 1)
    ray.rows["a"]["Alive"] = False
    assert notes(later(engine)) == ["a is gone"]
    ray.the(1, "decode").fail(NodeDiedError("gone"))
    engine.hear(0.0)
    assert ray.open == []
    assert not engine.takes(song(2))
    ray.add("b", 4)
    assert notes(later(engine)) == ["b came and works"]
    assert ray.the(1, "decode").node == "b"


def test_a_song_that_takes_nodes_with_it_is_given_up(start):
    engine, ray = start(dict.fromkeys("abcdefg", 4))
    begin(engine, ray, 1)
    for _ in range(5):
        ray.the(1, "decode").fail(NodeDiedError("gone"))
        assert ends(engine.hear(0.0)) == {}
    ray.the(1, "decode").fail(NodeDiedError("gone"))
    failure = ends(engine.hear(0.0))[1]
    assert failure.message == "6 nodes were lost while they made 'decode'"
    assert failure.exit_code == ExitCode.RESOURCE
    assert not failure.out_of_memory


def test_a_process_that_dies_again_and_again_may_have_lacked_memory(start):
    engine, ray = start({"a": 4})
    begin(engine, ray, 1)
    step(engine, ray, 1, "decode")
    for _ in range(2):
        separate = ray.the(1, "separate")
        separate.fail(WorkerCrashedError("gone"))
        assert notes(engine.hear(0.0)) == ["a lost the process while it made 'separate'; it is made again"]
        engine.hear(0.0)  # the actor that takes its place has come up
    ray.the(1, "separate").fail(WorkerCrashedError("gone"))
    failure = ends(engine.hear(0.0))[1]
    assert failure.out_of_memory
    assert "was ended 3 times" in failure.message
    assert failure.hint.endswith("a.log")
    assert engine.takes(song(2))


def test_what_ran_out_of_memory_is_told_at_once(start):
    engine, ray = start({"a": 4})
    begin(engine, ray, 1)
    ray.the(1, "decode").fail(OutOfMemoryError("no more"))
    failure = ends(engine.hear(0.0))[1]
    assert (failure.message, failure.out_of_memory) == ("a ran out of memory at 'decode'", True)


def test_a_defect_is_no_reason_to_try_again(start):
    engine, ray = start({"a": 4})
    engine.submit(song(1))
    ray.the(1, "begin").fail(ValueError("odd"))
    failure = ends(engine.hear(0.0))[1]
    assert failure.message == "the plan could not be run on a: odd"


def test_a_song_that_must_be_careful_has_fresh_actors_and_one_step_at_a_time(start):
    engine, ray = start({"a": 8})
    begin(engine, ray, 1, careful=True)
    step(engine, ray, 1, "decode")
    separate = ray.the(1, "separate")
    assert separate.actor.arguments[1] == 0  # it keeps nothing
    separate.made()
    engine.hear(0.0)
    assert separate.actor.killed
    assert keys(ray, 1) == ["content"]
    step(engine, ray, 1, "content")
    assert keys(ray, 1) == ["pitch"]


def test_a_song_that_must_be_alone_has_a_node_for_itself(start):
    engine, ray = start({"a": 4, "b": 4})
    ray.rows["b"]["Resources"]["memory"] *= 2
    for number in (1, 2, 3, 4):
        begin(engine, ray, number, [part(f"{number}", kind="separate")])
    there = {one.order["song"] for one in ray.open if one.node == "b"}
    assert there
    engine.submit(song(9, careful=True, alone=True))
    assert not engine.takes(song(10, alone=True))
    for number in there:  # it waits until the others have gone
        assert keys(ray, 9) == []
        step(engine, ray, number, f"{number}")
    assert all(one.node == "a" for one in ray.open if one.order["song"] != 9)
    assert ray.the(9, "begin").node == "b"
    ray.the(9, "begin").give(parts=[part("big", kind="separate")], minutes=60.0)
    engine.hear(0.0)
    big = ray.the(9, "big")
    assert big.node == "b"
    assert [actor for actor in ray.actors if actor.node == "b" and not actor.killed] == [big.actor]
    big.made()
    engine.hear(0.0)
    ray.the(9, "end").give(result={})
    engine.hear(0.0)
    engine.hear(0.0)
    assert engine.takes(song(10, alone=True))
    while ends_left := [one for one in ray.open if one.order["do"] == "end"]:
        ends_left[0].give(result={})
        engine.hear(0.0)
    begin(engine, ray, 10, [part(f"s{number}", kind="separate") for number in range(9)])
    assert {one.node for one in ray.open if one.order["song"] == 10} == {"a", "b"}


def test_a_plug_in_that_fails_is_left_out_on_all_nodes(start):
    engine, ray = start({"a": 4})
    begin(engine, ray, 1)
    failed = {"message": "Bad crashed", "hint": "see its log", "plugin": "Bad", "settings": "d1"}
    ray.the(1, "decode").give(without=failed)
    assert notes(engine.hear(0.0)) == ["Bad crashed; begun again without it (see its log)"]
    again = ray.the(1, "begin")
    assert again.order["failed"] == [failed]
    again.give(parts=[part("other")], minutes=3.0)
    engine.hear(0.0)
    ray.the(1, "other").give(without=failed)  # as if it had not helped
    assert ends(engine.hear(0.0))[1].message == "Bad crashed"


def test_a_project_that_is_edited_meanwhile_is_planned_again_but_not_for_ever(start):
    engine, ray = start({"a": 4})
    begin(engine, ray, 1)
    ray.the(1, "decode").give(moved=True)
    engine.hear(0.0)
    for _ in range(19):
        ray.the(1, "begin").give(parts=[part("x")], minutes=1.0)
        engine.hear(0.0)
        ray.the(1, "x").give(moved=True)
        heard = engine.hear(0.0)
    failure = ends(heard)[1]
    assert failure.message == "a finds other steps in the project than the rest of the cluster"
    assert "the same on all nodes" in failure.hint


def test_a_node_that_sees_the_folders_no_more_gets_no_work(start):
    engine, ray = start({"a": 4, "b": 4})
    begin(engine, ray, 1)
    first = ray.the(1, "decode")
    first.give(unseen=["the store"])
    assert notes(engine.hear(0.0)) == [f"{first.node} sees the store no more; it gets no work"]
    assert ray.the(1, "decode").node != first.node


def test_a_song_that_fails_tells_why_and_frees_its_place(start):
    engine, ray = start({"a": 8})
    begin(engine, ray, 1)
    step(engine, ray, 1, "decode")
    step(engine, ray, 1, "separate")
    pitch = ray.the(1, "pitch")
    ray.the(1, "content").give(
        failure={"message": "there is no file x.wav", "hint": None, "exit_code": 4, "out_of_memory": False}
    )
    failure = ends(engine.hear(0.0))[1]
    assert failure == SongFailed(
        1, "there is no file x.wav", "this is what a sees: --copy puts songs into the batch's folder", 4
    )
    assert pitch.is_open  # what ran beside it comes to its end, and keeps its networks
    assert not pitch.actor.killed
    assert engine.takes(song(2))
    pitch.made()
    assert engine.hear(0.0) == []
    begin(engine, ray, 2, [part(f"s{number}", kind="separate") for number in range(7)])
    assert len(ray.open) == 7


def test_a_cancelled_song_is_dropped_at_once(start):
    engine, ray = start({"a": 8})
    begin(engine, ray, 1)
    decode = ray.the(1, "decode")
    engine.cancel(1)
    heard = engine.hear(0.0)
    assert ends(heard)[1].exit_code == ExitCode.INTERRUPTED
    assert ray.cancelled == [decode]
    decode.made()  # too late
    assert engine.hear(0.0) == []
    engine.cancel(1)
    assert engine.hear(0.0) == []
    begin(engine, ray, 2)
    step(engine, ray, 2, "decode")
    separate = ray.the(2, "separate")
    engine.cancel(2)
    engine.hear(0.0)
    assert separate.actor.killed


def test_actors_that_never_come_up_are_told_of(start):
    engine, ray = start({"a": 2, "c": 4})
    ray.broken.add("c")
    begin(engine, ray, 1, [part(f"s{number}", kind="separate") for number in range(9)])
    later(engine)
    place = next(place for place in engine.places() if place.name == "c")
    assert place.note.startswith("its actors do not start; log: ")
    assert len([actor for actor in ray.actors if actor.node == "c"]) == 9  # three, three times
    for _ in range(9):  # the others do it all
        (one,) = ray.open
        assert one.node == "a"
        one.made()
        engine.hear(0.0)


def test_one_node_that_cannot_work_is_a_reason_not_to_begin(start, tmp_path):
    with pytest.raises(ResourceError) as refused:
        start({"a": 2, "b": 2, "c": 2}, answers={"b": {**GOOD, "unseen": ["the store"]}})
    assert refused.value.message == f"the store {tmp_path / 'store'} is not shared with b"
    assert not list(tmp_path.rglob(".shared*"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"unseen": ["the batch's folder"]}, "the batch's folder .*out is not shared with a, b"),
        ({"unlocked": True}, "locks in the store .* do not hold on a, b"),
        ({"covermaker": ""}, "a, b cannot import covermaker"),
        ({"covermaker": "0.0.1"}, r"covermaker is .* here; a has 0\.0\.1, b has 0\.0\.1"),
    ],
)
def test_why_nodes_cannot_work(start, answer, words):
    with pytest.raises(ResourceError, match=words) as refused:
        start({"a": 2, "b": 2}, answers={name: {**GOOD, **answer} for name in "ab"})
    assert refused.value.hint


def test_no_node_answers_or_none_has_a_cpu(start):
    with pytest.raises(ResourceError, match="a did not answer"):
        start({"a": 2}, answers={"a": None})
    with pytest.raises(ResourceError, match="no node of the cluster has a CPU"):
        start({"a": 0})


def test_a_silent_node_is_left_out(start):
    engine, _ = start({"a": 2, "b": 2}, answers={"b": None})
    assert [place.name for place in engine.places()] == ["a"]


def test_a_node_that_comes_and_cannot_work_gets_nothing(start):
    engine, ray = start({"a": 2})
    ray.answers["b"] = {**GOOD, "covermaker": ""}
    ray.add("b", 8)
    (said,) = notes(later(engine))
    assert said == "b came and gets no work: b cannot import covermaker"
    assert [place.name for place in engine.places()] == ["a"]


def test_nodes_of_one_name_are_told_apart(start):
    engine, ray = start({"a": 2})
    for row in ("b", "c"):
        ray.add(row, 2)
        ray.rows[row]["NodeName"] = "a"
    later(engine)
    assert sorted(place.name for place in engine.places()) == ["a", "a (2)", "a (3)"]


def test_the_moment_is_told_as_it_comes_and_not_again(start):
    engine, ray = start({"a": 4})
    begin(engine, ray, 1)
    begun = StepStarted("decode", "decode")
    said = [(1, "a", begun.to_json())] * 2 + [(7, "a", begun.to_json())]  # the last is of no song
    ray.mail.answer(said)
    assert [told.event for told in engine.hear(0.0)] == [begun]
    ray.mail.fail(ConnectionError("the actor moves"))
    assert engine.hear(0.0) == []
    assert ray.mail.is_open  # it is asked again
    heard = step(engine, ray, 1, "decode")
    assert [type(told.event) for told in heard] == [StepFinished, Note]


def test_a_head_that_is_gone_ends_the_batch_with_a_word(start, monkeypatch):
    engine, ray = start({"a": 4})
    begin(engine, ray, 1)
    later(engine)
    monkeypatch.setattr(ray_muster, "_beside", lambda look: None)  # it never comes back
    monkeypatch.setattr(ray_muster, "_HEAD_SECONDS", 0.0)
    at_end = []
    monkeypatch.setattr(ray_cluster.atexit, "register", at_end.append)
    with pytest.raises(
        ResourceError, match="the head of the Ray cluster does not answer any more"
    ) as refused:
        later(engine)
    assert "covermaker batch resume" in refused.value.hint
    engine.close()
    assert not ray.is_shut  # it would wait for the head
    assert at_end == [ray_cluster._end_at_once]


def test_closing_leaves_the_cluster(start, tmp_path):
    engine, ray = start({"a": 4})
    begin(engine, ray, 1)
    engine.close()
    assert ray.is_shut
    assert not list(tmp_path.rglob(".shared*"))


def test_every_kind_that_sings_is_a_kind():
    from covermaker.render.steps import KINDS

    assert set(KINDS) > SINGING
