"""What scans have found: every bundle that was looked at, with its plug-ins or with what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from covermaker.disk import write_text
from covermaker.effects.plugins.parameters import Parameter
from covermaker.effects.plugins.places import Stamp, binary_of, known_folder, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA: Final = 1
_FILE: Final = "found.json"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plug-in of a bundle.

    Attributes
    ----------
    channels : tuple of int
        How many channels it takes: (1,), (2,) or both; empty for an instrument.
    latency_samples : int
        What it reports with its defaults.
    """

    name: str
    vendor: str
    version: str
    category: str
    identifier: str
    instrument: bool
    channels: tuple[int, ...]
    latency_samples: int
    parameters: tuple[Parameter, ...]

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `covermaker.effects.plugins.probe` wrote."""
        parameters = tuple(Parameter.from_json(one) for one in said["parameters"])
        return cls(**{**said, "channels": tuple(said["channels"]), "parameters": parameters})

    @property
    def problem(self) -> str:
        """Why it cannot stand in a rack; "" where it can."""
        if self.instrument:
            return "it is an instrument, not an effect"
        return "" if self.channels else "it takes neither mono nor stereo"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as a scan left it.

    Attributes
    ----------
    stamp : Stamp or None
        Of its binary when it was looked at.
    sha256 : str
        Of its binary.
    seconds : float
        How long the look took.
    plugins : tuple of Plugin
        What it holds.
    problem : str
        Why it is blocked; "" where it is not.
    """

    path: Path
    stamp: Stamp | None
    sha256: str
    seconds: float
    plugins: tuple[Plugin, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """What it is called without a look into it."""
        return self.path.stem

    def changed(self) -> bool:
        """Tell whether it is not what was looked at any more."""
        binary = binary_of(self.path)
        return (None if binary is None else stamp_of(binary)) != self.stamp

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {**asdict(self), "path": str(self.path)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        stamp = said["stamp"] and Stamp(**said["stamp"])
        plugins = tuple(Plugin.from_json(one) for one in said["plugins"])
        return cls(**{**said, "path": Path(said["path"]), "stamp": stamp, "plugins": plugins})


@dataclass(frozen=True, slots=True)
class Found:
    """A plug-in and where it is."""

    plugin: Plugin
    bundle: Bundle


class Catalogue:
    """All bundles that were looked at, in the order in which their folders count."""

    def __init__(self, bundles: Iterable[Bundle]) -> None:
        self.bundles = tuple(bundles)

    def found(self) -> list[Found]:
        """List the plug-ins that a rack can hold; of several with one name, the first counts."""
        by_name: dict[str, Found] = {}
        for bundle in self.bundles:
            for plugin in bundle.plugins:
                if not plugin.problem:
                    by_name.setdefault(plugin.name, Found(plugin, bundle))
        return list(by_name.values())

    def blocked(self) -> list[Bundle]:
        """List the bundles that are blocked."""
        return [bundle for bundle in self.bundles if bundle.problem]

    def find(self, name: str) -> Found | None:
        """Return the plug-in of a name."""
        return next((one for one in self.found() if one.plugin.name == name), None)


_read: tuple[Path, int, Catalogue] | None = None


def catalogue() -> Catalogue:
    """Return what the last scan found, read again when it has changed; nothing where there was none."""
    global _read
    file = known_folder() / _FILE
    stamp = stamp_of(file)
    if stamp is None:
        return Catalogue(())
    if _read is None or _read[:2] != (file, stamp.mtime_ns):
        _read = (file, stamp.mtime_ns, _load(file))
    return _read[2]


def _load(file: Path) -> Catalogue:
    try:
        said: Any = json.loads(file.read_text(encoding="utf-8"))
        if said["schema"] == SCHEMA:
            return Catalogue(Bundle.from_json(one) for one in said["bundles"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass  # damaged, or of another version: the next scan writes it anew
    return Catalogue(())


def write(bundles: Iterable[Bundle]) -> None:
    """Keep what was found.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    said = {"schema": SCHEMA, "bundles": [bundle.to_json() for bundle in bundles]}
    write_text(known_folder() / _FILE, json.dumps(said, ensure_ascii=False) + "\n")
