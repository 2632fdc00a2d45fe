"""Examining the machine: every stage is tried, native ones in a child process that may crash."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.errors import CovermakerError
from covermaker.graph.store import default_root
from covermaker.units import human_bytes
from covermaker.weights import catalog

if TYPE_CHECKING:
    from collections.abc import Callable

_PROBE_SECONDS = 120
_LOW_DISK_BYTES = 2 * 10**9

# Native packages and a line that really uses them: an import alone has been seen to pass where use crashes.
_PROBES = {
    "pedalboard": (
        "import numpy, pedalboard; b = pedalboard.Pedalboard([pedalboard.Reverb()]); "
        "b(numpy.zeros((2, 512), 'float32'), 44100)"
    ),
    "torch": (
        "from covermaker.weights.device import torch_ready; t = torch_ready(); t.randn(64, 64) @ t.randn(64, 64)"
    ),
    "ctranslate2": "import ctranslate2; ctranslate2.StorageView.from_array(__import__('numpy').zeros(4, 'float32'))",
    "soundfile": "import soundfile; soundfile.available_formats()",
    "PyAV": "import av; av.codec.Codec('aac', 'r')",
    "pyebur128": "import pyebur128",
    "pyworld": "import numpy, pyworld; pyworld.dio(numpy.zeros(16000), 16000)",
}

# Stage of the river to the weights it needs; the first is needed for the main job, the others are choices.
_STAGES = (
    ("separate: spleeter", ("spleeter-2stems-vocals", "spleeter-2stems-accompaniment"), True),
    ("separate: htdemucs", ("htdemucs",), False),
    ("content: whisper base", ("whisper-base",), True),
    ("pitch: fcpe", ("fcpe",), True),
    ("pitch: crepe", ("crepe-full",), False),
    ("pitch: crepe-tiny", ("crepe-tiny",), False),
    ("score: speaker similarity", ("ge2e-speaker",), False),
)


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    Attributes
    ----------
    stage : str
        What.
    ok : bool
        Whether it works.
    needed : bool
        Whether the main job cannot run without it.
    detail : str
        What was found: versions, device, where weights are, or what failed.
    hint : str or None
        The next step when it failed.
    """

    stage: str
    ok: bool
    needed: bool
    detail: str
    hint: str | None = None


def examine(device: str = "auto") -> list[Finding]:
    """Try everything a render needs."""
    findings = [_probe(name, code) for name, code in _PROBES.items()]
    findings.append(_device(device))
    findings += [_weights(stage, names, needed) for stage, names, needed in _STAGES]
    findings += [_voice(), _store()]
    return findings


def _probe(name: str, code: str) -> Finding:
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", code], capture_output=True, timeout=_PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding(
            name, False, True, f"no answer within {_PROBE_SECONDS} s", "run it again on an idle machine"
        )
    if done.returncode == 0:
        return Finding(name, True, True, f"works ({_version(name)})")
    if done.returncode < 0:
        hint = f"this processor may be too old for the installed build: try another version of {name}"
        return Finding(name, False, True, f"crashes with signal {-done.returncode}", hint)
    words = done.stderr.decode(errors="replace").strip().splitlines()
    return Finding(
        name, False, True, words[-1] if words else "fails", f"pip install --force-reinstall {name}"
    )


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    distribution = {"PyAV": "av", "pyworld": "pyworld-prebuilt"}.get(name, name)
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "version unknown"


def _device(preference: str) -> Finding:
    from covermaker.weights.device import pick_device

    return _tried(
        "device",
        True,
        lambda: f"networks run on {pick_device(preference)}; Whisper runs on the CPU without CUDA",
    )


def _weights(stage: str, names: tuple[str, ...], needed: bool) -> Finding:
    def look() -> str:
        places = []
        for name in names:
            catalog.locate(name)
            places.append(catalog.find(name).source)
        return f"weights from {', '.join(dict.fromkeys(places))}"

    return _tried(stage, needed, look)


def _voice() -> Finding:
    from covermaker.voices.library import find_voice

    return _tried("voice: demo", True, lambda: f"weights match the card: {find_voice('demo').verify()[:16]}")


def _store() -> Finding:
    root = default_root()
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    enough = free > _LOW_DISK_BYTES
    detail = f"{root} ({human_bytes(free)} free)"
    return Finding(
        "store", enough, True, detail, None if enough else "free some space or set COVERMAKER_STORE"
    )


def _tried(stage: str, needed: bool, work: Callable[[], str]) -> Finding:
    try:
        return Finding(stage, True, needed, work())
    except CovermakerError as error:
        return Finding(stage, False, needed, error.message, error.hint)
