"""What people ask of a batch from outside: left for the coordinator, or done at once where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.batch.changing import AGAIN, is_broken, swap_turns
from covermaker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Asked, SongState

# Which songs an ask is about, and what it makes of them where nobody works on the batch.
_BECOME: dict[str, tuple[frozenset[SongState], SongState]] = {
    "retry": (frozenset({"failed", "cancelled"}), "waiting"),
    "cancel": (frozenset({"waiting", "running"}), "cancelled"),
}
_CHANGES = {"retry": AGAIN, "cancel": {**AGAIN, "state": "cancelled", "cause": "cancelled"}}
_NOBODY = "nobody works on the batch"


def leave_ask(queue: Queue, what: Asked, numbers: Sequence[int] = ()) -> str:
    """Ask something of a batch; returns what to tell the person.

    Parameters
    ----------
    numbers : sequence of int
        The songs that are meant; none means all, and for ``"retry"`` all that failed.

    Raises
    ------
    UsageError
        When a song is not there, or nothing can come of it.
    """
    if what not in _BECOME:
        if not queue.is_worked_on:
            raise UsageError(f"{_NOBODY} in {queue.folder}", hint=f"covermaker batch resume {queue.folder}")
        queue.ask(what)
        return {"pause": "paused", "go on": "goes on", "stop": "stops"}.get(what, what)
    known = {song.id: song for song in queue.songs()}
    for number in numbers:
        if number not in known:
            raise UsageError(f"the batch has no song {number}", hint=f"they are 1 to {max(known, default=0)}")
    states, become = _BECOME[what]
    if not numbers and what == "retry":
        states = frozenset({"failed"})
    broken = [number for number in numbers if is_broken(known[number])]
    if broken:
        raise UsageError(
            f"entry {broken[0]} is no song: {known[broken[0]].cause}", hint="mend the list and run it again"
        )
    meant = [
        song
        for song in known.values()
        if song.state in states and (not numbers or song.id in numbers) and not is_broken(song)
    ]
    if not meant:
        return f"nothing to {what}"
    worked_on = queue.is_worked_on
    with queue.writing():
        for song in meant:
            if worked_on:
                queue.ask(what, song.id)
            else:
                queue.change(song.id, **_CHANGES[what])
    count = f"{len(meant)} song" + ("s" if len(meant) != 1 else "")
    if worked_on:
        return f"{count}: {what}"
    more = f"; {_NOBODY}: covermaker batch resume {queue.folder}" if what == "retry" else ""
    return f"{count}: {become}{more}"


def change_turn(queue: Queue, number: int, by: int) -> None:
    """Let a song that waits go before the one that waits before it (-1), or after the next one (1)."""
    if queue.is_worked_on:
        queue.ask("earlier" if by < 0 else "later", number)
    else:
        swap_turns(queue, number, by)
