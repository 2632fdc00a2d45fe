"""How a voice is made, all of it in one place: what is sung, what is heard, the network, the optimiser, the scores.

A profile is a table of plain values. `quick` is for two CPU cores and minutes, `studio` for a GPU and an hour; `rvc`,
`rvc-32k`, `rvc-48k` and `sovits` train a VITS network on a GPU, as the programs of those names do. Which of them a
training takes, and what a person's own file changes, `profile_choice` says.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from covermaker.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Augmentation:
    """What is made out of the takes.

    Parameters
    ----------
    plain_minutes : float
        How much of the takes as they are enters at most.
    made_minutes : float
        How much that is made from them enters at most.
    transposed : float
        Share of what is made: pitch moved.
    sung : float
        Share of what is made: everything slowed down and put on a melody.
    held : float
        Share of what is made: consonants left quick and only vowels long, on a melody.
    throats : int
        Other singers that every example is heard through.
    coloured : float
        Share of those that also went through other rooms, equalisers and remains of a band.
    separated : float
        Share of examples that are also heard through a band and the separator.
    presence : float
        How much of a channel strip, which lifts what is high, dull takes get.
    bright : float
        Share of the other singers that are heard through one, more or less. The encoder hears records as another
        world than speech: without it a voice that was trained on speech loses every second sung word of real songs.
    pitch : str
        The method that reads the takes' pitch.
    """

    plain_minutes: float = 8.0
    made_minutes: float = 14.0
    transposed: float = 0.3
    sung: float = 0.4
    held: float = 0.3
    throats: int = 2
    coloured: float = 0.8
    separated: float = 0.25
    presence: float = 0.0
    bright: float = 0.7
    pitch: str = "dio"


@dataclass(frozen=True)
class Size:
    """How large the network is; see `voices.networks.ddsp_config.DdspConfig`.

    Parameters
    ----------
    hidden : int
        Channels of the trunk.
    inner : int
        Channels inside its blocks.
    dilations : tuple of int
        A block each, which reaches so many frames to both sides.
    memory_rows : int
        Rows of content that it remembers.
    level_frames : int
        Odd: over how many frames the level of the source is averaged; 1: each as it is.
    """

    hidden: int = 256
    inner: int = 384
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    memory_rows: int = 2048
    level_frames: int = 41


@dataclass(frozen=True)
class Vits:
    """Which VITS network is trained, and how large; see `voices.networks.vits_config.VitsConfig`.

    Parameters
    ----------
    family : str
        ``"rvc"`` (v2) or ``"sovits"`` (4.1).
    sample_rate : int
        Of the voice: 32000, 40000 or 48000 Hz of RVC, 44100 Hz of so-vits-svc.
    segment_frames : int
        How much of a cut is decoded, in frames of the network's own clock; 0: as much as in the original program.
    latent : int
        Channels of the latent.
    hidden : int
        Channels of the text encoder's blocks.
    filter : int
        Channels inside their feed-forward part.
    heads : int
        Of the attention of the text encoder.
    layers : int
        Of the text encoder.
    upsample_channels : int
        Of the decoder before its first stage; each stage halves them.
    speaker_dim : int
        Width of the speaker table.
    critics_channels : int
        Of the widest layers of the discriminators.
    """

    family: str = "rvc"
    sample_rate: int = 40_000
    segment_frames: int = 0
    latent: int = 192
    hidden: int = 192
    filter: int = 768
    heads: int = 2
    layers: int = 6
    upsample_channels: int = 512
    speaker_dim: int = 256
    critics_channels: int = 1024


@dataclass(frozen=True)
class Recipe:
    """How a network is optimised.

    A VITS network learns at a rate that falls by 0.999875 an epoch: `final_rate` and `content_noise` do nothing there.

    Parameters
    ----------
    steps : int
        Optimiser steps; with a wall-clock budget the steps that are reached decide.
    batch_size : int
        Cuts a step.
    clip_frames : int
        Length of a cut, in hundredths of a second.
    peak_rate : float
        Learning rate that is reached after `warm_steps`.
    final_rate : float
        Learning rate at the end, where it falls to like a cosine.
    warm_steps : int
        Over which the learning rate rises.
    averaging : float
        Decay of the running mean of the weights, which is what comes out; with 0 the weights themselves do.
    content_noise : float
        Deviation of the noise on the standardised content.
    half : str
        ``"on"``, ``"off"`` or ``"auto"``: the trunk in bfloat16, filters and losses staying float32. Of a VITS
        network all but the losses; ``"float16"`` is a choice, too, and what ``"auto"`` takes on a GPU.
    adversarial : float
        From which part of the training on discriminators judge, too; 1 = never.
    saves : int
        Checkpoints of the whole run; each is scored.
    patience : int
        Saves in a row without a better score that end the training.
    """

    steps: int = 4000
    batch_size: int = 8
    clip_frames: int = 128
    peak_rate: float = 1.5e-3
    final_rate: float = 5e-5
    warm_steps: int = 150
    averaging: float = 0.995
    content_noise: float = 0.15
    half: str = "auto"
    adversarial: float = 1.0
    saves: int = 3
    patience: int = 3


@dataclass(frozen=True)
class Profile:
    """A whole way of training.

    Parameters
    ----------
    name : str
    minutes : float or None
        Wall-clock budget of everything from the takes to the written voice; without it the recipe's steps decide.
    encoder : str
        What reads the content.
    heldout_seconds : float
        Takes that are kept from training and sung for the scores.
    augmentation, size, recipe, vits
        The tables; `size` is of the network ``ddsp``, `vits` of the other.
    network : str
        ``ddsp`` or ``vits``.
    """

    name: str
    minutes: float | None
    encoder: str = "whisper-base"
    heldout_seconds: float = 24.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    size: Size = field(default_factory=Size)
    recipe: Recipe = field(default_factory=Recipe)
    network: str = "ddsp"
    vits: Vits = field(default_factory=Vits)

    def as_dict(self) -> dict[str, Any]:
        """Return the profile as values that JSON knows."""
        values = asdict(self)
        if self.network == "ddsp":  # what was trained before there was another is still what it was
            del values["network"], values["vits"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Profile:
        """Read what `as_dict` wrote.

        Raises
        ------
        ProjectError
            When something is missing, or there is more than a profile has.
        """
        try:
            size = dict(values["size"])
            return cls(
                **{
                    **values,
                    "augmentation": Augmentation(**values["augmentation"]),
                    "size": Size(**{**size, "dilations": tuple(size["dilations"])}),
                    "recipe": Recipe(**values["recipe"]),
                    "vits": Vits(**values.get("vits", {})),
                }
            )
        except (TypeError, KeyError, ValueError) as error:
            raise ProjectError(f"the profile cannot be read: {error}") from error


def _vits(name: str, steps: int, clip_frames: int, **shape: Any) -> Profile:
    """Return the recipe of the program whose network it is: its takes as they are, and losses from the first step."""
    return Profile(
        name,
        minutes=None,
        encoder="contentvec-768l12",
        augmentation=Augmentation(
            plain_minutes=600.0, made_minutes=0.0, throats=0, coloured=0.0, separated=0.0, pitch="fcpe"
        ),
        recipe=Recipe(
            steps=steps, batch_size=8, clip_frames=clip_frames, peak_rate=1e-4, warm_steps=0, averaging=0.0,
            content_noise=0.0, adversarial=0.0, saves=16, patience=6,
        ),
        network="vits",
        vits=Vits(**shape),
    )  # fmt: skip


PROFILES = {
    "quick": Profile("quick", minutes=11.0),
    "studio": Profile(
        "studio",
        minutes=None,
        augmentation=Augmentation(plain_minutes=600.0, made_minutes=90.0, throats=3, separated=0.4),
        size=Size(hidden=320, inner=512, dilations=(1, 2, 4, 8, 1)),
        recipe=Recipe(steps=40_000, batch_size=32, averaging=0.999, adversarial=0.5, saves=20, patience=6),
    ),
    "rvc": _vits("rvc", 8_000, 370),
    "rvc-32k": _vits("rvc-32k", 8_000, 370, sample_rate=32_000),
    "rvc-48k": _vits("rvc-48k", 8_000, 370, sample_rate=48_000),
    "sovits": _vits("sovits", 16_000, 800, family="sovits", sample_rate=44_100, speaker_dim=768),
}
NETWORKS = {
    "ddsp": "quick",
    "vits": "rvc",
}  # what can be trained, and the profile unless another is asked for
