"""Who sings: a voice that is there, or one that the render trains first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from covermaker.convert.manners import (
    NO_MELODY,
    WHO_HAS_MELODIES,
    makes_up_pitch,
    manner_for,
    manner_of,
    unheard,
)
from covermaker.documents.document import PlaceError, placed
from covermaker.errors import WeightsError, nearest
from covermaker.features.encoders import content_fingerprint, encoders_of
from covermaker.graph.step import From
from covermaker.render.singwork import conversion
from covermaker.voices.card import CARD_FILE
from covermaker.voices.library import find_voice
from covermaker.voices.rights import UNKNOWN_RIGHTS
from covermaker.voices.voice import Voice
from covermaker.voices.whole import COPY_AGAIN, damage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from covermaker.graph.step import Step
    from covermaker.project.document import Convert, Training
    from covermaker.project.load import Project
    from covermaker.takes.document import Takes
    from covermaker.training.profiles import Profile


_IMPORTED_COST = 90.0  # measured for RVC at 40 kHz and so-vits-svc 4.1, whose sizes most have


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
        from covermaker.training.asked import VERSION
        from covermaker.training.needs import versions_of

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
    high_pass_order : int or None
        How the source is heard; see `convert.manners.Manner`.
    """

    name: str
    rights: str
    encoder: str
    voice: Voice | None = None
    training: Step | None = None
    high_pass_order: int | None = None

    def inputs(self) -> dict[str, From]:
        """Return what a step reads that lets this singer sing."""
        return {} if self.training is None else {"voice": From(self.training, CARD_FILE)}

    def weights(self) -> dict[str, str]:
        """Return what identifies a voice that is there; a trained one is known by its step."""
        return {} if self.voice is None else {"the voice": self.voice.fingerprint}

    @property
    def conversion_cost(self) -> float | None:
        """Seconds that it takes to sing a minute on two cores, where it is not the usual time; for the estimate."""
        imported = self.voice is not None and self.voice.card.network.kind == "vits"
        return _IMPORTED_COST if imported else None

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
        When its weights or its index are missing or not whole, as far as that is seen at once; or the encoder on its
        card is not here, or is not the very same where the card says which: it would sing noise.
    """
    broken = damage(voice.folder, voice.card)
    if broken:
        raise WeightsError(f"the voice '{voice.name}' cannot sing: {broken}", hint=COPY_AGAIN)
    content = voice.card.content
    installed = content_fingerprint(content.encoder)
    if content.sha256 not in (None, installed):
        raise WeightsError(
            f"the voice '{voice.name}' was trained on another '{content.encoder}' than the one that is installed",
            hint="compare the card with: covermaker models verify",
        )
    return Singer(
        voice.card.name, voice.card.rights, content.encoder,
        voice=voice, high_pass_order=manner_of(voice.card).high_pass_order,
    )  # fmt: skip


def check_singing(settings: Convert, lead: Singer | None, trainee: Trainee | None = None) -> None:
    """Refuse what the lead voice was not trained to: singers, or to make up a melody.

    Raises
    ------
    PlaceError
        For a singer, with the nearest name.
    """
    card = lead.voice.card if lead and lead.voice else None
    known = list(card.singers) if card else trainee.singers() if trainee else []
    for name in settings.singers:
        if name not in known:
            raise PlaceError(
                f"convert.singers.{name}",
                f": the voice has no singer '{name}'",
                hint=nearest(name, known) if known else "it is a voice of one singer: leave singers out",
            )
    if settings.auto_pitch and not (card and makes_up_pitch(card)):
        raise PlaceError("convert.auto_pitch", NO_MELODY, hint=WHO_HAS_MELODIES)


def heard_settings(singer: Singer, settings: Convert) -> Convert:
    """Return settings without what a voice that is there has no ear for: it sings the same, from the same key."""
    if singer.voice is None:
        return settings
    card = singer.voice.card
    without = {*manner_of(card).without, *(["index_ratio"] if card.index is None else [])}
    plain = type(settings)()
    return settings.model_copy(update={name: getattr(plain, name) for name in without})


def singer_notes(singers: Iterable[Singer], settings: Convert, steps: Iterable[Step]) -> list[str]:
    """Tell what no step finds out about who sings: rights that nobody has spoken for, settings without effect."""
    singers, steps = list(singers), list(steps)
    if not any(step.kind == "convert" for step in steps):
        return []
    wishes = conversion(settings, None)
    voices = [singer.voice for singer in singers if singer.voice is not None]
    idle = [text for voice in voices for text in unheard(voice.card, voice.name, wishes).values()]
    return [*rights_notes(singers, steps), *dict.fromkeys(idle)]


def rights_notes(singers: Iterable[Singer], steps: Iterable[Step]) -> list[str]:
    """Tell which voices nobody has spoken for, where `steps` let them sing; an imported voice comes without a word."""
    if not any(step.kind == "convert" for step in steps):
        return []
    unknown = (singer.name for singer in singers if singer.rights == "unknown")
    return [UNKNOWN_RIGHTS.format(voice=name) for name in dict.fromkeys(unknown)]


def learner(trainee: Trainee, training: Step) -> Singer:
    """Return the singer of a voice that the step `training` makes."""
    takes, profile = trainee.takes, trainee.profile
    manner = manner_for(profile.network, {"family": profile.vits.family})
    return Singer(
        takes.name, takes.rights, profile.encoder, training=training, high_pass_order=manner.high_pass_order
    )


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
    from covermaker.training.profile_choice import load_profile

    folder = project.path(wanted.takes, "voice.train.takes")
    takes = read_takes(folder)
    profile = load_profile(wanted.profile, folder, minutes=wanted.minutes, steps=wanted.steps)
    if wanted.encoder is not None:
        profile = replace(profile, encoder=wanted.encoder)
    encoders_of(profile.encoder)
    return Trainee(folder, project.hidden / "train" / folder.name, takes, profile, wanted.seed)
