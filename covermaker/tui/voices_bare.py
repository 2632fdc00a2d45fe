"""Voices that are nothing but their card, imported or shipped: no pane, no key of takes and training for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.tui.voices_panes import VoiceList
from covermaker.tui.voices_work import WorkingVoices

if TYPE_CHECKING:
    from textual.widget import Widget

    from covermaker.tui.keytable import Action

_EMPTY_PANES: Final = ("takes", "training", "checkpoints")  # of a voice that is nothing but its card
_OF_TAKES: Final = frozenset(
    {"voices.train", "voices.stop", "voices.promote", "voices.import", "voices.scan"}
)
_OF_MODELS: Final = frozenset({"voices.import-model", "voices.export"})


class BareVoices(WorkingVoices, inherit_bindings=False):
    """See the module."""

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing of the voice but its card: it was imported, or shipped."""
        whole = self.whole
        if whole is None or whole.row.card is None or whole.document is not None or whole.takes_problem:
            return False
        return whole.watched.status == "none" and not self.saves and not self.busy("train", "take-in")

    def panes(self) -> list[Widget]:
        """Return the panes that hold something."""
        empty = _EMPTY_PANES if self.is_mounted and self.is_bare else ()
        return [pane for pane in super().panes() if pane.id not in empty]

    def label_of(self, action: Action) -> str:
        """Leave out of the footer what the voice has no use for."""
        whole = self.whole
        if action.id in _OF_TAKES and self.is_bare:
            return ""
        if action.id in _OF_MODELS and (whole is None or whole.document is not None):
            return ""
        if action.id == "voices.remove" and (whole is None or not whole.row.is_ours):
            return ""
        if action.id == "voices.export" and self.no_network() is not None:
            return ""
        return super().label_of(action)

    def lay_bare(self) -> None:
        """Give the card the room of panes that would be empty."""
        body, is_bare = self.query_one("#voices"), self.is_bare
        body.set_class(is_bare, "-bare")
        if is_bare:
            body.remove_class("page-takes", "page-work").add_class("page-card")
        if is_bare and getattr(self.pane(), "id", "") in _EMPTY_PANES:
            self.go_to(self.query_one(VoiceList))
