"""A training inside a render: its key, when it is taken up, and what it tells, as it comes."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from covermaker.graph.events import (
    Event,
    Note,
    StepFinished,
    StepProgress,
    StepStarted,
    TrainingProgress,
    TrainingScored,
)
from covermaker.graph.run import run
from covermaker.graph.step import Step, Work
from covermaker.graph.store import Store
from covermaker.render import singwork
from covermaker.render.singers import Trainee
from covermaker.render.singing import train_step
from covermaker.render.singwork import _phases
from covermaker.render.tasks import _once
from covermaker.takes.document import make_takes, write_takes
from covermaker.training import needs
from covermaker.training import run as running
from covermaker.training.asked import VERSION
from covermaker.training.course import read_run, write_run
from covermaker.training.profiles import PROFILES, Profile

PHASES = ("clips", "features", "phrases", "index", "train")


def test_phases_are_stages_of_one_bar_and_notes_come_at_once() -> None:
    fractions: list[float] = []
    heard: list[Event] = []
    notes: list[str] = []
    listener = _phases(Work(Path(), {}, fractions.append, 0, tell=heard.append), notes)
    for name in PHASES:
        listener(StepStarted(name, ""))
        for fraction in (0.0, 0.5, 1.0):
            listener(StepProgress(name, fraction))
        if name == "clips":
            listener(Note("a.wav: clipped"))
            assert heard[-1] == Note("a.wav: clipped")
        listener(StepFinished(name, "", 1.0))
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == pytest.approx(1.0)
    assert notes == ["a.wav: clipped"]
    stages = [event.name for event in heard if isinstance(event, StepFinished)]
    assert stages == ["train: clips", "train: features", "train: phrases", "train: index", "train: steps"]
    halfway = TrainingProgress(50, 100, 0.5, {"loss": 1.0}, 1e-3, 0.1, 5.0, 0)
    listener(halfway)
    assert heard[-1] == TrainingProgress(50, 100, 0.7, {"loss": 1.0}, 1e-3, 0.1, 5.0, 0)
    scored = TrainingScored(50, 0.5, True)
    listener(scored)
    assert heard[-1] == scored


def test_a_step_speaks_to_whoever_listens_to_the_run(tmp_path: Path) -> None:
    heard: list[Event] = []

    def work(work: Work) -> dict[str, object]:
        work.tell(Note("now"))
        assert heard[-1] == Note("now")
        (work.folder / "a").touch()
        return {"notes": ["now"]}

    step = Step("train", "train", 1, {}, {}, work)
    run(Store(tmp_path / "store"), [step], listener=heard.append)
    assert [type(event).__name__ for event in heard] == ["StepStarted", "Note", "StepFinished"]


def test_what_was_told_on_the_way_is_not_told_again_in_the_end() -> None:
    heard: list[Event] = []
    listener = _once(heard.append)
    for event in (Note("a"), StepStarted("x", ""), Note("b"), Note("a"), StepStarted("x", "")):
        listener(event)
    assert heard == [Note("a"), StepStarted("x", ""), Note("b"), StepStarted("x", "")]


class Reached(Exception):
    """A training is past its beginning."""


def trainee(folder: Path, profile: Profile = PROFILES["quick"], seed: int = 1) -> Trainee:
    takes = make_takes(name="anna", rights="synthetic", created=date(2026, 1, 1),
                       takes=[{"file": "a.wav", "sha256": "0" * 64}])  # fmt: skip
    (folder / "takes" / "takes").mkdir(parents=True, exist_ok=True)
    (folder / "takes" / "takes" / "a.wav").touch()
    write_takes(takes, folder / "takes")
    return Trainee(folder / "takes", folder / "home", takes, profile, seed)


def test_everything_that_decides_is_in_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PROFILES["quick"]
    step = train_step(trainee(tmp_path), 60.0)
    assert set(step.weights) == {
        "whisper-base", "spleeter-2stems-vocals", "spleeter-2stems-accompaniment", "fcpe", "ge2e-speaker",
    }  # fmt: skip
    plain = replace(quick, augmentation=replace(quick.augmentation, separated=0.0))
    assert "spleeter-2stems-vocals" not in train_step(trainee(tmp_path, plain), 60.0).weights
    crepe = replace(quick, augmentation=replace(quick.augmentation, pitch="crepe-tiny"))
    assert "crepe-tiny" in train_step(trainee(tmp_path, crepe), 60.0).weights
    keys = {step.key}
    for name in ("GATHER_VERSION", "CONVERT_VERSION", "CLIPS_VERSION", "ANALYSIS_VERSION", "CONTENT_VERSION"):
        with monkeypatch.context() as patch:
            patch.setattr(needs, name, 99)
            keys.add(train_step(trainee(tmp_path), 60.0).key)
    with monkeypatch.context() as patch:
        patch.setattr(needs.SpleeterSeparator, "VERSION", 99)
        keys.add(train_step(trainee(tmp_path), 60.0).key)
    assert len(keys) == 7
    assert train_step(trainee(tmp_path), 60.0).key in keys


def test_a_render_takes_up_what_it_began_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two of its files or with another profile's run in its place, it begins again."""
    begun: list[bool] = []

    def looked_at(folder: Path, takes: object, work: Path, *_: object) -> None:
        begun.append(read_run(work) is None)
        raise Reached

    monkeypatch.setattr(running, "_looked_at", looked_at)
    wanted = trainee(tmp_path)
    training = wanted.home / "training"

    def render(seed: int) -> bool:
        """Tell whether it began again."""
        with pytest.raises(Reached):
            singwork.train(Work(tmp_path, {}, lambda _: None, seed, "cpu"), trainee=wanted)
        return begun[-1]

    run = {
        "version": VERSION, "status": "running", "profile": wanted.profile.as_dict(), "seed": 1,
        "asked_by": "7",
    }  # fmt: skip
    assert render(7)
    for record, again in (
        (run, False),
        (run | {"asked_by": "8"}, True),
        ({**run, "status": "finished"}, True),
        (run | {"version": 0}, True),
        (run | {"profile": PROFILES["studio"].as_dict()}, True),
        (run | {"seed": 5}, True),
        (run | {"profile": {}}, True),
    ):
        write_run(training, record)
        assert render(7) is again, record
    (training / "run.json").write_text("{")
    assert render(7)
