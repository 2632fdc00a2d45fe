"""The mixing desk at work: tracks, groups and buses summed block by block.

Every sum is float64 and in a fixed order. A rack may make its strip late (a plug-in, a limiter that looks ahead):
whatever meets that strip's sound further down waits for it, so that all paths come out together, `latency_samples`
behind what went in. What moves moves by the sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from covermaker.effects.automation import Curve
from covermaker.effects.lines import Line
from covermaker.effects.rack import Rack
from covermaker.mix.pan import pan_gains
from covermaker.mix.strip import StripMeter
from covermaker.mix.strips import (
    GAIN,
    MUTE,
    PAN,
    Node,
    Strip,
    check_strips,
    groups_above,
    heard,
    sounding,
    working_order,
)
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from covermaker.audio.buffer import Samples

Sound: TypeAlias = NDArray[np.float64]  # (2, n)

_MASTER: Node = ("group", "")


class _Fader:
    """What a strip's fader, pan and mute do to its sound, moving or not."""

    def __init__(self, strip: Strip, sample_rate: int, start: int, above: Sequence[Strip] = ()) -> None:
        self._strip, self._start = strip, start
        self._curves = {name: Curve(course, sample_rate) for name, course in strip.moves.items()}
        # A group that mutes itself mutes what its tracks send, too.
        self._above = [Curve(group.moves[MUTE], sample_rate) for group in above if MUTE in group.moves]

    def placed(self, sound: Samples | Sound, at: int) -> Sound:
        """Return the sound as it enters the mix; `at` is its first frame in the stream."""
        gain = self.open(at, sound.shape[1]) * _gains(self._value(GAIN, self._strip.gain_db, at, sound))
        left, right = pan_gains(self._value(PAN, self._strip.pan, at, sound), channels=len(sound))
        factors = np.array([np.atleast_1d(gain * left), np.atleast_1d(gain * right)])
        placed: Sound = sound * factors
        return placed

    def sent(self, bus: str, sound: Samples | Sound, placed: Sound, at: int) -> Sound:
        """Return what goes to a bus."""
        level = _gains(self._value(f"sends.{bus}", self._strip.sends[bus], at, sound))
        for curve in self._above:
            level = level * (1.0 - curve.over(self._start + at, sound.shape[1]))
        if bus in self._strip.pre_fader:
            wide = np.broadcast_to(sound, (2, sound.shape[1])).astype(np.float64)
            return wide * (self.open(at, sound.shape[1]) * level)
        return placed * level

    def open(self, at: int, frames: int) -> NDArray[np.float64] | float:
        """Return 1 where the strip is not muted by its automation, 0 where it is."""
        curve = self._curves.get(MUTE)
        return 1.0 if curve is None else 1.0 - curve.over(self._start + at, frames)

    def _value(self, name: str, fixed: float, at: int, sound: Samples | Sound) -> NDArray[np.float64] | float:
        curve = self._curves.get(name)
        return fixed if curve is None else curve.over(self._start + at, sound.shape[1])


def _gains(level_db: NDArray[np.float64] | float) -> NDArray[np.float64] | float:
    if isinstance(level_db, np.ndarray):
        moving: NDArray[np.float64] = 10.0 ** (level_db / 20.0)
        return moving
    return db_to_gain(level_db)


@dataclass(slots=True)
class Gathered:
    """A block of what the tracks give: to whom, and what side chains hear of it."""

    frames: int
    sums: dict[Node, Sound] = field(default_factory=dict)
    keys: dict[str, Samples] = field(default_factory=dict)
    placed: dict[Node, Sound] = field(default_factory=dict)


@dataclass(slots=True)
class Mixed:
    """A block of the mix, `Desk.latency_samples` late.

    Attributes
    ----------
    placed : dict
        What each group and bus gives, `Desk.late` late.
    entering : dict
        What its rack reads, as late as its rack begins.
    racked : dict
        What is behind its rack, before its fader: what side chains hear of a group. As late as `placed`.
    """

    mix: Sound
    placed: dict[Node, Sound] = field(default_factory=dict)
    entering: dict[Node, Samples] = field(default_factory=dict)
    racked: dict[Node, Samples] = field(default_factory=dict)


class _Worker:
    """A group or a bus that is heard: its rack, fader and meter, and who waits for whom."""

    def __init__(self, strip: Strip, sample_rate: int, start: int, meter: StripMeter) -> None:
        self.strip, self.meter = strip, meter
        self.rack = Rack(strip.rack, sample_rate=sample_rate, channels=2, moves=strip.rack_moves, start=start)
        self.fader = _Fader(strip, sample_rate, start)
        self.into = 0  # how late its sound enters
        self.waits: dict[Node | str, Line] = {}  # what comes in, by where from; a side chain by its name
        self.sources: tuple[Node, ...] = ()

    @property
    def latency(self) -> int:
        """How late its sound leaves."""
        return self.into + self.rack.latency_samples


class Desk:
    """Mixes blocks; made for one stream.

    Parameters
    ----------
    strips : sequence of Strip
        Summed in this order, which fixes the rounding.
    sample_rate : int
        In Hz.
    start : int
        Frame of the song at which the stream begins.

    Attributes
    ----------
    latency_samples : int
        By how many samples what `mix` returns is late.
    needed : tuple of str
        The tracks whose sound `gather` wants: those that are heard or listened to.

    Raises
    ------
    ProjectError
        For a doubled name, a pan outside -1..1, a send, group or side chain that leads nowhere or in a circle.
    """

    def __init__(self, strips: Sequence[Strip], *, sample_rate: int, start: int = 0) -> None:
        check_strips(strips)
        self.audible = heard(strips)
        self.meters = {strip.node: StripMeter(strip.name) for strip in strips}
        order = working_order(strips)
        self._tracks = [strip for strip in strips if strip.kind == "track" and self.audible[strip.node]]
        self._faders = {
            strip.name: _Fader(strip, sample_rate, start, groups_above(strip, strips))
            for strip in self._tracks
        }
        sounds = sounding(strips)
        self._workers = {
            strip.node: _Worker(strip, sample_rate, start, self.meters[strip.node])
            for strip in order
            if sounds[strip.node]
        }
        self._keyed = tuple(
            dict.fromkeys(name for worker in self._workers.values() for name in worker.strip.listens_to)
        )
        names = {strip.name for strip in strips if strip.kind == "track"}
        wanted = {strip.name for strip in self._tracks} | (names & set(self._keyed))
        self.needed = tuple(strip.name for strip in strips if strip.kind == "track" and strip.name in wanted)
        self._final: dict[Node, Line] = {}
        self.latency_samples = self._patch()
        self._gathered = self._mixed = 0

    def tail_seconds(self) -> float:
        """Return for how long, at most, groups and buses ring on after the input has ended."""
        tails: dict[Node, float] = {}
        for node, worker in self._workers.items():
            before = max((tails[source] for source in worker.sources), default=0.0)
            tails[node] = before + worker.rack.tail_seconds()
        return max(tails.values(), default=0.0)

    def notes(self) -> tuple[str, ...]:
        """Return what effects of groups and buses have to tell of themselves."""
        return tuple(
            f"{worker.strip.kind} '{worker.strip.name}': {note}"
            for worker in self._workers.values()
            for note in worker.rack.notes()
        )

    def gather(self, sources: Mapping[str, Samples], frames: int) -> Gathered:
        """Place the next block of the tracks.

        Parameters
        ----------
        sources : mapping of str to float32 array (1 or 2, n)
            Of every name in `needed`, from behind its rack.
        frames : int
            Length of the block.
        """
        block = Gathered(frames, {_MASTER: np.zeros((2, frames))})
        for node in self._workers:
            block.sums[node] = np.zeros((2, frames))
        for strip in self._tracks:
            sound = sources[strip.name]
            fader = self._faders[strip.name]
            placed = fader.placed(sound, self._gathered)
            self.meters[strip.node].push(placed)
            block.placed[strip.node] = placed
            block.sums.get(("group", strip.group), block.sums[_MASTER])[...] += placed
            for bus in strip.sends:
                if ("bus", bus) in block.sums:
                    block.sums["bus", bus] += fader.sent(bus, sound, placed, self._gathered)
        silence = np.zeros((2, frames), np.float32)
        for name in self._keyed:
            # A group that is silent, or whose sound is not there yet, is heard as silence.
            block.keys[name] = np.broadcast_to(sources.get(name, silence), (2, frames))
        self._gathered += frames
        return block

    def late(self, node: Node) -> tuple[int, int]:
        """Return how late the rack of a group or a bus reads, and how late its sound leaves."""
        worker = self._workers.get(node)
        return (worker.into, worker.latency) if worker else (0, 0)

    def mix(self, block: Gathered) -> Mixed:
        """Return the mix of a block."""
        coming: dict[Node, list[tuple[Node, Sound]]] = {node: [] for node in [*self._workers, _MASTER]}
        heard_behind: dict[str, Samples] = dict(block.keys)
        mixed = Mixed(self._final[_MASTER].process(block.sums[_MASTER]))
        for node, worker in self._workers.items():
            entering = worker.waits[node].process(block.sums[node])
            for source, sound in coming[node]:
                entering = entering + worker.waits[source].process(sound)
            keys = {name: worker.waits[name].process(heard_behind[name]) for name in worker.strip.listens_to}
            mixed.entering[node] = entering.astype(np.float32)
            wet = mixed.racked[node] = worker.rack.process(mixed.entering[node], keys)
            if node[0] == "group":
                heard_behind[node[1]] = wet
            at = self._mixed - worker.latency
            placed = worker.fader.placed(wet, at)
            worker.meter.push(placed)
            mixed.placed[node] = placed
            parent: Node = ("group", worker.strip.group)
            coming[parent].append((node, placed))
            for bus in worker.strip.sends:
                if ("bus", bus) in self._workers:
                    coming["bus", bus].append((node, worker.fader.sent(bus, wet, placed, at)))
        for node, sound in coming[_MASTER]:
            mixed.mix = mixed.mix + self._final[node].process(sound)
        self._mixed += block.frames
        return mixed

    def _patch(self) -> int:
        """Let every path wait for the slowest that it meets; return how late the mix is."""
        workers = self._workers
        late: dict[str, int] = dict.fromkeys(self._keyed, 0)
        for node, worker in workers.items():
            sources = [
                other
                for other in workers.values()
                if ("group", other.strip.group) == node or (node[0] == "bus" and node[1] in other.strip.sends)
            ]
            keys = worker.strip.listens_to
            worker.into = max([0, *(one.latency for one in sources), *(late[name] for name in keys)])
            worker.sources = tuple(one.strip.node for one in sources)
            worker.waits = {node: _wait(worker.into)}
            worker.waits |= {one.strip.node: _wait(worker.into - one.latency) for one in sources}
            for name in keys:
                worker.waits[name] = _wait(worker.into - late[name])
            if node[0] == "group":
                late[node[1]] = worker.latency
        total = max((worker.latency for worker in workers.values()), default=0)
        self._final = {_MASTER: _wait(total)}
        self._final |= {node: _wait(total - worker.latency) for node, worker in workers.items()}
        return total


def _wait(samples: int) -> Line:
    return Line(samples, 2)
