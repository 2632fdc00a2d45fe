"""What the queue keeps of a render: the figures that people compare covers by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of the score's report.
_SCORES: Final = (
    "lag_ms",
    "similarity",
    "source_similarity",
    "f0_correlation",
    "f0_median_cents",
    "words_read",
)


def digest(result: Mapping[str, Any]) -> dict[str, Any]:
    """Take the figures out of what `covermaker.render.tasks.render` returns.

    Returns
    -------
    dict
        ``files`` (absolute paths), ``seconds``, ``loudness_lufs``, ``target_lufs``, ``loudness_range_lu``,
        ``true_peak_dbtp``, ``reached``, ``semitones``, ``why`` of the transposition, ``unheard``, ``scored`` and,
        where the cover was scored, the figures of `docs/metrics.md` with ``new_clicks``. What was not measured is None.
    """
    reports = result.get("reports") or {}
    master, score = reports.get("master") or {}, reports.get("score") or {}
    conversion = reports.get("convert") or {}
    rate = master.get("sample_rate")
    return {
        "files": list(result.get("files") or ()),
        "seconds": master["frames"] / rate if rate else None,
        "loudness_lufs": master.get("integrated_lufs"),
        "target_lufs": master.get("target_lufs"),
        "loudness_range_lu": master.get("loudness_range_lu"),
        "true_peak_dbtp": master.get("true_peak_dbtp"),
        "reached": master.get("reached"),
        "semitones": conversion.get("semitones"),
        "why": conversion.get("why"),
        "unheard": result.get("unheard") or "",
        "scored": bool(score),
        **{name: score.get(name) for name in _SCORES},
        "new_clicks": len(score["new_clicks_seconds"]) if score else None,
    }
