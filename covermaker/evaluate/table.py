"""The figures of an evaluation as a table: what they are called, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Figure:
    """A column: its head, how a value is written, and what it means."""

    head: str
    form: str
    meaning: str


FIGURES = {
    "f0_correlation": Figure("F0CORR", ".4f", "correlation of the pitch curves"),
    "f0_median_cents": Figure("median cents", ".1f", "error of the pitch, in the middle"),
    "f0_rmse_cents": Figure(
        "RMSE cents", ".1f", "error of the pitch, root mean square: what is far off counts most"
    ),
    "vuv_f1": Figure("V/UV F1", ".3f", "agreement on what is sung and what is breath or consonant"),
    "similarity": Figure("similarity", ".3f", "likeness to the wanted voice; strangers are near 0.5 to 0.7"),
    "source_similarity": Figure("of the source", ".3f", "what no conversion at all would score"),
    "cer": Figure("CER", ".3f", "character errors against what is sung, or else what is read in the source"),
    "source_cer": Figure("CER of the source", ".3f", "what is misheard before the conversion"),
    "words_read": Figure("words read", ".0%", "words of the source that are read again"),
    "mcd_db": Figure("MCD dB", ".2f", "distance of the spectrum from the wanted voice's own"),
    "lag_ms": Figure("lag ms", "+.2f", "how late the converted vocal comes"),
    "seams": Figure("seams", "", "clicks, gaps and level steps that the source has not"),
}

# Of a save's figures those that choose and explain, for a narrow table: name, head, how a value is written.
SAVE_FIGURES: Final = (
    ("f0_correlation", "F0CORR", ".3f"),
    ("f0_median_cents", "cents", ".1f"),
    ("similarity", "like", ".3f"),
    ("cer", "CER", ".3f"),
    ("mcd_db", "MCD", ".2f"),
)


# Of those what chooses the best save, for a line.
CHOOSING_FIGURES: Final = ("similarity", "cer", "f0_median_cents")


def chosen_phrase(figures: Mapping[str, Any]) -> str:
    """Return which test phrase stands for a save where there is room for one: what is sung, where it is."""
    return "sung" if "sung" in figures else next(iter(figures), "")


def save_figures(figures: Mapping[str, float]) -> list[str]:
    """Return the figures of one test phrase as `SAVE_FIGURES` says; ``-`` for what is not known."""
    return [format(figures[name], form) if name in figures else "-" for name, _, form in SAVE_FIGURES]


def meanings(results: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return head and meaning of each figure that one of the results has."""
    return [(FIGURES[key].head, FIGURES[key].meaning) for key in _known(results)]


def single_rows(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return a row for each figure of one scored pair: head, value, meaning."""
    return [(FIGURES[key].head, figure_text(result, key), FIGURES[key].meaning) for key in _known([result])]


def figure_rows(results: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: one for each scored pair, without the figures that none of them has."""
    keys = _known(results)
    header = ["vocal", "voice", *(FIGURES[key].head for key in keys)]
    return header, [
        [str(one["name"]), str(one["voice"]), *(figure_text(one, key) for key in keys)] for one in results
    ]


def training_rows(
    scores: Sequence[Mapping[str, Any]], chosen: Any = None
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the scores that a training wrote: one for each save and kind of test phrase.

    `chosen` is the step that became the voice.
    """
    keys = [key for key in FIGURES if any(key in part for one in scores for part in _kinds(one).values())]
    header = ["step", "phrases", *(FIGURES[key].head for key in keys), "score"]
    rows = []
    for one in scores:
        for kind, part in _kinds(one).items():
            mark = one.get("score")
            cells = [figure_text(part, key) for key in keys]
            step = str(one.get("step", ""))
            told = "-" if mark is None else f"{mark:.3f}"
            rows.append([step, kind, *cells, f"{told}, the voice" if step and step == str(chosen) else told])
    return header, rows


def _known(results: Sequence[Mapping[str, Any]]) -> list[str]:
    return [key for key in FIGURES if any(one.get(key) is not None for one in results)]


def _kinds(score: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(kind): part for kind, part in score.items() if isinstance(part, dict)}


def figure_text(values: Mapping[str, Any], key: str) -> str:
    """Write a figure of `FIGURES`; ``-`` where it is not known."""
    value = values.get(key)
    if value is None:
        return "-"
    return str(len(value)) if isinstance(value, list) else format(value, FIGURES[key].form)
