"""Jobs: a board fed by recordings, and a runner whose children end in every way."""

import asyncio
import json

import pytest
from studio_stage import CHILD, HALF, KILLED, PLAN, REFUSED, RESULT, SEPARATE, STUCK, WHOLE, on_stage, project

from covermaker.errors import CovermakerError
from covermaker.graph.events import StepFailed, StepStarted, from_json
from covermaker.tui.job_board import JobBoard
from covermaker.tui.jobs import JobRunner
from covermaker.tui.leaving import loss
from covermaker.tui.toast import ended_words


def replay(*texts, at=100.0):
    """Feed a board with a recording, a second between lines; returns it, the job and the time."""
    board = JobBoard()
    job = board.add("render", "Blue Harbour", "/songs/blue", {}, None)
    board.began(job, at)
    now = at
    for line in "\n".join(texts).splitlines():
        now += 1.0
        board.feed(job, from_json(line), now)
    return board, job, now


def test_progress_weighs_steps_by_their_cost_and_leaves_out_what_was_kept():
    board, job, now = replay(PLAN, SEPARATE, HALF)
    assert job.steps["decode"].state == "cached"
    # separate costs 9.0, export 0.8: half of separate is 4.5 of 9.8.
    assert job.fraction == pytest.approx(4.5 / 9.8)
    assert job.seconds_left(now) == pytest.approx(3.0 * (5.3 / 4.5))
    assert job.progress(now) == "separate 50 %, 0:04 left"
    assert board.headline(now) == "Blue Harbour: separate 50 %, 0:04 left"


def test_no_time_is_promised_at_the_beginning():
    _, job, now = replay(PLAN, SEPARATE)
    assert job.seconds_left(now) is None
    assert job.progress(now) == "separate 0 %"


def test_a_whole_recording():
    board, job, now = replay(WHOLE)
    board.ended(job, now, error=None)
    assert (job.state, job.fraction) == ("done", 1.0)
    assert job.steps["separate"].seconds == 2.5
    assert job.notes == ["the song is mono"]
    assert [line.text for line in board.log] == [
        "started", "separate: begins", "the song is mono", "separate: done in 2.5 s", "export: begins",
        "export: done in 0.5 s", "done",
    ]  # fmt: skip
    assert ended_words(job) == ("Blue Harbour: rendered in 0:08, -14.0 LUFS", "")
    assert board.headline(now) == ""


def test_a_failure_names_the_step_and_the_next_step():
    board, job, now = replay(*REFUSED.splitlines()[:-1])
    board.ended(job, now, error=CovermakerError("the disk is full", hint="free some space"))
    assert ended_words(job) == ("Blue Harbour: failed at separate: the disk is full", "free some space")


def test_waiting_for_another_process_is_said():
    _, job, now = replay(PLAN, '{"event": "step.waiting", "name": "separate", "key": "b"}')
    assert job.progress(now) == "separate: another process makes it, waiting"


def test_events_of_other_jobs_do_no_harm():
    line = {"event": "training.scored", "step": 1, "score": 0.5, "best": True, "figures": {}}
    board, job, _ = replay(PLAN, json.dumps(line))
    assert board.of("/songs/blue") is job
    assert board.of("/songs/other") is None


def test_the_log_does_not_grow_for_ever():
    board = JobBoard()
    for number in range(6000):
        board.say(0.0, "", str(number))
    assert len(board.log) == 5000
    assert board.logged == 6000
    assert board.log[-1].text == "5999"


class Runs:
    """A runner on a folder of recordings."""

    def __init__(self, root):
        self.root, self.ended, self.changes = root, [], 0
        self.board = JobBoard()
        self.runner = JobRunner(self.board, self._changed, self.ended.append, command=CHILD)

    def _changed(self):
        self.changes += 1

    def submit(self, name, recording, kind="render"):
        folder = project(self.root, name, recording=recording)
        return self.runner.submit(
            kind, name, str(folder), {"project": str(folder)}, folder / ".covermaker" / "log"
        )

    async def until(self, is_so):
        for _ in range(1000):
            if is_so():
                return
            await asyncio.sleep(0.01)
        raise AssertionError([vars(job) for job in self.board.jobs.values()])


@on_stage
async def test_jobs_run_one_after_another(tmp_path):
    runs = Runs(tmp_path)
    first, second = runs.submit("one", WHOLE), runs.submit("two", WHOLE)
    assert (first.state, second.state) == ("run", "wait")
    await runs.until(lambda: len(runs.ended) == 2)
    assert runs.ended == [first, second]
    assert [job.state for job in runs.ended] == ["done", "done"]
    assert first.ended <= second.started
    assert runs.changes > 10


@on_stage
async def test_jobs_of_another_kind_run_beside(tmp_path):
    runs = Runs(tmp_path)
    first, other = runs.submit("one", STUCK), runs.submit("two", WHOLE, kind="train")
    await runs.until(lambda: runs.ended)
    assert (first.state, other.state) == ("run", "done")
    await runs.runner.close()


@pytest.mark.parametrize(
    ("recording", "said"),
    [
        (REFUSED, "the disk is full"),
        (KILLED, "the job was killed"),
        (PLAN + "\n!exit 3", "ended without a result (exit status 3)"),
        (PLAN, "ended without a result (exit status 0)"),
    ],
    ids=["refused", "killed", "left", "silent"],
)
@on_stage
async def test_a_child_that_fails_names_its_log_and_lets_the_next_begin(tmp_path, recording, said):
    runs = Runs(tmp_path)
    job, after = runs.submit("one", "!say segmentation of the fault\n" + recording), runs.submit("two", WHOLE)
    await runs.until(lambda: len(runs.ended) == 2)
    assert job.state == "failed"
    assert said in job.message
    assert job.log.read_text() == "segmentation of the fault\n"
    assert recording == REFUSED or str(job.log) in job.hint
    assert after.state == "done"


@pytest.mark.parametrize("recording", [REFUSED, KILLED, PLAN], ids=["refused", "killed", "silent"])
@on_stage
async def test_the_log_of_a_job_that_failed_says_why(tmp_path, recording):
    runs = Runs(tmp_path)
    job = runs.submit("one", recording)
    await runs.until(lambda: len(runs.ended) == 1)
    assert job.log.read_text() == f"{job.message}\n{job.hint}\n"


@on_stage
async def test_what_is_no_event_goes_to_the_log(tmp_path):
    runs = Runs(tmp_path)
    runs.submit("one", "hello from a library\n" + WHOLE)
    await runs.until(lambda: runs.ended)
    assert runs.ended[0].state == "done"
    assert "hello from a library" in [line.text for line in runs.board.log]


@on_stage
async def test_cancel_what_waits_and_what_runs(tmp_path):
    runs = Runs(tmp_path)
    first, second = runs.submit("one", STUCK), runs.submit("two", WHOLE)
    runs.runner.cancel(second)
    assert second.state == "stopped"
    await runs.until(lambda: first.current)
    runs.runner.cancel(first)
    assert first.message == "stopping"
    await runs.until(lambda: first.is_over)
    assert first.state == "stopped"
    runs.runner.cancel(first)  # nothing more to do


@on_stage
async def test_a_cancelled_child_that_does_not_hear_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("covermaker.tui.jobs.GRACE_SECONDS", 0.1)
    runs = Runs(tmp_path)
    job = runs.submit("one", "!deaf\n" + STUCK)
    await runs.until(lambda: job.current)
    runs.runner.cancel(job)
    await runs.until(lambda: job.is_over)
    assert job.state == "stopped"


def test_the_stages_of_a_training_have_one_name_also_where_they_fail():
    board = JobBoard()
    for kind, step in (("train", "features"), ("render", "train: features")):
        job = board.add(kind, "Anna", "/voices/anna", {}, None)
        board.began(job, 1.0)
        board.feed(job, StepStarted(step, ""), 1.0)
        board.feed(job, StepFailed(step, "the disk is full"), 2.0)
        assert board.log[-1].text.endswith("hearing the takes: failed")
        board.ended(job, 3.0, error=CovermakerError("the disk is full"))
        assert "hearing the takes: the disk is full" in ended_words(job)[0]


@on_stage
async def test_a_child_whose_events_break_us_does_not_go_on_unheard(tmp_path, monkeypatch):
    runs = Runs(tmp_path)
    children = []

    def breaks(job, event, now):
        children.extend(runs.runner._children.values())
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(runs.board, "feed", breaks)
    job = runs.submit("one", STUCK)
    await runs.until(lambda: runs.ended)
    assert job.message == "a defect in Covermaker: ZeroDivisionError: surprise"
    await runs.until(lambda: children[0].returncode is not None)


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("render", "run", "Quitting stops it. Finished steps are kept."),
        ("take-in", "run", "Quitting stops it. Nothing was taken in."),
        ("promote", "run", "Quitting stops it. The voice is what it was."),
        ("render", "wait", "1 job waits.\nQuitting gives up what waits."),
    ],
)
def test_leaving_says_what_stays_of_each_kind(kind, state, words):
    board = JobBoard()
    job = board.add(kind, "anna", "/voices/anna", {}, None)
    if state == "run":
        board.began(job, 100.0)
    assert loss(board, 101.0).endswith(words)
    assert loss(JobBoard(), 101.0) == ""


@on_stage
async def test_closing_takes_less_than_a_second_with_a_child_that_does_not_hear(tmp_path):
    runs = Runs(tmp_path)
    job, waiting = runs.submit("one", "!deaf\n" + STUCK), runs.submit("two", WHOLE)
    await runs.until(lambda: job.current)
    started = asyncio.get_running_loop().time()
    await runs.runner.close(0.2)
    assert asyncio.get_running_loop().time() - started < 1.0
    assert (job.state, waiting.state) == ("stopped", "wait")


@on_stage
async def test_a_child_that_cannot_be_started_is_a_failed_job(tmp_path):
    runs = Runs(tmp_path)
    runs.runner._command = (str(tmp_path / "no-such-program"),)
    job = runs.submit("one", WHOLE)
    await runs.until(lambda: runs.ended)
    assert job.state == "failed"
    assert "cannot be started" in job.message


def test_the_recordings_are_events():
    for line in "\n".join((PLAN, SEPARATE, HALF, RESULT)).splitlines():
        from_json(line)


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (80, "Blue Harbour: separate 50 %, 0:04 left"), (38, "Blue Harbour: separate 50 %, 0:04 left"),
        (37, "Blue Harbo…: separate 50 %, 0:04 left"), (30, "Blu…: separate 50 %, 0:04 left"),
        (29, "Blue Harbour: 50 %, 0:04 left"), (22, "Blue…: 50 %, 0:04 left"), (17, "Blue…: 50 %, 0:04"),
        (15, "50 %, 0:04 left"), (10, "50 %, 0:04"),
    ],
)  # fmt: skip
def test_in_a_narrow_window_words_go_before_figures(room, said):
    board, _, now = replay(PLAN, SEPARATE, HALF)
    assert board.headline(now, room) == said


def test_a_narrow_window_says_that_the_queue_is_paused_as_long_as_there_is_room():
    board, _, now = replay(PLAN, SEPARATE, HALF)
    board.held.add("render")
    assert board.headline(now, 24) == "paused  Blu…: 50 %, 0:04"
    assert board.headline(now, 18) == "paused  50 %, 0:04"
    assert board.headline(now, 17) == "50 %, 0:04"
