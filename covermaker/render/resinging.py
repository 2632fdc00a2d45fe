"""Another way of singing, on a stretch of a song that was rendered before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.errors import UsageError
from covermaker.graph.events import nobody
from covermaker.graph.run import plan, run
from covermaker.render.pipeline import build

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.graph.events import Listener
    from covermaker.graph.store import Store
    from covermaker.project.load import Project
    from covermaker.render.steps import Region

# What takes minutes is not begun by the wish to hear something.
_BELONGS_TO_A_RENDER = frozenset({"decode", "separate", "train"})


def resung(
    project: Project, region: Region, store: Store, *, device: str = "auto", listener: Listener = nobody
) -> Path:
    """Render a stretch as far as the mix, and keep what is made.

    Also where the whole converted vocal is there, the stretch is converted by itself: two ways of singing are to be
    compared, and a rack hears each at the loudness of what was converted.

    Raises
    ------
    UsageError
        When the song was not rendered before.
    """
    targets = build(project, region=region).targets("mix")
    if any(one.will_run and one.step.kind in _BELONGS_TO_A_RENDER for one in plan(store, targets)):
        raise UsageError(
            "the song was not rendered yet", hint="render it once: another way of singing begins there"
        )
    (entry,) = run(store, targets, listener=listener, device=device)
    return entry.folder / "mix.wav"
