"""``covermaker voices remove`` and ``restore``: voices of the library thrown away, and brought back."""

from __future__ import annotations

import shlex

import click

from covermaker.cli.output import json_option, show, table
from covermaker.errors import ProjectError, UsageError, nearest


@click.command("remove")
@click.argument("voice")
@json_option
def remove(voice: str, as_json: bool) -> None:
    """Move VOICE of your library, its takes and all that was trained, to the trash beside it.

    covermaker voices restore brings it back. Songs that it sings are not rendered again before that.
    """
    from covermaker.project.library import Trash
    from covermaker.takes.create import holds_voice
    from covermaker.takes.lock import changing
    from covermaker.training.lock import kept_out
    from covermaker.voices.library import is_place, place_of, user_library

    folder, library = place_of(voice).absolute(), user_library().absolute()
    if is_place(voice) and not holds_voice(folder):
        raise UsageError(f"there is no voice in {folder}", hint="covermaker voices list shows yours")
    if not holds_voice(folder):
        known = [one.name for one in sorted(library.glob("*")) if holds_voice(one)]
        raise UsageError(f"your library has no voice '{voice}'", hint=nearest(voice, known))
    if folder.parent != library:
        raise ProjectError(
            f"{folder} is not in your library, whose trash alone brings voices back",
            hint=f"that folder is the whole voice: delete it yourself, or move it into {library}",
        )
    with changing(folder), kept_out(folder):
        gone = Trash(library).remove(folder, title=folder.name)
    show(
        {"name": gone.name, "folder": str(gone.place / gone.name)},
        as_json,
        f"'{gone.name}' is in the trash; covermaker voices restore {shlex.quote(gone.name)} brings it back",
    )


@click.command("restore")
@click.argument("voice", required=False)
@json_option
def restore(voice: str | None, as_json: bool) -> None:
    """Bring VOICE back from the trash, the last removed of that name; without VOICE, list the trash."""
    from covermaker.project.library import Trash
    from covermaker.voices.library import user_library

    trash = Trash(user_library())
    contents = trash.contents()
    if voice is None:
        rows = [(one.name, one.when, str(one.place / one.name)) for one in contents]
        values = [{"name": name, "when": when, "folder": folder} for name, when, folder in rows]
        text = table(rows, header=("voice", "removed", "folder")) if rows else "the trash is empty"
        show(values, as_json, text)
        return
    found = next((one for one in contents if one.name == voice), None)
    if found is None:
        raise UsageError(
            f"no voice '{voice}' is in the trash", hint=nearest(voice, {one.name for one in contents})
        )
    folder = trash.restore(found)
    show({"name": voice, "folder": str(folder)}, as_json, f"'{voice}' is back")
