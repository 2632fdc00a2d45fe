"""Every error a user can meet, and the exit code it ends a command with.

::

    CovermakerError            1  a defect of ours
    ├── UsageError             2  the command line asks for something that does not exist
    ├── ProjectError           3  cover.toml, a preset or a voice card says something we refuse
    ├── AudioInputError        4  a file that cannot be read as audio
    ├── WeightsError           5  pretrained weights or a voice are missing or damaged
    └── ResourceError          6  no memory, no device, no disk, no permission

A message is one line and says what is wrong; `hint` says what to do next. Neither holds a traceback.
Errors of other packages are mapped to these where we call them (the seam), never further up.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """What a command's exit status means."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    PROJECT = 3
    AUDIO = 4
    WEIGHTS = 5
    RESOURCE = 6
    BATCH_PARTLY_FAILED = 7
    UNSIGNED = 8
    TAMPERED = 9
    INTERRUPTED = 130


class CovermakerError(Exception):
    """Base of every error we raise on purpose.

    Parameters
    ----------
    message : str
        One line, no trailing stop needed, says what is wrong and where.
    hint : str, optional
        One line with the next step.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = " ".join(message.split())
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} ({self.hint})"


class UsageError(CovermakerError):
    """The command line names something that does not exist or does not fit."""

    exit_code = ExitCode.USAGE


class ProjectError(CovermakerError):
    """A project document, preset or card is refused."""

    exit_code = ExitCode.PROJECT


class AudioInputError(CovermakerError):
    """A file is missing, empty, damaged or no audio."""

    exit_code = ExitCode.AUDIO


class WeightsError(CovermakerError):
    """Weights or a voice are missing, damaged or not what their name says."""

    exit_code = ExitCode.WEIGHTS


class ResourceError(CovermakerError):
    """The machine refused: memory, device, disk space or permission."""

    exit_code = ExitCode.RESOURCE


_NEARLY: Final = 0.75  # so alike that it is a slip of the finger
_LEAST_PART: Final = 3  # letters of a name that counts as a part of another


def _words(name: str) -> str:
    return re.sub(r"[\s.-]+", "_", name)


def nearest(name: str, known: Iterable[str], *, alike: float = 0.55) -> str:
    """Say which known name is closest: a hint for an unknown one.

    Parameters
    ----------
    alike : float
        How alike two names are at least, 0..1. Of commands more is asked for: the wrong one does something else.

    Returns
    -------
    str
        ``"did you mean 'reverb'?"``, or the list of what there is when nothing is close. A name whose words all stand
        in the unknown one goes before one that is spelt like it.
    """
    names = sorted(known)
    # Of 'hidden_channels' the known 'hidden' says more than 'critics_channels', which has more letters in common.
    parts = [one for one in names if len(one) >= _LEAST_PART and f"_{_words(one)}_" in f"_{_words(name)}_"]
    if parts and not get_close_matches(name, names, n=1, cutoff=_NEARLY):
        return f"did you mean '{max(parts, key=len)}'?"
    close = get_close_matches(name, names, n=1, cutoff=alike)
    if close:
        return f"did you mean '{close[0]}'?"
    return "known: " + ", ".join(names) if names else "there are none"
