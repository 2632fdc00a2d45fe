"""The evaluation as a job: pairs of source and converted vocal in, figures and an HTML report out.

A request::

    title       of the report
    pairs       name, source, converted, semitones; `voice` and `embedding` (.npy or null) say who should be heard;
                optionally f0 (.npy, the source's) and target: the same sung by the voice itself, which then says who
                should be heard and what is sung, and what the spectrum is held against
    tables      title, header, rows: tables of other origin for the report
    html        where to write the report, or null
    pitch, language, device
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import probe
from covermaker.disk import write_text
from covermaker.evaluate.lag import envelope_lag_ms
from covermaker.evaluate.metrics import PITCH_METHOD, Heard, hear, score_conversion
from covermaker.evaluate.page import PairView, Table, page
from covermaker.evaluate.seams import find_seams
from covermaker.evaluate.table import figure_rows, meanings
from covermaker.graph.events import StepFinished, StepProgress, StepStarted
from covermaker.weights.device import pick_device

if TYPE_CHECKING:
    from covermaker.graph.events import Listener


def evaluate(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Score every pair of a request; returns ``pairs`` (figures) and ``html``."""
    device = pick_device(request.get("device") or "auto")
    pitch = request.get("pitch") or PITCH_METHOD
    sources: dict[str, Heard] = {}  # one source may be sung by several voices
    results, views = [], []
    for pair in request["pairs"]:
        name, started = f"score {pair['name']}", time.monotonic()
        listener(StepStarted(name, ""))

        def tell(fraction: float, name: str = name) -> None:
            listener(StepProgress(name, fraction))

        figures, view = _score(pair, pitch, request.get("language"), device, sources, tell)
        results.append(figures)
        views.append(view)
        listener(StepFinished(name, "", time.monotonic() - started))
    if request.get("html"):
        tables = [Table(one["title"], one["header"], one["rows"]) for one in request.get("tables", [])]
        if results:
            tables.insert(
                0,
                Table("Scores", *figure_rows(results), terms=meanings(results)),
            )
        write_text(Path(request["html"]), page(request["title"], tables, views))
    return {"pairs": results, "html": request.get("html")}


def _score(
    pair: dict[str, Any],
    pitch: str,
    language: str | None,
    device: str,
    sources: dict[str, Heard],
    tell: Any,
) -> tuple[dict[str, Any], PairView]:
    source, converted = Path(pair["source"]), Path(pair["converted"])
    asked = str(source)
    if asked not in sources:
        f0_hz = np.load(pair["f0"], allow_pickle=False) if pair.get("f0") else None
        sources[asked] = hear(source, pitch_method=pitch, language=language, f0_hz=f0_hz, device=device)
    before = sources[asked]
    tell(0.4)
    after = hear(converted, pitch_method=pitch, language=before.language, device=device)
    tell(0.8)
    embedding = np.load(pair["embedding"], allow_pickle=False) if pair.get("embedding") else None
    target, told = None, None
    if pair.get("target"):
        target = Path(pair["target"])
        wanted = hear(target, pitch_method=pitch, language=before.language, device=device)
        embedding = embedding if wanted.embedding is None else wanted.embedding
        told = " ".join(wanted.words) if wanted.words else None
    scores = score_conversion(
        before,
        after,
        semitones=pair["semitones"],
        reference_embedding=embedding,
        target=target,
        transcript=told,
        pitch_method=pitch,
        device=device,
    )
    lag = envelope_lag_ms(source, converted)
    seams = find_seams(converted, source)
    tell(1.0)
    figures = {
        "name": pair["name"],
        "voice": pair["voice"],
        "seconds": probe(converted).seconds,
        "semitones": pair["semitones"],
        **scores.as_dict(),
        "lag_ms": lag.lag_ms,
        "seams": [{"seconds": seam.seconds, "kind": seam.kind, "size": seam.size} for seam in seams],
    }
    notes = []
    if before.words:
        notes = [
            f"Read in the source: {' '.join(before.words)}",
            f"Read in the converted vocal: {' '.join(after.words or ())}",
        ]
    heading = f"{pair['name']} sung by {pair['voice']}"
    return figures, PairView(heading, source, converted, before.f0_hz, after.f0_hz, pair["semitones"], notes)
