"""One effect at work in a rack: what moves it, what it listens to, how it is taken out without a click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.effects import EFFECTS
from covermaker.effects.automation import Curve
from covermaker.effects.lines import Line
from covermaker.effects.spec import MOVE_SAMPLES, Keyed, Late, Movable, ReadsRow, Shifting, Swinging

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.effects.automation import Automation
    from covermaker.effects.rack import EffectSettings
    from covermaker.effects.spec import Effect, Value

BYPASS = "bypass"

# Effects work on grids that are counted from the start of their stream; all of them divide this. A late effect is made
# later by as much as is missing to a multiple, so that what is behind it has the same bits as without it.
GRID_SAMPLES = 8192

# A parameter that cannot glide is changed by handing the sound over to another instance in this time.
_HANDOVER_SECONDS = 0.020
# So many may still ring; earlier ones fade out.
_MOST_LEAVING = 4


@dataclass(slots=True)
class _Leaving:
    """An effect that the sound was taken from: it fades out, and what it has in it rings out.

    Attributes
    ----------
    left : int
        Frames until it is silent.
    faded : int
        Frames since the hand-over.
    dying : int or None
        Frames since it was told to fade out for good.
    """

    effect: Effect
    left: int
    faded: int = 0
    dying: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stage stands in a stream.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
        That the effect works on.
    start : int
        Frame of the song at which the stream begins.
    behind : int
        By how many samples the effects before it make the stream late.
    """

    sample_rate: int
    channels: int
    start: int = 0
    behind: int = 0


class Stage:
    """A running effect.

    Parameters
    ----------
    index : int
        Its place in the rack.
    setting : EffectSettings
        Its row.
    place : Place
        Its place in the stream.
    moves : mapping of str to Automation
        What moves of it; ``"bypass"`` fades it in and out.
    """

    def __init__(
        self, index: int, setting: EffectSettings, place: Place, moves: Mapping[str, Automation]
    ) -> None:
        self.index, self.name, self.channels = index, setting.effect, place.channels
        self._place = place
        self._setting = setting
        self._specs = {spec.name: spec for spec in setting.specs()}
        # What nobody here knows cannot move either: it is of a plug-in that is not there.
        moves = {name: course for name, course in moves.items() if name in self._specs or name == BYPASS}
        self._glides = frozenset(moves) & setting.gliding()
        curves = {
            name: Curve(course, place.sample_rate)
            if name in self._glides or name == BYPASS
            else Curve(course, place.sample_rate, step_seconds=0.0)
            for name, course in moves.items()
        }
        self._bypass = curves.pop(BYPASS, None)
        self._curves = curves
        self._seen = self._worked = 0  # frames of whole blocks; frames that the effect has had
        self._values = dict(setting.values) | {
            name: self._typed(name, float(curve.at(np.array([float(place.start)]))[0]))
            for name, curve in curves.items()
        }
        self.effect = self._made(self._values)
        self._late = self.effect.latency_samples if isinstance(self.effect, Late) else 0
        self.latency_samples = self._late + -self._late % GRID_SAMPLES
        self._pad = Line(self.latency_samples - self._late, place.channels)
        self._leaving: list[_Leaving] = []
        # Rooms and echoes fade at their input; of all others the output fades, as soon as the new one gives any.
        self._rings = self.effect.tail_seconds() > 0.0
        self._wait = 0 if self._rings else self._late
        self._handover = round(_HANDOVER_SECONDS * place.sample_rate)
        self._handed = self._wait + self._handover
        self._due = False  # a parameter that cannot glide has changed
        self._dry = Line(self.latency_samples, place.channels)
        self._key_lines: dict[int, Line] = {}

    def process(self, block: Samples, key: Samples | None) -> Samples:
        """Return the next block, `latency_samples` late; `key` is what it listens to, `behind` samples early."""
        if key is not None:
            line = self._key_lines.setdefault(len(key), Line(self._place.behind, len(key)))
            key = line.process(key)
        frames = block.shape[1]
        if self._curves:
            wet = np.empty_like(block)
            for begin, stop, values in self._cells(frames):
                if values:
                    self._move(values)
                span = slice(begin, stop)
                wet[:, span] = self._heard(block[:, span], None if key is None else key[:, span])
        else:
            wet = self._run(self.effect, block, key)
        wet = self._pad.process(wet)
        if self._bypass is not None:
            at = self._song_frame(self._seen) - self.latency_samples
            wet = _between(self._dry.process(block), wet, self._bypass.over(at, frames))
        self._seen += frames
        return wet

    def tail_seconds(self) -> float:
        """Return for how long sound goes on behind the end, where every lane has its last value."""
        if not self._curves:
            return self.effect.tail_seconds()
        last = {name: self._typed(name, curve.last) for name, curve in self._curves.items()}
        ended = self._made({**self._values, **last})
        return max(self.effect.tail_seconds(), ended.tail_seconds()) + _HANDOVER_SECONDS

    def _made(self, values: Mapping[str, Value]) -> Effect:
        kind = EFFECTS.load(self.name)
        if issubclass(kind, ReadsRow) and self._curves:
            values = kind.moved(self._setting.values, values)
        made = kind(values, self._place.sample_rate, self._place.channels)
        if isinstance(made, Swinging):
            made.begin(self._song_frame(self._worked))
        return made

    def _typed(self, name: str, value: float) -> Value:
        return value >= 0.5 if isinstance(self._specs[name].default, bool) else value

    def _song_frame(self, seen: int) -> int:
        """Return which frame of the song is heard at a frame of the stream."""
        return self._place.start + seen - self._place.behind

    def _cells(self, frames: int) -> Iterator[tuple[int, int, dict[str, Value]]]:
        """Yield stretches of a block, and the values that change at the beginning of each.

        Cells are counted from the start of the stream; values are those at the end of the cell, where the effect
        arrives with them.
        """
        first = -self._seen % MOVE_SAMPLES
        starts = np.arange(first, frames, MOVE_SAMPLES)
        now = dict(self._values)
        ends = (self._song_frame(self._seen) + starts + MOVE_SAMPLES).astype(np.float64)
        courses = (
            {name: curve.at(ends).tolist() for name, curve in self._curves.items()} if len(starts) else {}
        )
        begin = 0
        pending: dict[str, Value] = {}
        for number, start in enumerate(starts.tolist()):
            changed: dict[str, Value] = {}
            for name, course in courses.items():
                value = self._typed(name, course[number])
                if value != now[name]:
                    changed[name] = now[name] = value
            if not changed:
                continue
            if start > begin:
                yield begin, start, pending
            begin, pending = start, changed
        if begin < frames:
            yield begin, frames, pending

    def _move(self, values: Mapping[str, Value]) -> None:
        self._values |= values
        gliding = {name: value for name, value in values.items() if name in self._glides}
        if gliding:
            assert isinstance(self.effect, Movable)
            self.effect.move(gliding)
        self._due = self._due or len(gliding) < len(values)

    def _hand_over(self) -> None:
        """Go on with an effect of the values that hold now."""
        tail = round(self.effect.tail_seconds() * self._place.sample_rate)
        self._leaving.append(_Leaving(self.effect, self._handover + self._late + tail))
        for old in self._leaving[:-_MOST_LEAVING]:
            if old.dying is None:
                old.dying, old.left = 0, min(old.left, self._handover)
        self.effect = self._made(self._values)
        late = self.effect.latency_samples if isinstance(self.effect, Late) else 0
        if late != self._late:
            assert isinstance(self.effect, Shifting), self.name  # of all others `check_moves` refuses it
            self.effect.refuse_latency(self._late)
        self._handed, self._due = 0, False

    def _heard(self, block: Samples, key: Samples | None) -> Samples:
        """Return what the effect makes of a stretch, with those that it took over from.

        A hand-over that falls due during another one waits for its end.
        """
        made = np.empty_like(block)
        done, frames = 0, block.shape[1]
        while done < frames:
            busy = self._wait + self._handover - self._handed
            if self._due and busy <= 0:
                self._hand_over()
                busy = self._wait + self._handover
            stop = min(frames, done + busy) if self._due and busy > 0 else frames
            # Those that leave do so at their own sample, not at the end of a block.
            stop = min(stop, *(done + one.left for one in self._leaving), frames)
            span = slice(done, stop)
            made[:, span] = self._mixed(block[:, span], None if key is None else key[:, span])
            self._worked += stop - done
            done = stop
        return made

    def _mixed(self, block: Samples, key: Samples | None) -> Samples:
        if not self._leaving:
            return self._run(self.effect, block, key)
        frames = block.shape[1]
        coming = self._ramp(self._handed - self._wait, frames)
        self._handed += frames
        made = self._run(self.effect, block * coming if self._rings else block, key)
        if not self._rings:
            made = made * coming
        for old in self._leaving:
            going = np.float32(1.0) - self._ramp(old.faded - self._wait, frames)
            # What rings goes on ringing with what it got; what decides by the level must get the whole of it.
            sound = self._run(old.effect, block * going if self._rings else block, key)
            if not self._rings:
                sound = sound * going
            if old.dying is not None:
                sound = sound * (np.float32(1.0) - self._ramp(old.dying, frames))
                old.dying += frames
            made = made + sound
            old.faded += frames
            old.left -= frames
        self._leaving = [old for old in self._leaving if old.left > 0]
        return made

    def _ramp(self, done: int, frames: int) -> Samples:
        ramp = (np.arange(done + 1, done + frames + 1) / self._handover).clip(0.0, 1.0)
        return ramp.astype(np.float32)

    def _run(self, effect: Effect, block: Samples, key: Samples | None) -> Samples:
        if key is None:
            return effect.process(block)
        assert isinstance(effect, Keyed)
        return effect.process_keyed(block, key)


def _between(dry: Samples, wet: Samples, bypass: NDArray[np.float64]) -> Samples:
    """Return the dry sound where `bypass` is 1, the wet one where it is 0, to the bit."""
    share = bypass.astype(np.float32)
    mixed: Samples = wet + share * (dry - wet)
    return np.where(share >= 1.0, dry, mixed)
