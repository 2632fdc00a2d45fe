"""What the coordinator makes of a queue: order, tries, asks, an end, and what it leaves when it is cut off."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from fake_engine import FakeEngine, failed, made, render_result

from covermaker.batch import coordinate, policy
from covermaker.batch.changing import swap_turns
from covermaker.batch.coordinate import Coordinator
from covermaker.batch.events import BatchLeft, BatchSaid, SongMoved
from covermaker.batch.holding import rendering, working_on
from covermaker.batch.options import Options
from covermaker.batch.queue import Queue
from covermaker.batch.rows import Try
from covermaker.errors import ExitCode, ResourceError
from covermaker.project.load import load
from covermaker.render.gauge import BINS_PER_LU


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(policy, "_FIRST_WAIT_SECONDS", 0.0)


@pytest.fixture
def three(make_song, make_queue):
    with make_queue(*(make_song(f"{name}.wav") for name in "abc")) as queue:
        yield queue


def work(queue, engine, **more):
    options = Options.of({**queue.fact("options"), **more})
    heard = []
    coordinator = Coordinator(queue, options, engine, heard.append)
    coordinator.run()
    return heard, coordinator


def states(queue):
    return [(song.id, song.state) for song in queue.songs()]


def test_all_songs_are_done_in_the_order_of_the_list(three):
    engine = FakeEngine()
    heard, _ = work(three, engine)
    assert states(three) == [(1, "done"), (2, "done"), (3, "done")]
    assert [task.song for task in engine.tasks] == [1, 2, 3]
    assert engine.tasks[0].request["project"] == three.song(1).project
    first = three.song(1)
    assert (first.result["loudness_lufs"], first.result["true_peak_dbtp"], first.result["files"]) == (
        -14.0,
        -1.5,
        ["a.wav"],
    )
    assert [(step.name, step.seconds, step.kept) for step in three.steps(1)] == [
        ("decode", 0.25, False),
        ("mix", 0.25, False),
    ]
    assert [one.state for one in three.tries(1)] == ["done"]
    moves = [(event.number, event.state, event.step) for event in heard if isinstance(event, SongMoved)]
    assert moves[:3] == [(1, "running", ""), (1, "running", "decode"), (1, "running", "mix")]
    assert three.fact("state") == "over"


def test_as_many_at_once_as_the_engine_takes(three):
    engine = FakeEngine(workers=2)
    work(three, engine)
    assert engine.most == 2


def test_a_broken_entry_stays_failed_and_stops_nobody(make_song, make_queue):
    with make_queue(make_song(), "gone.wav") as queue:
        work(queue, FakeEngine())
        assert states(queue) == [(1, "done"), (2, "failed")]
        assert queue.song(2).cause == "there is no such file"


def test_what_may_pass_is_tried_again_and_what_cannot_is_not(three):
    engine = FakeEngine(script={1: [failed(1)], 2: [failed(2, code=4, message="no audio")]})
    heard, _ = work(three, engine)
    assert states(three) == [(1, "done"), (2, "failed"), (3, "done")]
    assert [(one.number, one.state, one.step) for one in three.tries(1)] == [
        (1, "failed", "separate"),
        (2, "done", ""),
    ]
    song = three.song(2)
    assert (song.cause, song.hint, song.exit_code, song.step) == (
        "no audio",
        "look",
        ExitCode.AUDIO,
        "separate",
    )
    assert any("no luck; again in 0 s" in event.words for event in heard if isinstance(event, BatchSaid))


def test_tries_come_to_an_end(three):
    engine = FakeEngine(script={1: [failed(1)] * 9})
    work(three, engine, retries=2)
    assert len(three.tries(1)) == 3
    assert three.song(1).state == "failed"


def test_tries_wait_longer_and_longer(three, monkeypatch):
    monkeypatch.setattr(policy, "_FIRST_WAIT_SECONDS", 2.0)
    failure = failed(1)[-1]
    waits = [policy.again(failure, tries, 0, 9).after_seconds for tries in (1, 2, 3, 4)]
    assert waits == [2.0, 8.0, 32.0, 60.0]


def test_short_of_memory_a_song_is_tried_with_little_and_then_alone(three):
    engine = FakeEngine(workers=2, script={1: [failed(1, memory=True), failed(1, memory=True)]})
    engine.hold = {2}

    def let_go(engine):
        if len(engine.tasks) >= 3:
            engine.hold.clear()

    engine.before_hearing = let_go
    work(three, engine)
    tasks = [(task.careful, task.alone) for task in engine.tasks if task.song == 1]
    assert tasks == [(False, False), (True, False), (True, True)]
    assert three.song(1).state == "done"


def test_a_song_of_which_nothing_was_made_was_done_already(three):
    engine = FakeEngine(script={1: [made(1, steps=(), kept=("decode", "mix"))]})
    work(three, engine)
    assert three.song(1).was_done
    assert not three.song(2).was_done


def test_what_ran_when_the_batch_was_killed_waits_again(three):
    three.change(2, state="running", step="mix", fraction=0.5, running_at="worker 9", tries=3)
    engine = FakeEngine(script={2: [failed(2)]})
    work(three, engine, retries=3)  # the try that was cut off does not count
    assert states(three) == [(1, "done"), (2, "done"), (3, "done")]


def test_a_list_read_again_after_a_kill_leaves_no_try_open(three):
    three.change(2, state="waiting")  # as a list that is read again leaves it
    three.put_try(Try(2, 1, time.time(), None, "worker 1", "running", "mix", "", 0))
    work(three, FakeEngine())
    assert [(one.state, one.ended is not None) for one in three.tries(2)] == [
        ("stopped", True),
        ("done", True),
    ]


def test_two_batches_that_name_one_project_take_turns(make_song, make_queue, monkeypatch):
    monkeypatch.setattr(coordinate, "_ELSEWHERE_SECONDS", 0.1)
    song = make_song("a.wav")
    with make_queue(song) as queue:
        work(queue, FakeEngine())
        project = Path(queue.song(1).project)
    before = (project / "cover.toml").read_text()
    wishes = {"loudness_lufs": -9.0}
    with make_queue(project, make_song("b.wav"), out="other", wishes=wishes) as queue:
        elsewhere = ExitStack()
        elsewhere.enter_context(rendering(project))
        engine = FakeEngine(workers=2)

        def let_go(engine):
            if queue.song(2).state == "done":
                untouched.append((project / "cover.toml").read_text() == before)
                elsewhere.close()

        untouched = []
        engine.before_hearing = let_go
        heard, _ = work(queue, engine)
        assert [task.song for task in engine.tasks] == [2, 1]
        assert states(queue) == [(1, "done"), (2, "done")]
        said = [event.words for event in heard if isinstance(event, BatchSaid)]
        assert sum("another batch renders" in one for one in said) == 1
        assert queue.song(1).cause == ""
        assert untouched[0]
        assert "-9.0" in (project / "cover.toml").read_text()
    with rendering(project):
        pass  # let go again


def test_cut_off_it_leaves_what_ran_waiting(three):
    engine = FakeEngine(hold={2})

    def interrupt(engine):
        if len(engine.tasks) == 2 and three.song(2).step:
            raise KeyboardInterrupt

    engine.before_hearing = interrupt
    with pytest.raises(KeyboardInterrupt):
        work(three, engine)
    assert states(three) == [(1, "done"), (2, "waiting"), (3, "waiting")]
    assert three.song(2).tries == 0
    assert [one.state for one in three.tries(2)] == ["stopped"]


def test_interrupted_as_a_song_begins_it_leaves_none_that_seems_to_run(three, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(coordinate, "Running", interrupted)
    with pytest.raises(KeyboardInterrupt):
        work(three, FakeEngine())
    assert states(three) == [(1, "waiting"), (2, "waiting"), (3, "waiting")]
    assert three.song(1).tries == 0
    assert [one.state for one in three.tries(1)] == ["stopped"]


def after(tasks, act):
    """Do something once, when so many songs were begun."""
    done = []

    def hook(engine):
        if len(engine.tasks) >= tasks and not done:
            done.append(True)
            act()

    return hook


def test_a_song_that_waits_or_runs_is_cancelled(three):
    engine = FakeEngine(hold={1})
    engine.before_hearing = after(1, lambda: (three.ask("cancel", 1), three.ask("cancel", 3)))
    work(three, engine)
    assert states(three) == [(1, "cancelled"), (2, "done"), (3, "cancelled")]
    assert [one.state for one in three.tries(1)] == ["cancelled"]


def test_a_paused_batch_begins_nothing_until_it_goes_on(three):
    engine = FakeEngine()
    polls = []

    def hook(engine):
        if engine.tasks:
            polls.append(len(engine.tasks))
        if len(polls) == 1:
            three.ask("pause")
        if len(polls) == 6:
            assert three.fact("state") == "paused"
            three.ask("go on")

    engine.before_hearing = hook
    work(three, engine)
    assert polls[:6] == [1] * 6
    assert states(three) == [(1, "done"), (2, "done"), (3, "done")]


def test_what_failed_is_tried_again_on_demand(three):
    engine = FakeEngine(script={1: [failed(1, code=4)]})
    engine.before_hearing = after(2, lambda: three.ask("retry", 1))
    work(three, engine)
    assert three.song(1).state == "done"
    assert len(three.tries(1)) == 2


def test_asked_to_stop_it_stops(three):
    engine = FakeEngine(hold={1})
    engine.before_hearing = after(1, lambda: three.ask("stop"))
    _, coordinator = work(three, engine)
    assert coordinator.is_stopped
    assert states(three) == [(1, "waiting"), (2, "waiting"), (3, "waiting")]


def test_the_order_of_what_waits_may_be_changed(three):
    assert swap_turns(three, 3, -1)
    assert not swap_turns(three, 1, -1)
    assert not swap_turns(three, 9, 1)
    engine = FakeEngine()
    work(three, engine)
    assert [task.song for task in engine.tasks] == [1, 3, 2]


def test_a_song_that_cannot_be_prepared_fails_alone(make_song, make_queue, tmp_path):
    broken = tmp_path / "songs" / "broken.wav"
    with make_queue(make_song(), broken) as queue:
        broken.write_bytes(b"RIFF")
        work(queue, FakeEngine())
        assert states(queue) == [(1, "done"), (2, "failed")]
        assert queue.song(2).exit_code == ExitCode.AUDIO
        assert not (queue.folder / "broken").exists()


def test_two_songs_of_one_title_get_folders_of_their_own(make_song, make_queue):
    place = make_song()
    with make_queue(place, place, make_song("tone.flac")) as queue:
        work(queue, FakeEngine())
        names = [song.project.rpartition("/")[2] for song in queue.songs()]
    assert names == ["tone", "tone-2", "tone-3"]


def test_one_process_at_a_time_works_on_a_queue(three):
    with (
        working_on(three),
        Queue(three.folder) as other,
        pytest.raises(ResourceError, match="another process works") as caught,
        working_on(other),
    ):
        pass
    assert "--follow" in caught.value.hint
    assert not three.is_worked_on


def gauged(song, lufs, seconds=10):
    """The end of a song's first pass: a steady mix of one loudness."""
    number = int((lufs + 70) * BINS_PER_LU)
    return made(
        song,
        steps=("mix",),
        result={"lufs": lufs, "seconds": float(seconds), "bins": {str(number): 10 * seconds}},
    )


def test_an_album_has_one_gain(three):
    script = {
        1: [gauged(1, -20.0), made(1, result=render_result(-13.0))],
        2: [gauged(2, -23.0), made(2, result=render_result(-16.0))],
        3: [gauged(3, -23.0), made(3, result=render_result(-16.0))],
    }
    engine = FakeEngine(script=script)
    work(three, engine, album=True, album_lufs=-14.0)
    assert [(task.song, task.request["job"]) for task in engine.tasks] == [
        *((number, "gauge") for number in (1, 2, 3)),
        *((number, "render") for number in (1, 2, 3)),
    ]
    levels = [load(three.folder / song.project).cover.master.loudness_lufs for song in three.songs()]
    assert levels[0] - levels[1] == pytest.approx(3.0, abs=0.06)
    assert levels[1] == levels[2]
    # Energies of 400 ms, all of one length: the mean of the powers is the target.
    mean = sum(10 ** (level / 10) for level in levels) / 3
    from math import log10

    assert 10 * log10(mean) == pytest.approx(-14.0, abs=0.06)


def test_a_song_of_an_album_that_fails_leaves_the_others_their_gain(three):
    script = {1: [failed(1, code=4)], 2: [gauged(2, -20.0)], 3: [gauged(3, -20.0)]}
    work(three, FakeEngine(script=script), album=True, album_lufs=-16.0)
    assert states(three) == [(1, "failed"), (2, "done"), (3, "done")]
    assert load(three.folder / three.song(2).project).cover.master.loudness_lufs == pytest.approx(
        -16.0, abs=0.06
    )


def test_a_song_that_comes_late_to_an_album_changes_the_level_of_the_others(three):
    script = {
        1: [failed(1, code=4), gauged(1, -14.0)],
        2: [gauged(2, -20.0), made(2), made(2)],
        3: [gauged(3, -20.0), made(3), made(3)],
    }
    engine = FakeEngine(script=script)
    engine.before_hearing = after(4, lambda: three.ask("retry", 1))  # while the masters are made
    work(three, engine, album=True, album_lufs=-16.0)
    levels = {song.id: song.result["levelled"] for song in three.songs()}
    assert levels[1] - levels[2] == pytest.approx(6.0, abs=0.1)
    assert levels[2] == levels[3]
    written = [load(three.folder / song.project).cover.master.loudness_lufs for song in three.songs()]
    assert written == list(levels.values())
    assert states(three) == [(1, "done"), (2, "done"), (3, "done")]


def test_a_song_that_is_cancelled_does_not_count_for_the_album(three):
    script = {1: [gauged(1, -10.0)], 2: [gauged(2, -20.0)], 3: [gauged(3, -20.0)]}
    engine = FakeEngine(script=script)
    engine.before_hearing = after(3, lambda: three.ask("cancel", 1))
    work(three, engine, album=True, album_lufs=-16.0)
    assert states(three)[0] == (1, "cancelled")
    assert three.song(2).result["levelled"] == pytest.approx(-16.0, abs=0.06)


def test_a_song_that_is_cancelled_while_it_is_measured_is_not_rendered(three):
    engine = FakeEngine(script={1: [gauged(1, -20.0)]})
    engine.before_hearing = after(1, lambda: three.ask("cancel", 1))
    engine.cancel = lambda song: None  # it ends before it hears of it
    work(three, engine, album=True)
    assert states(three)[0] == (1, "cancelled")
    assert (1, "render") not in [(task.song, task.request["job"]) for task in engine.tasks]


def test_what_was_asked_of_the_last_batch_as_a_whole_does_not_stop_the_next(three):
    three.change(1, state="failed")
    three.ask("stop")
    three.ask("pause")
    three.ask("retry", 1)
    work(three, FakeEngine())
    assert states(three) == [(1, "done"), (2, "done"), (3, "done")]


def test_a_broken_entry_is_not_tried_again(make_song, make_queue):
    with make_queue("gone.wav", make_song()) as queue:
        engine = FakeEngine()
        engine.before_hearing = after(1, lambda: (queue.ask("retry"), queue.ask("retry", 1)))
        work(queue, engine)
        assert (queue.song(1).state, queue.song(1).cause) == ("failed", "there is no such file")
        assert [task.song for task in engine.tasks] == [2]


def test_a_folder_is_named_before_it_is_made(three, monkeypatch):
    def killed(song, options, level):
        (three.folder / "a" / "audio").mkdir(parents=True)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(coordinate, "prepare", killed)
        with pytest.raises(SystemExit):
            work(three, FakeEngine())
    assert three.song(1).project == str(three.folder / "a")
    work(three, FakeEngine())
    assert sorted(folder.name for folder in three.folder.iterdir() if folder.is_dir()) == ["a", "b", "c"]


def test_a_batch_that_was_moved_goes_on_where_it_is(three, tmp_path):
    work(three, FakeEngine())
    three.close()
    (tmp_path / "out").rename(tmp_path / "moved")
    with Queue(tmp_path / "moved") as queue:
        queue.change(1, state="waiting")
        work(queue, FakeEngine())
        assert queue.song(1).project == str(tmp_path / "moved" / "a")
    assert not (tmp_path / "out").exists()


def test_a_clock_that_was_set_back_holds_nothing_up(three):
    three.change(1, not_before=time.time() + 3600.0, tries=1)
    work(three, FakeEngine())
    assert three.song(1).state == "done"


def test_a_song_that_is_cancelled_while_it_is_scored_says_that_no_cover_was_written(three):
    engine = FakeEngine(hold={1})
    engine.hold_at = "score"
    polls = []

    def hook(engine):
        polls.append(engine)
        if len(polls) == 3:
            three.ask("cancel", 1)

    engine.before_hearing = hook
    work(three, engine)
    song = three.song(1)
    assert (song.state, song.step, song.result) == ("cancelled", "score", {})
    assert song.cause == "cancelled at score: finished steps are kept, no cover is written"


def test_one_that_waits_to_be_tried_again_is_cancelled_at_its_step(three):
    three.change(2, tries=1, step="mix", not_before=time.time() + 30.0)
    engine = FakeEngine(hold={1})
    engine.before_hearing = after(1, lambda: (three.ask("cancel", 2), three.ask("cancel", 1)))
    work(three, engine)
    assert three.song(2).cause.startswith("cancelled at mix")


def test_the_state_that_is_noted_is_true(three):
    engine = FakeEngine(hold={1})
    seen = []

    def hook(engine):
        seen.append(three.fact("state"))
        if len(seen) == 1:
            three.ask("pause")
        if len(seen) == 3:
            three.ask("stop")

    engine.before_hearing = hook
    work(three, engine)
    assert (seen[0], seen[2]) == ("running", "paused")
    assert three.fact("state") == "stopped"  # songs wait
    work(three, FakeEngine())
    assert three.fact("state") == "over"


def test_until_it_has_ended_it_is_stopping(three):
    engine = FakeEngine(hold={1})
    engine.before_hearing = after(1, lambda: three.ask("stop"))
    heard = []

    def tell(event):
        heard.append((event, three.fact("state")))

    Coordinator(three, Options.of(three.fact("options")), engine, tell).run()
    assert ("stopped: what ran waits for the next time", "stopping") in [
        (event.words, state) for event, state in heard if isinstance(event, BatchSaid)
    ]


def test_a_pause_is_told_at_once(three):
    engine = FakeEngine()
    polls = []

    def hook(engine):
        if engine.tasks:
            polls.append(engine)
        if len(polls) == 1:
            three.ask("pause")
        if len(polls) == 3:
            three.ask("go on")

    engine.before_hearing = hook
    heard, _ = work(three, engine)
    left = [event.paused for event in heard if isinstance(event, BatchLeft)]
    assert left == [False, True, False]  # and not after some seconds


def test_a_failure_for_good_is_one_event_and_a_line_of_the_log(three):
    heard, _ = work(three, FakeEngine(script={1: [failed(1, code=4)]}))
    assert [event.words for event in heard if isinstance(event, BatchSaid)] == []
    (event,) = [event for event in heard if isinstance(event, SongMoved) and event.state == "failed"]
    assert (event.step, event.cause, event.hint) == ("separate", "no luck", "look")
    assert [line.words for line in three.lines()] == ["failed at separate: no luck"]
    done = next(event for event in heard if isinstance(event, SongMoved) and event.state == "done")
    assert done.loudness_lufs == -14.0


def test_why_it_failed_is_known_until_it_is_begun_again(three):
    engine = FakeEngine(script={1: [failed(1, code=4)]})
    engine.before_hearing = after(2, lambda: (three.ask("pause"), three.ask("retry", 1)))
    causes = []

    def look(engine):
        causes.append((three.song(1).state, three.song(1).cause))
        if causes[-1][0] == "waiting" and len(engine.tasks) >= 2:
            three.ask("go on")

    first = engine.before_hearing
    engine.before_hearing = lambda engine: (first(engine), look(engine))
    work(three, engine)
    assert ("waiting", "no luck") in causes
    assert (three.song(1).state, three.song(1).cause) == ("done", "")
