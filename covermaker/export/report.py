"""``render.json``: what was made, of what, with which settings, and how it measures."""

from __future__ import annotations

import json
import platform
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from covermaker.disk import write_bytes
from covermaker.graph.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCHEMA = 1
_DIGITS = 6  # what a meter means

_LEVELS = ("integrated_lufs", "loudness_range_lu", "true_peak_dbtp", "sample_peak_dbfs")

# Packages whose version can change what is heard.
_PACKAGES = (
    "covermaker",
    "av",
    "ctranslate2",
    "demucs",
    "faster-whisper",
    "numpy",
    "pedalboard",
    "pyebur128",
    "scipy",
    "soundfile",
    "soxr",
    "torch",
    "torchcrepe",
    "torchfcpe",
)


def build_report(
    *,
    title: str,
    settings: Mapping[str, Any],
    master: Mapping[str, Any],
    files: Sequence[Mapping[str, Any]],
    notes: Sequence[str] = (),
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the report of a render; it holds no time and no path, so the same render gives the same report.

    Parameters
    ----------
    title : str
        Of the project.
    settings : mapping
        The project document, or the part of it that matters.
    master : mapping
        What the master step measured: `frames`, `sample_rate` and levels.
    files : sequence of mappings
        What was written: name, sha256 and whatever else is known of each.
    notes : sequence of str
        What the user should know: damage, downmix, a loudness that could not be reached.
    extra : mapping, optional
        Further sections (scores, transposition), one name each.
    """
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "title": title,
        "length": {
            "frames": master["frames"],
            "sample_rate": master["sample_rate"],
            "seconds": round(master["frames"] / master["sample_rate"], 6),
        },
        "loudness": {name: master[name] for name in _LEVELS},
        "files": [dict(file) for file in files],
        "notes": list(notes),
        "settings": dict(settings),
        "versions": versions(),
        **(extra or {}),
    }
    values: dict[str, Any] = plain(report, digits=_DIGITS)
    return values


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report as indented JSON, whole or not at all.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    text = json.dumps(plain(report, digits=_DIGITS), indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, f"{text}\n".encode())


def versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that make the sound."""
    found = {name: version for name in _PACKAGES if (version := _version(name))}
    return {"python": platform.python_version(), **found}


@cache
def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
