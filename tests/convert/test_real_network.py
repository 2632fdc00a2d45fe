"""The same promises with the torch network, from card to file; untrained, so nothing is said about beauty."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from covermaker.audio.files import read
from covermaker.convert.convert import ConvertSettings, convert_vocal
from covermaker.voices.card import write_card
from covermaker.voices.voice import Voice


@pytest.fixture(scope="module")
def ddsp_folder(tmp_path_factory):
    """Save a small network with fixed random weights."""
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    from safetensors.torch import save_file

    from covermaker.voices.networks.ddsp import DdspConfig, DdspNetwork

    config = DdspConfig(content_dim=8, hidden=32, inner=32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = DdspNetwork(config)
        for parameter in network.out.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    folder = tmp_path_factory.mktemp("voice")
    save_file(network.state_dict(), folder / "voice.safetensors")
    return folder, config.to_mapping()


@pytest.fixture
def ddsp_voice(ddsp_folder, voice_of):
    folder, config = ddsp_folder

    class Rates:
        sample_rate = config["sample_rate"]

    card = voice_of(Rates()).card
    digest = hashlib.sha256((folder / "voice.safetensors").read_bytes()).hexdigest()
    card = card.model_copy(
        update={
            "network": card.network.model_copy(update={"config": config}),
            "weights": card.weights.model_copy(update={"sha256": digest}),
        }
    )
    write_card(card, folder)
    return Voice.open(folder)


def sing(vocal, voice, out, **more):
    settings = ConvertSettings(protect=0.5, loudness_mix=1.0, **more)
    convert_vocal(vocal.path, out, **vocal.features, voice=voice, transpose="off", seed=1, settings=settings)
    return read(out).samples[0]


def test_chunked_equals_whole(make_vocal, ddsp_voice, tmp_path):
    rate = 44_100
    t = np.arange(5 * rate + 7) / rate
    source = 0.3 * np.sin(2 * np.pi * 220 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * t))
    f0_hz = 220 * 2 ** (np.sin(np.arange(501) / 20) / 12)
    f0_hz[200:230] = 0
    vocal = make_vocal(source, rate, f0_hz=f0_hz)
    whole = sing(vocal, ddsp_voice, tmp_path / "whole.wav", chunk_seconds=100.0)
    assert np.abs(whole).max() > 0.01
    for seconds in (1.0, 1.73):
        part = sing(vocal, ddsp_voice, tmp_path / "part.wav", chunk_seconds=seconds)
        assert np.abs(part - whole).max() < 1e-3 * np.abs(whole).max()


@pytest.mark.parametrize("f0_hz", [220.0, 0.0])
def test_bursts_come_out_when_they_went_in(make_vocal, ddsp_voice, envelope_lag_ms, tmp_path, f0_hz):
    rate, generator = 44_100, np.random.default_rng(2)
    source = np.zeros(10 * rate, dtype=np.float32)
    for start in np.arange(22) * 0.43 + generator.uniform(0.15, 0.25, 22):
        at, length = round(start * rate), round(generator.uniform(0.06, 0.2) * rate)
        source[at : at + length] = generator.uniform(-0.5, 0.5, length) * np.hanning(length) ** 0.2
    vocal = make_vocal(source, rate, f0_hz=f0_hz)
    vocal.features["content"][:] = 0
    out = sing(vocal, ddsp_voice, tmp_path / "out.wav")
    assert abs(envelope_lag_ms(out, source, rate)) < 1.0


def test_twice_the_same(make_vocal, ddsp_voice, tmp_path):
    vocal = make_vocal(np.random.default_rng(0).uniform(-0.3, 0.3, 30_000), 44_100)
    first = sing(vocal, ddsp_voice, tmp_path / "a.wav")
    np.testing.assert_array_equal(sing(vocal, ddsp_voice, tmp_path / "b.wav"), first)
