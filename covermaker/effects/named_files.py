"""Files that rack rows name: found, checked, and made absolute."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from covermaker.documents.document import PlaceError
from covermaker.effects import EFFECTS
from covermaker.effects.spec import contents
from covermaker.errors import AudioInputError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from covermaker.effects.rack import EffectSettings


def with_files(
    settings: Sequence[EffectSettings],
    find: Callable[[str, str], Path],
    *,
    where: str,
    switched: Collection[int] = (),
) -> tuple[EffectSettings, ...]:
    """Return a rack whose files are absolute paths, as effects take them.

    Parameters
    ----------
    settings : sequence of EffectSettings
        From `covermaker.effects.rack.parse_rack`.
    find : callable
        Takes what a document says and where it says so, and returns the path; refuses one that leaves the project.
    where : str
        The rows' place in their document.
    switched : collection of int
        The effects whose bypass moves, by their places: these are heard at times.

    Raises
    ------
    PlaceError
        When a file is missing or of no use to the effect. Of effects that are off only the path is looked at.
    """
    return tuple(
        _found(setting, find, f"{where}[{index}]", off=setting.bypass and index not in switched)
        for index, setting in enumerate(settings)
    )


def _found(
    setting: EffectSettings, find: Callable[[str, str], Path], where: str, *, off: bool
) -> EffectSettings:
    effect = EFFECTS.load(setting.effect)
    named = {
        spec.name: spec
        for spec in effect.SPECS
        if spec.file and setting.values[spec.name] not in spec.choices
    }
    if not named:
        return setting
    values = dict(setting.values)
    for name, spec in named.items():
        text = str(values[name])
        path = find(text, f"{where}.{name}")
        if not path.is_file() and not off:
            hint = f"a file, or one of ours: {nearest(text, [str(choice) for choice in spec.choices])}"
            raise PlaceError(f"{where}.{name}", f": no file '{path}'", hint=hint)
        values[name] = str(path)
    if not off:
        try:
            contents(effect, values)
        except AudioInputError as error:
            raise PlaceError(f"{where}.{next(iter(named))}", f": {error.message}", hint=error.hint) from error
    return replace(setting, values=MappingProxyType(values))
