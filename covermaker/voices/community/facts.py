"""What a family says of its model, beside what network it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Readings of ContentVec by their width: nine blocks and the projection, or all twelve. Both families have both.
READINGS: Final = {256: "contentvec-256l9", 768: "contentvec-768l12"}


@dataclass(frozen=True)
class Facts:
    """See the module.

    Attributes
    ----------
    origin : str
        As ``RVC v2, 40 kHz``.
    encoder : str
        The reading of content that it was trained on.
    singers : tuple of str
        Who stands in its speaker table, row by row, as far as names are known.
    training : mapping
        For the card.
    notes : tuple of str
        What the person should know.
    """

    origin: str
    encoder: str
    singers: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
