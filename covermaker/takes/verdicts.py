"""When a figure of a take is wrong, in words: a row a rule, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.takes.band import rate_that_fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.takes.scan import TakeReport

SILENT_LUFS = -65.0
QUIET_LUFS = -45.0
CLIPPED_RUNS = 3  # a peak or two that touch the ceiling are not heard
NOISY_SNR_DB = 20.0
MUSIC_DB = -8.0  # dry voices read -12 and below, a voice over music 10 dB under it -11, 5 dB under it -6
NARROW_SHARE = 0.9  # of half the sample rate
NARROW_HZ = 15_000.0  # a band that ends above this is what an encoder leaves, and enough for a voice
CRUSHED_SHARE = 0.001  # of the samples
OTHER_SHARE, MIXED_SHARE = 0.5, 0.05


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a take.

    Parameters
    ----------
    word : str
        For the table, 12 characters at most.
    text : str
        What is wrong, with its figure.
    advice : str
        What to do.
    """

    word: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class _Rule:
    word: str
    applies: Callable[[TakeReport], bool]
    text: Callable[[TakeReport], str]
    advice: str


def _clean(take: TakeReport) -> bool:
    """Tell whether a take's likeness means anything: noise, music and heavy clipping make a stranger of anybody."""
    music = take.bleed_db is not None and take.bleed_db > MUSIC_DB
    noisy = take.snr_db is not None and take.snr_db < NOISY_SNR_DB
    crushed = take.clipped_samples > CRUSHED_SHARE * take.seconds * take.sample_rate
    return not (music or noisy or crushed)


LEAVE_OUT = "leave it out of training"

RULES: tuple[_Rule, ...] = (
    _Rule(
        "silent",
        lambda take: take.lufs is None or take.lufs < SILENT_LUFS,
        lambda take: "it is silent",
        LEAVE_OUT,
    ),
    _Rule(
        "no voice",
        lambda take: take.lufs is not None and take.lufs >= SILENT_LUFS and not take.cuts,
        lambda take: "nobody sings in it",
        LEAVE_OUT,
    ),
    _Rule(
        "other singer",
        lambda take: _clean(take) and take.other_share > OTHER_SHARE,
        lambda take: f"its voice is not that of the other takes (likeness {take.likeness or 0:.2f})",
        LEAVE_OUT,
    ),
    _Rule(
        "two singers",
        lambda take: _clean(take) and MIXED_SHARE < take.other_share <= OTHER_SHARE,
        lambda take: f"another voice sings {take.other_share:.0%} of it",
        "cut the other voice out, or label only the right one",
    ),
    _Rule(
        "clipped",
        lambda take: take.clipped_runs >= CLIPPED_RUNS,
        lambda take: f"clipped {take.clipped_runs} times, {take.clipped_samples} samples",
        "record it again with less gain; the voice learns the crackle",
    ),
    _Rule(
        "music",
        lambda take: take.bleed_db is not None and take.bleed_db > MUSIC_DB,
        lambda take: f"there is music beside the voice ({take.bleed_db or 0:+.0f} dB of it)",
        "take it in with --separate",
    ),
    _Rule(
        "inverted",
        lambda take: take.channel_correlation is not None and take.channel_correlation < -0.8,
        lambda take: f"left and right are inverted (correlation {take.channel_correlation or 0:.2f})",
        "nothing: one of them is turned round for training",
    ),
    _Rule(
        "noisy",
        lambda take: take.snr_db is not None and take.snr_db < NOISY_SNR_DB,
        lambda take: f"the voice is only {take.snr_db or 0:.0f} dB above the noise",
        "record in a quieter room, or take it in with --denoise",
    ),
    _Rule(
        "narrow band",
        lambda take: take.band_limit_hz < min(NARROW_HZ, NARROW_SHARE * take.sample_rate / 2),
        lambda take: (
            f"the sound ends at {take.band_limit_hz / 1000:.1f} kHz: a {rate_that_fits(take.band_limit_hz) / 1000:g} "
            f"kHz recording saved at {take.sample_rate / 1000:g} kHz"
        ),
        "look for the original; the voice has no more treble than its takes",
    ),
    _Rule(
        "quiet",
        lambda take: take.lufs is not None and SILENT_LUFS <= take.lufs < QUIET_LUFS,
        lambda take: f"it is very quiet ({take.lufs or 0:.0f} LUFS)",
        "nothing if it is not noisy: takes are brought to one loudness",
    ),
    _Rule(
        "changed",
        lambda take: take.changed,
        lambda take: "the recording is another one than was taken in",
        "nothing if you meant it: training uses what is there",
    ),
)


def judge(take: TakeReport) -> list[Finding]:
    """Return what is wrong with a take."""
    return [Finding(rule.word, rule.text(take), rule.advice) for rule in RULES if rule.applies(take)]
