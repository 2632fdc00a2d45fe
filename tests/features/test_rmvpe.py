"""RMVPE without its weights: the network against stored vectors, the files it can be read from, pieces."""

from __future__ import annotations

import numpy as np
import pytest
from parity_weights import vectors
from published_weights import rmvpe_tensors

from covermaker.errors import WeightsError
from covermaker.features.clock import frame_count
from covermaker.features.pitch import estimate_pitch, rmvpe
from covermaker.features.pitch.recording import Recording
from covermaker.weights.device import torch_ready

torch = torch_ready()


@pytest.fixture(scope="module")
def tensors():
    return {name: torch.from_numpy(array) for name, array in rmvpe_tensors().items()}


@pytest.fixture(scope="module")
def weights(tensors, tmp_path_factory):
    path = tmp_path_factory.mktemp("rmvpe") / "rmvpe.pt"
    torch.save(tensors, path)
    return path


@pytest.fixture
def installed(weights, monkeypatch):
    monkeypatch.setenv("COVERMAKER_WEIGHTS_RMVPE", str(weights))


def recording_of(sound, piece_frames=3000):
    frames = len(sound) // 160 + 1
    return Recording(lambda: iter([sound]), np.ones(frames, dtype=bool), piece_frames=piece_frames)


def test_the_spectrum_and_the_network_are_the_published_ones(weights):
    stored = vectors("rmvpe")
    sound = stored["audio_i16"].astype(np.float32) / np.float32(32768)
    piece = next(recording_of(sound).pieces(context_frames=0))
    mel = rmvpe.log_mel(piece, "cpu")
    np.testing.assert_allclose(mel.numpy(), stored["mel"], atol=2e-4)
    with torch.inference_mode():
        salience = rmvpe.load(weights, "cpu")(mel).numpy()
    np.testing.assert_allclose(salience, stored["salience"], atol=1e-4)
    best = np.sort(salience, axis=1)
    clear = best[:, -1] - best[:, -2] > 1e-3
    np.testing.assert_allclose(rmvpe.decode(salience)[clear], stored["f0"][clear], rtol=1e-4)


@pytest.mark.parametrize(("confidence", "key"), [(0.03, "decode_f0_003"), (0.05, "decode_f0_005")])
def test_saliences_are_read_as_published(confidence, key):
    stored = vectors("rmvpe")
    found = rmvpe.decode(stored["decode_salience"], confidence=confidence)
    np.testing.assert_allclose(found, stored[key], rtol=1e-5)


@pytest.mark.parametrize("layout", ["safetensors", "nested with a filter", "half precision", "legacy file"])
def test_every_published_layout_is_the_same_network(tensors, tmp_path, layout):
    path = tmp_path / "any name"
    if layout == "safetensors":
        from safetensors.torch import save_file

        save_file({name: value for name, value in tensors.items() if value.ndim}, path)
    elif layout == "nested with a filter":
        extra = {"unet.tf.layers.0.conv.0.weight": torch.zeros(16, 16, 3, 3)}
        torch.save({"global_step": 1, "model": tensors | extra}, path)
    elif layout == "half precision":
        torch.save({name: value.half() for name, value in tensors.items()}, path)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=False)
    theirs = rmvpe.load(path, "cpu").state_dict()
    tolerance = 2e-3 if layout == "half precision" else 0
    for name, value in tensors.items():
        assert theirs[name].dtype == value.dtype
        torch.testing.assert_close(theirs[name], value, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("frames", [1, 160, 5119, 5121])
def test_every_length_has_its_exact_frames(installed, write_wav, frames):
    sound = np.random.default_rng(1).normal(0, 0.1, frames)
    found = estimate_pitch(write_wav(sound, 16000), method="rmvpe", f0_max_hz=2000)
    assert found.shape == (frame_count(frames, 16000),)
    assert np.isfinite(found).all()


@pytest.mark.slow
def test_pieces_agree_with_the_whole(weights, installed):
    """Weights made of noise look at their surroundings more than trained ones do; the saliences still agree."""
    sound = np.random.default_rng(2).normal(0, 0.1, 16000 * 14).astype(np.float32)

    def saliences(piece_frames):
        network = rmvpe.load(weights, "cpu")
        with torch.inference_mode():
            pieces = recording_of(sound, piece_frames).pieces(
                context_frames=rmvpe.CONTEXT_FRAMES, align_frames=32
            )
            return np.concatenate(
                [piece.wanted(network(rmvpe.log_mel(piece, "cpu")).numpy()) for piece in pieces]
            )

    whole, cut = saliences(3000), saliences(370)
    assert whole.shape == cut.shape
    assert np.abs(whole - cut).max() < 1e-3


def test_missing_weights_say_what_to_run(write_wav, tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("COVERMAKER_WEIGHTS_RMVPE", raising=False)
    with pytest.raises(WeightsError, match=r"'rmvpe'.*not installed.*covermaker models pull rmvpe"):
        estimate_pitch(write_wav(np.ones(1000)), method="rmvpe")


@pytest.mark.parametrize("content", [b"no weights", b"\x08\0\0\0\0\0\0\0{no json", None])
def test_wrong_weights_are_named(write_wav, tmp_path, monkeypatch, content):
    path = tmp_path / "weights.pt"
    if content is None:
        torch.save({"model": {"other": torch.zeros(1)}}, path)
    else:
        path.write_bytes(content)
    monkeypatch.setenv("COVERMAKER_WEIGHTS_RMVPE", str(path))
    with pytest.raises(WeightsError, match=r"weights\.pt holds no RMVPE"):
        estimate_pitch(write_wav(np.ones(1000)), method="rmvpe")
