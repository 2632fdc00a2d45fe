"""Checkpoints without a download: every tensor follows from its name and shape.

The vectors in ``*_reference.npz`` were computed with the published programs on weights made by the same formula, in
float32 on a CPU. Scales are chosen so that the signal neither dies nor explodes on its way through the network.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent

HUBERT_GAINS = [
    (r"^feature_extractor\.conv_layers\.\d+\.conv\.weight$", 1.6),
    (r"\.attention\.[qk]_proj\.weight$", 3.0),
    (r"\.attention\.out_proj\.weight$", 0.5),
    (r"\.feed_forward\.output_dense\.weight$", 0.5),
    (r"", 1.0),
]
RMVPE_GAINS = [
    (r"^unet\..*\.conv\.3\.weight$", 0.5),
    (r"conv1\.0\.weight$", 2.0),
    (r"^cnn\.weight$", 0.04),
    (r"^fc\.0\.gru\.weight_", 1.5),
    (r"^fc\.1\.weight$", 2.5),
    (r"", 1.2),
]


def reference(name):
    """Return the stored vectors."""
    with np.load(FOLDER / f"{name}_reference.npz") as stored:
        return dict(stored)


def _draw(seed, name, shape):
    rng = np.random.default_rng(zlib.crc32(f"{seed}/{name}".encode()))
    return rng.standard_normal(tuple(shape)).astype(np.float32)


def _matrix(gains, name, x):
    gain = next(value for pattern, value in gains if re.search(pattern, name))
    return np.float32(gain / math.sqrt(math.prod(x.shape[1:]))) * x


def _tensor(gains, seed, name, shape):
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    x = _draw(seed, name, shape)
    if name.endswith("running_var"):
        return np.float32(1.0) + np.float32(0.5) * np.abs(x)
    if name.endswith("running_mean"):
        return np.float32(0.1) * x
    if name.endswith(".weight_g"):
        return np.float32(2.0) * (np.float32(0.8) + np.float32(0.25) * np.abs(x))
    if name.endswith(".weight_v"):
        return x
    if name.endswith(".bias") or ".bias_" in name:
        return np.float32(0.05) * x
    if len(shape) == 1:
        return np.float32(1.0) + np.float32(0.1) * x
    return _matrix(gains, name, x)


def rmvpe_tensors():
    """Return the published flat layout: name -> array."""
    stored = reference("rmvpe")
    seed = str(stored["seed"])
    shapes = json.loads(str(stored["tensors"]))
    return {name: _tensor(RMVPE_GAINS, seed, name, shape) for name, shape in shapes.items()}


def hubert_tensors():
    """Return two layouts of one set of weights: the transformers names and those of the first publication."""
    stored = reference("hubert")
    seed = str(stored["seed"])
    table = json.loads(str(stored["tensors"]))
    newer, older = {}, {}
    for name, (shape, newer_name, older_name) in table.items():
        newer[newer_name] = older[older_name] = _tensor(HUBERT_GAINS, seed, name, shape)
    return newer, older
