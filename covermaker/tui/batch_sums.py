"""How far a queue is as a whole: a bar, numbers of songs, the time that is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.tui.words import about, count, cut, said

if TYPE_CHECKING:
    from covermaker.tui.words import Charset


@dataclass(frozen=True)
class Totals:
    """How far the whole queue is.

    Attributes
    ----------
    thing : str
        What is counted.
    ended : str
        What is said of those that somebody has stopped.
    fraction : float
        Of everything in the list, what runs by its share.
    seconds_left : float or None
        None while it cannot be known.
    songs_per_minute : float or None
        Of those that are done; None before there is one.
    standing : str
        Why not all that waits is done in turn; it is said in place of the time left.
    more : tuple of str
        What else there is to say.
    """

    thing: str = "render"
    ended: str = "stopped"

    of: int = 0
    done: int = 0
    running: int = 0
    waiting: int = 0
    failed: int = 0
    stopped: int = 0
    fraction: float = 0.0
    seconds_left: float | None = None
    songs_per_minute: float | None = None
    standing: str = ""
    more: tuple[str, ...] = ()


def totals_words(sums: Totals, width: int, charset: Charset) -> list[tuple[str, str]]:
    """Return two lines about the queue, each with its tone."""
    full, empty = ("#", "-") if charset == "ascii" else ("█", "░")
    parts = [f"{sums.done} of {sums.of} done"]
    for word, number in (("run", sums.running), ("wait", sums.waiting), ("failed", sums.failed)):
        if number:
            parts.append(said(word, charset, f"{number} {'running' if word == 'run' else word}"))
    if sums.stopped:
        parts.append(said("stopped", charset, f"{sums.stopped} {sums.ended}"))
    words = "  ".join(parts)
    cells_ = max(8, min(40, width - len(words) - 3))
    filled = int(cells_ * sums.fraction + 1e-9)
    bar = full * filled + empty * (cells_ - filled)
    rest = sums.running + sums.waiting
    second = []
    if sums.standing:
        second.append(sums.standing)
    elif rest and sums.seconds_left is not None:
        second.append(f"{about(sums.seconds_left)} left")
    elif rest:
        second.append("the time left is known soon")
    if sums.songs_per_minute is not None and rest:
        second.append(f"{sums.songs_per_minute:.1f} songs a minute")
    if not rest:
        problems = f", {sums.failed} failed" if sums.failed else ""
        every = "all " if sums.of > 1 else ""
        second.append(f"{every}{count(sums.of, sums.thing)} over{problems}" if sums.of else "")
    tone = "failed" if sums.failed and not rest else "stale" if sums.standing else "quiet"
    lines = [(f"{bar}  {words}", "run" if sums.running else ""), (", ".join([*second, *sums.more]), tone)]
    return [(cut(text, width, charset), its) for text, its in lines]
