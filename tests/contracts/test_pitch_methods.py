"""What every pitch method promises, ours or another package's."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from covermaker.errors import UsageError, WeightsError
from covermaker.features.clock import frame_count
from covermaker.features.pitch import METHODS, estimate_pitch
from covermaker.weights.catalog import fingerprint

RATE = 16000  # the methods' own rate: these tests are about pitch, resampling has its own below
ENDS_HZ = {"fcpe": 1100, "harvest": 1400}  # of methods that stop below 1500 Hz
SLOW = {"crepe"}  # a network a hundred times heavier than the others
EVERY = [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in METHODS.names()]


@pytest.fixture(params=EVERY)
def method(request):
    try:
        for name in METHODS.load(request.param).WEIGHTS:
            fingerprint(name)
    except WeightsError as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture
def write_wav(tmp_path):
    def write(samples, sample_rate=RATE):
        path = tmp_path / "vocal.wav"
        soundfile.write(path, np.asarray(samples, dtype=np.float32), sample_rate, subtype="FLOAT")
        return path

    return write


def sung(f0_hz, sample_rate=RATE):
    phase = 2 * np.pi * np.cumsum(f0_hz) / sample_rate
    return 0.2 * sum(np.sin(k * phase) / k for k in range(1, 13) if k * np.max(f0_hz) < sample_rate / 2)


def seconds(duration, sample_rate=RATE):
    return np.arange(round(duration * sample_rate)) / sample_rate


def cents(f0_hz, truth_hz):
    return 1200 * np.log2(f0_hz / truth_hz)


def test_it_names_itself_its_version_and_its_weights(method):
    member = METHODS.load(method)
    assert method == member.NAME
    assert member.VERSION >= 1
    for name in member.WEIGHTS:
        assert len(fingerprint(name)) == 64


# The highest is a note: of 1000 Hz sharp, 16 samples long, swift-f0 hears every frame alike and calls it unsung.
@pytest.mark.parametrize("f0_hz", [60, 98, 220, 466.16, 987.77])
def test_a_steady_note_is_found_in_its_octave(method, write_wav, f0_hz):
    found = estimate_pitch(write_wav(sung(np.full(RATE, f0_hz))), method=method)[10:-10]
    assert (found > 0).mean() > 0.98
    assert np.abs(cents(found[found > 0], f0_hz)).max() < 20
    # The full CREPE network itself reads 60 Hz 10 cents low; the others stay within 9.
    assert abs(np.median(cents(found[found > 0], f0_hz))) < 12


@pytest.mark.parametrize(
    "curve",
    [lambda t: 110 * 2**t, lambda t: 440 * 2**-t, lambda t: 330 * 2 ** (np.sin(2 * np.pi * 5.5 * t) / 12)],
    ids=["up an octave a second", "down an octave a second", "vibrato of a semitone"],
)
def test_a_moving_note_is_found_at_its_time(method, write_wav, curve):
    time = seconds(1.5)
    found = estimate_pitch(write_wav(sung(curve(time))), method=method)
    when = np.arange(len(found)) / 100
    inner = (when > 0.1) & (when < 1.4)
    assert (found[inner] > 0).mean() > 0.98
    chosen = inner & (found > 0)
    error = cents(found[chosen], curve(when[chosen]))
    assert np.percentile(np.abs(error), 95) < 20
    # An octave a second is 1.2 cents a millisecond: a clock half a frame off would be 6 cents.
    assert abs(np.median(error)) < 5


@pytest.mark.parametrize("f0_hz", [1046.5, 1174.66, 1396.91, 1500])
def test_high_notes_with_vibrato_are_found(method, write_wav, f0_hz):
    if f0_hz > ENDS_HZ.get(method, 1500):
        pytest.skip(f"{method} ends at {ENDS_HZ[method]} Hz")
    time = seconds(1.0)
    curve = f0_hz * 2 ** (0.5 * np.sin(2 * np.pi * 5.5 * time) / 12)
    found = estimate_pitch(write_wav(sung(curve)), method=method)[10:-10]
    assert (found > 0).mean() > 0.95
    truth = np.interp(np.arange(10, 10 + len(found)) / 100, time, curve)
    assert np.median(np.abs(cents(found[found > 0], truth[found > 0]))) < 15
    assert np.abs(cents(found[found > 0], truth[found > 0])).max() < 100


def test_silence_has_no_pitch(method, write_wav):
    assert not estimate_pitch(write_wav(np.zeros(RATE)), method=method).any()


@pytest.mark.parametrize("amplitude", [0.3, 0.1, 0.03, 0.003])
def test_noise_has_hardly_any_pitch(method, write_wav, amplitude):
    noise = amplitude * np.random.default_rng(5).standard_normal(RATE)
    assert (estimate_pitch(write_wav(noise), method=method) > 0).mean() < 0.05


def test_a_digital_gap_is_unvoiced_and_the_notes_beside_it_are_not(method, write_wav):
    note = sung(np.full(RATE // 2, 220.0))
    found = estimate_pitch(write_wav(np.concatenate([note, np.zeros(RATE // 2), note])), method=method)
    assert (found[5:45] > 0).all()
    assert not found[52:99].any()
    assert (found[106:145] > 0).all()


@pytest.mark.parametrize("frames", [1, 2, 159, 160, 161, 1023, 4799, 16001])
def test_every_length_has_its_exact_frames(method, write_wav, frames):
    found = estimate_pitch(write_wav(sung(np.full(frames, 220.0))), method=method)
    assert found.shape == (frame_count(frames, RATE),)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 48000])
def test_any_rate_and_channels_give_the_same_pitch_on_the_same_clock(method, write_wav, sample_rate):
    time = seconds(0.61234, sample_rate)
    mono = sung(220 * 2 ** (time / 2), sample_rate)
    found = estimate_pitch(write_wav(np.stack([mono, mono], axis=1), sample_rate), method=method)
    assert len(found) == frame_count(len(time), sample_rate)
    when = np.arange(len(found)) / 100
    inner = slice(8, -8)
    assert (found[inner] > 0).all()
    assert np.abs(cents(found[inner], 220 * 2 ** (when[inner] / 2))).max() < 25


def test_limits_leave_notes_out_and_never_move_them(method, write_wav):
    path = write_wav(np.concatenate([sung(np.full(RATE // 2, 150.0)), sung(np.full(RATE // 2, 600.0))]))
    found = estimate_pitch(path, method=method, f0_min_hz=200, f0_max_hz=1000)
    assert not ((found > 0) & (found < 200)).any()
    assert np.abs(cents(found[60:90], 600)).max() < 20


def test_level_does_not_matter(method, write_wav):
    voice = sung(np.full(RATE // 2, 220.0))
    loud = estimate_pitch(write_wav(voice), method=method)
    quiet = estimate_pitch(write_wav(voice * 0.02), method=method)
    np.testing.assert_array_equal(loud > 0, quiet > 0)
    assert np.abs(cents(quiet[quiet > 0], loud[quiet > 0])).max() < 1


def test_pieces_agree_with_the_whole(method, write_wav):
    """Note borders, gaps and vibrato at the cuts: a piece ends every 0.7 s."""
    time = seconds(2.5)
    f0 = np.where(time % 1.1 < 0.6, 200.0, 300.0) * 2 ** (np.sin(2 * np.pi * 5 * time) / 24)
    path = write_wav(sung(f0) * (time % 1.3 > 0.2))
    whole = estimate_pitch(path, method=method, piece_seconds=60)
    cut = estimate_pitch(path, method=method, piece_seconds=0.7)
    assert ((whole > 0) != (cut > 0)).mean() <= 0.01
    both = (whole > 0) & (cut > 0)
    assert np.percentile(np.abs(cents(cut[both], whole[both])), 99) < 1


def test_the_same_file_gives_the_same_bits(method, write_wav):
    path = write_wav(sung(220 + 50 * seconds(0.5)))
    np.testing.assert_array_equal(estimate_pitch(path, method=method), estimate_pitch(path, method=method))


def test_progress_rises_to_one(method, write_wav):
    told = []
    estimate_pitch(
        write_wav(sung(np.full(5 * RATE // 2, 220.0))), method=method, piece_seconds=1.0, progress=told.append
    )
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 3


def test_an_unknown_method_names_the_nearest(write_wav):
    with pytest.raises(UsageError, match=r"unknown pitch method 'crepe-tyni'.*did you mean 'crepe-tiny'"):
        estimate_pitch(write_wav(np.zeros(10)), method="crepe-tyni")


@pytest.mark.parametrize(("low", "high"), [(100, 100), (5, 100), (100, 5000), (300, 200)])
def test_impossible_limits_are_refused(write_wav, low, high):
    with pytest.raises(UsageError, match="no pitch lies between"):
        estimate_pitch(write_wav(np.zeros(10)), f0_min_hz=low, f0_max_hz=high)
