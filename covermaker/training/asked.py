"""What a training is asked for, beside what lies in the voice's folder already. Nothing is changed here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import ProjectError, UsageError, WeightsError
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import newest_whole, spent_seconds, step_of
from covermaker.training.course import FOLDER, RUN_FILE, read_run
from covermaker.training.going_on import going_on, resume_command
from covermaker.training.profile_choice import load_profile
from covermaker.training.profiles import Profile
from covermaker.training.watch import is_prepared
from covermaker.voices.card import CARD_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

VERSION: Final = 2  # of the record of a run
AGAIN: Final = "--force begins again"


class OtherRunError(UsageError):
    """What should be taken up is not there, or was begun in another way."""


def asked_for(
    folder: Path,
    home: Path,
    profile: str | Profile | None,
    *,
    minutes: float | None,
    steps: int | None,
    encoder: str | None,
    seed: int | None,
    resume: bool,
    force: bool,
    asked_by: str | None,
    network: str | None,
    base: Sequence[str] | None,
) -> tuple[Profile, dict[str, Any]]:
    """Return the profile and the record of the run that is asked for, as `run.train_voice` takes it; or refuse it.

    Raises
    ------
    ProjectError
        When the profile, or the record of an older run, cannot be read.
    UsageError
        When something is asked for that does not exist, would take away what nobody gave up, or is done already.
    OtherRunError
        When the run that should be taken up is not there or is another one.
    """
    wanted = (
        profile
        if isinstance(profile, Profile)
        else load_profile(profile, folder, minutes=minutes, steps=steps, network=network)
    )
    if encoder is not None:
        wanted = replace(wanted, encoder=encoder)
    if not resume:
        _check_beginning(home, force=force)
        run = {"version": VERSION, "status": "running", "profile": wanted.as_dict()}
        run["seed"] = 1 if seed is None else seed
        return wanted, run if asked_by is None else {**run, "asked_by": asked_by}
    again = {
        "profile": profile if isinstance(profile, str) else None, "network": network, "encoder": encoder, "base": base,
        "minutes": minutes, "steps": steps, "seed": seed,
    }  # fmt: skip
    run, begun, newest = _taken_up(home, again)
    if network is not None and network != begun.network:
        raise _other("network", begun.network)
    if base is not None:
        raise OtherRunError("the weights that a training begins with are chosen when it begins", hint=AGAIN)
    if asked_by is not None and (run.get("asked_by") != asked_by or run["status"] != "running"):
        raise OtherRunError(f"the training in {home} was begun for something else", hint=AGAIN)
    if encoder is not None and encoder != begun.encoder:
        raise _other("encoder", begun.encoder)
    if seed is not None and seed != run["seed"]:
        raise _other("seed", run["seed"])
    if profile is not None and _recipe(wanted) != _recipe(begun):
        if wanted.name != begun.name:
            raise _other("profile", begun.name)
        raise OtherRunError(f"the profile '{begun.name}' has changed since this training began", hint=AGAIN)
    _check_unfinished(home, run, newest, minutes, steps)
    if minutes is not None:
        begun = replace(begun, minutes=minutes)
    if steps is not None:
        begun = replace(begun, minutes=None, recipe=replace(begun.recipe, steps=steps))
    if (minutes, steps) != (None, None):
        run |= {"profile": begun.as_dict(), "more_from": 0 if newest is None else step_of(newest)}
    return begun, {**run, "status": "running"}


def _check_unfinished(
    home: Path, run: Mapping[str, Any], newest: Path | None, minutes: float | None, steps: int | None
) -> None:
    """Refuse to take up a run that is at its end, unless more is asked for than it has done.

    Of one that was killed between its last step and its end the record says that it runs.
    """
    if run["status"] != "finished" or not (home / CARD_FILE).exists():
        return
    reached = 0 if newest is None else step_of(newest)
    if steps is not None and steps > reached:
        return
    if minutes is not None and newest is not None and 60.0 * minutes > spent_seconds(newest):
        return
    at = f" at {reached} steps" if newest is not None else ""
    raise UsageError(
        f"the training of '{home.name}' is finished{at}: there is nothing left to do",
        hint=f"{resume_command(home)} goes further with --steps above {reached}, or with more --minutes",
    )


def _other(name: str, value: object) -> OtherRunError:
    return OtherRunError(
        f"the training was begun with the {name} '{value}'",
        hint=f"leave --{name} out, or begin again with --force",
    )


def _recipe(profile: Profile) -> Profile:
    """Return what of a profile no other option of the command line says."""
    return replace(profile, minutes=None, encoder="", recipe=replace(profile.recipe, steps=1))


def _taken_up(home: Path, again: Mapping[str, Any]) -> tuple[dict[str, Any], Profile, Path | None]:
    """Return the record and the profile of the run that was stopped, and its newest checkpoint."""
    try:
        run = read_run(home / FOLDER)
        if run is None:
            raise _unbegun(home, again)
        if run.get("version") != VERSION:
            raise OtherRunError("the training was begun by another version of Covermaker", hint=AGAIN)
        if not isinstance(run.get("profile"), dict) or not isinstance(run.get("seed"), int):
            raise ProjectError("the profile and the seed are missing")
        newest = newest_whole(home / FOLDER / CHECKPOINTS)
        return run, Profile.from_dict(run["profile"]), newest
    except WeightsError as error:
        raise OtherRunError(error.message, hint=AGAIN) from error
    except ProjectError as error:
        raise OtherRunError(f"{home / FOLDER / RUN_FILE}: {error.message}", hint=AGAIN) from error


def _unbegun(home: Path, again: Mapping[str, Any]) -> OtherRunError:
    """Return what to say where no run was written down: one that was ended before keeps what it has prepared."""
    message = f"there is no training to take up in {home}"
    if not is_prepared(home / FOLDER):
        return OtherRunError(message, hint="leave --resume out")
    return OtherRunError(
        f"{message}: it was ended before its first step",
        hint=f"what was prepared is kept in {home / FOLDER}, go on from there with: {going_on(home, again)}",
    )


def _check_beginning(home: Path, *, force: bool) -> None:
    """Refuse to begin where something would be lost that nobody gave up."""
    if force:
        return
    run = read_run(home / FOLDER)
    if run is not None and run["status"] != "finished":
        raise UsageError(
            f"a training of '{home.name}' was stopped before its end",
            hint="--resume takes it up, --force begins again",
        )
    if (home / CARD_FILE).exists():
        raise UsageError(f"'{home.name}' is trained already", hint="--force trains it again")
