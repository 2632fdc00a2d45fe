"""Songs as a worker renders them: one after another in one process, until there are no more."""

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING, Any

from covermaker.errors import CovermakerError, ExitCode
from covermaker.graph.events import SongDone, SongFailed
from covermaker.render.gauge import gauge
from covermaker.render.tasks import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.graph.events import Event, Listener

_JOBS = {"render": render, "gauge": gauge}


def serve(request: Mapping[str, Any], lines: Iterable[bytes], tell: Listener) -> dict[str, Any]:
    """Render songs until there are no more; a song that fails ends nothing but itself.

    Parameters
    ----------
    request : dict
        ``{"keep_bytes": int, "threads": int}``.
    lines : iterable of bytes
        ``{"song": number, "request": a request as its job takes it}`` as JSON each.
    """
    for line in lines:
        said = json.loads(line)
        if not said.get("cancel"):
            tell(_ended(int(said["song"]), dict(said["request"]), tell))
    return {}


def _ended(song: int, request: dict[str, Any], tell: Listener) -> Event:
    print(f"== song {song} {request['project']}", file=sys.stderr, flush=True)
    try:
        return SongDone(song, _JOBS[request["job"]](request, tell))
    except CovermakerError as error:
        return SongFailed(song, error.message, error.hint, int(error.exit_code))
    except Exception as error:
        traceback.print_exc()
        words = f"a defect in Covermaker: {type(error).__name__}: {error}"
        return SongFailed(song, words, "please report it with the log", int(ExitCode.INTERNAL))
