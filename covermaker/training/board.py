"""TensorBoard, where it is asked for: the course of a training as an event folder, ``training/tensorboard``."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from covermaker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER_NAME = "tensorboard"


def check_tensorboard() -> None:
    """Refuse at once what would only be missed after minutes.

    Raises
    ------
    UsageError
        When the package is not installed.
    """
    if find_spec("tensorboard") is None:
        raise UsageError("--tensorboard needs the package tensorboard", hint="pip install tensorboard")


class Board:
    """Writes curves: ``loss``, its parts, ``rate`` and ``seconds_per_step``; at saves ``score/…``.

    Parameters
    ----------
    folder : Path
        The run's ``training``.
    from_step : int
        What an earlier run wrote beyond this step is hidden: those steps are taken again.
    """

    def __init__(self, folder: Path, *, from_step: int) -> None:
        check_tensorboard()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own packages', about each other
            from torch.utils.tensorboard import SummaryWriter

            self._writer: Any = SummaryWriter(str(folder / FOLDER_NAME), purge_step=from_step + 1)

    def add(self, line: Mapping[str, Any]) -> None:
        """Take a line of the history."""
        for name, value in line.items():
            if name not in ("step", "memory_bytes", "batch_pieces"):
                self._writer.add_scalar(name, value, line["step"])

    def add_scores(self, record: Mapping[str, Any]) -> None:
        """Take what a save was scored with: its score, and every test's figures."""
        if record["score"] is not None:
            self._writer.add_scalar("score", record["score"], record["step"])
        for kind, figures in record.items():
            for name, value in figures.items() if isinstance(figures, dict) else ():
                if value is not None:
                    self._writer.add_scalar(f"{kind}/{name}", value, record["step"])
        self._writer.flush()

    def close(self) -> None:
        """Write what is left and let go of the file."""
        self._writer.close()
