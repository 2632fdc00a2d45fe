"""Files as RVC and so-vits-svc write them, of small networks with formula weights."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from parity_weights import drawn, synthesizer_tensor

from covermaker.voices.community.layout import tensors
from covermaker.voices.networks.vits_config import VitsConfig

KEYS = Path(__file__).parent.parent / "parity" / "keys"

# As large as it must be to be of its family, and no larger.
RVC = VitsConfig(
    latent=8, hidden=12, filter=16, layers=2, flows=4, upsample_channels=32, speakers=3, speaker_dim=8
)
RVC_V1 = replace(RVC, content_dim=256)
SOVITS = replace(
    RVC, family="sovits", sample_rate=44_100, hop_samples=512, window=4, flow_layers=4, harmonics=9,
    upsample_rates=(8, 8, 2, 2, 2), upsample_kernels=(16, 16, 4, 4, 4), pitch_decoder=True, units="left",
)  # fmt: skip


def state(
    config: VitsConfig, *, posterior: bool = False, dtype: torch.dtype = torch.float16
) -> OrderedDict[str, Any]:
    """Return a state dict under the names of its own program."""
    shapes = tensors(config, posterior=posterior)
    return OrderedDict(
        (name, torch.from_numpy(np.ascontiguousarray(synthesizer_tensor("community", name, shape))).to(dtype))
        for name, shape in shapes.items()
    )


def small_model(config: VitsConfig = RVC, /, **changes: Any) -> dict[str, Any]:
    """Return what RVC saves of a voice; a change of None takes that out."""
    listed = [
        config.spectrum, 32, config.latent, config.hidden, config.filter, config.heads, config.layers, config.kernel, 0,
        "1", list(config.resblock_kernels), [list(row) for row in config.resblock_dilations],
        list(config.upsample_rates), config.upsample_channels, list(config.upsample_kernels), 109, config.speaker_dim,
        config.sample_rate,
    ]  # fmt: skip
    content = {
        "weight": state(config), "config": listed, "info": "300epoch", "sr": f"{config.sample_rate // 1000}k",
        "f0": int(config.pitched), "version": "v1" if config.content_dim == 256 else "v2", **changes,
    }  # fmt: skip
    return {name: value for name, value in content.items() if value is not None}


def training_state(config: VitsConfig, **changes: Any) -> dict[str, Any]:
    """Return what both programs save while they train."""
    model = state(config, posterior=True, dtype=torch.float32)
    moments = {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(4)}}
    optimizer = {"state": moments, "param_groups": [{"lr": 1e-4, "betas": (0.8, 0.99), "params": [0]}]}
    return {"model": model, "iteration": 42, "optimizer": optimizer, "learning_rate": 1e-4, **changes}


def sovits_config(
    config: VitsConfig = SOVITS, *, spk: dict[str, int] | None = None, **model: Any
) -> dict[str, Any]:
    """Return a config.json as so-vits-svc 4.1 has it; a change of None takes that out."""
    said = {
        "inter_channels": config.latent, "resblock_dilation_sizes": [list(row) for row in config.resblock_dilations],
        "upsample_rates": list(config.upsample_rates), "gin_channels": config.speaker_dim,
        "ssl_dim": config.content_dim, "n_speakers": config.speakers, "vocoder_name": "nsf-hifigan",
        "speech_encoder": "vec768l12" if config.content_dim == 768 else "vec256l9", "vol_embedding": config.volume,
        **model,
    }  # fmt: skip
    return {
        "train": {"segment_size": 10240},
        "data": {
            "sampling_rate": config.sample_rate,
            "hop_length": config.hop_samples,
            "filter_length": 2048,
        },
        "model": {name: value for name, value in said.items() if value is not None},
        "spk": {"anna": 0} if spk is None else spk,
    }


def save(path: Path, content: Any, *, legacy: bool = False) -> Path:
    """Save with torch, in today's layout or the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return path


def save_config(path: Path, content: Any) -> Path:
    """Save a config.json."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def clusters(width: int, *singers: str, count: int = 5) -> dict[str, Any]:
    """Return what so-vits-svc saves of its clusters."""
    return {
        name: {
            "n_features_in_": width,
            "_n_threads": 4,
            "cluster_centers_": drawn("clusters", name, (count, width)),
        }
        for name in singers
    }


def save_index(path: Path, width: int, *, rows: int = 120, lists: int = 3, nprobe: int = 1) -> np.ndarray:
    """Save an index as RVC does, by faiss; return its rows."""
    import faiss

    table = drawn("index", "rows", (rows, width))
    index = faiss.index_factory(width, f"IVF{lists},Flat")
    index.train(table)
    faiss.extract_index_ivf(index).nprobe = nprobe
    index.add(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    faiss.write_index(index, str(path))
    return table


def key_list(name: str) -> list[tuple[str, tuple[int, ...], str]]:
    """Return name, shape and type of every tensor of a network of the original programs, in their order."""
    lines = (KEYS / f"{name}_keys.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [
        (row[0], tuple(int(size) for size in row[1].strip("()").split(",") if size.strip()), row[2])
        for row in rows
    ]
