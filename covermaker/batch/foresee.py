"""What is asked for is there or is not: voices, presets, separators and pitch methods, with their weights.

A render would find it out in the middle; asked here, nothing is written and no song is opened.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.documents.document import Document
from covermaker.effects.presets import load_preset
from covermaker.errors import CovermakerError, ProjectError, UsageError, nearest
from covermaker.features.pitch import METHODS
from covermaker.project.load import parse
from covermaker.render.checks import make_separator
from covermaker.render.singers import ready
from covermaker.stems import SEPARATORS
from covermaker.voices.library import find_voice
from covermaker.weights.catalog import find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from covermaker.batch.options import Options
    from covermaker.batch.rows import Song
    from covermaker.project.document import Stems


class Foresight:
    """Finds out what cannot be of what is asked, each thing once.

    Parameters
    ----------
    options : Options
        What is asked of all songs; its template decides about stems where no wish does.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._known: dict[tuple[str, str, str], CovermakerError | None] = {}

    def refuse(self) -> None:
        """Refuse what is wrong for every song.

        Raises
        ------
        CovermakerError
            When something is not there.
        """
        for name, value in self._options.wanted({}).items():
            problem = self._problem(name, str(value), "")
            if problem is not None:
                raise problem

    def problem(self, song: Song) -> CovermakerError | None:
        """Return why a song will certainly fail, as far as its wishes tell; None where they do not."""
        wishes = song.wishes if song.kept else self._options.wanted(song.wishes)
        root = song.project if song.kept else ""  # a project may have voices of its own
        problems = (self._problem(name, str(value), root) for name, value in wishes.items())
        return next((problem for problem in problems if problem is not None), None)

    def _problem(self, name: str, value: str, root: str) -> CovermakerError | None:
        key = name, value, root if name in _OF_PROJECTS else ""
        if key not in self._known:
            self._known[key] = None
            try:
                if name in _CHECKS:
                    _CHECKS[name](self, value, root)
            except CovermakerError as error:
                self._known[key] = error
        return self._known[key]

    def _voice(self, name: str, root: str) -> None:
        voice = find_voice(name, Path(root) if root else None)
        ready(voice)
        if not voice.weights_path.is_file():
            voice.verify()  # it says so

    def _preset(self, name: str, root: str) -> None:
        load_preset("racks", name)

    def _master(self, name: str, root: str) -> None:
        load_preset("masters", name)

    def _separator(self, name: str, root: str) -> None:
        if name not in SEPARATORS:
            raise UsageError(f"unknown separator '{name}'", hint=nearest(name, SEPARATORS.names()))
        # A project's own model, or stems that a template brings along, are nobody's business but theirs.
        if not root and self._stems.repo is None and not self._stems.files:
            make_separator(self._stems.model_copy(update={"separator": name}), {})("auto").weights_used()

    def _pitch(self, name: str, root: str) -> None:
        if name not in METHODS:
            raise UsageError(f"unknown pitch method '{name}'", hint=nearest(name, METHODS.names()))
        for weights in METHODS.load(name).WEIGHTS:
            find(weights)

    @cached_property
    def _stems(self) -> Stems:
        """How the template separates, else how a new project does."""
        from covermaker.project.document import Stems

        if not self._options.template:
            return Stems()
        place = Path(self._options.template)
        missing = ProjectError(f"there is no template at {place}")
        return parse(Document.read(place, missing=missing).text, str(place)).stems


_CHECKS: Final[Mapping[str, Callable[[Foresight, str, str], None]]] = {
    "voice": Foresight._voice,
    "preset": Foresight._preset,
    "master": Foresight._master,
    "separator": Foresight._separator,
    "pitch": Foresight._pitch,
}
# What a project that is there already decides about otherwise than a new one.
_OF_PROJECTS: Final = frozenset({"voice", "separator"})
