"""The preview: a stretch of the mix, or of one track's rack, made again within a fraction of a second.

A process that stays keeps the stretch's sources and each track's rack in memory, so that a fader costs a sum and a
parameter one rack. Everything begins `_LEAD_SECONDS` before the stretch, which is then cut off: compressors and
reverbs are in the middle of the song, not at its beginning. The master is left out.
"""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import probe, read, wav_writer
from covermaker.audio.loudness import LoudnessMeter, measure_file
from covermaker.disk import disk_errors, is_alive
from covermaker.effects.follower import CONTROL_SAMPLES
from covermaker.effects.rack import Rack, parse_rack, rack_params
from covermaker.errors import CovermakerError, UsageError
from covermaker.graph.store import Store, default_root
from covermaker.mix.pan import place
from covermaker.project.edits import ResetValue, SetValue
from covermaker.project.load import load
from covermaker.project.operations import on_values
from covermaker.render.previewing import (
    LONGEST_SECONDS,
    MIX,
    PEAKS_PER_SECOND,
    SHORTEST_SECONDS,
    Previewed,
    Refused,
    Wish,
)
from covermaker.render.sounds import find_sounds
from covermaker.render.work import INAUDIBLE_LUFS
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.effects.rack import EffectSettings
    from covermaker.graph.events import Listener
    from covermaker.project.document import Cover, Track
    from covermaker.project.load import Project
    from covermaker.render.sounds import Sounds

_LEAD_SECONDS = 1.0
_BLOCK_FRAMES = 4096  # of the history of gain reduction
_KEPT_FILES = 4


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Frames of the song: `lead` of them, from `start` on, come before what is heard."""

    start: int
    frames: int
    lead: int
    rate: int


@dataclass(frozen=True, slots=True)
class _Racked:
    """A track behind its rack, lead included."""

    sound: Samples
    reductions: tuple[dict[str, Any], ...]


class Previewer:
    """Makes stretches of one project.

    Parameters
    ----------
    folder : Path
        The project.
    store : Store
        Where its finished steps lie.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder, self._store = folder, store
        self._read: tuple[tuple[int, int], Project, Sounds] | None = None
        self._sources: dict[tuple[Path, _Stretch], Samples] = {}
        self._racked: dict[str, tuple[tuple[Any, ...], _Racked]] = {}
        self._lufs: dict[Path, float | None] = {}
        self._heard: dict[tuple[Path, _Stretch], float | None] = {}
        self._files: list[Path] = []
        self._made = 0
        self._stretch: _Stretch | None = None

    def make(self, wish: Wish) -> Previewed:
        """Fulfil a wish.

        Raises
        ------
        CovermakerError
            When the stretch is too long, a value is refused, or a track's sound is not there yet.
        """
        began = time.perf_counter()
        project, sounds = self._opened()
        cover = _changed(project, wish.changes)
        against = sounds.song if wish.what == MIX else _source(cover, sounds, wish.what)
        if against is None:
            raise UsageError("the song was not rendered yet", hint="render it once: a preview begins there")
        stretch = self._cut(wish, against)
        if wish.what == MIX:
            sound, reductions, peaks = self._mix(cover, sounds, stretch, wish.solo)
        else:
            track = next(track for track in cover.tracks if track.name == wish.what)
            racked = self._rack(track, cover.tracks.index(track), sounds, stretch)
            sound, reductions, peaks = racked.sound, list(racked.reductions), {}
        heard = np.ascontiguousarray(sound[:, stretch.lead :], np.float32)
        heard = np.repeat(heard, 2, axis=0) if len(heard) == 1 else heard
        return self._answer(wish, stretch, heard, against, reductions, peaks, began)

    def _answer(
        self,
        wish: Wish,
        stretch: _Stretch,
        heard: Samples,
        against: Path,
        reductions: list[dict[str, Any]],
        peaks: dict[str, NDArray[np.float64]],
        began: float,
    ) -> Previewed:
        in_lufs, out_lufs = self._loudness(against, stretch), _loudness(heard, stretch.rate)
        quieter = min(in_lufs, out_lufs) if in_lufs is not None and out_lufs is not None else None
        file = self._write(heard, stretch.rate)
        return Previewed(
            id=wish.id,
            what=wish.what,
            start_seconds=(stretch.start + stretch.lead) / stretch.rate,
            seconds=heard.shape[1] / stretch.rate,
            file=str(file),
            against=str(against),
            in_lufs=in_lufs,
            out_lufs=out_lufs,
            gain_db=0.0 if quieter is None or out_lufs is None else round(quieter - out_lufs, 2),
            against_gain_db=0.0 if quieter is None or in_lufs is None else round(quieter - in_lufs, 2),
            reduction_seconds=_BLOCK_FRAMES / stretch.rate,
            reductions=reductions,
            peaks={name: _peaks(strip[:, stretch.lead :], stretch.rate) for name, strip in peaks.items()}
            | {MIX: _peaks(heard, stretch.rate)},
            took_seconds=round(time.perf_counter() - began, 4),
        )

    # What is read

    def _opened(self) -> tuple[Project, Sounds]:
        """Return the project and its sounds, read again when the document changed or a render may have ended."""
        with disk_errors(self._folder):
            files = (self._folder / "cover.toml", self._store.root / "steps")
            times = [file.stat().st_mtime_ns if file.exists() else 0 for file in files]
        mark = (times[0], times[1])
        if self._read is None or self._read[0] != mark:
            project = load(self._folder)
            self._read = (mark, project, find_sounds(project, self._store))
        return self._read[1], self._read[2]

    def _cut(self, wish: Wish, file: Path) -> _Stretch:
        info = probe(file)
        if not SHORTEST_SECONDS <= wish.seconds <= LONGEST_SECONDS:
            raise UsageError(
                f"a preview is {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} s long, not {wish.seconds:g} s",
                hint="set a shorter loop",
            )
        first = round(wish.start_seconds * info.sample_rate)
        if not 0 <= first < info.frames:
            raise UsageError("the stretch begins after the song's end")
        begin = max(0, first - round(_LEAD_SECONDS * info.sample_rate))
        # On the grid on which compressors decide, so that they decide what they would in the whole song.
        lead = first - begin // CONTROL_SAMPLES * CONTROL_SAMPLES
        frames = min(round(wish.seconds * info.sample_rate), info.frames - first) + lead
        stretch = _Stretch(first - lead, frames, lead, info.sample_rate)
        if stretch != self._stretch:  # what is kept belongs to one stretch: memory stays small
            self._stretch = stretch
            self._sources.clear()
            self._racked.clear()
            self._heard.clear()
        return stretch

    def _samples(self, file: Path, stretch: _Stretch) -> Samples:
        """Read a stretch; silence where the file ends earlier."""
        key = (file, stretch)
        if key not in self._sources:
            found = read(file, start=stretch.start, frames=stretch.frames).samples
            missing = stretch.frames - found.shape[1]
            self._sources[key] = np.pad(found, ((0, 0), (0, missing))) if missing else found
        return self._sources[key]

    def _loudness(self, file: Path, stretch: _Stretch) -> float | None:
        key = (file, stretch)
        if key not in self._heard:
            sound = self._samples(file, stretch)[:, stretch.lead :]
            self._heard[key] = _loudness(
                np.repeat(sound, 2, axis=0) if len(sound) == 1 else sound, stretch.rate
            )
        return self._heard[key]

    # What is made

    def _rack(self, track: Track, index: int, sounds: Sounds, stretch: _Stretch) -> _Racked:
        file = _source_of(track, sounds)
        settings = parse_rack(track.rack, where=f"tracks[{index}].rack")
        level_db = self._level_db(track, file, sounds) if rack_params(settings) else 0.0
        key = (file, stretch, json.dumps(rack_params(settings)), level_db)
        kept = self._racked.get(track.name)
        if kept is None or kept[0] != key:
            source = self._samples(file, stretch)
            kept = (key, _through(track.name, settings, source, stretch, level_db))
            self._racked[track.name] = kept
        return kept[1]

    def _level_db(self, track: Track, file: Path, sounds: Sounds) -> float:
        """Return how much louder the rack hears its source; see `covermaker.render.work.rack`."""
        if isinstance(track.rack_lufs, str):
            return 0.0
        found = sounds.tracks[track.name].source_lufs if track.name in sounds.tracks else None
        if found is None:
            if file not in self._lufs:
                self._lufs[file] = measure_file(file, true_peak=False).integrated_lufs
            found = self._lufs[file]
        return 0.0 if found is None or found < INAUDIBLE_LUFS else round(track.rack_lufs - found, 2)

    def _mix(
        self, cover: Cover, sounds: Sounds, stretch: _Stretch, solo: Iterable[str]
    ) -> tuple[Samples, list[dict[str, Any]], dict[str, NDArray[np.float64]]]:
        """Sum tracks and buses as `covermaker.mix.mixer` does."""
        soloed = set(solo) | {track.name for track in cover.tracks if track.solo}
        mix = np.zeros((2, stretch.frames))
        sends = {bus.name: np.zeros((2, stretch.frames)) for bus in cover.buses}
        fed: set[str] = set()
        strips: dict[str, NDArray[np.float64]] = {}
        reductions: list[dict[str, Any]] = []
        for index, track in enumerate(cover.tracks):
            if track.mute or (soloed and track.name not in soloed):
                strips[track.name] = np.zeros((2, stretch.frames))
                continue
            racked = self._rack(track, index, sounds, stretch)
            placed = place(racked.sound, gain=db_to_gain(track.gain_db), pan=track.pan)
            placed = np.repeat(placed, 2, axis=0) if len(placed) == 1 else placed
            reductions += racked.reductions
            strips[track.name] = placed
            mix += placed
            for name, level_db in track.sends.items():
                if name in sends:
                    sends[name] += placed * db_to_gain(level_db)
                    fed.add(name)
        for index, bus in enumerate(cover.buses):
            wet = np.zeros((2, stretch.frames))
            if bus.name in fed:
                settings = parse_rack(bus.rack, where=f"buses[{index}].rack")
                rack = Rack(settings, sample_rate=stretch.rate, channels=2)
                wet = place(
                    rack.process(sends[bus.name].astype(np.float32)), gain=db_to_gain(bus.gain_db), pan=0.0
                )
                mix += wet
            strips[bus.name] = wet
        return mix.astype(np.float32), reductions, strips

    def _write(self, sound: Samples, rate: int) -> Path:
        """Write a file whole or not at all; without fsync, for it need not outlive a power cut."""
        folder = self._folder / ".covermaker" / "preview"
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not self._files:
                sweep(folder)
            self._made += 1
            file = folder / f"{os.getpid()}-{self._made}.wav"
            unfinished = file.with_name(f".{file.name}")
            with wav_writer(unfinished, sample_rate=rate, channels=2) as writer:
                writer.write(sound)
            os.replace(unfinished, file)
            self._files.append(file)
            while len(self._files) > _KEPT_FILES:
                self._files.pop(0).unlink(missing_ok=True)
        return file


def serve(request: Mapping[str, Any], lines: Iterable[bytes], tell: Listener) -> dict[str, Any]:
    """Answer wishes until there are no more.

    Parameters
    ----------
    request : dict
        ``{"project": folder, "store": folder or nothing}``.
    lines : iterable of bytes
        A `Wish` as JSON each.
    """
    store = Store(Path(request["store"]) if request.get("store") else default_root())
    previewer = Previewer(Path(request["project"]), store)
    for line in lines:
        said = json.loads(line)
        try:
            tell(previewer.make(Wish(**{**said, "solo": tuple(said.get("solo", ()))})))
        except CovermakerError as error:
            tell(Refused(said["id"], error.message, error.hint))
    return {}


def sweep(folder: Path) -> None:
    """Remove what processes have left that are gone."""
    for file in (*folder.glob("[0-9]*-*.wav"), *folder.glob(".[0-9]*-*.wav")):
        maker = file.name.lstrip(".").partition("-")[0]
        if maker.isdecimal() and not is_alive(int(maker)):
            file.unlink(missing_ok=True)


def _changed(project: Project, changes: Mapping[str, Any]) -> Cover:
    """Return what the document would say with other values."""
    if not changes:
        return project.cover
    values = project.document.values
    for where, value in changes.items():
        edit = ResetValue(where) if value is None else SetValue(where, value)
        values = on_values(values, edit.operations(values))
    from covermaker.project.document import Cover

    return replace(project.document, values=values).checked(Cover, patterns={})


def _source(cover: Cover, sounds: Sounds, name: str) -> Path | None:
    for track in cover.tracks:
        if track.name == name:
            return _source_of(track, sounds)
    raise UsageError(f"there is no track '{name}'")


def _source_of(track: Track, sounds: Sounds) -> Path:
    found = sounds.tracks.get(track.name)
    if found is None or found.source is None:
        raise UsageError(f"{track.name} has no sound yet", hint="render the song first")
    return found.source


def _through(
    name: str, settings: tuple[EffectSettings, ...], source: Samples, stretch: _Stretch, level_db: float
) -> _Racked:
    """Send a source through a rack and watch it turn the sound down."""
    if not rack_params(settings):
        return _Racked(source, ())
    taken = source[:2]
    rack = Rack(settings, sample_rate=stretch.rate, channels=2, source_channels=len(taken))
    before, behind = np.float32(10.0 ** (level_db / 20.0)), np.float32(10.0 ** (-level_db / 20.0))
    made = np.empty((2, stretch.frames), np.float32)
    totals: dict[int, list[float]] = {}
    effects: dict[int, str] = {}
    for count, at in enumerate(range(0, stretch.frames, _BLOCK_FRAMES), start=1):
        made[:, at : at + _BLOCK_FRAMES] = rack.process(taken[:, at : at + _BLOCK_FRAMES] * before) * behind
        for stage in rack.reductions():
            # The mean so far times its length is a sum; what it grew by is this block's.
            totals.setdefault(stage.index, [0.0]).append(stage.mean_db * count)
            effects[stage.index] = stage.effect
    first = math.ceil(stretch.lead / _BLOCK_FRAMES)
    reductions = []
    for index, sums in totals.items():
        history = np.maximum(np.diff(sums)[first:], 0.0)
        reductions.append(
            {
                "track": name,
                "index": index,
                "effect": effects[index],
                "maximum_db": round(float(history.max(initial=0.0)), 2),
                "history_db": np.round(history, 2).tolist(),
            }
        )
    return _Racked(made, tuple(reductions))


def _loudness(sound: Samples, rate: int) -> float | None:
    meter = LoudnessMeter(2, rate)
    meter.push(sound)
    found = meter.finish().integrated_lufs
    return None if found is None or not math.isfinite(found) else round(found, 2)


def _peaks(sound: NDArray[np.floating[Any]], rate: int) -> list[list[float]]:
    """Return a row a hop: the highest absolute samples, left and right."""
    hop = rate // PEAKS_PER_SECOND
    level = np.abs(sound)
    level = np.pad(level, ((0, 0), (0, -level.shape[1] % hop)))
    rows: list[list[float]] = np.round(
        level.reshape(len(level), -1, hop).max(axis=2).T.astype(np.float64), 4
    ).tolist()
    return rows
