"""A training becomes the files with which RVC or so-vits-svc trains on: network, discriminators, their moments."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from covermaker.disk import write_text
from covermaker.errors import UsageError
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import checkpoint_path, load_checkpoint, steps_kept
from covermaker.training.course import FOLDER
from covermaker.voices.card import trained_step
from covermaker.voices.community.give_out import FORMATS, exportable
from covermaker.voices.community.layout import tensors
from covermaker.voices.community.published import save_torch
from covermaker.voices.community.sovits import LEARNING_RATE, config_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch

    from covermaker.training.checkpoint import Checkpoint
    from covermaker.voices.voice import Voice


def give_out_training(voice: Voice, program: str, out: Path, *, replace: bool = False) -> list[Path]:
    """Write the checkpoint that a voice sings with.

    Parameters
    ----------
    voice : Voice
        Trained here, of that program's own family.
    program : str
        ``"rvc"`` or ``"sovits"``, which gets a config.json, too.
    out : Path
        The folder for ``G_<step>.pth`` and ``D_<step>.pth``.
    replace : bool
        Write over what is there.

    Raises
    ------
    UsageError
        When the voice was not trained here, its checkpoint is no longer kept, the program has no such network, or a
        file is there already.
    WeightsError
        When the checkpoint is damaged.
    ResourceError
        When the disk is full or may not be written.
    """
    if program not in FORMATS:
        raise UsageError(f"no program is called '{program}' here", hint="known: " + ", ".join(FORMATS))
    config = exportable(voice, program)
    folder, step = voice.folder / FOLDER / CHECKPOINTS, trained_step(voice.card)
    if step is None or step not in steps_kept(folder):
        raise UsageError(
            f"no checkpoint is kept of what voice '{voice.name}' sings with",
            hint="only a voice that was trained here has one; without --training it is given out as it sings",
        )
    network, critics, settings = out / f"G_{step}.pth", out / f"D_{step}.pth", out / "config.json"
    files = [network, critics, *([settings] if program == "sovits" else [])]
    there = [path for path in files if path.exists()]
    if there and not replace:
        raise UsageError(
            f"{there[0]} is there already", hint="write over it with --force, or choose another --out"
        )
    from covermaker.training.vits_critics import critics_names

    checkpoint = load_checkpoint(checkpoint_path(folder, step))
    order = list(tensors(config, posterior=True))
    save_torch(_saved(checkpoint, "weights", "optimiser", _trained_names(checkpoint), order), network)
    names = critics_names(config.family)
    save_torch(_saved(checkpoint, "critics", "critics_optimiser", names, names), critics)
    if program == "sovits":
        singers = {name: number for number, name in enumerate(voice.card.singers or [voice.name])}
        write_text(settings, json.dumps(config_json(config, singers), indent=2, ensure_ascii=False) + "\n")
    return files


def _trained_names(checkpoint: Checkpoint) -> list[str]:
    """Return the names of the network's tensors as its optimiser counts them."""
    import torch

    from covermaker.training.vits_network import build_trained
    from covermaker.voices.networks.vits_config import VitsConfig

    with torch.device("meta"):
        network = build_trained(VitsConfig.from_mapping(checkpoint.state["network"]))
    return [name for name, _ in network.named_parameters()]


def _saved(
    checkpoint: Checkpoint, weights: str, moments: str, names: Sequence[str], order: Sequence[str]
) -> dict[str, Any]:
    """Return what the programs save: tensors in their order, and the optimiser's state counted in that order."""
    import torch

    tensors_there, kept = checkpoint.part(weights), checkpoint.part(moments)
    own = {name: number for number, name in enumerate(names)}
    model = OrderedDict((name, tensors_there[name]) for name in order)
    state: dict[int, dict[str, torch.Tensor]] = {
        number: {key: kept[f"{own[name]}/{key}"] for key in ("step", "exp_avg", "exp_avg_sq")}
        for number, name in enumerate(order)
        if f"{own[name]}/step" in kept
    }
    parameters = [torch.nn.Parameter(tensor) for tensor in model.values()]
    plain = torch.optim.AdamW(parameters, lr=LEARNING_RATE, betas=(0.8, 0.99), eps=1e-9)
    facts = checkpoint.state.get("facts", {})
    return {
        "model": model,
        "iteration": int(facts.get("epochs", 0)),
        "optimizer": {**plain.state_dict(), "state": state},
        "learning_rate": LEARNING_RATE,
    }
