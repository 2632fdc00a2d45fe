"""A person looks at the scan and corrects the cuts: pictures and label tracks out, label tracks in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.audio.files import probe
from covermaker.disk import copy_file
from covermaker.errors import UsageError
from covermaker.takes.analysis import analyse, cuts_of
from covermaker.takes.document import labels_path, read_takes, take_path
from covermaker.takes.labels import read_labels, write_labels
from covermaker.takes.picture import MOST_STRIPS, draw

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.takes.scan import ScanReport


def write_label_tracks(folder: Path) -> list[Path]:
    """Write the cuts of every take as ``takes/<name>.labels.txt``; return the files.

    From then on these files decide; delete one to have its take cut by itself again. A take that has one already
    keeps it, as a person may have drawn it; takes without a voice get none.
    """
    takes = read_takes(folder)
    files = []
    for row in takes.takes:
        known = analyse(folder, takes, row)
        cuts, labelled = cuts_of(folder, takes, row, known)
        if cuts and not labelled:
            path = labels_path(folder, row)
            write_labels(path, cuts, known.sample_rate)
            files.append(path)
    return files


def take_labels_in(folder: Path, file: Path) -> str:
    """Make a label track that of the take it is named after (or of the only one); return the take's file name.

    Raises
    ------
    UsageError
        When it is named after no take, or there is no such file.
    ProjectError
        When it is no label track, or does not fit the take.
    """
    if not file.is_file():
        raise UsageError(
            f"there is no label track {file}", hint="export it from Audacity, or say: --labels write"
        )
    takes = read_takes(folder)
    stem = file.name.removesuffix(".txt").removesuffix(".labels").casefold()
    named = [row for row in takes.takes if row.stem.casefold() == stem]
    if not named and len(takes.takes) == 1:
        named = takes.takes
    if not named:
        raise UsageError(
            f"'{file.name}' is named after no take",
            hint=f"call it like one: {takes.takes[0].stem}.labels.txt",
        )
    info = probe(take_path(folder, named[0]))
    read_labels(file, info.sample_rate, info.frames)
    target = labels_path(folder, named[0])
    if not (target.exists() and target.samefile(file)):
        copy_file(file, target)
    return named[0].file


def draw_scan(folder: Path, report: ScanReport, path: Path) -> None:
    """Draw a scan as a PNG; see `picture`."""
    takes = read_takes(folder)
    curves = [analyse(folder, takes, row).level_db for row in takes.takes[:MOST_STRIPS]]
    draw(report, curves, path)
