"""A Ray that runs nothing: what is handed out waits until a test says what becomes of it."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import Future
from types import SimpleNamespace

from covermaker import __version__
from covermaker.batch.engines.ray_look import look
from covermaker.batch.engines.ray_post import Post
from covermaker.batch.engines.ray_work import Singer, work
from covermaker.graph.events import Note, StepFinished, StepStarted

GOOD = {"unseen": [], "unlocked": False, "covermaker": __version__, "python": "3.11"}


class RayError(Exception):
    pass


class NodeDiedError(RayError):
    pass


class WorkerCrashedError(RayError):
    pass


class OutOfMemoryError(RayError):
    pass


class Reference:
    """Of something handed out: `order` is what is to be done, `node` where, `options` with which resources."""

    def __init__(self, node="", order=None, options=None, actor=None):
        self._future = Future()
        self.node, self.order, self.options, self.actor = node, order, options or {}, actor

    @property
    def is_open(self):
        return not self._future.done()

    def future(self):
        return self._future

    def give(self, *events, **outcome):
        """Say what became of it."""
        lines = [event.to_json() for event in events]
        self._future.set_result({"events": lines, "seconds": 0.1, **outcome})

    def made(self):
        """Say that the step was made, with its usual events."""
        name, key = self.options.get("name") or self.order["key"], self.order["key"]
        self.give(StepStarted(name, key), StepFinished(name, key, 0.1), Note("the same"), made=key)

    def fail(self, error):
        self._future.set_exception(error)

    def answer(self, value):
        self._future.set_result(value)
        return self


class Actor:
    def __init__(self, ray, options, arguments):
        self.ray, self.options, self.arguments = ray, options, arguments
        self.node = options["scheduling_strategy"].node_id if "scheduling_strategy" in options else ""
        self.killed = False
        self.ready = SimpleNamespace(remote=self._ready)
        self.work = SimpleNamespace(remote=self._work)
        self.take = SimpleNamespace(remote=self._take)
        ray.actors.append(self)

    def _ready(self):
        reference = Reference(self.node, actor=self)
        if self.node in self.ray.broken:
            reference.fail(RayError("it does not start"))
        else:
            reference.answer(1)
        return reference

    def _take(self, seconds):
        self.ray.mail = Reference()
        return self.ray.mail

    def _work(self, order, post):
        return self.ray.take(Reference(self.node, order, self.options, self))


class Remote:
    def __init__(self, ray, thing, options=None):
        self.ray, self.thing, self.own = ray, thing, options or {}

    def options(self, **more):
        return Remote(self.ray, self.thing, {**self.own, **more})

    def remote(self, *arguments):
        if self.thing in {Singer, Post}:
            return Actor(self.ray, self.own, arguments)
        node = self.own["scheduling_strategy"].node_id
        if self.thing is look:
            answer = self.ray.answers[node]
            reference = Reference(node)
            return reference if answer is None else reference.answer(answer)
        assert self.thing is work
        return self.ray.take(Reference(node, arguments[0], self.own))


class FakeRay:
    """Stands where the module stands; `cpus` of each node by its name."""

    cloudpickle = SimpleNamespace(register_pickle_by_value=lambda module: None)
    exceptions = SimpleNamespace(RayError=RayError)
    util = SimpleNamespace(
        scheduling_strategies=SimpleNamespace(
            NodeAffinitySchedulingStrategy=lambda node, soft: SimpleNamespace(node_id=node, soft=soft)
        )
    )

    def __init__(self, cpus, **resources):
        self.rows = {}
        self.answers = defaultdict(lambda: GOOD)
        self.broken = set()
        self.actors = []
        self.taken = []
        self.cancelled = []
        self.mail = None
        self.is_shut = False
        for name, count in cpus.items():
            self.add(name, count, **resources)

    def add(self, name, count, **resources):
        self.rows[name] = {
            "NodeID": name, "NodeName": name, "NodeManagerAddress": "127.0.0.1", "NodeManagerHostname": "host",
            "Alive": True, "Resources": {"CPU": float(count), "memory": float(64 << 30), **resources},
        }  # fmt: skip

    def remote(self, thing):
        return Remote(self, thing)

    def nodes(self):
        return list(self.rows.values())

    def wait(self, references, *, num_returns, timeout):
        return references, []

    def get(self, reference, timeout):
        if reference.is_open:
            raise RayError("not yet")
        return reference.future().result()

    def kill(self, actor):
        actor.killed = True

    def cancel(self, reference, *, force):
        assert force
        self.cancelled.append(reference)

    def shutdown(self):
        self.is_shut = True

    def take(self, reference):
        self.taken.append(reference)
        return reference

    @property
    def open(self):
        """What was handed out and has not ended."""
        return [
            one
            for one in self.taken
            if one.is_open and one not in self.cancelled and not (one.actor and one.actor.killed)
        ]

    def the(self, song, what):
        """Return the one open piece of a song: a step's key, or ``begin`` or ``end``."""
        (found,) = [
            one
            for one in self.open
            if one.order["song"] == song and (what in {one.order["key"], one.order["do"]})
        ]
        return found
