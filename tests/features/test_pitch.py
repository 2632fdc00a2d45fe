"""What is particular to single pitch methods; what all promise is in tests/contracts."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile

from covermaker.errors import ResourceError, WeightsError
from covermaker.features.clock import f0_at_clock
from covermaker.features.mel import mel_filters
from covermaker.features.pitch import crepe, estimate_pitch, fcpe
from covermaker.features.pitch.recording import Recording
from covermaker.features.pitch.swift_f0 import SwiftF0
from covermaker.weights.catalog import locate
from covermaker.weights.device import torch_ready


def recording_of(sound, piece_frames=3000):
    frames = len(sound) // 160 + 1
    return Recording(lambda: iter([sound]), np.ones(frames, dtype=bool), piece_frames=piece_frames)


@pytest.mark.parametrize("frames", [1, 159, 160, 16000, 16001])
@pytest.mark.parametrize("piece_frames", [1, 7, 50, 1000])
@pytest.mark.parametrize("context_frames", [0, 3, 60])
@pytest.mark.parametrize("align_frames", [1, 32])
def test_pieces_hand_out_every_frame_once_with_its_surroundings(
    frames, piece_frames, context_frames, align_frames
):
    sound = np.arange(frames, dtype=np.float32)
    blocks = [sound[i : i + 1000] for i in range(0, frames, 1000)]
    count = frames // 160 + 1
    audible = np.arange(count) % 3 == 0
    recording = Recording(lambda: iter(blocks), audible, piece_frames=piece_frames)
    at = 0
    for piece in recording.pieces(context_frames=context_frames, align_frames=align_frames):
        first = at - piece.skip
        assert min(context_frames, at) <= piece.skip < context_frames + align_frames
        assert first % align_frames == 0
        np.testing.assert_array_equal(piece.samples, sound[first * 160 :][: len(piece.samples)])
        np.testing.assert_array_equal(piece.audible, audible[first : first + piece.frames])
        after = piece.frames - piece.skip - piece.keep
        assert after == context_frames or at + piece.keep == count
        at += piece.keep
    assert at == count


def test_fcpe_is_the_published_network(spoken):
    """Our own network on the same weights gives what the package gives, up to its lower voicing threshold."""
    torch = torch_ready()
    sound = soundfile.read(spoken, dtype="float32")[0]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torchfcpe = pytest.importorskip("torchfcpe")
        package = torchfcpe.spawn_bundled_infer_model("cpu")
        theirs = package.infer(torch.from_numpy(sound)[None, :, None], 16000, threshold=fcpe.CONFIDENCE)[
            0, :, 0
        ].numpy()
    tracked = fcpe.Fcpe().track(recording_of(sound), f0_min_hz=30, f0_max_hz=2000, device="cpu")
    ours = np.concatenate(list(tracked))
    assert ((ours > 0) != (theirs > 0)).mean() < 0.01
    both = (ours > 0) & (theirs > 0)
    assert np.abs(1200 * np.log2(ours[both] / theirs[both])).max() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("method", [crepe.Crepe, crepe.CrepeTiny])
def test_crepe_is_the_published_network(spoken, method):
    torch = torch_ready()
    sound = soundfile.read(spoken, dtype="float32")[0][8000:16000]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchcrepe = pytest.importorskip("torchcrepe")
        windows = next(torchcrepe.preprocess(torch.from_numpy(sound)[None], 16000))
        with torch.inference_mode():
            theirs = torchcrepe.infer(windows, method.SIZE).numpy()
    piece = next(recording_of(sound).pieces(context_frames=0))
    with torch.inference_mode():
        ours = crepe._salience(crepe._load(method.SIZE, locate(method.WEIGHTS[0]), "cpu"), piece, "cpu")
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_path_prefers_a_steady_octave_to_a_jump():
    salience = np.full((20, 360), 0.01)
    salience[:, 100] = 0.5
    salience[7:9, 160] = 0.6  # an octave up for two frames
    np.testing.assert_array_equal(crepe.best_path(salience), 100)


def test_the_path_equals_the_full_table():
    """The banded search against the plain definition on a small random case."""
    salience = np.random.default_rng(0).random((12, 360))
    steps = np.abs(np.subtract.outer(np.arange(360), np.arange(360)))
    with np.errstate(divide="ignore"):
        cost = np.log(np.maximum(12 - steps, 0) / 144)
    likelihood = np.log(salience / salience.sum(axis=1, keepdims=True) + 1e-12)
    score, came_from = likelihood[0], []
    for row in likelihood[1:]:
        options = score[:, None] + cost
        came_from.append(options.argmax(axis=0))
        score = options.max(axis=0) + row
    path = [int(score.argmax())]
    for table in reversed(came_from):
        path.append(int(table[path[-1]]))
    np.testing.assert_array_equal(crepe.best_path(salience), path[::-1])


@pytest.mark.parametrize("method", ["crepe-tiny", "swift-f0", "pm", "harvest", "dio"])
def test_methods_agree_on_a_real_voice(spoken, method):
    reference = estimate_pitch(spoken)
    found = estimate_pitch(spoken, method=method)
    both = (found > 0) & (reference > 0)
    assert both.sum() > 0.75 * (reference > 0).sum()
    error = np.abs(1200 * np.log2(found[both] / reference[both]))
    assert np.median(error) < 15
    assert (error > 600).mean() < 0.02


def test_silence_round_a_voice_changes_nothing(spoken):
    sound, rate = soundfile.read(spoken)
    padded = spoken.with_name("padded.wav")
    soundfile.write(padded, np.concatenate([np.zeros(20 * rate), sound, np.zeros(20 * rate)]), rate)
    alone, surrounded = estimate_pitch(spoken), estimate_pitch(padded)[2000:-2000]
    assert ((alone > 0) != (surrounded > 0)).mean() < 0.02
    both = (alone > 0) & (surrounded > 0)
    assert np.percentile(np.abs(1200 * np.log2(surrounded[both] / alone[both])), 95) < 10


@pytest.mark.parametrize("method", ["fcpe", "crepe-tiny"])
def test_the_machine_does_not_change_the_pitch(spoken, method):
    """On another number of threads torch adds in another order, and CTranslate2 sets that number for torch too."""
    torch = torch_ready()
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(estimate_pitch(spoken, method=method))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("method", "name"), [("fcpe", "FCPE"), ("crepe-tiny", "CREPE_TINY"), ("swift-f0", "SWIFT_F0")]
)
@pytest.mark.parametrize("content", [b"no weights", None], ids=["text", "another network's"])
def test_wrong_weights_are_named(write_wav, tmp_path, monkeypatch, method, name, content):
    torch = torch_ready()
    path = tmp_path / "weights.pt"
    if content is None:
        torch.save({"model": {"other": torch.zeros(1)}}, path)
    else:
        path.write_bytes(content)
    monkeypatch.setenv(f"COVERMAKER_WEIGHTS_{name}", str(path))
    with pytest.raises(WeightsError, match=r"weights\.pt holds no"):
        estimate_pitch(write_wav(np.ones(1000)), method=method)


def test_a_pickle_that_would_run_code_is_refused(write_wav, tmp_path, monkeypatch):
    import pickle

    class Bomb:
        def __reduce__(self):
            return (print, ("ran",))

    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps(Bomb()))
    monkeypatch.setenv("COVERMAKER_WEIGHTS_FCPE", str(path))
    with pytest.raises(WeightsError, match="holds no FCPE weights"):
        estimate_pitch(write_wav(np.ones(1000)))


def test_swift_f0_is_the_published_detector(spoken):
    """The package's own reading of the same sound, read at the clock."""
    swift_f0 = pytest.importorskip("swift_f0")
    sound = soundfile.read(spoken, dtype="float32")[0]
    theirs = swift_f0.SwiftF0(threads=1, spin=False).detect(sound, 16000)
    sung = np.where(theirs.confidence >= 0.5, theirs.pitch_hz, 0.0)
    tracked = SwiftF0().track(recording_of(sound), f0_min_hz=46, f0_max_hz=2000, device="cpu")
    ours = np.concatenate(list(tracked))
    inner = slice(10, 300)
    np.testing.assert_allclose(
        ours[inner], f0_at_clock(sung, theirs.timestamps, len(ours))[inner], rtol=1e-3, atol=1e-3
    )


def test_a_method_whose_package_is_missing_says_so(write_wav, monkeypatch):
    monkeypatch.setitem(sys.modules, "parselmouth", None)
    with pytest.raises(ResourceError, match="pip install praat-parselmouth"):
        estimate_pitch(write_wav(np.ones(1000)), method="pm")


def test_naming_the_methods_loads_no_network_library():
    code = (
        "import sys; from covermaker.features.pitch import METHODS; METHODS.names(); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("n_fft", "bands"), [(1024, 128), (400, 40)])
def test_mel_triangles_have_unit_area_and_the_right_centres(n_fft, bands):
    filters = mel_filters(16000, n_fft=n_fft, bands=bands)
    assert filters.shape == (bands, n_fft // 2 + 1)
    wide = filters[-bands // 3 :]  # those that span many bins: the sum is an integral
    np.testing.assert_allclose(wide.sum(axis=1) * 16000 / n_fft, 1, rtol=0.1)
    assert (np.diff(filters.argmax(axis=1)) >= 0).all()
    # Below 1 kHz the scale is linear, one mel every 200/3 Hz; 8 kHz lies at 15 + 27 ln 8 / ln 6.4 mels.
    spacing_mel = (15 + 27 * np.log(8) / np.log(6.4)) / (bands + 1)
    centre_hz = spacing_mel * 5 * 200 / 3
    assert abs(filters[4].argmax() * 16000 / n_fft - centre_hz) <= 16000 / n_fft


def test_htk_mels_are_logarithmic_throughout():
    filters = mel_filters(16000, n_fft=4096, bands=40, low_hz=30.0, scale="htk")
    ends = 2595 * np.log10(1 + np.array([30.0, 8000.0]) / 700)
    centres_hz = 700 * (10 ** (np.linspace(*ends, 42)[1:-1] / 2595) - 1)
    found_hz = filters.argmax(axis=1) * 16000 / 4096
    assert np.abs(found_hz - centres_hz).max() <= 16000 / 4096
    np.testing.assert_allclose(filters[-10:].sum(axis=1) * 16000 / 4096, 1, rtol=0.02)
