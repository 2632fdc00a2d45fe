"""Which nodes of the cluster may work: those that have proved that they can, and are not gone."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.engines.base import Told
from covermaker.batch.engines.ray_cluster import nodes
from covermaker.batch.engines.ray_look import look
from covermaker.errors import ResourceError
from covermaker.graph.events import Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.batch.engines.ray_cluster import Node
    from covermaker.batch.engines.ray_crew import Crew, Heard, Station
    from covermaker.batch.engines.ray_sharing import Sharing

_REFRESH_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 60.0
# Ray ends the process that it is in, without a word of ours, when its head was silent for a minute.
_HEAD_SECONDS: Final = 40.0

# A node that was cut off is asked again when Ray has gone on to call it alive for so long.
_DOUBT_SECONDS: Final = 30.0


class Muster:
    """Lets nodes into a crew and takes them out.

    Parameters
    ----------
    ray : module
        Connected.
    heard : callable
        Takes, from any thread, what is to be done on the engine's.
    """

    def __init__(self, ray: Any, sharing: Sharing, crew: Crew, heard: Heard) -> None:
        self._ray = ray
        self._sharing = sharing
        self._crew = crew
        self._heard = heard
        # A node without Covermaker must be able to answer, too.
        ray.cloudpickle.register_pickle_by_value(sys.modules[look.__module__])
        self._look = ray.remote(look)
        self._named: dict[str, str] = {}
        self._asked: set[str] = set()
        self._doubted: dict[str, float] = {}
        self._told: list[Told] = []
        self._refreshed = time.monotonic()
        self._refreshing = False

    def admit_all(self) -> None:
        """Let all nodes work; at the beginning one that cannot is a reason not to begin. A silent one is left out.

        Raises
        ------
        ResourceError
            When a node cannot work, none answers, or none has a CPU.
        """
        there = [node for node in nodes(self._ray, self._named) if node.alive]
        asked = {node.id: self._ask(node.id) for node in there}
        self._ray.wait(list(asked.values()), num_returns=len(asked), timeout=_LOOK_SECONDS)
        answers = {node.id: self._answer(asked[node.id]) for node in there}
        heard = {node.name: answers[node.id] for node in there if answers[node.id] is not None}
        complaint = self._sharing.complaint(heard or {node.name: None for node in there})
        if complaint is not None:
            raise complaint
        for node in there:
            if answers[node.id] is not None:
                self._crew.add(node)
            else:  # Ray needs a while to see that a node is gone
                self._doubted[node.id] = time.monotonic()
                self._told.append(
                    Told(None, node.name, Note(f"{node.name} does not answer; it gets no work"))
                )
        if not self._crew.songs:
            raise ResourceError(
                "no node of the cluster has a CPU for us", hint="start nodes: ray start --address HOST:PORT"
            )

    def refresh(self) -> None:
        """Look now and then which nodes came and went; on a thread, as a head that is gone answers nobody.

        Raises
        ------
        ResourceError
            When it has not answered for long.
        """
        since = time.monotonic() - self._refreshed
        if self._refreshing and since > _HEAD_SECONDS:
            raise ResourceError(
                "the head of the Ray cluster does not answer any more",
                hint="what is made stays; when the cluster is up again: covermaker batch resume",
            )
        if not self._refreshing and since >= _REFRESH_SECONDS:
            self._refreshed, self._refreshing = time.monotonic(), True
            _beside(self._refresh)

    def _refresh(self) -> None:
        with suppress(Exception):  # it is asked again; one that never answers is noticed
            found = nodes(self._ray, self._named)
            self._heard(partial(self._refreshed_with, found))

    def _refreshed_with(self, found: list[Node]) -> list[Told]:
        self._refreshing = False
        now = time.monotonic()
        told, self._told = self._told, []
        for node in found:
            station = self._crew.stations.get(node.id)
            if not node.alive:
                self._doubted.pop(node.id, None)
                if station is not None and station.alive:
                    told += self._lose(station)
            elif node.id not in self._asked:
                self._ask(node.id).future().add_done_callback(partial(self._heard_of, node))
            elif now - self._doubted.get(node.id, now) > _DOUBT_SECONDS:
                del self._doubted[node.id]
                self._asked.discard(node.id)
        return told

    def doubt(self, station: Station) -> list[Told]:
        """Take a node as gone before Ray is sure of it."""
        if not station.alive:
            return []
        self._doubted[station.node.id] = time.monotonic()
        return self._lose(station)

    def _lose(self, station: Station) -> list[Told]:
        self._crew.lose(station, f"gone since {time.strftime('%H:%M')}; what it did is done elsewhere")
        return [Told(None, station.node.name, Note(f"{station.node.name} is gone"))]

    def _ask(self, node: str) -> Any:
        self._asked.add(node)
        asked = self._look.options(num_cpus=0, max_retries=0, scheduling_strategy=self._crew.at(node))
        return asked.remote(*self._sharing.asked)

    def _answer(self, reference: Any) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = self._ray.get(reference, timeout=0.1)
        except self._ray.exceptions.RayError:
            return None
        return answer

    def _heard_of(self, node: Node, done: Any) -> None:
        self._heard(partial(self._admit, node, done))

    def _admit(self, node: Node, done: Any) -> list[Told]:
        """Let a node work that came while the batch runs, if it can."""
        answer = None if done.exception() is not None else done.result()
        complaint = self._sharing.complaint({node.name: answer})
        if complaint is not None:
            return [Told(None, node.name, Note(f"{node.name} came and gets no work: {complaint.message}"))]
        self._crew.add(node)
        return [Told(None, node.name, Note(f"{node.name} came and works"))]


def _beside(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="nodes", daemon=True).start()
