"""How well the music of a song is found, and the notes of a vocal: scores of mir_eval on what is known.

Tempo, beats and bars on made songs and on the demo song; parts on made songs; notes on the re-sung sentences of the
voice benchmark, whose melodies are drawn there. A sung note is what the synthesizer sings of one: from where it begins
to be voiced, a pause of over 40 ms within it parts it in two.

    python benchmarks/bench_music.py [--work FOLDER] [--set dev|test]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path

import mir_eval
import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "features"))
from made_songs import RATE, clicks, made_form, made_song

import voices_data as data
from covermaker.features.loudness import frame_loudness_db
from covermaker.features.notes import read_notes
from covermaker.features.pitch.estimate import estimate_pitch
from covermaker.features.song.music import Music, listen

DEMO = Path(__file__).resolve().parent.parent / "projects" / "demo" / "audio" / "song.flac"
TEMPI = (60, 70, 80, 90, 100, 110, 120, 127, 135, 140, 150, 160, 170, 180)
FORMS = (("ABAB", 8), ("ABABCB", 8), ("AABA", 8), ("ABCAB", 8), ("ABAC", 16), ("AAAA", 8), ("ABAB", 4))
GAP_SECONDS, LEAST_SECONDS = 0.04, 0.08
UNVOICED = 0.999  # mean aperiodicity from which the synthesizer makes noise alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "covermaker-music")
    parser.add_argument("--set", choices=list(data.TEXTS), default="test", dest="chosen")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    found = {
        "clicks": beats_of(options.work, lambda bpm: clicks(bpm, 40.0)),
        "songs": beats_of(options.work, _song),
        "demo": demo(),
        "parts": parts(options.work),
        "notes": notes(options.work, options.chosen),
    }
    print(json.dumps(found, indent=1))


def _song(bpm: int) -> tuple[np.ndarray, np.ndarray]:
    sound = made_song(3, "minor", float(bpm), 40.0, eighths=bpm > 100, seed=bpm)
    return sound, np.arange(int(40 * bpm / 60)) * 60.0 / bpm


def _heard(work: Path, sound: np.ndarray) -> Music:
    path = work / "song.wav"
    soundfile.write(path, 0.5 * sound / np.abs(sound).max(), RATE, subtype="FLOAT")
    return listen(path)


def _beat_score(times: np.ndarray, truth: np.ndarray) -> float:
    trim = mir_eval.beat.trim_beats
    return float(mir_eval.beat.f_measure(trim(truth), trim(np.asarray(times))))


def beats_of(work: Path, make) -> dict[str, float]:
    worst, scores = 0.0, []
    for bpm in TEMPI:
        sound, truth = make(bpm)
        music = _heard(work, sound)
        worst = max(worst, abs(music.tempo_bpm / bpm - 1.0))
        scores.append(_beat_score(music.beats, truth))
    return {"worst tempo error %": round(100 * worst, 3), "lowest beat F": round(min(scores), 3)}


def demo() -> dict[str, object]:
    began = time.perf_counter()
    music = listen(DEMO)
    seconds = time.perf_counter() - began
    return {
        "tempo": music.tempo_bpm,
        "beat F": round(_beat_score(music.beats, np.arange(0.0, music.seconds, 0.6)), 3),
        "beats a bar": music.beats_per_bar,
        "key": music.key_words,
        "parts": [[part.name, part.from_seconds] for part in music.sections],
        "times real time": round(music.seconds / seconds),
    }


def parts(work: Path) -> dict[str, list[float]]:
    found = {}
    for form, bars in FORMS:
        sound, length = made_form(form, bars=bars)
        runs = [(name, len(list(group))) for name, group in groupby(form)]
        ends = np.cumsum([count for _, count in runs]) * length
        truth = np.stack([np.concatenate([[0.0], ends[:-1]]), ends], axis=1)
        sections = _heard(work, sound).sections
        borders = np.array([[part.from_seconds, part.to_seconds] for part in sections])
        borders[-1, 1] = truth[-1, 1]
        names = [name for name, _ in runs]
        score = mir_eval.segment.detection(truth, borders, window=3.0)[2]
        alike = mir_eval.segment.pairwise(truth, names, borders, [part.name for part in sections])[2]
        found[f"{form}, {bars} bars each"] = [round(float(score), 3), round(float(alike), 3)]
    return found


def notes(work: Path, chosen: str, *, sentences: int | None = None) -> dict[str, dict[str, float]]:
    """Return mean scores over the re-sung sentences, or the first of them, each by both voices."""
    scores: dict[str, list[tuple[float, ...]]] = {"sung notes": [], "notes of the melody": []}
    for number, text in enumerate(data.TEXTS[chosen][:sentences]):
        for voice in (data.SOURCE, data.TARGET):
            seed = [data.SEED, list(data.TEXTS).index(chosen), number]
            spoken = data.say(text, voice)
            path = work / "sung.wav"
            sound = data.resing(spoken, np.random.default_rng(seed))
            soundfile.write(path, sound, data.SAMPLE_RATE, subtype="FLOAT")
            read = read_notes(estimate_pitch(path), frame_loudness_db(path))
            voiced = _voiced(spoken)
            melody = data.melody_notes(len(voiced), np.random.default_rng(seed))
            scores["sung notes"].append(_note_score(_sung(voiced, *melody, parted=True), read))
            scores["notes of the melody"].append(_note_score(_sung(voiced, *melody, parted=False), read))
    names = ("precision", "recall", "F")
    means = {kind: np.mean(rows, axis=0).round(3).tolist() for kind, rows in scores.items()}
    return {kind: dict(zip(names, row, strict=True)) for kind, row in means.items()}


def _voiced(spoken: np.ndarray) -> np.ndarray:
    """Return at which frames of what is re-sung the synthesizer has a pitch, as `resing` decides it."""
    import pyworld

    wave = spoken.astype(np.float64)
    f0_hz, times = pyworld.harvest(
        wave, data.SAMPLE_RATE, f0_floor=60.0, f0_ceil=400.0, frame_period=data.FRAME_MS
    )
    breath = pyworld.d4c(wave, f0_hz, times, data.SAMPLE_RATE).mean(axis=1)
    at = np.round(np.arange(int(len(f0_hz) * data.STRETCH)) / data.STRETCH).astype(int)
    at = at.clip(max=len(f0_hz) - 1)
    return (f0_hz[at] > 0) & (breath[at] < UNVOICED)


def _sung(
    voiced: np.ndarray, degrees: list[int], bounds: np.ndarray, *, parted: bool
) -> list[tuple[float, float, int]]:
    """Return begin, end and semitone of the notes; equal ones side by side are one."""
    frame = data.FRAME_MS / 1000.0
    voiced = voiced.copy()
    for start, stop in _runs(~voiced):
        if start and stop < len(voiced) and (stop - start) * frame <= GAP_SECONDS:
            voiced[start:stop] = True
    found = []
    for degree, group in groupby(zip(degrees, bounds[:-1], bounds[1:], strict=True), key=lambda row: row[0]):
        rows = list(group)
        start, stop = rows[0][1], rows[-1][2]
        runs = [(start + a, start + b) for a, b in _runs(voiced[start:stop])]
        if not parted and runs:
            runs = [(runs[0][0], runs[-1][1])]
        found += [
            (a * frame, b * frame, data.SCALE[degree]) for a, b in runs if (b - a) * frame >= LEAST_SECONDS
        ]
    return found


def _runs(marked: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _note_score(truth, read) -> tuple[float, ...]:
    return mir_eval.transcription.precision_recall_f1_overlap(
        np.array([(start, stop) for start, stop, _ in truth]),
        data.LOWEST_HZ * 2.0 ** (np.array([semitone for *_, semitone in truth]) / 12),
        np.array([(note.start_seconds, note.stop_seconds) for note in read]),
        440.0 * 2.0 ** ((np.array([note.number for note in read]) - 69) / 12),
        onset_tolerance=0.05,
        pitch_tolerance=50.0,
        offset_ratio=None,
    )[:3]


if __name__ == "__main__":
    main()
