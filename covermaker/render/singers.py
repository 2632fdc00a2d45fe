"""Who sings: a voice that is there, or one that the render trains first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from covermaker.documents.document import placed
from covermaker.errors import WeightsError
from covermaker.features.encoders import content_fingerprint, encoders_of
from covermaker.graph.step import From
from covermaker.voices.card import CARD_FILE
from covermaker.voices.library import find_voice
from covermaker.voices.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.graph.step import Step
    from covermaker.project.document import Training
    from covermaker.project.load import Project
    from covermaker.takes.document import Takes
    from covermaker.training.profiles import Profile


@dataclass(frozen=True)
class Trainee:
    """A voice to be trained.

    Attributes
    ----------
    takes_folder : Path
        With ``takes.toml``.
    home : Path
        Where the training works and keeps what it can use again: examples, checkpoints.
    """

    takes_folder: Path
    home: Path
    takes: Takes
    profile: Profile
    seed: int

    @cached_property
    def takes_sha256(self) -> str:
        """Over everything that decides about the clips."""
        from covermaker.takes.document import takes_hash

        return takes_hash(self.takes_folder)

    def singers(self) -> list[str]:
        """Return who stands in the takes, where it is more than one."""
        names = sorted({row.singer or self.takes.name for row in self.takes.used})
        return names if len(names) > 1 else []

    def params(self) -> dict[str, Any]:
        """Return what decides about the trained voice; its name is for people and stays out."""
        from covermaker.training.needs import versions_of
        from covermaker.training.run import VERSION

        return {
            "version": {"training": VERSION, **versions_of(self.profile)},
            "takes": self.takes_sha256,
            "profile": self.profile.as_dict(),
            "first_draw": self.seed,
            # The card says them, so another statement is another card.
            "rights": self.takes.rights,
            "statement": self.takes.statement,
            "languages": list(self.takes.languages),
        }

    def weights(self) -> tuple[str, ...]:
        """Return the catalog names of all weights that decide about the trained voice."""
        from covermaker.training.needs import weights_of

        return weights_of(self.profile)


@dataclass(frozen=True)
class Singer:
    """Who sings; either `voice` or `training` is set.

    Attributes
    ----------
    name, rights : str
        For the tags.
    encoder : str
        What reads the content for this voice.
    training : Step, optional
        The step that makes the voice.
    """

    name: str
    rights: str
    encoder: str
    voice: Voice | None = None
    training: Step | None = None

    def inputs(self) -> dict[str, From]:
        """Return what a step reads that lets this singer sing."""
        return {} if self.training is None else {"voice": From(self.training, CARD_FILE)}

    def weights(self) -> dict[str, str]:
        """Return what identifies a voice that is there; a trained one is known by its step."""
        return {} if self.voice is None else {"the voice": self.voice.fingerprint}

    @property
    def fingerprint(self) -> str:
        """What the record of a render names the voice by."""
        if self.voice is not None:
            return self.voice.fingerprint
        assert self.training is not None
        return f"trained by step {self.training.key}"

    def open(self, inputs: Mapping[str, Path]) -> Voice:
        """Return the voice, at a step's run."""
        # The card is verified by the store; what it names, by whoever reads it.
        return self.voice or Voice.open(inputs["voice"].parent)


def find_singer(name: str, project: Project, where: str) -> Singer:
    """Find a voice by the name that the document gives at `where`.

    Raises
    ------
    PlaceError
        When there is none, or it is not trained yet.
    WeightsError
        When its files, or its content encoder, are missing or damaged.
    """
    if "/" in name:
        project.path(name, where)
    with placed(where):
        voice = find_voice(name, project.root)
    return ready(voice)


def ready(voice: Voice) -> Singer:
    """Return the singer of a voice that is there.

    Raises
    ------
    WeightsError
        When the encoder on the voice's card is not here, or is not the very same: it would sing noise.
    """
    content = voice.card.content
    if content_fingerprint(content.encoder) != content.sha256:
        raise WeightsError(
            f"the voice '{voice.name}' was trained on another '{content.encoder}' than the one that is installed",
            hint="compare the card with: covermaker models verify",
        )
    return Singer(voice.card.name, voice.card.rights, content.encoder, voice=voice)


def find_trainee(wanted: Training, project: Project) -> Trainee:
    """Find the takes of a voice that the project trains.

    Raises
    ------
    ProjectError
        When there are none, they are refused, or the profile is.
    UsageError
        When the profile or the encoder is unknown, or minutes and steps are both given.
    """
    from dataclasses import replace

    from covermaker.takes.document import read_takes
    from covermaker.training.profiles import load_profile

    folder = project.path(wanted.takes, "voice.train.takes")
    takes = read_takes(folder)
    profile = load_profile(wanted.profile, folder, minutes=wanted.minutes, steps=wanted.steps)
    if wanted.encoder is not None:
        profile = replace(profile, encoder=wanted.encoder)
    encoders_of(profile.encoder)
    return Trainee(folder, project.hidden / "train" / folder.name, takes, profile, wanted.seed)
