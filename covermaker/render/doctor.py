"""Examining the machine: every stage is tried, native ones in a child process that may crash."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.disk import write_error
from covermaker.errors import CovermakerError
from covermaker.graph.store import default_root
from covermaker.render.doctor_voices import voice_rows
from covermaker.units import human_bytes
from covermaker.weights import catalog

if TYPE_CHECKING:
    from collections.abc import Callable

_PROBE_SECONDS = 120
_LOW_DISK_BYTES = 2 * 10**9
_DEMO = "demo"  # the voice that comes with us, whose weights are read

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
    "pyebur128": (
        "import numpy, pyebur128; s = pyebur128.R128State(1, 48000, pyebur128.MeasurementMode.MODE_I); "
        "s.add_frames(numpy.sin(numpy.arange(48000, dtype='float32') * 0.13), 48000); "
        "assert -4.5 < pyebur128.get_loudness_global(s) < -1.5, 'a full-scale sine of 1 kHz does not read -3 LUFS'"
    ),
    "pyworld": "import numpy, pyworld; pyworld.dio(numpy.zeros(16000), 16000)",
}

# What pip calls a package, where that is not how it is known.
_DISTRIBUTIONS = {"PyAV": "av", "pyworld": "pyworld-prebuilt"}


def _as_networks(device: str) -> str:
    return device


def _as_whisper(device: str) -> str:
    """Return CTranslate2's device: it knows CUDA and the CPU."""
    return "cuda" if device.startswith("cuda") else "cpu"


def _always_cpu(device: str) -> str:
    return "cpu"


# Stage of the river, the weights it uses, whether the main job needs it, and where it runs.
_STAGES = (
    ("separate: spleeter", ("spleeter-2stems-vocals", "spleeter-2stems-accompaniment"), True, _as_networks),
    ("separate: htdemucs", ("htdemucs",), False, _as_networks),
    ("content: whisper base", ("whisper-base",), True, _as_whisper),
    ("pitch: fcpe", ("fcpe",), True, _as_networks),
    ("pitch: crepe", ("crepe-full",), False, _as_networks),
    ("pitch: crepe-tiny", ("crepe-tiny",), False, _as_networks),
    ("score: speaker similarity", ("ge2e-speaker",), False, _as_networks),
    ("score: words", ("whisper-base",), False, _always_cpu),
)
# Stages without weights and the packages they stand on.
_PLAIN_STAGES = (
    ("decode", ("soundfile", "PyAV"), True),
    ("pitch: harvest, dio", ("pyworld",), False),
    ("effects and mix", ("pedalboard",), True),
    ("master", ("pyebur128",), True),
    ("export", ("soundfile", "pedalboard"), True),
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
    device : str or None
        Where the stage will run; None for what is no stage, and where the device asked for is not there.
    """

    stage: str
    ok: bool
    needed: bool
    detail: str
    hint: str | None = None
    device: str | None = None


def examine(device: str = "auto") -> list[Finding]:
    """Try everything a render needs."""
    packages = [_probe(name, code) for name, code in _PROBES.items()]
    networks, chosen = _device(device)
    stages = [
        _weights(stage, names, needed, None if chosen is None else where(chosen))
        for stage, names, needed, where in _STAGES
    ]
    broken = {package.stage for package in packages if not package.ok}
    plain = [_plain_stage(stage, names, needed, broken) for stage, names, needed in _PLAIN_STAGES]
    voices = [Finding(stage, ok, False, detail) for stage, ok, detail in voice_rows(but=_DEMO)]
    return [*packages, networks, *stages, _voice(chosen), *voices, *plain, _plugins(), _store()]


def _probe(name: str, code: str) -> Finding:
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and code
            # -P: a soundfile.py in the working folder is not the package of that name.
            [sys.executable, "-P", "-c", code],
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(
            name, False, True, f"no answer within {_PROBE_SECONDS} s", "run it again on an idle machine"
        )
    package = _DISTRIBUTIONS.get(name, name)
    if done.returncode == 0:
        return Finding(name, True, True, f"works ({_version(package)})")
    if done.returncode < 0:
        hint = f"this processor may be too old for the installed build: try another version of {package}"
        return Finding(name, False, True, f"crashes with signal {-done.returncode}", hint)
    words = done.stderr.decode(errors="replace").strip().splitlines()
    return Finding(
        name, False, True, words[-1] if words else "fails", f"pip install --force-reinstall {package}"
    )


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "version unknown"


def _device(preference: str) -> tuple[Finding, str | None]:
    """Return what there is to say about the device, and which one it is."""
    from covermaker.weights.device import pick_device

    try:
        chosen = pick_device(preference)
    except CovermakerError as error:
        return Finding("device", False, True, error.message, error.hint), None
    return Finding("device", True, True, f"networks run on {chosen}", device=chosen), chosen


def _weights(stage: str, names: tuple[str, ...], needed: bool, device: str | None) -> Finding:
    def look() -> str:
        places = []
        for name in names:
            catalog.locate(name)
            places.append(catalog.find(name).source)
        return f"weights from {', '.join(dict.fromkeys(places))}"

    return _tried(stage, needed, look, device)


def _voice(device: str | None) -> Finding:
    from covermaker.voices.library import find_voice

    def look() -> str:
        return f"weights match the card: {find_voice(_DEMO).verify()[:16]}"

    return _tried(f"voice: {_DEMO}", True, look, device)


def _plain_stage(stage: str, packages: tuple[str, ...], needed: bool, broken: set[str]) -> Finding:
    failing = [name for name in packages if name in broken]
    if failing:
        return Finding(stage, False, needed, f"{failing[0]} does not work, see above", device="cpu")
    return Finding(stage, True, needed, "no weights", device="cpu")


def _plugins() -> Finding:
    """Say what the last scan found; nothing is looked at."""
    from covermaker.effects.plugins.catalogue import catalogue
    from covermaker.effects.plugins.failures import failures

    known, failed = catalogue(), {one.plugin for one in failures().values()}
    if not known.bundles:
        return Finding("plug-ins", True, False, "none looked at yet: covermaker plugins scan")
    count, blocked = len(known.found()), len(known.blocked())
    detail = f"{count} found, {blocked} blocked" + (f", {len(failed)} failed at work" if failed else "")
    if blocked or failed:
        detail += ": covermaker plugins list"
    return Finding("plug-ins", True, False, detail)


def _store() -> Finding:
    root = default_root()
    try:
        place = next(folder for folder in (root, *root.parents) if folder.exists())
        # Permissions tell little (root, network disks, read-only mounts): write something.
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"covermaker")
            file.flush()
    except OSError as error:
        refused = write_error(error, root)
        return Finding(
            "store", False, True, refused.message, "set COVERMAKER_STORE to a folder you may write to"
        )
    free = shutil.disk_usage(place).free
    enough = free > _LOW_DISK_BYTES
    detail = f"{root} ({human_bytes(free)} free)"
    return Finding(
        "store", enough, True, detail, None if enough else "free some space or set COVERMAKER_STORE"
    )


def _tried(stage: str, needed: bool, work: Callable[[], str], device: str | None) -> Finding:
    try:
        return Finding(stage, True, needed, work(), device=device)
    except CovermakerError as error:
        return Finding(stage, False, needed, error.message, error.hint, device)
