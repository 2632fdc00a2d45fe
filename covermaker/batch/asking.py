"""What people ask of a batch from outside: left for the coordinator, or done at once where there is none."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from covermaker.batch.changing import AGAIN, NOTHING, is_hopeless, swap_turns
from covermaker.batch.words import called, cancelled_words
from covermaker.errors import UsageError
from covermaker.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Asked, Song, SongState

# Which songs an ask may be about, and what it makes of them where nobody works on the batch.
_STATES: Final[Mapping[str, frozenset[SongState]]] = {
    "retry": frozenset({"failed", "cancelled"}),
    "cancel": frozenset({"waiting", "running"}),
}
_CHANGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "retry": AGAIN,
    "cancel": {**AGAIN, "state": "cancelled", "hint": None},
}
# What is said of songs: where somebody works on the batch, and where nobody does.
_BECOME: Final = {
    "retry": ("waits to be tried again", "wait to be tried again"),
    "cancel": ("is cancelled", "are cancelled"),
}
_BECOMES: Final = {
    "retry": _BECOME["retry"],
    "cancel": ("is being cancelled: finished steps are kept", "are being cancelled: finished steps are kept"),
}
_SHOWN: Final = 3  # of songs that are not there
_OF_ALL: Final = {
    "pause": "is paused: what runs is finished, nothing is begun",
    "go on": "goes on",
    "stop": "stops: what runs waits for the next time",
}


def leave_ask(
    queue: Queue, what: Asked, numbers: Sequence[int] = (), *, states: Collection[SongState] = ()
) -> str:
    """Ask something of a batch; returns what to tell the person.

    Parameters
    ----------
    numbers : sequence of int
        The songs that are meant; none means all.
    states : collection of str
        Where no numbers are given: in which states songs are meant; by default those that failed, or that are not over.

    Raises
    ------
    UsageError
        When a song is not there, or nothing can come of it.
    """
    if what not in _STATES:
        if not queue.is_worked_on:
            raise UsageError(
                f"nobody works on {called(queue)}", hint=f"covermaker batch resume {quote(str(queue.folder))}"
            )
        queue.ask(what)
        return f"{called(queue)} {_OF_ALL[what]}"
    meant = _meant(queue, what, numbers, states)
    hopeless = [
        song for song in queue.songs("failed") if what == "retry" and not numbers and is_hopeless(song)
    ]
    told = f"; {_hopeless_words(hopeless, queue)}" if hopeless and (not states or "failed" in states) else ""
    if not meant:
        return f"{NOTHING} to {what} in {called(queue)}{told}"
    worked_on = queue.is_worked_on
    with queue.writing():
        for song in meant:
            if worked_on:
                queue.ask(what, song.id)
            else:
                queue.change(song.id, **_CHANGES[what], cause=_cause(what, song))
    return _told(queue, what, meant, worked_on=worked_on) + told


def _meant(queue: Queue, what: Asked, numbers: Sequence[int], states: Collection[SongState]) -> list[Song]:
    known = {song.id: song for song in queue.songs()}
    wanted = frozenset(numbers)
    for number in numbers:
        if number not in known:
            raise UsageError(
                f"{called(queue)} has no song {number}", hint=f"they are 1 to {max(known, default=0)}"
            )
        if what == "retry" and is_hopeless(known[number]):
            cause = known[number].cause
            hint = known[number].hint
            raise UsageError(
                f"entry {number} cannot be tried: {cause}",
                hint=f"{hint}; then run the list again" if hint else "mend the list and run it again",
            )
    may_be = _STATES[what]
    if not wanted:
        may_be = frozenset(states) or (frozenset({"failed"}) if what == "retry" else may_be)
    return [
        song
        for song in known.values()
        if song.state in may_be and (not wanted or song.id in wanted) and not is_hopeless(song)
    ]


def _hopeless_words(songs: Sequence[Song], queue: Queue) -> str:
    """Say which songs are not tried again, because the list names nothing that is there, and what to do."""
    shown = ", ".join(f"{song.id} ({one_line(song.cause)})" for song in songs[:_SHOWN])
    more = f" and {len(songs) - _SHOWN} more" if len(songs) > _SHOWN else ""
    which = f"song {shown} is" if len(songs) == 1 else f"songs {shown}{more} are"
    return (
        f"{which} not there to be tried: put the file back or mend the list, then run the list again: "
        f"covermaker batch LIST --out {quote(str(queue.folder))}"
    )


def _told(queue: Queue, what: Asked, meant: Sequence[Song], *, worked_on: bool) -> str:
    one, several = (_BECOMES if worked_on else _BECOME)[what]
    where = called(queue)
    words = (
        f"song {meant[0].id} '{meant[0].name}' of {where} {one}"
        if len(meant) == 1
        else f"{len(meant)} songs of {where} {several}"
    )
    if what == "retry" and not worked_on:
        words += f"; nobody works on it: covermaker batch resume {quote(str(queue.folder))}"
    return words


def _cause(what: Asked, song: Song) -> str:
    """Return what stands as a song's cause from now on; of one that is tried again it stays."""
    return cancelled_words(song.step) if what == "cancel" else song.cause


def change_turn(queue: Queue, number: int, by: int) -> None:
    """Let a song that waits go before the one that waits before it (-1), or after the next one (1)."""
    if queue.is_worked_on:
        queue.ask("earlier" if by < 0 else "later", number)
    else:
        swap_turns(queue, number, by)
