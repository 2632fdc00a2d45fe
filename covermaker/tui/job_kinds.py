"""The kinds of jobs: what is said of each, and how the studio treats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RENDER: Final = "render"
TRAIN: Final = "train"
LISTEN: Final = "listen"


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind.

    Attributes
    ----------
    doing : str
        Said of it behind its title while it runs.
    done : str
        The same when it is done.
    busy : str
        Said before its share.
    kept : str
        What stays when it is stopped; of a training that depends on how far it came.
    of_voice : bool
        What it works on is a voice.
    is_short : bool
        Ended without a question.
    is_quiet : bool
        Its end is said on the screen where it was asked for, and over no other one, unless it failed.
    tells_phases : bool
        Its steps are called by what they do, and it says itself how long it still takes.
    """

    doing: str = "is being worked on"
    done: str = "done"
    busy: str = ""
    kept: str = "finished steps are kept"
    of_voice: bool = False
    is_short: bool = False
    is_quiet: bool = False
    tells_phases: bool = False


KINDS: Final = {
    RENDER: JobKind("is being rendered", "rendered"),
    TRAIN: JobKind("is in training", "trained", of_voice=True, tells_phases=True),
    "take-in": JobKind(
        "is being taken in", "taken in", "taking in", "nothing was taken in",
        of_voice=True, is_short=True, is_quiet=True,
    ),
    "scan": JobKind(
        "is being scanned", "scanned", "scan", of_voice=True, is_short=True, is_quiet=True
    ),
    LISTEN: JobKind("is being listened to", "listened to", "listening", is_short=True, is_quiet=True),
    "import-voice": JobKind(
        "is being taken in", "taken in", "taking in", "nothing was taken in",
        of_voice=True, is_short=True, is_quiet=True,
    ),
    "export-voice": JobKind(
        "is being written out", "written out", "writing out", of_voice=True, is_short=True, is_quiet=True
    ),
    "audition": JobKind("is singing", "sung", "audition", of_voice=True, is_short=True, is_quiet=True),
    "promote": JobKind(
        "is being promoted", "promoted", kept="the voice is what it was", of_voice=True, is_quiet=True
    ),
}  # fmt: skip
_OTHER: Final = JobKind()
SHORT: Final = tuple(name for name, kind in KINDS.items() if kind.is_short)


def kind_of(name: str) -> JobKind:
    """Return a kind by its name."""
    return KINDS.get(name, _OTHER)
