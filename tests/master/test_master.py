from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from master_signals import (
    RATE,
    clicks,
    libebur128_peak_db,
    noise,
    quarter_rate,
    real_song,
    sine,
    square,
    stereo,
    true_peak_db,
)

from covermaker.audio.files import read
from covermaker.audio.loudness import measure_file
from covermaker.effects.rack import Rack, parse_rack
from covermaker.errors import AudioInputError, ProjectError
from covermaker.master.master import MasterReport, MasterSettings, master_file

Wav = Callable[..., Path]


def run(
    mix: Path, *, loudness_lufs: float | None = -14.0, true_peak_dbtp: float = -1.0, **more: object
) -> tuple[MasterReport, np.ndarray]:
    """Master, and check what every master must be."""
    out = mix.with_name("master.wav")
    settings = MasterSettings(loudness_lufs=loudness_lufs, true_peak_dbtp=true_peak_dbtp, **more)  # type: ignore[arg-type]
    report = master_file(mix, out, settings=settings)
    before, after = read(mix), read(out)
    assert after.samples.shape == before.samples.shape
    assert report.frames == before.frames
    assert report.true_peak_dbtp <= true_peak_dbtp
    assert true_peak_db(after.samples) <= true_peak_dbtp
    assert libebur128_peak_db(after.samples, after.sample_rate) <= true_peak_dbtp
    assert measure_file(out, true_peak=True).true_peak_dbtp == report.true_peak_dbtp
    assert {path.name for path in mix.parent.iterdir()} == {mix.name, out.name}
    if report.reached and loudness_lufs is not None:
        assert report.integrated_lufs == pytest.approx(loudness_lufs, abs=0.1)
        assert report.reason == ""
    return report, after.samples


def peaky_noise(seconds: float) -> np.ndarray:
    samples = noise(seconds, level=0.02)
    for at in range(0, samples.shape[-1], 20_000):
        samples[:, at : at + 200] *= 8.0
    return samples


SIGNALS = {
    "noise": lambda: noise(8.0, level=0.1),
    "peaky noise": lambda: peaky_noise(8.0),
    "bass": lambda: stereo(sine(60.0, 8.0, level_db=-20.0)),
    "tone": lambda: stereo(sine(997.0, 8.0, level_db=-30.0)),
    "song": lambda: real_song(14.0),
    "one side": lambda: noise(8.0, level=0.1) * np.array([[1.0], [0.0]], np.float32),
    "mono-like": lambda: stereo(noise(8.0, level=0.1)[0]),
}


@pytest.mark.parametrize("target_lufs", [-23.0, -14.0, -9.0])
@pytest.mark.parametrize("name", SIGNALS)
def test_targets(name: str, target_lufs: float, wav: Wav) -> None:
    report, _ = run(wav(SIGNALS[name]()), loudness_lufs=target_lufs)
    if report.reached:
        assert report.integrated_lufs == pytest.approx(target_lufs, abs=0.05)
    else:
        # A 60 Hz tone and one side alone cannot be so loud under -1 dBTP; peaks of 18 dB are the limit of the noise.
        assert (name, target_lufs) in {("bass", -9.0), ("one side", -9.0), ("peaky noise", -9.0)}
        assert "compress the mix" in report.reason
        assert report.integrated_lufs < target_lufs
        assert report.max_gain_reduction_db == pytest.approx(18.0, abs=1.0)


HOT = {
    "quarter rate": lambda: 2.0 * quarter_rate(4.0),
    "square": lambda: 1.4 * square(997.0, 4.0),
    "clicks": lambda: 3.0 * clicks(4.0),
    "white noise": lambda: noise(4.0, level=0.7),
    "tone near nyquist": lambda: 2.0 * stereo(np.sin(2.0 * np.pi * 0.47 * np.arange(4 * RATE))),
    "song": lambda: 3.0 * real_song(6.0),
    "dc": lambda: np.full((2, RATE), 1.7, np.float32),
}


@pytest.mark.parametrize("ceiling_dbtp", [-1.0, -3.0])
@pytest.mark.parametrize("target_lufs", [None, -14.0, -8.0])
@pytest.mark.parametrize("name", HOT)
def test_the_ceiling_holds_for_hot_signals(
    name: str, target_lufs: float | None, ceiling_dbtp: float, wav: Wav
) -> None:
    report, samples = run(wav(HOT[name]()), loudness_lufs=target_lufs, true_peak_dbtp=ceiling_dbtp)
    assert np.isfinite(samples).all()
    assert report.reached or report.reason
    if target_lufs is None:
        assert report.gain_db <= 0.0
        assert report.true_peak_dbtp > ceiling_dbtp - 1.6, "not turned down more than needed"


def test_gain_alone_is_one_pass_and_changes_nothing_but_level(wav: Wav) -> None:
    mix = wav(noise(8.0, level=0.02))
    report, samples = run(mix, loudness_lufs=-23.0)
    assert report.passes == 1
    assert report.max_gain_reduction_db == 0.0
    np.testing.assert_array_equal(samples, read(mix).samples * np.float32(10.0 ** (report.gain_db / 20.0)))


def test_without_target_a_quiet_mix_is_passed_to_the_bit(wav: Wav) -> None:
    mix = wav(noise(3.0, level=0.1))
    report, samples = run(mix, loudness_lufs=None)
    np.testing.assert_array_equal(samples, read(mix).samples)
    assert (report.gain_db, report.reached, report.reason) == (0.0, True, "")


def test_silence_gets_no_gain(wav: Wav) -> None:
    report, samples = run(wav(np.zeros((2, RATE), np.float32)))
    assert not samples.any()
    assert report.gain_db == 0.0
    assert report.reason == "the mix is silent: no gain was given"
    assert report.input_lufs == report.integrated_lufs == report.true_peak_dbtp == -math.inf


@pytest.mark.parametrize("frames", [1, 2, 31, 4410, 17_639])
@pytest.mark.parametrize("level", [0.1, 1.8])
def test_too_short_for_a_loudness(frames: int, level: float, wav: Wav) -> None:
    report, samples = run(wav(np.full((2, frames), level, np.float32)))
    assert not report.reached
    assert "shorter than 0.4 s" in report.reason
    assert report.input_lufs is report.integrated_lufs is report.loudness_range_lu is None
    if level == 0.1:
        assert (samples == np.float32(0.1)).all()


def test_just_long_enough_for_a_loudness(wav: Wav) -> None:
    report, _ = run(wav(noise(0.4, level=0.05)))
    assert report.reached


def test_a_mix_below_the_gate_gets_no_gain(wav: Wav) -> None:
    report, _ = run(wav(noise(2.0, level=1e-5)))
    assert report.gain_db == 0.0
    assert "nothing in the mix is above -70 LUFS" in report.reason


def test_an_unreachable_target_is_reported_and_the_ceiling_kept(wav: Wav) -> None:
    samples = noise(5.0, level=0.001)
    samples[:, 2 * RATE] = 1.0
    report, _ = run(wav(samples), max_drive_db=6.0)
    assert not report.reached
    assert "more than 6 dB over the ceiling" in report.reason
    assert report.max_gain_reduction_db == pytest.approx(6.0, abs=0.3)


def test_mono_stays_mono(wav: Wav) -> None:
    report, samples = run(wav(noise(5.0, level=0.1)[:1]), loudness_lufs=-20.0)
    assert report.reached
    assert samples.shape[0] == 1


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000, 192_000])
def test_other_rates(rate: int, wav: Wav) -> None:
    """Noise up to 20 kHz with loud bursts: as dense as music, whatever the rate."""
    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal((2, 2 * rate)))
    spectrum[:, 2 * 20_000 :] = 0.0
    samples = np.fft.irfft(spectrum)
    samples *= 0.12 / samples.std()
    samples[:, rate // 2 : rate // 2 + rate // 100] *= 3.0
    report, _ = run(wav(samples, rate=rate), loudness_lufs=-11.0)
    assert report.sample_rate == rate
    assert report.reached
    assert report.max_gain_reduction_db > 0.5


def test_the_rack_comes_first_and_keeps_the_length(wav: Wav) -> None:
    mix = wav(noise(3.0, level=0.05))
    rack = parse_rack([{"effect": "high_pass", "cutoff_hz": 300.0}], where="master.rack")
    report, samples = run(mix, loudness_lufs=-30.0, rack=rack)
    filtered = Rack(rack, sample_rate=RATE, channels=2).process(read(mix).samples)
    gain = np.float32(10.0 ** (report.gain_db / 20.0))
    np.testing.assert_array_equal(samples, filtered * gain)
    assert report.reached


def test_a_bypassed_rack_is_no_rack(wav: Wav) -> None:
    mix = wav(noise(2.0, level=0.05))
    rack = parse_rack([{"effect": "high_pass", "bypass": True}], where="master.rack")
    _, samples = run(mix, loudness_lufs=None, rack=rack)
    np.testing.assert_array_equal(samples, read(mix).samples)


def test_two_runs_give_the_same_bits(wav: Wav) -> None:
    mix = wav(real_song(8.0))
    first_report, first = run(mix, loudness_lufs=-9.0)
    second_report, second = run(mix, loudness_lufs=-9.0)
    np.testing.assert_array_equal(first, second)
    assert first_report == second_report


def test_progress_rises_to_one(wav: Wav) -> None:
    seen: list[float] = []
    mix = wav(peaky_noise(4.0))
    rack = parse_rack([{"effect": "high_pass"}], where="master.rack")
    settings = MasterSettings(loudness_lufs=-12.0, rack=rack)
    master_file(mix, mix.with_name("out.wav"), settings=settings, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 5


@pytest.mark.parametrize("at", [0.1, 0.6])
def test_a_cancelled_master_leaves_nothing(at: float, wav: Wav) -> None:
    mix = wav(noise(9.0, level=0.1))
    rack = parse_rack([{"effect": "high_pass"}], where="master.rack")

    def cancel(fraction: float) -> None:
        if fraction > at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        master_file(mix, mix.with_name("out.wav"), settings=MasterSettings(rack=rack), progress=cancel)
    assert [path.name for path in mix.parent.iterdir()] == [mix.name]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("beside")]


def test_a_rack_wants_no_more_than_stereo(wav: Wav) -> None:
    rack = parse_rack([{"effect": "high_pass"}], where="master.rack")
    with pytest.raises(AudioInputError, match="3 channels"):
        run(wav(np.zeros((3, RATE), np.float32)), rack=rack)


@pytest.mark.parametrize(
    ("field", "value"),
    [("loudness_lufs", 0.0), ("loudness_lufs", -80.0), ("true_peak_dbtp", 0.5), ("max_drive_db", math.nan)],
)
def test_settings_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ProjectError, match=f"master.{field} is .*, it must be"):
        MasterSettings(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_bad_samples_are_refused(bad: float, wav: Wav) -> None:
    samples = noise(1.0, level=0.1)
    samples[1, 777] = bad
    with pytest.raises(AudioInputError, match="NaN or infinite"):
        run(wav(samples))


@pytest.mark.slow
def test_three_minutes(wav: Wav, capsys: pytest.CaptureFixture[str]) -> None:
    mix = wav(real_song(180.0))
    start = time.process_time()
    report = master_file(mix, mix.with_name("out.wav"), settings=MasterSettings(loudness_lufs=-9.0))
    seconds = time.process_time() - start
    assert report.reached
    with capsys.disabled():
        print(f"\nmaster of 180 s: {seconds:.2f} s of CPU, {report.passes} passes")
