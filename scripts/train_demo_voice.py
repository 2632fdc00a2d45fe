"""Make the demo voice that ships with the package, from nothing but free synthetic speech.

::

    python scripts/train_demo_voice.py --work build/demo-voice --steps 4000

Says a few hundred texts with the flite voice `slt`, re-sings part of them through WORLD, hears each through other
throats, rooms and a separator, trains the DDSP network and writes ``card.toml``, ``voice.safetensors`` and
``embedding.npy``. Needs the Debian package `flite`. The finished examples are kept in the work folder and reused;
delete ``examples.npz`` to make them again. Seeds are fixed: with ``--steps`` and no ``--minutes`` the same machine
and thread count give the same voice.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.buffer import fit
from covermaker.errors import CovermakerError, ResourceError
from covermaker.features.clock import f0_at_clock, frame_count
from covermaker.features.content import ENCODER, ContentEncoder
from covermaker.features.loudness import frame_loudness_db
from covermaker.training.augment import WORLD_FRAME_SECONDS, Voice, channel_strip, colour, through_separator
from covermaker.training.dataset import Dataset, Example, load_examples, save_examples
from covermaker.voices.card import (
    SCHEMA,
    ContentPart,
    F0Part,
    NetworkPart,
    SpeakerPart,
    VoiceCard,
    WeightsPart,
    write_card,
)
from covermaker.weights.catalog import fingerprint, locate
from covermaker.weights.device import torch_ready
from demo_voice_texts import sentences

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from covermaker.voices.networks.ddsp import DdspNetwork

SPEAKER = "slt"
SAMPLE_RATE = 16_000
SEED = 20_240_607
SHIPPED = Path(__file__).resolve().parent.parent / "covermaker" / "voices" / "shipped" / "demo"
SEPARATED_EVERY = 4  # takes also heard through the separator, which costs half their length in CPU time
MAX_SECONDS = 29.0  # a take must fit into one window of the content encoder


@dataclass(frozen=True)
class Take:
    """One target and the other ways in which the content encoder hears it."""

    target: NDArray[np.float32]
    f0_hz: NDArray[np.float32]
    loudness_db: NDArray[np.float32]
    heard: list[NDArray[np.float32]]


def say(text: str, path: Path, *, stretch: float, speaker: str = SPEAKER) -> NDArray[np.float32]:
    """Speak a text with flite and return its samples."""
    import soundfile

    flite = shutil.which("flite")
    if flite is None:
        raise ResourceError("the program flite is missing", hint="apt-get install flite")
    command = [
        flite,
        "-voice",
        speaker,
        "--setf",
        f"duration_stretch={stretch:.3f}",
        "-t",
        text,
        "-o",
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True)
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        raise CovermakerError(f"flite spoke at {rate} Hz")
    return samples[: int(MAX_SECONDS * SAMPLE_RATE)]


def make_take(job: tuple[int, str, str, str]) -> Take:
    """Make take `number` of a text: "spoken", "transposed", "sung" or "held"."""
    import soundfile

    number, text, kind, folder = job
    rng = np.random.default_rng([SEED, number])
    # "sung" slows everything down; "held" keeps consonants quick and holds vowels, as singers do.
    stretch = rng.uniform(1.4, 2.6) if kind == "sung" else float(rng.choice([0.95, 1.0, 1.1, 1.25, 1.5]))
    path = Path(folder) / f"{number:04d}.wav"
    target = channel_strip(say(text, path, stretch=stretch), SAMPLE_RATE)
    voice = Voice.analyse(target, SAMPLE_RATE)
    if kind == "held":
        voice = voice.held(rng.uniform(2.0, 5.0))
    if kind in ("sung", "held"):
        low_hz = rng.uniform(130.0, 330.0)
        voice = voice.sing(rng, low_hz=low_hz, high_hz=low_hz * rng.uniform(1.5, 2.1))
        target = voice.synthesize()
    elif kind == "transposed":
        voice = voice.transposed(rng.uniform(-5.0, 14.0))
        target = voice.synthesize()

    target = target[: int(MAX_SECONDS * SAMPLE_RATE)]
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
    return Take(target, f0_hz, frame_loudness_db(path), heard)


def separator() -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the default separator as a function from a mono mix to its mono vocal."""
    import soxr

    from covermaker.stems.spleeter import SAMPLE_RATE as MIX_RATE
    from covermaker.stems.spleeter import load_networks, split

    torch = torch_ready()
    networks = load_networks(("spleeter-2stems-vocals", "spleeter-2stems-accompaniment"))

    def separate(mix: NDArray[np.float32]) -> NDArray[np.float32]:
        wide = soxr.resample(mix, SAMPLE_RATE, MIX_RATE).astype(np.float32)
        with torch.inference_mode():
            parts = [block[0] for block in split(networks, [np.stack([wide, wide])])]
        vocal = soxr.resample(np.concatenate(parts, axis=-1).mean(axis=0), MIX_RATE, SAMPLE_RATE)
        return fit(vocal.astype(np.float32), len(mix))

    return separate


def gather(work: Path, *, spoken: int, transposed: int, sung: int, held: int, workers: int) -> list[Example]:
    """Return the examples of a work folder, made on the first call."""
    stored = work / "examples.npz"
    if stored.exists():
        return load_examples(stored)
    waves = work / "takes"
    waves.mkdir(parents=True, exist_ok=True)
    kinds = ["spoken"] * spoken + ["transposed"] * transposed + ["sung"] * sung
    # Dealt out by a fixed shuffle: every kind gets its share of the written sentences.
    rng = np.random.default_rng(SEED)
    kinds = [kinds[k] for k in rng.permutation(len(kinds))] + ["held"] * held
    texts = sentences(spoken + transposed + sung, SEED)
    texts += [texts[k] for k in rng.permutation(len(texts))[:held]]
    jobs = [(i, texts[i], kinds[i], str(waves)) for i in range(len(kinds))]
    started = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        takes = list(pool.map(make_take, jobs, chunksize=4))
    seconds = sum(len(take.target) for take in takes) / SAMPLE_RATE
    say_so(f"{len(takes)} takes, {seconds / 60:.1f} min, made in {time.monotonic() - started:.0f} s")

    started = time.monotonic()
    separate = separator()
    for number, take in list(enumerate(takes))[::SEPARATED_EVERY]:
        rng = np.random.default_rng([SEED, number, 3])
        heard = take.heard[int(rng.integers(3))]
        take.heard.append(through_separator(heard, SAMPLE_RATE, rng, separate))
    say_so(f"separated from a band in {time.monotonic() - started:.0f} s")

    started = time.monotonic()
    model = ContentEncoder(locate(ENCODER), threads=workers)
    rows = iter(model.encode_clips([clip for take in takes for clip in take.heard]))
    examples = [
        Example(take.target, take.f0_hz, take.loudness_db, tuple(next(rows) for _ in take.heard))
        for take in takes
    ]
    say_so(f"content read in {time.monotonic() - started:.0f} s")
    save_examples(examples, stored)
    return examples


def write_voice(network: DdspNetwork, dataset: Dataset, folder: Path, *, minutes: float, steps: int) -> None:
    """Write the weights, in half precision to halve the file, the card and the speaker embedding."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "voice.safetensors"
    save_file({name: value.half().contiguous() for name, value in network.state_dict().items()}, weights)
    speaker_embedding(dataset, folder)
    low_hz, median_hz, high_hz = dataset.f0_range_hz()
    card = VoiceCard(
        schema=SCHEMA,
        name="demo",
        description="A synthetic singer for trying things out: the flite voice slt, re-sung and brightened, at 16 kHz.",
        rights="synthetic",
        statement="No person sang or spoke for this voice's takes: a speech synthesiser made all of them.",
        licence=(
            "GPL-3.0-or-later. The takes came from flite (Carnegie Mellon University, a free BSD-like licence), "
            "whose voice slt was built from CMU ARCTIC (free for any use)."
        ),
        origin="scripts/train_demo_voice.py of this project",
        created=datetime.now(tz=UTC).date(),
        languages=["en"],
        sample_rate=network.config.sample_rate,
        network=NetworkPart(kind="ddsp", config=network.config.to_mapping()),
        content=ContentPart(encoder=ENCODER, sha256=fingerprint(ENCODER)),
        f0=F0Part(low_hz=round(low_hz, 1), median_hz=round(median_hz, 1), high_hz=round(high_hz, 1)),
        weights=WeightsPart(sha256=hashlib.sha256(weights.read_bytes()).hexdigest()),
        speaker=SpeakerPart(),
        training={
            "takes": len(dataset.examples),
            "minutes_of_takes": round(dataset.seconds / 60, 1),
            "steps": steps,
            "minutes_of_training": round(minutes, 1),
            "data_sha256": dataset.fingerprint(),
            "seed": SEED,
        },
    )
    write_card(card, folder)


def speaker_embedding(dataset: Dataset, folder: Path) -> None:
    """Write what the voice sounds like: the embedding of two minutes of takes of every kind."""
    import soundfile

    from covermaker.evaluate.speaker_encoder import embed

    picked = [e.target for e in dataset.examples[:: max(1, len(dataset.examples) // 24)]]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "takes.wav"
        soundfile.write(path, np.concatenate(picked)[: 120 * SAMPLE_RATE], SAMPLE_RATE, subtype="FLOAT")
        np.save(folder / "embedding.npy", embed(path).astype(np.float32))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train the demo voice from free synthetic speech.")
    parser.add_argument("--work", type=Path, default=Path("build/demo-voice"), help="where takes are kept")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the voice")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, help="stop after this long, whatever the steps")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--half", action="store_true", help="bfloat16 trunk, for CPUs that have it")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--spoken", type=int, default=300, help="takes as flite says them")
    parser.add_argument("--transposed", type=int, default=110, help="takes with the pitch moved")
    parser.add_argument("--sung", type=int, default=190, help="takes on a melody")
    parser.add_argument("--held", type=int, default=150, help="takes on a melody with only their vowels long")
    return parser.parse_args()


def main() -> None:
    """Gather, train, write."""
    options = arguments()
    torch = torch_ready()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    examples = gather(
        options.work,
        spoken=options.spoken,
        transposed=options.transposed,
        sung=options.sung,
        held=options.held,
        workers=options.threads,
    )
    dataset = Dataset(examples, sample_rate=SAMPLE_RATE)
    say_so(f"{len(dataset.examples)} examples, {dataset.seconds / 60:.1f} min, {dataset.f0_range_hz()} Hz")

    from covermaker.training.loop import Recipe, train
    from covermaker.voices.networks.ddsp import DdspConfig

    started = time.monotonic()
    done = 0

    def minutes() -> float:
        return (time.monotonic() - started) / 60.0

    def watch(steps: int, loss: float, network: DdspNetwork) -> None:
        nonlocal done
        done = steps
        say_so(f"step {steps}  loss {loss:.4f}  {minutes():.1f} min")
        if steps % 500 == 0:
            write_voice(network, dataset, options.work / "latest", minutes=minutes(), steps=steps)

    network = train(
        DdspConfig(sample_rate=SAMPLE_RATE),
        dataset,
        Recipe(steps=options.steps, device=options.device, half=options.half, seed=SEED),
        watch=watch,
        seconds=None if options.minutes is None else options.minutes * 60.0,
    )
    write_voice(network.cpu(), dataset, options.out, minutes=minutes(), steps=done)
    say_so(f"wrote {options.out}")


def say_so(line: str) -> None:
    """Tell how far it is, on stderr."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
