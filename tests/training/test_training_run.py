"""How a training begins: what is refused before anything is lost, what is taken up, and that it is alone."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from covermaker.errors import AudioInputError, CovermakerError, ProjectError, ResourceError, UsageError
from covermaker.takes.document import make_takes, write_takes
from covermaker.training import run as running
from covermaker.training.asked import VERSION, OtherRunError
from covermaker.training.audition import audition, promote
from covermaker.training.checkpoint import Checkpoint, checkpoint_path, save_checkpoint
from covermaker.training.course import read_run
from covermaker.training.crew import Several
from covermaker.training.dataset import Dataset, Example
from covermaker.training.going_on import going_on
from covermaker.training.lock import alone_in
from covermaker.training.prepare import check_singers
from covermaker.training.profiles import PROFILES, Profile
from covermaker.training.run import train_voice
from covermaker.training.stopping import StoppedError, ask_to_stop
from covermaker.training.sung import is_sung, sung_file
from covermaker.training.watch import watch

RUN = {"version": VERSION, "status": "running", "profile": PROFILES["quick"].as_dict(), "seed": 1}


class Reached(Exception):
    """The takes are looked at: nothing was refused."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a voice whose training was stopped; one that gets beyond its beginning raises `Reached`."""
    takes = make_takes(name="anna", rights="synthetic", created=date(2026, 1, 1),
                       takes=[{"file": "a.wav", "sha256": "0" * 64}])  # fmt: skip
    folder = tmp_path / "anna"
    folder.mkdir()
    write_takes(takes, folder)
    (folder / "training" / "checkpoints").mkdir(parents=True)
    save_checkpoint(Checkpoint({}, {"step": 100}), folder / "training" / "checkpoints")
    keep(folder)

    def looked_at(*_: object) -> None:
        raise Reached

    monkeypatch.setattr(running, "_looked_at", looked_at)
    return folder


def keep(folder: Path, **changes: Any) -> None:
    (folder / "training" / "run.json").write_text(json.dumps(RUN | changes))


def left(folder: Path) -> set[str]:
    """Return what lies in ``training/``."""
    return {file.name for file in (folder / "training").iterdir() if file.name != ".lock"}


@pytest.mark.parametrize(
    ("wishes", "error"),
    [
        ({"encoder": "whisper-bass"}, UsageError),
        ({"encoder": "contentvec"}, CovermakerError),
        ({"device": "cuda:99"}, ResourceError),
        ({"device": "gpu"}, UsageError),
        ({"profile": replace(PROFILES["quick"], augmentation=replace(PROFILES["quick"].augmentation, pitch="x"))},
         UsageError),
    ],
)  # fmt: skip
def test_what_is_refused_leaves_the_old_run_as_it_was(
    home: Path, monkeypatch: pytest.MonkeyPatch, wishes: dict[str, Any], error: type[Exception]
) -> None:
    monkeypatch.setenv("COVERMAKER_WEIGHTS_CONTENTVEC", str(home / "nowhere"))
    with pytest.raises(error):
        train_voice(home, force=True, **wishes)
    assert left(home) == {"run.json", "checkpoints"}


def test_weights_that_only_the_scores_read_are_missed_at_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVERMAKER_WEIGHTS_GE2E_SPEAKER", str(home / "nowhere"))
    with pytest.raises(CovermakerError, match="ge2e-speaker"):
        train_voice(home, force=True)
    assert left(home) == {"run.json", "checkpoints"}


def test_the_record_goes_before_anything_that_it_tells_of(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any later moment, no old profile is left to be taken up under a new name."""

    def killed(*_: object, **__: object) -> None:
        raise Reached

    monkeypatch.setattr(running.shutil, "rmtree", killed)
    with pytest.raises(Reached):
        train_voice(home, force=True)
    assert left(home) == {"checkpoints"}
    assert read_run(home / "training") is None


def test_force_begins_again_whatever_the_record_says(home: Path) -> None:
    (home / "training" / "run.json").write_text("{")
    with pytest.raises(ProjectError, match=r"run\.json cannot be read"):
        train_voice(home)
    with pytest.raises(Reached):
        train_voice(home, force=True)
    assert left(home) == set()


@pytest.mark.parametrize(
    ("kept", "wishes", "says"),
    [
        ({"version": 1}, {}, "begun by another version of Covermaker"),
        ({"profile": {**RUN["profile"], "colour": 1}}, {}, "the profile cannot be read"),
        ({"profile": {"name": "quick"}}, {}, "the profile cannot be read"),
        ({"profile": None}, {}, "the profile and the seed are missing"),
        ({}, {"seed": 2}, "begun with the seed '1'"),
        ({}, {"profile": "studio"}, "begun with the profile 'quick'"),
        ({}, {"profile": replace(PROFILES["quick"], heldout_seconds=9.0)}, "'quick' has changed since"),
        ({}, {"encoder": "whisper-tiny.en"}, "begun with the encoder 'whisper-base'"),
        ({}, {"asked_by": "a step"}, "begun for something else"),
        ({"asked_by": "another step"}, {"asked_by": "a step"}, "begun for something else"),
        ({"asked_by": "a step", "status": "astray"}, {"asked_by": "a step"}, "begun for something else"),
    ],
)  # fmt: skip
def test_another_run_is_not_taken_up(
    home: Path, kept: dict[str, Any], wishes: dict[str, Any], says: str
) -> None:
    keep(home, **kept)
    with pytest.raises(OtherRunError, match=says) as caught:
        train_voice(home, resume=True, **wishes)
    assert "--force" in str(caught.value.hint)
    assert left(home) == {"run.json", "checkpoints"}


@pytest.mark.parametrize(
    "wishes",
    [{}, {"seed": 1}, {"profile": "quick"}, {"profile": "quick", "steps": 9}, {"minutes": 3.0}, {"asked_by": "me"}],
)  # fmt: skip
def test_the_same_run_is_taken_up(home: Path, wishes: dict[str, Any]) -> None:
    keep(home, asked_by="me")
    with pytest.raises(Reached):
        train_voice(home, resume=True, **wishes)
    assert left(home) == {"run.json", "checkpoints"}


def test_a_new_budget_becomes_the_runs_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped on its way there, ``--resume`` alone goes on to it, and whoever asks is told so."""
    begun = []

    def prepared(
        folder: Path, home: Path, takes: Any, wanted: Profile, run: dict[str, Any], **_: Any
    ) -> None:
        begun.append(wanted)
        running._keep({**run, "data_sha256": "as before"}, home / "training")
        raise Reached

    monkeypatch.setattr(running, "_train", prepared)
    keep(home, status="finished", data_sha256="as before")
    (home / "card.toml").touch()
    for wishes, minutes, steps in [({"steps": 3000}, None, 3000), ({}, None, 3000), ({"minutes": 20.0}, 20.0, None),
                                   ({}, 20.0, None)]:  # fmt: skip
        with pytest.raises(Reached):
            train_voice(home, resume=True, **wishes)
        found = watch(home)
        assert (found.status, found.minutes, found.steps) == ("stopped", minutes, steps)
        assert begun[-1].minutes == minutes
        assert steps is None or begun[-1].recipe.steps == steps
    assert json.loads((home / "training" / "run.json").read_text())["more_from"] == 100
    with pytest.raises(UsageError, match="was stopped before its end"):
        train_voice(home)


def test_other_takes_leave_a_finished_run_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        running, "_train", lambda *a, **_: running._keep({**a[4], "data_sha256": "other"}, home / "training")
    )
    keep(home, status="finished", data_sha256="as before")
    with pytest.raises(OtherRunError, match="the takes have changed"):
        train_voice(home, resume=True, steps=3000)
    assert (watch(home).status, watch(home).minutes) == ("finished", 11.0)


@pytest.mark.parametrize("wishes", [{}, {"steps": 100}, {"steps": 40}, {"minutes": 1.0}, {"seed": 1}])
def test_what_is_finished_says_so_at_once(home: Path, wishes: dict[str, Any]) -> None:
    keep(home, status="finished")
    (home / "card.toml").touch()
    save_checkpoint(Checkpoint({}, {"step": 100, "spent_seconds": 61.0}), home / "training" / "checkpoints")
    before = (home / "training" / "run.json").read_bytes()
    with pytest.raises(
        UsageError, match="'anna' is finished at 100 steps: there is nothing left to do"
    ) as told:
        train_voice(home, resume=True, **wishes)
    assert "--resume goes further with --steps above 100, or with more --minutes" in str(told.value.hint)
    assert (home / "training" / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("kept", "wishes"),
    [({"status": "running"}, {}), ({"status": "finished"}, {"steps": 101}), ({"status": "finished"}, {"minutes": 2.0}),
     ({"status": "astray"}, {})],
)  # fmt: skip
def test_what_has_something_left_to_do_is_taken_up(
    home: Path, kept: dict[str, Any], wishes: dict[str, Any]
) -> None:
    """A run that was killed between its last step and its end says that it runs, and comes to its end."""
    keep(home, **kept)
    (home / "card.toml").touch()
    with pytest.raises(Reached):
        train_voice(home, resume=True, **wishes)


def test_what_was_only_prepared_is_not_resumed_and_says_where_it_is(home: Path) -> None:
    shutil.rmtree(home / "training")
    with pytest.raises(OtherRunError, match="no training to take up") as told:
        train_voice(home, resume=True, steps=40)
    assert told.value.hint == "leave --resume out"
    (home / "training" / "examples").mkdir()
    (home / "training" / "examples" / "a.npz").touch()
    with pytest.raises(OtherRunError, match="it was ended before its first step") as told:
        train_voice(home, resume=True, steps=40)
    assert str(home / "training") in str(told.value.hint)
    assert str(told.value.hint).endswith(f"go on from there with: covermaker train {home} --steps 40")


@pytest.mark.parametrize(
    ("record", "card", "wishes", "command"),
    [
        (None, False, {"profile": "rvc", "base": ["a b.pth"], "seed": 3}, "--profile rvc --base 'a b.pth' --seed 3"),
        (None, True, {"minutes": 20.0, "device": "auto"}, "--minutes 20 --force"),
        ({}, True, {"steps": 40, "profile": "quick", "threads": 2}, "--resume --threads 2"),
        ({"status": "finished"}, True, {"resume": True, "steps": 40}, "--resume --steps 40"),
        ({}, True, {"resume": True, "minutes": 20.0}, "--resume --minutes 20"),
        ({}, True, {"resume": True, "minutes": 11.0, "tensorboard": True}, "--resume --tensorboard"),
    ],
)  # fmt: skip
def test_the_command_that_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, record: Any, card: bool, wishes: Any, command: str
) -> None:
    """What the record of the run has need not be said again; what it has not, must be."""
    monkeypatch.setenv("COVERMAKER_VOICES", str(home.parent))
    (home / "training" / "run.json").unlink() if record is None else keep(home, **record)
    if card:
        (home / "card.toml").touch()
    assert going_on(home, wishes) == f"covermaker train anna {command}"


def test_what_has_only_damaged_checkpoints_is_not_taken_up(home: Path) -> None:
    """It is told before anything is prepared, and a render, which may begin again, does."""
    checkpoint_path(home / "training" / "checkpoints", 100).write_bytes(b"half")
    with pytest.raises(OtherRunError, match="can be read: 1 are damaged") as refused:
        train_voice(home, resume=True)
    assert refused.value.hint == "--force begins again"
    assert left(home) == {"run.json", "checkpoints"}
    checkpoint_path(home / "training" / "checkpoints", 100).unlink()
    with pytest.raises(Reached):
        train_voice(home, resume=True)


def test_a_profile_that_is_none_says_so() -> None:
    whole = PROFILES["quick"].as_dict()
    for values in ({}, {**whole, "size": 3}, {**whole, "recipe": {"strides": 3}}):
        with pytest.raises(ProjectError, match="the profile cannot be read"):
            Profile.from_dict(values)


@pytest.mark.parametrize("work", [lambda folder: train_voice(folder, force=True), audition,
                                  lambda folder: promote(folder, 100)])  # fmt: skip
def test_nobody_works_beside_a_training(home: Path, monkeypatch: pytest.MonkeyPatch, work: Any) -> None:
    monkeypatch.setattr("covermaker.training.audition.read_card", lambda _: None)
    with alone_in(home), pytest.raises(ResourceError, match="a training of 'anna' runs already"):
        work(home)
    assert left(home) == {"run.json", "checkpoints"}


def test_a_wish_to_stop_is_heard_while_the_takes_are_looked_at(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_at(folder: Path, takes: Any, work: Path, clock: Any, told: Any) -> None:
        told(0.1)
        ask_to_stop(home)
        told(0.2)
        raise Reached

    monkeypatch.setattr(running, "_looked_at", looked_at)
    monkeypatch.setenv("COVERMAKER_VOICES", str(home.parent))
    with pytest.raises(StoppedError, match="before it went on from step 100") as stopped:
        train_voice(home, resume=True, steps=400)
    assert str(stopped.value.hint).endswith("go on with: covermaker train anna --resume --steps 400")
    assert left(home) == {"run.json", "checkpoints"}


def test_a_killed_audition_leaves_no_half_phrase(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = home / "training" / "heldout"
    place.mkdir()
    (place / "phrases.json").write_text('{"sung": {"semitones": 0}}')
    for name in ("source", "target"):
        (place / f"{name}.wav").write_bytes(b"x")
    phrase = SimpleNamespace(kind="sung", source=place / "source.wav", target=place / "target.wav")
    card = SimpleNamespace(content=SimpleNamespace(encoder="x"))

    def killed(_: Any, voice: Any, out: Path, device: str) -> None:
        out.write_bytes(b"half")
        raise Reached

    for name, stands in {
        "_of_run": lambda _: SimpleNamespace(card=card), "read_phrases": lambda *_, **__: [phrase],
        "_install": lambda *_: None, "Voice": SimpleNamespace(open=lambda _: None), "convert_phrase": killed,
    }.items():  # fmt: skip
        monkeypatch.setattr(f"covermaker.training.audition.{name}", stands)
    with pytest.raises(Reached):
        audition(home)
    assert not sung_file(home, 100, "sung").exists()
    assert not is_sung(home, 100, "sung")


def test_a_lock_is_given_back(home: Path) -> None:
    for _ in range(2):
        with pytest.raises(Reached):
            train_voice(home, resume=True)


def test_one_gpu_for_several_processes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="--device cuda:1 is one GPU, and 2 processes train"):
        Several("cuda:1")


def test_a_singer_of_whom_nothing_is_long_enough_is_named() -> None:
    def sung(frames: int, speaker: int) -> Example:
        return Example(np.zeros(frames * 160, np.float32), *[np.zeros(frames, np.float32)] * 2,
                       (np.zeros((frames, 4), np.float16),), speaker)  # fmt: skip

    short = Dataset([sung(60, 0), sung(20, 1)], sample_rate=16_000, clip_frames=50)
    with pytest.raises(AudioInputError, match=r"the takes of 'bea' hold nothing as long as the 0\.5 s"):
        check_singers(short, ["anna", "bea"])
    check_singers(Dataset([sung(60, 0), sung(50, 1)], sample_rate=16_000, clip_frames=50), ["anna", "bea"])
