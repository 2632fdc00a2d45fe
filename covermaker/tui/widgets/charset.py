"""The signs of the drawing widgets, in three character sets.

``unicode`` draws curves and waves in braille (2 x 4 dots a cell), ``block`` in the block elements that fonts without
braille have (quadrants, eighths), ``ascii`` with what a serial line carries. Every sign is one cell wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.tui.words import Charset


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character set.

    Parameters
    ----------
    dots : tuple of int
        Columns and rows of dots in a cell.
    curve, solid : array of one-character strings
        A cell by its dots, the first dot (top left) being bit 0, the second of the same row bit 1, and so on; for
        lines and for filled areas.
    bar, pillar : str
        A cell that fills from the left, from below; the first is empty, the last full.
    rest : str
        The unlit part of a meter.
    track, groove, knob, post : str
        A fader: filled, empty, its knob, its upright track.
    upright, level, tick, corner : str
        Lines of axes.
    span : str
        The loop on a ruler.
    bar_line, beat : str
        Where bars and beats begin, on a ruler.
    hold : str
        A peak that is held.
    marks : str
        One sign a series, for its points and its name.
    """

    name: Charset
    dots: tuple[int, int]
    curve: NDArray[np.str_]
    solid: NDArray[np.str_]
    bar: str
    pillar: str
    rest: str
    track: str
    groove: str
    knob: str
    post: str
    upright: str
    level: str
    tick: str
    corner: str
    span: str
    bar_line: str
    beat: str
    hold: str
    marks: str


def _braille() -> NDArray[np.str_]:
    """Order braille by rows: Unicode numbers its dots by columns, the lowest row last."""
    bits = (0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80)
    codes = [0x2800 + sum(bits[dot] for dot in range(8) if cell >> dot & 1) for cell in range(256)]
    return np.array([" ", *map(chr, codes[1:])])


_BRAILLE = _braille()
_QUADRANTS = np.array(list(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"))
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_PILLARS = " ▁▂▃▄▅▆▇█"

GLYPHS: Final[dict[Charset, Glyphs]] = {
    "unicode": Glyphs(
        "unicode", (2, 4), _BRAILLE, _BRAILLE, _EIGHTHS, _PILLARS,
        rest="░", track="━", groove="╌", knob="●", post="│", upright="│", level="─", tick="┤", corner="└",
        span="━", bar_line="╵", beat="·", hold="│", marks="●+○x",
    ),
    "block": Glyphs(
        "block", (2, 2), _QUADRANTS, _QUADRANTS, _EIGHTHS, _PILLARS,
        rest="░", track="█", groove="░", knob="■", post="│", upright="│", level="─", tick="┤", corner="└",
        span="▬", bar_line="╵", beat="·", hold="│", marks="■+□x",
    ),
    "ascii": Glyphs(
        "ascii", (1, 2), np.array(list(" '.:")), np.array(list(" \".#")), " #", " #",
        rest=".", track="=", groove="-", knob="O", post="|", upright="|", level="-", tick="+", corner="+",
        span="=", bar_line="'", beat=".", hold="|", marks="*+ox",
    ),
}  # fmt: skip
