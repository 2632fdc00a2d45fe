"""One writer at a time: a project's document and its history change together, or not at all."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from covermaker.disk import disk_errors
from covermaker.errors import ProjectError, ResourceError
from covermaker.locks import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.project.load import Project

_WAIT_SECONDS = 5.0


@contextmanager
def locked(project: Project, *, wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Hold the right to change a project's document.

    Raises
    ------
    ProjectError
        When the project's folder is gone.
    ResourceError
        When somebody else holds it for longer than `wait_seconds`, or the folder cannot be written.
    """

    def taken() -> ResourceError:
        return ResourceError(
            f"{project.root} is being saved by another Covermaker", hint="try again in a moment"
        )

    with ExitStack() as stack:
        try:
            with disk_errors(project.hidden):
                # never `parents`: a folder that was deleted must not come back empty
                if project.file.exists():
                    project.hidden.mkdir(exist_ok=True)
            stack.enter_context(held(project.hidden / "edits.lock", wait_seconds, taken))
        except ResourceError as error:
            if project.file.exists():
                raise
            raise gone(project) from error
        if not project.file.exists():
            raise gone(project)
        yield


def gone(project: Project) -> ProjectError:
    """Return what to say of a project whose document is no longer there."""
    return ProjectError(
        f"there is no project at {project.root} any more", hint="look whether its folder was moved or deleted"
    )
