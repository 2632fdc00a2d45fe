"""Make the demo song: "Blue Harbor", 100 beats a minute, C major, 12 bars.

Everything is written here: the words, the melody, the chords and the grooves. `instruments` plays, `singer`
sings. Run once, the result is committed:

    python projects/demo/make_song.py [--parts FOLDER]

needs the program ``flite`` (with its voice ``rms``) and the packages of covermaker. The same versions of
these make the same file. ``--parts`` also writes the unmixed vocal and the backing, for checks.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import instruments as play
import numpy as np
import pyebur128
import soundfile
import soxr
from instruments import RATE_HZ
from singer import RATE_HZ as VOICE_RATE_HZ
from singer import Note, sing

HERE = Path(__file__).resolve().parent
SEED = 20

BEAT_S = 60 / 100
BAR_S = 4 * BEAT_S
SWING = 0.56  # where the second of two sixteenths falls between its neighbours; 0.5 is straight
LENGTH_S = 30.0
LOUDNESS_LUFS = -16.0

INTRO, VERSE, CHORUS, ENDING = 0, 2, 6, 10  # first bar of each part

# Bar -> bass note, chord notes (MIDI). Two entries in a bar: half a bar each.
CHORDS: dict[int, list[tuple[int, tuple[int, ...]]]] = {
    0: [(36, (55, 60, 62, 64))],  # Cadd9
    1: [(41, (53, 57, 60, 64)), (43, (55, 59, 62, 64))],  # Fmaj7, G6
    2: [(36, (55, 60, 64, 67))],  # C
    3: [(35, (55, 59, 62, 67))],  # G/B
    4: [(33, (55, 57, 60, 64))],  # Am7
    5: [(41, (53, 57, 60, 64)), (43, (55, 59, 62, 65))],  # Fmaj7, G7
    6: [(41, (57, 60, 65, 69))],  # F
    7: [(43, (55, 59, 62, 67))],  # G
    8: [(45, (57, 60, 64, 69)), (40, (55, 59, 64, 67))],  # Am, Em
    9: [(36, (55, 60, 64, 67))],  # C
    10: [(41, (53, 57, 60, 64)), (43, (55, 59, 62, 65))],  # Fmaj7, G7
    11: [(36, (55, 60, 62, 64, 67))],  # Cadd9
}

# Bell motif: bar, beat, MIDI, velocity.
MOTIF = [
    *[(0, beat, note, 0.5) for beat, note in ((0, 76), (1.5, 74), (2, 72), (3, 67))],
    *[(1, beat, note, 0.45) for beat, note in ((0, 69), (1.5, 71), (2, 72), (3, 74))],
    *[(10, beat, note, 0.5) for beat, note in ((0, 76), (1.5, 74), (2, 72), (3, 71))],
    *[(11, beat, note, velocity) for beat, note, velocity in ((0, 72, 0.6), (1, 79, 0.3), (2, 84, 0.2))],
]


@dataclass(frozen=True)
class Line:
    """One sung line.

    Parameters
    ----------
    text : str
        What flite reads.
    beat : float
        Beat of the song on which beat 0 of the notes falls.
    notes : tuple
        (syllable, beat, MIDI) each.
    end_beat : float
        Where the last vowel ends.
    """

    text: str
    beat: float
    notes: tuple[tuple[str, float, int], ...]
    end_beat: float


LINES = [
    Line(
        "the morning light is on the water",
        4 * VERSE,
        (
            *(("the", -0.75, 40), ("mor", 0, 43), ("ning", 1, 43), ("light", 1.75, 45), ("is", 2.75, 43)),
            *(("on", 3.25, 40), ("the", 3.75, 40), ("wa", 4.5, 47), ("ter", 5.5, 43)),
        ),
        6.5,
    ),
    Line(
        "the little boats are coming home",
        4 * VERSE + 8,
        (
            *(("the", -0.5, 40), ("lit", 0, 45), ("tle", 0.75, 45), ("boats", 1.5, 48), ("are", 2.5, 45)),
            *(("com", 3.25, 43), ("ing", 4, 43), ("home", 4.75, 45)),
        ),
        6.4,
    ),
    Line(
        "so sing with me across the harbor",
        4 * CHORUS,
        (
            *(("so", -0.75, 43), ("sing", 0, 48), ("with", 1, 45), ("me", 1.5, 48), ("a", 2.5, 45)),
            *(("cross", 3, 48), ("the", 3.9, 45), ("har", 4.5, 50), ("bor", 5.5, 47)),
        ),
        6.4,
    ),
    Line(
        "and we will never sing alone",
        4 * CHORUS + 8,
        (
            *(("and", -0.75, 43), ("we", 0, 48), ("will", 0.9, 45), ("ne", 1.5, 48), ("ver", 2.25, 45)),
            *(("sing", 3, 43), ("a", 4, 40), ("lone", 4.5, 43)),
        ),
        8.0,
    ),
]


def place(track: np.ndarray, sound: np.ndarray, at_s: float, gain: float = 1.0, pan: float = 0.0) -> None:
    """Add `sound` to the stereo `track` at `at_s` seconds; mono sounds are panned with equal power."""
    start = round(at_s * RATE_HZ)
    if sound.ndim == 1:
        angle = (pan + 1) * np.pi / 4
        sound = np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]]) * sound
    room = track[:, start : start + sound.shape[1]]
    room += gain * sound[:, : room.shape[1]]


def silence() -> np.ndarray:
    """Make an empty stereo track of the song's length."""
    return np.zeros((2, round(LENGTH_S * RATE_HZ)))


def step_s(bar: int, sixteenth: int) -> float:
    """Time of a sixteenth in a bar, swung."""
    pair, late = divmod(sixteenth, 2)
    return bar * BAR_S + (pair + late * SWING) * BEAT_S / 2


# Velocity of each sixteenth of a bar, 0 to 9.
GROOVES = {
    "verse": {"kick": "9.....5.8.......", "snare": "....8..1.1..8..2", "hat": "6.3.5.3.6.3.5.32"},
    "chorus": {"kick": "9..5..7.9.5...6.", "snare": "....9..2.1..9.12", "hat": "7346734673467346"},
    "last": {"kick": "9.....5.7.......", "snare": "....7.......7.57", "hat": "5.3.5.3.5.3....."},
}


def drums(noise: np.random.Generator) -> np.ndarray:
    """Shaker in the intro, a light groove in the verse, sixteenths in the chorus, a fill and the last stroke."""
    track = silence()

    def human() -> float:
        return float(noise.normal(0, 0.003))

    for bar in range(INTRO, VERSE):
        for sixteenth in range(16):
            velocity = (0.55, 0.25, 0.4, 0.3)[sixteenth % 4] * (0.5 + 0.5 * (bar * 16 + sixteenth) / 32)
            place(track, play.shaker(velocity, noise), max(0.0, step_s(bar, sixteenth) + human()), 0.3, 0.3)
    for bar in range(VERSE, ENDING + 1):
        groove = GROOVES["last" if bar == ENDING else "chorus" if bar >= CHORUS else "verse"]
        for sixteenth in range(16):
            at_s = step_s(bar, sixteenth)
            strokes = {name: int(row[sixteenth].replace(".", "0")) / 9 for name, row in groove.items()}
            strokes = {name: v * float(noise.uniform(0.92, 1.0)) for name, v in strokes.items() if v}
            if v := strokes.get("kick"):
                place(track, play.kick(v, noise), at_s, 0.5)
            if v := strokes.get("snare"):
                place(track, play.snare(v, noise), at_s + human() + 0.004, 0.27, 0.06)
            if v := strokes.get("hat"):
                is_open = bar >= CHORUS and sixteenth == 14
                place(track, play.hat(v, noise, is_open=is_open), at_s + human(), 0.12, -0.25)
    for sixteenth, velocity in ((12, 0.5), (13, 0.6), (14, 0.75), (15, 0.9)):  # fill into the chorus
        place(track, play.snare(velocity, noise), step_s(CHORUS - 1, sixteenth), 0.24, 0.1 * (sixteenth - 13))
    for bar, gain in ((VERSE, 0.08), (CHORUS, 0.16), (ENDING + 1, 0.12)):
        place(track, play.cymbal(1.0, noise), bar * BAR_S, gain, 0.35)
    place(track, play.kick(0.8, noise), (ENDING + 1) * BAR_S, 0.55)
    return track


BASS_FIGURES = {  # (beat, length in beats, octave up, velocity) for half a bar
    "intro": [(0, 1.9, 0, 0.5)],
    "verse": [(0, 1.2, 0, 0.8), (1.5, 0.45, 0, 0.6)],
    "chorus": [(0, 0.7, 0, 0.9), (0.75, 0.2, 0, 0.55), (1, 0.45, 0, 0.8), (1.5, 0.45, 1, 0.7)],
    "last": [(0, 1.9, 0, 0.7)],
}


def bass_line() -> np.ndarray:
    """Roots with a figure for each part; in the verse it joins at the kick's places."""
    track = silence()
    for bar, chords in CHORDS.items():
        if bar == INTRO:
            continue
        part = "intro" if bar < VERSE else "verse" if bar < CHORUS else "chorus" if bar < ENDING else "last"
        halves = chords if len(chords) == 2 else chords * 2
        if bar == ENDING + 1:
            place(track, play.bass(chords[0][0], 2.6, 0.75), bar * BAR_S, 0.24)
            continue
        for half, (root, _) in enumerate(halves):
            for beat, length, octave, velocity in BASS_FIGURES[part]:
                note = play.bass(root + 12 * octave, length * BEAT_S, velocity)
                place(track, note, bar * BAR_S + (2 * half + beat) * BEAT_S + 0.006, 0.24)
    return play.filtered(play.filtered(track, "lowpass", 600, 2), "highpass", 32, 2)


def chords_and_bells(noise: np.random.Generator) -> np.ndarray:
    """Electric piano all through, strummed a little; a pad from the verse on; the bell motif at both ends."""
    piano, pads, bells = silence(), silence(), silence()
    for bar, chords in CHORDS.items():
        is_last = bar == ENDING + 1
        for half, (_, notes) in enumerate(chords):
            beats = 4 / len(chords)
            start_s = bar * BAR_S + half * beats * BEAT_S
            hits = [(0.0, beats - 0.1, 0.7)]
            if CHORUS <= bar < ENDING:
                hits = [(0.0, 1.4, 0.8), (1.5, 0.4, 0.55)] + ([(2.5, 1.4, 0.65)] if beats == 4 else [])
            elif VERSE <= bar < CHORUS and beats == 4:
                hits = [(0.0, 2.3, 0.65), (2.5, 1.4, 0.5)]
            if is_last:
                hits = [(0.0, 4.2, 0.75)]
            for beat, length, velocity in hits:
                for order, note in enumerate(notes):
                    at_s = (
                        start_s
                        + beat * BEAT_S
                        + order * (0.03 if is_last else 0.009)
                        + noise.uniform(0, 0.004)
                    )
                    sound = play.electric_piano(note, length * BEAT_S, velocity * noise.uniform(0.85, 1.0))
                    place(piano, sound, at_s, 0.1)
            if bar >= VERSE:
                for note in notes[:4]:
                    length_s = (3.4 if is_last else beats) * BEAT_S - (0.0 if is_last else 0.3)
                    gain = 0.05 if CHORUS <= bar < ENDING else 0.032
                    place(pads, play.pad(note, length_s, 1.0, noise), start_s, gain)
    for bar, beat, note, velocity in MOTIF:
        place(bells, play.bell(note, velocity), bar * BAR_S + beat * BEAT_S, 0.11, 0.25)
    return play.chorus(piano) + play.chorus(pads, rate_hz=0.3) + bells


def vocal() -> np.ndarray:
    """All lines, mono at the song's rate, dry: as close as a microphone hears it."""
    track = np.zeros(round(LENGTH_S * RATE_HZ))
    for number, line in enumerate(LINES):
        offset = -line.notes[0][1]
        notes = [Note(syllable, (beat + offset) * BEAT_S, midi) for syllable, beat, midi in line.notes]
        voice, lead_s = sing(line.text, notes, (line.end_beat + offset) * BEAT_S, seed=SEED + number)
        voice = soxr.resample(voice, VOICE_RATE_HZ, RATE_HZ, "VHQ")
        voice /= np.sqrt(
            np.mean(voice[np.abs(voice) > 0.1 * np.abs(voice).max()] ** 2)
        )  # lines alike in level
        start = round(((line.beat - offset) * BEAT_S - lead_s) * RATE_HZ)
        track[start : start + len(voice)] += voice
    track = play.filtered(track, "highpass", 75, 2)
    # flite's voices end at 8 kHz: rectifying their top octave makes new partials above it, as an exciter does.
    track = play.filtered(track, "lowpass", 7000, 2)
    top = play.filtered(track, "bandpass", (3500, 6500), 4)
    air = play.filtered(np.abs(top), "highpass", 7600, 4)
    # Speech this low is all chest: thin it below 200 Hz and bring the vowels' own range forward.
    vowels = play.filtered(track, "bandpass", (650, 3400), 1)
    track = play.filtered(track, "highpass", 190, 1) + 1.1 * vowels + 1.8 * air
    track /= np.abs(track).max()
    track = play.compress(track, threshold_db=-16, ratio=2.2)
    return track / np.abs(track).max()


def loudness_lufs(sound: np.ndarray) -> float:
    """Integrated loudness (ITU-R BS.1770, gated) of stereo float64."""
    state = pyebur128.R128State(2, RATE_HZ, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(np.ascontiguousarray(sound.T).ravel(), sound.shape[1])
    return float(pyebur128.get_loudness_global(state))


def mix(voice: np.ndarray, backing: dict[str, np.ndarray], noise: np.random.Generator) -> np.ndarray:
    """Balance, two reverbs, a gentle bus compressor, loudness, and peaks rounded under -1.5 dBFS."""
    small = play.room(0.7, 5200, noise, before_s=0.012)
    large = play.room(2.6, 3800, noise, before_s=0.03)
    lead = np.stack([voice, voice])
    # The chords make a little room while somebody sings.
    singing = play.filtered(np.abs(voice), "lowpass", 4.0, 1)
    chords = backing["chords"] * (1 - 0.28 * np.clip(singing / 0.12, 0, 1))
    backing_sum = 0.5 * backing["drums"] + 0.65 * backing["bass"] + 0.75 * chords
    sends = 0.07 * lead + 0.26 * backing["chords"] + 0.02 * backing["drums"]
    song = lead + backing_sum + play.reverb(sends, large) * 0.5
    song += 0.09 * play.reverb(backing["drums"], small) + 0.08 * play.reverb(lead, small)
    song = play.filtered(song, "highpass", 25)
    song = play.compress(song, threshold_db=-12, ratio=1.8, release_s=0.2)

    ceiling = 10 ** (-1.5 / 20)
    target = LOUDNESS_LUFS
    for _ in range(3):  # rounding the peaks costs a little loudness: go back for it
        loud = song * 10 ** ((target - loudness_lufs(song)) / 20)
        knee = 0.6 * ceiling
        over = np.maximum(np.abs(loud) - knee, 0)
        rounded = np.sign(loud) * (
            np.minimum(np.abs(loud), knee) + (ceiling - knee) * np.tanh(over / (ceiling - knee))
        )
        target += LOUDNESS_LUFS - loudness_lufs(rounded)
    fade = round(1.2 * RATE_HZ)
    end = rounded.shape[1] - round(0.3 * RATE_HZ)
    rounded[:, end - fade : end] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    rounded[:, end:] = 0.0
    return rounded


def main() -> None:
    """Write audio/song.flac and lyrics.txt."""
    parser = argparse.ArgumentParser(description="Make the demo song.")
    parser.add_argument("--parts", type=Path, help="folder for the unmixed vocal and backing (WAV)")
    options = parser.parse_args()
    assert all(a.end_beat + a.beat < b.beat + b.notes[0][1] for a, b in pairwise(LINES)), "lines overlap"

    noise = np.random.default_rng(SEED)
    voice = vocal()
    backing = {"drums": drums(noise), "bass": bass_line(), "chords": chords_and_bells(noise)}
    song = mix(voice, backing, noise)

    step = 2.0**-15
    dither = step * (noise.uniform(-0.5, 0.5, song.shape) + noise.uniform(-0.5, 0.5, song.shape))
    is_sounding = np.abs(song).max(axis=0) > 0
    (HERE / "audio").mkdir(exist_ok=True)
    soundfile.write(HERE / "audio" / "song.flac", (song + dither * is_sounding).T, RATE_HZ, subtype="PCM_16")
    (HERE / "lyrics.txt").write_text("".join(line.text.capitalize() + "\n" for line in LINES))
    if options.parts:
        options.parts.mkdir(parents=True, exist_ok=True)
        for name, part in {"vocal": voice, "backing": sum(backing.values()), **backing}.items():
            soundfile.write(options.parts / f"{name}.wav", np.asarray(part).T, RATE_HZ, subtype="FLOAT")
    print(
        f"song.flac: {song.shape[1] / RATE_HZ:.2f} s, {loudness_lufs(song):.2f} LUFS, peak {np.abs(song).max():.3f}"
    )


if __name__ == "__main__":
    main()
