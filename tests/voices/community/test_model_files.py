"""A file becomes a model: by its content, whoever wrote it; what is something else is named."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
import torch
from community_models import RVC, RVC_V1, SOVITS, save, small_model, sovits_config, state, training_state

from covermaker.errors import WeightsError
from covermaker.voices.community.model import arrays, read_model
from covermaker.voices.community.variants import VARIANTS
from covermaker.voices.community.weight_norm import fuse, fused_names
from covermaker.voices.networks.vits_network import build_network
from covermaker.weights.torch_file import TorchFile


@pytest.fixture
def read(tmp_path):
    """Save, and read as a model: its network, what it says, its tensors."""

    def reading(content, config=None, *, legacy=False):
        with TorchFile.open(save(tmp_path / "x.bin", content, legacy=legacy)) as file:
            model = read_model(file, config)
            return model.config, model.facts, dict(arrays(file, model))

    return reading


def of(config, dtype=torch.float16):
    """Return the tensors that a voice of such a network has."""
    own = {name: tensor.float().numpy() for name, tensor in state(config, dtype=dtype).items()}
    whole = {}
    for name in fused_names(own):
        at = name.removesuffix(".weight")
        whole[name] = own[name] if name in own else fuse(own[f"{at}.weight_g"], own[f"{at}.weight_v"])
    return whole


def same(one, other):
    return list(one) == list(other) and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("pitched", [True, False])
@pytest.mark.parametrize("config", [RVC, RVC_V1])
def test_a_small_model_of_rvc(read, config, pitched, legacy):
    config = replace(config, pitched=pitched)
    network, facts, tensors = read(small_model(config), legacy=legacy)
    assert network == config
    version = "v1" if config is not RVC and config.content_dim == 256 else "v2"
    assert facts.origin == f"RVC {version}, 40 kHz{'' if pitched else ', without pitch: for speech'}"
    assert facts.encoder == ("contentvec-256l9" if version == "v1" else "contentvec-768l12")
    assert facts.training["info"] == "300epoch"
    assert sorted(tensors) == sorted(of(config))
    assert all(np.array_equal(tensors[name], tensor) for name, tensor in of(config).items())
    assert {array.dtype for array in tensors.values()} == {np.dtype("f4")}
    # And the network of ours takes them all.
    ours = build_network(network)
    ours.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_precision(read, dtype):
    _, _, tensors = read(small_model(weight=state(RVC, dtype=dtype)))
    wanted = of(RVC, dtype)
    assert all(np.array_equal(tensors[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    "missing",
    [["config"], ["version"], ["sr"], ["f0"], ["info"], ["config", "version", "sr", "f0", "info"]],
    ids=str,
)
def test_what_a_file_does_not_say_its_shapes_do(read, missing):
    network, facts, _ = read(small_model(**dict.fromkeys(missing)))
    assert network == RVC
    assert facts.origin == "RVC v2, 40 kHz"


def test_settings_in_every_spelling(read):
    listed = small_model()["config"]
    for changes in (
        {"sr": 40_000},
        {"f0": True},
        {"config": [*listed[:-1], "40k"]},
        {"config": tuple(listed)},
    ):
        assert read(small_model(**changes))[0] == RVC
    # A merge keeps the smaller of two speaker tables, and the list keeps its 109.
    few = replace(RVC, speakers=1)
    assert read(small_model(few))[0] == few


def test_a_wrong_version_is_told(read):
    _, facts, _ = read(small_model(version="v1"))
    assert facts.notes == ("the file calls itself v1, its tensors are of v2",)


def test_a_checkpoint_of_a_training_is_read_without_what_only_training_needs(read):
    network, facts, tensors = read(training_state(RVC))
    assert network == RVC
    assert facts.training == {"iteration": 42}
    assert not [name for name in tensors if name.startswith("enc_q.")]
    assert all(np.array_equal(tensors[name], tensor) for name, tensor in of(RVC, torch.float32).items())


def test_names_of_parallel_training_and_of_newer_torch(read):
    whole = OrderedDict()
    for name, tensor in state(RVC, dtype=torch.float32).items():
        newer = name.replace(".weight_g", ".parametrizations.weight.original0")
        whole["module." + newer.replace(".weight_v", ".parametrizations.weight.original1")] = tensor
    network, _, tensors = read(training_state(RVC, model=whole))
    assert network == RVC
    assert all(np.array_equal(tensors[name], tensor) for name, tensor in of(RVC, torch.float32).items())


def test_weights_that_somebody_has_fused(read):
    fused = {name: torch.from_numpy(array) for name, array in of(RVC).items()}
    network, _, tensors = read({"weight": fused})
    assert network == RVC
    assert all(np.array_equal(tensors[name], tensor) for name, tensor in of(RVC).items())


def test_a_model_of_applio(read):
    applio = {
        "sr": 40_000, "f0": True, "info": None, "epoch": 120, "step": 9000, "creation_date": "2026-01-02T03:04:05",
        "model_hash": "ab", "dataset_length": "12:00", "author": "somebody\nelse", "model_name": "Miku",
        "embedder_model": "contentvec", "speakers_id": 2, "vocoder": "HiFi-GAN",
    }  # fmt: skip
    network, facts, _ = read(small_model(**applio))
    assert network == RVC
    assert facts.singers == ("speaker 0", "speaker 1")
    assert facts.training == {
        "epochs": 120, "steps": 9000, "made": "2026-01-02T03:04:05", "author": "somebody else", "title": "Miku",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vocoder": "RefineGAN"}, "the vocoder 'RefineGAN', which cannot be taken in"),
        ({"vocoder": "MRF HiFi-GAN"}, "the vocoder 'MRF HiFi-GAN', which cannot be taken in"),
        (
            {"embedder_model": "chinese-hubert-base"},
            "content encoder 'chinese-hubert-base', which is not here",
        ),
        ({"embedder_model": "custom"}, "content encoder 'custom', which is not here"),
    ],
)
def test_what_applio_has_and_we_have_not(read, changes, words):
    with pytest.raises(WeightsError, match=words):
        read(small_model(**changes))


@pytest.mark.parametrize("volume", [True, False])
@pytest.mark.parametrize("version", ["4.1", "4.0", "fork"])
def test_a_model_of_so_vits(read, version, volume):
    config = replace(SOVITS, volume=volume and version == "4.1", fork=version != "4.1")
    said = sovits_config(config, spk={"Anna": 0, "ben/c": 2})
    if version != "4.1":
        for name in ("vocoder_name", "vol_embedding", "speech_encoder"):
            del said["model"][name]
    if version == "fork":
        said["data"]["contentvec_final_proj"] = False
        config = replace(config, units="nearest")
    network, facts, tensors = read(training_state(config), said)
    assert network == config
    assert facts.origin == f"so-vits-svc {'4.0v1 (fork)' if version == 'fork' else version}, 44.1 kHz"
    assert (facts.encoder, facts.training) == ("contentvec-768l12", {"epochs": 42})
    assert facts.singers == ("Anna", "speaker 1", "ben-c")
    assert all(np.array_equal(tensors[name], tensor) for name, tensor in of(config, torch.float32).items())
    build_network(network).load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})


def test_so_vits_without_its_pitch_decoder_and_with_its_units(read):
    config = replace(SOVITS, pitch_decoder=False, fork=False, units="nearest")
    said = sovits_config(config)
    said["data"]["unit_interpolate_mode"] = "nearest"
    assert read(training_state(config), said)[0] == config


def test_so_vits_without_a_config_has_no_names(read):
    network, facts, _ = read(training_state(SOVITS))
    assert network == replace(SOVITS, fork=True)
    assert facts.singers == ()
    assert facts.notes == ("there is no config.json: its singers have no names here, and number 0 sings",)


def test_a_compressed_model_of_so_vits(read):
    """As its own tool makes it: without the posterior encoder and the optimizer, in half precision."""
    content = {"model": state(SOVITS), "iteration": 0, "optimizer": None, "learning_rate": 1e-4}
    network, facts, _ = read(content, sovits_config())
    assert network == SOVITS
    assert facts.training == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"use_depthwise_conv": True}, "a so-vits-svc model with depthwise convolutions"),
        ({"flow_share_parameter": True}, "a flow that shares its parameters"),
        ({"use_transformer_flow": True}, "a transformer flow"),
        ({"vocoder_name": "nsf-snake-hifigan"}, "the decoder 'nsf-snake-hifigan'"),
        ({"type_": "ms-istft"}, "the decoder 'ms-istft'"),
        ({"speech_encoder": "whisper-ppg"}, "content encoder 'whisper-ppg', which is not here"),
        ({"speech_encoder": "hubertsoft"}, "content encoder 'hubertsoft', which is not here"),
        ({"speech_encoder": "vec768l9-onnx"}, "content encoder 'vec768l9-onnx', which is not here"),
    ],
)
def test_what_so_vits_has_and_we_have_not(read, changes, words):
    with pytest.raises(WeightsError, match=words):
        read(training_state(SOVITS), sovits_config(**changes))


def test_other_names_of_the_same_reading(read):
    assert read(training_state(SOVITS), sovits_config(speech_encoder="vec768l12-onnx"))[0] == SOVITS
    _, facts, _ = read(training_state(SOVITS), sovits_config(speech_encoder="vec256l9"))
    assert facts.notes == ("config.json says vec256l9, its tensors read rows of width 768",)


def test_another_way_to_the_clock_is_refused(read):
    said = sovits_config()
    said["data"]["unit_interpolate_mode"] = "bilinear"
    with pytest.raises(WeightsError, match="in the way 'bilinear'"):
        read(training_state(SOVITS), said)


@pytest.mark.parametrize("spk", [{"x": 3}, {"x": -1}])
def test_the_config_of_another_model_is_noticed(read, spk):
    with pytest.raises(WeightsError, match="and the model 3 rows of singers"):
        read(training_state(SOVITS), sovits_config(spk=spk))


@pytest.mark.parametrize("spk", [None, [], {"x": "0"}, {"x": True}, 5])
def test_a_table_of_singers_that_is_none(read, spk):
    said = {**sovits_config(), "spk": spk}
    assert read(training_state(SOVITS), said)[1].singers == ()


def test_content_of_another_width_is_refused(read):
    for config in (replace(RVC, content_dim=1024), replace(SOVITS, content_dim=1024)):
        with pytest.raises(WeightsError, match="content of width 1024"):
            read(training_state(config))


# One tensor of each variant is enough to know it.
KNOWN = {
    "MRF HiFi-GAN": "dec.mrfs.0.0.convs1.0.weight_g", "RefineGAN": "dec.downsample_blocks.0.0.weight",
    "depthwise": "flow.flows.0.enc.in_layers.0.depth_conv.weight_g",
    "shares its parameters": "flow.wn.in_layers.0.bias",
    "transformer flow": "flow.flows.0.enc.self_attn_layers.0.conv_q.weight",
    "Snake": "dec.resblocks.0.activations.0.act.alpha", "QuickVC": "dec.subband_conv_post.weight_g",
    "4.0-v2": "dec_harm.conv_pre.weight", "resblock 2": "dec.resblocks.0.convs.0.bias",
    "discriminator": "discriminators.0.convs.0.bias", "diffusion": "decoder.denoise_fn.input_projection.weight",
    "DDSP-SVC": "unit2ctrl.stack.0.weight", "GPT-SoVITS": "ref_enc.spectral.0.fc.weight",
    "reads text aloud": "enc_p.emb.weight", "RMVPE": "unet.encoder.bn.weight",
    "HuBERT": "encoder.layers.0.attention.q_proj.weight",
}  # fmt: skip


def test_every_variant_has_a_test():
    assert len(KNOWN) == len(VARIANTS)


@pytest.mark.parametrize(("what", "name"), KNOWN.items(), ids=KNOWN)
def test_a_known_variant_is_named_and_refused(read, what, name):
    whole = {**state(SOVITS if "flow" in name else RVC), name: torch.ones(2)}
    with pytest.raises(WeightsError, match=rf"it is an? .*{what}|it is the .*{what}") as caught:
        read({"model": whole})
    assert caught.value.hint


def test_unknown_tensors_are_named(read):
    whole = {**state(RVC), "enc_p.prosody.weight": torch.ones(2)}
    with pytest.raises(
        WeightsError, match=r"it has 1 tensors that no such model has, as 'enc_p\.prosody\.weight'"
    ):
        read(small_model(weight=whole))
    with pytest.raises(WeightsError, match=r"no model of RVC or so-vits-svc: it holds 'fc\.weight'"):
        read({"model": {"fc.weight": torch.ones(2)}})
    for content in ({}, [1], {"weight": {"a": 1}}, {"model": {}}, 5):
        with pytest.raises(WeightsError, match="no tensors of a model"):
            read(content)


@pytest.mark.parametrize(
    "name", ["emb_g.weight", "dec.ups.1.weight_g", "dec.ups.1.weight_v", "flow.flows.2.post.bias"]
)
def test_a_model_that_is_not_whole_is_refused(read, name):
    whole = state(RVC)
    del whole[name]
    with pytest.raises(WeightsError, match=r"(it lacks|it has no) (the )?tensor"):
        read(small_model(weight=whole))


def test_a_length_and_a_whole_weight_do_not_go_together(read):
    whole = state(RVC)
    whole["dec.ups.1.weight"] = whole["dec.ups.1.weight_v"]
    with pytest.raises(WeightsError, match="tensor"):
        read(small_model(weight=whole))


def test_another_shape_or_type_is_refused(read):
    whole = state(RVC)
    whole["flow.flows.2.pre.weight"] = whole["flow.flows.2.pre.weight"][:, :3]
    with pytest.raises(
        WeightsError, match=r"'flow\.flows\.2\.pre\.weight' has the shape \(12, 3, 1\) and not \(12, 4, 1\)"
    ):
        read(small_model(weight=whole))
    whole = state(RVC)
    whole["dec.ups.0.weight_g"] = whole["dec.ups.0.weight_g"].ravel()
    with pytest.raises(WeightsError, match=r"'dec\.ups\.0\.weight' has the shape"):
        read(small_model(weight=whole))
    whole = state(RVC)
    whole["emb_g.weight"] = whole["emb_g.weight"].long()
    with pytest.raises(WeightsError, match=r"'emb_g\.weight' holds whole numbers"):
        read(small_model(weight=whole))


def test_a_direction_of_zeros_is_refused(read):
    whole = state(RVC)
    whole["dec.ups.0.weight_v"] = torch.zeros_like(whole["dec.ups.0.weight_v"])
    with pytest.raises(WeightsError, match="direction of its weight norm is all zeros"):
        read(small_model(weight=whole))


def test_a_length_beyond_all_measure_is_refused(read):
    whole = {name: tensor.float() for name, tensor in state(RVC).items()}
    whole["dec.ups.0.weight_g"] = torch.full_like(whole["dec.ups.0.weight_g"], 3e38)
    whole["dec.ups.0.weight_v"] *= 1e-30
    with pytest.raises(WeightsError, match="make numbers that are not finite"):
        read(small_model(weight=whole))
