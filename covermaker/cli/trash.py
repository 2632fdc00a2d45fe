"""``covermaker trash``; see `covermaker.cli.remove`."""

from __future__ import annotations

from covermaker.cli.remove import trash_command as command

__all__ = ["command"]
