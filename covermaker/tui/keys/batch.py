"""What can be done on the Batch screen."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action, moves

BATCH: Final = (
    Action("batch.open", "enter", "Open", "Open the song's project.", "batch", "jobs", footer=True),
    Action("batch.add", "+", "Add stale",
           "Add every stale song of the library to this studio's renders.", "batch", footer=True),
    Action("batch.pause", "p", "Pause",
           "Begin no next song, or go on; what runs is finished. A batch that nobody works on goes on, in a process "
           "of its own.", "batch", footer=True),
    Action("batch.retry", "r", "Retry",
           "Do again what failed or was stopped; its finished steps are kept.", "batch", footer=True),
    Action("batch.cancel", "c", "Cancel",
           "Stop the selected song, or take it from the queue; finished steps are kept.", "batch", footer=True),
    Action("batch.choose", "b", "Queue",
           "Choose which queue is shown: this studio's renders, or a batch.", "batch", footer=True),
    Action("batch.begin", "n", "New batch",
           "Begin a batch: every song of a playlist or folder becomes a cover, also while the studio is closed.",
           "batch", footer=True),
    Action("batch.retry-failed", "R", "All failed",
           "Do again everything that failed.", "batch", costly=True, footer=True),
    Action("batch.later", "J", "Later", "Let the next waiting song go first.", "batch", group="Order", footer=True),
    Action("batch.earlier", "K", "Earlier",
           "Let the song go before the one that waits before it.", "batch", group="Order", footer=True),
    Action("batch.stop", "S", "Stop batch",
           "End the process of the batch; what runs waits for the next time, {batch.pause} goes on.",
           "batch", costly=True),
    Action("batch.play", "space", "Play", "Play the cover of the selected song; again pauses.", "batch"),
    Action("batch.switch", "a", "Cover/song",
           "Hear the song in place of its cover, or back, without a gap.", "batch"),
    Action("batch.report", "o", "Report", "Tell where the report of the batch is.", "batch"),
    Action("batch.save", "w", "Save list",
           "Write the songs of the batch as a list, in their order, with all that is said of each.", "batch"),
    Action("batch.clear", "d", "Clear",
           "Take renders that are over from this list; files and projects stay.", "batch"),
    *moves("batch", "jobs"),
    *moves("batch", "details"),
    *moves("batch", "places"),
    *moves("batch", "log"),
)  # fmt: skip
