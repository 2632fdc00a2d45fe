"""What of a training depends on the network that is trained: a table, by its kind on the card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from covermaker.training.character import build_voice_index, build_voice_ivf, network_config
from covermaker.training.ddsp import DdspTrainer
from covermaker.training.ddsp import cut_bytes as ddsp_cut_bytes
from covermaker.training.machine import bfloat16_is_fast
from covermaker.training.vits_base import Base
from covermaker.training.vits_shapes import vits_config
from covermaker.training.vits_trainer import VitsTrainer
from covermaker.training.vits_trainer import cut_bytes as vits_cut_bytes
from covermaker.voices.networks.ddsp_config import DdspConfig
from covermaker.voices.networks.vits_config import VitsConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from covermaker.training.dataset import Dataset
    from covermaker.training.loop import Config, Trainer
    from covermaker.training.profiles import Profile


@dataclass(frozen=True)
class Lesson:
    """How one kind of network is trained.

    Attributes
    ----------
    kind : str
    trainer : type
    config : callable
        (profile, sample rate, content width, singers) to what the network is built from.
    read_config : callable
        The card's table to the same.
    make : callable
        (profile, config, dataset, files of pretrained weights, options of `Trainer`) to a trainer.
    cut_bytes : callable
        (profile, config) to the memory of a cut.
    build_index : callable
        (dataset, file, seed): writes the retrieval index.
    uses_half : callable
        Device to whether half precision is worth it there.
    is_half_on_disk : bool
        Whether a voice's weights are stored in half precision.
    """

    kind: str
    trainer: type[Trainer]
    config: Callable[[Profile, int, int, int], Any]
    read_config: Callable[[Mapping[str, Any]], Config]
    make: Callable[..., Trainer]
    cut_bytes: Callable[[Profile, Any], float]
    build_index: Callable[[Dataset, Path, int], None]
    uses_half: Callable[[str], bool]
    is_half_on_disk: bool


def _ddsp(
    profile: Profile, config: DdspConfig, dataset: Dataset, base: Sequence[Path], **options: Any
) -> Trainer:
    return DdspTrainer(config, dataset, profile.recipe, **options)


def _vits(
    profile: Profile, config: VitsConfig, dataset: Dataset, base: Sequence[Path], **options: Any
) -> Trainer:
    begun = Base(base) if base else None
    return VitsTrainer(config, dataset, profile.recipe, shape=profile.vits, base=begun, **options)


LESSONS: Final = {
    "ddsp": Lesson(
        kind="ddsp",
        trainer=DdspTrainer,
        config=lambda profile, rate, width, singers: network_config(rate, width, singers, profile.size),
        read_config=DdspConfig.from_mapping,
        make=_ddsp,
        cut_bytes=lambda profile, config: ddsp_cut_bytes(config, profile.recipe),
        build_index=build_voice_index,
        uses_half=bfloat16_is_fast,
        is_half_on_disk=True,
    ),
    "vits": Lesson(
        kind="vits",
        trainer=VitsTrainer,
        config=lambda profile, rate, width, singers: vits_config(profile.vits, width, singers),
        read_config=VitsConfig.from_mapping,
        make=_vits,
        cut_bytes=lambda profile, config: vits_cut_bytes(config, profile.vits),
        build_index=build_voice_ivf,
        uses_half=lambda device: device.startswith("cuda") or bfloat16_is_fast(device),
        is_half_on_disk=False,
    ),
}


def lesson_of(state: Mapping[str, Any]) -> Lesson:
    """Return the lesson that a checkpoint's state belongs to."""
    return LESSONS[state.get("kind", "ddsp")]
