"""How good a voice is: the table of pitch, likeness, words, speed and memory, against the bars of the project.

    python benchmarks/voices.py --voice covermaker/voices/shipped/demo --set dev
    python benchmarks/voices.py --train quick --set test --work build/bench-voices

The first evaluates a voice that exists. The second makes one from 14 minutes of synthetic speech with `covermaker
voices new` and `covermaker train`, with the time that takes, and evaluates it. `voices_data.py` makes the data;
`docs/metrics.md` defines the figures. The test set is for reports only: whoever tunes something uses ``--set dev``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench_memory import MEASURE
from songs import covermaker
from voices_data import Clip, Data, prepare, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from covermaker.evaluate.metrics import Heard, Scores

ROOT = Path(__file__).resolve().parent.parent
TRAINED = "benchmark"  # the voice that --train makes


@dataclass(frozen=True)
class Bar:
    """What a figure is asked to be; `least` or `most` is set."""

    figure: str
    least: float | None = None
    most: float | None = None

    def met(self, value: float | None) -> bool:
        """Tell whether a figure is good enough; one that is not there is not."""
        return (
            value is not None
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )

    def __str__(self) -> str:
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"


BARS = {
    "re-sung": (
        Bar("f0_correlation", least=0.995),
        Bar("f0_median_cents", most=8.0),
        Bar("similarity", least=0.94),
        Bar("cer_above", most=0.10),
    ),
    "spoken": (
        Bar("f0_correlation", least=0.98),
        Bar("f0_median_cents", most=15.0),
        Bar("similarity", least=0.88),
        Bar("cer_above", most=0.05),
    ),
    "real": (
        Bar("f0_correlation", least=0.98),
        Bar("f0_median_cents", most=15.0),
        Bar("similarity_gain", least=0.10),
        Bar("words_read", least=0.70),
    ),
    "real clips": (Bar("words_read", least=0.70),),
    "speed": (
        Bar("decoder_times_real_time", least=50.0),
        Bar("conversion_real_time_factor", most=0.25),
        Bar("peak_mb", most=2000.0),
    ),
    "training": (Bar("minutes", most=12.0),),
}
# Digits after the point, where it is not 3.
DIGITS = {
    "f0_correlation": 4,
    "f0_median_cents": 1,
    "f0_rmse_cents": 1,
    "mcd_db": 2,
    "mcd_c0_db": 2,
    "words_read": 2,
    "decoder_times_real_time": 0,
    "peak_mb": 0,
    "minutes": 1,
}
# Nothing is played to the spoken clips, so they may be sung in the key that suits the voice; the others keep theirs.
TRANSPOSE = {"spoken": "fit"}
HEARD = 3  # raised when what `hear` finds changes
# Columns of the table: what stands above, and the figures in it; those after the first in brackets.
COLUMNS = {
    "F0CORR": ("f0_correlation",),
    "median cents": ("f0_median_cents",),
    "RMSE cents": ("f0_rmse_cents",),
    "V/UV F1": ("vuv_f1",),
    "similarity (source, own)": ("similarity", "source_similarity", "own_similarity"),
    "CER (source)": ("cer", "source_cer"),
    "CER above": ("cer_above",),
    "CER to source's reading": ("cer_to_source",),
    "words read": ("words_read",),
    "MCD dB (with c0)": ("mcd_db", "mcd_c0_db"),
}


@dataclass
class Scored:
    """One clip and its scores."""

    clip: Clip
    semitones: float
    scores: Scores
    package_similarity: float | None = None
    package_source: float | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON values."""
        packaged = {"package_similarity": self.package_similarity, "package_source": self.package_source}
        head = {"kind": self.clip.kind, "clip": self.clip.name, "semitones": self.semitones}
        return {**head, **self.scores.as_dict(), **packaged}


@dataclass
class Results:
    """Everything that is printed."""

    voice: str
    set: str
    sets: dict[str, dict[str, float | None]] = field(default_factory=dict)
    clips: list[dict[str, Any]] = field(default_factory=list)
    speed: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


class Judge:
    """Converts and scores; keeps what it found out about sources between runs."""

    def __init__(self, work: Path, pitch: str, package: bool) -> None:
        self.work, self.pitch = work, pitch
        self.package = package_encoder() if package else None

    def heard(self, path: Path, *, words: bool, language: str | None) -> Heard:
        """Return what is known of a recording of the data, found out on the first call."""
        from covermaker.disk import file_sha256, replacing
        from covermaker.evaluate.metrics import Heard, hear

        kept = (
            self.work
            / "heard"
            / f"{file_sha256(path)[:24]}-{HEARD}-{self.pitch}-{'words' if words else 'sound'}.npz"
        )
        if kept.exists():
            with np.load(kept, allow_pickle=False) as file:
                read = json.loads(str(file["words"]))
                embedding = file["embedding"] if len(file["embedding"]) else None
                return Heard(
                    path,
                    file["f0_hz"],
                    embedding,
                    tuple(read) if words else None,
                    str(file["language"]) or None,
                )
        found = hear(path, pitch_method=self.pitch, words=words, language=language)
        kept.parent.mkdir(parents=True, exist_ok=True)
        embedding = found.embedding if found.embedding is not None else np.zeros(0)
        with replacing(kept) as temporary:
            np.savez(temporary, f0_hz=found.f0_hz, embedding=embedding,
                     words=json.dumps(found.words), language=found.language or "")  # fmt: skip
        return found

    def similarities(self, data: Data) -> dict[str, dict[str, Any]]:
        """Return the mean embedding of the target's own clips by kind, and how like it each of them is."""
        from covermaker.evaluate.metrics import mean_embedding
        from covermaker.evaluate.similarity import similarity

        wanted = {}
        for kind, paths in data.targets.items():
            embeddings = [self.heard(path, words=False, language="en").embedding for path in paths]
            mean = mean_embedding(embeddings)
            own = [similarity(one, mean) for one in embeddings]
            wanted[kind] = {"mean": mean, "own": float(np.mean(own))}
            if self.package:
                wanted[kind]["package"] = mean_embedding([self.package(path) for path in paths])
        return wanted

    def score(self, voice: Path, data: Data, say: Any) -> tuple[list[Scored], dict[str, dict[str, Any]]]:
        """Convert and score every clip."""
        from covermaker.evaluate.metrics import score_conversion
        from covermaker.evaluate.similarity import similarity

        wanted = self.similarities(data)
        done = []
        for number, clip in enumerate(data.clips):
            out = self.work / "converted" / voice.name / f"{clip.name.replace(' ', '-')}.wav"
            transpose = TRANSPOSE.get(clip.kind, "auto")
            semitones = convert(clip.source, voice, out, self.work / "store", transpose)
            mean = wanted[clip.kind]["mean"]
            scores = score_conversion(
                self.heard(clip.source, words=True, language="en"),
                out,
                semitones=semitones,
                reference_embedding=mean,
                target=clip.target,
                transcript=clip.text,
                pitch_method=self.pitch,
                language="en",
            )
            one = Scored(clip, semitones, scores)
            if self.package:
                package = wanted[clip.kind]["package"]
                one.package_similarity = similarity(self.package(out), package)
                one.package_source = similarity(self.package(clip.source), package)
            done.append(one)
            say(f"{number + 1}/{len(data.clips)} {clip.name}")
        return done, wanted


def convert(vocal: Path, voice: Path, out: Path, store: Path, transpose: str) -> float:
    """Convert one clip as `covermaker convert` does, in this process; returns the transposition."""
    from covermaker.render.tasks import convert as job

    out.parent.mkdir(parents=True, exist_ok=True)
    request = {
        "vocal": str(vocal),
        "voice": str(voice),
        "out": str(out),
        "store": str(store),
        "device": "cpu",
        "convert": {"transpose": transpose},
    }
    return float(job(request, lambda event: None)["report"]["semitones"])


def package_encoder() -> Any:
    """Return the embedding of the package Resemblyzer as it comes, for comparison with ours."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from resemblyzer import VoiceEncoder, preprocess_wav
    encoder = VoiceEncoder("cpu", verbose=False)

    def embed(path: Path) -> np.ndarray:
        from covermaker.audio.mono import read_mono

        sound = read_mono(path, sample_rate=16_000).samples[0]
        return np.asarray(encoder.embed_utterance(preprocess_wav(sound, source_sr=16_000)))

    return embed


def summed_up(rows: Sequence[Scored], own: float) -> dict[str, float | None]:
    """Return one set's figures: means over its clips, errors over all its characters, words over all its words."""
    scores = [row.scores for row in rows]

    def mean(name: str) -> float | None:
        return mean_of(getattr(one, name) for one in scores)

    texts = [len("".join(words_of(row))) for row in rows]
    read = [len("".join(one.source_words or ())) for one in scores]
    words = [len(one.source_words or ()) for one in scores]
    cer, source_cer = pooled(scores, "cer", texts), pooled(scores, "source_cer", texts)
    to_source = pooled(scores, "cer_to_source", read)
    similarity, source = mean("similarity"), mean("source_similarity")
    return {
        "f0_correlation": mean("f0_correlation"),
        "f0_median_cents": mean("f0_median_cents"),
        "f0_rmse_cents": mean("f0_rmse_cents"),
        "vuv_f1": mean("vuv_f1"),
        "similarity": similarity,
        "source_similarity": source,
        "own_similarity": own,
        "similarity_gain": None if similarity is None or source is None else similarity - source,
        "cer": cer,
        "source_cer": source_cer,
        "cer_above": None if cer is None or source_cer is None else cer - source_cer,
        "cer_to_source": to_source,
        "words_read": pooled(scores, "words_read", words),
        "mcd_db": mean("mcd_db"),
        "mcd_c0_db": mean("mcd_c0_db"),
        "package_similarity": mean_of(row.package_similarity for row in rows),
        "package_source": mean_of(row.package_source for row in rows),
    }


def words_of(row: Scored) -> list[str]:
    from covermaker.evaluate.words import split_words

    return split_words(row.clip.text) if row.clip.text else []


def mean_of(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def pooled(scores: Sequence[Scores], name: str, lengths: Sequence[int]) -> float | None:
    """Return errors over all characters of a set, or words over all of them: a short text counts as little as it is."""
    pairs = [(getattr(one, name), count) for one, count in zip(scores, lengths, strict=True)]
    known = [(value, count) for value, count in pairs if value is not None and count]
    return sum(value * count for value, count in known) / sum(count for _, count in known) if known else None


def measure_speed(work: Path, voice: Path, data: Data, minutes: float) -> dict[str, Any]:
    """Convert a long vocal in a process of its own: seconds by step, all of them, and its memory."""
    import soundfile

    vocal = work / f"long-{minutes:g}.wav"
    if not vocal.exists():
        songs = [
            soundfile.read(clip.source, dtype="float32")[0] for clip in data.clips if clip.kind == "re-sung"
        ]
        song = np.concatenate(songs)
        rate = 16_000
        write(
            vocal, np.tile(song, int(minutes * 60 * rate // len(song)) + 1)[: int(minutes * 60 * rate)], rate
        )
    shutil.rmtree(work / "speed-store", ignore_errors=True)
    command = covermaker("convert", str(vocal), "--voice", str(voice), "--out", str(work / "long.wav"), "--store",
                         str(work / "speed-store"), "--device", "cpu", "--json")  # fmt: skip
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    seconds = time.perf_counter() - started
    *events, peak = done.stdout.splitlines()
    steps = {event["name"]: round(event["seconds"], 2) for line in events
             if (event := json.loads(line))["event"] == "step.finished"}  # fmt: skip
    shutil.rmtree(work / "speed-store", ignore_errors=True)
    (work / "long.wav").unlink(missing_ok=True)
    return {
        "minutes": minutes,
        "seconds": round(seconds, 1),
        "conversion_real_time_factor": seconds / (60.0 * minutes),
        "peak_mb": int(peak) / 1000.0,
        "by_step": steps,
    }


def decoder_speed(voice: Path, seconds: float = 60.0) -> float:
    """Return how many times faster than it sounds the network sings, in chunks of 10 s."""
    from covermaker.voices.voice import Voice

    opened = Voice.open(voice)
    singer = opened.synthesizer("cpu")
    rng = np.random.default_rng(0)
    frames = round(seconds * 100)
    content = rng.normal(size=(frames, singer.content_dim)).astype(np.float32)
    pitch = singer.pitch(220.0 * 2.0 ** (np.sin(np.arange(frames) / 300.0) / 2.0))

    def sing(first: int, last: int) -> None:
        part = pitch.part(first, last)
        singer.render(content[first:last], part, np.full(last - first, -20.0), first_frame=first, seed=0)

    sing(0, 1000)
    started = time.perf_counter()
    for first in range(0, frames, 1000):
        sing(first, min(frames, first + 1000))
    return seconds / (time.perf_counter() - started)


def train(work: Path, takes: Sequence[Path], profile: str) -> tuple[Path, dict[str, Any]]:
    """Make the benchmark's voice from nothing with the command line, and time it."""
    library = work / "voices"
    folder = library / TRAINED
    shutil.rmtree(folder, ignore_errors=True)
    library.mkdir(parents=True, exist_ok=True)
    store = work / "train-store"
    shutil.rmtree(store, ignore_errors=True)
    environment = {**os.environ, "COVERMAKER_VOICES": str(library), "COVERMAKER_STORE": str(store)}
    started = time.perf_counter()
    new = covermaker("voices", "new", TRAINED, *map(str, takes), "--rights", "synthetic", "--statement",
                     "A speech synthesiser made every take.")  # fmt: skip
    subprocess.run(new, check=True, env=environment, cwd=ROOT)
    prepared = time.perf_counter() - started
    subprocess.run(covermaker("train", TRAINED, "--profile", profile), check=True, env=environment, cwd=ROOT)
    total = time.perf_counter() - started
    return folder, {
        "profile": profile,
        "new_seconds": prepared,
        "train_seconds": total - prepared,
        "minutes": total / 60.0,
    }


def figure(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return "-" if value is None else f"{value:.{DIGITS.get(name, 3)}f}"


def report(results: Results) -> str:
    """Write the tables as Markdown."""
    lines = [f"Voice {results.voice}, {results.set} set.", ""]
    lines.append("| set | " + " | ".join(COLUMNS) + " |")
    lines.append("|---|" + "--:|" * len(COLUMNS))
    for kind, row in results.sets.items():
        cells = []
        for first, *others in COLUMNS.values():
            beside = ", ".join(figure(row, name) for name in others)
            cells.append(figure(row, first) + (f" ({beside})" if beside else ""))
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    lines += ["", "| asked | figure | bar | |", "|---|--:|--:|---|"]
    for name, values in groups(results).items():
        for bar in BARS[name.split(":")[0]]:
            verdict = "pass" if bar.met(values.get(bar.figure)) else "FAIL"
            words = bar.figure.replace("_", " ")
            lines.append(f"| {name}: {words} | {figure(values, bar.figure)} | {bar} | {verdict} |")
    for kind, row in results.sets.items():
        if row["package_similarity"] is not None:
            given = f"{figure(row, 'package_similarity')} (source {figure(row, 'package_source')})"
            lines += ["", f"The package Resemblyzer as it comes, {kind}: {given}"]
    if results.speed:
        speed = results.speed
        words = f"{speed['minutes']:g} minutes converted in {speed['seconds']} s, by step: {speed['by_step']}"
        lines += ["", words]
    if results.training:
        lines += ["", f"Training: {results.training}"]
    lines += [f"skipped: {why}" for why in results.skipped]
    return "\n".join(lines)


def groups(results: Results) -> dict[str, dict[str, Any]]:
    """Return what is held against bars: a set's figures; real clips one by one, and their words together."""
    found: dict[str, dict[str, Any]] = {kind: row for kind, row in results.sets.items() if kind != "real"}
    for row in results.clips:
        if row["kind"] == "real":
            gain = row["similarity"] - row["source_similarity"] if row["similarity"] is not None else None
            found[f"real: {row['clip']}"] = {**row, "similarity_gain": gain}
    if "real" in results.sets:
        found["real clips"] = results.sets["real"]
    if results.speed:
        found["speed"] = results.speed
    if results.training:
        found["training"] = results.training
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--voice", type=Path, help="folder of a voice")
    what.add_argument("--train", metavar="PROFILE", help="make a voice from the training set first")
    what.add_argument("--data-only", action="store_true", help="make the data and stop")
    parser.add_argument("--set", choices=["dev", "test"], default="dev")
    parser.add_argument(
        "--work", type=Path, default=Path("build/bench-voices"), help="where data and results are kept"
    )
    parser.add_argument("--pitch", default="fcpe", help="the method that measures pitch")
    parser.add_argument(
        "--speed-minutes",
        type=float,
        default=10.0,
        help="length of the vocal whose conversion is timed; 0: none",
    )
    parser.add_argument("--resemblyzer", action="store_true", help="also ask the package Resemblyzer")
    return parser.parse_args()


def main() -> None:
    """Prepare, train when asked, evaluate, print."""
    options = arguments()
    work = options.work.resolve()
    data = prepare(work, options.set)
    if options.data_only:
        print("\n".join(map(str, [*data.takes, *(clip.source for clip in data.clips)])))
        return
    training: dict[str, Any] = {}
    voice = options.voice.resolve() if options.voice else None
    if voice is None:
        voice, training = train(work, data.takes, options.train)
    results = Results(voice.name, options.set, training=training, skipped=data.skipped)
    rows, wanted = Judge(work, options.pitch, options.resemblyzer).score(
        voice, data, lambda line: print(line, file=sys.stderr, flush=True)
    )
    for kind in dict.fromkeys(clip.kind for clip in data.clips):
        results.sets[kind] = summed_up([row for row in rows if row.clip.kind == kind], wanted[kind]["own"])
    results.clips = [row.as_row() for row in rows]
    if options.speed_minutes:
        results.speed = measure_speed(work, voice, data, options.speed_minutes)
        results.speed["decoder_times_real_time"] = decoder_speed(voice)
    print(report(results))
    kept = work / f"results-{voice.name}-{options.set}.json"
    kept.write_text(json.dumps(results.__dict__, indent=1), encoding="utf-8")
    print(f"\n{kept}", file=sys.stderr)


if __name__ == "__main__":
    main()
