"""Pretrained networks that a VITS training begins with, as RVC and so-vits-svc publish them: ``G_….pth``, ``D_….pth``.

They are read by `weights.torch_file`, which runs nothing that a file names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.disk import file_sha256, told_by
from covermaker.errors import UsageError, WeightsError
from covermaker.training.profiles import Vits
from covermaker.training.vits_fit import CRITICS, NETWORK, SPEAKERS, fitting_part, part_in
from covermaker.training.vits_stock import READING, network_of, other_figure
from covermaker.voices.community.facts import READINGS
from covermaker.voices.community.model import claims_of
from covermaker.weights.catalog import entries, find, fingerprint, locate
from covermaker.weights.torch_file import TorchFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from covermaker.training.profiles import Profile

NONE: Final = "none"  # in place of files: begin with random weights
_LETTERS: Final = {NETWORK: "G", CRITICS: "D"}
_RATES: Final = {32_000: "rvc-v2-32k", 40_000: "rvc-v2-40k", 48_000: "rvc-v2-48k"}


def base_files(profile: Profile, asked: Sequence[str], note: Callable[[str], None]) -> list[Path]:
    """Return the files that a training begins with: those that were asked for, else those that are installed.

    Parameters
    ----------
    profile : Profile
    asked : sequence of str
        Paths, or `NONE` alone.
    note : callable
        Told what the person should know.

    Raises
    ------
    UsageError
        When they are asked for a network that has none, or are more than a network and its discriminators.
    WeightsError
        When one cannot be read, or is of another network.
    """
    if profile.network != "vits":
        if asked:
            raise UsageError(
                f"the network '{profile.network}' begins with no pretrained weights",
                hint="--base belongs to --network vits",
            )
        return []
    if NONE in asked:
        if len(asked) > 1:
            raise UsageError(
                f"--base {NONE} stands alone: it is to begin with no files at all",
                hint=f"give --base {NONE} once, or only files",
            )
        return []
    files = [Path(file).absolute() for file in asked] or _installed(profile)
    if not files:
        note(_without(profile))
        return []
    config = network_of(profile)
    parts = [fitting_part(file, config, profile.vits.critics_channels) for file in files]
    if len(set(parts)) < len(parts):
        raise UsageError(
            "--base was given two files of the same kind",
            hint="one of the network (G), one of its discriminators (D)",
        )
    for part in _LETTERS.keys() - set(parts):
        note(f"no pretrained {part} ({_LETTERS[part]}) was given with --base: they begin with random weights")
    if NETWORK in parts and profile.encoder not in READINGS.values():
        note(
            f"pretrained networks of RVC and so-vits-svc read {' or '.join(READINGS.values())}, and this one is to "
            f"read '{profile.encoder}': it begins with words that it does not know"
        )
    return files


def catalog_base(profile: Profile) -> str | None:
    """Return what of the catalog a training would begin with by itself; None where nothing fits.

    The files do not say what they read; that of the catalog is known, and is not only a matter of its width.
    """
    if profile.network != "vits" or profile.vits.family != "rvc" or profile.encoder != READING:
        return None
    is_own = (
        other_figure(network_of(profile)) is None and profile.vits.critics_channels == Vits().critics_channels
    )
    return _RATES[profile.vits.sample_rate] if is_own else None


def installed_base(profile: Profile) -> str:
    """Return the sha256 of the pretrained weights that a training would begin with by itself; empty for none."""
    name = catalog_base(profile)
    try:
        return "" if name is None else fingerprint(name)
    except WeightsError:
        return ""


def _installed(profile: Profile) -> list[Path]:
    name = catalog_base(profile)
    if name is None:
        return []
    try:
        files = list(find(name).files)
    except WeightsError:
        if told_by(entries()[name].variable):
            raise
        return []  # they are not here, and nobody asked for them
    locate(name)  # raises when they are damaged
    return files


def _without(profile: Profile) -> str:
    """Say that a voice begins with random weights, and what can be done about it."""
    name = catalog_base(profile)
    how = "give the files with --base" if name is None else entries()[name].next_step
    if name is None and profile.encoder != READING and profile.vits.family == "rvc":
        how += f"; those of the catalog read {READING}, not '{profile.encoder}'"
    return f"no pretrained weights are here: a voice that begins without them needs hours of takes; {how}"


@dataclass
class Base:
    """Pretrained weights, read when they are given.

    Parameters
    ----------
    files : sequence of Path
        As `base_files` returns them.

    Attributes
    ----------
    facts : list of dict
        For the card: ``file``, the name, and ``sha256`` of each.
    """

    files: Sequence[Path]
    facts: list[dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.facts = facts_of(self.files)

    def give_network(self, network: torch.nn.Module) -> None:
        """Put the network's weights into it; of more speakers than the file has, the others stay as they are.

        Raises
        ------
        WeightsError
            When a file holds something else.
        """
        self._give(network, NETWORK)

    def give_critics(self, critics: torch.nn.Module) -> None:
        """Put the discriminators' weights into them; see `give_network`."""
        self._give(critics, CRITICS)

    def _give(self, network: torch.nn.Module, part: str) -> None:
        import torch

        own = network.state_dict()
        for path in self.files:
            with TorchFile.open(path) as file:
                claims = claims_of(file)
                if part_in(claims) != part:
                    continue
                given = dict(file.read(claims))
            for name, array in given.items():
                if name not in own or (name != SPEAKERS and own[name].shape != array.shape):
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
                    rows = min(len(tensor), len(own[name])) if name == SPEAKERS else None
                    own[name][:rows].copy_(tensor[:rows])


def facts_of(files: Sequence[Path]) -> list[dict[str, str]]:
    """Return what a card keeps of pretrained weights: the name of each file and its sha256.

    Raises
    ------
    WeightsError
        When one is no longer there.
    """
    gone = [file for file in files if not file.is_file()]
    if gone:
        raise WeightsError(
            f"{gone[0]} is no longer there: this training began with it",
            hint="put it back, or begin again with --force",
        )
    return [{"file": file.name, "sha256": file_sha256(file)} for file in files]
