"""Whether a file of pretrained weights is of the network that is to begin with it, before anything else is done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from covermaker.errors import WeightsError
from covermaker.texts import one_line
from covermaker.training.vits_stock import critics_shapes
from covermaker.voices.community.layout import POSTERIOR, tensors
from covermaker.voices.community.model import claims_of
from covermaker.weights.torch_file import TorchFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.voices.community.layout import Shape
    from covermaker.voices.community.model import Claims
    from covermaker.voices.networks.vits_config import VitsConfig

NETWORK: Final = "network"
CRITICS: Final = "discriminators"
SPEAKERS: Final = "emb_g.weight"  # of any number of singers
_CRITICS_NAMES: Final = "discriminators."
# Siblings that a person may take for it: told by their tensors' names.
_SIBLINGS: Final[dict[str, tuple[tuple[dict[str, bool], str, str], ...]]] = {
    "rvc": (
        ({"pitched": False}, "a network without pitch, for speech", "take f0G….pth and f0D….pth: they sing"),
    ),
    "sovits": (
        (
            {"volume": True},
            "a network that is told a level (vol_embedding)",
            "take one that was trained without it",
        ),
        (
            {"pitch_decoder": False},
            "a network that makes up no pitch (use_automatic_f0_prediction)",
            "take one that was trained with it",
        ),
    ),
}
_HINT: Final = "pretrained weights must be of the same family, sample rate, content encoder and size"


def part_in(claims: Claims) -> str:
    """Tell whether tensors are those of a network or of its discriminators."""
    return CRITICS if any(name.startswith(_CRITICS_NAMES) for name in claims) else NETWORK


def fitting_part(path: Path, config: VitsConfig, critics_channels: int) -> str:
    """Tell which part a file is, `NETWORK` or `CRITICS`; every number in it is read.

    Raises
    ------
    WeightsError
        When it cannot be read or is damaged, or is not of this network: a tensor is missing, of another shape, or one
        that the network has not.
    """
    with TorchFile.open(path) as file:
        claims = claims_of(file)
        part = part_in(claims)
        if part == CRITICS:
            _check(path, claims, critics_shapes(config.family, critics_channels))
        else:
            _refuse_relatives(path, claims, config)
            _check(path, claims, tensors(config, posterior=True))
        for _ in file.read(claims):  # looks at them, too
            pass
    return part


def _refuse_relatives(path: Path, claims: Claims, config: VitsConfig) -> None:
    """Refuse by name what is nearly the right thing."""
    is_finished = not any(name.startswith(POSTERIOR) for name in claims)
    if is_finished and any(name in claims for name in tensors(config)):
        raise WeightsError(
            f"{path} is a finished voice: it has no posterior encoder, which training needs",
            hint="take a G_….pth of a training, or a pretrained f0G….pth",
        )
    for change, what, hint in _SIBLINGS[config.family]:
        if claims.keys() == tensors(replace(config, **change), posterior=True).keys():  # type: ignore[arg-type]
            raise WeightsError(f"{path} is {what}, which is not trained here", hint=hint)


def _check(path: Path, claims: Claims, wanted: Mapping[str, Shape]) -> None:
    """Compare name by name and shape by shape, in both directions."""
    missing = [name for name in wanted if name not in claims]
    unknown = [name for name in claims if name not in wanted]
    for name, shape in wanted.items():
        claim = claims.get(name)
        if claim is not None and not _fits(name, claim.shape, shape):
            raise WeightsError(
                f"{path} is of another network: its tensor '{name}' is {claim.shape}, not {shape}", hint=_HINT
            )
        if claim is not None and not claim.is_real:
            raise WeightsError(
                f"{path} is of another network: its tensor '{name}' holds whole numbers", hint=_HINT
            )
    if missing:
        raise WeightsError(f"{path} is of another network: it has no tensor '{missing[0]}'", hint=_HINT)
    if unknown:
        raise WeightsError(
            f"{path} is of another network: its tensor '{one_line(unknown[0][:80])}' is none of this one",
            hint=_HINT,
        )


def _fits(name: str, there: Shape, shape: Shape) -> bool:
    return there[1:] == shape[1:] and len(there) == len(shape) if name == SPEAKERS else there == shape
