"""States that a project's document was in, and going back to one: also where the document is nonsense now.

They are worked out, not stored: from the document as it is, or as it was saved last, the log of edits leads back one
edit at a time (`log`). Beside these stand the document of the last render and what was replaced by going back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from covermaker.documents.document import Document
from covermaker.errors import CovermakerError, ProjectError, UsageError
from covermaker.project.history import put_back
from covermaker.project.load import FILE_NAME, Project, hidden_folder, load, parse
from covermaker.project.log import Entry, Log, Splice, fingerprint
from covermaker.project.places import difference
from covermaker.project.saving import LAST_NAME, Applied, opened, save

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.project.saving import Judge

RENDERED_NAME = "rendered.toml"  # the document of the last render, in the hidden folder


@dataclass(frozen=True, slots=True)
class Saved:
    """A state of the document.

    Attributes
    ----------
    words : str
        Which one it is.
    when : str
        ISO 8601, UTC: when it came to be, or was left.
    """

    words: str
    when: str
    text: str

    @property
    def seconds(self) -> float:
        """The same since the epoch; 0 where nobody knows."""
        return datetime.fromisoformat(self.when).timestamp() if self.when else 0.0


def saved_states(place: Path) -> list[Saved]:
    """List the states that a project can go back to, the newest first.

    Raises
    ------
    ProjectError
        When there is no project.
    """
    hidden = hidden_folder(place)
    now = _read(hidden.parent / FILE_NAME)
    found = list(_states(hidden, now))
    unlike: dict[str, Saved] = {}
    for state in found:  # the newest first: among those of one second this order stays
        if state.text != now:
            unlike.setdefault(state.text, state)
    return sorted(unlike.values(), key=lambda state: state.when, reverse=True)


def go_back(place: Path, saved: Saved, *, judge: Judge | None = None) -> Applied:
    """Make the document what it was; that can be undone, or what stood there is kept beside it.

    Raises
    ------
    ProjectError
        When the project is gone, or the state would be refused.
    ResourceError
        When the disk refuses.
    """
    words = f"went back to {saved.words}"
    try:
        project = load(place)
    except ProjectError:
        root = hidden_folder(place).parent
        document = Document.parse(saved.text, FILE_NAME)
        return put_back(Project(root, parse(saved.text), document))
    with opened(project) as now:
        changes = difference(now.values, Document.parse(saved.text, FILE_NAME).values)
        entry = Entry(
            words, _time(datetime.now(UTC).timestamp()), None, fingerprint(now.text), fingerprint(saved.text),
            Splice.between(now.text, saved.text), tuple(changes),
        )  # fmt: skip
        return Applied(save(now, saved.text, "edit", entry, changes, judge), words)


def chosen(states: list[Saved], number: int) -> Saved:
    """Return a state by its number, counted from 1.

    Raises
    ------
    UsageError
        When there is none.
    """
    if not 1 <= number <= len(states):
        raise UsageError(
            f"there is no saved state {number}: there are {len(states)}", hint="list them with --saved"
        )
    return states[number - 1]


def _states(hidden: Path, now: str | None) -> Iterator[Saved]:
    kept = hidden / LAST_NAME
    base = now if _is_cover(now) else _read(kept)
    if base is not None and _is_cover(base):
        if base != now:
            yield Saved("as it was saved last", _written(kept), base)
        yield from _before(hidden, base)
    rendered = _read(hidden / RENDERED_NAME)
    if _is_cover(rendered):
        assert rendered is not None
        yield Saved("as of the last render", _written(hidden / RENDERED_NAME), rendered)
    for file in hidden.glob("replaced-*.toml"):
        text = _read(file)
        if _is_cover(text):
            assert text is not None
            yield Saved("what was replaced by going back", _written(file), text)


def _before(hidden: Path, text: str) -> Iterator[Saved]:
    """Yield what a document was before each of its edits, the last one first."""
    for entry in reversed(Log(hidden).read(text).done):
        if fingerprint(text) != entry.after:
            return  # changed by hand since
        text = entry.splice.reversed().done(text)
        if fingerprint(text) != entry.before:
            return
        yield Saved(f"before: {entry.words}", entry.when, text)


def _is_cover(text: str | None) -> bool:
    if text is None:
        return False
    try:
        parse(text)
    except CovermakerError:
        return False
    return True


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _written(file: Path) -> str:
    try:
        return _time(file.stat().st_mtime)
    except OSError:
        return ""


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
