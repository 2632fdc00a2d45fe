"""How good a network is while it trains: takes that it never saw are sung by other throats, and it sings them back.

From every held-out clip a twin is made by WORLD: another head, another pitch. The twin is converted as any vocal is,
and since the clip itself says what should come out, everything can be measured: pitch, likeness, words, spectrum.
There are two tests, the clips as they are (``spoken``) and on a made-up melody, slowed down (``sung``). Of a voice of
several singers each has both (``spoken-anna``): sung by the singer whose takes they are, and likened to that singer.

The rule that chooses: likeness, less half of the character errors that the conversion adds, less 0.002 for every
cent of the median pitch error; the mean of all tests. So a hundredth of likeness weighs as much as two characters
in a hundred, or five cents.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import write_text
from covermaker.errors import ProjectError
from covermaker.evaluate.metrics import Heard, Scores, hear, score_conversion
from covermaker.features.content import extract_content
from covermaker.features.loudness import frame_loudness_db
from covermaker.progress import Progress, silent
from covermaker.training.augment import Voice as Take
from covermaker.training.material import read_cut, throat
from covermaker.training.sung import LISTING
from covermaker.voices.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.training.material import Source

KINDS = ("spoken", "sung")
_GAP_SECONDS = 0.4
_LEAST_SECONDS_EACH = 8.0  # of several singers: a clip or two
_MOST_SECONDS = 28.0  # one window of the word reader
_SLOWER = 1.7
_CER_WEIGHT = 0.5
_CENT_WEIGHT = 0.002
PITCH_METHOD = "fcpe"


@dataclass(frozen=True)
class Phrase:
    """One test: the twin, what the conversion is asked for, and what is known of both."""

    kind: str
    singer: str | None  # None where a voice has one only
    source: Path
    target: Path
    semitones: int
    content: NDArray[np.float16]
    f0_hz: NDArray[np.float32]
    loudness_db: NDArray[np.float32]
    heard: Heard
    reference: NDArray[np.float32] | None
    transcript: str | None
    language: str | None


def split_off(sources: Sequence[Source], seconds: float, seed: int) -> tuple[list[Source], list[Source]]:
    """Divide clips into those for training and the held-out ones, of every singer at most a sixth of the whole.

    The held-out ones are drawn by their content, so one more take does not exchange all of them.
    """
    speakers = sorted({source.speaker for source in sources})
    if len(speakers) > 1:
        each = max(seconds / len(speakers), min(seconds, _LEAST_SECONDS_EACH))
        own = [[source for source in sources if source.speaker == speaker] for speaker in speakers]
        parts = [split_off(some, each, seed) for some in own]
        return [s for trained, _ in parts for s in trained], [s for _, held in parts for s in held]
    total = sum(source.seconds for source in sources)
    wanted = min(seconds, total / 6.0, _MOST_SECONDS)
    held: list[Source] = []
    for source in sorted(sources, key=lambda one: (one.sha256, one.path.name)):
        if 1.5 <= source.seconds <= wanted - sum(one.seconds + _GAP_SECONDS for one in held):
            held.append(source)
    if not held:  # only long ones: the shortest, cut
        held = [min(sources, key=lambda one: (one.seconds, one.sha256))] if len(sources) > 1 else []
    return [source for source in sources if source not in held], held


def write_phrases(
    held: Sequence[Source],
    folder: Path,
    *,
    sample_rate: int,
    medians_hz: Sequence[float],
    singers: Sequence[str],
    seed: int,
) -> None:
    """Write the test files ``<name>-source.wav`` and ``<name>-target.wav``, and ``phrases.json`` that names them.

    Parameters
    ----------
    held : sequence of Source
    folder : Path
    sample_rate : int
    medians_hz : sequence of float
        Every singer's usual pitch.
    singers : sequence of str
        Their names; a test is named by its kind, and by its singer where there are several.
    seed : int
    """
    folder.mkdir(parents=True, exist_ok=True)
    listing: dict[str, dict[str, Any]] = {}
    for speaker, singer in enumerate(singers):
        own = [source for source in held if source.speaker == speaker]
        for number, kind in enumerate(KINDS if own else ()):
            rng = np.random.default_rng([seed, 7, number + len(KINDS) * speaker])
            name = kind if len(singers) == 1 else f"{kind}-{singer}"
            pair = folder / f"{name}-source.wav", folder / f"{name}-target.wav"
            semitones = _write_pair(own, kind, *pair, sample_rate, medians_hz[speaker], rng)
            listing[name] = {"semitones": semitones, "singer": singer if len(singers) > 1 else None}
    write_text(folder / LISTING, json.dumps(listing, indent=1))


def read_listing(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what ``phrases.json`` says: ``semitones`` and ``singer`` of every test, by its name.

    Raises
    ------
    ProjectError
        When it is missing or damaged.
    """
    file = folder / LISTING
    try:
        listing = json.loads(file.read_text(encoding="utf-8"))
        return {
            str(name): {"semitones": int(facts["semitones"]), "singer": facts.get("singer")}
            for name, facts in listing.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProjectError(
            f"{file} cannot be read: {error}", hint="train the voice again, or delete it"
        ) from error


def read_phrases(
    folder: Path,
    *,
    encoder: str,
    language: str | None = None,
    words: bool = True,
    device: str = "cpu",
    progress: Progress = silent,
) -> list[Phrase]:
    """Find out what a conversion and its scores need to know of the test files.

    Parameters
    ----------
    folder : Path
        Where `write_phrases` wrote.
    encoder : str
        What reads the content.
    language : str, optional
        Two letters; by default it is heard.
    words : bool
        Read the words, too; without them nothing can be scored but pitch and likeness.

    Raises
    ------
    ProjectError
        When the listing is damaged.
    """
    listing = read_listing(folder)
    phrases = []
    for number, (kind, facts) in enumerate(listing.items()):
        source, target = folder / f"{kind}-source.wav", folder / f"{kind}-target.wav"
        wanted = hear(target, pitch_method=PITCH_METHOD, words=words, language=language, device=device)
        progress((number + 0.3) / len(listing))
        heard = hear(source, pitch_method=PITCH_METHOD, words=words, language=wanted.language, device=device)
        progress((number + 0.7) / len(listing))
        phrases.append(
            Phrase(
                kind, facts["singer"], source, target, facts["semitones"],
                extract_content(source, encoder=encoder, device=device),
                heard.f0_hz,
                frame_loudness_db(source),
                heard,
                wanted.embedding,
                " ".join(wanted.words) if wanted.words else None,
                wanted.language,
            )
        )  # fmt: skip
        progress((number + 1) / len(listing))
    return phrases


def _write_pair(
    held: Sequence[Source],
    kind: str,
    source: Path,
    target: Path,
    rate: int,
    median_hz: float,
    rng: np.random.Generator,
) -> int:
    """Write one test's twin and its truth; return the semitones from the one to the other."""
    ratio, semitones = throat(rng, 0, median_hz)
    moved = round(semitones)
    gap = np.zeros(round(_GAP_SECONDS * rate), np.float32)
    pair: tuple[list[Any], list[Any]] = ([], [])
    length, most = 0, round(_MOST_SECONDS * rate)
    for one in held:
        take = Take.analyse(read_cut(one.path, rate, 0.0, one.seconds), rate)
        if kind == "sung":
            low_hz = median_hz * 2.0 ** rng.uniform(-0.2, 0.4)
            take = take.stretched(_SLOWER).sing(rng, low_hz=low_hz, high_hz=1.8 * low_hz)
        true, twin = take.synthesize(), take.other_throat(ratio, float(moved)).synthesize()
        room = max(0, most - length)
        for joined, sound in zip(pair, (twin, true), strict=True):
            joined += [sound[:room], gap]
        length += len(true) + len(gap)
        if length >= most:
            break
    for path, joined in zip((source, target), pair, strict=True):
        _write(path, np.concatenate(joined), rate)
    return -moved


def _write(path: Path, sound: NDArray[np.float32], rate: int) -> None:
    from covermaker.audio.files import wav_writer
    from covermaker.disk import replacing

    sound = sound * np.float32(0.5 / max(float(np.abs(sound).max(initial=0.0)), 1e-3))
    with replacing(path) as temporary, wav_writer(temporary, sample_rate=rate, channels=1) as file:
        file.write(sound[np.newaxis])


def convert_phrase(phrase: Phrase, voice: Voice, out: Path, *, device: str = "cpu") -> None:
    """Let a voice sing a phrase, with the singer whose takes it was made of."""
    from covermaker.convert.convert import convert_vocal
    from covermaker.convert.settings import ConvertSettings

    convert_vocal(
        phrase.source,
        out,
        content=phrase.content,
        f0_hz=phrase.f0_hz,
        loudness_db=phrase.loudness_db,
        voice=voice,
        transpose=phrase.semitones,
        seed=1,
        settings=ConvertSettings(singers={phrase.singer: 1.0}) if phrase.singer else None,
        device=device,
    )


def score_voice(
    voice: Voice,
    phrases: Sequence[Phrase],
    scratch: Path,
    *,
    device: str = "cpu",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Score a voice on all phrases.

    Returns
    -------
    dict
        ``score`` (the rule's number) and, by kind, the figures of `docs/metrics.md`.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    marks = []
    for number, phrase in enumerate(phrases):
        out = scratch / f"{phrase.kind}.wav"
        convert_phrase(phrase, voice, out, device=device)
        scores = score_conversion(
            phrase.heard,
            out,
            semitones=phrase.semitones,
            reference_embedding=phrase.reference,
            target=phrase.target,
            transcript=phrase.transcript,
            pitch_method=PITCH_METHOD,
            language=phrase.language,
            device=device,
        )
        marks.append(mark(scores))
        found[phrase.kind] = {
            name: round(value, 5) if isinstance(value, float) else value
            for name, value in asdict(scores).items()
            if not name.endswith("_words")
        }
        progress((number + 1) / len(phrases))
    return {"score": round(float(np.mean(marks)), 5) if marks else None, **found}


def mark(scores: Scores) -> float:
    """Return the rule's number for one test; see the module's text. Figures that were not to be had do not count."""
    value = scores.similarity if scores.similarity is not None else 0.0
    if scores.cer is not None:
        value -= _CER_WEIGHT * min(1.0, max(0.0, scores.cer - (scores.source_cer or 0.0)))
    if scores.f0_median_cents is not None:
        value -= _CENT_WEIGHT * min(100.0, scores.f0_median_cents)
    return value
