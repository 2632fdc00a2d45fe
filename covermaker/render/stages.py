"""A stretch on its way through a rack: what comes out, how far it was turned down, and how it is behind each effect."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.spectrum import band_edges, spectrum_of
from covermaker.effects.rack import Rack, rack_params
from covermaker.render.stretch import levels_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.effects.automation import Move
    from covermaker.effects.rack import EffectSettings
    from covermaker.render.stretch import Stretch

BLOCK_FRAMES = 4096  # of the history of gain reduction
BANDS_AN_OCTAVE = 6
_MOST_BYTES = 100_000_000  # of what is kept behind the effects of one rack
_MOST_POINTS = 64  # measured points that are kept: an effect turned off and on again is known
_PAIR_DB = 10.0 * math.log10(2.0)  # how much louder two speakers are than one of them


@dataclass(frozen=True, slots=True)
class Racked:
    """A sound behind its rack, lead included.

    Attributes
    ----------
    reductions : tuple of dict
        See `covermaker.render.previewing.Previewed`.
    points : tuple of dict
        The same; empty where nobody asked.
    """

    sound: Samples
    reductions: tuple[dict[str, Any], ...] = ()
    points: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What a stretch is sent through.

    Attributes
    ----------
    settings : tuple of EffectSettings
        The rack.
    level_db : float
        How much louder the rack hears its source than it is.
    moves : tuple of Move
        What moves in it.
    keys : mapping of str to float32 array (1 or 2, stretch.frames)
        The sound of every channel that its side chains name.
    """

    settings: tuple[EffectSettings, ...]
    level_db: float = 0.0
    moves: tuple[Move, ...] = ()
    keys: Mapping[str, Samples] = field(default_factory=dict)

    def params(self) -> str:
        """Return what decides the sound behind it, beside the source."""
        listened = {name: blake2b(key.tobytes()).hexdigest() for name, key in self.keys.items()}
        return json.dumps([rack_params(self.settings, self.moves), self.level_db, listened])

    def effect_params(self, index: int) -> str | None:
        """Return what decides what one effect does; None for one that is off for good."""
        alone = [replace(row, bypass=row.bypass or at != index) for at, row in enumerate(self.settings)]
        moves = [move for move in self.moves if move.index == index]
        if not rack_params(alone, moves):
            return None
        name = self.settings[index].sidechain
        listened = blake2b(self.keys[name].tobytes()).hexdigest() if name else ""
        return json.dumps([rack_params(alone, moves), listened])


@dataclass(slots=True)
class _Run:
    """A way through a rack.

    Attributes
    ----------
    keys : list of (int, object)
        The place of each effect that is on, in order, and what decides the sound behind it; first that of the source.
    sounds : dict of int to array
        What is behind each.
    histories : dict of int to array
        How far those that tell it turned down, a value a block, lead included.
    """

    keys: list[tuple[int, object]]
    sounds: dict[int, Samples]
    histories: dict[int, NDArray[np.float64]]


class Stages:
    """Sends stretches through racks. What is behind effects that are as before is not made again."""

    def __init__(self) -> None:
        self._points: dict[object, dict[str, Any]] = {}
        self._last: _Run | None = None

    def forget(self) -> None:
        """Throw away what was kept: another stretch, another source."""
        self._points.clear()
        self._last = None

    def through(
        self,
        name: str,
        sent: Sent,
        source: Samples,
        stretch: Stretch,
        *,
        source_key: object = None,
    ) -> Racked:
        """Send a source through a rack.

        Parameters
        ----------
        name : str
            Whose rack it is.
        sent : Sent
            The rack, and what it listens to.
        source : float32 array (channels, stretch.frames)
            What it reads.
        source_key : object
            Names the source, so that what is made and measured of it can be kept; None measures nothing.
        """
        settings = sent.settings
        if not rack_params(settings, sent.moves) and source_key is None:
            return Racked(source)
        taken = source[:2] * np.float32(10.0 ** (sent.level_db / 20.0))
        run = self._run(sent, taken, stretch, (source_key, sent.level_db), again=source_key is not None)
        made = run.sounds[run.keys[-1][0]] * np.float32(10.0 ** (-sent.level_db / 20.0))
        reductions = tuple(
            _reduction(name, index, settings[index].effect, history, stretch)
            for index, history in sorted(run.histories.items())
        )
        if source_key is None:
            return Racked(made, reductions)
        kept = sum(sound.nbytes for sound in run.sounds.values())
        self._last = run if kept <= _MOST_BYTES else None
        return Racked(made, reductions, self._read(run, stretch))

    def _run(
        self,
        sent: Sent,
        taken: Samples,
        stretch: Stretch,
        source: tuple[object, ...],
        *,
        again: bool,
    ) -> _Run:
        """Make what is behind each effect; begin behind those that are as they were, when `again` says so."""
        keys: list[tuple[int, object]] = [(-1, source)]
        for index in range(len(sent.settings)):
            params = sent.effect_params(index)
            if params is not None:
                keys.append((index, (keys[-1][1], params)))
        last = self._last if again else None
        same = 1
        if last is not None and last.keys[0] == keys[0]:
            while same < min(len(keys), len(last.keys)) and keys[same] == last.keys[same]:
                same += 1
        done = [index for index, _ in keys[:same]]
        sounds = {-1: taken}
        histories: dict[int, NDArray[np.float64]] = {}
        if last is not None and same > 1:
            sounds |= {index: last.sounds[index] for index in done}
            histories = {index: last.histories[index] for index in done if index in last.histories}
        left = [replace(one, bypass=one.bypass or at <= done[-1]) for at, one in enumerate(sent.settings)]
        begun = sounds[done[-1]]
        pieces: dict[int, list[Samples]] = {}
        rack = Rack(
            left,
            sample_rate=stretch.rate,
            channels=2,
            source_channels=len(begun),
            listener=(lambda index, piece: pieces.setdefault(index, []).append(piece)) if again else None,
            moves=[move for move in sent.moves if move.index > done[-1]],
            start=stretch.start,
        )
        late = rack.latency_samples
        begun = np.pad(begun, ((0, 0), (0, late)))
        listened = {name: np.pad(key, ((0, 0), (0, late))) for name, key in sent.keys.items()}
        made = np.empty((2, stretch.frames + late), np.float32)
        totals: dict[int, list[float]] = {}
        for count, at in enumerate(range(0, stretch.frames + late, BLOCK_FRAMES), start=1):
            span = slice(at, at + BLOCK_FRAMES)
            heard = {name: key[:, span] for name, key in listened.items()}
            made[:, span] = rack.process(begun[:, span], heard)
            if at < stretch.frames:
                for stage in rack.reductions():
                    # The mean so far times its length is a sum; what it grew by is this block's.
                    totals.setdefault(stage.index, [0.0]).append(stage.mean_db * count)
        made = made[:, late:]
        for index, found in pieces.items():
            begin = rack.latency_behind(index)
            sounds[index] = np.concatenate(found, axis=1)[:, begin : begin + stretch.frames]
        histories |= {index: np.maximum(np.diff(sums), 0.0) for index, sums in totals.items()}
        sounds[keys[-1][0]] = made if keys[-1][0] >= 0 else sounds[-1]
        return _Run(keys, sounds, histories)

    def _read(self, run: _Run, stretch: Stretch) -> tuple[dict[str, Any], ...]:
        """Measure what the rack reads and what is behind each effect.

        Of a mono source all loudness is that of one speaker, as in its file, so that the numbers can be compared with
        the level at which the rack hears it.
        """
        mono_db = _PAIR_DB if len(run.sounds[-1]) == 1 else 0.0
        points = []
        for index, key in run.keys:
            known = self._points.pop(key, None)
            if known is None:
                heard = stretch.heard(run.sounds[index])
                lufs, peak_dbfs = levels_of(heard, stretch.rate)
                spectrum = spectrum_of(heard, stretch.rate, BANDS_AN_OCTAVE)
                known = {
                    "lufs": None if lufs is None else round(lufs - mono_db, 2),
                    "peak_dbfs": peak_dbfs,
                    "spectrum_db": np.round(spectrum, 1).tolist(),
                }
            self._points[key] = known  # behind the others: what is not asked for goes first
            points.append({"index": index, **known})
        while len(self._points) > _MOST_POINTS:
            del self._points[next(iter(self._points))]
        return tuple(points)


def bands(rate: int) -> list[float]:
    """Return the centre frequencies of the bands of a point's spectrum."""
    edges = band_edges(rate, BANDS_AN_OCTAVE)
    found: list[float] = np.round(np.sqrt(edges[:-1] * edges[1:]), 1).tolist()
    return found


def _reduction(
    name: str, index: int, effect: str, history: NDArray[np.float64], stretch: Stretch
) -> dict[str, Any]:
    heard = history[math.ceil(stretch.lead / BLOCK_FRAMES) :]
    return {
        "track": name,
        "index": index,
        "effect": effect,
        "maximum_db": round(float(heard.max(initial=0.0)), 2),
        "history_db": np.round(heard, 2).tolist(),
    }
