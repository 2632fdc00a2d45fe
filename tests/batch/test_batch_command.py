"""``covermaker batch`` as a person uses it: plan, run, run again, look, ask; every bad input with its words."""

import json
import os
import re
import shutil

import pytest
from fake_engine import FakeEngine, failed

from covermaker.batch import work as work_module
from covermaker.batch.known import known_batches
from covermaker.batch.queue import Queue
from covermaker.cli import batch_watching
from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.voices.library import SHIPPED


@pytest.fixture
def engine(monkeypatch):
    """An engine that renders nothing stands where `local` does."""
    made = FakeEngine()
    monkeypatch.setattr(work_module.ENGINES, "load", lambda name: lambda setting: made)
    return made


@pytest.fixture
def friday(make_song, tmp_path, monkeypatch):
    """A list of three songs and one that is gone, in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in "abc":
        make_song(f"{name}.wav")
    (tmp_path / "friday.m3u").write_text("songs/a.wav\nsongs/gone.wav\nsongs/b.wav\nsongs/c.wav\n")
    return tmp_path / "friday.m3u"


def batch(*more):
    return run(["batch", *map(str, more)])


def test_a_list_becomes_projects_a_report_and_an_exit_code(friday, engine, capsys):
    assert (
        batch("friday.m3u", "--out", "out", "--no-score", "--store", "store") == ExitCode.BATCH_PARTLY_FAILED
    )
    said = capsys.readouterr()
    assert "3 of 4 done" in said.out
    assert "there is no file" in said.out
    assert "report: out/report.html" in said.out
    assert re.search(r"1 +a: done", said.err)
    assert {"a", "b", "c", "report.html", "report.jsonl", "batch.sqlite"} <= set(os.listdir("out"))
    assert all(task.request["score"] is False for task in engine.tasks)
    assert engine.closed == 1
    assert known_batches() == [friday.parent / "out"]


def test_without_failures_it_ends_well(friday, engine):
    friday.write_text("songs/a.wav\n")
    assert batch(friday, "--out", "out") == ExitCode.OK
    assert engine.tasks[0].request["score"] is True


def test_a_dry_run_says_what_would_be_and_writes_nothing(friday, engine, capsys):
    before = sorted(os.listdir())
    assert batch("friday.m3u", "--out", "out", "--dry-run") == ExitCode.OK
    said = capsys.readouterr().out
    assert "3 to do, 1 cannot be done" in said
    assert re.search(r"about 0:\d\d with \d at once, [\d.]+ GB of memory", said)
    assert "friday.m3u:2: there is no file" in said
    assert sorted(os.listdir()) == before
    assert engine.tasks == []
    assert batch("friday.m3u", "--out", "out", "--dry-run", "--json") == ExitCode.OK
    plan = json.loads(capsys.readouterr().out)
    assert [song["state"] for song in plan["songs"]] == ["new", "failed", "new", "new"]
    assert plan["songs"][0]["seconds"] == pytest.approx(0.5)
    assert plan["memory_bytes"] > 0


def test_json_is_a_line_an_event(friday, engine, capsys):
    engine.script[1].append(failed(1, code=4))
    batch("friday.m3u", "--out", "out", "--json")
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["event"] == "batch.started"
    assert events[-1]["event"] == "batch.over"
    assert events[-1]["counts"] == {"done": 2, "failed": 2}
    ends = {
        event["number"]: event
        for event in events
        if event["event"] == "batch.song" and event["state"] != "running"
    }
    assert (ends[1]["state"], ends[1]["cause"], ends[1]["exit_code"]) == ("failed", "no luck", 4)
    assert ends[3]["state"] == "done"


def test_options_reach_projects_and_the_queue(friday, engine):
    batch(
        friday, "--out", "out", "--preset", "rock", "--transpose", "-2", "--loudness", "-16", "--workers", "3",
        "--memory", "2GB", "--retries", "0", "--strict", "--device", "cpu", "--copy",
    )  # fmt: skip
    from covermaker.project.load import load

    cover = load(friday.parent / "out" / "a").cover
    assert (cover.convert.transpose, cover.master.loudness_lufs, cover.song.file) == (
        -2,
        -16.0,
        "audio/a.wav",
    )
    with Queue(friday.parent / "out") as queue:
        options = queue.fact("options")
    assert (options["workers"], options["memory_bytes"], options["retries"]) == (3, 2_000_000_000, 0)
    assert engine.tasks[0].request["strict"] is True
    assert engine.tasks[0].request["device"] == "cpu"


def test_resume_goes_on_as_it_was_begun(friday, engine, capsys):
    engine.hold = {3}

    def interrupt(engine):
        if len(engine.tasks) == 2:
            raise KeyboardInterrupt

    engine.before_hearing = interrupt
    assert batch("friday.m3u", "--out", "out", "--preset", "rock") == ExitCode.INTERRUPTED
    assert "finished steps are kept" in capsys.readouterr().err
    assert engine.closed == 1
    engine.before_hearing, engine.hold, engine.running = (lambda engine: None), set(), {}
    assert batch("resume") == ExitCode.BATCH_PARTLY_FAILED
    assert [task.song for task in engine.tasks] == [1, 3, 3, 4]
    assert batch("status", "out") == ExitCode.OK
    assert "3 of 4 done" in capsys.readouterr().out


def test_status_in_words_and_json(friday, engine, capsys):
    batch("friday.m3u", "--out", "out")
    capsys.readouterr()
    assert batch("status", "out", "--json") == ExitCode.OK
    said = json.loads(capsys.readouterr().out)
    assert (said["title"], said["state"], said["worked_on"]) == ("friday", "over", False)
    assert said["counts"] == {"done": 3, "failed": 1}
    assert [song["state"] for song in said["songs"]] == ["done", "failed", "done", "done"]
    assert batch("status", "out", "--follow") == ExitCode.BATCH_PARTLY_FAILED
    assert "   2  gone: failed: there is no file" in capsys.readouterr().out
    assert batch("status", "out", "--follow", "--json") == ExitCode.BATCH_PARTLY_FAILED
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["batch.song"] * 4 + ["batch.over"]
    batch("friday.m3u", "--out", "out", "--json")
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(events[-1]) == set(told)  # the same event, whoever tells it
    assert events[-1]["counts"] == said["counts"]
    assert (events[-1]["report"], events[-1]["stopped"]) == (told["report"], False)


def test_follow_reads_again_only_what_changed(friday, engine, capsys, monkeypatch):
    """A batch that runs is looked at three times: nothing new, one song, then nobody works on it."""
    batch("friday.m3u", "--out", "out")
    capsys.readouterr()
    looks, asked = [], []
    moved = Queue.moved

    def step(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            with Queue(friday.parent / "out") as other:
                other.change(3, state="running", step="mix")
                other.change(3, state="failed", cause="no luck")
                other.say("a word", song=3)

    monkeypatch.setattr(batch_watching.time, "sleep", step)
    monkeypatch.setattr(Queue, "is_worked_on", property(lambda queue: len(looks) < 3))
    monkeypatch.setattr(Queue, "songs", None)
    monkeypatch.setattr(
        Queue, "moved", lambda queue, at, most: asked.append(at) or moved(queue, at, most=most)
    )
    assert batch("status", "out", "--follow") == ExitCode.BATCH_PARTLY_FAILED
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:4]] == ["a:", "gone:", "b:", "c:"]
    assert lines[4:] == ["   3  b: failed: no luck", "      a word", "2 of 4 done, 2 failed"]
    assert len(asked) == 2
    assert asked[1] > asked[0] == 0


def test_what_is_begun_again_and_what_is_gone_on_with(friday, engine, capsys):
    engine.script[1].append(failed(1, code=ExitCode.AUDIO))
    engine.script[3].append(failed(3, code=ExitCode.RESOURCE))
    batch("friday.m3u", "--out", "out", "--retries", "0")
    with Queue(friday.parent / "out") as queue:
        queue.change(4, state="cancelled", cause="cancelled")
        assert [song.state for song in queue.songs()] == ["failed", "failed", "failed", "cancelled"]
    engine.tasks.clear()
    assert batch("resume", "out") == ExitCode.BATCH_PARTLY_FAILED
    assert [task.song for task in engine.tasks] == [3]  # what may pass
    with Queue(friday.parent / "out") as queue:
        assert [song.state for song in queue.songs()] == ["failed", "failed", "done", "cancelled"]
    engine.tasks.clear()
    batch("friday.m3u", "--out", "out")
    assert [task.song for task in engine.tasks if task.song != 3] == [1]  # all that failed, nothing cancelled
    with Queue(friday.parent / "out") as queue:
        assert [song.state for song in queue.songs()] == ["done", "failed", "done", "cancelled"]


def test_songs_that_ran_when_it_was_killed_are_counted_for_the_workers(friday, engine, monkeypatch):
    asked = []
    sized = work_module.sized
    monkeypatch.setattr(
        work_module, "sized", lambda options, songs: asked.append(songs) or sized(options, songs)
    )
    batch("friday.m3u", "--out", "out")
    with Queue(friday.parent / "out") as queue:
        queue.change(1, state="running")
        queue.change(3, state="running")
        queue.change(4, state="waiting")
    batch("resume", "out")
    assert asked == [3, 3]


def test_a_voice_s_place_is_found_from_elsewhere(friday, engine, tmp_path):
    shutil.copytree(SHIPPED / "demo", tmp_path / "v")
    shutil.copytree(SHIPPED / "demo", tmp_path / "lists" / "w")
    (tmp_path / "lists" / "own.csv").write_text("file,voice\n../songs/a.wav,./w\n../songs/b.wav,\n")
    (tmp_path / "lists" / "all.csv").write_text("file,voice\nown.csv,./w\n")
    assert batch("lists/own.csv", "--out", "out", "--voice", "./v") == ExitCode.OK
    with Queue(tmp_path / "out") as queue:
        assert queue.fact("options")["wishes"]["voice"] == str(tmp_path / "v")
        assert queue.songs()[0].wishes["voice"] == str(tmp_path / "lists" / "w")
    from covermaker.project.load import load

    voices = [load(tmp_path / "out" / name).cover.voice.name for name in "ab"]
    assert voices == [str(tmp_path / "lists" / "w"), str(tmp_path / "v")]
    assert batch("lists/all.csv", "--out", "other") == ExitCode.OK
    with Queue(tmp_path / "other") as queue:
        assert {song.wishes["voice"] for song in queue.songs()} == {str(tmp_path / "lists" / "w")}


def test_asks_of_a_batch_that_nobody_works_on_are_done_at_once(friday, engine, capsys):
    engine.script[1].append(failed(1, code=4))
    batch("friday.m3u", "--out", "out")
    capsys.readouterr()
    assert batch("retry", "out", 1) == ExitCode.OK
    assert "1 song: waiting; nobody works on the batch: covermaker batch resume" in capsys.readouterr().out
    assert batch("cancel", "out", 1) == ExitCode.OK
    assert capsys.readouterr().out == "1 song: cancelled\n"
    assert batch("cancel", "out") == ExitCode.OK
    assert capsys.readouterr().out == "nothing to cancel\n"
    assert batch("pause", "out") == ExitCode.USAGE
    assert "nobody works on the batch" in capsys.readouterr().err
    assert batch("retry", "out", 99) == ExitCode.USAGE
    assert "the batch has no song 99" in capsys.readouterr().err


def test_asks_of_a_running_batch_are_left_for_it(friday, engine, capsys):
    done = []

    def hook(engine):
        if len(engine.tasks) == 1 and not done:
            done.append(batch("cancel", "out", 4))
            done.append(batch("pause", "out"))
            done.append(batch("go-on", "out"))
            done.append(batch("friday.m3u", "--out", "out"))

    engine.before_hearing = hook
    batch("friday.m3u", "--out", "out")
    assert done == [0, 0, 0, ExitCode.RESOURCE]
    said = capsys.readouterr()
    assert "1 song: cancel" in said.out
    assert "another process works on the batch" in said.err
    with Queue(friday.parent / "out") as queue:
        assert [song.state for song in queue.songs()] == ["done", "failed", "done", "cancelled"]


def test_help_tells_of_both_ways(capsys):
    assert batch("--help") == ExitCode.OK
    said = capsys.readouterr().out
    assert "covermaker batch [OPTIONS] PLAYLIST" in said
    assert "--album" in said
    assert re.search(r"Commands:\n  resume .*\n  retry ", said, re.DOTALL)
    assert batch() == ExitCode.OK  # alone it is the help


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["friday.m3u"], ExitCode.USAGE, "--out"),
        (["nothing.m3u", "--out", "out"], ExitCode.USAGE, "nothing.m3u"),
        (["~nosuchuser/x.m3u", "--out", "out"], ExitCode.USAGE, "leads nowhere"),
        (["friday.m3u", "--out", "out", "--store", "~nosuchuser/x"], ExitCode.USAGE, "leads nowhere"),
        (["friday.m3u", "--out", "out", "--voice", "~nosuchuser/x"], ExitCode.USAGE, "leads nowhere"),
        (["friday.m3u", "--out", "out", "--voice", "nobody"], ExitCode.PROJECT, "nobody"),
        (["friday.m3u", "--out", "out", "--preset", "natrual"], ExitCode.USAGE, "did you mean 'natural'"),
        (["friday.m3u", "--out", "out", "--master", "x"], ExitCode.USAGE, "unknown master preset"),
        (["friday.m3u", "--out", "out", "--separator", "x"], ExitCode.USAGE, "unknown separator"),
        (["friday.m3u", "--out", "out", "--engine", "steam"], ExitCode.USAGE, "local, ray"),
        (["friday.m3u", "--out", "out", "--device", "x"], ExitCode.USAGE, "unknown device"),
        (["friday.m3u", "--out", "out", "--memory", "much"], ExitCode.USAGE, "no size"),
        (["friday.m3u", "--out", "out", "--album", "--loudness", "3"], ExitCode.USAGE, "--loudness"),
        (["friday.m3u", "--out", "out", "--loudness", "3"], ExitCode.USAGE, "--loudness"),
        (["friday.m3u", "--out", "out", "--transpose", "up"], ExitCode.USAGE, "transpose"),
        (["friday.m3u", "--out", "out", "--template", "none.toml"], ExitCode.USAGE, "no template"),
        (["friday.m3u", "--out", "out", "--template", "friday.m3u"], ExitCode.PROJECT, "friday.m3u"),
        (["friday.m3u", "--out", "friday.m3u"], ExitCode.USAGE, "is a file"),
        (["status", "nowhere"], ExitCode.PROJECT, "holds no batch"),
        (["status"], ExitCode.USAGE, "no batch was begun yet"),
        (["resume", "nowhere"], ExitCode.PROJECT, "holds no batch"),
    ],
)
def test_what_is_wrong_for_all_is_told_before_anything_is_written(
    friday, engine, capsys, arguments, code, words
):
    assert batch(*arguments) == code
    said = " ".join(capsys.readouterr().err.split())
    assert words in said
    assert "Traceback" not in said
    assert not os.path.exists("out")


def test_an_empty_list_is_refused(friday, engine, capsys):
    friday.write_text("#EXTM3U\n")
    assert batch(friday, "--out", "out") != ExitCode.OK
    assert not os.path.exists("out")
