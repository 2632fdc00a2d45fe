"""Racks: rows of a project document become settings, settings become a chain that streams sound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from covermaker.documents.document import PlaceError
from covermaker.effects import EFFECTS
from covermaker.effects.automation import moved_effects
from covermaker.effects.spec import ReadsRow, Telling, contents
from covermaker.effects.stage import BYPASS, Place, Stage
from covermaker.errors import AudioInputError, CovermakerError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.audio.buffer import Samples
    from covermaker.effects.automation import Move
    from covermaker.effects.follower import Reduction
    from covermaker.effects.spec import Spec, Value

# Short enough to stay in the processor's cache from one effect to the next.
BLOCK_SAMPLES = 32768

ROW_KEYS = ("effect", "bypass", "sidechain")


@dataclass(frozen=True, slots=True)
class EffectSettings:
    """One row of a rack, checked, with a value for every parameter."""

    effect: str
    values: Mapping[str, Value]
    bypass: bool = False
    # The channel that the effect listens to in place of its own sound.
    sidechain: str | None = None

    @property
    def title(self) -> str:
        """What people call it: a plug-in by its own name."""
        effect = EFFECTS.load(self.effect)
        return effect.title_of(self.values) if issubclass(effect, ReadsRow) else self.effect

    def specs(self) -> tuple[Spec, ...]:
        """Return the parameters that its row can have, a plug-in's own first; not all of these have a value."""
        effect = EFFECTS.load(self.effect)
        return (*(effect.specs_of(self.values) if issubclass(effect, ReadsRow) else ()), *effect.SPECS)

    def gliding(self) -> frozenset[str]:
        """Return the parameters that may glide; see `covermaker.effects.spec.Movable`."""
        effect = EFFECTS.load(self.effect)
        own: frozenset[str] = getattr(effect, "MOVES", frozenset())
        return own | effect.moves_of(self.values) if issubclass(effect, ReadsRow) else own

    def value_of(self, spec: Spec) -> Value:
        """Return the value of a parameter, or its default."""
        return self.values.get(spec.name, spec.default)

    def params(self) -> dict[str, Any]:
        """Return what decides this effect's sound, in one canonical form, for step keys."""
        effect = EFFECTS.load(self.effect)
        # What is in a file, not where it lies.
        values = {**self.values, **contents(effect, self.values)}
        return {
            "effect": self.effect,
            "version": effect.VERSION,
            "values": {name: values[name] for name in sorted(values)},
        }


def rack_params(settings: Sequence[EffectSettings], moves: Sequence[Move] = ()) -> list[dict[str, Any]]:
    """Return the canonical form of a rack for step keys; effects that are off for good have no part in it."""
    found = []
    moving = moved_effects(moves)
    names = listened_to(settings, moves)
    for index, setting in enumerate(settings):
        moved = moving.get(index, {})
        if setting.bypass and BYPASS not in moved:
            continue
        courses = {name: moved[name].params() for name in sorted(moved)}
        params = {**setting.params(), **({"moves": courses} if courses else {})}
        if setting.sidechain:
            # Not its name: what the channels sound like is among the inputs of the step, in this order.
            params["keyed_by"] = names.index(setting.sidechain)
        found.append(params)
    return found


def listened_to(settings: Sequence[EffectSettings], moves: Sequence[Move] = ()) -> tuple[str, ...]:
    """Return the channels that the side chains of a rack name, each once; effects that are off for good name none."""
    switched = {move.index for move in moves if move.parameter == BYPASS}
    names = [
        row.sidechain
        for at, row in enumerate(settings)
        if row.sidechain and not (row.bypass and at not in switched)
    ]
    return tuple(dict.fromkeys(names))


def parse_rack(rows: Sequence[Mapping[str, object]], *, where: str) -> tuple[EffectSettings, ...]:
    """Check rack rows and fill in defaults.

    Parameters
    ----------
    rows : sequence of mappings
        Each has `effect`, perhaps `bypass`, and any parameters of that effect.
    where : str
        The rows' place in their document, for messages: ``"tracks[0].rack"``.

    Raises
    ------
    PlaceError
        Names the place, what is wrong and what is allowed.
    """
    if isinstance(rows, (str, Mapping)) or not isinstance(rows, Sequence):
        raise PlaceError(where, "must be a list of effects", hint='as in [{ effect = "gate" }]')
    return tuple(_parse_row(row, f"{where}[{index}]") for index, row in enumerate(rows))


def _parse_row(row: Mapping[str, object], where: str) -> EffectSettings:
    if not isinstance(row, Mapping):
        raise PlaceError(where, "must be a table", hint='as in { effect = "gate", threshold_db = -45.0 }')
    name = row.get("effect")
    if not isinstance(name, str):
        problem = "must be a name" if "effect" in row else "is missing"
        raise PlaceError(f"{where}.effect", problem, hint="known: " + ", ".join(EFFECTS.names()))
    if name not in EFFECTS:
        raise PlaceError(f"{where}.effect", f"= '{name}' is no effect", hint=nearest(name, EFFECTS.names()))
    bypass = row.get("bypass", False)
    if not isinstance(bypass, bool):
        raise PlaceError(f"{where}.bypass", f"= {bypass!r} must be true or false")
    effect = EFFECTS.load(name)
    values = effect.read_row(row, where) if issubclass(effect, ReadsRow) else _parse_values(row, name, where)
    return EffectSettings(name, MappingProxyType(values), bypass, _sidechain(row, name, f"{where}.sidechain"))


def _parse_values(row: Mapping[str, object], effect: str, where: str) -> dict[str, Value]:
    specs = {spec.name: spec for spec in EFFECTS.load(effect).SPECS}
    for key in row:
        if key not in specs and key not in ROW_KEYS:
            raise PlaceError(
                f"{where}.{key}", f"is no parameter of {effect}", hint=nearest(str(key), [*specs, *ROW_KEYS])
            )
    return {
        key: parse_value(row[key], spec, f"{where}.{key}") if key in row else spec.default
        for key, spec in specs.items()
    }


def _sidechain(row: Mapping[str, object], effect: str, where: str) -> str | None:
    wanted = row.get("sidechain")
    if wanted is None:
        return None
    if not isinstance(wanted, str) or not wanted:
        raise PlaceError(where, f"= {wanted!r} must be the name of a track or a group")
    if not hasattr(EFFECTS.load(effect), "process_keyed"):
        able = [name for name in EFFECTS.names() if hasattr(EFFECTS.load(name), "process_keyed")]
        raise PlaceError(
            where, f": {effect} listens to nothing but its own sound", hint="able: " + ", ".join(able)
        )
    return wanted


def parse_value(value: object, spec: Spec, where: str) -> Value:
    """Check one value of a row.

    Raises
    ------
    PlaceError
        Says what is allowed.
    """
    allowed = f"allowed: {spec.allowed}"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    if isinstance(spec.default, bool):
        if not isinstance(value, bool):
            raise PlaceError(where, f"= {shown} must be true or false")
        return value
    if isinstance(spec.default, str):
        if spec.file and isinstance(value, str) and value and "\0" not in value:
            return value
        if value not in spec.choices:
            raise PlaceError(where, f"= {shown} is not allowed", hint=allowed)
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PlaceError(where, f"= {shown} must be a number", hint=allowed)
    amount = float(value) + 0.0  # + 0.0 turns -0.0 into 0.0: equal sounds get equal keys
    if not math.isfinite(amount):
        raise PlaceError(where, f"= {shown} must be a finite number", hint=allowed)
    if spec.choices and amount not in spec.choices:
        raise PlaceError(where, f"= {shown} is not allowed", hint=allowed)
    if amount < spec.minimum:
        raise PlaceError(where, f"= {shown} is below {spec.minimum:g}", hint=allowed)
    if amount > spec.maximum:
        raise PlaceError(where, f"= {shown} is above {spec.maximum:g}", hint=allowed)
    return amount


@runtime_checkable
class _Reducing(Protocol):
    def reduction(self) -> Reduction: ...


@dataclass(frozen=True, slots=True)
class StageReduction:
    """How far one effect of a rack has turned its sound down, in dB (0 or more)."""

    index: int
    effect: str
    maximum_db: float
    mean_db: float


class Rack:
    """Effects in series over one stream; bypassed ones are left out.

    What comes out is `latency_samples` late; `InPlace` puts it back.

    Parameters
    ----------
    settings : sequence of EffectSettings
        From `parse_rack`; an empty rack passes everything.
    sample_rate : int
        In Hz.
    channels : int
        1 or 2: of what comes out.
    source_channels : int, optional
        Of what goes in: 1 sends a mono source to both channels, and runs the effects that keep it mono only once.
    listener : callable, optional
        Told what each effect gives: its place in the rack, and the next piece of its sound, `latency_behind` late.
    moves : sequence of Move
        Parameters that move.
    start : int
        Frame of the song at which the stream begins.
    """

    def __init__(
        self,
        settings: Sequence[EffectSettings],
        *,
        sample_rate: int,
        channels: int,
        source_channels: int | None = None,
        listener: Callable[[int, Samples], None] | None = None,
        moves: Sequence[Move] = (),
        start: int = 0,
    ) -> None:
        self._listener = listener
        if channels not in (1, 2):
            raise ValueError(f"a rack works on 1 or 2 channels, not {channels}")
        self._channels, self._source_channels = channels, source_channels or channels
        if self._source_channels not in (1, channels):
            raise ValueError(f"a rack of {channels} channels takes no source of {source_channels}")
        self._stages: list[Stage] = []
        self._keys: dict[int, str] = {}
        self._behind: dict[int, int] = {}
        self.latency_samples = 0
        moving = moved_effects(moves)
        width = self._source_channels
        for index, setting in enumerate(settings):
            moved = moving.get(index, {})
            if setting.bypass and BYPASS not in moved:
                continue
            if not getattr(EFFECTS.load(setting.effect), "KEEPS_MONO", False):
                width = channels
            stage = Stage(index, setting, Place(sample_rate, width, start, self.latency_samples), moved)
            self._stages.append(stage)
            self.latency_samples += stage.latency_samples
            self._behind[index] = self.latency_samples
            if setting.sidechain:
                self._keys[index] = setting.sidechain

    @property
    def listens_to(self) -> tuple[str, ...]:
        """The channels that its side chains name, each once."""
        return tuple(dict.fromkeys(self._keys.values()))

    def latency_behind(self, index: int) -> int:
        """Return by how many samples the sound behind an effect is late; 0 for one that is off."""
        return self._behind.get(index, 0)

    def process(self, block: Samples, keys: Mapping[str, Samples] = MappingProxyType({})) -> Samples:
        """Return the next block, (channels, n), as a new array.

        Blocks of any size may follow each other; the result does not depend on where the stream is cut.

        Parameters
        ----------
        keys : mapping of str to float32 array (1 or 2, n)
            The same stretch of every channel that a `sidechain` of the rack names.

        Raises
        ------
        AudioInputError
            When the block holds NaN or infinity.
        CovermakerError
            When an effect makes some.
        """
        if block.ndim != 2 or block.shape[0] != self._source_channels:
            raise ValueError(f"the rack takes {self._source_channels} channels, the block is {block.shape}")
        if not np.isfinite(block).all():
            raise AudioInputError("the sound that enters a rack holds NaN or infinite samples")
        result = np.empty((self._channels, block.shape[1]), dtype=np.float32)
        for start in range(0, block.shape[1], BLOCK_SAMPLES):
            span = slice(start, start + BLOCK_SAMPLES)
            piece = np.ascontiguousarray(block[:, span], dtype=np.float32)
            for stage in self._stages:
                name = self._keys.get(stage.index)
                key = None if name is None else keys[name][:, span]
                if len(piece) < stage.channels:
                    piece = np.repeat(piece, stage.channels, axis=0)
                with np.errstate(over="ignore", invalid="ignore"):  # looked at in the next line
                    piece = stage.process(piece, key)
                if not np.isfinite(piece).all():
                    raise CovermakerError(
                        f"effect {stage.index + 1} of a rack ({stage.name}) made NaN or infinite samples",
                        hint="change its parameters, or bypass it",
                    )
                if self._listener is not None:
                    self._listener(stage.index, piece)
            result[:, span] = piece
        return result

    def tail_seconds(self) -> float:
        """Return for how long, at most, sound goes on after the input has ended."""
        return math.fsum(stage.tail_seconds() for stage in self._stages)

    def notes(self) -> tuple[str, ...]:
        """Return what its effects have to tell of themselves."""
        return tuple(
            note
            for stage in self._stages
            if isinstance(stage.effect, Telling)
            for note in stage.effect.notes()
        )

    def reductions(self) -> tuple[StageReduction, ...]:
        """Return what the gates and compressors have done so far."""
        found = []
        for stage in self._stages:
            if isinstance(stage.effect, _Reducing):
                measured = stage.effect.reduction()
                found.append(StageReduction(stage.index, stage.name, measured.maximum_db, measured.mean_db))
        return tuple(found)


class InPlace:
    """A rack whose sound comes at its own place: what it gives first is dropped.

    Until `finish`, which feeds it silence, fewer samples come out than went in.
    """

    def __init__(self, rack: Rack, channels: int) -> None:
        self._rack, self._channels = rack, channels
        self._drop = rack.latency_samples

    def process(self, block: Samples, keys: Mapping[str, Samples] = MappingProxyType({})) -> Samples:
        """Return what is there of the sound so far; see `Rack.process`."""
        made = self._rack.process(block, keys)
        gone = min(self._drop, made.shape[1])
        self._drop -= gone
        return made[:, gone:]

    def finish(self, keys: Mapping[str, Samples] = MappingProxyType({})) -> Samples:
        """Return what is still held; `keys` go on for `Rack.latency_samples`, silent ones are made."""
        late = self._rack.latency_samples
        silent = {name: np.zeros((2, late), np.float32) for name in self._rack.listens_to}
        return self.process(np.zeros((self._channels, late), np.float32), {**silent, **keys})
