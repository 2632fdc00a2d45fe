"""What lies beside a model, or was named with it, and cannot be meant for it: config, index and clusters."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import WeightsError
from covermaker.texts import one_line
from covermaker.voices.community.names import is_of_step, plain_stem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from covermaker.voices.community.find import Files
    from covermaker.voices.networks.vits_config import Family

_PROGRAMS: Final[dict[Family, str]] = {"rvc": "RVC", "sovits": "so-vits-svc"}
# What only the one program writes into the table ``model`` of its config.
_OWN_KEYS: Final[dict[Family, tuple[str, ...]]] = {
    "rvc": ("spk_embed_dim",),
    "sovits": ("n_speakers", "ssl_dim", "speech_encoder"),
}
_OTHER: Final[dict[Family, Family]] = {"rvc": "sovits", "sovits": "rvc"}
_INSTEAD: Final[dict[Family, str]] = {
    "rvc": "models of RVC need none: leave --config out",
    "sovits": "give the config.json of the model itself",
}
_NAME_AT_HOME: Final = re.compile(r"(?:added|trained)_IVF\d+_Flat_nprobe_\d+_(.+?)(?:_v[12])?")


@dataclass(frozen=True)
class Fitting:
    """What belongs to a model of all that was found, and what the person should know of the rest."""

    files: Files
    config: Mapping[str, Any] | None
    notes: tuple[str, ...] = ()


def fitting(
    files: Files, config: Mapping[str, Any] | None, family: Family | None, named: Collection[str]
) -> Fitting:
    """Leave out what is of the other program; refuse it where the person named it.

    Parameters
    ----------
    files : Files
    config : mapping, optional
        What its config says.
    family : str or None
        Of the model; of none, nothing is judged.
    named : collection of str
        Which of ``config``, ``index`` and ``clusters`` the person named.

    Raises
    ------
    WeightsError
        When something was named that cannot be meant.
    """
    if family is None:
        return Fitting(files, config)
    notes: list[str] = []
    if files.config is not None and config is not None and not _marks(config):
        notes.append(
            f"nothing in {files.said(files.config)} says that {_PROGRAMS[family]} wrote it: is it of this model?"
        )
    if files.config is not None and config is not None and _is_of(_OTHER[family], config):
        said = f"{files.said(files.config)} is a config of {_PROGRAMS[_OTHER[family]]}"
        if "config" in named:
            raise WeightsError(f"{said}, and the model is of {_PROGRAMS[family]}", hint=_INSTEAD[family])
        notes.append(f"{said}: it is not heeded")
        config = None
    if family == "rvc" and files.clusters is not None:
        if "clusters" in named:
            raise WeightsError(
                f"clusters are of so-vits-svc, and the model is of RVC: {files.said(files.clusters)} cannot be meant",
                hint="give its added_….index with --index, or leave --clusters out",
            )
        notes.append(f"{files.said(files.clusters)} is a cluster model of so-vits-svc: it is not taken in")
        files = replace(files, clusters=None)
    if family == "sovits" and files.index is not None:
        said = f"{files.said(files.index)} is an index as RVC writes it, which so-vits-svc does not read"
        if "index" in named:
            notes.append(
                f"{said}: it draws to whoever it was made of, and nothing says that it is this singer"
            )
        else:
            notes.append(f"{said}: it is not taken in; if it was made with this model, give it with --index")
            files = replace(files, index=None)
    if family == "rvc" and files.index is None and files.passed_over:
        notes.append(_of_those_beside(files.passed_over))
    if family == "rvc" and files.index is not None:
        notes.extend(_of_another_name(files.index, files.model))
    return Fitting(files, config, tuple(notes))


def _is_of(family: Family, config: Mapping[str, Any]) -> bool:
    """Tell whether a config has what only one program writes."""
    marks = _marks(config)
    return family in marks and _OTHER[family] not in marks


def _marks(config: Mapping[str, Any]) -> set[Family]:
    """Return the programs that write what a config has; so-vits-svc's is the only one with a table of singers."""
    marks = {family for family, keys in _OWN_KEYS.items() if any(key in config["model"] for key in keys)}
    return marks | ({"sovits"} if isinstance(config.get("spk"), dict) else set())


def _of_those_beside(indexes: Sequence[Path]) -> str:
    """Say which indexes lie beside a single model, and how one is taken."""
    option = f"--index {quote(str(indexes[0]))}"
    if len(indexes) == 1:
        name = one_line(indexes[0].name)
        return f"{name} lies beside it and is not taken in: if it is of this model, add {option}"
    return (
        f"{len(indexes)} indexes lie beside it and none is taken in: name the one of this model, as {option}"
    )


def _of_another_name(index: Path, model: Path) -> list[str]:
    """Say that an index has another voice's name in its own, as RVC names it; a person may have renamed the model."""
    match = _NAME_AT_HOME.fullmatch(index.stem)
    stem = plain_stem(model).casefold()
    if match is None or is_of_step(stem):
        return []
    name = re.sub(r"(_e\d+)?(_s\d+)?$", "", match[1]).casefold()
    if name in stem or stem in name:
        return []
    return [f"{one_line(index.name)} is named for '{one_line(match[1])}': was it made with this model?"]
