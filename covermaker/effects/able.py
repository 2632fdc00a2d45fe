"""What of a rack can move: automation is checked before anything is rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.documents.document import PlaceError
from covermaker.effects import EFFECTS
from covermaker.effects.rack import parse_value
from covermaker.effects.spec import ReadsRow
from covermaker.effects.stage import BYPASS
from covermaker.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.effects.automation import Move
    from covermaker.effects.rack import EffectSettings


def movable(setting: EffectSettings) -> dict[str, bool]:
    """Return what of an effect can move, its bypass last, and whether it may glide; what cannot, steps."""
    fixed: frozenset[str] = getattr(EFFECTS.load(setting.effect), "FIXED", frozenset())
    gliding = setting.gliding()
    able = [spec for spec in setting.specs() if spec.name not in fixed and not isinstance(spec.default, str)]
    return {**{spec.name: spec.name in gliding for spec in able}, BYPASS: False}


def refuse_still(setting: EffectSettings, parameter: str, where: str) -> None:
    """Refuse what an effect has not, and what of it always stays as it is.

    Raises
    ------
    PlaceError
        With the nearest name, or a list of what can move.
    """
    specs = {spec.name: spec for spec in setting.specs()}
    title, name, able = setting.title, _said(parameter), movable(setting)
    if parameter in able or unknown(setting):
        return
    if parameter not in specs:
        raise PlaceError(
            where, f": {title} has no parameter '{name}'", hint=nearest(name, [*map(_said, specs), BYPASS])
        )
    why = (
        "it is one of a few words" if isinstance(specs[parameter].default, str) else "it changes the latency"
    )
    raise PlaceError(
        where, f": {name} of {title} cannot move, {why}", hint=f"able: {', '.join(map(_said, able))}"
    )


def check_moves(settings: Sequence[EffectSettings], moves: Sequence[Move], *, where: str) -> None:
    """Refuse automation that a rack cannot follow.

    Parameters
    ----------
    where : str
        Of the automation in its document: ``"automation[0]"``.

    Raises
    ------
    PlaceError
        For an effect or parameter that is not there, a value outside its range, a choice that should glide.
    """
    for move in moves:
        if move.index >= len(settings):
            count = f"it has {len(settings)}" if settings else "it is empty"
            raise PlaceError(f"{where}.target", f": the rack has no effect {move.index + 1}: {count}")
        setting = settings[move.index]
        if move.parameter == BYPASS:
            values = [value for _, value in move.course.points]
            if any(value not in (0.0, 1.0) for value in values) or move.course.shape != "hold":
                raise PlaceError(where, ": a bypass is true or false", hint='write shape = "hold"')
        elif not unknown(setting):
            _check_move(setting, move, where)


def unknown(setting: EffectSettings) -> bool:
    """Tell whether an effect is a plug-in that is not on this machine: what it has, nobody can say."""
    effect = EFFECTS.load(setting.effect)
    return issubclass(effect, ReadsRow) and effect.unknown(setting.values)


def _check_move(setting: EffectSettings, move: Move, where: str) -> None:
    refuse_still(setting, move.parameter, f"{where}.target")
    spec = next(spec for spec in setting.specs() if spec.name == move.parameter)
    able = movable(setting)
    for number, (_, value) in enumerate(move.course.points):
        typed = bool(value) if isinstance(spec.default, bool) and value in (0.0, 1.0) else value
        parse_value(typed, spec, f"{where}.points[{number}]")
    if not able[move.parameter] and move.course.shape != "hold":
        raise PlaceError(
            where, f": {_said(move.parameter)} of {setting.title} cannot glide", hint='write shape = "hold"'
        )


def _said(parameter: str) -> str:
    """Return a parameter's name without the table that a plug-in's are in."""
    return parameter.rpartition(".")[2]
