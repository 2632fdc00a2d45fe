"""Let a speaking voice sing: flite says a line, WORLD puts it on a melody.

flite tells where each phone ends. The vowel of each syllable is moved onto its note and held there, the
consonants keep nearly their spoken length and come before the beat, as a singer places them. WORLD [1]_
takes the speech apart into pitch, spectral envelope and aperiodicity; the envelope and aperiodicity are
stretched along the time map, the pitch is replaced by the melody with glides and vibrato.

References
----------
.. [1] M. Morise et al., "WORLD: a vocoder-based high-quality speech synthesis system", IEICE 2016.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyworld
import soundfile

VOICE = "rms"  # flite's free US English male voice, made from the CMU Arctic recordings
RATE_HZ = 16_000
FRAME_S = 0.005

VOWELS = frozenset(
    ["aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"]
)
UNVOICED = frozenset(["pau", "p", "t", "k", "f", "th", "s", "sh", "ch", "hh"])
# Where, as a share of its spoken length, a vowel is held: a diphthong on its first sound, others in the middle.
HOLD_AT = {"ay": 0.3, "aw": 0.3, "oy": 0.3, "ey": 0.35, "ow": 0.35}

VIBRATO_HZ = 5.3
VIBRATO_CENTS = 32.0
GLIDE_S = 0.11
SCOOP_CENTS = 90.0


@dataclass(frozen=True)
class Note:
    """One sung syllable.

    Parameters
    ----------
    syllable : str
        As printed; only for readers, flite gets the whole line.
    start_s : float
        When its vowel begins, seconds from the start of the line.
    midi : float
        Pitch as a MIDI note number.
    """

    syllable: str
    start_s: float
    midi: float


@dataclass(frozen=True)
class Phone:
    """One spoken phone: its flite name and its span in seconds."""

    name: str
    start_s: float
    end_s: float


def speak(text: str, *, slowness: float = 1.3) -> tuple[np.ndarray, list[Phone]]:
    """Let flite say `text`.

    Parameters
    ----------
    text : str
        Plain English.
    slowness : float
        Factor on flite's own durations; a little above 1 gives clearer consonants and longer vowels.

    Returns
    -------
    speech : ndarray, shape (samples,), float64
        At `RATE_HZ`.
    phones : list of Phone
        In order, the silences at both ends included.
    """
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        command = ["flite", "-voice", VOICE, "--setf", f"duration_stretch={slowness}", "-psdur"]
        told = subprocess.run(
            [*command, "-t", text, "-o", str(wav)], check=True, capture_output=True, text=True
        )
        speech, rate_hz = soundfile.read(wav, dtype="float64")
    if rate_hz != RATE_HZ:
        raise ValueError(f"flite's voice {VOICE} speaks at {rate_hz} Hz, expected {RATE_HZ}")
    phones: list[Phone] = []
    for item in told.stdout.split():
        name, _, end = item.partition(":")
        phones.append(Phone(name, phones[-1].end_s if phones else 0.0, float(end)))
    return speech, phones


def time_map(phones: list[Phone], notes: list[Note], length_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Knots of the map from sung time to spoken time.

    Returns
    -------
    sung_s, spoken_s : ndarray
        Rising; the vowel of note i starts at its `start_s`, the last vowel ends at `length_s`.
    """
    vowels = [index for index, phone in enumerate(phones) if phone.name in VOWELS]
    if len(vowels) != len(notes):
        raise ValueError(f"{len(notes)} notes for {len(vowels)} vowels: {[p.name for p in phones]}")
    first = phones[vowels[0]]
    lead_s = first.start_s - phones[0].end_s  # spoken length of the consonants before the first vowel
    sung, spoken = [notes[0].start_s - lead_s], [phones[0].end_s]
    for order, (index, note) in enumerate(zip(vowels, notes, strict=True)):
        vowel = phones[index]
        if order + 1 < len(notes):
            next_start_s = notes[order + 1].start_s
            block_s = phones[vowels[order + 1]].start_s - vowel.end_s
            # Consonants give way where the notes are short, and are never drawn out.
            block_s = min(block_s, 0.55 * (next_start_s - note.start_s))
            end_s = next_start_s - block_s
        else:
            end_s = length_s
        spoken_s, room_s = vowel.end_s - vowel.start_s, end_s - note.start_s
        sung.append(note.start_s)
        spoken.append(vowel.start_s)
        if room_s > spoken_s:  # keep both edges at spoken speed, hold the part between
            hold = HOLD_AT.get(vowel.name, 0.5)
            low, high = (hold - 0.08) * spoken_s, (hold + 0.08) * spoken_s
            sung += [note.start_s + low, end_s - (spoken_s - high)]
            spoken += [vowel.start_s + low, vowel.start_s + high]
        sung.append(end_s)
        spoken.append(vowel.end_s)
    tail_s = phones[-1].start_s - phones[vowels[-1]].end_s  # consonants after the last vowel
    sung += [length_s + tail_s, length_s + tail_s + 0.1]
    spoken += [phones[-1].start_s, phones[-1].start_s + 0.1]
    # Two knots may meet where a line has no consonant between vowels; interpolation wants them apart.
    keep = np.concatenate([[True], np.diff(sung) > 1e-6])
    return np.asarray(sung)[keep], np.asarray(spoken)[keep]


def smooth(curve: np.ndarray, width_s: float) -> np.ndarray:
    """Average a frame curve with a moving Hann window, edges held."""
    taps = np.hanning(max(3, round(width_s / FRAME_S) | 1) + 2)[1:-1]
    padded = np.pad(curve, len(taps) // 2, mode="edge")
    return np.convolve(padded, taps / taps.sum(), mode="valid")


def melody_hz(notes: list[Note], times_s: np.ndarray, length_s: float, seed: int) -> np.ndarray:
    """Sung pitch at `times_s`: steps with glides, a scoop into the line, vibrato on held notes, slow drift.

    Returns
    -------
    ndarray
        Hz, shape of `times_s`.
    """
    starts = np.array([note.start_s for note in notes])
    # The glide is half done as the vowel starts: singers move during the consonant.
    which = np.clip(np.searchsorted(starts - 0.2 * GLIDE_S, times_s, side="right") - 1, 0, None)
    midi = smooth(np.array([note.midi for note in notes])[which], GLIDE_S)
    midi -= SCOOP_CENTS / 100 * np.exp(-np.clip(times_s - starts[0], 0, None) / 0.06)

    ends = np.append(starts[1:], length_s)
    age_s, span_s = times_s - starts[which], (ends - starts)[which]
    onset = np.clip((age_s - 0.28) / 0.35, 0, 1) * (span_s > 0.5)
    speed_hz = VIBRATO_HZ + 0.4 * np.sin(2 * np.pi * 0.31 * times_s + seed)
    midi += VIBRATO_CENTS / 100 * smooth(onset, 0.1) * np.sin(2 * np.pi * np.cumsum(speed_hz) * FRAME_S)

    drift = smooth(np.random.default_rng(seed).standard_normal(len(times_s)), 0.25)
    midi += 0.06 * drift / max(float(np.std(drift)), 1e-9)
    return 440.0 * 2 ** ((midi - 69) / 12)


def sing(text: str, notes: list[Note], length_s: float, *, seed: int) -> tuple[np.ndarray, float]:
    """Sing one line.

    Parameters
    ----------
    text : str
        The line, as flite should read it.
    notes : list of Note
        One for each vowel that flite speaks.
    length_s : float
        When the last vowel ends, seconds from the start of the line.
    seed : int
        Of the small human unsteadiness.

    Returns
    -------
    voice : ndarray, shape (samples,), float64
        At `RATE_HZ`.
    lead_s : float
        How long the consonants before the first note are: `voice` starts that much before the line does.
    """
    speech, phones = speak(text)
    times_in = np.arange(int(len(speech) / RATE_HZ / FRAME_S) + 1) * FRAME_S
    names = np.array([phone.name for phone in phones])
    phone_ends = np.array([phone.end_s for phone in phones])

    def voiced(at_s: np.ndarray) -> np.ndarray:
        index = np.clip(np.searchsorted(phone_ends, at_s, side="right"), 0, len(names) - 1)
        return ~np.isin(names[index], list(UNVOICED))

    heard_hz, _ = pyworld.harvest(speech, RATE_HZ, f0_floor=60.0, f0_ceil=260.0, frame_period=1e3 * FRAME_S)
    known = heard_hz > 0
    heard_hz = np.where(voiced(times_in), np.interp(times_in, times_in[known], heard_hz[known]), 0.0)
    envelope = np.log(pyworld.cheaptrick(speech, heard_hz, times_in, RATE_HZ) + 1e-12)
    breath = pyworld.d4c(speech, heard_hz, times_in, RATE_HZ, threshold=0.0)

    sung_s, spoken_s = time_map(phones, notes, length_s)
    lead_s = float(notes[0].start_s - sung_s[0]) + 0.05
    times_s = np.arange(sung_s[0] - 0.05, sung_s[-1], FRAME_S)
    source_s = np.interp(times_s, sung_s, spoken_s)
    f0_hz = np.where(voiced(source_s), melody_hz(notes, times_s, length_s, seed), 0.0)

    position = np.clip(source_s / FRAME_S, 0, len(times_in) - 2)
    low = position.astype(int)
    share = (position - low)[:, None]
    envelope = (1 - share) * envelope[low] + share * envelope[low + 1]
    breath = np.clip((1 - share) * breath[low] + share * breath[low + 1], 1e-4, 1.0)

    envelope += level_gain(envelope, f0_hz > 0, times_s, length_s)[:, None]
    voice = pyworld.synthesize(f0_hz, np.exp(envelope), breath, RATE_HZ, 1e3 * FRAME_S)
    return voice, lead_s


def level_gain(
    log_power: np.ndarray, is_voiced: np.ndarray, times_s: np.ndarray, length_s: float
) -> np.ndarray:
    """Even out the loudness that speech loses towards the end of a line, and let the last note fade.

    Returns
    -------
    ndarray, shape (frames,)
        Natural log of a power gain, between -6 and +9 dB before the fade.
    """
    level = np.log(np.exp(log_power).sum(axis=1))
    sounding = is_voiced & (level > level.max() - 4.5)
    slow = np.interp(times_s, times_s[sounding], level[sounding])
    nat_per_db = np.log(10) / 10
    gain = np.clip(np.median(level[sounding]) - smooth(slow, 0.35), -6 * nat_per_db, 9 * nat_per_db)
    fade_db = -14.0 * np.clip((times_s - (length_s - 0.35)) / 0.35, 0, 1) ** 2
    return 0.8 * gain + fade_db * nat_per_db
