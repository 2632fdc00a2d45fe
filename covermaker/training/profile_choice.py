"""Which profile a training takes: by its name, by the command line's wishes, or by a person's own file.

`custom` is `quick`, or with ``network = "vits"`` the profile of the program, with the changes of a file
``profile.toml`` in the voice's folder::

    [augmentation]
    sung = 0.8
    [recipe]
    steps = 5000

What the network does not read is refused: it would be a wish that nobody hears.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.documents.document import Document
from covermaker.errors import ProjectError, UsageError, nearest
from covermaker.training.profiles import NETWORKS, PROFILES, Augmentation, Profile, Recipe, Size, Vits
from covermaker.training.vits_shapes import least_segment_frames

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CUSTOM_FILE = "profile.toml"


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
RANGES: Final = {
    "minutes": (0.5, math.inf),
    "augmentation.coloured": (0.0, 1.0),
    "augmentation.separated": (0.0, 1.0),
    "augmentation.presence": (0.0, 1.0),
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
CHOICES: Final = {
    "recipe.half": ("on", "off", "auto", "float16"),
    "vits.family": ("rvc", "sovits"),
    "network": tuple(NETWORKS),
}
# What only the other network reads.
UNREAD: Final = {
    "ddsp": ("vits",),
    "vits": ("size", "recipe.final_rate", "recipe.content_noise"),
}
PARTS: Final = {"augmentation": Augmentation, "size": Size, "recipe": Recipe, "vits": Vits}


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
        if key in PARTS and isinstance(value, dict):
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
    _check_read(document, profile)
    if profile.network == "vits":
        _check_segment(document, profile.vits)
    return profile


def _check_read(document: Document, profile: Profile) -> None:
    """Refuse what the profile's network does not read."""
    for where in UNREAD[profile.network]:
        table, _, name = where.partition(".")
        if name in document.values.get(table, ()) if name else table in document.values:
            other = next(name for name in NETWORKS if name != profile.network)
            raise document.error(
                where,
                f"{where} does nothing for the network '{profile.network}'",
                hint=f'leave it out, or train with: network = "{other}"',
            )
    if profile.network == "ddsp" and profile.recipe.half == "float16":
        raise document.error(
            "recipe.half", "recipe.half = 'float16' is only for the network 'vits'", hint="on, off or auto"
        )


def _check_segment(document: Document, shape: Vits) -> None:
    """Refuse a network that no program has, and segments too short for its spectrogram."""
    try:
        least = least_segment_frames(shape)
    except ProjectError as error:
        raise document.error("vits.sample_rate", error.message, hint=error.hint) from error
    if 0 < shape.segment_frames < least:
        raise document.error(
            "vits.segment_frames",
            f"vits.segment_frames = {shape.segment_frames} is too short for the windows of its spectrogram",
            hint=f"{least} and up, or 0: as much as the original program decodes",
        )


def _base_of(values: Mapping[str, Any], network: str | None) -> Profile:
    """Return the profile that a file changes."""
    if values.get("network", network or "ddsp") != "vits":
        return PROFILES["quick"]
    table = values.get("vits")
    is_sovits = isinstance(table, dict) and table.get("family") == "sovits"
    return PROFILES["sovits" if is_sovits else "rvc"]


def _hint(name: str, part: Any, known: Mapping[str, Any]) -> str:
    """Return what may have been meant by an unknown key: one of its table, or at the top a table or one inside."""
    if not isinstance(part, Profile):
        return nearest(name, known)
    tables = [table for table, kind in PARTS.items() if name in {field.name for field in fields(kind)}]
    if tables:
        return "it belongs into " + " or ".join(f"[{table}]" for table in tables)
    return nearest(name, [*known, *PARTS])


def _fitting(document: Document, where: str, part: Any, name: str, value: Any) -> Any:
    """Return a value of the file as the kind that the table wants."""
    known = {f.name: getattr(part, f.name) for f in fields(part) if f.name not in PARTS and f.name != "name"}
    if where in PARTS:
        raise document.error(where, f"{where} = {value!r} is of the wrong kind", hint=f"a table: [{where}]")
    if name not in known:
        raise document.error(where, f"unknown key '{where}'", hint=_hint(name, part, known))
    usual = known[name]
    if name == "minutes":
        usual = 0.0
    low, high = RANGES.get(where, (0.0, math.inf))
    if type(value) in (int, float) and not low <= value <= high:
        allowed = f"{low:g} and up" if high == math.inf else f"{low:g} to {high:g}"
        raise document.error(where, f"{where} = {value!r} is out of range", hint=allowed)
    if where in CHOICES and value not in CHOICES[where]:
        raise document.error(
            where, f"{where} = {value!r} is no choice", hint=nearest(str(value), CHOICES[where])
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
