"""Make the demo voice that ships with the package, from nothing but free synthetic speech.

::

    python scripts/train_demo_voice.py --work build/demo-voice

Says a few hundred texts with the flite voice `slt`, takes them in as anybody takes recordings in, trains with the
profile below and copies the voice without its index, which would be ten times as large as all the rest. Needs
the Debian package `flite`. Seeds are fixed and steps, not minutes, end the training: the same machine and number of
threads give the same voice.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from covermaker.cli.progress import listening
from covermaker.disk import copy_file
from covermaker.errors import CovermakerError, ResourceError
from covermaker.takes.create import new_takes
from covermaker.training.profiles import PROFILES
from covermaker.training.run import train_voice
from covermaker.voices.card import CARD_FILE, SpeakerPart, WeightsPart, read_card, write_card
from demo_voice_texts import sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEAKER = "slt"
SAMPLE_RATE = 16_000
SEED = 20_240_607
MINUTES = 14.0
TAKE_SECONDS = 120.0
PAUSE_SECONDS = 0.7
SHIPPED = Path(__file__).resolve().parent.parent / "covermaker" / "voices" / "shipped" / "demo"
STATEMENT = "No person sang or spoke for this voice's takes: a speech synthesiser made all of them."
DESCRIPTION = (
    "A synthetic singer for trying things out: the flite voice slt, re-sung and brightened, at 16 kHz."
)
LICENCE = (
    "GPL-3.0-or-later. The takes came from flite (Carnegie Mellon University, a free BSD-like licence), whose voice "
    "slt was built from CMU ARCTIC (free for any use)."
)
PROFILE = replace(
    PROFILES["quick"],
    name="demo",
    minutes=None,
    # Speech has little between 1 and 4 kHz, where sung words live; and what it will sing was separated from songs.
    augmentation=replace(PROFILES["quick"].augmentation, presence=1.0, separated=0.5),
    # Whole songs are sung with it and laid over their instruments: its level keeps to the source's within 50 ms.
    size=replace(PROFILES["quick"].size, level_frames=5),
    recipe=replace(PROFILES["quick"].recipe, steps=4000, saves=5, patience=99),
)


def say(text: str, *, stretch: float, scratch: Path) -> NDArray[np.float32]:
    """Speak a text with flite and return its samples."""
    flite = shutil.which("flite")
    if flite is None:
        raise ResourceError("the program flite is missing", hint="apt-get install flite")
    path = scratch / "spoken.wav"
    options = ["-voice", SPEAKER, "--setf", f"duration_stretch={stretch:.3f}", "-t", text, "-o", str(path)]
    subprocess.run([flite, *options], check=True, capture_output=True)
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        raise CovermakerError(f"flite spoke at {rate} Hz")
    spoken: NDArray[np.float32] = samples
    return spoken


def record(folder: Path) -> list[Path]:
    """Speak `MINUTES` of sentences, some slower than others, into recordings of about two minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.float32)
    takes: list[Path] = []
    held: list[NDArray[np.float32]] = []
    seconds = 0.0
    for text in sentences(600, SEED):
        held += [say(text, stretch=float(rng.choice([0.95, 1.0, 1.1, 1.25, 1.5])), scratch=folder), pause]
        length = sum(map(len, held)) / SAMPLE_RATE
        if length >= TAKE_SECONDS or seconds + length >= 60.0 * MINUTES:
            takes.append(folder / f"take-{len(takes) + 1}.wav")
            soundfile.write(takes[-1], np.concatenate(held[:-1]), SAMPLE_RATE, subtype="FLOAT")
            held, seconds = [], seconds + length
            if seconds >= 60.0 * MINUTES:
                break
    (folder / "spoken.wav").unlink()
    return takes


def ship(voice: Path, out: Path) -> None:
    """Copy a trained voice without its index, under plain file names and with what people should know of it."""
    card = read_card(voice)
    out.mkdir(parents=True, exist_ok=True)
    copy_file(voice / card.weights.file, out / "voice.safetensors")
    if card.speaker is not None:
        copy_file(voice / card.speaker.embedding, out / "embedding.npy")
    changed = {
        "description": DESCRIPTION,
        "licence": LICENCE,
        "origin": "scripts/train_demo_voice.py of this project",
        "weights": WeightsPart(sha256=card.weights.sha256),
        "speaker": card.speaker and SpeakerPart(),
        "index": None,
    }
    write_card(card.model_copy(update=changed), out)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train the demo voice from free synthetic speech.")
    parser.add_argument("--work", type=Path, default=Path("build/demo-voice"), help="where the training lies")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the voice")
    parser.add_argument("--steps", type=int, default=PROFILE.recipe.steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--resume", action="store_true", help="take up a training that was stopped")
    return parser.parse_args()


def main() -> None:
    """Record, train, ship."""
    options = arguments()
    voice = options.work / "demo"
    if not options.resume:
        takes = record(options.work / "takes")
        new_takes(
            voice, "demo", takes, rights="synthetic", statement=STATEMENT, languages=["en"], replace=True
        )
    profile = replace(PROFILE, recipe=replace(PROFILE.recipe, steps=options.steps))
    with listening(as_json=False) as listener:
        train_voice(
            voice, profile=profile, device=options.device, threads=options.threads, seed=SEED, listener=listener,
            resume=options.resume, force=not options.resume,
        )  # fmt: skip
    ship(voice, options.out)
    print(f"wrote {options.out / CARD_FILE}", file=sys.stderr)


if __name__ == "__main__":
    main()
