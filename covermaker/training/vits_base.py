"""Pretrained networks that a VITS training begins with, as RVC and so-vits-svc publish them: ``G_….pth``, ``D_….pth``.

They are read by `weights.torch_file`, which runs nothing that a file names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.errors import UsageError, WeightsError
from covermaker.voices.community.layout import POSTERIOR, tensors
from covermaker.voices.community.model import claims_of
from covermaker.voices.networks.vits_config import VitsConfig
from covermaker.weights.catalog import entries, find, fingerprint, locate
from covermaker.weights.torch_file import TorchFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

NONE: Final = "none"  # in place of files: begin with random weights
_CRITICS: Final = "discriminators."
_SPEAKERS: Final = "emb_g.weight"
_SIZES: Final = (
    "content_dim", "latent", "hidden", "filter", "heads", "layers", "upsample_channels", "speaker_dim",
)  # fmt: skip
_CATALOG: Final = {
    ("rvc", 32_000): "rvc-v2-32k",
    ("rvc", 40_000): "rvc-v2-40k",
    ("rvc", 48_000): "rvc-v2-48k",
}


def base_files(asked: Sequence[str], config: VitsConfig) -> list[Path]:
    """Return the files that a training begins with: those that were asked for, else those that are installed.

    Raises
    ------
    UsageError
        When there are more than a network and its discriminators.
    WeightsError
        When one cannot be read, or is of another network.
    """
    if list(asked) == [NONE]:
        return []
    files = [Path(file) for file in asked]
    name = _catalog_name(config)
    if not files and name is not None:
        try:
            files = list(find(name).files)
        except WeightsError:  # they are not here, and nobody asked for them
            return []
        locate(name)  # raises when they are damaged
    found = [_part_of(file, config) for file in files]
    if len(set(found)) < len(found):
        raise UsageError(
            "--base was given two files of the same kind",
            hint="one of the network (G), one of its critics (D)",
        )
    return files


def how_to_get(config: VitsConfig) -> str | None:
    """Return what a person does to get pretrained weights for a network; None where the catalog has none."""
    name = _catalog_name(config)
    return None if name is None else entries()[name].next_step


def _catalog_name(config: VitsConfig) -> str | None:
    """Return what the catalog has for a network; None for one that no program has in this size."""
    name = _CATALOG.get((config.family, config.sample_rate))
    return name if all(getattr(config, size) == getattr(VitsConfig(), size) for size in _SIZES) else None


def installed_base(family: str, sample_rate: int) -> str:
    """Return the sha256 of the pretrained weights that a training would begin with by itself; empty for none."""
    try:
        return fingerprint(_CATALOG[family, sample_rate])
    except (KeyError, WeightsError):
        return ""


def _part_of(path: Path, config: VitsConfig) -> str:
    """Tell by the names and shapes in a file whether it is a network or its discriminators, without its numbers."""
    with TorchFile.open(path) as file:
        shapes = {name: claim.shape for name, claim in claims_of(file).items()}
    if any(name.startswith(_CRITICS) for name in shapes):
        return "critics"
    wanted = tensors(config, posterior=True)
    if not any(name.startswith(POSTERIOR) for name in shapes) and any(name in shapes for name in wanted):
        raise WeightsError(
            f"{path} is a finished voice: it has no posterior encoder, which training needs",
            hint="take a G_….pth of a training, or a pretrained f0G….pth",
        )
    for name, shape in wanted.items():
        there = shapes.get(name)
        fits = there is not None and (there[1:] == shape[1:] if name == _SPEAKERS else there == shape)
        if not fits:
            what = "has none" if there is None else f"is {there}"
            raise WeightsError(
                f"{path} is of another network: its tensor '{name}' {what}, not {shape}",
                hint="pretrained weights must be of the same family, sample rate and content encoder",
            )
    return "network"


@dataclass
class Base:
    """Pretrained weights, read when they are given.

    Parameters
    ----------
    files : sequence of Path
        As `base_files` returns them.
    """

    files: Sequence[Path]
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = [file.name for file in self.files]

    def give_network(self, network: torch.nn.Module) -> None:
        """Put the network's weights into it; of more speakers than the file has, the others stay as they are.

        Raises
        ------
        WeightsError
            When a file holds something else.
        """
        self._give(network, critics=False)

    def give_critics(self, critics: torch.nn.Module) -> None:
        """Put the discriminators' weights into them; see `give_network`."""
        self._give(critics, critics=True)

    def _give(self, network: torch.nn.Module, *, critics: bool) -> None:
        import torch

        own = network.state_dict()
        for path in self.files:
            with TorchFile.open(path) as file:
                claims = claims_of(file)
                if any(name.startswith(_CRITICS) for name in claims) != critics:
                    continue
                given = dict(file.read(claims))
            for name, array in given.items():
                if name not in own or (name != _SPEAKERS and own[name].shape != array.shape):
                    raise WeightsError(
                        f"{path} is of another network: its tensor '{name}' does not fit",
                        hint="pretrained weights must be of the same family and size",
                    )
            missing = sorted(set(own) - set(given))
            if missing:
                raise WeightsError(f"{path} lacks the tensor '{missing[0]}'", hint="get it again")
            with torch.no_grad():
                for name, array in given.items():
                    tensor = torch.from_numpy(array)
                    rows = min(len(tensor), len(own[name])) if name == _SPEAKERS else None
                    own[name][:rows].copy_(tensor[:rows])
