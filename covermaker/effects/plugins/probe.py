"""Looks at one bundle: ``python -m covermaker.effects.plugins.probe BUNDLE SECONDS``; JSON on stdout.

What a plug-in prints goes to stderr. A bundle that hangs ends with the process after SECONDS.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from covermaker.effects.plugins import native

_RATE = 44100.0


def main() -> None:
    """Look at the bundle that the command line names."""
    bundle, seconds = Path(sys.argv[1]), float(sys.argv[2])
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        said: dict[str, Any] = {"plugins": [_seen(bundle, name) for name in native.names_of(bundle)]}
    except Exception as error:
        said = {"error": " ".join(str(error).split()) or type(error).__name__}
    json.dump(said, answer)
    answer.flush()


def _seen(bundle: Path, name: str) -> dict[str, Any]:
    plugin = native.load(bundle, name)
    widths = [] if plugin.is_instrument else [width for width in (1, 2) if _takes(plugin, width)]
    return {
        "name": name,
        "vendor": str(plugin.manufacturer_name),
        "version": str(plugin.version),
        "category": str(plugin.category),
        "identifier": str(plugin.identifier),
        "instrument": bool(plugin.is_instrument),
        "channels": widths,
        "latency_samples": int(plugin.reported_latency_samples),
        "parameters": [one.to_json() for one in native.read_parameters(plugin)],
    }


def _takes(plugin: Any, channels: int) -> bool:
    silence = np.zeros((channels, native.BLOCK_SAMPLES), np.float32)
    try:
        plugin.process(silence, _RATE, buffer_size=native.BLOCK_SAMPLES, reset=False)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)  # a plug-in's own end is no place to hang or crash
