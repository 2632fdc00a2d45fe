"""What can be done on the Batch screen."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action, moves

BATCH: Final = (
    Action("batch.open", "enter", "Open", "Open the song's project.", "batch", "jobs", footer=True),
    Action("batch.add", "+", "Add stale", "Add every stale song of the library to the queue.", "batch", footer=True),
    Action("batch.retry", "r", "Retry",
           "Render again what failed or was stopped; its finished steps are kept.", "batch", footer=True),
    Action("batch.retry-failed", "R", "All failed",
           "Render again everything that failed.", "batch", costly=True, footer=True),
    Action("batch.cancel", "c", "Cancel",
           "Stop the selected render, or take it from the queue; finished steps are kept.", "batch", footer=True),
    Action("batch.pause", "p", "Pause",
           "Begin no next render, or go on; the one that runs is finished.", "batch", footer=True),
    Action("batch.later", "J", "Later", "Let the next waiting song go first.", "batch", group="Order", footer=True),
    Action("batch.earlier", "K", "Earlier",
           "Let the song go before the one that waits before it.", "batch", group="Order", footer=True),
    Action("batch.clear", "d", "Clear",
           "Take renders that are over from this list; files and projects stay.", "batch"),
    *moves("batch", "jobs"),
    *moves("batch", "details"),
)  # fmt: skip
