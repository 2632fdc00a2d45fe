"""How a voice is made, all of it in one place: what is sung, what is heard, the network, the optimiser, the scores.

A profile is a table of plain values. `quick` is for two CPU cores and minutes, `studio` for a GPU and an hour;
`custom` is `quick` with the changes of a file ``profile.toml`` in the voice's folder::

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
class Recipe:
    """How a network is optimised.

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
        Decay of the running mean of the weights, which is what comes out.
    content_noise : float
        Deviation of the noise on the standardised content.
    half : str
        ``"on"``, ``"off"`` or ``"auto"``: the trunk in bfloat16, filters and losses staying float32.
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
    """

    name: str
    minutes: float | None
    encoder: str = "whisper-base"
    heldout_seconds: float = 24.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    size: Size = field(default_factory=Size)
    recipe: Recipe = field(default_factory=Recipe)

    def as_dict(self) -> dict[str, Any]:
        """Return the profile as values that JSON knows."""
        return asdict(self)

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
                }
            )
        except (TypeError, KeyError, ValueError) as error:
            raise ProjectError(f"the profile cannot be read: {error}") from error


PROFILES = {
    "quick": Profile("quick", minutes=11.0),
    "studio": Profile(
        "studio",
        minutes=None,
        augmentation=Augmentation(plain_minutes=600.0, made_minutes=90.0, throats=3, separated=0.4),
        size=Size(hidden=320, inner=512, dilations=(1, 2, 4, 8, 1)),
        recipe=Recipe(steps=40_000, batch_size=32, averaging=0.999, adversarial=0.5, saves=20, patience=6),
    ),
}


def load_profile(
    name: str, folder: Path, *, minutes: float | None = None, steps: int | None = None
) -> Profile:
    """Return a profile by name, with the command line's wishes.

    Parameters
    ----------
    name : str
        ``quick``, ``studio`` or ``custom``.
    folder : Path
        The voice's; ``custom`` reads its ``profile.toml``.
    minutes : float, optional
        Wall-clock budget of everything.
    steps : int, optional
        A fixed number of steps: no clock decides anything then.

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
    if name == "custom":
        profile = _custom(folder / CUSTOM_FILE)
    elif name in PROFILES:
        profile = PROFILES[name]
    else:
        raise UsageError(f"unknown profile '{name}'", hint=nearest(name, [*PROFILES, "custom"]))
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
    "recipe.steps": (1, math.inf),
    "recipe.batch_size": (1, math.inf),
    "recipe.clip_frames": (16, 3000),
    "recipe.averaging": (0.0, 0.99999),
    "recipe.adversarial": (0.0, 1.0),
    "recipe.saves": (1, math.inf),
    "recipe.patience": (1, math.inf),
}
_HALF = ("on", "off", "auto")
_PARTS = {"augmentation": Augmentation, "size": Size, "recipe": Recipe}


def _custom(path: Path) -> Profile:
    document = Document.read(
        path,
        missing=ProjectError(
            f"profile 'custom' needs {path}",
            hint="tables [augmentation], [size], [recipe] with what differs from quick",
        ),
    )
    base = PROFILES["quick"]
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
    return replace(base, **{"minutes": None, **changes, "name": "custom"})


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
    if where == "recipe.half" and value not in _HALF:
        raise document.error(where, f"{where} = {value!r} is no choice", hint=nearest(str(value), _HALF))
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
