"""How a voice is made, all of it in one place: what is sung, what is heard, the network, the optimiser, the scores.

A profile is a table of plain values. `quick` is for two CPU cores and minutes, `studio` for a GPU and an hour; `rvc`,
`rvc-32k`, `rvc-48k` and `sovits` train a VITS network on a GPU, as the programs of those names do. `custom` is `quick`,
or with ``network = "vits"`` one of those, with the changes of a file ``profile.toml`` in the voice's folder::

    [augmentation]
    sung = 0.8
    [recipe]
    steps = 5000
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from covermaker.documents.document import Document
from covermaker.errors import ProjectError, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CUSTOM_FILE = "profile.toml"


@dataclass(frozen=True)
class Augmentation:
    """What is made out of the takes.

    Parameters
    ----------
    plain_minutes, made_minutes : float
        How much of the takes as they are, and how much made from them, enters at most.
    transposed, sung, held : float
        Shares of what is made: pitch moved; everything slowed down and put on a melody; consonants left quick and
        only vowels long, on a melody.
    throats : int
        Other singers that every example is heard through.
    coloured : float
        0..1: share of those that also went through other rooms, equalisers and remains of a band.
    separated : float
        0..1: share of examples that are also heard through a band and the separator.
    presence : float
        0..1: how much of `augment.channel_strip` dull takes get.
    bright : float
        0..1: share of the other singers that are heard through it, more or less. The encoder hears records as another
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
    """How large the network is; see `voices.networks.ddsp_config.DdspConfig`."""

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
    latent, hidden, filter, heads, layers, upsample_channels, speaker_dim : int
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
    peak_rate, final_rate : float
        Learning rates: reached after `warm_steps`, and cosine-shaped down to the end.
    warm_steps : int
    averaging : float
        Decay of the running mean of the weights, which is what comes out; with 0 the weights themselves do.
    content_noise : float
        Deviation of the noise on the standardised content.
    half : str
        ``"on"``, ``"off"`` or ``"auto"``: the trunk in bfloat16, filters and losses staying float32. Of a VITS
        network all but the losses; ``"float16"`` is a choice, too, and what ``"auto"`` takes on a GPU.
    adversarial : float
        0..1: from which part of the training on discriminators judge, too; 1 = never.
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
        Wall-clock budget of everything from the takes to the written voice; None: the recipe's steps decide.
    encoder : str
        What reads the content.
    heldout_seconds : float
        Takes that are kept from training and sung for the scores.
    network : str
        ``ddsp`` or ``vits``; `size` is of the one, `vits` of the other.
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


def load_profile(
    name: str | None,
    folder: Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    network: str | None = None,
) -> Profile:
    """Return a profile by name, with the command line's wishes.

    Parameters
    ----------
    name : str, optional
        One of `PROFILES`, or ``custom``; by default that of `NETWORKS`.
    folder : Path
        The voice's; ``custom`` reads its ``profile.toml``.
    minutes : float, optional
        Wall-clock budget of everything.
    steps : int, optional
        A fixed number of steps: no clock decides anything then.
    network : str, optional
        Which network it must be of; without it the profile says.

    Raises
    ------
    UsageError
        For an unknown profile or a budget that is none.
    ProjectError
        When ``profile.toml`` is missing or refused.
    """
    if minutes is not None and not 0.5 <= minutes <= 60 * 24 * 14:
        raise UsageError(f"--minutes {minutes:g} is out of range", hint="0.5 minutes to two weeks")
    if steps is not None and not 1 <= steps <= 100_000_000:
        raise UsageError(f"--steps {steps} is out of range", hint="1 and up")
    if minutes is not None and steps is not None:
        raise UsageError("--minutes and --steps exclude each other", hint="give one of them")
    if network is not None and network not in NETWORKS:
        raise UsageError(f"no network is called '{network}' here", hint=nearest(network, NETWORKS))
    name = name or NETWORKS[network or "ddsp"]
    if name == "custom":
        profile = _custom(folder / CUSTOM_FILE, network)
    elif name in PROFILES:
        profile = PROFILES[name]
    else:
        raise UsageError(f"unknown profile '{name}'", hint=nearest(name, [*PROFILES, "custom"]))
    if network not in (None, profile.network):
        fitting = [one.name for one in PROFILES.values() if one.network == network]
        raise UsageError(
            f"the profile '{name}' is of the network '{profile.network}', not of '{network}'",
            hint="--profile " + " or ".join([*fitting, "custom"]),
        )
    if minutes is not None:
        profile = replace(profile, minutes=minutes)
    if steps is not None:
        profile = replace(profile, minutes=None, recipe=replace(profile.recipe, steps=steps))
    return profile


# Of values that may not be everything from 0 up.
_RANGES = {
    "minutes": (0.5, math.inf),
    "augmentation.coloured": (0.0, 1.0),
    "augmentation.separated": (0.0, 1.0),
    "augmentation.bright": (0.0, 1.0),
    "size.hidden": (1, math.inf),
    "size.inner": (1, math.inf),
    "size.memory_rows": (1, math.inf),
    "size.level_frames": (1, 1001),
    "vits.latent": (2, 4096),
    "vits.hidden": (1, 4096),
    "vits.filter": (1, 8192),
    "vits.heads": (1, 64),
    "vits.layers": (1, 64),
    "vits.upsample_channels": (1, 4096),
    "vits.speaker_dim": (1, 4096),
    "vits.critics_channels": (16, 4096),
    "vits.segment_frames": (0, 1000),
    "recipe.steps": (1, math.inf),
    "recipe.batch_size": (1, math.inf),
    "recipe.clip_frames": (16, 3000),
    "recipe.averaging": (0.0, 0.99999),
    "recipe.adversarial": (0.0, 1.0),
    "recipe.saves": (1, math.inf),
    "recipe.patience": (1, math.inf),
}
_CHOICES = {
    "recipe.half": ("on", "off", "auto", "float16"),
    "vits.family": ("rvc", "sovits"),
    "network": tuple(NETWORKS),
}
_PARTS = {"augmentation": Augmentation, "size": Size, "recipe": Recipe, "vits": Vits}


def _custom(path: Path, network: str | None) -> Profile:
    document = Document.read(
        path,
        missing=ProjectError(
            f"profile 'custom' needs {path}",
            hint="tables [augmentation], [size], [vits], [recipe] with what differs from quick, or from rvc",
        ),
    )
    base = _base_of(document.values, network)
    changes: dict[str, Any] = {}
    for key, value in document.values.items():
        if key in _PARTS and isinstance(value, dict):
            changes[key] = replace(
                getattr(base, key),
                **{
                    name: _fitting(document, f"{key}.{name}", getattr(base, key), name, v)
                    for name, v in value.items()
                },
            )
        else:
            changes[key] = _fitting(document, key, base, key, value)
    profile = replace(base, **{"minutes": None, **changes, "name": "custom"})
    if profile.network == "ddsp" and profile.recipe.half == "float16":
        raise document.error(
            "recipe.half", "recipe.half = 'float16' is only for the network 'vits'", hint="on, off or auto"
        )
    return profile


def _base_of(values: Mapping[str, Any], network: str | None) -> Profile:
    """Return the profile that a file changes."""
    if values.get("network", network or "ddsp") != "vits":
        return PROFILES["quick"]
    table = values.get("vits")
    is_sovits = isinstance(table, dict) and table.get("family") == "sovits"
    return PROFILES["sovits" if is_sovits else "rvc"]


def _fitting(document: Document, where: str, part: Any, name: str, value: Any) -> Any:
    """Return a value of the file as the kind that the table wants."""
    known = {f.name: getattr(part, f.name) for f in fields(part) if f.name not in _PARTS and f.name != "name"}
    if name not in known:
        raise document.error(where, f"unknown key '{where}'", hint=nearest(name, known))
    usual = known[name]
    if name == "minutes":
        usual = 0.0
    low, high = _RANGES.get(where, (0.0, math.inf))
    if type(value) in (int, float) and not low <= value <= high:
        allowed = f"{low:g} and up" if high == math.inf else f"{low:g} to {high:g}"
        raise document.error(where, f"{where} = {value!r} is out of range", hint=allowed)
    if where in _CHOICES and value not in _CHOICES[where]:
        raise document.error(
            where, f"{where} = {value!r} is no choice", hint=nearest(str(value), _CHOICES[where])
        )
    if isinstance(usual, tuple):
        if isinstance(value, list) and value and all(type(v) is int and v > 0 for v in value):
            return tuple(value)
    elif isinstance(usual, str):
        if isinstance(value, str):
            return value
    elif type(value) in (int, float) and value >= 0 and (isinstance(usual, float) or type(value) is int):
        return type(usual)(value)
    raise document.error(
        where, f"{where} = {value!r} is of the wrong kind; the usual value is {known[name]!r}"
    )
