"""The parent's side of a running plug-in: its process, the sound to it and back, and what it is to be blamed for."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from covermaker.effects.plugins.failures import PluginFailed, keep_log
from covermaker.effects.plugins.native import BLOCK_SAMPLES
from covermaker.effects.plugins.places import log_of
from covermaker.effects.plugins.process import last_words, take
from covermaker.effects.plugins.wire import Gone, receive, send_json, send_sound
from covermaker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.effects.spec import Value

VARIABLE: Final = "COVERMAKER_PLUGIN_SECONDS"
_HANG_SECONDS: Final = 30.0
_MOST_HANG_SECONDS: Final = 3600.0
_LOAD_TIMES: Final = 5.0  # as long as it took when it was scanned, on a busy machine


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run.

    Attributes
    ----------
    bundle : Path
        Where the plug-in is.
    plugin : str
        Its name in there.
    settings : str
        Names plug-in and settings together, for those who remember failures.
    state : str
        Its state as base64; "" is none.
    values : mapping of int to float, str or bool
        By the parameters' indices; set behind the state.
    load_seconds : float
        How long it takes to load it.
    preset : Path, optional
        A .vstpreset file, read before the values are set.
    read : tuple of int
        Parameters to read back beside those of `values`.
    """

    bundle: Path
    plugin: str
    settings: str
    state: str
    values: Mapping[int, Value]
    load_seconds: float = 0.0
    preset: Path | None = None
    read: tuple[int, ...] = ()


def patience_seconds() -> float:
    """Return after how many seconds without an answer a plug-in hangs.

    Raises
    ------
    UsageError
        When the environment says something else than a number of seconds.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return _HANG_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= _MOST_HANG_SECONDS:
        raise UsageError(f"{VARIABLE} = '{text}' is no number of seconds", hint="as in 30")
    return seconds


class Host:
    """A plug-in in a process of its own, for one stream. The process ends with this object.

    Parameters
    ----------
    wanted : Wanted
        What to run.
    sample_rate : int
        In Hz.
    channels : int
        1 or 2; a plug-in that takes mono only runs once a channel.

    Attributes
    ----------
    latency_samples : int
        What it reports with these settings.
    values, restored : dict of int to float, str or bool
        What its parameters became, and what they were behind its state, before they were set.
    state : str
        Its state now, as base64.

    Raises
    ------
    PluginFailed
        From here and from every method, when it crashes, hangs or refuses.
    """

    def __init__(self, wanted: Wanted, sample_rate: int, channels: int) -> None:
        self._wanted, self._channels = wanted, channels
        self._patience = patience_seconds()
        self._process = take()
        self.close = weakref.finalize(self, self._process.end)
        seconds = max(self._patience, _LOAD_TIMES * wanted.load_seconds)
        said = self._ask(
            {
                "bundle": str(wanted.bundle),
                "plugin": wanted.plugin,
                "state": wanted.state,
                "values": {str(index): value for index, value in wanted.values.items()},
                "preset": None if wanted.preset is None else str(wanted.preset),
                "read": list(wanted.read),
                "rate": sample_rate,
                "channels": channels,
                "seconds": seconds + self._patience,
            },
            seconds,
            "did not load",
        )
        self.latency_samples = int(said["latency_samples"])
        self.state = str(said["state"])
        self.values: dict[int, Value] = {int(index): value for index, value in said["values"].items()}
        self.restored: dict[int, Value] = {int(index): value for index, value in said["restored"].items()}

    def process(self, sound: Samples, moves: Sequence[tuple[int, Mapping[int, Value]]] = ()) -> Samples:
        """Return what comes out for (channels, a multiple of `BLOCK_SAMPLES`) samples.

        All in all that is less than goes in, by `latency_samples`: the plug-in's own delay is cut off.

        Parameters
        ----------
        moves : sequence of (int, mapping)
            Samples of `sound` behind which parameters, by their indices, have other values; in the order of time.
        """
        if sound.shape[1] % BLOCK_SAMPLES:
            raise ValueError(f"a plug-in takes whole blocks of {BLOCK_SAMPLES} samples, not {sound.shape[1]}")
        made = self._exchange(sound, self._patience, "gave no answer", moves)
        assert not isinstance(made, dict)
        if not np.isfinite(made).all():
            self._blame("wrote NaN or infinite samples", silently=True)
        return made

    def tail_samples(self, longest: int) -> int:
        """Measure how long it sounds on behind loud noise, in samples, at most `longest`; the stream is left alone."""
        seconds = self._patience + _LOAD_TIMES * self._wanted.load_seconds
        return int(self._ask({"longest": longest}, seconds, "gave no answer")["samples"])

    def _ask(self, question: dict[str, Any], seconds: float, failing: str) -> dict[str, Any]:
        answer = self._exchange(question, seconds, failing)
        assert isinstance(answer, dict)
        return answer

    def _exchange(
        self,
        question: dict[str, Any] | Samples,
        seconds: float,
        failing: str,
        moves: Sequence[tuple[int, Mapping[int, Value]]] = (),
    ) -> dict[str, Any] | Samples:
        self._process.line.settimeout(seconds)
        try:
            if moves:
                send_json(self._process.line, {"moves": moves})
            if isinstance(question, dict):
                send_json(self._process.line, question)
            else:
                send_sound(self._process.line, question)
            answer = receive(self._process.line, self._channels)
        except TimeoutError:
            self._blame(f"{failing} within {seconds:g} s")
        except (Gone, OSError):
            self._blame(self._process.ending())
        if isinstance(answer, dict) and "error" in answer:
            self._blame(f"refused: {answer['error']}")
        return answer

    def _blame(self, what: str, *, silently: bool = False) -> NoReturn:
        """Raise what happened, with the plug-in's last words unless they have nothing to do with it."""
        words = self._process.printed.last()
        self.close()
        log = log_of(self._wanted.plugin)
        hint = (
            "change its values or its plug-in, or look for an update; then: covermaker plugins scan --again"
        )
        if keep_log(log, words):
            hint += f"; log: {log}"
        last = "" if silently else last_words(words)
        error = PluginFailed(f"plug-in '{self._wanted.plugin}' {what}{last}", hint=hint)
        error.plugin, error.settings = self._wanted.plugin, self._wanted.settings
        raise error
