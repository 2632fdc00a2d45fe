"""What can be done in the Library."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import Action, moves

LIBRARY: Final = (
    Action("library.open", "enter", "Open", "Open the song's project.", "library", "songs", footer=True),
    Action("library.add", "+", "Add",
           "Add songs: choose files or a folder, or drop them here.", "library", footer=True),
    Action("library.render", "r", "Render",
           "Render the selected song, or all that are marked.", "library", footer=True),
    Action("library.render-stale", "R", "All stale",
           "Render every stale song in turn, also where the last render failed.", "library", costly=True, footer=True),
    Action("library.cancel", "c", "Cancel",
           "Stop the selected song's render; finished steps are kept.", "library", footer=True),
    Action("library.play", "space", "Play",
           "Play the song's last render, or the song where there is none; again pauses.", "library", footer=True),
    Action("library.switch", "a", "Cover/song",
           "Hear the original instead of the cover, or back, without a gap.", "library"),
    Action("library.rewind", ",", "Back 5 s", "Go back five seconds.", "library"),
    Action("library.forward", ".", "On 5 s", "Go on by five seconds.", "library"),
    Action("library.quieter", "-", "Quieter", "Listen at a level 3 dB lower.", "library"),
    Action("library.louder", "=", "Louder", "Listen at a level 3 dB higher, up to the file's own.", "library"),
    Action("library.mark", "v", "Mark",
           "Mark the song, for rendering or removing several at once.", "library", "songs"),
    Action("library.filter", "/", "Filter",
           "Show only the songs whose line holds what is typed; {library.clear} shows all.", "library", footer=True),
    Action("library.sort", "o", "Sort", "Sort by the next column.", "library"),
    Action("library.remove", "d", "Remove",
           "Move the song's folder to the trash of the library; {studio.undo} brings it back.", "library", footer=True),
    Action("library.trash", "", "Trash",
           "Choose what comes back from the trash of the library.", "library"),
    Action("library.reload", "ctrl+r", "Read again", "Read the folder of projects again.", "library"),
    Action("library.clear", "escape", "Clear", "Clear the filter and the marks.", "library"),
    *moves("library", "songs"),
    *moves("library", "details"),
)  # fmt: skip
