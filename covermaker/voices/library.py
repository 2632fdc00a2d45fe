"""Where voices are looked for, nearest first: a path, the project, the user's library, the shipped ones.

Only cards are read here, and how long the files are that they name: listing voices loads no network and no weights.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.disk import told_by
from covermaker.errors import ProjectError, UsageError, nearest
from covermaker.voices.card import CARD_FILE, VoiceCard
from covermaker.voices.voice import Voice
from covermaker.voices.whole import damage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIBRARY_VARIABLE = "COVERMAKER_VOICES"
TAKES_FILE = (
    "takes.toml"  # of a voice that is trained here; without a card beside it, one that is still to be
)
SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True, slots=True)
class VoiceEntry:
    """One voice of a listing; one without a card has a problem.

    Parameters
    ----------
    name : str
        The folder's name.
    folder : Path
        Where it lies.
    place : str
        ``"extra"``, ``"project"``, ``"library"`` or ``"shipped"``.
    card : VoiceCard, optional
        Its card, when it can be read.
    problem : str, optional
        One line that says what is wrong with the card, or with the files that it names, by their size.
    """

    name: str
    folder: Path
    place: str
    card: VoiceCard | None
    problem: str | None = None


def user_library() -> Path:
    """Return the user's voice folder: COVERMAKER_VOICES, or ``voices`` in the user's data folder.

    Raises
    ------
    UsageError
        When COVERMAKER_VOICES leads nowhere.
    """
    import platformdirs

    return told_by(LIBRARY_VARIABLE) or Path(platformdirs.user_data_dir("covermaker")) / "voices"


def list_voices(extra: Sequence[Path] = (), *, project: Path | None = None) -> list[VoiceEntry]:
    """List every voice that `find_voice` finds by name, sorted by place and name.

    A voice that lies behind another of the same name is left out; one with a damaged card, or whose files are not
    whole, is listed with its problem.

    Parameters
    ----------
    extra : sequence of Path
        More folders of voices, looked at before all others.
    project : Path, optional
        A project's folder.
    """
    entries: dict[str, VoiceEntry] = {}
    for place, root in _places(extra, project):
        for folder in _voice_folders(root):
            if folder.name not in entries:
                entries[folder.name] = _entry(folder, place)
    return list(entries.values())


def find_voice(name: str, project: Path | None = None, *, extra: Sequence[Path] = ()) -> Voice:
    """Find a voice by name, or by the path of its folder.

    Parameters
    ----------
    name : str
        A voice's name; or a path when it holds a separator or starts with ``~``: absolute, or relative to the
        project's folder (without a project, to the working folder).
    project : Path, optional
        A project's folder; its ``voices/`` goes before the library.
    extra : sequence of Path
        More folders of voices, looked at before all others.

    Raises
    ------
    ProjectError
        When there is no such voice (with the nearest name), it is not trained yet, its path leads nowhere, or its
        card is refused.
    """
    if is_place(name):
        folder = (project or Path()) / _expanded(name, "the voice")
        if _holds_takes_only(folder):
            raise _untrained(folder, str(folder))
        return Voice.open(folder)
    places = list(_places(extra, project))
    for _, root in places:
        for folder in _voice_folders(root):
            if folder.name == name:
                return Voice.open(folder)
    for place, root in places:
        if _holds_takes_only(root / name):
            raise _untrained(root / name, name if place == "library" else str(root / name))
    if project is None and (_holds_takes_only(Path(name)) or os.path.lexists(Path(name) / CARD_FILE)):
        raise ProjectError(
            f"unknown voice '{name}'", hint=f"for the one in this folder, write .{os.sep}{name}"
        )
    known = [entry.name for entry in list_voices(extra, project=project)]
    known += [folder.parent.name for _, root in places for folder in root.glob(f"*/{TAKES_FILE}")]
    raise ProjectError(f"unknown voice '{name}'", hint=nearest(name, set(known)))


def _holds_takes_only(folder: Path) -> bool:
    return os.path.isfile(folder / TAKES_FILE) and not os.path.lexists(folder / CARD_FILE)


def _untrained(folder: Path, wanted: str) -> ProjectError:
    """Return what to say of a voice that has takes and no weights; `wanted` is what ``train`` finds it by."""
    return ProjectError(
        f"voice '{folder.name}' is not trained yet: {folder} holds its takes only",
        hint=f"train it first: covermaker train {shlex.quote(wanted)}",
    )


def is_place(text: str) -> bool:
    """Tell whether what a person wrote for a voice is a path, not a name of the library."""
    return "/" in text or os.sep in text or text.startswith("~")


def place_for(text: str) -> Path:
    """Return where a new voice lies: a name's place in the user's library, or a path that clearly is one.

    Parameters
    ----------
    text : str
        A plain name; or a path that is absolute or begins with ``./``, ``../`` or ``~``.

    Raises
    ------
    UsageError
        When it may be either, or later commands would take the name for an option.
    ProjectError
        As `place_of`.
    """
    clear = text.startswith((f".{os.sep}", f"..{os.sep}", "./", "../", "~")) or os.path.isabs(text)
    if not clear and is_place(text):
        raise UsageError(
            f"'{text}' is no name for a voice: it has a slash",
            hint=f"choose a plain name; for a folder elsewhere write .{os.sep}{text}",
        )
    if Path(text).name.startswith("-"):
        raise UsageError(
            f"'{Path(text).name}' is no name for a voice: commands would take it for an option",
            hint="choose a name that does not begin with '-'",
        )
    folder = place_of(text)
    return folder.parent.resolve() / folder.name if clear and ".." in folder.parent.parts else folder


def call_of(folder: Path) -> str:
    """Return what commands find the voice in a folder by: its name in the user's library, its path elsewhere."""
    folder = folder.absolute()
    return folder.name if folder.parent == user_library().absolute() else str(folder)


def place_of(text: str) -> Path:
    """Return where the voice of a name, or at a path, lies or would lie; nothing needs to be there.

    Raises
    ------
    ProjectError
        When no file could ever be there, or nobody may look.
    """
    folder = _expanded(text, "the voice") if is_place(text) else user_library() / text
    try:
        folder.exists()
        Path(folder.name).exists()  # a name too long is not noticed in a folder that is missing itself
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProjectError(f"no voice can be at '{text[:60]}': {reason}") from error
    return folder


def _expanded(text: str, where: str) -> Path:
    if "\0" in text:
        raise ProjectError(f"{where} = {text!r} holds a NUL character", hint="write the folder's name")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~ of a user who does not exist
        raise ProjectError(f"{where} = '{text}' leads nowhere: {str(error).rstrip('.')}") from error


def _places(extra: Sequence[Path], project: Path | None) -> Iterator[tuple[str, Path]]:
    for root in extra:
        yield "extra", root
    if project is not None:
        yield "project", project / "voices"
    yield "library", user_library()
    yield "shipped", SHIPPED


def _voice_folders(root: Path) -> list[Path]:
    """Return the folders of a root that hold a card; a root that is missing or closed to us holds none.

    A hidden one is the trash, or a voice that is being made.
    """
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return []
    return [
        folder
        for folder in folders
        if not folder.name.startswith(".") and os.path.lexists(folder / CARD_FILE)
    ]


def _entry(folder: Path, place: str) -> VoiceEntry:
    try:
        card = Voice.open(folder).card
    except ProjectError as error:
        return VoiceEntry(folder.name, folder, place, None, str(error))
    return VoiceEntry(folder.name, folder, place, card, damage(folder, card) or None)
