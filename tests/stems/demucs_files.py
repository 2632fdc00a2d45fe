"""Demucs networks as files, in the form the hub has them."""

from __future__ import annotations

import json
from fractions import Fraction


def save_safetensors(network, folder, signature):
    """As the hub has it."""
    from safetensors.torch import save_file

    def encode(value):
        if isinstance(value, Fraction):
            return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
        raise TypeError(value)

    args, kwargs = network._init_args_kwargs
    metadata = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": json.dumps(args, default=encode),
        "kwargs": json.dumps(kwargs, default=encode),
    }
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, str(folder / f"{signature}.safetensors"), metadata=metadata)
