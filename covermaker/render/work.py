"""What the steps run: each function reads its inputs, calls one room, and leaves files in the step's folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from covermaker.graph.plain import plain as as_json
from covermaker.progress import part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.effects.rack import EffectSettings
    from covermaker.graph.step import Report, Work
    from covermaker.project.document import Master
    from covermaker.render.checks import Checked, MakeSeparator
    from covermaker.render.singers import Singer
    from covermaker.render.steps import Region


# No stem of a user's can have this name: it would be a hidden file.
INSTRUMENTAL_FILE = ".instrumental.wav"
# Below this a vocal is nothing but leftovers of the separation; raising it would raise noise.
INAUDIBLE_LUFS = -50.0


def decode(work: Work) -> Report:
    """Song -> song.wav (stereo float32) and song.json (rate and length)."""
    from covermaker.audio.decode import decode_song

    info = decode_song(work.inputs["song"], work.folder / "song.wav", progress=work.progress)
    length = {"sample_rate": info.sample_rate, "frames": info.frames}
    (work.folder / "song.json").write_text(json.dumps(length), encoding="utf-8")
    return plain(info)


def vocal(work: Work) -> Report:
    """Song -> vocals.wav."""
    from covermaker.audio.decode import decode_song

    return plain(decode_song(work.inputs["song"], work.folder / "vocals.wav", progress=work.progress))


def listen(work: Work) -> Report:
    """Vocal and its loudness -> listened.json: whether it is not rather a whole song."""
    import numpy as np

    from covermaker.render.listen import NOTE, music_db

    level_db = np.load(work.inputs["loudness"], allow_pickle=False)
    found = music_db(work.inputs["vocal"], level_db)
    report = {"music_db": found, "notes": [] if found is None else [NOTE]}
    (work.folder / "listened.json").write_text(json.dumps(report), encoding="utf-8")
    return report


def separate(work: Work, *, make: MakeSeparator) -> Report:
    """song.wav -> one file a stem, and one more where several stems are not the vocals: their sum."""
    done = make(work.device).separate(
        work.inputs["song"], work.folder, progress=part(work.progress, 0.0, 0.95)
    )
    if instrumental_file(done.stems) == INSTRUMENTAL_FILE:
        _sum(
            [work.folder / f"{name}.wav" for name in done.stems if name != "vocals"],
            work.folder / INSTRUMENTAL_FILE,
        )
    return plain(done)


def level(work: Work) -> Report:
    """One track's source -> level.json: its integrated loudness."""
    from covermaker.audio.loudness import measure_file

    found = measure_file(work.inputs["source"], true_peak=False, progress=work.progress)
    report = plain({"integrated_lufs": found.integrated_lufs})
    (work.folder / "level.json").write_text(json.dumps(report), encoding="utf-8")
    return report


def rack(
    work: Work, *, settings: tuple[EffectSettings, ...], rack_lufs: float | str, region: Region | None
) -> Report:
    """One track's source -> racked.wav, tail included."""
    from covermaker.audio.files import probe
    from covermaker.effects.rack import render_rack

    source = work.inputs["source"]
    info = probe(source)
    start, frames = frames_of(region, info.sample_rate, info.frames)
    level_db = 0.0
    if not isinstance(rack_lufs, str):
        found = json.loads(work.inputs["level"].read_text(encoding="utf-8"))["integrated_lufs"]
        level_db = 0.0 if found is None or found < INAUDIBLE_LUFS else round(rack_lufs - found, 2)
    done = render_rack(
        source,
        work.folder / "racked.wav",
        settings,
        sample_rate=info.sample_rate,
        channels=2,
        start=start,
        frames=frames,
        level_db=level_db,
        progress=work.progress,
    )
    return {**plain(done), "level_db": level_db}


def mix(
    work: Work, *, tracks: Sequence[Mapping[str, Any]], checked: Checked, region: Region | None
) -> Report:
    """Tracks and send buses -> mix.wav."""
    from covermaker.mix.mixer import BusInput, TrackInput, mix_tracks

    length = json.loads(work.inputs["length"].read_text(encoding="utf-8"))
    rate = length["sample_rate"]
    start, frames = frames_of(region, rate, length["frames"])
    cover = checked.project.cover
    inputs = [
        TrackInput(
            # Numbered: a name is for people, not part of the key, and must not stay in a report that is.
            name=f"track {index + 1}",
            path=work.inputs[f"track {index}"],
            gain_db=row["gain_db"],
            pan=row["pan"],
            mute=row["mute"],
            solo=row["solo"],
            sends=row["sends"],
            offset=start if row["cut"] else 0,
        )
        for index, row in enumerate(tracks)
    ]
    buses = [
        BusInput(name=bus.name, gain_db=bus.gain_db, rack=checked.bus_racks[bus.name]) for bus in cover.buses
    ]
    done = mix_tracks(
        inputs,
        buses,
        work.folder / "mix.wav",
        sample_rate=rate,
        frames=frames,
        start=start,
        tail=cover.mix.tail,
        progress=work.progress,
    )
    report = plain(done)
    if region is not None:
        # A stretch never ends in silence, so this says nothing.
        report["notes"] = [note for note in report["notes"] if "fade" not in note]
    return report


def master(work: Work, *, settings: Master, rack: tuple[EffectSettings, ...]) -> Report:
    """mix.wav -> master.wav at its loudness, under its ceiling."""
    from covermaker.master.master import MasterSettings, master_file

    wanted = MasterSettings(
        loudness_lufs=None if settings.loudness_lufs == "off" else settings.loudness_lufs,
        true_peak_dbtp=settings.true_peak_dbtp,
        rack=rack,
    )
    done = master_file(
        work.inputs["mix"], work.folder / "master.wav", settings=wanted, progress=work.progress
    )
    report = plain(done)
    (work.folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return report


def export(work: Work, *, formats: Sequence[str], name: str, tags: Mapping[str, str]) -> Report:
    """master.wav -> the files that people open."""
    from covermaker.export.files import export_master

    files = export_master(
        work.inputs["master"],
        work.folder,
        formats=formats,
        stem_name=name,
        tags=tags,
        seed=work.seed,
        progress=work.progress,
    )
    # Kept here too: the master's own entry may be collected while its export is still wanted.
    measured = json.loads(work.inputs["measured"].read_text(encoding="utf-8"))
    return {"files": [plain(file) for file in files], "master": measured}


def export_stems(work: Work, *, converted_tags: Mapping[str, str]) -> Report:
    """Stems and converted vocal -> 24-bit files; only the converted vocal is tagged as artificial."""
    from covermaker.export.stems import export_stems as write

    converted = {"converted": work.inputs["converted"]}
    stems = {name: path for name, path in work.inputs.items() if name not in converted}
    files = write(stems, work.folder, tags={}, progress=part(work.progress, 0.0, 0.7))
    files += write(converted, work.folder, tags=converted_tags, progress=part(work.progress, 0.7, 1.0))
    return {"files": [plain(file) for file in files]}


def score(work: Work, *, singer: Singer, pitch: str) -> Report:
    """Separated and converted vocal -> lag, similarity, pitch and words."""
    import numpy as np

    from covermaker.evaluate.report import score_cover

    conversion = json.loads(work.inputs["conversion"].read_text(encoding="utf-8"))
    done = score_cover(
        work.inputs["vocal"],
        work.inputs["converted"],
        voice_embedding=singer.open(work.inputs).embedding(),
        transpose_semitones=conversion["semitones"],
        source_f0_hz=np.load(work.inputs["f0"], allow_pickle=False),
        pitch_method=pitch,
        progress=work.progress,
    )
    return plain(done.as_dict())


def instrumental_file(stems: Sequence[str]) -> str:
    """Return the name of the file that holds everything but the vocals."""
    others = [name for name in stems if name != "vocals"]
    return f"{others[0]}.wav" if len(others) == 1 else INSTRUMENTAL_FILE


def plain(value: Any) -> Report:
    """Return a room's report as a JSON object; see `graph.plain`."""
    report: Report = as_json(value)
    return report


def _sum(parts: Sequence[Path], out: Path) -> None:
    import numpy as np

    from covermaker.audio.files import blocks, probe, wav_writer

    info = probe(parts[0])
    with wav_writer(out, sample_rate=info.sample_rate, channels=info.channels) as writer:
        for together in zip(*map(blocks, parts), strict=True):
            writer.write(np.asarray(np.sum(together, axis=0, dtype=np.float64), np.float32))


def network_device(work: Work) -> str:
    """Return the device that the preference means here; asking loads torch, so only networks do."""
    from covermaker.weights.device import pick_device

    return pick_device(work.device)


def frames_of(region: Region | None, rate: int, total: int) -> tuple[int, int]:
    """Return first frame and number of frames of a region, cut at the song's end."""
    if region is None:
        return 0, total
    start = min(round(region.start_seconds * rate), total)
    return start, min(round(region.seconds * rate), total - start)
