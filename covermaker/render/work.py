"""What the steps run: each function reads its inputs, calls one room, and leaves files in the step's folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from covermaker.graph.plain import plain as as_json
from covermaker.progress import part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.effects.automation import Move
    from covermaker.effects.rack import EffectSettings
    from covermaker.graph.step import Report, Work
    from covermaker.project.document import Master
    from covermaker.render.checks import MakeSeparator
    from covermaker.render.finishing import Finish
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


def master(
    work: Work,
    *,
    settings: Master,
    rack: tuple[EffectSettings, ...],
    moves: tuple[Move, ...] = (),
    tempo_bpm: float | None = None,
    region: Region | None = None,
) -> Report:
    """mix.wav -> master.wav at its loudness, under its ceiling."""
    from covermaker.audio.files import probe
    from covermaker.master.master import MasterSettings, master_file
    from covermaker.master.match import Match
    from covermaker.render.finishing import overruled_notes
    from covermaker.render.mixwork import in_time

    timed, notes = in_time(rack, work, tempo_bpm)
    mix, reference = work.inputs["mix"], work.inputs.get("reference")
    start = 0 if region is None else round(region.start_seconds * probe(mix).sample_rate)
    wanted = MasterSettings(
        loudness_lufs=None if settings.loudness_lufs == "off" else settings.loudness_lufs,
        true_peak_dbtp=settings.true_peak_dbtp,
        rack=timed,
        max_drive_db=settings.max_drive_db,
        match=None if reference is None else Match(reference=reference, amount=settings.match_amount),
        moves=moves,
        start=start,
    )
    done = master_file(mix, work.folder / "master.wav", settings=wanted, progress=work.progress)
    report = plain(done)
    (work.folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return {**report, "notes": [*overruled_notes(settings), *notes]}


def export(
    work: Work, *, formats: Sequence[str], name: str, tags: Mapping[str, str], finish: Finish
) -> Report:
    """master.wav -> the files that people open."""
    from covermaker.export.files import Wishes, export_master, notes_of
    from covermaker.export.labels import Level, read_lyrics, read_picture

    if finish.claim is not None:
        from covermaker.export.identity import identity

        identity()
    # Kept here too: the master's own entry may be collected while its export is still wanted.
    measured = json.loads(work.inputs["measured"].read_text(encoding="utf-8"))
    picture, lyrics = work.inputs.get("picture"), work.inputs.get("lyrics")
    wishes = Wishes(
        dither=finish.dither,
        ceiling_dbtp=finish.ceiling_dbtp,
        level=Level(measured["integrated_lufs"], measured["true_peak_dbtp"]),
        picture=None if picture is None else read_picture(picture),
        lyrics=None if lyrics is None else read_lyrics(lyrics),
        claim=finish.claim,
    )
    files = export_master(
        work.inputs["master"],
        work.folder,
        formats=formats,
        stem_name=name,
        tags=tags,
        seed=work.seed,
        wishes=wishes,
        progress=work.progress,
    )
    return {
        "files": [plain(file) for file in files],
        "master": measured,
        "notes": notes_of(files, wishes),
    }


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
