"""A VST3 plug-in as an effect: runs in a process of its own, keeps the house's promises whatever it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np

from covermaker.effects.plugins.catalogue import catalogue
from covermaker.effects.plugins.failures import PluginFailed
from covermaker.effects.plugins.host import Host, Wanted
from covermaker.effects.plugins.native import BLOCK_SAMPLES
from covermaker.effects.plugins.row import (
    ABSENT,
    BINARY,
    LATENCY,
    SETTINGS,
    moves_of,
    parameters_of,
    read_row,
    settings_digest,
    specs_of,
)
from covermaker.effects.spec import Spec, Value, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.audio.buffer import Samples

# A tail is measured for so long; what sounds on is cut there by whoever asks.
_LONGEST_TAIL_SECONDS = 10.0
_TAIL_MARGIN_SECONDS = 0.1

# Effects decide on grids that are counted from the stream's start: late by whole cells of all of them, those behind
# this one decide what they would without it.
_GRID_SAMPLES = 512


class Vst3:
    """A plug-in, fed with blocks of one size and so with the same result for any cut of the stream.

    What `process` returns is late by what the plug-in reports, by `latency_samples` of the row, and by what has to be
    gathered for a block. An absent plug-in (see `covermaker.effects.plugins.row`) passes the sound on as it is.
    """

    HELP: ClassVar[str] = (
        "A VST3 plug-in in a process of its own. `plugin` is its name, `parameters` a table of its values, `state` "
        "what it keeps beyond them: see docs/plugins.md and `covermaker plugins list`."
    )
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (LATENCY,)
    FIXED: ClassVar[frozenset[str]] = frozenset({"latency_samples"})
    MOVES: ClassVar[frozenset[str]] = frozenset()  # those of a row: `moves_of`

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self.latency_samples = 0
        self._host: Host | None = None
        self._notes: list[str] = []
        if ABSENT in values:
            return
        found = catalogue().find(str(values["plugin"]))
        self._name = str(values["plugin"])
        self._settings = str(values.get(SETTINGS) or settings_digest(values))
        if found is None or found.bundle.sha256 != values[BINARY]:
            self._blame("was taken away while it was needed", "covermaker plugins scan")
        self._rate = sample_rate
        by_name = {one.name: one for one in found.plugin.parameters}
        given = {by_name[name]: value for name, value in parameters_of(values).items()}
        self._indices = {name: one.index for name, one in by_name.items()}
        # What moves, and where: samples counted from the beginning of what is gathered.
        self._moves: list[tuple[int, dict[int, Value]]] = []
        self._host = Host(
            Wanted(
                found.bundle.path,
                found.plugin.name,
                self._settings,
                str(values["state"]),
                {parameter.index: value for parameter, value in given.items()},
                found.bundle.seconds,
            ),
            sample_rate,
            channels,
        )
        for parameter, value in given.items():
            was = self._host.restored.get(parameter.index, value)
            if not _alike(was, value, parameter.maximum - parameter.minimum):
                self._notes.append(
                    f"plug-in '{found.plugin.name}': {parameter.name} is {_said(value)} in its row and {_said(was)} in "
                    "its state; the row counts"
                )
        own = round(number(values, "latency_samples"))
        self._early = own  # what it gives before that is no sound of ours
        late = self._host.latency_samples + own + BLOCK_SAMPLES - 1
        self.latency_samples = -(-late // _GRID_SAMPLES) * _GRID_SAMPLES
        self._gathered = np.zeros((channels, BLOCK_SAMPLES), np.float32)
        self._filled = 0
        self._made: Samples = np.zeros((channels, self.latency_samples), np.float32)

    def process(self, block: Samples) -> Samples:
        """Return the next block, `latency_samples` late.

        Raises
        ------
        PluginFailed
            When the plug-in crashes, hangs or writes NaN.
        """
        if self._host is None:
            return block.copy()
        count = block.shape[1]
        taken = (self._filled + count) // BLOCK_SAMPLES * BLOCK_SAMPLES
        if taken:
            used = taken - self._filled
            made = self._host.process(
                np.concatenate([self._gathered[:, : self._filled], block[:, :used]], axis=1), self._moves
            )
            self._moves = []
            skipped = min(self._early, made.shape[1])
            self._early -= skipped
            self._made = np.concatenate([self._made, made[:, skipped:]], axis=1)
            self._filled, block = 0, block[:, used:]
        self._gathered[:, self._filled : self._filled + block.shape[1]] = block
        self._filled += block.shape[1]
        out = np.array(self._made[:, :count])
        self._made = self._made[:, count:]
        return out

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values for some of its parameters; they count from the next sample on."""
        if self._host is not None:
            own = parameters_of(values)
            self._moves.append((self._filled, {self._indices[name]: own[name] for name in own}))

    def refuse_latency(self, before: int) -> NoReturn:
        """Raise that with its values of now it is not as late as it was."""
        self._blame(
            f"is {self.latency_samples} samples late and was {before}, by what moves of it",
            "take the automation out that changes its latency",
        )

    def _blame(self, what: str, hint: str) -> NoReturn:
        error = PluginFailed(f"plug-in '{self._name}' {what}", hint=hint)
        error.plugin, error.settings = self._name, self._settings
        raise error

    def tail_seconds(self) -> float:
        """Return how long it sounds on, measured behind loud noise with these very settings, at most 10 s."""
        if self._host is None:
            return 0.0
        samples = self._host.tail_samples(math.ceil(_LONGEST_TAIL_SECONDS * self._rate))
        seconds = samples / self._rate
        return min(seconds * 1.25 + _TAIL_MARGIN_SECONDS, _LONGEST_TAIL_SECONDS) if samples else 0.0

    def notes(self) -> tuple[str, ...]:
        """Return what was noticed about it."""
        return tuple(self._notes)

    @classmethod
    def read_row(cls, row: Mapping[str, object], where: str) -> dict[str, Value]:
        """Read a rack row; see `covermaker.effects.plugins.row.read_row`."""
        return read_row(row, where)

    @classmethod
    def title_of(cls, values: Mapping[str, Value]) -> str:
        """Return the plug-in's name."""
        return str(values["plugin"])

    @classmethod
    def specs_of(cls, values: Mapping[str, Value]) -> tuple[Spec, ...]:
        """Return the parameters of the plug-in of a row."""
        return specs_of(values)

    @classmethod
    def unknown(cls, values: Mapping[str, Value]) -> bool:
        """Tell whether no scan has found the plug-in of a row."""
        return BINARY not in values

    @classmethod
    def moves_of(cls, values: Mapping[str, Value]) -> frozenset[str]:
        """Return which parameters of the plug-in may glide: numbers that are not one of a few."""
        return moves_of(values)

    @classmethod
    def moved(cls, row: Mapping[str, Value], values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return values that still know their row: a failure is remembered by that."""
        return {**values, SETTINGS: settings_digest(row)}


def _alike(one: Value, other: Value, span: float) -> bool:
    """Tell whether a parameter was what it is wanted to be, as far as it has steps."""
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(float(one) - float(other)) <= 1e-3 * max(span, 1e-9)
    return one == other


def _said(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
