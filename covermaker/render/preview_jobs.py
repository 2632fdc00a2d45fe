"""Previews as a child process makes them: a few and then it ends, or one wish after another while somebody listens."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.effects.plugins.process import in_reserve
from covermaker.errors import CovermakerError
from covermaker.graph.store import Store, default_root
from covermaker.render.plugins import surviving
from covermaker.render.preview import Previewer
from covermaker.render.previewing import Previewed, Refused, Wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.graph.events import Listener


def stretches(request: Mapping[str, Any], tell: Listener) -> dict[str, Any]:
    """Fulfil some wishes, one after another; their files stay until they are deleted.

    Parameters
    ----------
    request : dict
        ``{"project": folder, "store": folder or nothing, "device": name or nothing, "wishes": [a `Wish` each]}``.
    """
    previewer = _previewer(request, tell)
    return {"made": [asdict(_made(previewer, _wish(said), tell)) for said in request["wishes"]]}


def serve(request: Mapping[str, Any], lines: Iterable[bytes], tell: Listener) -> dict[str, Any]:
    """Answer wishes until there are no more.

    Parameters
    ----------
    request : dict
        ``{"project": folder, "store": folder or nothing, "device": name or nothing}``.
    lines : iterable of bytes
        A `Wish` as JSON each.
    """
    previewer = _previewer(request, tell)
    with in_reserve():
        for line in lines:
            wish = _wish(json.loads(line))
            try:
                tell(_made(previewer, wish, tell))
            except CovermakerError as error:
                tell(Refused(wish.id, error.message, error.hint))
    return {}


def _made(previewer: Previewer, wish: Wish, tell: Listener) -> Previewed:
    """Fulfil a wish, without the plug-ins that fail on it; what they are is told before."""
    made = surviving(lambda hear: previewer.make(wish), tell)
    return replace(made, notes=previewer.unheard_plugins(wish))


def _previewer(request: Mapping[str, Any], tell: Listener) -> Previewer:
    store = Store(Path(request["store"]) if request.get("store") else default_root())
    device = request.get("device") or "auto"
    return Previewer(Path(request["project"]), store, device=device, listener=tell)


def _wish(said: Mapping[str, Any]) -> Wish:
    return Wish(**{**said, "solo": tuple(said.get("solo", ()))})
