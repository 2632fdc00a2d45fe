"""Spleeter: the same masks as the packaged class, real stems, any rate, any cut."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.stems.spleeter import (
    HOP_SAMPLES,
    SAMPLE_RATE,
    WINDOW_SAMPLES,
    SpleeterSeparator,
    _Synthesis,
    load_networks,
    masks,
    spectra,
    split,
)  # fmt: skip
from covermaker.stems.spleeter_network import BINS, SEGMENT_FRAMES, frames_seen
from covermaker.weights.device import torch_ready

NAMES = ("spleeter-2stems-vocals", "spleeter-2stems-accompaniment")


@pytest.fixture(scope="module")
def networks():
    return load_networks(NAMES)


@pytest.fixture(autouse=True)
def no_autograd():
    with torch_ready().inference_mode():
        yield


def sdr_db(reference, estimate):
    reference = reference.astype(np.float64)
    return 10 * np.log10(np.square(reference).sum() / np.square(reference - estimate).sum())


def test_masks_equal_the_packaged_class(networks, packaged_estimator, real_stems):
    mix, _ = real_stems
    # Two segments and a short third one, so that the grid and the cut of the last segment are in it.
    song = np.tile(mix, (1, 5))[:, : (2 * SEGMENT_FRAMES + 40) * HOP_SAMPLES]
    ours = np.concatenate([masks(networks, part).numpy() for part in spectra([song])], axis=2)
    theirs = packaged_estimator.masks(song)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-3


def test_sound_of_the_known_bins_equals_the_packaged_class(networks, packaged_estimator, real_stems):
    import scipy.signal

    mix, _ = real_stems
    theirs = packaged_estimator.separate(mix)
    ours = np.concatenate(list(split(networks, [mix])), axis=-1)
    low = scipy.signal.butter(12, 8000, fs=SAMPLE_RATE, output="sos")
    for mine, other in zip(ours, theirs, strict=True):
        frames = other.shape[-1]
        low_other, low_mine = (scipy.signal.sosfilt(low, part[:, :frames]) for part in (other, mine))
        assert sdr_db(low_other, low_mine) > 60


def test_vocals_of_a_real_song(real_stems, write_song, load_stems, tmp_path):
    mix, vocals = real_stems
    assert sdr_db(vocals, mix) == pytest.approx(-7.06, abs=0.01)
    report = SpleeterSeparator("cpu").separate(write_song(mix), tmp_path / "out")
    stems = load_stems(tmp_path / "out", report.stems)
    assert sdr_db(vocals, stems["vocals"]) >= 4.7
    assert sdr_db(mix - vocals, stems["accompaniment"]) >= 11.7
    assert sdr_db(mix, stems["vocals"] + stems["accompaniment"]) > 120
    assert report.residue_db < -100


def test_the_last_segment_may_be_cut(networks):
    torch = torch_ready()
    torch.manual_seed(0)
    magnitude = torch.rand(1, 2, SEGMENT_FRAMES, BINS)
    for frames in (1, 24, 66, 67, 130, 200, 310):
        magnitude[:, :, frames:] = 0
        magnitude[:, :, :frames] = torch.rand(1, 2, frames, BINS)
        seen = frames_seen(frames)
        whole = networks[0](magnitude)[:, :, :frames]
        cut = networks[0](magnitude[:, :, :seen])[:, :, :frames]
        torch.testing.assert_close(cut, whole, rtol=1e-4, atol=1e-5)


def test_how_many_frames_are_seen():
    counts = [frames_seen(frames) for frames in range(1, SEGMENT_FRAMES + 1)]
    assert counts == sorted(counts)
    assert counts[0] == 256
    assert counts[-1] == SEGMENT_FRAMES
    assert all(seen >= frames and seen % 64 == 0 for frames, seen in enumerate(counts, 1))


@pytest.mark.parametrize(
    "samples", [1, 1023, 1024, 1025, 511 * 1024, 512 * 1024 - 1, 512 * 1024, 514 * 1024 + 7]
)
def test_the_spectra_are_the_whole_songs(noise, samples):
    torch = torch_ready()
    song = noise(samples)
    whole = torch.stft(
        torch.from_numpy(song), WINDOW_SAMPLES, HOP_SAMPLES, window=torch.hann_window(WINDOW_SAMPLES),
        pad_mode="constant", return_complex=True,
    ).transpose(1, 2)  # fmt: skip
    cuts = [song[:, start : start + 4999] for start in range(0, samples, 4999)]
    parts = list(spectra(cuts))
    assert all(part.shape[1] == SEGMENT_FRAMES for part in parts[:-1])
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 1024, 2049, 5000, 512 * 1024 + 3])
def test_spectra_under_full_masks_are_the_song_again(noise, samples):
    torch = torch_ready()
    song = noise(samples)
    synthesis = _Synthesis(1, "cpu")
    blocks = [synthesis.push(part, torch.ones(1, 2, part.shape[1], BINS)) for part in spectra([song])]
    out = np.concatenate([*blocks, synthesis.finish()], axis=-1)
    assert out.shape[-1] >= samples
    np.testing.assert_allclose(out[0, :, :samples], song, atol=1e-6)


def test_any_cut_into_blocks_gives_the_same_samples(networks, noise):
    song = noise(30000)
    whole = np.concatenate(list(split(networks, [song])), axis=-1)
    cuts = [song[:, start : start + 777] for start in range(0, 30000, 777)]
    np.testing.assert_array_equal(np.concatenate(list(split(networks, cuts)), axis=-1), whole)


def test_what_is_above_11_khz_follows_what_is_below(networks):
    torch = torch_ready()
    spectrum = torch.zeros(2, 3, 2049, dtype=torch.complex64)
    spectrum[..., 1500] = 1.0
    mask = torch.zeros(2, 3, BINS)
    mask[:, 1] = 1.0
    from covermaker.stems.spleeter import apply_mask

    assert apply_mask(spectrum, mask)[:, :, 1500].real.tolist() == [[0.0, 1.0, 0.0]] * 2


@pytest.mark.slow
def test_memory_does_not_grow_with_length(noise, tmp_path):
    """Peak memory of a child that separates two minutes is that of one that separates half a minute."""
    import json
    import subprocess
    import sys

    import soundfile

    script = (
        "import sys; from pathlib import Path; import torch; torch.set_num_threads(1);"
        "from covermaker.stems.spleeter import SpleeterSeparator as S;"
        "S('cpu').separate(Path(sys.argv[1]), Path(sys.argv[2]));"
        # Not getrusage: its peak counts the test process that this one was forked from.
        "print(int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) / 1024)"
    )
    peaks_mb = []
    for seconds in (30, 120):
        song = tmp_path / f"{seconds}.wav"
        soundfile.write(
            song, np.tile(noise(5 * SAMPLE_RATE), (1, seconds // 5)).T, SAMPLE_RATE, subtype="FLOAT"
        )
        command = [sys.executable, "-c", script, str(song), str(tmp_path / "out")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks_mb.append(json.loads(done.stdout))
    assert peaks_mb[1] < 1200
    assert peaks_mb[1] < 1.1 * peaks_mb[0]
