"""A mix takes on the tone of a reference, keeps its length and its place, and gives the same bits however it is cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from master_signals import RATE, noise, real_song
from numpy.typing import NDArray

from covermaker.audio.files import read
from covermaker.audio.loudness import measure_file
from covermaker.errors import AudioInputError, ProjectError
from covermaker.master.master import MasterReport, MasterSettings, master_file
from covermaker.master.match import (
    Match,
    SpectrumMeter,
    ToneFilter,
    curve_between,
    middle_and_side,
    tone_of,
    window_frames,
)

Wav = Callable[..., Path]
THIRDS = 1000.0 * 10.0 ** (np.arange(-13, 13) / 10.0)  # 50 Hz to 16 kHz


def pink(seconds: float, *, seed: int = 0, rate: int = RATE, side: float = 0.4) -> NDArray[np.float32]:
    """Stereo noise of equal power in every octave, with less of it on the sides."""
    frames = round(seconds * rate)
    spectra = np.fft.rfft(np.random.default_rng(seed).standard_normal((2, frames)))
    spectra /= np.sqrt(np.maximum(np.fft.rfftfreq(frames, 1 / rate), 20.0))
    middle, sides = np.fft.irfft(spectra, frames)
    samples = np.stack([middle + side * sides, middle - side * sides])
    return (0.1 * samples / samples.std()).astype(np.float32)


def tilted(samples: NDArray[np.float32], db_per_octave: float, rate: int = RATE) -> NDArray[np.float32]:
    """Filter by a straight tilt around 1 kHz, without any delay."""
    frames = samples.shape[1]
    hz = np.maximum(np.fft.rfftfreq(2 * frames, 1 / rate), 30.0)
    gain = 10.0 ** (db_per_octave * np.log2(hz / 1000.0) / 20.0)
    return np.fft.irfft(np.fft.rfft(samples, 2 * frames) * gain)[:, :frames].astype(np.float32)


def thirds_db(signal: NDArray[np.floating], rate: int = RATE) -> NDArray[np.float64]:
    """Return the power in third-octave bands, by one transform of the whole: not how the code under test does it."""
    power = np.abs(np.fft.rfft(signal)) ** 2
    hz = np.fft.rfftfreq(len(signal), 1 / rate)
    edges = 10.0**0.05
    bands = [power[(hz >= centre / edges) & (hz < centre * edges)].sum() for centre in THIRDS]
    return 10.0 * np.log10(np.array(bands))


def shape_error_db(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return the largest difference of two spectra over third octaves once their levels are the same."""
    difference = thirds_db(one) - thirds_db(other)
    return float(np.abs(difference - np.median(difference)).max())


def lag(reference: NDArray[np.floating], signal: NDArray[np.floating]) -> int:
    n = len(reference)
    spectrum = np.fft.rfft(signal, 2 * n) * np.conj(np.fft.rfft(reference, 2 * n))
    peak = int(np.argmax(np.fft.irfft(spectrum)))
    return peak if peak < n else peak - 2 * n


def matched(
    mix: Path, reference: Path, *, amount: float = 1.0, **more: object
) -> tuple[MasterReport, NDArray[np.float32]]:
    out = mix.with_name("master.wav")
    settings = MasterSettings(
        **{
            "loudness_lufs": "reference",
            "true_peak_dbtp": 0.0,
            **more,
            "match": Match(reference=reference, amount=amount),
        }
    )  # type: ignore[arg-type]
    report = master_file(mix, out, settings=settings)
    return report, read(out).samples


@pytest.mark.parametrize("db_per_octave", [-1.5, 1.0, 2.0])
def test_a_known_tilt_is_taken_back(db_per_octave: float, wav: Wav) -> None:
    reference = pink(20.0, seed=1)
    mix = tilted(pink(12.0, seed=2), db_per_octave)
    assert shape_error_db(mix[0], reference[0]) > 4.0
    report, samples = matched(wav(mix), wav(reference, name="reference.wav"))
    for one, other in zip(middle_and_side(samples), middle_and_side(reference), strict=True):
        assert shape_error_db(one, other) < 1.0
    assert samples.shape == mix.shape
    assert lag(mix.sum(axis=0), samples.sum(axis=0)) == 0
    assert report.integrated_lufs == pytest.approx(measure_file(wav(reference)).integrated_lufs, abs=0.1)
    assert report.match is not None
    at_1k = report.match["hz"].index(1000.0)
    curve = np.array(report.match["middle_db"])
    octave = curve[at_1k + 3] - curve[at_1k]
    assert octave == pytest.approx(-db_per_octave, abs=0.4)
    assert not report.match["bounded"]


def test_the_width_is_matched_too(wav: Wav) -> None:
    reference = pink(15.0, seed=1, side=0.6)
    _, samples = matched(wav(pink(10.0, seed=2, side=0.2)), wav(reference, name="reference.wav"))
    ours, theirs = (
        np.subtract(*(thirds_db(part) for part in middle_and_side(s))) for s in (samples, reference)
    )
    assert np.abs(ours - theirs).max() < 1.0


def test_half_the_amount_is_half_the_way(wav: Wav) -> None:
    reference = wav(pink(12.0, seed=1), name="reference.wav")
    mix = wav(tilted(pink(12.0, seed=2), 2.0))
    whole, half = (np.array(matched(mix, reference, amount=a)[0].match["middle_db"]) for a in (1.0, 0.5))
    np.testing.assert_allclose(half, 0.5 * whole, atol=0.011)


def test_no_amount_changes_nothing_but_the_level(wav: Wav) -> None:
    mix = wav(pink(5.0, seed=2))
    report, samples = matched(mix, wav(pink(5.0, seed=1), name="r.wav"), amount=0.0, loudness_lufs=None)
    np.testing.assert_array_equal(samples, read(mix).samples)
    assert report.match is not None
    assert "middle_db" not in report.match


def test_matched_to_itself_it_stays_itself(wav: Wav) -> None:
    mix = wav(0.5 * real_song(8.0))
    report, samples = matched(mix, mix, loudness_lufs=None)
    assert np.abs(report.match["middle_db"]).max() < 0.01
    before = read(mix).samples
    assert report.gain_db == 0.0
    assert np.abs(samples - before).max() < 2e-6


def test_the_curve_is_bounded_and_says_so(wav: Wav) -> None:
    report, samples = matched(
        wav(tilted(pink(8.0, seed=2), 6.0)), wav(pink(8.0, seed=1), name="reference.wav")
    )
    assert report.match["bounded"]
    assert np.abs(report.match["middle_db"]).max() <= 12.0
    assert np.isfinite(samples).all()


def test_the_low_pass_of_an_encoder_is_not_taken_on(wav: Wav) -> None:
    reference = pink(10.0, seed=1)
    spectrum = np.fft.rfft(reference)
    spectrum[:, np.fft.rfftfreq(reference.shape[1], 1 / RATE) > 14_000.0] = 0.0
    path = wav(np.fft.irfft(spectrum, reference.shape[1]), name="reference.wav")
    report, _ = matched(wav(pink(10.0, seed=2)), path)
    assert np.abs(report.match["middle_db"][-4:]).max() < 2.5


@pytest.mark.parametrize("channels", ["mono mix", "mono reference"])
def test_mono_on_either_side(channels: str, wav: Wav) -> None:
    mix, reference = tilted(pink(8.0, seed=2), 1.5), pink(8.0, seed=1)
    if channels == "mono mix":
        mix = mix[:1]
    else:
        reference = reference[:1]
    report, samples = matched(wav(mix), wav(reference, name="reference.wav"))
    assert samples.shape == mix.shape
    assert report.match["side_db"] is None or report.match["side_db"] == report.match["middle_db"]


def test_a_reference_of_another_rate(wav: Wav) -> None:
    reference = pink(10.0, seed=1, rate=48_000)
    mix = tilted(pink(10.0, seed=2), 1.5)
    _, samples = matched(wav(mix), wav(reference, rate=48_000, name="reference.wav"))
    difference = thirds_db(samples[0]) - thirds_db(reference[0], 48_000)
    assert np.abs(difference - np.median(difference)).max() < 1.0


@pytest.mark.parametrize("cut", [1, 63, 4096, 70_001])
def test_any_cut_gives_the_same_bits(cut: int) -> None:
    samples = tilted(pink(2.0, seed=2), 1.0)
    samples = samples[:, : 3000 if cut == 1 else None]
    pieces = [samples[:, at : at + cut] for at in range(0, samples.shape[1], cut)]
    whole, parts = SpectrumMeter(2, RATE), SpectrumMeter(2, RATE)
    whole.push(samples)
    for piece in pieces:
        parts.push(piece)
    np.testing.assert_array_equal(whole.finish(), parts.finish())
    reference = tone_of([pink(2.0, seed=1)], channels=2, sample_rate=RATE)
    curve = curve_between(tone_of([samples], channels=2, sample_rate=RATE), reference, amount=1.0)
    assert curve is not None
    one, other = (list(ToneFilter(curve, RATE).filtered(source)) for source in ([samples], pieces))
    np.testing.assert_array_equal(np.concatenate(one, axis=1), np.concatenate(other, axis=1))
    assert sum(block.shape[1] for block in one) == samples.shape[1]


@pytest.mark.parametrize("frames", [2, 100, 8191, 8192, 24_576, 24_577, 49_152])
def test_odd_lengths(frames: int) -> None:
    samples = noise(2.0, level=0.1)[:, :frames]
    tone = tone_of([pink(2.0, seed=1)], channels=2, sample_rate=RATE)
    curve = curve_between(tone_of([samples], channels=2, sample_rate=RATE), tone, amount=1.0)
    assert curve is not None
    made = np.concatenate(list(ToneFilter(curve, RATE).filtered([samples])), axis=1)
    assert made.shape == samples.shape


def test_an_impulse_stays_where_it_is() -> None:
    tone = tone_of([pink(3.0, seed=1)], channels=2, sample_rate=RATE)
    other = tone_of([tilted(pink(3.0, seed=2), 2.0)], channels=2, sample_rate=RATE)
    curve = curve_between(other, tone, amount=1.0)
    assert curve is not None
    for at in (0, 5, 24_575, 24_576, 29_999):
        samples = np.zeros((2, 30_000), np.float32)
        samples[:, at] = 1.0
        made = np.concatenate(list(ToneFilter(curve, RATE).filtered([samples])), axis=1)
        assert int(np.abs(made[0]).argmax()) == at
        reach = min(at, 29_999 - at, 2000)
        np.testing.assert_allclose(
            made[0, at - reach : at],
            made[0, at + 1 : at + reach + 1][::-1],
            atol=1e-6,
            err_msg="linear phase",
        )


def test_a_silent_mix_is_left_silent(wav: Wav) -> None:
    mix = wav(np.zeros((2, RATE), np.float32))
    report, samples = matched(mix, wav(pink(3.0), name="reference.wav"))
    assert not samples.any()
    assert report.match == {"reference_lufs": report.target_lufs}


def test_the_rack_comes_before_the_match(wav: Wav) -> None:
    from covermaker.effects.rack import parse_rack

    reference = wav(pink(10.0, seed=1), name="reference.wav")
    rack = parse_rack([{"effect": "high_pass", "cutoff_hz": 400.0}], where="master.rack")
    _, samples = matched(wav(pink(10.0, seed=2)), reference, rack=rack)
    difference = thirds_db(samples[0]) - thirds_db(read(reference).samples[0])
    assert np.abs((difference - np.median(difference))[6:]).max() < 1.0, "from 200 Hz on, the bound reaches"


def test_a_target_goes_before_the_loudness_of_the_reference(wav: Wav) -> None:
    report, _ = matched(wav(pink(5.0, seed=2)), wav(pink(5.0, seed=1), name="r.wav"), loudness_lufs=-20.0)
    assert report.integrated_lufs == pytest.approx(-20.0, abs=0.1)
    assert report.target_lufs == -20.0


def test_a_reference_louder_than_any_master(wav: Wav) -> None:
    report, _ = matched(wav(pink(5.0, seed=2)), wav(8.0 * pink(5.0, seed=1), name="reference.wav"))
    assert report.target_lufs == -5.0


@pytest.mark.parametrize(("seconds", "why"), [(0.2, "shorter than 0.4 s"), (2.0, "silent")])
def test_a_reference_without_a_tone_is_refused(seconds: float, why: str, wav: Wav) -> None:
    reference = wav(np.zeros((2, round(seconds * RATE))), name="reference.wav")
    mix = wav(pink(2.0))
    with pytest.raises(AudioInputError, match=f"the reference 'reference.wav' is {why}"):
        matched(mix, reference)
    assert not mix.with_name("master.wav").exists()


def test_what_is_refused(wav: Wav) -> None:
    with pytest.raises(ProjectError, match=r"match_amount is 1.5, it must be 0 to 1"):
        Match(reference=Path("r.wav"), amount=1.5)
    with pytest.raises(ProjectError, match="there is no reference"):
        MasterSettings(loudness_lufs="reference")
    with pytest.raises(AudioInputError, match="does not exist"):
        matched(wav(pink(1.0)), Path("no.wav"))


def test_twice_the_same_bits(wav: Wav) -> None:
    reference, mix = wav(pink(6.0, seed=1), name="reference.wav"), wav(real_song(6.0))
    first, second = (matched(mix, reference) for _ in range(2))
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000, 192_000])
def test_the_window_lasts_as_long_at_any_rate(rate: int) -> None:
    assert 0.12 < window_frames(rate) / rate < 0.27
