"""The audio process: commands as lines of JSON on stdin, events as lines of JSON on stdout.

Run as ``python -m covermaker.play.child [--device NAME] [--fps N]``. The end of stdin means that the parent is gone,
and the child leaves at once. What the audio system prints goes to stderr, the log: it never reaches a terminal that an
app draws on, and a crash in its native code ends only this process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from covermaker.errors import ExitCode
from covermaker.play.engine import Engine
from covermaker.play.messages import Problem

if TYPE_CHECKING:
    from covermaker.play.messages import Message

# How long a file may take that is being read or finished when the parent goes.
_GRACE_SECONDS = 2.0


def main() -> int:
    """Serve commands until ``quit`` or the end of stdin."""
    parser = argparse.ArgumentParser(prog="covermaker.play.child")
    parser.add_argument("--device")
    parser.add_argument("--fps", type=float, default=15.0)
    wishes = parser.parse_args()
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    lock = threading.Lock()

    def tell(event: Message) -> None:
        with lock:
            try:
                events.write(event.to_json() + "\n")
            except BrokenPipeError:
                os._exit(int(ExitCode.INTERRUPTED))

    engine = Engine(tell, device=wishes.device, fps=wishes.fps)

    def listen() -> None:
        for line in sys.stdin.buffer:
            try:
                command = json.loads(line)
            except ValueError:
                command = None
            if isinstance(command, dict):
                engine.do(command)
            else:
                tell(Problem("a command must be one object of JSON a line"))
        engine.do({"command": "quit"})
        time.sleep(_GRACE_SECONDS)
        os._exit(int(ExitCode.INTERRUPTED))

    threading.Thread(target=listen, daemon=True).start()
    engine.run()
    return int(ExitCode.OK)


if __name__ == "__main__":
    # os._exit: threads of the audio system must not hold up the end.
    code = main()
    sys.stderr.flush()
    os._exit(code)
