"""The parts of a VITS training, each against what the papers and the programs' files say."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_vits import WIDTH, profile, tones, trainer

from covermaker.errors import ProjectError, UsageError
from covermaker.training.profile_choice import load_profile
from covermaker.training.profiles import PROFILES, Vits
from covermaker.training.vits_critics import (
    OfPeriod,
    VitsCritics,
    adversarial_loss,
    critics_loss,
    feature_loss,
)
from covermaker.training.vits_losses import Spectrum, latent_distance
from covermaker.training.vits_network import build_trained, normed, sung
from covermaker.training.vits_shapes import least_segment_frames, vits_config
from covermaker.voices.networks.vits_network import Told, build_network
from covermaker.voices.networks.vits_pitch_decoder import melodic

KEYS = Path(__file__).parents[1] / "parity" / "keys"


def listed(name: str) -> dict[str, tuple[tuple[int, ...], str]]:
    found = {}
    for line in (KEYS / f"{name}_keys.txt").read_text().splitlines():
        if not line.startswith("#") and line.strip():
            tensor, shape, dtype = line.split("\t")
            found[tensor] = tuple(int(n) for n in re.findall(r"\d+", shape)), dtype
    return found


@pytest.mark.parametrize(
    ("name", "keys", "singers", "count"),
    [
        ("rvc", "rvc_v2_40k", 1, 560),
        ("rvc-32k", "rvc_v2_32k", 1, 560),
        ("rvc-48k", "rvc_v2_48k", 1, 560),
        ("sovits", "sovits_41", 200, 751),
    ],
)
def test_a_trained_network_has_the_tensors_of_its_programs_files(
    name: str, keys: str, singers: int, count: int
) -> None:
    wanted = listed(keys)
    with torch.device("meta"):
        network = build_trained(vits_config(PROFILES[name].vits, 768, singers))
    found = {tensor: (tuple(value.shape), str(value.dtype)) for tensor, value in network.state_dict().items()}
    assert found == wanted
    assert len(found) == count


@pytest.mark.parametrize(("family", "count"), [("rvc", 71_410_594), ("sovits", 46_747_132)])
def test_discriminators_are_as_large_as_those_of_the_programs(family: str, count: int) -> None:
    with torch.device("meta"):
        critics = VitsCritics(family)
    assert sum(p.numel() for p in critics.parameters()) == count


def test_a_normed_layer_is_what_it_was_and_learns_length_and_direction() -> None:
    torch.manual_seed(1)
    layer = torch.nn.ConvTranspose1d(4, 3, 4, 2)
    heard = torch.randn(2, 4, 9)
    before = layer(heard)
    assert torch.allclose(normed(layer)(heard), before, atol=1e-6)
    assert list(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    with torch.no_grad():
        layer.weight_g.mul_(2.0)
    bias = layer.bias[:, None]
    assert torch.allclose(layer(heard) - bias, 2 * (before - bias), atol=1e-5)
    layer(heard).square().sum().backward()
    # A direction's own length is no matter: no gradient along it.
    along = (layer.weight_v.grad * layer.weight_v).sum(dim=(1, 2))
    assert torch.allclose(along, torch.zeros(4), atol=1e-2)
    assert (layer.weight_g.grad.abs() > 1e-3).all()


@pytest.mark.parametrize("name", ["rvc-32k", "sovits"])
def test_a_voice_sings_what_the_trained_network_sings(name: str) -> None:
    learning = trainer(profile(name, steps=2))
    learning.advance()
    weights = learning.voice_weights()
    assert not any(one.startswith("enc_q.") or one.endswith((".weight_g", ".weight_v")) for one in weights)
    fused = build_network(learning.config)
    fused.load_state_dict(dict(weights))
    torch.manual_seed(0)
    z, who = torch.randn(1, 8, 9), torch.randn(1, 8, 1)
    source = torch.randn(1, 1, 9 * learning.config.hop_samples)
    with torch.no_grad():
        for part in ("dec", "flow"):
            given = (z, who, source) if part == "dec" else (z, who)
            first, second = (getattr(one, part)(*given) for one in (learning.network, fused))
            assert torch.allclose(first, second, atol=1e-5)
    assert sung(learning.network.state_dict()).keys() == fused.state_dict().keys()


def test_the_spectrogram_is_that_of_the_formula() -> None:
    spectrum = Spectrum(32_000, 320, 513, 80)
    rng = np.random.default_rng(3)
    sound = rng.normal(size=320 * 6)
    padded = np.pad(sound, 352, mode="reflect")  # (1024 - 320) / 2
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    wanted = np.empty((513, 6))
    for frame in range(6):
        part = padded[320 * frame : 320 * frame + 1024] * window
        turns = np.exp(-2j * np.pi * np.outer(np.arange(513), np.arange(1024)) / 1024) @ part
        wanted[:, frame] = np.sqrt(turns.real**2 + turns.imag**2 + 1e-6)
    found = spectrum(spectrum.mirrored(torch.tensor(sound[None], dtype=torch.float32)))[0].numpy()
    assert found.shape == (513, 6)
    assert np.allclose(found, wanted, rtol=1e-4, atol=1e-4)
    # Silence has the floors' values, and no less.
    quiet = spectrum(torch.zeros(1, 1024))
    assert torch.allclose(quiet, torch.tensor(1e-3))
    assert torch.allclose(
        spectrum.mel(torch.zeros(1, 513, 1)), torch.tensor(np.log(1e-5), dtype=torch.float32)
    )


def test_the_distance_of_the_latents_by_hand() -> None:
    z = torch.tensor([[[1.0, 5.0], [0.0, 5.0]]])
    log_scale = torch.tensor([[[0.0, 9.0], [-1.0, 9.0]]])
    mean = torch.tensor([[[0.0, 7.0], [1.0, 7.0]]])
    prior = torch.tensor([[[0.5, 9.0], [0.0, 9.0]]])
    mask = torch.tensor([[[1.0, 0.0]]])
    by_hand = (0.5 - 0.0 - 0.5 + 0.5 * 1.0 * np.exp(-1.0)) + (0.0 + 1.0 - 0.5 + 0.5 * 1.0)
    assert float(latent_distance(z, log_scale, mean, prior, mask)) == pytest.approx(by_hand, rel=1e-6)
    # Of a draw of the posterior itself, on average nothing but the draw's own spread is left.
    torch.manual_seed(2)
    drawn = torch.randn(1, 64, 4000)
    same = torch.zeros(1, 64, 4000)
    assert abs(float(latent_distance(drawn, same, same, same, torch.ones(1, 1, 4000))) / 64) < 0.01


def test_the_losses_of_discriminators_by_hand() -> None:
    real = [[torch.tensor([1.0, 3.0]), torch.tensor([0.5])], [torch.tensor([2.0]), torch.tensor([1.0])]]
    fake = [[torch.tensor([2.0, 1.0]), torch.tensor([0.25])], [torch.tensor([0.0]), torch.tensor([-1.0])]]
    assert float(critics_loss(real, fake)) == pytest.approx(0.25 + 0.0625 + 0.0 + 1.0)
    assert float(adversarial_loss(fake)) == pytest.approx(0.5625 + 4.0)
    # Verdicts are features, too.
    assert float(feature_loss(real, fake)) == pytest.approx(1.5 + 0.25 + 2.0 + 2.0)


def test_a_period_folds_the_sound() -> None:
    """A sound of that period is the same in each row: so is what the layers make of it, away from its ends."""
    judge = OfPeriod(5, channels=32)
    row = torch.randn(1, 1, 5)
    sound = row.repeat(1, 60, 1).flatten(1)
    features = judge(sound)[0]
    assert features.shape[-1] == 5
    middle = features[0, :, 4:-4]
    assert torch.allclose(middle, middle[:, :1].expand_as(middle), atol=1e-6)


@pytest.mark.parametrize("name", ["rvc-32k", "sovits"])
def test_cuts_are_of_one_place(name: str) -> None:
    """Content, pitch, sound and segment of a cut say the same of each moment, on the network's own clock."""
    wanted = profile(name, clip_frames=50)
    rate = wanted.vits.sample_rate
    hop = rate // 100
    dataset = tones(rate, frames=120)
    for example in dataset.examples:  # a staircase of content, sound and pitch
        steps = np.arange(120)
        example.contents[0][:] = np.repeat(np.arange(60)[:, None], WIDTH, axis=1)
        example.f0_hz[:] = 100.0 + steps
        example.target[:] = np.repeat(steps / 240.0, hop)
    learning = trainer(wanted, dataset=dataset)
    config, context = learning.config, learning.spectrum.context
    drawn = learning.batches.draw(20, np.random.default_rng(5))
    for row in range(20):
        if not drawn.level[row].any():
            continue  # silence
        own = np.flatnonzero(drawn.mask[row])
        seconds = (drawn.f0_hz[row, own] - 100.0) / 100.0  # what time the pitch says it is
        assert np.allclose(np.diff(seconds), config.hop_samples / rate, atol=1e-4)
        assert np.all(np.abs(drawn.content[row, own, 0] - np.floor(seconds * 50 + 1e-3)) < 1e-3)
        heard = drawn.sound[row, context + own * config.hop_samples]
        scale = np.abs(heard).max() / (seconds[np.argmax(np.abs(heard))] * 100 // 1 / 240.0)
        assert np.allclose(heard, np.floor(seconds * 100 + 1e-3) / 240.0 * scale, atol=2e-2)
        start = context + drawn.start[row] * config.hop_samples
        assert np.array_equal(drawn.target[row], drawn.sound[row, start : start + drawn.target.shape[1]])
    shortest = trainer(profile(name, clip_frames=100), dataset=tones(rate, frames=60)).batches
    assert shortest.cut_frames == 60 * hop // config.hop_samples  # no longer than what there is


def test_profiles_of_vits(tmp_path: Path) -> None:
    assert load_profile(None, tmp_path, network="vits").name == "rvc"
    assert load_profile("sovits", tmp_path).network == "vits"
    assert load_profile(None, tmp_path).name == "quick"
    assert "network" not in PROFILES["quick"].as_dict()  # keys of what was trained before stay
    with pytest.raises(
        UsageError, match="the profile 'quick' is of the network 'ddsp', not of 'vits'"
    ) as caught:
        load_profile("quick", tmp_path, network="vits")
    assert caught.value.hint == "--profile rvc or rvc-32k or rvc-48k or sovits or custom"
    with pytest.raises(UsageError, match="no network is called 'vit'"):
        load_profile(None, tmp_path, network="vit")
    (tmp_path / "profile.toml").write_text(
        'network = "vits"\nencoder = "whisper-base"\n[vits]\nhidden = 32\n[recipe]\nhalf = "float16"\n'
    )
    custom = load_profile("custom", tmp_path)
    assert (custom.network, custom.vits.hidden, custom.recipe.half) == ("vits", 32, "float16")
    assert custom.recipe.peak_rate == PROFILES["rvc"].recipe.peak_rate
    (tmp_path / "profile.toml").write_text('[vits]\nfamily = "sovits"\n')
    assert load_profile("custom", tmp_path, network="vits").vits.sample_rate == 44_100


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('network = "vit"\n', "network = 'vit' is no choice"),
        ('network = "vits"\n[vits]\nfamily = "svc"\n', "vits.family = 'svc' is no choice"),
        ("[vits]\nhidden = 0\n", "vits.hidden = 0 is out of range"),
        ('[recipe]\nhalf = "float16"\n', "only for the network 'vits'"),
        ("[vits]\nhidden = 64\n", "profile.toml:1: vits does nothing for the network 'ddsp'"),
        (
            'network = "vits"\n[size]\nhidden = 64\n',
            "profile.toml:2: size does nothing for the network 'vits'",
        ),
        ('network = "vits"\n[recipe]\nfinal_rate = 1e-5\n', "toml:3: recipe.final_rate does nothing for"),
        (
            'network = "vits"\n[recipe]\ncontent_noise = 0.1\n',
            "toml:3: recipe.content_noise does nothing for",
        ),
        ('network = "vits"\n[vits]\nsegment_frames = 2\n', "toml:3: vits.segment_frames = 2 is too short"),
        (
            'network = "vits"\n[vits]\nsample_rate = 16000\n',
            "toml:3: vits.sample_rate = 16000 is none of 'rvc'",
        ),
    ],
)
def test_a_wrong_profile_of_vits_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "profile.toml").write_text(text)
    with pytest.raises(ProjectError, match=says):
        load_profile("custom", tmp_path)


@pytest.mark.parametrize(
    ("name", "least"), [("rvc", 3), ("rvc-32k", 2), ("rvc-48k", 2), ("sovits", 2)]
)  # fmt: skip
def test_the_shortest_segment_is_long_enough_for_its_spectrogram(name: str, least: int) -> None:
    assert least_segment_frames(PROFILES[name].vits) == least
    learning = trainer(profile(name, shape={"segment_frames": least}, steps=1))
    assert np.isfinite(learning.advance().loss)
    with pytest.raises(RuntimeError, match="Padding size should be less"):
        trainer(profile(name, shape={"segment_frames": least - 1}, steps=1)).advance()


def test_a_short_item_is_told_the_pitch_of_itself_alone() -> None:
    """Filling behind it changes nothing of what is guessed, but where a convolution sees that there is an end."""
    learning = trainer(profile("sovits"))
    network = learning.network.eval()
    torch.manual_seed(3)
    told = Told(torch.randn(1, 12, WIDTH), torch.ones(1, 12, dtype=torch.int64),
                torch.ones(1, 12, dtype=torch.int64), torch.full((1, 12), 0.1))  # fmt: skip
    melody, who = melodic(200.0 + 20.0 * torch.arange(12.0)[None]), torch.randn(1, 8, 1)

    def filled(values: torch.Tensor) -> torch.Tensor:
        return torch.cat([values, torch.zeros(1, 5, *values.shape[2:], dtype=values.dtype)], dim=1)

    with torch.no_grad():
        alone = network.guessed_melody(told, melody, who)
        mask = filled(torch.ones(1, 12))[:, None]
        behind = Told(*(filled(getattr(told, name)) for name in ("content", "bins", "voiced", "level")), mask)
        beside = network.guessed_melody(behind, filled(melody), who)
    assert torch.allclose(alone[:, :11], beside[:, :11], atol=1e-6)
    assert not beside[:, 12:].any()


def test_a_network_that_cannot_be_built_is_refused() -> None:
    with pytest.raises(ProjectError, match=r"sample_rate = 16000 is none of 'rvc'") as caught:
        vits_config(Vits(sample_rate=16_000), 768, 1)
    assert caught.value.hint == "known: 32000, 40000, 48000"
    with pytest.raises(ProjectError, match=r"network\.config\.upsample_channels does not fit"):
        vits_config(Vits(upsample_channels=100), 768, 1)
