"""Changes to a ``cover.toml`` that keep a person's comments and order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from covermaker.disk import write_text
from covermaker.errors import UsageError, nearest
from covermaker.project.load import Project, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]


def set_rack(
    project: Project,
    track: str,
    rack: Rows,
    sends: Mapping[str, float] | None = None,
    buses: Mapping[str, Rows] | None = None,
) -> Project:
    """Replace a track's rack (its sends and the buses' racks too, when given) and save.

    A bus that the project does not have yet is added; a send to a bus that is nowhere is left out.

    Raises
    ------
    UsageError
        When there is no such track.
    ProjectError
        When the document would be refused; the file is untouched.
    """
    import tomlkit

    names = [row.name for row in project.cover.tracks]
    if track not in names:
        raise UsageError(f"the project has no track '{track}'", hint=nearest(track, names))
    document: Any = tomlkit.parse(project.file.read_text(encoding="utf-8"))
    table = document["tracks"][names.index(track)]
    table["rack"] = _rows(rack)
    known = [bus.name for bus in project.cover.buses]
    for name, rows in (buses or {}).items():
        if name in known:
            document["buses"][known.index(name)]["rack"] = _rows(rows)
            continue
        bus = tomlkit.table()
        bus.update({"name": name, "rack": _rows(rows)})
        if "buses" not in document:
            document["buses"] = tomlkit.aot()
        document["buses"].append(bus)
    if sends is not None:
        levels = tomlkit.inline_table()
        levels.update({name: level for name, level in sends.items() if name in {*known, *(buses or {})}})
        table["sends"] = levels
    return save(project, tomlkit.dumps(document))


def _rows(rack: Rows) -> Any:
    import tomlkit

    rows = tomlkit.array().multiline(bool(rack))
    for row in rack:
        inline = tomlkit.inline_table()
        inline.update(row)
        rows.append(inline)
    return rows


def set_master(project: Project, values: Mapping[str, Any], rack: Rows | None = None) -> Project:
    """Replace keys of ``[master]`` and save, its rack too when one is given, be it empty; errors as in `set_rack`."""
    import tomlkit

    document = tomlkit.parse(project.file.read_text(encoding="utf-8"))
    if "master" not in document:
        document["master"] = tomlkit.table()
    table: Any = document["master"]
    for key, value in values.items():
        table[key] = value
    if rack is not None:
        table["rack"] = _rows(rack)
    return save(project, tomlkit.dumps(document))


def save(project: Project, text: str) -> Project:
    """Check a document's new text and replace the file with it, atomically."""
    cover = parse(text, project.file.name)
    write_text(project.file, text)
    return Project(project.root, cover)
