"""Changes to a ``cover.toml`` that keep a person's comments and order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from covermaker.disk import write_text
from covermaker.errors import UsageError, nearest
from covermaker.project.load import Project, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def set_rack(
    project: Project, track: str, rack: Sequence[Mapping[str, Any]], sends: Mapping[str, float] | None = None
) -> Project:
    """Replace a track's rack (and its sends, when given) and save.

    Sends to buses that the project does not have are left out.

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
    document = tomlkit.parse(project.file.read_text(encoding="utf-8"))
    table: Any = document["tracks"][names.index(track)]
    rows = tomlkit.array().multiline(True)
    for row in rack:
        inline = tomlkit.inline_table()
        inline.update(row)
        rows.append(inline)
    table["rack"] = rows
    if sends is not None:
        buses = {bus.name for bus in project.cover.buses}
        levels = tomlkit.inline_table()
        levels.update({name: level for name, level in sends.items() if name in buses})
        table["sends"] = levels
    return save(project, tomlkit.dumps(document))


def set_master(project: Project, values: Mapping[str, Any]) -> Project:
    """Replace keys of ``[master]`` and save; errors as in `set_rack`."""
    import tomlkit

    document = tomlkit.parse(project.file.read_text(encoding="utf-8"))
    if "master" not in document:
        document["master"] = tomlkit.table()
    table: Any = document["master"]
    for key, value in values.items():
        table[key] = value
    return save(project, tomlkit.dumps(document))


def save(project: Project, text: str) -> Project:
    """Check a document's new text and replace the file with it, atomically."""
    cover = parse(text, project.file.name)
    write_text(project.file, text)
    return Project(project.root, cover)
