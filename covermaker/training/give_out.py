"""A training becomes the files with which RVC or so-vits-svc trains on: network, discriminators, their optimisers."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from covermaker.disk import write_text
from covermaker.errors import UsageError, WeightsError
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import checkpoint_path, load_checkpoint, steps_kept
from covermaker.training.course import FOLDER
from covermaker.training.vits_stock import critics_shapes, other_figure
from covermaker.voices.card import trained_step
from covermaker.voices.community.give_out import FORMATS, exportable
from covermaker.voices.community.layout import tensors
from covermaker.voices.community.published import save_torch
from covermaker.voices.community.sovits import LEARNING_RATE, config_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch

    from covermaker.training.checkpoint import Checkpoint
    from covermaker.voices.community.layout import Shape
    from covermaker.voices.networks.vits_config import VitsConfig
    from covermaker.voices.voice import Voice

_HINT = "without --training it is given out as it sings"


def give_out_training(voice: Voice, program: str, out: Path, *, replace: bool = False) -> list[Path]:
    """Write the checkpoint that a voice sings with.

    Parameters
    ----------
    voice : Voice
        Trained here, of that program's own family and sizes.
    program : str
        ``"rvc"`` or ``"sovits"``, which gets a config.json, too.
    out : Path
        The folder for ``G_<step>.pth`` and ``D_<step>.pth``.
    replace : bool
        Write over what is there.

    Raises
    ------
    UsageError
        When the voice was not trained here, its checkpoint is no longer kept, the program has no such network or
        would not load all of it, no discriminators had joined, or a file is there already.
    WeightsError
        When the checkpoint is damaged.
    ResourceError
        When the disk is full or may not be written.
    """
    if program not in FORMATS:
        raise UsageError(f"no program is called '{program}' here", hint="known: " + ", ".join(FORMATS))
    config = exportable(voice, program)
    _check_sizes(voice, config)
    folder, step = voice.folder / FOLDER / CHECKPOINTS, trained_step(voice.card)
    if step is None or step not in steps_kept(folder):
        raise UsageError(
            f"no checkpoint is kept of what voice '{voice.name}' sings with",
            hint=f"only a voice that was trained here has one; {_HINT}",
        )
    network, critics, settings = out / f"G_{step}.pth", out / f"D_{step}.pth", out / "config.json"
    files = [network, critics, *([settings] if program == "sovits" else [])]
    there = [path for path in files if path.exists()]
    if there and not replace:
        raise UsageError(
            f"{there[0]} is there already", hint="write over it with --force, or choose another --out"
        )
    checkpoint = load_checkpoint(checkpoint_path(folder, step))
    if not checkpoint.part("critics"):
        raise UsageError(
            f"the checkpoint of step {step} has no discriminators: they had not joined the training yet",
            hint=f"train on, or promote a later one; {_HINT}",
        )
    wanted, judges = tensors(config, posterior=True), critics_shapes(config.family)
    _check_critics(voice, program, checkpoint, judges)
    _check_whole(voice, checkpoint, wanted)
    epochs = int(checkpoint.state.get("facts", {}).get("epochs", 0))
    rates = _rates(checkpoint, epochs)
    # Moments are told apart by their number alone, and RVC 2.3 counts a network's tensors in another order than 2.2:
    # in the wrong one it ends at its first step. Its discriminators are counted alike in both.
    moments = {} if program == "rvc" else checkpoint.part("optimiser")
    parts = (
        (network, "weights", moments, _trained_names(config), list(wanted)),
        (critics, "critics", checkpoint.part("critics_optimiser"), list(judges), list(judges)),
    )
    for path, part, kept, names, order in parts:
        save_torch(_saved(epochs, checkpoint.part(part), kept, names, order, rates), path)
    if program == "sovits":
        singers = {name: number for number, name in enumerate(voice.card.singers or [voice.name])}
        said = config_json(config, singers, learning_rate=rates["initial_lr"])
        write_text(settings, json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    return files


def _check_sizes(voice: Voice, config: VitsConfig) -> None:
    """Refuse a network of which the program would load a part and draw the rest at random, without a word."""
    if other := other_figure(config):
        name, figure, own = other
        raise UsageError(
            f"voice '{voice.name}' has {name} = {figure}, and the network that {FORMATS[config.family]} trains has "
            f"{own}: it would go on from random weights",
            hint=_HINT,
        )


def _check_critics(voice: Voice, program: str, checkpoint: Checkpoint, wanted: Mapping[str, Shape]) -> None:
    there = {name: tuple(tensor.shape) for name, tensor in checkpoint.part("critics").items()}
    if there != wanted:
        raise UsageError(
            f"voice '{voice.name}' was trained with discriminators of another size than {FORMATS[program]} has",
            hint=f"train it with vits.critics_channels = 1024; {_HINT}",
        )


def _check_whole(voice: Voice, checkpoint: Checkpoint, wanted: Mapping[str, Shape]) -> None:
    there = {name: tuple(tensor.shape) for name, tensor in checkpoint.part("weights").items()}
    if there != wanted:
        raise WeightsError(
            f"the checkpoint of step {checkpoint.state['step']} is of another network than voice '{voice.name}'",
            hint=_HINT,
        )


def _trained_names(config: VitsConfig) -> list[str]:
    """Return the names of the network's tensors as its optimiser counts them."""
    import torch

    from covermaker.training.vits_network import build_trained

    with torch.device("meta"):
        network = build_trained(config)
    return [name for name, _ in network.named_parameters()]


def _rates(checkpoint: Checkpoint, epochs: int) -> dict[str, float]:
    """Return the learning rates that the programs' schedulers go on from: as it began, and as it is now."""
    from covermaker.training.vits_trainer import DECAY

    peak = float(checkpoint.state.get("peak_rate", LEARNING_RATE))
    return {"initial_lr": peak, "lr": peak * DECAY**epochs}


def _saved(
    epochs: int,
    weights: Mapping[str, torch.Tensor],
    moments: Mapping[str, torch.Tensor],
    names: Sequence[str],
    order: Sequence[str],
    rates: Mapping[str, float],
) -> dict[str, Any]:
    """Return what the programs save: tensors in their order, and the optimiser's state counted in that order."""
    import torch

    own = {name: number for number, name in enumerate(names)}
    model = OrderedDict((name, weights[name]) for name in order)
    state: dict[int, dict[str, torch.Tensor]] = {
        number: {key: moments[f"{own[name]}/{key}"] for key in ("step", "exp_avg", "exp_avg_sq")}
        for number, name in enumerate(order)
        if f"{own[name]}/step" in moments
    }
    parameters = [torch.nn.Parameter(tensor) for tensor in model.values()]
    plain = torch.optim.AdamW(parameters, betas=(0.8, 0.99), eps=1e-9).state_dict()
    return {
        "model": model,
        "iteration": max(1, epochs),  # they count from 1
        "optimizer": {"state": state, "param_groups": [{**plain["param_groups"][0], **rates}]},
        "learning_rate": rates["initial_lr"],
    }
