"""Racks: rows of a project document become settings, settings become a chain that streams sound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.documents.document import PlaceError
from covermaker.effects import EFFECTS
from covermaker.errors import AudioInputError, CovermakerError, nearest
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.audio.files import Writer
    from covermaker.effects.follower import Reduction
    from covermaker.effects.spec import Effect, Spec, Value

# Short enough to stay in the processor's cache from one effect to the next.
BLOCK_SAMPLES = 32768

# A tail ends where it falls below this for good; one that would last longer than the cap fades over its last part.
TAIL_FLOOR_DB = -90.0
TAIL_CAP_SECONDS = 10.0
_TAIL_FADE_SECONDS = 1.0

_ROW_KEYS = ("effect", "bypass")


@dataclass(frozen=True, slots=True)
class EffectSettings:
    """One row of a rack, checked, with a value for every parameter."""

    effect: str
    values: Mapping[str, Value]
    bypass: bool = False

    def params(self) -> dict[str, Any]:
        """Return what decides this effect's sound, in one canonical form, for step keys."""
        return {
            "effect": self.effect,
            "version": EFFECTS.load(self.effect).VERSION,
            "values": {name: self.values[name] for name in sorted(self.values)},
        }


def rack_params(settings: Sequence[EffectSettings]) -> list[dict[str, Any]]:
    """Return the canonical form of a rack for step keys; bypassed effects have no part in it."""
    return [setting.params() for setting in settings if not setting.bypass]


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
    specs = {spec.name: spec for spec in EFFECTS.load(name).SPECS}
    for key in row:
        if key not in specs and key not in _ROW_KEYS:
            raise PlaceError(
                f"{where}.{key}", f"is no parameter of {name}", hint=nearest(str(key), [*specs, *_ROW_KEYS])
            )
    values = {
        key: _parse_value(row[key], spec, f"{where}.{key}") if key in row else spec.default
        for key, spec in specs.items()
    }
    return EffectSettings(name, MappingProxyType(values), bypass)


def _parse_value(value: object, spec: Spec, where: str) -> Value:
    allowed = f"allowed: {spec.allowed}"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    if isinstance(spec.default, bool):
        if not isinstance(value, bool):
            raise PlaceError(where, f"= {shown} must be true or false")
        return value
    if isinstance(spec.default, str):
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


@dataclass(frozen=True, slots=True)
class _Stage:
    """A running effect: its place in the rack, its name, and how many channels it works on."""

    index: int
    name: str
    channels: int
    effect: Effect


class Rack:
    """Effects in series over one stream; bypassed ones are left out.

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
        Told what each effect gives: its place in the rack, and the next piece of its sound.
    """

    def __init__(
        self,
        settings: Sequence[EffectSettings],
        *,
        sample_rate: int,
        channels: int,
        source_channels: int | None = None,
        listener: Callable[[int, Samples], None] | None = None,
    ) -> None:
        self._listener = listener
        if channels not in (1, 2):
            raise ValueError(f"a rack works on 1 or 2 channels, not {channels}")
        self._channels, self._source_channels = channels, source_channels or channels
        if self._source_channels not in (1, channels):
            raise ValueError(f"a rack of {channels} channels takes no source of {source_channels}")
        self._stages: list[_Stage] = []
        width = self._source_channels
        for index, setting in enumerate(settings):
            if setting.bypass:
                continue
            effect = EFFECTS.load(setting.effect)
            if not getattr(effect, "KEEPS_MONO", False):
                width = channels
            made = effect(setting.values, sample_rate, width)
            self._stages.append(_Stage(index, setting.effect, width, made))

    def process(self, block: Samples) -> Samples:
        """Return the next block, (channels, n), as a new array.

        Blocks of any size may follow each other; the result does not depend on where the stream is cut.

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
            piece = np.ascontiguousarray(block[:, start : start + BLOCK_SAMPLES], dtype=np.float32)
            for stage in self._stages:
                if len(piece) < stage.channels:
                    piece = np.repeat(piece, stage.channels, axis=0)
                with np.errstate(over="ignore", invalid="ignore"):  # looked at in the next line
                    piece = stage.effect.process(piece)
                if not np.isfinite(piece).all():
                    raise CovermakerError(
                        f"effect {stage.index + 1} of a rack ({stage.name}) made NaN or infinite samples",
                        hint="change its parameters, or bypass it",
                    )
                if self._listener is not None:
                    self._listener(stage.index, piece)
            result[:, start : start + BLOCK_SAMPLES] = piece
        return result

    def tail_seconds(self) -> float:
        """Return for how long, at most, sound goes on after the input has ended."""
        return math.fsum(stage.effect.tail_seconds() for stage in self._stages)

    def reductions(self) -> tuple[StageReduction, ...]:
        """Return what the gates and compressors have done so far."""
        found = []
        for stage in self._stages:
            if isinstance(stage.effect, _Reducing):
                measured = stage.effect.reduction()
                found.append(StageReduction(stage.index, stage.name, measured.maximum_db, measured.mean_db))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class RackReport:
    """What `render_rack` wrote: `frames` of the source plus `tail_frames`; `peak` is linear."""

    frames: int
    tail_frames: int
    peak: float
    reductions: tuple[StageReduction, ...]


def render_rack(
    source: Path,
    out: Path,
    settings: Sequence[EffectSettings],
    *,
    sample_rate: int,
    channels: int = 2,
    start: int = 0,
    frames: int | None = None,
    tail_seconds: float | None = None,
    level_db: float = 0.0,
    progress: Progress = silent,
) -> RackReport:
    """Stream a file through a rack into a float32 WAV, tail included.

    Parameters
    ----------
    source : Path
        Mono or stereo, at `sample_rate`. A mono source of a stereo rack goes to both channels.
    out : Path
        Written from the start of the region to the end of the tail.
    settings : sequence of EffectSettings
        From `parse_rack`.
    sample_rate : int
        In Hz.
    channels : int
        Of the rack and of `out`, 1 or 2.
    start, frames : int
        The region of `source` in samples; `frames` None is to its end.
    tail_seconds : float, optional
        None keeps the tail until it has fallen below −90 dBFS for good, 10 s at most (then it fades out); a number
        keeps exactly so much.
    level_db : float
        How much louder the rack hears its source than it is; the level is put back behind the rack.
    progress : callable
        Told the finished fraction.

    Raises
    ------
    AudioInputError
        When the source has another rate or more than two channels.
    """
    info = probe(source)
    if info.sample_rate != sample_rate:
        raise AudioInputError(f"{source.name} is at {info.sample_rate} Hz, the rack at {sample_rate} Hz")
    if info.channels > 2:
        raise AudioInputError(
            f"{source.name} has {info.channels} channels", hint="mix it down to stereo first"
        )
    taken = min(info.channels, channels)
    rack = Rack(settings, sample_rate=sample_rate, channels=channels, source_channels=taken)
    expected = max(1, info.frames - start if frames is None else frames)
    peak = 0.0
    before = np.float32(10.0 ** (level_db / 20.0))
    behind = np.float32(10.0 ** (-level_db / 20.0))
    with wav_writer(out, sample_rate=sample_rate, channels=channels) as writer:
        for block in blocks(source, start=start, frames=frames):
            made = rack.process(_mean(block, taken) * before) * behind
            writer.write(made)
            peak = max(peak, float(np.abs(made).max(initial=0.0)))
            progress(min(1.0, writer.frames / expected))
        body = writer.frames
        tail = _Tail(rack, taken, sample_rate, tail_seconds, behind)
        peak = max(peak, tail.write(writer))
        total = writer.frames
    progress(1.0)
    return RackReport(body, total - body, peak, rack.reductions())


class _Tail:
    """What a rack gives after its input: silence goes in until nothing more comes out."""

    def __init__(
        self, rack: Rack, channels: int, sample_rate: int, seconds: float | None, gain: np.float32
    ) -> None:
        self._rack, self._gain = rack, gain
        self._channels = channels
        wanted = rack.tail_seconds() if seconds is None else seconds
        capped = seconds is None and wanted > TAIL_CAP_SECONDS
        self._frames = math.ceil((TAIL_CAP_SECONDS if capped else wanted) * sample_rate)
        self._fade_frames = round(_TAIL_FADE_SECONDS * sample_rate) if capped else 0
        self._floor = 10.0 ** (TAIL_FLOOR_DB / 20.0) if seconds is None else -1.0

    def write(self, writer: Writer) -> float:
        """Append the tail, return its peak. Quiet stretches wait until sound follows them, as between echoes."""
        peak = 0.0
        quiet: list[Samples] = []
        for at in range(0, self._frames, BLOCK_SAMPLES):
            length = min(BLOCK_SAMPLES, self._frames - at)
            block = self._rack.process(np.zeros((self._channels, length), dtype=np.float32)) * self._gain
            if self._fade_frames:
                left = self._frames - np.arange(at, at + length)
                block *= np.minimum(1.0, left / self._fade_frames).astype(np.float32)
            level = np.abs(block).max(axis=0)
            peak = max(peak, float(level.max()))
            loud = np.flatnonzero(level > self._floor)
            if not len(loud):
                quiet.append(block)
                continue
            end = int(loud[-1]) + 1
            for part in (*quiet, block[:, :end]):
                writer.write(part)
            quiet = [block[:, end:]]
        return peak


def _mean(block: Samples, channels: int) -> Samples:
    """Return a block of one channel or two as `channels`, of which it has that many or more."""
    if block.shape[0] == channels:
        return block
    mean: Samples = block.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return mean
