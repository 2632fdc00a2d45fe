"""How the last render of a project ended, kept in its hidden folder so that it is known after a restart.

While a render runs, the file names its process. One that is found there though its process is gone was killed or has
crashed. A render that ends well, or is cancelled, leaves no file.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from covermaker.disk import is_alive, jot
from covermaker.errors import CovermakerError, ResourceError
from covermaker.graph.events import StepFailed, StepStarted

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    """

    message: str
    hint: str = ""
    step: str = ""
    when: float = 0.0

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
        maker, step, when = int(said["process"]), str(said["step"]), float(said["when"])
        if said["message"]:
            return Failure(str(said["message"]), str(said["hint"]), step, when)
    except (LookupError, TypeError, ValueError):
        return None
    if is_alive(maker):
        return None
    return Failure(
        "it was killed or has crashed",
        f"render again: finished steps are kept; log: {hidden / LOG_NAME}",
        step,
        when,
    )


def forget(hidden: Path) -> None:
    """Take the failure away: it was no failure, but somebody's wish."""
    with suppress(OSError):
        (hidden / FILE_NAME).unlink(missing_ok=True)


@contextmanager
def ending(hidden: Path, listener: Listener) -> Iterator[Listener]:
    """Note how the block ends; gives the listener to use inside it.

    A disk that refuses the note changes nothing: the render is what matters.
    """
    at = ""
    _write(hidden, at)

    def hear(event: Event) -> None:
        nonlocal at
        if isinstance(event, StepStarted | StepFailed) and event.name != at:
            at = event.name
            _write(hidden, at)
        listener(event)

    try:
        yield hear
    except KeyboardInterrupt:
        forget(hidden)
        raise
    except CovermakerError as error:
        if at or isinstance(error, ResourceError):
            _write(hidden, at, error.message, error.hint or "")
        else:  # refused as it stands: whoever looks at the project sees that, for as long as it is so
            forget(hidden)
        raise
    except Exception as error:
        _write(
            hidden,
            at,
            f"a defect in Covermaker: {type(error).__name__}: {error}",
            "please report it with the log",
        )
        raise
    forget(hidden)


def _write(hidden: Path, step: str, message: str = "", hint: str = "") -> None:
    said = {**asdict(Failure(message, hint, step, time.time())), "process": os.getpid()}
    with suppress(OSError):
        hidden.mkdir(exist_ok=True)
        jot(hidden / FILE_NAME, json.dumps(said, ensure_ascii=False) + "\n")


def _read(hidden: Path) -> dict[str, Any] | None:
    try:
        said = json.loads((hidden / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None
