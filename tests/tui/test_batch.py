"""The Batch screen and what it shows of the queue: rows and sums from recordings, order, pause, retry, both sizes."""

import asyncio

import pytest
from studio_stage import (
    CHILD,
    HALF,
    PLAN,
    REFUSED,
    RESULT,
    SEPARATE,
    STUCK,
    WHOLE,
    lines,
    on_stage,
    project,
    state,
    studio,
    text,
    until,
)  # fmt: skip

from covermaker.errors import CovermakerError
from covermaker.graph.events import from_json
from covermaker.tui.batch_list import JobDetails, Queue
from covermaker.tui.batch_model import cells, details, renders, totals, word_of
from covermaker.tui.batch_sums import totals_words
from covermaker.tui.details import Look
from covermaker.tui.job_board import JobBoard
from covermaker.tui.jobs import JobRunner

NOTHING_TO_DO = "\n".join(
    (PLAN.replace('"run"', '"kept"'), '{"event": "step.cached", "name": "export", "key": "c"}', RESULT)
)


def queued(*names):
    board = JobBoard()
    return board, [
        board.add("render", name.title(), f"/songs/{name}", {}, f"/songs/{name}/log") for name in names
    ]


def play(board, job, *texts, began=100.0, ended=None, error=None, stopped=False):
    """Replay a recording, a second a line; `ended` seconds after it began it is over."""
    board.began(job, began)
    for number, line in enumerate("\n".join(texts).splitlines(), start=1):
        board.feed(job, from_json(line), began + number)
    if ended is not None:
        board.ended(job, began + ended, error=error, stopped=stopped)


FULL = CovermakerError("the disk is full", hint="free some space")


def test_rows_say_state_loudness_and_time():
    board, (one, two, three, four, five) = queued("one", "two", "three", "four", "five")
    play(board, one, WHOLE, ended=48.0)
    play(board, two, *REFUSED.splitlines()[:-1], ended=5.0, error=FULL)
    play(board, three, NOTHING_TO_DO, ended=1.0)
    play(board, four, PLAN, SEPARATE, HALF)
    rows = [
        [text for text, _ in cells(job, 1, "demo", charset="unicode", now=104.0, paused=False).values()]
        for job in (one, two, three, four, five)
    ]
    assert rows[0] == ["1", "One", "demo", "✓ done", "-14.0 LUFS", "0:48"]
    assert rows[1][3:] == ["✗ the disk is full", "", "0:05"]
    assert rows[2][3:] == ["= nothing to do", "-14.0 LUFS", "0:01"]
    assert rows[3][3:] == ["► separate 50 %, 0:05 left", "", "0:04"]
    assert rows[4][3:] == ["· waiting", "", ""]
    assert cells(five, 5, "", charset="ascii", now=0.0, paused=True)["state"] == (". paused", "quiet")
    assert word_of(three) == "cached"
    two.message = "/songs/two/cover.toml:3: voice.name: unknown voice 'x'"
    state = cells(two, 2, "", charset="unicode", now=0.0, paused=False)["state"]
    assert state == ("✗ cover.toml:3: voice.name: unknown voice 'x'", "failed")


def test_sums_and_the_time_left():
    board, (one, two, three, _) = queued("one", "two", "three", "four")
    sums = totals(board, {}, 0.0)
    assert (sums.of, sums.waiting, sums.seconds_left, sums.songs_per_minute) == (4, 4, None, None)
    estimates = {job.subject: 30.0 for job in board.jobs.values()}
    assert totals(board, estimates, 0.0).seconds_left == 120.0
    play(board, one, WHOLE, ended=40.0)  # better than any estimate
    play(board, two, *REFUSED.splitlines()[:-1], ended=5.0, error=FULL)
    play(board, three, PLAN, SEPARATE, HALF, began=200.0)
    sums = totals(board, estimates, 203.0)
    assert (sums.done, sums.failed, sums.running, sums.waiting) == (1, 1, 1, 1)
    assert sums.seconds_left == pytest.approx(3.0 * (5.3 / 4.5) + 40.0)
    assert sums.fraction == pytest.approx((2 + 4.5 / 9.8) / 4)
    assert sums.songs_per_minute == 1.5
    first, second = totals_words(sums, 78, "unicode")
    assert first[0].endswith("  1 of 4 done  ► 1 running  · 1 wait  ✗ 1 failed")
    assert first[0].count("█") == 17  # what failed is over, too
    assert second[0] == "about 0:45 left, 1.5 songs a minute"
    assert "░" not in totals_words(sums, 40, "ascii")[0][0]
    board.held.add("render")
    assert totals_words(totals(board, {}, 203.0), 78, "unicode")[1][0].startswith(
        "the queue is paused: the running song is finished"
    )
    assert board.headline(203.0).startswith("paused, 1 wait  Three")


def test_a_queue_that_is_over():
    board, (one, two) = queued("one", "two")
    play(board, one, WHOLE, ended=40.0)
    play(board, two, *REFUSED.splitlines()[:-1], ended=5.0, error=FULL)
    assert totals_words(totals(board, {}, 200.0), 78, "unicode")[1] == (
        "all 2 renders over, 1 failed",
        "failed",
    )


def test_details_name_cause_next_step_log_and_what_is_kept():
    board, (job,) = queued("one")
    play(board, job, *REFUSED.splitlines()[:-1], ended=5.0, error=FULL)

    def told(now=110.0, *, paused=False):
        look = Look(
            "unicode",
            dict.fromkeys(("done", "run", "stale", "failed", "quiet"), ""),
            70,
            str,
            tall=True,
            now=now,
        )
        return details(job, look, paused=paused).plain

    assert told().splitlines() == [
        "✗ failed separate: the disk is full",
        "next     free some space; then {batch.retry} renders it again",
        "kept     decode",
        "steps    = decode  ✗ separate  · export",
        "log      /songs/one/log",
    ]
    job = board.again(job)
    assert told().startswith("waiting  for its turn")
    assert "tries    2" in told()
    assert told(paused=True).startswith("waiting  the queue is paused: {batch.pause} goes on")
    play(board, job, PLAN, SEPARATE, HALF)
    assert "whole    45 %" in told(now=103.0)
    board.ended(job, 110.0, error=None, stopped=True)
    assert told().startswith("stopped  {batch.retry} renders it again")


def test_order_retry_and_forgetting():
    board, (one, two, three) = queued("one", "two", "three")
    training = board.add("train", "Aria", "/voices/aria", {}, None)
    assert board.move(three, -1)
    assert renders(board) == [one, three, two]
    assert not board.move(one, -1)
    assert not board.move(two, 1)
    assert not board.move(training, -1)
    play(board, one, *REFUSED.splitlines()[:-1], ended=5.0, error=FULL)
    assert not board.move(one, 1)
    again = board.again(one)
    assert renders(board) == [three, two, again]
    assert (again.tries, again.state, again.id) == (2, "wait", 5)
    assert board.of("/songs/one") is again
    play(board, three, WHOLE, ended=10.0)
    board.forget(three)
    assert renders(board) == [two, again]
    assert [line.title for line in board.log if line.tone == "done"] == ["Three"]


@on_stage
async def test_a_paused_runner_finishes_what_runs_and_begins_no_next(tmp_path):
    board, ended = JobBoard(), []
    runner = JobRunner(board, lambda: None, ended.append, command=CHILD)

    def submit(name, kind="render"):
        folder = project(tmp_path, name)
        return runner.submit(kind, name, str(folder), {"project": str(folder)}, folder / "log")

    async def over(count):
        for _ in range(1000):
            if len(ended) == count:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(board.jobs)

    one, two = submit("one"), submit("two")
    runner.hold("render")
    other = submit("other", "train")
    await over(2)
    assert {one.state, other.state} == {"done"}
    assert two.state == "wait"
    three = submit("three")
    board.move(three, -1)
    runner.release("render")
    await over(4)
    assert ended[2:] == [three, two]
    assert runner.retry(two) is not two
    await over(5)
    assert runner.retry(ended[-1]).tries == 3
    await over(6)


def logged(app):
    return [line.text for line in app.board.log]


async def at_batch(app, pilot):
    await pilot.press("5")
    await until(pilot, lambda: app.screen.query(Queue))
    return app.screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 24), (40, 10)])
def test_empty_it_names_the_keys(library, states, size):
    @on_stage
    async def run():
        async with studio(library, size=size) as (app, pilot):
            await at_batch(app, pilot)
            rows = lines(app)
            assert all(len(row) == size[0] for row in rows)
            assert "No renders yet. + adds every stale" in text(app)
            assert rows[-1].rstrip().endswith("? Help")
            for key, said in (("+", "Add stale: nothing is stale"), ("r", "Retry: there is no render here")):
                await pilot.press(key)
                assert said[: size[0] - 4] in lines(app)[-2]

    run()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (170, 50)])
def test_a_queue_runs_fails_and_is_done_again(library, states, size):
    @on_stage
    async def run():
        for name, recording in (("one", WHOLE), ("three", STUCK), ("two", REFUSED)):
            project(library, name, recording=recording)
            states[name] = state("stale", to_do=("separate",))
        async with studio(library, size=size) as (app, pilot):
            screen = await at_batch(app, pilot)
            await pilot.press("+")
            await until(pilot, lambda: app.board.of(str(library / "three")).current == "separate")
            assert "3 songs to render, one after another" in logged(app)
            assert "✓ done" in text(app)
            assert "1 of 3" in text(app)
            await pilot.press("down", "down", "c")
            await until(pilot, lambda: "- stopped" in text(app))
            assert app.board.of(str(library / "two")).state == "stopped"
            await pilot.press("r")
            await until(pilot, lambda: "try 2" in text(app))
            await pilot.press("up", "c")  # three, which runs and never ends
            await until(pilot, lambda: "✗ the disk is full" in text(app))
            screen.query_one(Queue).cursor = 2
            await until(pilot, lambda: "Two: why it failed" in text(app))
            assert "separate: the disk is full" in text(app)
            assert "free some space" in text(app)
            assert "all 3 renders over, 1 failed" in text(app)
            rows = [row.rstrip() for row in lines(app)]
            assert rows[-1].endswith("? Help")
            await pilot.press("R")
            await until(pilot, lambda: "try 3" in text(app))
            await until(pilot, lambda: app.board.of(str(library / "two")).is_over)
            await pilot.press("d")
            await until(pilot, lambda: "No renders yet." in text(app))
            assert "took 3 renders from the list" in text(app)

    run()


@on_stage
async def test_pause_order_and_opening(library, states):
    for name in ("one", "two", "three"):
        project(library, name, recording=STUCK if name == "one" else WHOLE)
        states[name] = state("stale", to_do=("separate",))
    async with studio(library) as (app, pilot):
        screen = await at_batch(app, pilot)
        await pilot.press("p")
        assert "the queue is paused" in lines(app)[-2]
        assert " p Go on " in lines(app)[-1]
        await pilot.press("+")
        await until(pilot, lambda: "· paused" in text(app))
        queue = screen.query_one(Queue)
        assert [app.board.jobs[id_].title for id_ in queue.items] == ["One", "Three", "Two"]
        await pilot.press("J")
        assert "One is 2 of 3 that wait" in lines(app)[-2]
        await pilot.press("J", "J")
        assert "it is the last that waits" in lines(app)[-2]
        assert [app.board.jobs[id_].title for id_ in queue.items] == ["Three", "Two", "One"]
        assert queue.cursor == 2
        assert "c Cancel  b Queue  n New batch" in lines(app)[-1]  # and no Retry: it waits
        await pilot.press("K", "down", "p")
        assert "the queue goes on" in logged(app)
        assert " p Pause " in lines(app)[-1]
        await until(pilot, lambda: app.board.of(str(library / "one")).current == "separate")
        assert "about" in lines(app)[-3]
        screen.go_to(screen.query_one(JobDetails))
        await until(pilot, lambda: screen.focused is screen.query_one(JobDetails))
        screen.go_to(queue)
        await until(pilot, lambda: queue.has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "project")
        assert app.project == library / "two"


@on_stage
async def test_every_stale_song_is_every_one_and_a_second_time_there_is_none(library, states):
    for name in ("one", "two", "three"):
        project(library, name, recording=STUCK)
        states[name] = state("stale", to_do=("separate",))
    async with studio(library) as (app, pilot):
        await pilot.press("/", *"two", "enter")
        await until(pilot, lambda: len(app.library.query_one("#songs").items) == 1)
        await at_batch(app, pilot)
        await pilot.press("+")
        assert "3 songs to render, one after another" in logged(app)
        await until(pilot, lambda: len(renders(app.board)) == 3)
        await pilot.press("+")
        assert "Add stale: nothing is stale" in lines(app)[-2]
        assert len(renders(app.board)) == 3
        await pilot.press("1")  # and in the list as it is filtered, too
        await pilot.press("R")
        assert "All stale: nothing is stale" in lines(app)[-2]


@on_stage
async def test_a_render_that_is_retried_is_not_stale_beside(library, states):
    project(library, "one", recording=REFUSED)
    states["one"] = state("stale", to_do=("separate",))
    async with studio(library) as (app, pilot):
        await at_batch(app, pilot)
        await pilot.press("+")
        await until(pilot, lambda: app.board.of(str(library / "one")).is_over)
        await pilot.press("p", "r")
        await until(pilot, lambda: "· paused" in text(app))
        await pilot.press("+")
        assert "Add stale: nothing is stale" in lines(app)[-2]
