"""Make the demo voice that ships with the package, from nothing but free synthetic speech.

::

    python scripts/train_demo_voice.py --work build/demo-voice --steps 4000

Says a few hundred texts with the flite voice `slt`, re-sings part of them through WORLD, hears each through other
throats and rooms, trains the DDSP network and writes ``card.toml`` and ``voice.safetensors``. Needs the Debian
package `flite`. Every stage is kept in the work folder and reused; delete a stage's file to make it again. Seeds are
fixed: the same machine gives the same voice.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from covermaker.errors import CovermakerError, ResourceError
from covermaker.features.clock import f0_at_clock, frame_count
from covermaker.features.content import ENCODER, ContentEncoder
from covermaker.features.loudness import frame_loudness_db
from covermaker.training.augment import WORLD_FRAME_SECONDS, Voice, colour
from covermaker.training.dataset import Dataset, Example, load_examples, save_examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEAKER = "slt"
SAMPLE_RATE = 16_000
SEED = 20_240_607
SHIPPED = Path(__file__).resolve().parent.parent / "covermaker" / "voices" / "shipped" / "demo"
MAX_SECONDS = 29.0  # a take must fit into one window of the content encoder


@dataclass(frozen=True)
class Take:
    """One target and the other ways in which the content encoder hears it."""

    target: NDArray[np.float32]
    f0_hz: NDArray[np.float32]
    loudness_db: NDArray[np.float32]
    heard: tuple[NDArray[np.float32], ...]


def say(text: str, path: Path, *, stretch: float, speaker: str = SPEAKER) -> NDArray[np.float32]:
    """Speak a text with flite and return its samples."""
    import soundfile

    flite = shutil.which("flite")
    if flite is None:
        raise ResourceError("the program flite is missing", hint="apt-get install flite")
    command = [flite, "-voice", speaker, "--setf", f"duration_stretch={stretch:.3f}", "-t", text, "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        raise CovermakerError(f"flite spoke at {rate} Hz")
    return samples[: int(MAX_SECONDS * SAMPLE_RATE)]


def make_take(job: tuple[int, str, str, str]) -> Take:
    """Make take `number` of a text: "spoken", "transposed" or "sung"."""
    import soundfile

    number, text, kind, folder = job
    rng = np.random.default_rng([SEED, number])
    stretch = rng.uniform(1.4, 2.6) if kind == "sung" else float(rng.choice([0.95, 1.0, 1.1, 1.25, 1.5]))
    path = Path(folder) / f"{number:04d}.wav"
    target = say(text, path, stretch=stretch)
    voice = Voice.analyse(target, SAMPLE_RATE)
    if kind == "sung":
        low_hz = rng.uniform(130.0, 330.0)
        voice = voice.sing(rng, low_hz=low_hz, high_hz=low_hz * rng.uniform(1.5, 2.1))
        target = voice.synthesize()
    elif kind == "transposed":
        voice = voice.transposed(rng.uniform(-5.0, 14.0))
        target = voice.synthesize()

    heard = [target]
    for ratio, semitones in (
        (rng.uniform(0.78, 0.93), rng.uniform(-12.0, -3.0)),
        (rng.uniform(0.95, 1.22), rng.uniform(-3.0, 6.0)),
    ):
        throat = voice.other_throat(ratio, semitones).synthesize()[: len(target)]
        heard.append(colour(throat, SAMPLE_RATE, rng) if rng.random() < 0.8 else throat)

    soundfile.write(path, target, SAMPLE_RATE, subtype="FLOAT")
    times = np.arange(voice.frames) * WORLD_FRAME_SECONDS
    f0_hz = f0_at_clock(voice.f0_hz, times, frame_count(len(target), SAMPLE_RATE))
    return Take(target, f0_hz, frame_loudness_db(path), tuple(heard))


def gather(work: Path, *, encoder: Path, spoken: int, transposed: int, sung: int, workers: int) -> list[Example]:
    """Return the examples of a work folder, made on the first call."""
    stored = work / "examples.npz"
    if stored.exists():
        return load_examples(stored)
    from scripts.demo_voice_texts import sentences

    waves = work / "takes"
    waves.mkdir(parents=True, exist_ok=True)
    kinds = ["spoken"] * spoken + ["transposed"] * transposed + ["sung"] * sung
    texts = sentences(len(kinds), SEED)
    # Dealt out by a fixed shuffle: every kind gets its share of the written sentences.
    order = np.random.default_rng(SEED).permutation(len(kinds))
    jobs = [(i, texts[i], kinds[order[i]], str(waves)) for i in range(len(kinds))]
    started = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        takes = list(pool.map(make_take, jobs, chunksize=4))
    seconds = sum(len(take.target) for take in takes) / SAMPLE_RATE
    say_so(f"{len(takes)} takes, {seconds / 60:.1f} min, made in {time.monotonic() - started:.0f} s")

    started = time.monotonic()
    model = ContentEncoder(encoder, threads=workers)
    readings = [
        model.encode_clips([take.heard[k] for take in takes]) for k in range(len(takes[0].heard))
    ]
    say_so(f"content read {len(readings)} times in {time.monotonic() - started:.0f} s")
    examples = [
        Example(take.target, take.f0_hz, take.loudness_db, tuple(column[i] for column in readings))
        for i, take in enumerate(takes)
    ]
    save_examples(examples, stored)
    return examples


def say_so(line: str) -> None:
    """Tell how far it is, on stderr."""
    print(line, file=sys.stderr, flush=True)
