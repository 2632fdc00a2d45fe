"""A voice becomes files of RVC or so-vits-svc."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from covermaker.disk import replacing, write_text
from covermaker.errors import UsageError, WeightsError
from covermaker.progress import silent
from covermaker.voices import index_centres, index_ivf
from covermaker.voices.community.clusters import saved_clusters
from covermaker.voices.community.facts import READINGS
from covermaker.voices.community.ivf_file import Ivf, write_ivf
from covermaker.voices.community.published import checkpoint, published, save_torch
from covermaker.voices.community.rvc import small_model
from covermaker.voices.community.sidecar import sidecar_path, sidecar_text
from covermaker.voices.community.sovits import LEARNING_RATE, config_json
from covermaker.voices.index_tables import index_kind, map_table, read_tables
from covermaker.voices.networks.vits_config import VitsConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.progress import Progress
    from covermaker.voices.voice import Voice

Plan: TypeAlias = "dict[Path, Callable[[Path], object]]"

FORMATS: Final = {"rvc": "RVC", "sovits": "so-vits-svc"}
# What those programs have built in: a network with other figures is none of theirs.
_BUILT_IN: Final[dict[str, dict[str, int]]] = {
    "rvc": {"window": 10, "flows": 4, "flow_layers": 3, "flow_kernel": 5, "harmonics": 1},
    "sovits": {"window": 4, "flows": 4, "flow_layers": 4, "flow_kernel": 5, "harmonics": 9},
}


@dataclass(frozen=True)
class GivenOut:
    """What was written, and what the person should know."""

    files: list[Path]
    notes: list[str]


def give_out(
    voice: Voice, program: str, out: Path, *, replace: bool = False, progress: Progress = silent
) -> GivenOut:
    """Write a voice as the files of another program.

    Parameters
    ----------
    voice : Voice
        Of that program's own family.
    program : str
        ``"rvc"``: NAME.pth and, with an index, NAME.index. ``"sovits"``: G_0.pth, config.json and, with clusters,
        kmeans_N.pt, in a folder NAME of their own. Beside the model lies what `sidecar` says of it.
    out : Path
        The folder for them, made when it is missing; of RVC also the .pth itself.
    replace : bool
        Write over what is there.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    UsageError
        When the program is unknown, the voice is not of its family, or a file is there already.
    WeightsError
        When the voice is damaged.
    ResourceError
        When the disk is full or may not be written.
    """
    if program not in FORMATS:
        raise UsageError(f"no program is called '{program}' here", hint="known: " + ", ".join(FORMATS))
    config = exportable(voice, program)
    voice.verify()
    plan, notes = _rvc(voice, config, out) if program == "rvc" else _sovits(voice, config, out / voice.name)
    model = next(iter(plan))
    plan[sidecar_path(model)] = lambda path: write_text(path, sidecar_text(voice.card, voice.name, model))
    there = [path for path in plan if path.exists()]
    if there and not replace:
        raise UsageError(
            f"{there[0]} is there already", hint="write over it with --force, or choose another --out"
        )
    for number, (path, write) in enumerate(plan.items()):
        write(path)
        progress((number + 1) / len(plan))
    return GivenOut(list(plan), notes)


def program_of(voice: Voice) -> str:
    """Return the only program whose files a voice can be given out as.

    Raises
    ------
    UsageError
        When there is none.
    """
    return _built(voice).family


def exportable(voice: Voice, program: str) -> VitsConfig:
    """Return what the voice is built from, if the program can build it and read what is sung as the voice wants it.

    Raises
    ------
    UsageError
        When it cannot.
    """
    config = _built(voice)
    if config.family != program:
        raise UsageError(
            f"voice '{voice.name}' is of {FORMATS[config.family]}: it cannot be a file of {FORMATS[program]}",
            hint=f"give it out with --format {config.family}",
        )
    for name, figure in _BUILT_IN[program].items():
        if getattr(config, name) != figure and (config.pitched or name != "harmonics"):
            raise UsageError(
                f"voice '{voice.name}' has {name} = {getattr(config, name)}, {FORMATS[program]} has {figure} built in",
                hint="it can only be sung with here",
            )
    encoder, reading = voice.card.content.encoder, READINGS.get(config.content_dim)
    if encoder != reading:
        raise UsageError(
            f"voice '{voice.name}' was trained on the content encoder '{encoder}', which {FORMATS[program]} has not: "
            "there it would sing noise",
            hint=f"voices of {' or '.join(READINGS.values())} can be given out: covermaker train VOICE --encoder …",
        )
    return config


def _built(voice: Voice) -> VitsConfig:
    network = voice.card.network
    if network.kind != "vits":
        raise UsageError(
            f"voice '{voice.name}' is sung by Covermaker's own network '{network.kind}', which no other program has",
            hint="only voices of the kind 'vits', as imported ones are, can be given out",
        )
    return VitsConfig.from_mapping(network.config)


def _rvc(voice: Voice, config: VitsConfig, out: Path) -> tuple[Plan, list[str]]:
    model = out if out.suffix == ".pth" else out / f"{voice.name}.pth"
    plan: Plan = {
        model: lambda path: save_torch(
            small_model(config, published(config, _state(voice)), voice.card), path
        )
    }
    kind, notes = _kind_of_index(voice, index_ivf.KIND, "RVC")
    if kind:
        plan[model.with_suffix(".index")] = partial(_write_index, voice)
    return plan, notes


def _sovits(voice: Voice, config: VitsConfig, out: Path) -> tuple[Plan, list[str]]:
    epochs = voice.card.training.get("epochs", voice.card.training.get("iteration"))
    epoch = epochs if isinstance(epochs, int) else 0
    spk = {name: number for number, name in enumerate(voice.card.singers or [voice.name])}
    text = json.dumps(config_json(config, spk), indent=2, ensure_ascii=False) + "\n"
    plan: Plan = {
        out / "G_0.pth": lambda path: save_torch(
            checkpoint(published(config, _state(voice)), epoch=epoch, learning_rate=LEARNING_RATE), path
        ),
        out / "config.json": lambda path: write_text(path, text),
    }
    kind, notes = _kind_of_index(voice, index_centres.KIND, "so-vits-svc")
    if kind:
        tables = _clusters(voice, list(spk))
        count = max(map(len, tables.values()))
        plan[out / f"kmeans_{count}.pt"] = lambda path: save_torch(saved_clusters(tables), path)
    return plan, notes


def _state(voice: Voice) -> dict[str, NDArray[np.float32]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(voice.weights_path))
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"the weights of voice '{voice.name}' cannot be read", hint="import it again"
        ) from error


def _kind_of_index(voice: Voice, wanted: str, program: str) -> tuple[bool, list[str]]:
    """Tell whether a voice has an index of the program's kind; of another one, say that it stays here."""
    if voice.card.index is None:
        return False, []
    has = index_kind(voice.folder / voice.card.index.file, default="content") == wanted
    return has, [] if has else [
        f"the index of '{voice.name}' is of a kind that {program} has not: it stays here"
    ]


def _table(voice: Voice, name: str) -> NDArray[Any]:
    assert voice.card.index is not None
    return map_table(voice.folder / voice.card.index.file, name)


def _write_index(voice: Voice, path: Path) -> None:
    assert voice.card.index is not None
    ids, centres, ends, nprobe = read_tables(
        voice.folder / voice.card.index.file, "ids", "centres", "ends", "nprobe"
    )
    belongs = np.repeat(np.arange(len(centres)), np.diff(ends, prepend=0)).astype(np.int64)
    back = np.argsort(ids, kind="stable")
    rows = _table(voice, "rows")[back].astype(np.float32)
    with replacing(path) as temporary:
        write_ivf(temporary, Ivf(rows, centres, belongs[back], int(nprobe)))


def _clusters(voice: Voice, singers: list[str]) -> dict[str, NDArray[np.float32]]:
    assert voice.card.index is not None
    (ends,) = read_tables(voice.folder / voice.card.index.file, "ends")
    rows = np.array(_table(voice, "rows"), dtype=np.float32)
    parts = np.split(rows, ends[:-1])
    # One table is for whoever sings.
    return {name: part for name, part in zip(singers, parts, strict=False) if len(part)}
