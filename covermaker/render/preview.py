"""The preview: a stretch of the mix, or of one track's rack, made again within a fraction of a second.

A process that stays keeps the stretch's sources and each track's rack in memory, so that a fader costs a sum and a
parameter one rack. Everything begins `_LEAD_SECONDS` before the stretch, which is then cut off: compressors and
reverbs are in the middle of the song, not at its beginning. The master is left out where it is not what is heard.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.buffer import fit
from covermaker.audio.files import probe, read
from covermaker.audio.loudness import measure_file
from covermaker.disk import disk_errors
from covermaker.effects.follower import CONTROL_SAMPLES
from covermaker.effects.rack import Rack, parse_rack, rack_params
from covermaker.errors import UsageError
from covermaker.graph.events import nobody
from covermaker.mix.pan import place
from covermaker.project.load import FILE_NAME, HIDDEN_NAME, load
from covermaker.project.trying import with_values
from covermaker.render.preview_files import PreviewFiles
from covermaker.render.preview_master import mastered
from covermaker.render.previewing import (
    DRY,
    LONGEST_SECONDS,
    MASTERED,
    MIX,
    SHORTEST_SECONDS,
    SUNG,
    Previewed,
    Wish,
    stand_in,
)
from covermaker.render.resinging import resung
from covermaker.render.sounds import find_sounds
from covermaker.render.stages import BLOCK_FRAMES, Racked, Stages, bands
from covermaker.render.steps import Region
from covermaker.render.stretch import Stretch, levels_of, peaks_of
from covermaker.render.work import INAUDIBLE_LUFS
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.effects.rack import EffectSettings
    from covermaker.graph.events import Listener
    from covermaker.graph.store import Store
    from covermaker.project.document import Cover, Track
    from covermaker.project.load import Project
    from covermaker.render.sounds import Sounds

_LEAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Desk:
    """The mixing desk on a stretch: the sum of the tracks, what is sent to each bus, and what each strip gives."""

    mix: NDArray[np.float64]
    sends: dict[str, NDArray[np.float64]]
    strips: dict[str, NDArray[np.float64]]
    reductions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is heard, lead included, and what it is compared with: a file of the whole song, or a sound."""

    sound: Samples
    against: Path | Samples
    reductions: Sequence[dict[str, Any]]
    peaks: dict[str, NDArray[np.floating[Any]]]
    points: Sequence[dict[str, Any]] = ()
    level_db: float = 0.0
    instead: str = ""


class Previewer:
    """Makes stretches of one project.

    Parameters
    ----------
    folder : Path
        The project.
    store : Store
        Where its finished steps lie.
    device : str
        Where a stretch is sung.
    listener : callable, optional
        Gets the events of singing.
    """

    def __init__(
        self, folder: Path, store: Store, *, device: str = "auto", listener: Listener = nobody
    ) -> None:
        self._folder, self._store = folder, store
        self._device, self._tell = device, listener
        self._read: tuple[tuple[int, int], Project, Sounds] | None = None
        # Of one stretch, until another one is asked for.
        self._sources: dict[Path, Samples] = {}
        self._racked: dict[str, tuple[tuple[Any, ...], Racked]] = {}
        self._heard: dict[Path, float | None] = {}
        self._stages = Stages()
        self._files = PreviewFiles(folder / HIDDEN_NAME / "preview")
        self._stretch: Stretch | None = None
        self._lufs: dict[Path, float | None] = {}  # of whole files

    def make(self, wish: Wish) -> Previewed:
        """Fulfil a wish.

        Raises
        ------
        CovermakerError
            When the stretch is too long, a value is refused, or a track's sound is not there yet.
        """
        began = time.perf_counter()
        project, sounds = self._opened()
        project = with_values(project, wish.changes)
        cover = project.cover
        if wish.what == SUNG:
            stretch = self._cut(wish, _rendered(sounds.song), lead_seconds=0.0)
            heard = self._sung(project, sounds, stretch)
        elif wish.what in {MIX, MASTERED}:
            stretch = self._cut(wish, _rendered(sounds.song))
            heard = self._mix(cover, sounds, stretch, wish.solo)
            if wish.what == MASTERED:
                heard = self._mastered(cover, heard, _rendered(sounds.song), stretch)
        elif wish.what.endswith(".rack"):
            stretch, heard = self._measured(cover, sounds, wish)
        else:
            track = _track(cover, wish.what)
            source = _source_of(track, sounds)
            stretch = self._cut(wish, source)
            racked = self._rack(track, cover.tracks.index(track), sounds, stretch)
            heard = _Heard(racked.sound, source, racked.reductions, {})
        return self._answer(wish, stretch, heard, began)

    def _answer(self, wish: Wish, stretch: Stretch, heard: _Heard, began: float) -> Previewed:
        rate, start_seconds = stretch.rate, (stretch.start + stretch.lead) / stretch.rate
        sound = stretch.heard(heard.sound)
        if isinstance(heard.against, Path):
            dry, against, against_start = self._samples(heard.against, stretch), heard.against, 0.0
            in_lufs = self._loudness(heard.against, stretch)
        else:
            dry, against_start = heard.against, start_seconds
            compared = stretch.heard(dry)
            against = self._files.write(compared, rate)
            in_lufs, _ = levels_of(compared, rate)
        out_lufs, _ = levels_of(sound, rate)
        quieter = min(in_lufs, out_lufs) if in_lufs is not None and out_lufs is not None else None
        gain_db = 0.0 if quieter is None or out_lufs is None else round(quieter - out_lufs, 2)
        against_gain_db = 0.0 if quieter is None or in_lufs is None else round(quieter - in_lufs, 2)
        peaks = {name: peaks_of(strip[:, stretch.lead :], rate) for name, strip in heard.peaks.items()}
        written = sound
        if wish.difference:
            written = sound * np.float32(db_to_gain(gain_db))
            written -= stretch.heard(dry) * np.float32(db_to_gain(against_gain_db))
        return Previewed(
            id=wish.id,
            what=wish.what,
            start_seconds=start_seconds,
            seconds=sound.shape[1] / rate,
            file=str(self._files.write(written, rate)),
            against=str(against),
            in_lufs=in_lufs,
            out_lufs=out_lufs,
            gain_db=0.0 if wish.difference else gain_db,
            against_gain_db=against_gain_db,
            reduction_seconds=BLOCK_FRAMES / rate,
            reductions=list(heard.reductions),
            peaks={**peaks, MIX: peaks_of(sound, rate)},
            took_seconds=round(time.perf_counter() - began, 4),
            against_start_seconds=against_start,
            points=list(heard.points),
            spectrum_hz=bands(rate) if heard.points else [],
            level_db=heard.level_db,
            instead=heard.instead,
        )

    # What is read

    def _opened(self) -> tuple[Project, Sounds]:
        """Return the project and its sounds, read again when the document changed or a render may have ended."""
        with disk_errors(self._folder):
            files = (self._folder / FILE_NAME, self._store.root / "steps")
            times = [file.stat().st_mtime_ns if file.exists() else 0 for file in files]
        mark = (times[0], times[1])
        if self._read is None or self._read[0] != mark:
            project = load(self._folder)
            self._read = (mark, project, find_sounds(project, self._store))
        return self._read[1], self._read[2]

    def _cut(self, wish: Wish, file: Path, lead_seconds: float = _LEAD_SECONDS) -> Stretch:
        info = probe(file)
        if not SHORTEST_SECONDS <= wish.seconds <= LONGEST_SECONDS:
            raise UsageError(
                f"a preview is {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} s long, not {wish.seconds:g} s",
                hint="set a shorter loop",
            )
        first = round(wish.start_seconds * info.sample_rate)
        if not 0 <= first < info.frames:
            raise UsageError("the stretch begins after the song's end")
        begin = max(0, first - round(lead_seconds * info.sample_rate))
        # On the grid on which compressors decide, so that they decide what they would in the whole song.
        lead = first - begin // CONTROL_SAMPLES * CONTROL_SAMPLES if lead_seconds else 0
        frames = min(round(wish.seconds * info.sample_rate), info.frames - first) + lead
        stretch = Stretch(first - lead, frames, lead, info.sample_rate)
        if stretch != self._stretch:  # what is kept belongs to one stretch: memory stays small
            self._stretch = stretch
            self._sources.clear()
            self._racked.clear()
            self._heard.clear()
            self._stages.forget()
        return stretch

    def _samples(self, file: Path, stretch: Stretch) -> Samples:
        """Read a stretch; silence where the file ends earlier."""
        if file not in self._sources:
            found = read(file, start=stretch.start, frames=stretch.frames).samples
            missing = stretch.frames - found.shape[1]
            self._sources[file] = np.pad(found, ((0, 0), (0, missing))) if missing else found
        return self._sources[file]

    def _loudness(self, file: Path, stretch: Stretch) -> float | None:
        if file not in self._heard:
            self._heard[file], _ = levels_of(stretch.heard(self._samples(file, stretch)), stretch.rate)
        return self._heard[file]

    # What is made

    def _sung(self, project: Project, sounds: Sounds, stretch: Stretch) -> _Heard:
        """Convert the vocal anew, as a render of the stretch would."""
        region = Region(stretch.start / stretch.rate, stretch.frames / stretch.rate)
        file = resung(project, region, self._store, device=self._device, listener=self._tell)
        return _Heard(fit(read(file).samples, stretch.frames), _rendered(sounds.song), (), {})

    def _rack(self, track: Track, index: int, sounds: Sounds, stretch: Stretch) -> Racked:
        file = _source_of(track, sounds)
        settings, level_db = self._settings(track, index, file, sounds)
        key = (file, json.dumps(rack_params(settings)), level_db)
        kept = self._racked.get(track.name)
        if kept is None or kept[0] != key:
            source = self._samples(file, stretch)
            kept = (key, self._stages.through(track.name, settings, source, stretch, level_db))
            self._racked[track.name] = kept
        return kept[1]

    def _measured(self, cover: Cover, sounds: Sounds, wish: Wish) -> tuple[Stretch, _Heard]:
        """Send what a rack reads through it, and measure it behind every effect."""
        table, _, name = wish.what.removesuffix(".rack").partition(".")
        if table == "tracks":
            track = _track(cover, name)
            file, instead = stand_in(track, sounds)
            if file is None:
                raise UsageError(f"{name} has no sound yet", hint="render the song first")
            stretch = self._cut(wish, file)
            settings, level_db = self._settings(track, cover.tracks.index(track), file, sounds)
            source, key = self._samples(file, stretch), str(file)
            against: Path | Samples = file
        else:
            stretch = self._cut(wish, _rendered(sounds.song))
            desk = self._desk(cover, sounds, stretch, wish.solo)
            rows, source, where = self._behind(cover, desk, table, name, stretch)
            settings, level_db, instead = parse_rack(rows, where=where), 0.0, ""
            against, key = source, blake2b(source.tobytes()).hexdigest()
        racked = self._stages.through(
            name or table, settings, source, stretch, level_db, source_key=(wish.what, key)
        )
        return stretch, _Heard(
            racked.sound, against, racked.reductions, {DRY: source}, racked.points, level_db, instead
        )

    def _settings(
        self, track: Track, index: int, file: Path, sounds: Sounds
    ) -> tuple[Sequence[EffectSettings], float]:
        """Return a track's rack, and how much louder it hears its source; see `covermaker.render.work.rack`."""
        settings = parse_rack(track.rack, where=f"tracks[{index}].rack")
        return settings, self._level_db(track, file, sounds) if rack_params(settings) else 0.0

    def _level_db(self, track: Track, file: Path, sounds: Sounds) -> float:
        if isinstance(track.rack_lufs, str):
            return 0.0
        found = sounds.tracks[track.name].source_lufs if track.name in sounds.tracks else None
        if found is None:
            found = self._whole_lufs(file)
        return 0.0 if found is None or found < INAUDIBLE_LUFS else round(track.rack_lufs - found, 2)

    def _whole_lufs(self, file: Path) -> float | None:
        if file not in self._lufs:
            self._lufs[file] = measure_file(file, true_peak=False).integrated_lufs
        return self._lufs[file]

    def _mix(self, cover: Cover, sounds: Sounds, stretch: Stretch, solo: Iterable[str]) -> _Heard:
        """Sum tracks and buses as `covermaker.mix.mixer` does."""
        desk = self._desk(cover, sounds, stretch, solo)
        returns = self._returns(cover, desk, stretch)
        mix = sum(returns.values(), desk.mix)
        return _Heard(
            mix.astype(np.float32), _rendered(sounds.song), desk.reductions, {**desk.strips, **returns}
        )

    def _mastered(self, cover: Cover, mix: _Heard, song: Path, stretch: Stretch) -> _Heard:
        """Master the mix as loud as the stretch will be in a master of the whole song: as it is in the song itself."""
        here, _ = levels_of(self._samples(song, stretch), stretch.rate)
        whole = self._whole_lufs(song)
        louder_db = here - whole if here is not None and whole is not None else None
        sound = mastered(mix.sound, stretch.rate, cover.master, louder_db=louder_db)
        return _Heard(sound, song, mix.reductions, mix.peaks)

    def _behind(
        self, cover: Cover, desk: _Desk, table: str, name: str, stretch: Stretch
    ) -> tuple[Sequence[Mapping[str, Any]], Samples, str]:
        """Return the rack of a bus or of the master, what it reads, and its place in the document."""
        if table == "master":
            mix = sum(self._returns(cover, desk, stretch).values(), desk.mix)
            return cover.master.rack, mix.astype(np.float32), "master.rack"
        for index, bus in enumerate(cover.buses):
            if bus.name == name:
                if name not in desk.sends:
                    raise UsageError(
                        f"no track sends to {name}", hint="turn a send up, then there is something to hear"
                    )
                return bus.rack, desk.sends[name].astype(np.float32), f"buses[{index}].rack"
        raise UsageError(f"there is no bus '{name}'")

    def _desk(self, cover: Cover, sounds: Sounds, stretch: Stretch, solo: Iterable[str]) -> _Desk:
        """Send the tracks through their racks, place them, and sum them."""
        soloed = set(solo) | {track.name for track in cover.tracks if track.solo}
        desk = _Desk(np.zeros((2, stretch.frames)), {}, {}, [])
        buses = {bus.name for bus in cover.buses}
        for index, track in enumerate(cover.tracks):
            if track.mute or (soloed and track.name not in soloed):
                desk.strips[track.name] = np.zeros((2, stretch.frames))
                continue
            racked = self._rack(track, index, sounds, stretch)
            placed = place(racked.sound, gain=db_to_gain(track.gain_db), pan=track.pan)
            placed = np.repeat(placed, 2, axis=0) if len(placed) == 1 else placed
            desk.reductions.extend(racked.reductions)
            desk.strips[track.name] = placed
            np.add(desk.mix, placed, out=desk.mix)
            for name, level_db in track.sends.items():
                if name in buses:
                    sent = desk.sends.setdefault(name, np.zeros((2, stretch.frames)))
                    sent += placed * db_to_gain(level_db)
        return desk

    def _returns(self, cover: Cover, desk: _Desk, stretch: Stretch) -> dict[str, NDArray[np.float64]]:
        """Send what the buses get through their racks."""
        found: dict[str, NDArray[np.float64]] = {}
        for index, bus in enumerate(cover.buses):
            found[bus.name] = np.zeros((2, stretch.frames))
            if bus.name in desk.sends:
                settings = parse_rack(bus.rack, where=f"buses[{index}].rack")
                rack = Rack(settings, sample_rate=stretch.rate, channels=2)
                wet = rack.process(desk.sends[bus.name].astype(np.float32))
                found[bus.name] = place(wet, gain=db_to_gain(bus.gain_db), pan=0.0)
        return found


def _rendered(song: Path | None) -> Path:
    if song is None:
        raise UsageError("the song was not rendered yet", hint="render it once: a preview begins there")
    return song


def _track(cover: Cover, name: str) -> Track:
    for track in cover.tracks:
        if track.name == name:
            return track
    raise UsageError(f"there is no track '{name}'")


def _source_of(track: Track, sounds: Sounds) -> Path:
    found = sounds.tracks.get(track.name)
    if found is None or found.source is None:
        raise UsageError(f"{track.name} has no sound yet", hint="render the song first")
    return found.source
