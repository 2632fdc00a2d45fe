"""``covermaker batch`` as a person uses it: plan, run, run again, look, ask; every bad input with its words."""

import json
import os
import re
import shutil

import pytest
from fake_engine import failed, made, render_result

from covermaker.batch import work as work_module
from covermaker.batch.holding import working_on
from covermaker.batch.known import known_batches
from covermaker.batch.queue import Queue
from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.render.state import State
from covermaker.voices.library import SHIPPED


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


def test_what_cannot_be_used_is_told_at_the_start_and_nothing_twice(friday, engine, capsys):
    engine.script[1].append(failed(1, code=4, step="separate"))
    batch("friday.m3u", "--out", "out")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "friday: 4 songs, 1 at once, engine local"
    assert lines[1].startswith("   2  gone: failed: there is no file")
    assert [line for line in lines if "no luck" in line] == ["   1  a: failed at separate: no luck (look)"]
    with Queue(friday.parent / "out") as queue:  # the log has it, too
        assert [line.words for line in queue.lines() if line.song == 1] == ["failed at separate: no luck"]


def test_plain_writes_a_line_a_change(friday, engine, capsys):
    batch("friday.m3u", "--out", "out", "--plain")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("   1 ")]
    assert [line.partition("a: ")[2] for line in lines] == [
        "begins", "decode", "mix", "done, -14.0 LUFS",
    ]  # fmt: skip


def test_a_column_that_is_not_read_is_a_note_and_no_song(friday, engine, capsys):
    friday.with_suffix(".csv").write_text("file,bpm,voise\nsongs/a.wav,120,x\nsongs/b.wav,99,y\n")
    words = "friday.csv:1: the column 'bpm' is not read"
    assert batch("friday.csv", "--out", "out", "--dry-run") == ExitCode.OK
    said = capsys.readouterr().out
    assert f"note: {words}" in said
    assert "2 to do\n" in said
    assert batch("friday.csv", "--out", "out", "--dry-run", "--json") == ExitCode.OK
    plan = json.loads(capsys.readouterr().out)
    assert [note.partition(" (")[0] for note in plan["notes"]] == [words, words.replace("bpm", "voise")]
    assert "did you mean 'voice'?" in plan["notes"][1]
    assert batch("friday.csv", "--out", "out") == ExitCode.OK
    assert f"note: {words}" in capsys.readouterr().err
    with Queue(friday.parent / "out") as queue:
        assert [song.id for song in queue.songs()] == [1, 2]
        assert any(words in line.words for line in queue.lines())
    assert batch("friday.csv", "--out", "out", "--json") == ExitCode.OK
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events[:3]] == ["batch.started", "batch.log", "batch.log"]
    assert words in events[1]["words"]
    assert batch("resume", "out") == ExitCode.OK
    assert words not in capsys.readouterr().err  # it was said


def test_what_is_taken_back_is_said(friday, engine, capsys):
    friday.write_text("songs/a.wav\n")
    batch(
        "friday.m3u",
        "--out",
        "out",
        "--preset",
        "cathedral",
        "--loudness",
        "-16",
        "--no-score",
        "--memory",
        "8G",
    )
    assert "now" not in capsys.readouterr().err
    lines = [
        "note: preset: cathedral, now natural", "note: loudness: -16.0, now as usual", "note: score: no, now yes",
        "note: memory: 8.0 GB, now as usual",
    ]  # fmt: skip
    batch("friday.m3u", "--out", "out", "--dry-run")
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("note")] == lines
    batch("friday.m3u", "--out", "out")
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("note")] == lines
    with Queue(friday.parent / "out") as queue:
        assert lines[0].removeprefix("note: ") in [line.words for line in queue.lines()]
    batch("friday.m3u", "--out", "out")
    assert "now" not in capsys.readouterr().err


def test_less_memory_than_a_song_takes_is_noted(friday, engine, capsys):
    batch("friday.m3u", "--out", "out", "--memory", "100M", "--dry-run")
    assert "note: memory: one song takes about" in capsys.readouterr().out
    batch("friday.m3u", "--out", "out", "--memory", "100M")
    assert "more than the 100.0 MB that are allowed" in capsys.readouterr().err


def test_a_separator_without_weights_is_refused_before_anything_is_written(
    friday, engine, capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path / "none"))
    for more in ([], ["--dry-run"]):
        assert batch("friday.m3u", "--out", "out", "--separator", "demucs", *more) == ExitCode.WEIGHTS
        said = capsys.readouterr()
        assert "the weights 'htdemucs'" in said.err
        assert "covermaker models pull htdemucs" in said.err
        assert "to do" not in said.out
    assert not os.path.exists("out")


def test_a_dry_run_into_a_folder_that_cannot_be_made_is_refused(friday, engine, capsys):
    assert batch("friday.m3u", "--out", "songs/a.wav/out", "--dry-run") == ExitCode.RESOURCE
    assert "cannot write" in capsys.readouterr().err
    assert batch("friday.m3u", "--out", "songs/a.wav/out") == ExitCode.RESOURCE


def test_songs_of_another_list_are_numbered_from_one(friday, engine, capsys):
    batch("friday.m3u", "--out", "out")
    (friday.parent / "other.m3u").write_text("songs/c.wav\nsongs/a.wav\n")
    capsys.readouterr()
    batch("other.m3u", "--out", "out", "--dry-run")
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()[2:4]]
    batch("other.m3u", "--out", "out")
    with Queue(friday.parent / "out") as queue:
        assert [[str(song.id), song.name] for song in queue.songs()] == rows == [["1", "c"], ["2", "a"]]


def test_a_repeat_that_made_nothing_leaves_the_figures(friday, engine, monkeypatch, capsys):
    friday.write_text("songs/a.wav\n")
    engine.script[1].append(made(1, result=render_result(files=[str(friday)])))
    batch("friday.m3u", "--out", "out", "--no-score")
    with Queue(friday.parent / "out") as queue:
        queue.change(1, spent_seconds=48.0)
        queue.note(began=1000.0, ended=1100.0)
    monkeypatch.setattr("covermaker.batch.coordinate.project_state", lambda *_: State("done"))
    capsys.readouterr()
    assert batch("friday.m3u", "--out", "out", "--no-score") == ExitCode.OK
    assert "1 of 1 done; 1 was done already" in capsys.readouterr().out
    with Queue(friday.parent / "out") as queue:
        song = queue.song(1)
        assert (song.was_done, song.spent_seconds, song.began is not None) == (True, 48.0, True)
        assert (queue.fact("began"), queue.fact("ended")) == (1000.0, 1100.0)
    page = (friday.parent / "out" / "report.html").read_text(encoding="utf-8")
    assert "1:40 from begin to end, 0:48 of all songs together" in page


def test_hints_name_commands_that_can_be_pasted(friday, engine, capsys, tmp_path):
    out = tmp_path / "my covers"
    batch("friday.m3u", "--out", out)
    with Queue(out) as queue, working_on(queue):
        assert batch("friday.m3u", "--out", out) == ExitCode.RESOURCE
    assert f"covermaker batch status --follow '{out}'" in capsys.readouterr().err
    assert batch("pause", out) == ExitCode.USAGE
    assert f"covermaker batch resume '{out}'" in capsys.readouterr().err
    with Queue(out) as queue:
        queue.change(1, state="waiting")
    assert batch("status", out) == ExitCode.OK
    assert "go on with: covermaker batch resume 'my covers'" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["friday.m3u"], ["friday.m3u", "--out", "o", "--wrokers", "2"], ["--bogus"]]
)
def test_a_wrong_line_names_the_help_that_lists_the_options(friday, engine, capsys, arguments):
    assert batch(*arguments) == ExitCode.USAGE
    assert "see: covermaker batch --help" in capsys.readouterr().err
    assert batch("status", "--bogus") == ExitCode.USAGE
    assert "see: covermaker batch status --help" in capsys.readouterr().err


def test_a_song_that_is_tried_again_starts_its_time_anew(friday, engine):
    friday.write_text("songs/a.wav\n")
    batch("friday.m3u", "--out", "out")
    with Queue(friday.parent / "out") as queue:
        queue.change(1, spent_seconds=500.0)
    batch("friday.m3u", "--out", "out")
    with Queue(friday.parent / "out") as queue:
        assert queue.song(1).spent_seconds < 100.0
