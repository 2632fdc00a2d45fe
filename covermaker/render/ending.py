"""How the last render of a project ended, kept in its hidden folder so that it is known after a restart.

While a render runs, the file names its process and its machine. One that is found there though its process is gone was
killed or has crashed. A render that ends well, or is cancelled, leaves no file. One that makes a part only (a preview,
or up to a step) clears nothing away that a whole one has left.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from covermaker.disk import jot, runs, this_host
from covermaker.errors import CovermakerError, ResourceError
from covermaker.graph.events import StepFailed, StepStarted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from covermaker.graph.events import Event, Listener

FILE_NAME = "ending.json"
LOG_NAME = "render.log"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last render gave no cover.

    Attributes
    ----------
    message, hint : str
        The cause and the next step.
    step : str
        Where it happened; "" when no step had begun.
    when : float
        Seconds since the epoch.
    key : str
        Of the step: a plan that has no such key any more does not fail there.
    """

    message: str
    hint: str = ""
    step: str = ""
    when: float = 0.0
    key: str = ""

    @property
    def words(self) -> str:
        """The cause, and where."""
        return f"the last render failed{f' at {self.step}' if self.step else ''}: {self.message}"


def last_failure(hidden: Path) -> Failure | None:
    """Return how the last render failed; None when it did not, or runs.

    Parameters
    ----------
    hidden : Path
        The project's hidden folder.
    """
    said = _read(hidden)
    if said is None:
        return None
    try:
        maker, step, when = (str(said["host"]), int(said["process"])), str(said["step"]), float(said["when"])
        key = str(said.get("key", ""))
        if said["message"]:
            return Failure(str(said["message"]), str(said["hint"]), step, when, key)
    except (LookupError, TypeError, ValueError):
        return None
    if runs(*maker):
        return None
    return Failure(
        "it was killed or has crashed",
        f"render again: finished steps are kept; log: {hidden / LOG_NAME}",
        step,
        when,
        key,
    )


def forget(hidden: Path) -> None:
    """Take the failure away: it was no failure, but somebody's wish."""
    with suppress(OSError):
        (hidden / FILE_NAME).unlink(missing_ok=True)


def is_whole(request: Mapping[str, Any]) -> bool:
    """Tell whether a request is for the whole cover: only such a render says that nothing fails any more."""
    return not (request.get("region") or request.get("until"))


@contextmanager
def ending(hidden: Path, listener: Listener, *, whole: bool = True) -> Iterator[Listener]:
    """Note how the block ends; gives the listener to use inside it.

    A disk that refuses the note changes nothing: the render is what matters.

    Parameters
    ----------
    hidden : Path
        The project's hidden folder.
    listener : callable
        Told everything.
    whole : bool
        As `is_whole` says. A render of a part notes that it failed, and nothing else.
    """
    at = key = ""

    def begun() -> None:
        if whole:
            _write(hidden, at, key=key)

    def over() -> None:
        if whole:
            forget(hidden)

    def hear(event: Event) -> None:
        nonlocal at, key
        if isinstance(event, StepStarted | StepFailed) and event.name != at:
            at, key = event.name, event.key if isinstance(event, StepStarted) else ""
            begun()
        listener(event)

    begun()
    try:
        yield hear
    except KeyboardInterrupt:
        over()
        raise
    except CovermakerError as error:
        if at or isinstance(error, ResourceError):
            _write(hidden, at, error.message, error.hint or "", key)
        else:  # refused as it stands: whoever looks at the project sees that, for as long as it is so
            over()
        raise
    except Exception as error:
        _write(
            hidden,
            at,
            f"a defect in Covermaker: {type(error).__name__}: {error}",
            "please report it with the log",
            key,
        )
        raise
    over()


def _write(hidden: Path, step: str, message: str = "", hint: str = "", key: str = "") -> None:
    failure = asdict(Failure(message, hint, step, time.time(), key))
    said = {**failure, "host": this_host(), "process": os.getpid()}
    with suppress(OSError):
        hidden.mkdir(exist_ok=True)
        # Plain ASCII: a message may name a file whose name is no Unicode text, which UTF-8 refuses.
        jot(hidden / FILE_NAME, json.dumps(said) + "\n")


def _read(hidden: Path) -> dict[str, Any] | None:
    try:
        said = json.loads((hidden / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None
