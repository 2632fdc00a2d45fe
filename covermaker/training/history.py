"""The course of a training: JSON lines in ``history.jsonl``, and TensorBoard where it is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from covermaker.disk import disk_errors, write_text
from covermaker.graph.plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.training.board import Board
    from covermaker.training.loop import Report

FILE_NAME = "history.jsonl"
EVERY_STEPS = 10


@dataclass
class History:
    """Writes a line for every ten steps.

    Parameters
    ----------
    folder : Path
        Where ``history.jsonl`` lies.
    from_step : int
        What an earlier run wrote beyond this step is taken out: those steps are taken again.
    board : Board, optional
        Gets every line, too.
    """

    folder: Path
    from_step: int = 0
    board: Board | None = None
    _held: list[Report] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = self.folder / FILE_NAME
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        kept = [line for line in lines if _step_of(line) <= self.from_step]
        write_text(path, "".join(f"{line}\n" for line in kept))

    def add(self, report: Report, batch_pieces: int, *, flush: bool = False) -> None:
        """Take a step's report; every tenth, and one before a save (`flush`), writes a line with the means."""
        self._held.append(report)
        if report.step % EVERY_STEPS and not flush:
            return
        count = len(self._held)
        parts = {name: sum(r.parts.get(name, 0.0) for r in self._held) / count for name in report.parts}
        line = {
            "step": report.step,
            "loss": round(sum(r.loss for r in self._held) / count, 6),
            **{name: round(value, 6) for name, value in parts.items()},
            **{name: round(value, 6) for name, value in report.measured.items()},
            "rate": report.rate,
            "seconds_per_step": round(sum(r.seconds for r in self._held) / count, 4),
            "memory_bytes": report.memory_bytes,
            "batch_pieces": batch_pieces,
        }
        self._held.clear()
        with disk_errors(self.folder), (self.folder / FILE_NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(plain(line)) + "\n")  # what has overflowed is no number
        if self.board is not None:
            self.board.add(line)


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a training; one that was cut off by a crash is left out."""
    path = folder / FILE_NAME
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if _step_of(line) < _CUT_OFF]


_CUT_OFF = 1 << 62


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return _CUT_OFF
