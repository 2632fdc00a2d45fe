"""The seat of a screen that does not exist yet: says in one sentence what it will hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from covermaker.tui.screens.base import StudioScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from covermaker.tui.keytable import Seat


class SeatScreen(StudioScreen):
    """A screen to come."""

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self._seat = seat

    def compose_body(self) -> ComposeResult:
        """Say the sentence."""
        yield Static(self._seat.sentence, classes="seat", markup=False)
