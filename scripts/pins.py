"""Write constraints.txt: every package that an environment of ours really uses, at its exact version.

Run it with the interpreter of a working environment: ``.venv/bin/python scripts/pins.py``.
It walks the requirements of `covermaker`, of the dev group and of the few packages installed without
their dependencies, and pins what it meets; what else happens to lie in the environment is left out.
"""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

# Installed with --no-deps (see the Makefile): their own requirements are never walked.
BARE = ("resemblyzer", "stempeg")
TOOLS = ("pip", "hatchling", "editables")  # the installer, and what builds our wheel

HEADER = """\
# Every package at its exact version: the one place that pins. Written by scripts/pins.py (`make pins`).
#
# torch carries no local suffix on purpose: torch==2.13.0 is met by the CPU build (2.13.0+cpu) and by the
# CUDA build alike; on Linux the CUDA build brings its own nvidia packages, pinned by torch itself.
"""


def closure(names: list[str]) -> dict[str, str]:
    """Name and version of every installed package that `names` need, themselves included.

    Parameters
    ----------
    names : list of str
        Requirement strings, extras allowed.

    Returns
    -------
    dict
        Canonical name -> public version (without the local part after ``+``).
    """
    pinned: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found = metadata.distribution(name)
        pinned[name] = found.version.partition("+")[0]
        for line in [] if name in BARE else found.requires or []:
            wanted = Requirement(line)
            contexts = [{"extra": extra} for extra in (extras or {""})]
            if wanted.marker is None or any(wanted.marker.evaluate(context) for context in contexts):
                waiting.append(wanted)
    return pinned


def main() -> None:
    """Write constraints.txt beside pyproject.toml."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = document["project"], document["dependency-groups"]
    pinned = closure([*project["dependencies"], *groups["dev"], *BARE, *TOOLS])
    lines = [f"{name}=={version}" for name, version in sorted(pinned.items())]
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(lines) + "\n")
    print(f"constraints.txt: {len(lines)} packages")


if __name__ == "__main__":
    main()
