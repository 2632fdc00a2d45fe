"""Taking edits back and doing them again, in words, also after a restart and across several windows.

The document need not be what the edit left behind: what is taken back are the places that it changed, as long as nobody
has changed those since. Where the text is still the very same, it comes back to the character, comments included.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from covermaker.disk import write_bytes, write_text
from covermaker.errors import UsageError
from covermaker.project.load import load
from covermaker.project.lock import locked
from covermaker.project.log import Log, Stacks, fingerprint
from covermaker.project.operations import Drop, Insert, Put, on_text, on_values
from covermaker.project.places import ABSENT, NAMED, ORDER, Change, difference, get, real
from covermaker.project.saving import Applied, Conflict, defaults, opened, save, told
from covermaker.project.words import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.project.load import Project
    from covermaker.project.log import Do, Entry
    from covermaker.project.operations import Operation
    from covermaker.project.saving import Judge, OnDisk


def undo(project: Project, *, anyway: bool = False, judge: Judge | None = None) -> Applied:
    """Take back the last edit, whoever made it.

    Parameters
    ----------
    project : Project
        As it was read; what has changed on the disk since is told in the result.
    anyway : bool
        Also where what it changed has been changed again since.
    judge : callable, optional
        See `edits.apply`.

    Raises
    ------
    UsageError
        When there is nothing to undo.
    Conflict
        When what it changed has been changed since by other means.
    ProjectError, ResourceError
        As in `edits.apply`.
    """
    return _step(project, "undo", anyway, judge)


def redo(project: Project, *, anyway: bool = False, judge: Judge | None = None) -> Applied:
    """Do again what `undo` took back last; see there."""
    return _step(project, "redo", anyway, judge)


def history(project: Project) -> Stacks:
    """Return the edits that can be undone and redone, the next one last."""
    with locked(project):
        return Log(project.hidden).read(load(project.root).document.text)


def put_back(project: Project) -> Applied:
    """Write the document as it was read over one on the disk that is none any more, and keep that beside it.

    Raises
    ------
    ProjectError
        When the project is gone.
    ResourceError
        When the disk refuses.
    """
    with locked(project):
        found = project.file.read_bytes()
        kept = project.hidden / f"replaced-{hashlib.sha256(found).hexdigest()[:12]}.toml"
        write_bytes(kept, found)
        write_text(project.file.resolve(), project.document.text)
        return Applied(load(project.root), f"cover.toml is as it was; what stood there is in {kept}")


def _step(project: Project, do: Literal["undo", "redo"], anyway: bool, judge: Judge | None) -> Applied:
    with opened(project) as now:
        stacks = now.log.read(now.text)
        stack = stacks.done if do == "undo" else stacks.undone
        if not stack:
            raise UsageError(f"there is nothing to {do}")
        entry = stack[-1]
        text, changes = _text(now, entry, do, anyway)
        merged = told(now.changes_since(project), project, now.project)
        saved = save(now, text, do, None, changes, judge)
        return Applied(saved, f"{do}: {entry.words}", text != now.text, merged, do)


def _text(now: OnDisk, entry: Entry, do: Do, anyway: bool) -> tuple[str, list[Change]]:
    """Return the text after the step, and what it changes."""
    back = do == "undo"
    changes = [change.reversed() for change in entry.changes[::-1]] if back else list(entry.changes)
    if fingerprint(now.text) == (entry.after if back else entry.before):
        splice = entry.splice.reversed() if back else entry.splice
        text = splice.done(now.text)
        if fingerprint(text) == (entry.before if back else entry.after):
            return text, changes
    operations = _operations(now, changes, entry.words, anyway)
    meant = on_values(now.values, operations)
    return on_text(now.text, operations, meant), difference(now.values, meant)


def _operations(now: OnDisk, changes: Sequence[Change], words: str, anyway: bool) -> list[Operation]:
    """Return what makes the changes, place by place, in a document that others may have changed."""
    done: list[Operation] = []
    values = now.values
    for change in changes:
        current = get(values, change.place)
        if current == change.after or change.place[-1] == ORDER:
            continue
        if current != change.before and not anyway:
            since = Change(change.place, change.before, current)
            raise Conflict(words, say(since, now.values, defaults(now.project)))
        operation = _operation(change, current is ABSENT, values)
        if operation is not None:
            values = on_values(values, [operation])
            done.append(operation)
    return done


def _operation(change: Change, absent: bool, values: dict[str, object]) -> Operation | None:
    place = change.place
    named = len(place) == 2 and place[0] in NAMED
    if change.after is ABSENT:
        return None if absent else Drop(real(place, values))
    if named and absent:
        rows = values.get(str(place[0]), [])
        assert isinstance(rows, list)
        return Insert(place[:1], min(change.index or 0, len(rows)), change.after)
    try:
        return Put(real(place, values), change.after)
    except LookupError:  # its track is gone
        return None
