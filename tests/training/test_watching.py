"""A training seen and ended from outside: what it says of itself, what a watcher makes of any state of its files."""

import json
import os
import platform
import signal
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from test_resume import assert_same_bits, final_weights
from tiny_training import run_tiny

from covermaker.errors import ResourceError, UsageError
from covermaker.graph.events import Note, StepProgress, StepStarted, TrainingProgress
from covermaker.training import pulse as pulse_module
from covermaker.training import run as run_module
from covermaker.training import saving
from covermaker.training import steps as training_steps
from covermaker.training import watch as watch_module
from covermaker.training.checkpoint import Checkpoint, checkpoint_path, steps_kept
from covermaker.training.course import Clock
from covermaker.training.lock import alone_in, is_held
from covermaker.training.profile_choice import load_profile
from covermaker.training.pulse import Pulse, read_now
from covermaker.training.stopping import (
    StoppedError,
    ask_to_stop,
    check_stop,
    forget,
    is_asked,
    kill_training,
)
from covermaker.training.sung import is_sung, kinds_of, sung_file
from covermaker.training.watch import Course, status_of, wait_until_free, watch
from covermaker.voices.card import read_card, trained_step, write_card
from covermaker.voices.library import SHIPPED

PROGRESS = TrainingProgress(120, 4000, 0.03, {"loss": 0.5, "spectral": 0.5}, 1e-3, 0.2, 776.0, 1 << 30)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "anna" / "training" / "checkpoints").mkdir(parents=True)
    return tmp_path / "anna"


def line(step: int, loss: float, **more: float) -> str:
    return json.dumps({"step": step, "loss": loss, "spectral": loss, "seconds_per_step": 0.2, **more}) + "\n"


def record(home: Path, status: str, **recipe: Any) -> None:
    profile = {"name": "quick", "minutes": 11.0, "recipe": {"steps": 4000, **recipe}}
    (home / "training" / "run.json").write_text(json.dumps({"status": status, "profile": profile, "seed": 1}))


def test_asked_to_stop_it_saves_and_goes_on_to_the_same_bits(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(training_steps, "_TELL_SECONDS", -1.0)
    torn = tmp_path / "torn"

    def stop_at_8(event: object) -> None:
        if isinstance(event, TrainingProgress) and event.step == 8:
            (torn / "training" / "stop").write_text("")

    few = {"steps": 12, "saves": 2}
    run_tiny(tmp_path / "whole", **few)
    with pytest.raises(StoppedError, match="stopped at step 9 of 12: all of it is saved") as stopped:
        run_tiny(torn, listener=stop_at_8, **few)
    assert stopped.value.exit_code == 130
    assert stopped.value.hint == f"go on with: covermaker train {torn} --resume"  # it is in no library
    assert steps_kept(torn / "training" / "checkpoints") == [6, 9]
    assert watch(torn).checkpoints[-1].score is None
    forget(torn / "training")
    assert run_tiny(torn, resume=True, **few)["steps"] == 12
    assert_same_bits(final_weights(tmp_path / "whole"), final_weights(torn))


def test_asked_to_stop_at_a_save_it_writes_no_second_checkpoint(tmp_path: Path, monkeypatch: Any) -> None:
    written: list[int] = []
    write = saving.save_checkpoint

    def counting(checkpoint: Checkpoint, folder: Path) -> Path:
        written.append(checkpoint.state["step"])
        return write(checkpoint, folder)

    def stop_at_5(event: Any) -> None:
        if isinstance(event, TrainingProgress) and event.step == 5:
            (tmp_path / "torn" / "training" / "stop").write_text("")

    monkeypatch.setattr(training_steps, "_TELL_SECONDS", -1.0)
    monkeypatch.setattr(saving, "save_checkpoint", counting)
    few = {"steps": 12, "saves": 2}
    with pytest.raises(StoppedError, match="stopped at step 6 of 12: all of it is saved"):
        run_tiny(tmp_path / "torn", listener=stop_at_5, **few)
    assert written == [6]
    forget(tmp_path / "torn" / "training")
    run_tiny(tmp_path / "torn", resume=True, **few)
    run_tiny(tmp_path / "whole", **few)
    assert_same_bits(final_weights(tmp_path / "whole"), final_weights(tmp_path / "torn"))


def test_a_wish_before_the_first_step_ends_it_there(home: Path) -> None:
    check_stop(home / "training", lambda: "so it goes on")
    (home / "training" / "stop").write_text("")
    with pytest.raises(StoppedError, match="before the first step") as stopped:
        check_stop(home / "training", lambda: "so it goes on")
    assert stopped.value.hint == "what was prepared so far is kept, go on with: so it goes on"
    checkpoint_path(home / "training" / "checkpoints", 40).touch()
    with pytest.raises(StoppedError, match="stopped before it went on from step 40"):
        check_stop(home / "training", lambda: "so it goes on")


def test_a_phase_that_comes_again_adds_to_its_time() -> None:
    clock = Clock(lambda _: None)
    clock.phases["scores"] = 5.0
    with clock.phase("scores"):
        pass
    assert clock.phases["scores"] >= 5.0


def test_only_what_runs_can_be_asked(home: Path) -> None:
    for wish in (ask_to_stop, kill_training):
        with pytest.raises(UsageError, match="no training of 'anna' runs"):
            wish(home)
    with alone_in(home), pytest.raises(UsageError, match="no training of 'anna' runs"):
        ask_to_stop(home)  # an audition holds the lock, too, and there is nothing to save
    assert not is_asked(home / "training")
    with alone_in(home):
        Pulse(home / "training", lambda _: None).begin()
        ask_to_stop(home)
        assert watch(home).stopping
        assert not wait_until_free(home, 0.0)
    assert wait_until_free(home, 0.0)


def test_killing_is_what_ctrl_c_is_and_stays_on_this_machine(home: Path, monkeypatch: Any) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append((pid, number)))
    with alone_in(home):
        Pulse(home / "training", lambda _: None).begin()
        kill_training(home)
        assert [one for one in told if one[1]] == [(os.getpid(), signal.SIGINT)]
        monkeypatch.setattr(platform, "node", lambda: "elsewhere")
        with pytest.raises(UsageError, match="process"):
            kill_training(home)
        monkeypatch.undo()

        def refused(pid: int, number: int) -> None:
            raise PermissionError(1, "not yours")

        monkeypatch.setattr(os, "kill", refused)
        with pytest.raises(ResourceError, match="not yours"):
            kill_training(home)


def left_by_a_kill(home: Path, **changes: Any) -> None:
    """Leave the pulse of a training that was killed."""
    record(home, "running")
    Pulse(home / "training", lambda _: None).begin()
    file = home / "training" / "now.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize("doing", ["a training", "an audition", "a promotion"])
def test_whoever_comes_in_takes_away_what_a_kill_left(home: Path, doing: str) -> None:
    left_by_a_kill(home)
    with alone_in(home, doing):
        assert not (home / "training" / "now.json").exists()


def test_an_audition_does_not_pass_for_the_training_that_was_killed(home: Path, monkeypatch: Any) -> None:
    left_by_a_kill(home)
    killed: list[int] = []
    with alone_in(home, "an audition"):
        assert watch(home).status == "stopped"
        monkeypatch.setattr(os, "kill", lambda pid, _: killed.append(pid))
        for wish in (ask_to_stop, kill_training):
            with pytest.raises(UsageError, match="no training of 'anna' runs"):
                wish(home)
        with (
            pytest.raises(ResourceError, match="an audition of 'anna' runs already") as taken,
            alone_in(home),
        ):
            pass
    assert taken.value.hint == "wait for its end"
    assert not killed


def test_a_process_that_is_gone_trains_no_more(home: Path) -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    with alone_in(home):
        left_by_a_kill(home, pid=pid)
        assert watch(home).status == "stopped"
        with pytest.raises(UsageError, match="no training of 'anna' runs"):
            kill_training(home)
        left_by_a_kill(home, pid=pid, host="elsewhere")  # nobody here knows
        assert watch(home).status == "running"


def test_a_lock_is_seen_and_not_taken(home: Path) -> None:
    assert not is_held(home)
    with alone_in(home):
        assert is_held(home)
    assert not is_held(home)


def test_the_pulse_says_where_it_is_and_goes_in_the_end(home: Path, monkeypatch: Any) -> None:
    work, heard = home / "training", []
    pulse = Pulse(work, heard.append)
    pulse(StepStarted("clips", ""))
    assert read_now(work) is None  # the folder is not ours yet
    pulse.begin()
    pulse.on("cuda")
    pulse(StepStarted("train", ""))
    monkeypatch.setattr(pulse_module, "EVERY_SECONDS", -1.0)
    pulse(StepProgress("train", 0.03))
    pulse(PROGRESS)
    pulse(Note("the takes are short"))
    assert len(heard) == 5
    now = read_now(work)
    assert now is not None
    assert (now.phase, now.step, now.steps, now.loss, now.device) == ("train", 120, 4000, 0.5, "cuda")
    assert (now.pid, now.seconds_left) == (os.getpid(), 776.0)
    pulse.end()
    assert read_now(work) is None
    assert [entry.name for entry in work.iterdir()] == ["checkpoints"]


def test_the_preparation_tells_how_long_all_of_it_takes(home: Path, monkeypatch: Any) -> None:
    work, heard = home / "training", []
    pulse = Pulse(work, heard.append)
    pulse.begin()
    pulse(StepStarted("clips", ""))
    assert read_now(work).seconds_left is None  # nobody has said yet
    pulse.on("cpu", seconds_left=lambda: 600.04)
    monkeypatch.setattr(pulse_module, "EVERY_SECONDS", -1.0)
    pulse(StepStarted("features", ""))
    pulse(StepProgress("features", 0.5))
    assert read_now(work).seconds_left == 600.0
    assert heard[-1].seconds_left == read_now(work).seconds_left
    pulse(PROGRESS)
    pulse(StepProgress("scores", 0.5))  # a save in the training: what that has told stays
    assert read_now(work).seconds_left == 776.0
    assert heard[-1].seconds_left is None


@pytest.mark.parametrize(("spent", "left"), [(10.0, 170.0), (90.0, 90.0), (400.0, 83.0)])
def test_a_preparation_that_takes_long_leaves_some_time_for_the_training(
    home: Path, spent: float, left: float
) -> None:
    profile, clock = load_profile("quick", home, minutes=3.0), Clock(lambda _: None)
    clock.started -= spent
    assert run_module._seconds_left(profile, clock) == pytest.approx(left, abs=1.0)
    assert run_module._seconds_left(load_profile("quick", home, steps=10), clock) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"pid": 1}', '{"pid": 1, "told": "now"}'])
def test_a_pulse_that_cannot_be_read_is_none(home: Path, text: str) -> None:
    (home / "training" / "now.json").write_text(text)
    assert read_now(home / "training") is None


@pytest.mark.parametrize(
    "change", [{"pid": 0}, {"pid": -1}, {"pid": True}, {"pid": 1 << 40}, {"told": float("nan")}]
)
def test_a_pulse_of_nobody_is_none(home: Path, change: dict[str, Any]) -> None:
    left_by_a_kill(home, **change)
    assert read_now(home / "training") is None


def test_what_is_no_finite_number_is_left_out(home: Path) -> None:
    work = home / "training"
    (work / "history.jsonl").write_text(line(10, float("nan")) + '{"step": 1e400, "loss": 1.0}\n')
    (work / "scores.json").write_text('[{"step": 1e400, "score": 1.0}]')
    with alone_in(home):
        left_by_a_kill(home, loss=float("nan"), rate=float("inf"), step=10**400)
        record(home, "running", steps=float("inf"))
        (work / "run.json").write_text((work / "run.json").read_text().replace("11.0", "NaN"))
        found = watch(home)
    assert (found.status, found.step, found.loss, found.steps, found.minutes) == (
        "running",
        10,
        None,
        None,
        None,
    )
    assert "scores.json cannot be read" in found.problem
    json.dumps(asdict(found), allow_nan=False)


def test_a_history_is_read_on_and_anew(home: Path) -> None:
    work = home / "training"
    file, course = work / "history.jsonl", Course(work)
    assert not course.read_on()
    file.write_text(line(10, 2.0) + line(20, 1.5)[:15])
    assert course.read_on()
    assert course.steps == [10]
    assert not course.read_on()
    with file.open("a") as more:
        more.write(line(20, 1.5)[15:] + "nonsense\n" + line(30, 1.0, features=0.1))
    assert course.read_on()
    assert course.steps == [10, 20, 30]
    assert course.losses["loss"] == [2.0, 1.5, 1.0]
    assert course.losses["features"][-1] == 0.1
    assert len(course.losses["features"]) == 3
    (work / "new").write_text(line(10, 2.5))
    os.replace(work / "new", file)  # as a run that goes on from an earlier step writes it
    course.read_on()
    assert (course.steps, course.losses["loss"]) == ([10], [2.5])
    file.unlink()
    assert course.read_on()
    assert course.steps == []


@pytest.mark.parametrize(
    ("status", "busy", "beats", "told"),
    [
        ("running", True, True, "running"), ("running", False, True, "stopped"), ("running", False, False, "stopped"),
        ("running", True, False, "stopped"), ("finished", False, False, "finished"),
        ("finished", True, False, "finished"), ("astray", False, False, "astray"), (None, False, True, "stopped"),
        (None, True, True, "running"), (None, False, False, "none"), ("asleep", False, False, "none"),
    ],
)  # fmt: skip
def test_its_status(home: Path, status: str | None, busy: bool, beats: bool, told: str) -> None:
    """A process that was killed leaves its pulse behind; an audition holds the lock and has none."""
    if status is not None:
        record(home, status)
    with alone_in(home) if busy else nullcontext():
        if beats:
            Pulse(home / "training", lambda _: None).begin()
        assert watch(home).status == told


def test_what_is_watched(home: Path) -> None:
    record(home, "running")
    work = home / "training"
    (work / "history.jsonl").write_text(line(10, 2.0) + line(100, 0.9))
    (work / "scores.json").write_text(json.dumps([
        {"step": 50, "score": 0.8, "sung": {"similarity": 0.9, "cer": None}},
        {"step": 100, "score": 0.9, "sung": {"similarity": 0.95}},
    ]))  # fmt: skip
    checkpoint_path(work / "checkpoints", 100).write_bytes(b"x")
    write_card(read_card(SHIPPED / "demo").model_copy(update={"training": {"step": 100}}), home)
    with alone_in(home):
        pulse = Pulse(work, lambda _: None)
        pulse.begin()
        pulse(StepStarted("train", ""))
        found = watch(home)
    assert (found.status, found.busy, found.step, found.loss) == ("running", True, 100, 0.9)
    assert (found.profile, found.minutes, found.steps) == ("quick", 11.0, None)
    old, new = found.checkpoints
    assert (old.kept, old.is_best, old.figures) == (False, False, {"sung": {"similarity": 0.9}})
    assert (new.kept, new.is_best, new.is_voice) == (True, True, True)
    assert found.last_save == new
    assert found.heard is not None
    assert found.silent_for(found.heard + 5.0) is None
    assert found.silent_for(found.heard + 40.0) == pytest.approx(40.0)


@pytest.mark.parametrize("step", [None, "100", 1.5])
def test_a_card_that_names_no_step_is_that_of_none(home: Path, step: object) -> None:
    card = read_card(SHIPPED / "demo").model_copy(update={"training": {"step": step}})
    assert trained_step(card) is None
    (home / "card.toml").write_text("half = ")
    checkpoint_path(home / "training" / "checkpoints", 100).write_bytes(b"x")
    assert [one.is_voice for one in watch(home).checkpoints] == [False]


def test_the_status_alone_reads_no_history(home: Path, monkeypatch: Any) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("not needed for the status")

    for name in ("_checkpoints", "kinds_of"):
        monkeypatch.setattr(watch_module, name, refuse)
    monkeypatch.setattr(Course, "read_on", refuse)
    assert status_of(home) == "none"
    record(home, "astray")
    assert status_of(home) == "astray"
    with alone_in(home):
        Pulse(home / "training", lambda _: None).begin()
        assert status_of(home) == "running"
    assert status_of(home / "no such") == "none"


def test_a_long_history_is_read_at_once(home: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(watch_module, "_READ_BYTES", 64)
    steps = range(10, 20_000, 10)
    (home / "training" / "history.jsonl").write_text("".join(line(step, 1.0) for step in steps))
    course = Course(home / "training")
    assert course.read_on()
    assert course.steps == list(steps)


@pytest.mark.parametrize("text", ["", "{", '{"step": 1}', "[1]", '[{"score": 1}]', "[null]"])
def test_broken_files_are_a_sentence(home: Path, text: str) -> None:
    work = home / "training"
    (work / "scores.json").write_text(text)
    found = watch(home)
    assert "scores.json cannot be read" in found.problem
    (work / "run.json").write_text(text)
    assert "run.json" in watch(home).problem
    (work / "history.jsonl").mkdir()
    assert watch(home).step == 0


def test_a_voice_without_a_training_is_watched_too(tmp_path: Path) -> None:
    assert watch(tmp_path).status == "none"


def test_what_was_sung_counts_until_the_checkpoint_is_another(home: Path) -> None:
    (home / "training" / "heldout").mkdir()
    assert kinds_of(home) == []
    (home / "training" / "heldout" / "phrases.json").write_text('{"spoken": {}, "sung": {}}')
    assert kinds_of(home) == ["spoken", "sung"]
    assert not is_sung(home, 7, "sung")
    checkpoint = checkpoint_path(home / "training" / "checkpoints", 7)
    checkpoint.write_bytes(b"x")
    sung = sung_file(home, 7, "sung")
    sung.parent.mkdir()
    sung.write_bytes(b"y")
    assert is_sung(home, 7, "sung")
    assert watch(home).checkpoints[0].sung == ("sung",)
    later = time.time() + 10.0
    os.utime(checkpoint, (later, later))
    assert not is_sung(home, 7, "sung")
