"""Can the words be understood? What Whisper reads in a vocal, and how much of it is read again in the cover.

The vocal is read in windows of at most 30 s, cut where it is quietest, each on its own: no window's mistake
travels into the next, and memory does not grow with length. Decoding is a beam search at temperature 0, so a file
always reads the same.

References
----------
A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.mono import mono_blocks
from covermaker.errors import UsageError, WeightsError
from covermaker.features.loudness import frame_loudness_db
from covermaker.progress import part, silent
from covermaker.weights.warm import catalog_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.progress import Progress

SAMPLE_RATE = 16000
WINDOW_FRAMES = 3000  # what Whisper hears at once: 30 s
CUT_FRAMES = 1000  # the last third of it is searched for the quietest place
QUIET_FRAMES = 30
AUDIBLE_DB = -60.0  # a window that never gets louder holds no words, whatever Whisper dreams up
BEAM = 5
THREADS = 1  # a second one spins while it waits, which costs more than it gives on a busy machine

# Letters and digits with apostrophes inside; scripts without spaces count one character as one word.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|(?:(?![\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])[^\W_])+"
    r"(?:'(?:(?![\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])[^\W_])+)*"
)


@dataclass(frozen=True, slots=True)
class Lyrics:
    """What was read: lower-case words without punctuation, and the language (``"en"``), None for silence."""

    words: tuple[str, ...]
    language: str | None


def read_lyrics(path: Path, *, language: str | None = None, progress: Progress = silent) -> Lyrics:
    """Read the words of a vocal.

    Parameters
    ----------
    path : Path
        A vocal without accompaniment.
    language : str, optional
        Two letters. By default the first audible window says which one it is; give the source's language when a
        cover is read, or the two readings may not be comparable.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    UsageError
        When Whisper does not know the language.
    WeightsError
        When the weights are missing or damaged.
    """
    level_db = frame_loudness_db(path, progress=part(progress, 0.0, 0.05))
    words: list[str] = []
    for first, last, sound in _windows(path, level_db):
        if level_db[first:last].max(initial=AUDIBLE_DB) > AUDIBLE_DB:
            model = catalog_network("whisper-base", _model, "cpu", growth=2.0)  # float16 on the disk
            language = _known(model, language) or model.detect_language(sound)[0]
            segments, _ = model.transcribe(
                sound,
                language=language,
                beam_size=BEAM,
                temperature=0.0,
                condition_on_previous_text=False,
                vad_filter=False,
                without_timestamps=True,
            )
            words += [word for segment in segments for word in split_words(segment.text)]
        progress(0.05 + 0.95 * last / len(level_db))
    return Lyrics(tuple(words), language)


def split_words(text: str) -> list[str]:
    """Split a text into comparable words: lower case, no punctuation, one form of every character."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    return _WORD.findall(plain)


def word_recall(reference: Sequence[str], hypothesis: Sequence[str]) -> float:
    """Return the share 0..1 of `reference` words that `hypothesis` has, too, in the same order.

    The longest common subsequence: a word counts once, and only where the order allows.

    Raises
    ------
    ValueError
        When there are no reference words.
    """
    if not len(reference):
        raise ValueError("no reference words")
    table = {word: number for number, word in enumerate({*reference, *hypothesis})}
    theirs = np.array([table[word] for word in hypothesis], dtype=np.int64)
    row = np.zeros(len(theirs) + 1, dtype=np.int64)
    for word in reference:
        matched = row[:-1] + (theirs == table[word])
        row[1:] = np.maximum.accumulate(np.maximum(row[1:], matched))
    return float(row[-1]) / len(reference)


def character_error_rate(reference: Sequence[str], hypothesis: Sequence[str]) -> float:
    """Return insertions, deletions and substitutions of characters per reference character.

    Spaces do not count, so a word that is read as two is no error.

    Returns
    -------
    float
        0 when equal; above 1 when far more is read than was there.

    Raises
    ------
    ValueError
        When there are no reference words.
    """
    wanted, heard = "".join(reference), "".join(hypothesis)
    if not wanted:
        raise ValueError("no reference words")
    letters = np.array([ord(letter) for letter in heard], dtype=np.int64)
    index = np.arange(len(letters) + 1)
    row = index.copy()
    for done, letter in enumerate(wanted, start=1):
        best = np.minimum(row[:-1] + (letters != ord(letter)), row[1:] + 1)
        # Insertions run along the row: the smallest of all earlier entries plus their distance.
        row = np.minimum.accumulate(np.concatenate(([done], best)) - index) + index
    return float(row[-1]) / len(wanted)


def _windows(path: Path, level_db: NDArray[np.float32]) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield first frame, last frame and sound of each window."""
    cuts = _cuts(level_db)
    held = np.zeros(0, dtype=np.float32)
    window = 0
    for block in mono_blocks(path, SAMPLE_RATE):
        held = np.concatenate((held, block[0]))
        while window < len(cuts) - 2 and len(held) >= (cuts[window + 1] - cuts[window]) * SAMPLE_RATE // 100:
            size = (cuts[window + 1] - cuts[window]) * SAMPLE_RATE // 100
            yield cuts[window], cuts[window + 1], held[:size]
            held, window = held[size:], window + 1
    yield cuts[window], cuts[window + 1], held


def _cuts(level_db: NDArray[np.float32]) -> list[int]:
    """Return the frames at which windows begin, and the end."""
    quiet = np.convolve(level_db, np.ones(QUIET_FRAMES) / QUIET_FRAMES, mode="same")[: len(level_db)]
    cuts = [0]
    while len(level_db) - cuts[-1] > WINDOW_FRAMES:
        search = cuts[-1] + WINDOW_FRAMES - CUT_FRAMES
        cuts.append(search + int(quiet[search : cuts[-1] + WINDOW_FRAMES].argmin()))
    return [*cuts, len(level_db)]


def _known(model: Any, language: str | None) -> str | None:
    if language is not None and language not in model.supported_languages:
        raise UsageError(
            f"the lyrics check knows no language '{language}'", hint="two letters, as in en, de, ja"
        )
    return language


def _model(folder: Path, device: str) -> Any:
    from faster_whisper import WhisperModel

    try:
        # A folder and local_files_only: a damaged one must fail here, not go looking on a hub.
        return WhisperModel(
            str(folder), device=device, compute_type="float32", cpu_threads=THREADS, local_files_only=True
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsError(
            f"Whisper cannot be loaded from {folder}: {error}", hint="covermaker models verify"
        ) from error
