"""What a voice is called, by the names that people give to its files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from covermaker.project.create import slug

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.voices.community.facts import Facts
    from covermaker.voices.networks.vits_config import Family


def plain_stem(path: Path) -> str:
    """Return a file's name without suffix and without the number of a save: ``Miku_e300_s9000.pth`` is of ``Miku``."""
    return re.sub(r"(_e\d+)?(_s\d+)?$", "", path.stem)


def is_of_step(stem: str) -> bool:
    """Tell whether a file is named for its step, as ``G_2400``, and not for its singer."""
    return re.fullmatch(r"(?i)g_?\d*", stem) is not None


def voice_name(model: Path, path: Path) -> str:
    """Return a name for a voice.

    Parameters
    ----------
    model : Path
        Its file.
    path : Path
        What the person named: the file, or the folder or archive that it lies in.
    """
    stem = plain_stem(model)
    if is_of_step(stem):
        stem = path.parent.name if path == model else path.stem
    return slug(stem)


def course_of(facts: Facts, family: Family, model: Path) -> dict[str, Any]:
    """Return how far a model was trained, with what the name of its file tells.

    so-vits-svc calls a save by its step and writes the epoch into it, its fork calls it by the epoch. Where name and
    file have one number and the program is not known to be the fork, nobody can say which of the two it is.
    """
    training = dict(facts.training)
    match = re.fullmatch(r"(?i)g_?([1-9]\d{0,14})", model.stem)
    if family != "sovits" or match is None or "(fork)" in facts.origin:
        return training
    if training.get("epochs") == int(match[1]):
        training["iteration"] = training.pop("epochs")
    else:
        training["steps"] = int(match[1])
    return training
