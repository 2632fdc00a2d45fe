"""``covermaker redo``; see `covermaker.cli.undo`."""

from __future__ import annotations

from covermaker.cli.undo import redo_command as command

__all__ = ["command"]
