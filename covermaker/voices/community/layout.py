"""The tensors of both families by their own names, in their own order: what a file must hold, and what we write.

`tensors` gives the names of a file of today's community: a convolution with weight norm is ``X.weight_g`` and
``X.weight_v``. A voice of ours keeps the product under ``X.weight`` (`weight_norm`); every other name is the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.voices.networks.vits_config import VitsConfig

Shape: TypeAlias = tuple[int, ...]
Row: TypeAlias = tuple[str, Shape]

POSTERIOR: Final = "enc_q."  # reads the target's spectrogram: in training only
POSTERIOR_LAYERS: Final = 16
_PITCH_BINS: Final = 256
_PRENET_KERNEL: Final = 5
_PITCH_KERNEL: Final = 3
_OUTER_KERNEL: Final = 7  # of the decoder's first and last convolution


def tensors(config: VitsConfig, *, posterior: bool = False) -> dict[str, Shape]:
    """Return name and shape of every tensor, in the order of the family's own files.

    Parameters
    ----------
    config : VitsConfig
    posterior : bool
        Also those that only training needs, as a checkpoint of a training has them.
    """
    rows = _rvc(config) if config.family == "rvc" else _sovits(config)
    return {name: shape for name, shape in rows if posterior or not name.startswith(POSTERIOR)}


def _rvc(config: VitsConfig) -> Iterator[Row]:
    yield from _linear("enc_p.emb_phone", config.hidden, config.content_dim)
    if config.pitched:
        yield "enc_p.emb_pitch.weight", (_PITCH_BINS, config.hidden)
    yield from _encoder("enc_p.encoder", config)
    yield from _conv("enc_p.proj", 2 * config.latent, config.hidden, 1)
    yield from _decoder(config)
    yield from _posterior(config)
    yield from _flow(config)
    yield "emb_g.weight", (config.speakers, config.speaker_dim)


def _sovits(config: VitsConfig) -> Iterator[Row]:
    yield "emb_g.weight", (config.speakers, config.speaker_dim)
    if config.volume:
        yield from _linear("emb_vol", config.hidden, 1)
    yield from _conv("pre", config.hidden, config.content_dim, _PRENET_KERNEL)
    yield from _conv("enc_p.proj", 2 * config.latent, config.hidden, 1)
    yield "enc_p.f0_emb.weight", (_PITCH_BINS, config.hidden)
    yield from _encoder("enc_p.enc_", config)
    yield from _decoder(config)
    yield from _posterior(config)
    yield from _flow(config)
    if config.pitch_decoder:
        yield from _pitch_decoder(config)
    yield "emb_uv.weight", (2, config.hidden)


def _encoder(at: str, config: VitsConfig) -> Iterator[Row]:
    offsets = (1, 2 * config.window + 1, config.hidden // config.heads)
    for layer in range(config.layers):
        yield f"{at}.attn_layers.{layer}.emb_rel_k", offsets
        yield f"{at}.attn_layers.{layer}.emb_rel_v", offsets
        yield from _attention(f"{at}.attn_layers.{layer}", config)
    yield from _norms(f"{at}.norm_layers_1", config)
    yield from _feed_forward(f"{at}.ffn_layers", config)
    yield from _norms(f"{at}.norm_layers_2", config)


def _pitch_decoder(config: VitsConfig) -> Iterator[Row]:
    at, hidden = "f0_decoder.decoder", config.hidden
    yield from _conv("f0_decoder.prenet", hidden, hidden, _PITCH_KERNEL)
    for layer in range(config.layers):
        yield from _attention(f"{at}.self_attn_layers.{layer}", config)
    yield from _norms(f"{at}.norm_layers_0", config)
    yield from _feed_forward(f"{at}.ffn_layers", config)
    yield from _norms(f"{at}.norm_layers_1", config)
    yield from _conv("f0_decoder.proj", 1, hidden, 1)
    yield from _conv("f0_decoder.f0_prenet", hidden, 1, _PITCH_KERNEL)
    yield from _conv("f0_decoder.cond", hidden, config.speaker_dim, 1)


def _attention(at: str, config: VitsConfig) -> Iterator[Row]:
    for what in "qkvo":
        yield from _conv(f"{at}.conv_{what}", config.hidden, config.hidden, 1)


def _norms(at: str, config: VitsConfig) -> Iterator[Row]:
    for layer in range(config.layers):
        yield f"{at}.{layer}.gamma", (config.hidden,)
        yield f"{at}.{layer}.beta", (config.hidden,)


def _feed_forward(at: str, config: VitsConfig) -> Iterator[Row]:
    for layer in range(config.layers):
        yield from _conv(f"{at}.{layer}.conv_1", config.filter, config.hidden, config.kernel)
        yield from _conv(f"{at}.{layer}.conv_2", config.hidden, config.filter, config.kernel)


def _decoder(config: VitsConfig) -> Iterator[Row]:
    is_rvc = config.family == "rvc"
    stages = len(config.upsample_rates)
    channels = [config.upsample_channels >> stage for stage in range(stages + 1)]
    if config.pitched:
        yield from _linear("dec.m_source.l_linear", 1, config.harmonics)
        for stage, width in enumerate(channels[1:]):
            rest = math.prod(config.upsample_rates[stage + 1 :])
            yield from _conv(f"dec.noise_convs.{stage}", width, 1, 2 * rest if rest > 1 else 1)
    outer = _conv if is_rvc else _normed
    yield from outer("dec.conv_pre", channels[0], config.latent, _OUTER_KERNEL)
    for stage, kernel in enumerate(config.upsample_kernels):
        # A transposed convolution: its first dimension is where the sound comes from.
        yield from _normed(
            f"dec.ups.{stage}", channels[stage], channels[stage + 1], kernel, bias=channels[stage + 1]
        )
    block = 0
    for width in channels[1:]:
        for kernel, dilations in zip(config.resblock_kernels, config.resblock_dilations, strict=True):
            for convs in ("convs1", "convs2"):
                for number in range(len(dilations)):
                    yield from _normed(f"dec.resblocks.{block}.{convs}.{number}", width, width, kernel)
            block += 1
    if is_rvc:
        yield "dec.conv_post.weight", (1, channels[-1], _OUTER_KERNEL)
    else:
        yield from _normed("dec.conv_post", 1, channels[-1], _OUTER_KERNEL)
    yield from _conv("dec.cond", channels[0], config.speaker_dim, 1)


def _posterior(config: VitsConfig) -> Iterator[Row]:
    yield from _conv("enc_q.pre", config.hidden, config.spectrum, 1)
    yield from _wavenet("enc_q.enc", config, POSTERIOR_LAYERS)
    yield from _conv("enc_q.proj", 2 * config.latent, config.hidden, 1)


def _flow(config: VitsConfig) -> Iterator[Row]:
    for flow in range(config.flows):
        at = f"flow.flows.{2 * flow}"  # a flip lies between two of them
        yield from _conv(f"{at}.pre", config.hidden, config.latent // 2, 1)
        yield from _wavenet(f"{at}.enc", config, config.flow_layers)
        yield from _conv(f"{at}.post", config.latent // 2, config.hidden, 1)


def _wavenet(at: str, config: VitsConfig, layers: int) -> Iterator[Row]:
    hidden = config.hidden
    for layer in range(layers):
        yield from _normed(f"{at}.in_layers.{layer}", 2 * hidden, hidden, config.flow_kernel)
    for layer in range(layers):
        yield from _normed(
            f"{at}.res_skip_layers.{layer}", 2 * hidden if layer < layers - 1 else hidden, hidden, 1
        )
    yield from _normed(f"{at}.cond_layer", 2 * hidden * layers, config.speaker_dim, 1)


def _linear(at: str, out: int, into: int) -> Iterator[Row]:
    yield f"{at}.weight", (out, into)
    yield f"{at}.bias", (out,)


def _conv(at: str, out: int, into: int, kernel: int) -> Iterator[Row]:
    yield f"{at}.weight", (out, into, kernel)
    yield f"{at}.bias", (out,)


def _normed(at: str, first: int, second: int, kernel: int, bias: int | None = None) -> Iterator[Row]:
    yield f"{at}.bias", (first if bias is None else bias,)
    yield f"{at}.weight_g", (first, 1, 1)
    yield f"{at}.weight_v", (first, second, kernel)
