"""The parts of a VITS network against plain definitions: attention, flow, decoder, what it may see."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from vits_voices import RVC, SOVITS, lively  # noqa: E402

from covermaker.errors import ProjectError  # noqa: E402
from covermaker.voices.networks import vits_attention  # noqa: E402
from covermaker.voices.networks.vits_attention import Attention  # noqa: E402
from covermaker.voices.networks.vits_config import VitsConfig  # noqa: E402
from covermaker.voices.networks.vits_decoder import reach_frames  # noqa: E402
from covermaker.voices.networks.vits_network import Told, build_network  # noqa: E402
from covermaker.voices.networks.vits_pitch_decoder import centred  # noqa: E402


@pytest.fixture(autouse=True)
def same_draws():
    torch.manual_seed(0)


def plain_attention(layer: Attention, x: torch.Tensor, window: int, *, causal: bool) -> torch.Tensor:
    """Attend frame by frame: every pair has its score and, when near, its position."""
    heads, frames = 2, x.shape[2]
    asks, keys, values = (
        conv(x)[0].reshape(heads, -1, frames) for conv in (layer.conv_q, layer.conv_k, layer.conv_v)
    )
    found = torch.zeros_like(asks)
    for head in range(heads):
        for i in range(frames):
            ask = asks[head, :, i] / math.sqrt(asks.shape[1])
            scores = torch.stack([ask @ keys[head, :, j] for j in range(frames)])
            near = [j for j in range(frames) if window and abs(i - j) <= window]
            for j in near:
                scores[j] += ask @ layer.emb_rel_k[0, j - i + window]
            if causal:
                scores[i + 1 :] = -1e4
            shares = scores.softmax(0)
            found[head, :, i] = values[head] @ shares
            for j in near:
                found[head, :, i] += shares[j] * layer.emb_rel_v[0, j - i + window]
    return layer.conv_o(found.reshape(1, -1, frames))


@pytest.mark.parametrize(("window", "causal"), [(0, True), (3, False), (20, False)])
@pytest.mark.parametrize("frames", [1, 2, 7, 8, 9, 21])
@torch.inference_mode()
def test_attention_in_blocks_is_attention(
    monkeypatch: pytest.MonkeyPatch, window: int, causal: bool, frames: int
) -> None:
    monkeypatch.setattr(vits_attention, "_ROWS", 8)
    layer = Attention(12, 2, window, causal=causal)
    x = torch.randn(1, 12, frames)
    assert torch.allclose(layer(x), plain_attention(layer, x, window, causal=causal), atol=1e-5)


@torch.inference_mode()
def test_frames_behind_a_mask_change_nothing() -> None:
    """Items of a batch, each as long as it is, sing what they sing alone."""
    for config in (RVC, SOVITS):
        network = lively(config)
        told = said(config, 30)
        told.content[:, 20:] = 0.0  # as a batch is filled up
        mask = (torch.arange(30) < 20).float()[None, None]
        long = network.prior(replace(told, mask=mask))
        short = network.prior(cut(told, 20))
        speaker = network.emb_g(torch.tensor([1]))[..., None]
        for ours, alone in zip(long, short, strict=True):
            assert torch.allclose(ours[..., :20], alone, atol=1e-5)
            assert not ours[..., 20:].any()
        ours = network.flow(long[0], speaker, mask, reverse=True)
        alone = network.flow(short[0], speaker, reverse=True)
        assert torch.allclose(ours[..., :20], alone, atol=1e-4)


@pytest.mark.parametrize("config", [RVC, SOVITS], ids=["rvc", "sovits"])
@torch.inference_mode()
def test_the_flow_goes_back(config: VitsConfig) -> None:
    network = lively(config)
    speaker = network.emb_g(torch.tensor([2]))[..., None]
    z = torch.randn(1, config.latent, 17)
    there = network.flow(z, speaker)
    assert (there - z).abs().max() > 0.1
    assert torch.allclose(network.flow(there, speaker, reverse=True), z, atol=1e-4)


STACKS = {
    "rvc 40k": VitsConfig(),
    "rvc v2 48k": VitsConfig(
        sample_rate=48_000, hop_samples=480, upsample_rates=(12, 10, 2, 2), upsample_kernels=(24, 20, 4, 4)
    ),
    "so-vits": replace(
        SOVITS, upsample_rates=(8, 8, 2, 2, 2), upsample_kernels=(16, 16, 4, 4, 4), latent=192
    ),
    "small": RVC,
}


@pytest.mark.parametrize("stack", STACKS)
@torch.inference_mode()
def test_the_decoder_reaches_as_far_as_stated(stack: str) -> None:
    """One frame changed moves sound at most so far away, and that far indeed; so cut frames sing the same."""
    config = replace(STACKS[stack], upsample_channels=32, speaker_dim=8, latent=8, speakers=3)
    decoder, reach, hop = lively(config).dec, reach_frames(config), config.hop_samples
    decoder.double()
    frames, at = 2 * reach + 3, reach + 1
    z = torch.randn(1, 8, frames, dtype=torch.float64)
    source, speaker = torch.randn(1, 1, frames * hop).double(), torch.randn(1, 8, 1).double()
    changed = z.clone()
    changed[..., at] += 1.0
    whole = decoder(z, speaker, source)
    moved = torch.nonzero((decoder(changed, speaker, source) - whole)[0]).ravel() // hop
    assert max(at - int(moved.min()), int(moved.max()) - at) == reach
    alone = decoder(z[..., 1:-1], speaker, source[..., hop:-hop])
    kept = slice(reach * hop, (reach + 1) * hop)
    assert torch.allclose(alone[0, kept], whole[0, at * hop : (at + 1) * hop], atol=1e-12)


@torch.inference_mode()
@pytest.mark.parametrize("config", [RVC, SOVITS], ids=["rvc", "sovits"])
def test_a_quick_decoder_has_the_same_weights_and_sings_the_same(config: VitsConfig) -> None:
    plain, quick = lively(config).dec, lively(config).dec
    quick.quicken()
    for name, values in plain.state_dict().items():
        assert torch.equal(values, quick.state_dict()[name])
    z, speaker = torch.randn(2, config.latent, 21), torch.randn(2, config.speaker_dim, 1)
    source = torch.randn(2, 1, 21 * config.hop_samples)
    for told in (source, None):
        wanted, found = plain(z, speaker, told), quick(z, speaker, told)
        assert found.shape == wanted.shape
        assert 20 * math.log10((found - wanted).norm() / wanted.norm()) < -110.0


def test_a_made_up_pitch_sees_nothing_that_comes_later() -> None:
    network, told = lively(SOVITS), said(SOVITS, 40)
    # The mean of the voiced pitch is of all that is given, and three convolutions look two frames ahead.
    f0_hz, speaker = torch.full((1, 40), 200.0), network.emb_g(torch.tensor([0]))[..., None]
    before = network.guessed_f0(told, f0_hz, speaker)
    told.content[:, 30:] += 1.0
    after = network.guessed_f0(told, f0_hz, speaker)
    assert torch.allclose(before[:, :26], after[:, :26], atol=1e-3)
    assert not torch.allclose(before[:, 30:], after[:, 30:], atol=1e-3)


def test_the_mean_of_a_pitch_is_that_of_its_voiced_frames() -> None:
    pitch, voiced = torch.tensor([[1.0, 2.0, 6.0]]), torch.tensor([[1.0, 0.0, 1.0]])
    assert centred(pitch, voiced, 2.0).tolist() == [[-5.0, -3.0, 5.0]]
    assert centred(pitch, torch.zeros(1, 3)).tolist() == pitch.tolist()


@pytest.mark.parametrize("config", [RVC, SOVITS], ids=["rvc", "sovits"])
def test_a_network_that_is_trained_has_lengths_and_directions_and_sings_the_same(config: VitsConfig) -> None:
    """The norm of the training network is handed in; gradients reach every weight that is sung with."""
    from torch.nn.utils.parametrizations import weight_norm

    trained, fused = build_network(config, weight_norm), build_network(config)
    normed = [name for name in trained.state_dict() if name.endswith("parametrizations.weight.original0")]
    assert any(name.startswith("dec.ups.") for name in normed)
    assert any("cond_layer" in name for name in normed)
    assert any(name.startswith("dec.conv_post.") for name in normed) == (config.family == "sovits")
    told, speaker = said(config, 12), trained.emb_g(torch.tensor([0]))[..., None]
    source = torch.randn(1, 1, 12 * config.hop_samples)
    sound = trained.dec(trained.flow(trained.prior(told)[0], speaker), speaker, source)
    sound.square().mean().backward()
    idle = ("f0_decoder", "enc_p.emb_pitch", "dec.m_source")  # not sung with here
    silent = [name for name, weight in trained.named_parameters() if weight.grad is None]
    assert not [name for name in silent if not name.startswith(idle)]
    for module in list(trained.modules()):
        if hasattr(module, "parametrizations"):
            torch.nn.utils.parametrize.remove_parametrizations(module, "weight")
    fused.load_state_dict(trained.state_dict())
    with torch.inference_mode():
        again = fused.dec(fused.flow(fused.prior(told)[0], speaker), speaker, source)
    assert torch.allclose(again, sound, atol=1e-6)


def said(config: VitsConfig, frames: int) -> Told:
    rng = np.random.default_rng(0)
    return Told(
        content=torch.randn(1, frames, config.content_dim),
        bins=torch.from_numpy(rng.integers(1, 256, (1, frames))),
        voiced=torch.from_numpy(rng.integers(0, 2, (1, frames))),
        level=torch.rand(1, frames),
    )


def cut(told: Told, frames: int) -> Told:
    return Told(
        told.content[:, :frames], told.bins[:, :frames], told.voiced[:, :frames], told.level[:, :frames]
    )


BAD = [
    ("rvc", {"colour": 3}, "unknown key 'colour'"),
    ("rvc", {"hidden": 0}, "hidden"),
    ("rvc", {"hidden": 191}, "hidden"),
    ("rvc", {"layers": 10**9}, "layers"),
    ("rvc", {"upsample_rates": [10, 10, 2]}, "upsample_rates"),
    ("rvc", {"upsample_kernels": [17, 16, 4, 4]}, "upsample_kernels"),
    ("rvc", {"resblock_kernels": [3, 7, 10]}, "resblock_kernels"),
    (
        "rvc",
        {"hop_samples": 800, "upsample_rates": [20, 10, 2, 2], "upsample_kernels": [40, 16, 4, 4]},
        "hop",
    ),
    ("rvc", {"family": "vits"}, "family"),
    ("rvc", {"units": "nearest"}, "units"),
    ("rvc", {"volume": True}, "volume"),
    ("rvc", {"fork": True}, "fork"),
    ("rvc", {"pitch_decoder": True}, "pitch_decoder"),
    ("sovits", {"pitched": False}, "pitched"),
    ("sovits", {"units": "repeat"}, "units"),
    ("sovits", {"sample_rate": 44_099}, "sample_rate"),
    ("sovits", {"latent": 9}, "latent"),
    ("rvc", {"speakers": "many"}, "speakers"),
]


@pytest.mark.parametrize(("family", "changes", "said"), BAD)
def test_a_table_that_does_not_fit_is_refused(family: str, changes: dict[str, object], said: str) -> None:
    table = (VitsConfig() if family == "rvc" else SOVITS).to_mapping()
    with pytest.raises(ProjectError, match=said) as refused:
        VitsConfig.from_mapping({**table, **changes})
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("config", [RVC, SOVITS, VitsConfig()])
def test_a_table_is_read_as_it_was_written(config: VitsConfig) -> None:
    assert VitsConfig.from_mapping(config.to_mapping()) == config
