"""The parent's side: start a job in a child process, listen to its events, survive its death.

A native crash, an illegal instruction or an out-of-memory kill ends the child and becomes one line here; the terminal
that started it is never harmed. The child ends by itself when its parent dies: it watches its stdin.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from covermaker.disk import disk_errors
from covermaker.errors import CovermakerError, ResourceError
from covermaker.graph.events import Event, Failed, Finished, from_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.graph.events import Listener

# -P: a file of the working folder must not be imported in place of a package.
COMMAND: Final = (sys.executable, "-P", "-m", "covermaker.jobs.child")

# How long a cancelled child may take to drop its step before it is killed.
_GRACE_SECONDS = 3.0

# numpy's matrix products here are small: on two threads they wait for each other longer than they compute, most of
# all on a busy machine. Networks have threads of their own and keep them.
_QUIET_BLAS = {"OPENBLAS_NUM_THREADS": "1"}

# glibc gives blocks of sound back to the system at every release and takes them again, page by page, a moment later:
# that is a third of the time of a rack. Kept, they are used again; other systems ignore these names.
_KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(256 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
}


# What is set for every process that renders, unless a person has set it.
TUNED: Final = {**_QUIET_BLAS, **_KEPT_MEMORY}


def environment() -> dict[str, str]:
    """Return the environment of a child: this process's own, whose settings win, and what makes a child faster."""
    return {**TUNED, **os.environ, "PYTHONUNBUFFERED": "1"}


def launch(request: Mapping[str, Any], *, listener: Listener, log: Path) -> dict[str, Any]:
    """Run a job of `covermaker.jobs.child` and return its result.

    Parameters
    ----------
    request : dict
        ``{"job": "render", …}``; see `child.JOBS`.
    listener : callable
        Gets every event of the child, in order.
    log : Path
        Takes what the child and its libraries write to stderr; emptied first.

    Raises
    ------
    CovermakerError
        The child's own error with its exit code, or `ResourceError` when it was killed or crashed.
    KeyboardInterrupt
        After the child has been stopped.
    """
    with disk_errors(log.parent):
        log.parent.mkdir(parents=True, exist_ok=True)
        errors = log.open("wb")
    with errors:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(),
            start_new_session=True,
        )
    try:
        return _listen(child, request, listener, log)
    except BaseException:
        _stop(child)
        raise
    finally:
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


def _listen(
    child: subprocess.Popen[bytes], request: Mapping[str, Any], listener: Listener, log: Path
) -> dict[str, Any]:
    assert child.stdin is not None
    assert child.stdout is not None
    last: Event | None = None
    try:
        child.stdin.write(json.dumps(dict(request)).encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        pass  # It died at once: what follows says how.
    for line in child.stdout:
        if not line.endswith(b"\n"):
            break  # cut off when it was killed
        last = from_json(line.decode("utf-8"))
        if not isinstance(last, Failed):
            listener(last)
    status = child.wait()
    if isinstance(last, Finished) and status == 0:
        return last.result
    if isinstance(last, Failed):
        raise last.as_error()
    raise death(status, log)


def death(status: int, log: Path) -> CovermakerError:
    """Return what to say of a child that ended without a result."""
    if status == -signal.SIGKILL:
        return ResourceError(
            "the job was killed, most likely because the machine ran out of memory",
            hint=f"close other programs and run it again: finished steps are kept; log: {log}",
        )
    if status < 0:
        name = signal.Signals(-status).name
        return ResourceError(
            f"the job crashed ({name}) in native code", hint=f"run: covermaker doctor; log: {log}"
        )
    return CovermakerError(f"the job ended without a result (exit status {status})", hint=f"log: {log}")


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGINT)
    try:
        child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
