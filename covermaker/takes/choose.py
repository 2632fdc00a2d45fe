"""Which takes go into training: one key of ``takes.toml``, everything else in it left as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from covermaker.errors import ProjectError, UsageError, nearest
from covermaker.takes.document import read_takes, rewrite
from covermaker.takes.lock import changing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from covermaker.takes.document import Takes


def named_takes(takes: Takes, names: Sequence[str]) -> list[str]:
    """Return the files of the takes that a person names by their files, with or without the suffix.

    Raises
    ------
    UsageError
        When there is none of a name, with the nearest one.
    """
    by_name = {row.stem.casefold(): row.file for row in takes.takes} | {
        row.file.casefold(): row.file for row in takes.takes
    }
    unknown = next((name for name in names if name.casefold() not in by_name), None)
    if unknown is not None:
        raise UsageError(
            f"'{takes.name}' has no take '{unknown}'",
            hint=nearest(unknown, [row.file for row in takes.takes]),
        )
    return list(dict.fromkeys(by_name[name.casefold()] for name in names))


def choose_takes(folder: Path, names: Sequence[str], *, use: bool) -> list[str]:
    """Keep takes for training or leave them out; returns the files of those that were the other way before.

    Raises
    ------
    UsageError
        When there is no such take.
    ProjectError
        When the document cannot be read, or nothing would be left to train on.
    ResourceError
        When it cannot be written.
    """
    read_takes(folder)  # a folder that holds none stays as it is
    with changing(folder):
        return _choose(folder, names, use=use)


def _choose(folder: Path, names: Sequence[str], *, use: bool) -> list[str]:
    takes = read_takes(folder)
    files = set(named_takes(takes, names))
    changed = [row.file for row in takes.takes if row.file in files and row.use != use]
    if not use and all(not row.use or row.file in files for row in takes.takes):
        raise ProjectError(
            f"no take of '{takes.name}' would be left to train on", hint="keep another one first"
        )

    def choose(rows: Any) -> None:
        for row in rows:
            if row["file"] in changed:
                row["use"] = use

    if changed:
        rewrite(folder, choose)
    return changed
