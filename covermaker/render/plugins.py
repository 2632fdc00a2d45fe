"""Plug-ins that fail: told, left out, or refused. A cover is made without them, never a wrong entry in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from covermaker.effects.plugins.failures import PluginFailed, remember
from covermaker.effects.plugins.row import absences, refuse_absent
from covermaker.graph.events import Note, StepFailed
from covermaker.project.places import NAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from covermaker.effects.rack import EffectSettings
    from covermaker.graph.events import Event, Listener
    from covermaker.render.automation import Lanes, Whose
    from covermaker.render.checks import Checked

T = TypeVar("T")

_WORDS: Final = {"tracks": "track", "groups": "group", "buses": "bus"}


def absent_notes(racks: Mapping[Whose, Sequence[EffectSettings]], lanes: Lanes) -> list[str]:
    """Say which plug-ins of some racks are not heard, and whose they are; `lanes` are all that move."""
    found: list[str] = []
    for whose, settings in racks.items():
        owner = "the master" if len(whose) == 1 else f"{_WORDS[whose[0]]} '{whose[1]}'"
        found += absences(settings, owner, lanes.of_rack(*whose))
    return found


def refuse_missing(checked: Checked) -> None:
    """Refuse a project in which a plug-in would not be heard.

    Raises
    ------
    PlaceError
        With the path inside the document.
    """
    cover, lanes = checked.project.cover, checked.lanes
    with checked.project.document.naming():
        for table in NAMED:
            for index, channel in enumerate(getattr(cover, table)):
                moves = lanes.of_rack(table, channel.name)
                refuse_absent(checked.racks[table, channel.name], f"{table}[{index}].rack", moves)
        refuse_absent(checked.racks["master",], "master.rack", lanes.of_rack("master"))


def surviving(work: Callable[[Listener], T], listener: Listener, *, strict: bool = False) -> T:
    """Do some work, and once more without a plug-in each time that one fails.

    What failed is remembered with its settings before the work begins anew, so that the steps that lack it have keys of
    their own: what is made without a plug-in is never kept as what it makes.

    Parameters
    ----------
    work : callable
        Reads the project itself, every time, and tells its events to what it is given.
    strict : bool
        A failing plug-in fails the work.
    """
    failed: set[str] = set()
    while True:
        held = _Held(listener)
        try:
            return work(held)
        except PluginFailed as error:
            if strict or error.settings in failed:
                held.release()
                raise
            failed.add(error.settings)
            remember(error)
            listener(Note(f"{error.message}; begun again without it ({error.hint})"))
        except BaseException:
            held.release()
            raise


class _Held:
    """Holds back that a step failed until it is known whether that is the end of it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._failed: list[Event] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepFailed):
            self._failed.append(event)
        else:
            self._listener(event)

    def release(self) -> None:
        """Tell what was held back."""
        for event in self._failed:
            self._listener(event)
        self._failed.clear()
