"""The preview: a stretch of the mix, or of one track's rack, made again within a fraction of a second.

A process that stays keeps the stretch's sources and each track's rack in memory, so that a fader costs a sum and a
parameter one rack. Everything begins `_LEAD_SECONDS` before the stretch, which is then cut off: compressors and
reverbs are in the middle of the song, not at its beginning. The master is left out where it is not what is heard.
"""

from __future__ import annotations

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
from covermaker.effects.rack import listened_to, rack_params
from covermaker.effects.sync import is_synced
from covermaker.errors import UsageError
from covermaker.features.song.music import read_music
from covermaker.graph.events import nobody
from covermaker.graph.run import run
from covermaker.project.load import FILE_NAME, HIDDEN_NAME, load
from covermaker.project.trying import with_values
from covermaker.render.automation import read_lanes
from covermaker.render.checks import parse_racks
from covermaker.render.mixwork import synced
from covermaker.render.music import FILE_NAME as MUSIC_FILE
from covermaker.render.patching import check_patch, strips_of
from covermaker.render.plugins import absent_notes
from covermaker.render.preview_desk import Desked, Patched, mix_stretch
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
from covermaker.render.stages import BLOCK_FRAMES, Racked, Sent, Stages, bands
from covermaker.render.steps import Region
from covermaker.render.stretch import Stretch, levels_of, peaks_of
from covermaker.render.work import INAUDIBLE_LUFS
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.graph.events import Listener
    from covermaker.graph.store import Store
    from covermaker.mix.strips import Node
    from covermaker.project.document import Track
    from covermaker.project.load import Project
    from covermaker.render.sounds import Sounds

_LEAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is heard, lead included, and what it is compared with: a file of the whole song, or a sound."""

    sound: Samples
    against: Path | Samples
    reductions: Sequence[dict[str, Any]]
    peaks: Mapping[str, NDArray[np.floating[Any]]]
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
        if wish.what == SUNG:
            stretch = self._cut(wish, _rendered(sounds.song), lead_seconds=0.0)
            return self._answer(wish, stretch, self._sung(project, sounds, stretch), began)
        desk = self._patched(project, sounds)
        if wish.what in {MIX, MASTERED}:
            stretch = self._cut(wish, _rendered(sounds.song))
            heard = self._mix(desk, stretch, wish.solo)
            if wish.what == MASTERED:
                heard = self._mastered(desk, heard, stretch)
        elif wish.what.endswith(".rack"):
            stretch, heard = self._measured(desk, wish)
        else:
            source = desk.source_of(wish.what)
            stretch = self._cut(wish, source)
            racked = self._rack(desk, wish.what, stretch)
            heard = _Heard(racked.sound, source, racked.reductions, {})
        return self._answer(wish, stretch, heard, began)

    def unheard_plugins(self, wish: Wish) -> list[str]:
        """Say which plug-ins are not heard in what a wish asks for."""
        project, _ = self._opened()
        project = with_values(project, wish.changes)
        racks = parse_racks(project)
        is_rack = wish.what.endswith(".rack")
        whose = tuple(wish.what.removesuffix(".rack").split(".", 1)) if is_rack else ("tracks", wish.what)
        cover, values = project.cover, project.document.values
        lanes = read_lanes(cover.automation, values, racks, song_seconds=None)
        return absent_notes({whose: racks[whose]} if whose in racks else racks, lanes)

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

    def _patched(self, project: Project, sounds: Sounds) -> Patched:
        """Read a project's desk: its racks, in the song's tempo, and what moves."""
        cover = project.cover
        racks = parse_racks(project)
        check_patch(cover, racks)
        if any(is_synced(row.values) for rack in racks.values() for row in rack):
            bpm = cover.song.tempo_bpm or self._found_tempo(sounds)
            if bpm is not None:
                racks = {whose: synced(rack, bpm) for whose, rack in racks.items()}
        lanes = read_lanes(cover.automation, project.document.values, racks, song_seconds=None)
        return Patched(cover, sounds, racks, lanes)

    def _found_tempo(self, sounds: Sounds) -> float | None:
        assert sounds.music is not None
        (entry,) = run(self._store, [sounds.music], listener=self._tell)
        return read_music(entry.folder / MUSIC_FILE).tempo_bpm

    def _rack(self, desk: Patched, name: str, stretch: Stretch) -> Racked:
        track = desk.track(name)
        file = desk.source_of(name)
        sent = self._sent(desk, track, file, stretch)
        key = (file, sent.params())
        kept = self._racked.get(name)
        if kept is None or kept[0] != key:
            source = self._samples(file, stretch)
            kept = (key, self._stages.through(name, sent, source, stretch))
            self._racked[name] = kept
        return kept[1]

    def _sent(self, desk: Patched, track: Track, file: Path, stretch: Stretch) -> Sent:
        """Return a track's rack, how much louder it hears its source, and what it listens to."""
        settings, moves = desk.racks["tracks", track.name], desk.lanes.of_rack("tracks", track.name)
        level_db = self._level_db(track, file, desk.sounds) if rack_params(settings, moves) else 0.0
        keys = {}
        for name in listened_to(settings, moves):
            louder_db = self._level_db(desk.track(name), desk.source_of(name), desk.sounds)
            keys[name] = self._rack(desk, name, stretch).sound * np.float32(db_to_gain(louder_db))
        return Sent(tuple(settings), level_db, moves, keys)

    def _measured(self, desk: Patched, wish: Wish) -> tuple[Stretch, _Heard]:
        """Send what a rack reads through it, and measure it behind every effect."""
        table, _, name = wish.what.removesuffix(".rack").partition(".")
        instead = ""
        if table == "tracks":
            track = desk.track(name)
            file, instead = stand_in(track, desk.sounds)
            if file is None:
                raise UsageError(f"{name} has no sound yet", hint="render the song first")
            stretch = self._cut(wish, file)
            sent = self._sent(desk, track, file, stretch)
            source, key = self._samples(file, stretch), str(file)
            against: Path | Samples = file
        else:
            stretch = self._cut(wish, _rendered(desk.sounds.song))
            until = None if table == "master" else _node(desk, table, name)
            mixed, _ = self._desk(desk, stretch, wish.solo, until)
            sent, source = self._behind(desk, mixed, table, name)
            against, key = source, blake2b(source.tobytes()).hexdigest()
        racked = self._stages.through(name or table, sent, source, stretch, source_key=(wish.what, key))
        return stretch, _Heard(
            racked.sound, against, racked.reductions, {DRY: source}, racked.points, sent.level_db, instead
        )

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

    def _mix(self, desk: Patched, stretch: Stretch, solo: Iterable[str]) -> _Heard:
        """Sum the desk as `covermaker.mix.mixer` does."""
        mixed, reductions = self._desk(desk, stretch, solo)
        strips = {name: sound for (_, name), sound in mixed.placed.items()}
        return _Heard(mixed.mix.astype(np.float32), _rendered(desk.sounds.song), reductions, strips)

    def _desk(
        self, desk: Patched, stretch: Stretch, solo: Iterable[str], until: Node | None = None
    ) -> tuple[Desked, list[dict[str, Any]]]:
        """Send the tracks through their racks and mix them; also return how far they were turned down."""
        reductions: list[dict[str, Any]] = []

        def sound_of(name: str) -> Samples:
            racked = self._rack(desk, name, stretch)
            reductions.extend(racked.reductions)
            return racked.sound

        strips = strips_of(desk.cover, desk.racks, desk.lanes)
        return mix_stretch(strips, sound_of, stretch, solo=set(solo), until=until), reductions

    def _mastered(self, desk: Patched, mix: _Heard, stretch: Stretch) -> _Heard:
        """Master the mix as loud as the stretch will be in a master of the whole song: as it is in the song itself."""
        song = _rendered(desk.sounds.song)
        here, _ = levels_of(self._samples(song, stretch), stretch.rate)
        whole = self._whole_lufs(song)
        louder_db = here - whole if here is not None and whole is not None else None
        sound = mastered(
            mix.sound, stretch.rate, desk.cover.master, louder_db=louder_db, rack=desk.racks["master",],
            moves=desk.lanes.of_rack("master"), start=stretch.start,
        )  # fmt: skip
        return _Heard(sound, song, mix.reductions, mix.peaks)

    def _behind(self, desk: Patched, mixed: Desked, table: str, name: str) -> tuple[Sent, Samples]:
        """Return the rack of a group, a bus or the master, and what it reads."""
        if table == "master":
            whose: tuple[str, ...] = ("master",)
            return Sent(desk.racks[whose], 0.0, desk.lanes.of_rack(*whose)), mixed.mix.astype(np.float32)
        whose, node = (table, name), _node(desk, table, name)
        if node not in mixed.entering:
            why = "sends to" if node[0] == "bus" else "goes to"
            raise UsageError(f"no track {why} {name}", hint="then there is something to hear")
        settings, moves = desk.racks[whose], desk.lanes.of_rack(*whose)
        keys = {one: mixed.heard[one] for one in listened_to(settings, moves)}
        return Sent(settings, 0.0, moves, keys), mixed.entering[node]


def _node(desk: Patched, table: str, name: str) -> Node:
    node: Node = ("group" if table == "groups" else "bus", name)
    if (table, name) not in desk.racks:
        raise UsageError(f"there is no {node[0]} '{name}'")
    return node


def _rendered(song: Path | None) -> Path:
    if song is None:
        raise UsageError("the song was not rendered yet", hint="render it once: a preview begins there")
    return song
