"""Weights that are formulas of their name and shape, for the vectors in tests/parity.

No trained weight is here: every tensor is normal noise whose seed is a checksum of its name, scaled by a rule. Rules
keep a network of dozens of layers at levels where a mistake shows. See tests/parity/README.md.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent.parent / "parity"
SYNTHESIZERS = (
    "rvc_v1_40k",
    "rvc_v2_32k",
    "rvc_v2_40k",
    "rvc_v2_48k",
    "sovits_40_fork768",
    "sovits_41",
    "sovits_41_vol",
)

# A tensor takes the first rule whose pattern is found in its name.
LENGTHS = {r"^dec\.ups\.": 1.8, r"^dec\.conv_post\.": 0.2, r"^dec\.resblocks\.": 0.7, "": 1.0}
TABLES = {
    r"^emb_g\.weight$": 1.0,
    r"^enc_p\.emb_pitch\.weight$": 0.08,
    r"^enc_p\.f0_emb\.weight$": 0.6,
    r"^emb_uv\.weight$": 0.6,
    r"\.emb_rel_[kv]$": 0.4,
}
MATRICES = {
    r"^enc_p\.emb_phone\.weight$": 0.15,
    r"^pre\.weight$": 1.6,
    r"^emb_vol\.weight$": 3.0,
    r"\.conv_[qk]\.weight$": 2.0,
    r"\.ffn_layers\.\d+\.conv_2\.weight$": 0.8,
    r"^enc_p\.proj\.weight$": 0.7,
    r"^flow\.flows\.\d+\.post\.weight$": 1.5,
    r"^dec\.noise_convs\.\d+\.weight$": 4.0,
    r"^dec\.conv_post\.weight$": 0.2,
    r"^dec\.cond\.weight$": 0.5,
    r"^f0_decoder\.proj\.weight$": 0.15,
    "": 1.0,
}
HUBERT_MATRICES = {
    r"^feature_extractor\.conv_layers\.\d+\.conv\.weight$": 1.6,
    r"\.attention\.[qk]_proj\.weight$": 3.0,
    r"\.attention\.out_proj\.weight$": 0.5,
    r"\.feed_forward\.output_dense\.weight$": 0.5,
    "": 1.0,
}
RMVPE_MATRICES = {
    r"^unet\..*\.conv\.3\.weight$": 0.5,
    r"conv1\.0\.weight$": 2.0,
    r"^cnn\.weight$": 0.04,
    r"^fc\.0\.gru\.weight_": 1.5,
    r"^fc\.1\.weight$": 2.5,
    "": 1.2,
}
SOURCE = "dec.m_source.l_linear.weight"


@cache
def vectors(name: str) -> dict[str, np.ndarray]:
    """Return the arrays of tests/parity/NAME.npz."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def told(name: str, key: str) -> Any:
    """Return what a file says in JSON under `key`: "config", "tensors" or "meta"."""
    return json.loads(str(vectors(name)[key]))


def drawn(seed: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return float32 normal noise whose seed is the CRC-32 of ``seed/name``."""
    generator = np.random.default_rng(zlib.crc32(f"{seed}/{name}".encode()))
    return generator.standard_normal(shape).astype(np.float32)


def synthesizer_tensor(seed: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a tensor of an RVC or so-vits-svc network under its original name."""
    noise = drawn(seed, name, shape)
    if name.endswith(".weight_g"):
        return _length(noise, _rule(LENGTHS, name))
    if name.endswith(".weight_v"):
        return noise
    if name.endswith(".gamma"):
        return np.float32(1) + np.float32(0.1) * noise
    if name == "f0_decoder.proj.bias":
        return np.float32(0.7) + np.float32(0.05) * noise
    if name.endswith((".beta", ".bias")):
        return np.float32(0.05) * noise
    if name == SOURCE:  # a harmonic is as loud as its number says
        return (np.float32(1) + np.float32(0.1) * noise) / np.arange(1, shape[1] + 1, dtype=np.float32)
    scale = _rule(TABLES, name)
    return np.float32(scale) * noise if scale is not None else _matrix(noise, _rule(MATRICES, name))


def hubert_tensor(seed: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a tensor of HuBERT-base under torchaudio's name."""
    noise = drawn(seed, name, shape)
    if name.endswith(".weight_g"):
        return np.float32(2) * _length(noise, 1.0)
    if name.endswith(".weight_v"):
        return noise
    if name.endswith(".bias"):
        return np.float32(0.05) * noise
    if len(shape) == 1:
        return np.float32(1) + np.float32(0.1) * noise
    return _matrix(noise, _rule(HUBERT_MATRICES, name))


def rmvpe_tensor(seed: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a tensor of RMVPE under its original name."""
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    noise = drawn(seed, name, shape)
    if name.endswith("running_var"):
        return np.float32(1) + np.float32(0.5) * np.abs(noise)
    if name.endswith("running_mean"):
        return np.float32(0.1) * noise
    if name.endswith(".bias") or ".bias_" in name:
        return np.float32(0.05) * noise
    if len(shape) == 1:
        return np.float32(1) + np.float32(0.1) * noise
    return _matrix(noise, _rule(RMVPE_MATRICES, name))


def checkpoint(name: str) -> dict[str, np.ndarray]:
    """Return the state dict of one of `SYNTHESIZERS` as its family writes it, with ``weight_g`` and ``weight_v``.

    Drawing takes about a second: keep it for the tests of a module.
    """
    seed = str(vectors(name)["seed"])
    return {key: synthesizer_tensor(seed, key, tuple(shape)) for key, shape in told(name, "tensors").items()}


def fused(state: dict[str, np.ndarray], *, kept_dim: int = 0) -> dict[str, np.ndarray]:
    """Return a state dict with each length and direction as one weight, float32."""
    whole = {}
    for name, values in state.items():
        if name.endswith(".weight_v"):
            continue
        if name.endswith(".weight_g"):
            name = name.removesuffix("_g")
            direction = state[name + "_v"].astype(np.float64)
            others = tuple(dim for dim in range(direction.ndim) if dim != kept_dim)
            length = np.sqrt(np.square(direction).sum(axis=others, keepdims=True))
            values = (values * direction / length).astype(np.float32)
        whole[name] = values
    return whole


def digest(state: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return what a vector file's ``meta`` says of its weights."""
    sha256 = hashlib.sha256()
    for name in sorted(state):
        sha256.update(name.encode())
        sha256.update(state[name].tobytes())
    return {
        "n_tensors": len(state),
        "n_elements": sum(values.size for values in state.values()),
        "sha256": sha256.hexdigest(),
        "sum": math.fsum(float(values.sum(dtype=np.float64)) for values in state.values()),
        "abs_sum": math.fsum(float(np.abs(values).sum(dtype=np.float64)) for values in state.values()),
    }


def vits_table(name: str) -> dict[str, Any]:
    """Return the table of a voice card for one of `SYNTHESIZERS`."""
    config = told(name, "config")
    return _rvc_table(config) if "version" in config else _sovits_table(config)


def _rvc_table(said: dict[str, Any]) -> dict[str, Any]:
    names = (
        "spectrum", "", "latent", "hidden", "filter", "heads", "layers", "kernel", "", "", "resblock_kernels",
        "resblock_dilations", "upsample_rates", "upsample_channels", "upsample_kernels", "speakers", "speaker_dim",
        "sample_rate",
    )  # fmt: skip
    table = {name: value for name, value in zip(names, said["config"], strict=True) if name}
    return {
        **table,
        "family": "rvc",
        "hop_samples": table["sample_rate"] // 100,
        "content_dim": {"v1": 256, "v2": 768}[said["version"]],
        "pitched": bool(said["f0"]),
    }


def _sovits_table(said: dict[str, Any]) -> dict[str, Any]:
    model, data = said["model"], said["data"]
    names = {
        "latent": "inter_channels", "hidden": "hidden_channels", "filter": "filter_channels", "heads": "n_heads",
        "layers": "n_layers", "kernel": "kernel_size", "resblock_kernels": "resblock_kernel_sizes",
        "resblock_dilations": "resblock_dilation_sizes", "upsample_rates": "upsample_rates",
        "upsample_kernels": "upsample_kernel_sizes", "upsample_channels": "upsample_initial_channel",
        "speakers": "n_speakers", "speaker_dim": "gin_channels", "content_dim": "ssl_dim",
    }  # fmt: skip
    return {
        **{ours: model[theirs] for ours, theirs in names.items()},
        "family": "sovits",
        "sample_rate": data["sampling_rate"],
        "hop_samples": data["hop_length"],
        "window": 4,
        "flow_layers": 4,
        "harmonics": 9,
        "volume": model.get("vol_embedding", False),
        "pitch_decoder": True,
        "units": data.get("unit_interpolate_mode", "left"),
        "fork": "speech_encoder" not in model,
        "spectrum": data["filter_length"] // 2 + 1,
    }


def _rule(rules: dict[str, float], name: str) -> Any:
    return next((scale for pattern, scale in rules.items() if re.search(pattern, name)), None)


def _length(noise: np.ndarray, scale: float) -> np.ndarray:
    return np.float32(scale) * (np.float32(0.8) + np.float32(0.25) * np.abs(noise))


def _matrix(noise: np.ndarray, scale: float) -> np.ndarray:
    return np.float32(scale / math.sqrt(math.prod(noise.shape[1:]))) * noise
