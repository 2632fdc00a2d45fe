"""The last scan of a voice's takes, kept beside the measurements for whoever looks at them later.

It may be deleted at any time, and what it says of a take counts only while that take is the recording it was made of.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from covermaker.disk import write_text
from covermaker.errors import ResourceError
from covermaker.takes.cache import CACHE_FOLDER, cache_folder
from covermaker.takes.verdicts import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.takes.document import Takes
    from covermaker.takes.scan import ScanReport, TakeReport

FILE_NAME = "scan.json"
_VERSION = 1


def keep_report(folder: Path, takes: Takes, report: ScanReport) -> None:
    """Keep a scan, where the folder can be written."""
    cache = cache_folder(folder)
    if cache is None:
        return
    hashes = {row.file: row.sha256 for row in takes.takes}
    values = {"version": _VERSION, "sha256": hashes, **report.to_json()}
    try:
        write_text(cache / FILE_NAME, json.dumps(values))
    except ResourceError:
        return  # it is shown all the same; the next scan measures nothing again


def read_report(folder: Path, takes: Takes) -> tuple[dict[str, TakeReport], list[str]]:
    """Return what the last scan says of the takes that are the same still, by their files, and its notes.

    Nothing where there was no scan, or its file is of another version or damaged.
    """
    try:
        values = json.loads((folder / CACHE_FOLDER / FILE_NAME).read_text(encoding="utf-8"))
        if values["version"] != _VERSION:
            return {}, []
        hashes = values["sha256"]
        rows = {row["take"]: row for row in values["takes"]}
        same = [row.file for row in takes.takes if row.file in rows and hashes[row.file] == row.sha256]
        notes = [str(note) for note in values["notes"]] if len(same) == len(takes.takes) else []
        return {file: _take(rows[file]) for file in same}, notes
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, []


def _take(values: dict[str, Any]) -> TakeReport:
    from covermaker.takes.scan import TakeReport

    fields = {name: value for name, value in values.items() if name not in ("verdict", "voice_seconds")}
    fields["findings"] = [Finding(**finding) for finding in fields["findings"]]
    return TakeReport(**fields)
