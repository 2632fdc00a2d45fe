"""What else lies about under the same names and endings, and is no voice that we sing: told by its tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from covermaker.errors import WeightsError
from covermaker.voices.community.saying import LISTED

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Variant:
    """Something that is recognised and refused; `pattern` is searched in the tensors' names."""

    pattern: str
    what: str
    hint: str = LISTED


_HOME: Final = "sing with it at home, or look for one with the standard vocoder"
_MODELS: Final = "it is no voice; covermaker models says which of these are used, and where they go"

VARIANTS: Final = (
    Variant(r"^dec\.(mrfs|upsamples)\.", "an Applio model with the vocoder MRF HiFi-GAN", _HOME),
    Variant(
        r"^dec\.(pre_conv|mel_conv|downsample_blocks|upsample_conv_blocks)\.",
        "an Applio model with the vocoder RefineGAN",
        _HOME,
    ),
    Variant(r"\.(depth_conv|point_conv)\.", "a 'tiny' so-vits-svc model with depthwise convolutions"),
    Variant(r"^flow\.wn\.", "a so-vits-svc model whose flow shares its parameters"),
    Variant(r"^flow\.flows\.\d+\.enc\.(self_attn_layers|cond_pre)\b", "a so-vits-svc model with a transformer flow"),
    Variant(r"\.activations\.", "a so-vits-svc model with the Snake vocoder (nsf-snake-hifigan)", _HOME),
    Variant(r"^dec\.(subband|multistream|stft)", "a QuickVC model (ms-istft) of so-vits-svc-fork", _HOME),
    Variant(r"^(dec_harm|dec_noise|sin_prenet|posterior_encoder|emb_spk)\.", "a so-vits-svc 4.0-v2 model (VISinger 2)"),
    Variant(r"^dec\.resblocks\.\d+\.convs\.", "a model with the small decoder blocks of HiFi-GAN (resblock 2)"),
    Variant(
        r"^(module\.)?discriminators?\.\d+\.",
        "the discriminator of a training (D_….pth), which does not sing",
        "take the G_….pth that lies beside it",
    ),
    Variant(r"(^|\.)denoise_fn\.", "a diffusion model (model_….pt)", "take the G_….pth of the voice"),
    Variant(r"^unit2ctrl\.", "a DDSP-SVC model"),
    Variant(r"^(ssl_proj|quantizer|ref_enc|enc_p\.ssl_proj)\.", "a GPT-SoVITS model, which speaks and does not sing"),
    Variant(r"^(enc_p\.emb\.|dp\.|sdp\.)", "a VITS model that reads text aloud"),
    Variant(r"^(module\.)?unet\.(encoder|decoder|intermediate)\.", "the pitch network RMVPE", _MODELS),
    Variant(
        r"^(hubert\.)?(encoder\.layers\.\d+\.(self_attn|attention)|feature_extractor\.conv_layers)",
        "a content encoder (HuBERT, ContentVec)",
        _MODELS,
    ),
)  # fmt: skip


def refuse_known(names: Iterable[str]) -> None:
    """Refuse tensors that are known to be of something else.

    Raises
    ------
    WeightsError
        That says what it is.
    """
    text = "\n".join(names)
    for variant in VARIANTS:
        if re.search(variant.pattern, text, re.MULTILINE):
            raise WeightsError(f"it is {variant.what}, which cannot be taken in", hint=variant.hint)
