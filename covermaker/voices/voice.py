"""`Voice`: a card, its folder, and the singer behind them, loaded when it has to sing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from covermaker.disk import file_sha256
from covermaker.errors import AudioInputError, ProjectError, ResourceError, WeightsError
from covermaker.voices.card import VoiceCard, read_card

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.voices.networks.base import Synthesizer

EMBEDDING_SIZE = 256


@dataclass(frozen=True)
class Voice:
    """A voice folder whose card was read.

    Parameters
    ----------
    folder : Path
        Holds `card.toml` and the weights.
    card : VoiceCard
        As read.
    """

    folder: Path
    card: VoiceCard

    @classmethod
    def open(cls, folder: Path) -> Voice:
        """Read the card of a folder; the weights are not touched.

        Raises
        ------
        ProjectError
            When the card is missing or refused.
        """
        return cls(folder, read_card(folder))

    @property
    def name(self) -> str:
        """What people call it: its folder's name."""
        return self.folder.resolve().name

    @property
    def weights_path(self) -> Path:
        """The weight file."""
        return self.folder / self.card.weights.file

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) over the weights' content and the card's sound-relevant fields.

        Neither the name nor the path enters, so a renamed voice stays what it is, and one that is trained
        again under its old name does not.

        Raises
        ------
        WeightsError
            When the weight file is missing or is not the one of the card.
        """
        sound = json.dumps(self.card.sound(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"{self.verify()}\n{sound}".encode()).hexdigest()

    def verify(self) -> str:
        """Check the weight file against the card and return its sha256.

        Raises
        ------
        WeightsError
            When it is missing, unreadable or another file than the card says.
        """
        try:
            found = file_sha256(self.weights_path)
        except AudioInputError as error:
            raise WeightsError(
                f"voice '{self.name}' has no weights: {self.weights_path} is missing",
                hint="copy the whole voice folder, not only its card",
            ) from error
        except ResourceError as error:
            raise WeightsError(f"weights of voice '{self.name}': {error.message}", hint=error.hint) from error
        if found != self.card.weights.sha256:
            raise WeightsError(
                f"weights of voice '{self.name}' are not the ones of its card: sha256 {found[:12]}…, "
                f"the card says {self.card.weights.sha256[:12]}…",
                hint=f"{self.weights_path} is damaged or was replaced without its card",
            )
        return found

    def synthesizer(self, device: str = "cpu") -> Synthesizer:
        """Build the network, load the weights and return the singer.

        `device` is a preference that `weights.device.pick_device` understands.

        Raises
        ------
        WeightsError
            When the weights are missing, damaged or do not fit the network.
        ProjectError
            When no network of the card's kind is known.
        """
        from covermaker.voices.networks.base import NETWORKS
        from covermaker.weights.device import pick_device, torch_ready
        from covermaker.weights.warm import loaded

        kind = self.card.network.kind
        if kind not in NETWORKS:
            raise ProjectError(
                f"voice '{self.name}' needs a network '{kind}' that is not installed",
                hint="known: " + ", ".join(NETWORKS.names()),
            )
        sha256, config, device = self.verify(), self.card.network.config, pick_device(device)
        torch_ready()  # network modules import torch at their top
        return loaded(
            ("voice", kind, json.dumps(config, sort_keys=True), device),
            sha256,
            lambda: NETWORKS.load(kind)(config, self.weights_path, device),
            size_bytes=self.weights_path.stat().st_size,
        )

    def embedding(self) -> NDArray[np.float32] | None:
        """Return the singer's speaker embedding as (256,) float32, or None when the card names none.

        Raises
        ------
        WeightsError
            When the card names one that is missing or no embedding.
        """
        if self.card.speaker is None:
            return None
        path = self.folder / self.card.speaker.embedding
        try:
            values = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise WeightsError(f"speaker embedding of voice '{self.name}' cannot be read: {path}") from error
        if values.shape != (EMBEDDING_SIZE,) or not np.isfinite(values).all():
            raise WeightsError(
                f"{path} is no speaker embedding: {EMBEDDING_SIZE} finite numbers are expected"
            )
        return np.asarray(values, dtype=np.float32)
