"""The same promises with the torch network, from card to file; untrained, so nothing is said about beauty."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from covermaker.audio.files import read
from covermaker.convert.convert import ConvertSettings, convert_vocal
from covermaker.errors import ProjectError
from covermaker.voices.card import write_card
from covermaker.voices.voice import Voice


@pytest.fixture(scope="module")
def ddsp_folder(tmp_path_factory):
    """Save a small network with fixed random weights, of two singers."""
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    from safetensors.torch import save_file

    from covermaker.voices.networks.ddsp_config import DdspConfig
    from covermaker.voices.networks.ddsp_network import DdspNetwork

    config = DdspConfig(content_dim=8, hidden=32, inner=32, speakers=2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = DdspNetwork(config)
        for parameter in network.out.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        torch.nn.init.normal_(network.speaker_in.weight, std=2.0)
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
            "singers": ["anna", "ben"],
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


def envelope_peak_hz(signal, rate, f0_hz):
    """Return where the harmonics are strongest: a parabola through the three highest, in dB."""
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    hz = np.fft.rfftfreq(len(signal), 1 / rate)
    harmonics = np.arange(1, int(7_000 / f0_hz)) * f0_hz
    level = 20 * np.log10([spectrum[np.abs(hz - at) < f0_hz / 4].max() for at in harmonics])
    top = int(np.argmax(level[1:-1])) + 1
    left, middle, right = level[top - 1 : top + 2]
    return harmonics[top] + f0_hz * 0.5 * (left - right) / (left - 2 * middle + right)


@pytest.mark.parametrize("semitones", [-7.0, -3.0, 4.0, 7.0])
def test_formants_move_and_the_pitch_stays(ddsp_folder, semitones):
    """A network whose filter has one peak at 1500 Hz: the peak moves by the ratio, the harmonics do not."""
    import torch

    from covermaker.voices.networks.ddsp import DdspSynthesizer
    from covermaker.voices.networks.ddsp_config import DdspConfig
    from covermaker.voices.networks.ddsp_network import DdspNetwork

    config = DdspConfig(content_dim=8, hidden=32, inner=32, speakers=2)
    network = DdspNetwork(config)
    bands_hz = (
        700.0 * (8_000.0 / 700.0 + 1.0) ** (np.arange(config.harmonic_bands) / (config.harmonic_bands - 1))
        - 700
    )
    curve = -2.0 - 2.0 * (np.log2(np.maximum(bands_hz, 50.0) / 1_500.0) * 2) ** 2
    with torch.no_grad():
        network.out.weight.zero_()
        network.out.bias[: config.harmonic_bands] = torch.from_numpy(curve.clip(-9.0, 0.0))
        network.out.bias[config.harmonic_bands :] = -14.0
    singer, f0_hz = DdspSynthesizer(network), np.full(200, 110.0)
    sound = {}
    for ratio in (1.0, 2.0 ** (semitones / 12)):
        whole = singer.render(
            np.zeros((200, 8), np.float32), singer.pitch(f0_hz), np.full(200, -20.0),
            first_frame=0, seed=0, formant_ratio=ratio,
        )  # fmt: skip
        sound[ratio] = whole[8_000:24_000].astype(float)
    still, moved = sound.values()
    assert envelope_peak_hz(still, 16_000, 110.0) == pytest.approx(1_500, rel=0.03)
    ratio = envelope_peak_hz(moved, 16_000, 110.0) / envelope_peak_hz(still, 16_000, 110.0)
    assert 12 * np.log2(ratio) == pytest.approx(semitones, abs=0.5)
    for signal in (still, moved):
        period = np.correlate(signal[:4_000], signal[:4_000], mode="full")[3_999:]
        lag = 100 + int(np.argmax(period[100:200]))
        assert lag == pytest.approx(16_000 / 110.0, abs=1)


def test_singers_of_one_voice_are_chosen_and_blended(make_vocal, ddsp_voice, tmp_path):
    vocal = make_vocal(np.random.default_rng(0).uniform(-0.3, 0.3, 44_100), 44_100, f0_hz=220.0)
    first, anna, ben, both = (
        sing(vocal, ddsp_voice, tmp_path / "out.wav", singers=singers)
        for singers in ({}, {"anna": 1.0}, {"ben": 3.0}, {"anna": 0.5, "ben": 0.5})
    )
    assert np.allclose(first, anna, atol=1e-5)
    assert not np.allclose(anna, ben, atol=1e-3)
    assert not np.allclose(both, anna, atol=1e-3)
    assert not np.allclose(both, ben, atol=1e-3)


def test_a_singer_the_voice_does_not_have_is_refused(make_vocal, ddsp_voice, tmp_path):
    vocal = make_vocal(np.zeros(44_100), 44_100)
    with pytest.raises(ProjectError, match="no singer 'bne'") as refused:
        sing(vocal, ddsp_voice, tmp_path / "out.wav", singers={"bne": 1.0})
    assert "ben" in refused.value.hint
    with pytest.raises(ProjectError, match="not all 0"):
        ConvertSettings(singers={"anna": 0.0})
