"""Where plug-ins lie, and where what is known of them is kept."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.disk import expanded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VARIABLE: Final = "VST3_PATH"
_SUFFIX: Final = ".vst3"

# Where Steinberg says that plug-ins are on Linux; the first that has a plug-in of a name wins.
_STANDARD: Final = ("~/.vst3", "/usr/local/lib/vst3", "/usr/lib/vst3")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells that a file is still the one that was looked at."""

    mtime_ns: int
    bytes: int


def folders() -> list[Path]:
    """List where plug-ins are looked for: what VST3_PATH names, then the standard folders."""
    named = [text for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text]
    found = [expanded(text, VARIABLE) for text in named] + [Path(text).expanduser() for text in _STANDARD]
    return list(dict.fromkeys(folder.absolute() for folder in found))


def bundles(places: Iterable[Path]) -> list[Path]:
    """List the plug-in bundles in some folders, at any depth, in the order of the folders; a bundle is a place too."""
    found: dict[Path, None] = {}
    for place in places:
        for bundle in _bundles(place):
            found.setdefault(bundle, None)
    return list(found)


def _bundles(place: Path) -> Iterator[Path]:
    if place.suffix == _SUFFIX:
        yield place.absolute()
        return
    for folder, names, files in os.walk(place, followlinks=False):
        inside = sorted(name for name in (*names, *files) if name.endswith(_SUFFIX))
        yield from (Path(folder, name).absolute() for name in inside)
        names[:] = sorted(name for name in names if name not in inside)


def binary_of(bundle: Path) -> Path | None:
    """Return the file of a bundle that this machine would load; None where there is none."""
    if bundle.is_file():
        return bundle
    place = bundle / "Contents" / f"{platform.machine()}-linux"
    own = place / f"{bundle.stem}.so"
    if own.is_file():
        return own
    others = sorted(place.glob("*.so"))
    return others[0] if others else None


def stamp_of(file: Path) -> Stamp | None:
    """Return a file's stamp; None where it cannot be read."""
    try:
        found = file.stat()
    except OSError:
        return None
    return Stamp(found.st_mtime_ns, found.st_size)


def known_folder() -> Path:
    """Return the folder of what was found out about plug-ins."""
    from platformdirs import user_cache_path

    return user_cache_path("covermaker") / "plugins"


def log_of(plugin: str) -> Path:
    """Return where the last words of a plug-in that failed are kept."""
    return known_folder() / "logs" / f"{re.sub(r'[^A-Za-z0-9._-]', '_', plugin)[:80]}.log"
