"""What the Batch screen needs of a queue that it shows, be it the studio's own renders or a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from rich.text import Text

    from covermaker.render.hearable import Hearable
    from covermaker.tui.batch_sums import Totals
    from covermaker.tui.details import Look
    from covermaker.tui.listing import Cell
    from covermaker.tui.words import Charset


@dataclass(frozen=True, slots=True)
class Done:
    """What there is to say of an action that was done: words with their tone, and the row to go to, if another."""

    words: str = ""
    tone: str = "quiet"
    select: int | None = None


class Shown(Protocol):
    """A queue to show. Rows go by their numbers; sentences may name keys by their actions."""

    hidden: AbstractSet[str]
    """Columns in which nothing would stand."""

    not_here: AbstractSet[str]
    """Actions of the screen that are another queue's."""

    @property
    def goes_on(self) -> bool:
        """Whether the key that pauses makes it go on."""

    def rows(self) -> Sequence[int]:
        """Return the rows in their order."""

    def frame(self) -> tuple[str, str]:
        """Return title and subtitle."""

    def empty(self) -> str:
        """Say why there is no row, and what to do."""

    def cells(self, row: int, charset: Charset, now: float) -> Mapping[str, Cell]:
        """Return what stands in the columns of a row, by their names."""

    def heading(self, row: int | None) -> str:
        """Return the title of the details."""

    def details(self, row: int | None, look: Look) -> Text | str:
        """Return all that there is to say of a row."""

    def totals(self, look: Look) -> Totals:
        """Sum the queue up."""

    def places(self, look: Look) -> Text | None:
        """Return where its songs run; None where that is not told."""

    def log(self, look: Look, rows: int) -> Text | None:
        """Return the last lines of its log; None where it has none of its own."""

    def project(self, row: int) -> Path | None:
        """Return the folder of a row's project."""

    def heard(self, row: int) -> Hearable | None:
        """Return what can be heard of a row."""

    def refusal(self, action: str, row: int | None) -> str | None:
        """Say why an action of the screen cannot be done on a row now; None when it can."""

    def do(self, action: str, row: int | None) -> Done:
        """Do it."""


# Shown in the footer only while they can be done: there is no room for all of them.
_FLEETING: Final = frozenset({"retry", "retry-failed", "cancel", "later", "earlier"})


def label(shown: Shown, action: str, row: int | None, usual: str) -> str:
    """Return what the footer calls an action of the screen now; "" where it is left out."""
    if action == "pause":
        return "Go on" if shown.goes_on else usual
    is_idle = action in _FLEETING and shown.refusal(action, row) is not None
    return "" if is_idle or action in shown.not_here else usual
