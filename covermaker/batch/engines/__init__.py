"""Where songs are rendered; one file an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.batch.engines.base import Engine, Setting

ENGINES: Registry[Callable[[Setting], Engine]] = Registry(
    "batch engine",
    "covermaker.engines",
    {
        "local": "covermaker.batch.engines.local:LocalEngine",
        "ray": "covermaker.batch.engines.ray:RayEngine",
    },
)
