"""A project as it would be with other values; nothing is saved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from covermaker.project.edits import ResetValue, SetValue
from covermaker.project.operations import on_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.project.load import Project


def with_values(project: Project, changes: Mapping[str, Any]) -> Project:
    """Return the project with other values at their places; `None` is the default.

    Raises
    ------
    CovermakerError
        When a place is not there, or a value is refused.
    """
    if not changes:
        return project
    values = project.document.values
    for where, value in changes.items():
        edit = ResetValue(where) if value is None else SetValue(where, value)
        values = on_values(values, edit.operations(values))
    from covermaker.project.document import Cover

    document = replace(project.document, values=values)
    return replace(project, cover=document.checked(Cover, patterns={}), document=document)
