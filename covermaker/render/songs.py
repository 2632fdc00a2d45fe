"""Songs as a worker renders them: one after another in one process, until there are no more.

The networks that a song has used stay loaded for the next one.
"""

from __future__ import annotations

import json
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from covermaker.errors import ExitCode
from covermaker.graph.events import Failed, SongDone, SongFailed
from covermaker.render.gauge import gauge
from covermaker.render.tasks import render
from covermaker.weights import warm
from covermaker.weights.device import is_out_of_memory, take_cores

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.graph.events import Event, Listener

_JOBS = {"render": render, "gauge": gauge}


class _CancelledError(KeyboardInterrupt):
    """Somebody wants this song no more. A step is dropped by it as by Ctrl+C."""


def serve(request: Mapping[str, Any], lines: Iterable[bytes], tell: Listener) -> dict[str, Any]:
    """Render songs until there are no more; a song that fails ends nothing but itself.

    Parameters
    ----------
    request : dict
        ``{"keep_bytes": int or None, "threads": int}``: how much memory networks may take between songs (None: as much
        as they need), and how many cores are this worker's.
    lines : iterable of bytes
        As JSON each: ``{"song": number, "request": what its job takes}``, or ``{"song": number, "cancel": true}``:
        the song stops when it next tells something.
    """
    take_cores(int(request["threads"]))
    wishes = _Wishes(lines)
    with warm.kept(request["keep_bytes"]):
        while (wish := wishes.next()) is not None:
            song, wanted = wish
            ended = _ended(song, wanted, wishes.heeding(song, tell))
            if isinstance(ended, SongFailed) and ended.out_of_memory:
                warm.drop()  # now that nothing of the song is held any more
            tell(ended)
            warm.trim()
    return {}


class _Wishes:
    """The lines as they come, read on a thread: a song is cancelled while it runs."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._songs: SimpleQueue[tuple[int, dict[str, Any]] | Exception | None] = SimpleQueue()
        self._cancelled: set[int] = set()
        threading.Thread(target=self._read, args=(lines,), name="wishes", daemon=True).start()

    def _read(self, lines: Iterable[bytes]) -> None:
        try:
            for line in lines:
                said = json.loads(line)
                song = int(said["song"])
                if said.get("cancel"):
                    self._cancelled.add(song)
                else:
                    self._cancelled.discard(song)  # a later try of the same song
                    self._songs.put((song, dict(said["request"])))
            self._songs.put(None)
        except Exception as error:
            self._songs.put(error)

    def next(self) -> tuple[int, dict[str, Any]] | None:
        """Wait for the next song; None after the last."""
        wish = self._songs.get()
        if isinstance(wish, Exception):
            raise wish
        return wish

    def heeding(self, song: int, tell: Listener) -> Listener:
        """Return a listener that stops the song once somebody wants it no more."""

        def hear(event: Event) -> None:
            if song in self._cancelled:
                raise _CancelledError
            tell(event)

        return hear


def _ended(song: int, request: dict[str, Any], tell: Listener) -> SongDone | SongFailed:
    try:
        print(f"== song {song} {request['project']}", file=sys.stderr, flush=True)
        return SongDone(song, _JOBS[request.get("job", "render")](request, tell))
    except _CancelledError:
        return SongFailed(song, "cancelled", "finished steps are kept", int(ExitCode.INTERRUPTED))
    except Exception as error:
        failed = Failed.of(error)
        return SongFailed(song, failed.message, failed.hint, failed.exit_code, is_out_of_memory(error))
