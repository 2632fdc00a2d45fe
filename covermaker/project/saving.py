"""How a changed document gets onto the disk: read under the lock, checked, logged, replaced whole.

Whoever changes a project read it some time ago. `opened` reads it again; what has changed on the disk since is merged
where it does not touch what is changed now (`clash`), and told as a `Conflict` where it does.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from covermaker.disk import jot, write_text
from covermaker.documents import complaint
from covermaker.documents.document import Document, DocumentError, PlaceError
from covermaker.errors import CovermakerError, ProjectError, UsageError
from covermaker.project.load import Project, parse
from covermaker.project.lock import gone, locked
from covermaker.project.log import Log
from covermaker.project.places import difference, overlap, real
from covermaker.project.words import say, say_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from covermaker.project.log import Do, Entry
    from covermaker.project.places import Change

    # Raises `PlaceError` for what only the rooms downstream of the project can judge: effects, voices, formats.
    Judge = Callable[[Project], None]

LAST_NAME = "last.toml"
_FILE_AND_LINE = re.compile(r"^.*?cover\.toml(:\d+)?: ", re.DOTALL)


@dataclass(frozen=True)
class Applied:
    """What an edit did.

    Attributes
    ----------
    project : Project
        As it is on the disk now.
    words : str
        What happened, for the status line: ``"vocals gain -3.0 -> -2.5 dB"``.
    changed : bool
        False when everything was so already; then nothing was written.
    merged : tuple of str
        What else has changed on the disk since the project was read, in words.
    turned : str
        ``"undo"`` or ``"redo"`` when an earlier edit was taken back or done again.
    """

    project: Project
    words: str
    changed: bool = True
    merged: tuple[str, ...] = ()
    turned: Literal["", "undo", "redo"] = ""


class Conflict(ProjectError):
    """An edit and the document on the disk disagree about one place; nothing was written.

    To keep what is on the disk, load the project again; to have one's way, load it and apply the edit to that (an undo:
    with ``anyway=True``).

    Parameters
    ----------
    yours : str
        The edit in words.
    theirs : str
        What happened on the disk, in words.
    """

    def __init__(self, yours: str, theirs: str) -> None:
        super().__init__(
            f"cover.toml has changed meanwhile: {theirs}; that is in the way of: {yours}",
            hint="look at it again, then make the change once more or leave it",
        )
        self.yours = yours
        self.theirs = theirs


@dataclass(frozen=True)
class OnDisk:
    """A document that nobody else can change now; its text has plain line ends."""

    project: Project
    windows_lines: bool

    @property
    def text(self) -> str:
        """What it says."""
        return self.project.document.text

    @property
    def values(self) -> dict[str, Any]:
        """What it means."""
        return self.project.document.values

    @property
    def log(self) -> Log:
        """Its edits."""
        return Log(self.project.hidden)

    def changes_since(self, project: Project) -> list[Change]:
        """List what has changed since a project was read."""
        return difference(project.document.values, self.values)


@contextmanager
def opened(project: Project) -> Iterator[OnDisk]:
    """Lock a project and read its document anew.

    Raises
    ------
    ProjectError
        When it is gone, or no document any more.
    ResourceError
        When somebody else holds it, or the folder cannot be written.
    """
    with locked(project):
        document = Document.read(project.file, missing=gone(project))
        now = Project(project.root, parse(document.text, document.name), document)
        yield OnDisk(now, b"\r\n" in project.file.read_bytes())


def defaults(project: Project) -> dict[str, Any]:
    """Return the whole document, what it leaves out filled in."""
    return project.cover.model_dump(by_alias=True)


def told(changes: Sequence[Change], before: Project, after: Project) -> tuple[str, ...]:
    """Say changes in words, one each."""
    values = after.document.values
    return tuple(say(change, values, defaults(before)) for change in changes)


def refuse_clash(
    mine: Sequence[Change], theirs: Sequence[Change], words: str, before: Project, now: OnDisk
) -> None:
    """Raise `Conflict` when two lists of changes of the same state touch the same place and do not agree."""
    agreed = [change for change in mine if change in theirs]
    for change in mine:
        others = [other for other in theirs if overlap(other.place, change.place)]
        if others and change not in agreed:
            raise Conflict(words, say_all(others, now.values, defaults(before)))


def save(
    now: OnDisk, text: str, do: Do, entry: Entry | None, changes: Sequence[Change], judge: Judge | None
) -> Project:
    """Check a new text of the document, log it and replace the file; returns the project as it is then.

    Parameters
    ----------
    now : OnDisk
        The locked document.
    text : str
        What it shall say.
    do, entry
        For the log; see `Log.adding`.
    changes : sequence of Change
        What is changed: the judge's word counts only there.
    judge : callable, optional
        See `Judge`.

    Raises
    ------
    ProjectError
        When the document would be refused; the file is untouched.
    ResourceError
        When the disk refuses; the file is untouched.
    """
    project = checked(now.project, text)
    if judge is not None:
        _ask(judge, project, changes, now.project)
    lines = text.replace("\n", "\r\n") if now.windows_lines else text
    with now.log.adding(do, now.text, text, entry):
        if text != now.text:
            # Resolved: a document that is a link stays one.
            write_text(project.file.resolve(), lines)
    jot(
        project.hidden / LAST_NAME, text
    )  # to go back to, when somebody makes nonsense of the document: see `saved`
    return project


def checked(project: Project, text: str) -> Project:
    """Return the project that another text would make it.

    Raises
    ------
    ProjectError
        When the text would be refused. It stands nowhere yet, so no line of it is named.
    """
    try:
        text.encode()
        document = Document.parse(text, project.document.name)
        return Project(project.root, parse(text, document.name), document)
    except UnicodeEncodeError as error:
        raise UsageError("the text holds what is not UTF-8") from error
    except DocumentError as error:
        raise ProjectError(_FILE_AND_LINE.sub("", error.message), hint=error.hint) from error


def _ask(judge: Judge, project: Project, changes: Sequence[Change], before: Project) -> None:
    """Let the judge refuse what has been changed; what was wrong elsewhere is no reason against it.

    What goes wrong elsewhere because of the change is: sends that now run in a circle.
    """
    touched = []
    for change in changes:
        try:
            touched.append(complaint.dotted(real(change.place, project.document.values)))
        except LookupError:
            continue  # a track that was taken away
    try:
        judge(project)
    except PlaceError as error:
        if any(_within(error.where, one) or _within(one, error.where) for one in touched):
            raise
        if not _is_refused(judge, before):
            raise
    except CovermakerError:
        return


def _is_refused(judge: Judge, project: Project) -> bool:
    try:
        judge(project)
    except CovermakerError:
        return True
    return False


def _within(path: str, table: str) -> bool:
    return path == table or path.startswith((f"{table}.", f"{table}["))
