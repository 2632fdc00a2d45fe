"""What network a file is of, by its shapes and by what stands beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from community_models import RVC, RVC_V1, SOVITS

from covermaker.errors import WeightsError
from covermaker.voices.community.layout import tensors
from covermaker.voices.community.settings import hertz, is_config, read_config, told_by_config, told_by_list
from covermaker.voices.community.shapes import Told, config_of, family_of


def shapes_of(config):
    plain = {name.replace(".weight_v", ".weight"): shape for name, shape in tensors(config).items()}
    return {name: shape for name, shape in plain.items() if not name.endswith(".weight_g")}


def found(config, **told):
    return config_of(config.family, shapes_of(config), Told(**told))


STOCK = {
    "v1 32k": replace(RVC_V1, sample_rate=32_000, hop_samples=320, upsample_rates=(10, 4, 2, 2, 2),
                      upsample_kernels=(16, 16, 4, 4, 4), spectrum=513),
    "v1 40k": RVC_V1,
    "v1 48k": replace(RVC_V1, sample_rate=48_000, hop_samples=480, upsample_rates=(10, 6, 2, 2, 2),
                      upsample_kernels=(16, 16, 4, 4, 4)),
    "v2 24k": replace(RVC, sample_rate=24_000, hop_samples=240, upsample_rates=(10, 6, 2, 2),
                      upsample_kernels=(20, 12, 4, 4), spectrum=513),
    "v2 32k": replace(RVC, sample_rate=32_000, hop_samples=320, upsample_rates=(10, 8, 2, 2),
                      upsample_kernels=(20, 16, 4, 4), spectrum=513),
    "v2 40k": RVC,
    "v2 48k": replace(RVC, sample_rate=48_000, hop_samples=480, upsample_rates=(12, 10, 2, 2),
                      upsample_kernels=(24, 20, 4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("config", STOCK.values(), ids=STOCK)
def test_shapes_alone_tell_all_of_a_standard_network(config):
    assert found(config) == config


@pytest.mark.parametrize("config", STOCK.values(), ids=STOCK)
def test_without_pitch_the_sample_rate_tells_the_rest(config):
    speech = replace(config, pitched=False)
    assert found(speech, sample_rate=config.sample_rate) == speech


def test_without_pitch_and_sample_rate_two_networks_look_alike():
    speech = replace(STOCK["v1 48k"], pitched=False)
    with pytest.raises(WeightsError, match="how fast its decoder is") as caught:
        found(speech)
    assert "--config" in caught.value.hint


@pytest.mark.parametrize("volume", [True, False])
@pytest.mark.parametrize("pitch_decoder", [True, False])
def test_so_vits_s_options_are_in_its_shapes(volume, pitch_decoder):
    config = replace(SOVITS, volume=volume, pitch_decoder=pitch_decoder, speaker_dim=768, fork=False)
    assert found(config) == config


def test_so_vits_of_older_programs_has_narrow_speakers():
    assert found(SOVITS).fork
    assert not found(SOVITS, fork=False).fork
    assert found(SOVITS, units="nearest").units == "nearest"


def test_a_network_of_nobody_s_is_sung_as_its_config_says():
    config = replace(
        RVC, sample_rate=16_000, hop_samples=160, upsample_rates=(5, 8, 2, 2), upsample_kernels=(11, 16, 4, 4),
        spectrum=513, resblock_dilations=((1, 2, 3),) * 3,
    )  # fmt: skip
    assert found(config, sample_rate=16_000, rates=(5, 8, 2, 2), dilations=((1, 2, 3),) * 3) == config
    # All rates but the first are in the shapes, and the first is what is left.
    assert found(config, sample_rate=16_000, dilations=((1, 2, 3),) * 3) == config


def test_a_config_that_cannot_be_of_these_tensors_is_not_believed():
    wrong = found(RVC, sample_rate=40_000, rates=(10, 5, 4, 2), dilations=((1, 3),))
    assert wrong == RVC


def test_other_blocks_need_a_config():
    config = replace(RVC, resblock_dilations=((1, 3),) * 3)
    with pytest.raises(WeightsError, match="blocks of 2 convolutions"):
        found(config)
    assert found(config, dilations=((1, 3),) * 3) == config


def test_shapes_that_fit_nothing_are_told():
    shapes = shapes_of(RVC)
    assert family_of(shapes) == "rvc"
    assert family_of({}) is None
    assert family_of(shapes_of(SOVITS)) == "sovits"
    for name, shape in {
        "enc_p.encoder.attn_layers.0.emb_rel_k": (1, 21, 0), "emb_g.weight": (3,), "enc_p.proj.weight": (2, 12, 1),
        "dec.ups.0.weight": (32,),
    }.items():  # fmt: skip
        with pytest.raises(WeightsError):
            config_of("rvc", {**shapes, name: shape}, Told())
    del shapes["dec.conv_pre.weight"]
    with pytest.raises(WeightsError, match=r"no tensor 'dec\.conv_pre\.weight'"):
        config_of("rvc", shapes, Told())


def test_what_a_list_says():
    listed = [513, 32, 192, 192, 768, 2, 6, 3, 0, "1", [3], [[1, 3]], [10, 2], 512, [16, 4], 109, 256, "40k"]
    assert told_by_list(listed, None) == Told(40_000, None, (10, 2), ((1, 3),), 513)
    assert told_by_list(listed[:-1], "48k") == Told(48_000)
    assert told_by_list(None, 32_000.0) == Told()
    assert told_by_list([True] * 18, None) == Told()


@pytest.mark.parametrize(
    ("value", "rate"),
    [("40k", 40_000), ("40000", 40_000), (48_000, 48_000), (" 32k ", 32_000), ("x", None), (-1, None), (True, None),
     (float("nan"), None), ([], None), ("9" * 50, None)],
)  # fmt: skip
def test_sample_rates_are_written_in_many_ways(value, rate):
    assert hertz(value) == rate


def test_a_config_json(tmp_path):
    said = {
        "data": {"sampling_rate": 44100, "hop_length": 512, "filter_length": 2048},
        "model": {"upsample_rates": "x"},
    }
    assert told_by_config(said) == Told(44_100, 512, None, None, 1025)
    assert not is_config([said])
    for text in (b"", b"[]", b"{", b'{"model": 1, "data": {}}', b"\xff", b"[" * 100_000, b" " * (2 << 20)):
        (tmp_path / "c.json").write_bytes(text)
        with pytest.raises(WeightsError, match=r"c is no (JSON|config) of a model"):
            read_config(tmp_path / "c.json", "c")
