"""A render taken apart, for those who let several machines work on one cover: its plan, and one step of it.

The end is `covermaker.render.tasks.render` itself: it finds every step made, and writes the files as it always does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.audio.files import probe
from covermaker.effects.plugins.failures import PluginFailed, failures, remember
from covermaker.graph.events import Planned
from covermaker.graph.run import in_order, run
from covermaker.project.load import hidden_folder
from covermaker.render.ending import ending, is_whole
from covermaker.render.finishing import prepare_signing
from covermaker.render.tasks import planned, river_of, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.graph.events import Listener


@dataclass(frozen=True, slots=True)
class Part:
    """A step that has to be made.

    Attributes
    ----------
    key, name, kind : str
        As of `covermaker.graph.step.Step`.
    needs : tuple of str
        Keys of the parts that must be made before.
    """

    key: str
    name: str
    kind: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """What is to be made for a cover, upstream first.

    Attributes
    ----------
    parts : tuple of Part
        Empty when nothing is missing but the files themselves, if they are.
    minutes : float
        Of the song.
    """

    parts: tuple[Part, ...]
    minutes: float


class NotPlannedError(Exception):
    """The project has no such step, or has none any more: it was edited, or this machine reads it differently."""


def outline(request: dict[str, Any], listener: Listener) -> Outline:
    """Say which steps of a project have to be made.

    Parameters
    ----------
    request : dict
        As `covermaker.render.tasks.render` takes it, of a whole song.
    """
    river, _, steps, _ = planned(request)
    if prepare_signing(river.checked, river.claim, steps):
        river, _, steps, _ = planned(request)
    listener(Planned(summary(steps)))
    missing = {one.step.key for one in steps if one.will_run}
    parts: dict[str, Part] = {}
    for one in steps:
        if one.will_run:
            step = one.step
            needs = tuple(up.key for up in step.upstream() if up.key in missing)
            parts[step.key] = Part(step.key, step.name, step.kind, needs)
    return Outline(tuple(parts.values()), probe(river.checked.song).seconds / 60.0)


def make(request: dict[str, Any], key: str, listener: Listener) -> None:
    """Make one step; what it reads is taken from the store, and made where it is missing or damaged.

    Raises
    ------
    NotPlannedError
        When the project has no step of this key.
    PluginFailed
        It is noted on this machine; see `without`.
    CovermakerError
        As of the step.
    """
    with ending(hidden_folder(Path(request["project"])), listener, whole=is_whole(request)) as hear:
        _, targets, store = river_of(request)
        step = next((one for one in in_order(targets) if one.key == key), None)
        if step is None:
            raise NotPlannedError(key)
        run(store, [step], listener=hear, device=request.get("device", "auto"))


def without(failed: Iterable[Mapping[str, str]]) -> None:
    """Note plug-ins that failed on another machine, so that this one leaves them out as well.

    Parameters
    ----------
    failed : iterable of dict
        Of each ``message``, ``plugin`` and ``settings``, as `PluginFailed` has them.
    """
    known = failures()
    for one in failed:
        if one["settings"] not in known:
            error = PluginFailed(one["message"])
            error.plugin, error.settings = one["plugin"], one["settings"]
            remember(error)
