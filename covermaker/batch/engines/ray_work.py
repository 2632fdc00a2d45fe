"""What runs on the nodes: the beginning of a song, one of its steps, or its end."""

from __future__ import annotations

import os
import sys
import time
import traceback
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.effects.plugins.failures import PluginFailed
from covermaker.errors import CovermakerError, ExitCode
from covermaker.graph.events import StepProgress, StepStarted
from covermaker.graph.opening import open_store
from covermaker.render.gauge import WANTED, gauge
from covermaker.render.stepwise import NotPlannedError, make, outline, without
from covermaker.render.tasks import render
from covermaker.weights.device import is_out_of_memory, take_cores
from covermaker.weights.warm import kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from covermaker.graph.events import Event, Listener

    Order = dict[str, Any]
    Outcome = dict[str, Any]

# Folders of a network show what another node has made some seconds later.
_PATIENCE_SECONDS: Final = 30.0

_JOBS: Final[Mapping[str, Callable[[dict[str, Any], Listener], dict[str, Any]]]] = {
    "render": render,
    "gauge": gauge,
}
_WANTED: Final[Mapping[str, Mapping[str, Any]]] = {"render": {}, "gauge": WANTED}

_logged = ""


class Reporter:
    """Keeps what a piece of work tells, for its outcome; what is of the moment goes home at once.

    Parameters
    ----------
    post : object or None
        The actor `ray_post.Post`.
    every_seconds : float
        How often progress goes home, at most.
    """

    def __init__(self, song: int, node: str, post: Any, every_seconds: float) -> None:
        self._where = song, node
        self._post = post
        self._every = every_seconds
        self._last = -every_seconds
        self.kept: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if not isinstance(event, StepProgress):
            self.kept.append(event.to_json())
        now = time.monotonic()
        of_the_moment = isinstance(event, StepStarted) or (
            isinstance(event, StepProgress) and now - self._last >= self._every
        )
        if of_the_moment and self._post is not None:
            self._last = now
            self._post.put.remote(*self._where, event.to_json())


class Singer:
    """An actor of Ray: a process that keeps the networks it has used."""

    def __init__(self, threads: int, keep_bytes: int, log: str) -> None:
        _log_to(log)
        take_cores(threads)
        self._kept = ExitStack()  # as long as the process lives
        if keep_bytes:
            self._kept.enter_context(kept(keep_bytes))

    def ready(self) -> int:
        """Answer, so that the driver knows that it is up; returns its process."""
        return os.getpid()

    def work(self, order: Order, post: Any = None) -> Outcome:
        """Do a piece of work; see `work`."""
        return work(order, post)


def work(order: Order, post: Any = None) -> Outcome:
    """Do a piece of work and say what became of it.

    Parameters
    ----------
    order : dict
        ``do`` (a name of `_DO`), ``song``, ``request``, ``key`` of the step, ``needs``: keys that were made just now,
        ``failed`` plug-ins, ``places`` and ``token`` that a node sees which may work, ``threads``, ``log``, ``node``,
        ``every``.
    post : actor
        Gets what is of the moment.

    Returns
    -------
    dict
        ``events`` as JSON lines, ``seconds``, and one of: ``parts`` with ``minutes``; ``result``; ``made``;
        ``failure``; ``unseen``, when this node does not see what all must see; ``without``, a plug-in that failed;
        ``moved``, when the project has changed.
    """
    _log_to(order["log"])
    take_cores(order["threads"])
    hear = Reporter(order["song"], order["node"], post, order["every"])
    began = time.monotonic()
    outcome = _outcome(order, hear)
    return {**outcome, "events": hear.kept, "seconds": round(time.monotonic() - began, 4)}


def _outcome(order: Order, hear: Listener) -> Outcome:
    unseen = [name for name, place in order["places"].items() if _read(place) != order["token"]]
    if unseen:
        return {"unseen": unseen}
    try:
        without(order["failed"])
        _await(order["request"].get("store"), order["needs"])
        return _DO[order["do"]](order, hear)
    except PluginFailed as error:
        if order["request"].get("strict"):
            return {"failure": _failure(error)}
        return {
            "without": {
                "message": error.message, "hint": error.hint or "", "plugin": error.plugin, "settings": error.settings,
            }
        }  # fmt: skip
    except NotPlannedError:
        return {"moved": True}
    except Exception as error:
        return {"failure": _failure(error)}


def _begin(order: Order, hear: Listener) -> Outcome:
    request = order["request"]
    found = outline({**request, **_WANTED[request["job"]]}, hear)
    if not found.parts:
        return _end(order, hear)
    return {"parts": [asdict(part) for part in found.parts], "minutes": found.minutes}


def _step(order: Order, hear: Listener) -> Outcome:
    request = order["request"]
    make({**request, **_WANTED[request["job"]]}, order["key"], hear)
    return {"made": order["key"]}


def _end(order: Order, hear: Listener) -> Outcome:
    return {"result": _JOBS[order["request"]["job"]](order["request"], hear)}


_DO: Final[Mapping[str, Callable[[Order, Listener], Outcome]]] = {"begin": _begin, "step": _step, "end": _end}


def _await(store: str | None, keys: Iterable[str]) -> None:
    """Wait until this node sees what others have made; what never comes is made again."""
    opened = open_store(store)
    until = time.monotonic() + _PATIENCE_SECONDS
    for key in keys:
        pause = 0.02
        while opened.get(key) is None and time.monotonic() < until:
            time.sleep(pause)
            pause = min(1.0, 2.0 * pause)


def _failure(error: Exception) -> dict[str, Any]:
    out_of_memory = any(is_out_of_memory(one) for one in (error, error.__cause__) if one is not None)
    if isinstance(error, CovermakerError):
        return {
            "message": error.message, "hint": error.hint, "exit_code": int(error.exit_code),
            "out_of_memory": out_of_memory,
        }  # fmt: skip
    traceback.print_exc()
    return {
        "message": f"a defect in Covermaker: {type(error).__name__}: {error}",
        "hint": "please report it with the log",
        "exit_code": int(ExitCode.INTERNAL),
        "out_of_memory": out_of_memory,
    }


def _read(place: str) -> str | None:
    try:
        return Path(place).read_text(encoding="utf-8")
    except OSError:
        return None


def _log_to(place: str) -> None:
    """Let what this process and its libraries write to stdout and stderr go to a file of the batch."""
    global _logged
    if not place or place == _logged:
        return
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    _logged = place
