"""Which files of a folder come from here: when it is written anew, those that are not among them any more go.

Stems have to sum to the mix, whoever wrote them, a render or an export; so there is one record for both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.disk import disk_errors, file_sha256, jot

if TYPE_CHECKING:
    from collections.abc import Mapping

_RECORD = "written.json"  # in the project's hidden folder


def settle(hidden: Path, folder: Path, written: Mapping[Path, str]) -> None:
    """Note what has been written into a folder, and remove what was written there before and is not any more.

    Parameters
    ----------
    hidden : Path
        The project's hidden folder.
    written : mapping of Path to str
        sha256 by file. A file that somebody has changed since it was written stays.

    Raises
    ------
    ResourceError
        When a file cannot be removed.
    """
    folder = folder.absolute()
    record = hidden / _RECORD
    now = {str(path.absolute()): sha256 for path, sha256 in written.items()}
    for name, sha256 in _recorded(record).items():
        file = Path(name)
        if file.parent != folder:
            now[name] = sha256
        elif name not in now and file.is_file() and file_sha256(file) == sha256:
            with disk_errors(file):
                file.unlink()
    hidden.mkdir(exist_ok=True)
    jot(record, json.dumps(now, indent=1))


def _recorded(record: Path) -> dict[str, str]:
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(sha256) for name, sha256 in found.items()} if isinstance(found, dict) else {}
