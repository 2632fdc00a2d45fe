"""Whole checkpoints of the content encoder and of RMVPE in the layouts that they are published in."""

from __future__ import annotations

from parity_weights import hubert_tensor, rmvpe_tensor, told, vectors


def rmvpe_tensors():
    """Return the published flat layout: name -> array."""
    seed = str(vectors("rmvpe")["seed"])
    return {name: rmvpe_tensor(seed, name, shape) for name, shape in told("rmvpe", "tensors").items()}


def hubert_tensors():
    """Return three layouts of one set of weights: of transformers, of the first publication, of torchaudio."""
    seed = str(vectors("hubert")["seed"])
    transformers, first, torchaudio = {}, {}, {}
    for name, (shape, newer_name, older_name) in told("hubert", "tensors").items():
        torchaudio[name] = transformers[newer_name] = first[older_name] = hubert_tensor(seed, name, shape)
    return transformers, first, torchaudio
