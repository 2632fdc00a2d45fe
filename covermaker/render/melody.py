"""The step that writes down what is sung, as a MIDI file."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.export.melody import VERSION
from covermaker.features.notes import VERSION as NOTES_VERSION
from covermaker.graph.step import From, Outside
from covermaker.render.music import FILE_NAME
from covermaker.render.steps import make_step

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.graph.step import Report, Step, Work
    from covermaker.project.document import Cover
    from covermaker.render.singing import Sung


def melody_step(cover: Cover, sung: Sung, music: Step, *, guide: Path | None, original: bool = False) -> Step:
    """Write the melody down: as the voice sings it, or as it is sung in the song (`original`)."""
    correction = cover.convert.pitch_correction
    inputs: dict[str, From | Outside] = {
        "f0": From(sung.features["pitch"], "f0.npy"),
        "loudness": From(sung.features["loudness"], "loudness.npy"),
        "music": From(music, FILE_NAME),
    }
    params: dict[str, Any] = {
        "version": [VERSION, NOTES_VERSION],
        "name": f"{cover.title} (original melody)" if original else f"{cover.title} (melody)",
        "song": {
            "key": cover.song.key,
            "sections": [[section.name, section.from_seconds] for section in cover.sections],
        },
    }
    if not original:
        inputs["conversion"] = From(sung.whole, "report.json")
        if correction.strength > 0.0:
            params["pitch_correction"] = correction.model_dump(exclude={"guide"})
            if guide is not None:
                inputs["guide"] = Outside(guide)
    return make_step(
        "melody (original)" if original else "melody",
        "melody",
        params,
        inputs,
        partial(melody, cover=cover, name=params["name"]),
    )


def melody(work: Work, *, cover: Cover, name: str) -> Report:
    """Pitch, loudness and music -> a MIDI file."""
    import numpy as np

    from covermaker.convert.transpose import shift_pitch
    from covermaker.convert.tuning import correct_pitch, detect_a4_hz
    from covermaker.export.melody import write_melody
    from covermaker.export.names import safe_name
    from covermaker.features.notes import read_notes
    from covermaker.features.song.key import moved_key
    from covermaker.features.song.music import read_music
    from covermaker.render.music import told
    from covermaker.render.singwork import conversion

    f0_hz = np.load(work.inputs["f0"], allow_pickle=False)
    loudness_db = np.load(work.inputs["loudness"], allow_pickle=False)
    music = told(read_music(work.inputs["music"]), cover)
    if "conversion" in work.inputs:
        semitones = int(json.loads(work.inputs["conversion"].read_text(encoding="utf-8"))["semitones"])
        wanted = conversion(cover.convert, work.inputs.get("guide")).pitch_correction
        f0_hz = shift_pitch(correct_pitch(f0_hz, wanted).f0_hz, semitones)
        music = music.told(key=moved_key(music.key, semitones))
    a4_hz = detect_a4_hz(f0_hz)
    notes = read_notes(f0_hz, loudness_db, a4_hz=a4_hz)
    file = work.folder / f"{safe_name(name)}.mid"
    report = write_melody(file, notes, f0_hz, music, title=cover.title)
    hints = [] if notes else ["the melody has no notes: nothing is sung that has a pitch"]
    return {**report, "a4_hz": round(a4_hz, 2), "notes_found": len(notes), "notes": hints}
