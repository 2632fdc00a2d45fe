"""The figures of an evaluation as a table: what they are called, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Figure:
    """A column: its head, how a value is written, and one sentence on what it means."""

    head: str
    form: str
    meaning: str


FIGURES = {
    "f0_correlation": Figure("F0CORR", ".4f", "F0CORR: correlation of the pitch curves."),
    "f0_median_cents": Figure(
        "median cents", ".1f", "Cents: error of the pitch, median and root mean square."
    ),
    "f0_rmse_cents": Figure("RMSE cents", ".1f", ""),
    "vuv_f1": Figure("V/UV F1", ".3f", "V/UV F1: agreement on what is sung and what is breath or consonant."),
    "similarity": Figure("similarity", ".3f", "Similarity to the voice, and the source's own."),
    "source_similarity": Figure("source's", ".3f", ""),
    "cer": Figure(
        "CER",
        ".3f",
        "CER: character errors against what is sung: the wanted voice's own reading where there is one, "
        "else what is read in the source; beside it the source's.",
    ),
    "source_cer": Figure("source's", ".3f", ""),
    "words_read": Figure("words read", ".0%", "Words of the source that are read again."),
    "mcd_db": Figure("MCD dB", ".2f", "MCD: distance of the spectrum from the wanted voice's own."),
    "lag_ms": Figure("lag ms", "+.2f", "Lag: how late the converted vocal comes."),
    "seams": Figure("seams", "", "Seams: clicks, gaps and level steps that the source has not."),
}


def figure_rows(results: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: one for each scored pair, without the figures that none of them has."""
    keys = [key for key in FIGURES if any(one.get(key) is not None for one in results)]
    header = ["vocal", "voice", *(FIGURES[key].head for key in keys)]
    return header, [
        [str(one["name"]), str(one["voice"]), *(_cell(one, key) for key in keys)] for one in results
    ]


def training_rows(scores: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the scores that a training wrote: one for each save and kind of test phrase."""
    keys = [key for key in FIGURES if any(key in part for one in scores for part in _kinds(one).values())]
    header = ["step", "phrases", *(FIGURES[key].head for key in keys), "mark"]
    rows = []
    for one in scores:
        for kind, part in _kinds(one).items():
            mark = one.get("score")
            cells = [_cell(part, key) for key in keys]
            rows.append([str(one.get("step", "")), kind, *cells, "-" if mark is None else f"{mark:.3f}"])
    return header, rows


def _kinds(score: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(kind): part for kind, part in score.items() if isinstance(part, dict)}


def _cell(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if value is None:
        return "-"
    return str(len(value)) if isinstance(value, list) else format(value, FIGURES[key].form)
