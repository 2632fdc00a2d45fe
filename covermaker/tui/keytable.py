"""The table of the studio's screens and of everything a person can do on them; `keymap` makes keys of it."""

from __future__ import annotations

from typing import Final

from covermaker.tui.keys.action import EVERYWHERE, Action, Seat, moves
from covermaker.tui.keys.batch import BATCH
from covermaker.tui.keys.dialogs import DIALOGS
from covermaker.tui.keys.library import LIBRARY
from covermaker.tui.keys.presets import PRESETS
from covermaker.tui.keys.project import PROJECT
from covermaker.tui.keys.rack import RACK
from covermaker.tui.keys.studio import SEATS, STUDIO
from covermaker.tui.keys.voices import VOICES

__all__ = ["ACTIONS", "EVERYWHERE", "SEATS", "Action", "Seat", "moves"]

ACTIONS: Final = (*STUDIO, *LIBRARY, *PROJECT, *RACK, *VOICES, *BATCH, *PRESETS, *DIALOGS)
