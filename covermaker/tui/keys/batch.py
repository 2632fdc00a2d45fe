"""What can be done on the Batch screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from covermaker.tui.keys.action import Action

BATCH: Final[tuple[Action, ...]] = ()
