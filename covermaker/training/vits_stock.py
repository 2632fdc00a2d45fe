"""Which VITS networks the programs train themselves: what they load of a network, and with what they begin one.

RVC takes every size from its own config of a sample rate, so-vits-svc those of the network from the ``config.json``
beside it; the discriminators' are built into both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.features.encoders import content_width
from covermaker.training.profiles import Vits
from covermaker.training.vits_shapes import vits_config
from covermaker.voices.community.facts import READINGS

if TYPE_CHECKING:
    from covermaker.training.profiles import Profile
    from covermaker.voices.community.layout import Shape
    from covermaker.voices.networks.vits_config import VitsConfig

_CONTENT_DIM: Final = 768  # of RVC v2
READING: Final = READINGS[_CONTENT_DIM]


def network_of(profile: Profile) -> VitsConfig:
    """Return the network that a profile trains of one singer.

    Raises
    ------
    ProjectError
        When there is no such network.
    UsageError
        When the profile's encoder is unknown.
    """
    return vits_config(profile.vits, content_width(profile.encoder), 1)


def other_figure(config: VitsConfig) -> tuple[str, object, object] | None:
    """Return the first figure of a network that its program's training would not load: name, figure, the program's.

    None where it loads all of it.
    """
    if config.family != "rvc":
        return None
    own = vits_config(Vits(sample_rate=config.sample_rate), _CONTENT_DIM, 1)
    theirs = own.to_mapping()
    return next(
        ((name, value, theirs[name]) for name, value in config.to_mapping().items() if value != theirs[name]),
        None,
    )


def critics_shapes(family: str, channels: int | None = None) -> dict[str, Shape]:
    """Return name and shape of every tensor of a family's discriminators, in the order of its files.

    Parameters
    ----------
    family : str
    channels : int, optional
        Of the widest layers; by default as the programs have them.
    """
    import torch

    from covermaker.training.vits_critics import WIDEST, VitsCritics

    with torch.device("meta"):
        critics = VitsCritics(family, channels or WIDEST)
    return {name: tuple(tensor.shape) for name, tensor in critics.named_parameters()}
