"""The child's side: one request as a line of JSON on stdin, events as lines of JSON on stdout.

Run as ``python -m covermaker.jobs.child``. A conversation takes more lines after the request. Stdin stays open while
the parent lives; its end means that the parent is gone, and the child leaves at once. Whatever a library prints goes to
stderr, the log, never between the events.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from functools import partial
from importlib import import_module
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from covermaker.errors import ExitCode
from covermaker.graph.events import Failed, Finished
from covermaker.jobs.interrupts import interruptible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from covermaker.graph.events import Event, Listener

    Job = Callable[[dict[str, Any], Listener], dict[str, Any]]

JOBS = {
    "render": "covermaker.render.tasks:render",
    "separate": "covermaker.render.tasks:separate",
    "convert": "covermaker.render.tasks:convert",
    "export": "covermaker.render.exporting:export",
    "stretches": "covermaker.render.preview_jobs:stretches",
    "train": "covermaker.training.task:train",
    "audition": "covermaker.training.task:audition",
    "promote": "covermaker.training.task:promote",
    "take-in": "covermaker.takes.task:take_in",
    "scan": "covermaker.takes.task:scan",
    "evaluate": "covermaker.evaluate.task:evaluate",
    "import-voice": "covermaker.voices.community.task:import_voice",
    "export-voice": "covermaker.voices.community.task:export_voice",
    "export-training": "covermaker.training.task:export_training",
}

# Those that stay, and get what follows the request on stdin, line by line.
CONVERSATIONS = {
    "preview": "covermaker.render.preview_jobs:serve",
    "songs": "covermaker.render.songs:serve",
}


def main() -> int:
    """Serve one request and return the exit code."""
    interruptible()
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.readline() or b"{}")
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_leave_with_parent, args=(lines,), daemon=True).start()
    lock = threading.Lock()

    def tell(event: Event) -> None:
        with lock:
            events.write(event.to_json() + "\n")

    try:
        wanted = request["job"]
        module, _, name = {**JOBS, **CONVERSATIONS}[wanted].partition(":")
        found = getattr(import_module(module), name)
        job = cast("Job", partial(_talk, found, lines) if wanted in CONVERSATIONS else found)
        tell(Finished(job(request, tell)))
    except KeyboardInterrupt:
        tell(Failed("interrupted", "run it again: finished steps are kept", int(ExitCode.INTERRUPTED)))
        return int(ExitCode.INTERRUPTED)
    except Exception as error:
        failed = Failed.of(error)
        tell(failed)
        return failed.exit_code
    return int(ExitCode.OK)


def _talk(
    job: Callable[[dict[str, Any], Iterator[bytes], Listener], dict[str, Any]],
    lines: SimpleQueue[bytes],
    request: dict[str, Any],
    tell: Listener,
) -> dict[str, Any]:
    """Run a job that is asked more; it has no end but that of the process."""
    return job(request, iter(lines.get, None), tell)


def _leave_with_parent(lines: SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        lines.put(line)
    # Not sys.exit: native code in another thread must not hold up the end.
    os._exit(int(ExitCode.INTERRUPTED))


if __name__ == "__main__":
    # os._exit: at the interpreter's end, threads of native libraries have been seen to hang or crash.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
