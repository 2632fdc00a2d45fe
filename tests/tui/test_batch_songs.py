"""What the studio knows of a batch from its readings, and how it says it."""

import pytest
from batch_stage import song

from covermaker.batch.estimate import seconds_of
from covermaker.batch.options import Options
from covermaker.batch.rows import Ask, Line, StepTime, Try
from covermaker.errors import ProjectError
from covermaker.tui.batch_songs import (
    cells,
    details,
    log_text,
    places_text,
    standing,
    totals,
)
from covermaker.tui.batch_state import BatchState, Close, Reading
from covermaker.tui.batch_sums import totals_words
from covermaker.tui.details import Look

OPTIONS = Options(wishes={"voice": "Aria v3", "preset": "airy pop"}, score=False).to_json()
NOW = 1000.0


def look(width=70):
    styles = dict.fromkeys(("done", "run", "stale", "failed", "quiet"), "")
    return Look("unicode", styles, width, str, tall=True, now=NOW)


def state(tmp_path, *songs, worked_on=True, close=None, asked=(), lines=(), **facts):
    known = BatchState(tmp_path / "out")
    facts = {"title": "spring covers", "options": OPTIONS, "state": "running", "heartbeat": NOW, **facts}
    known.take(Reading(facts, songs, (), lines, asked, worked_on, close, is_first=True))
    return known


def row(known, number, charset="unicode"):
    return {
        name: text for name, (text, _) in cells(known, known.songs[number], charset=charset, now=NOW).items()
    }


def test_readings_add_up(tmp_path):
    known = state(tmp_path, song(1, "done"), song(2, "running"), song(3), song(4, "failed"))
    assert (known.order, known.over, known.running) == ([1, 2, 3, 4], 2, {2})
    moved = song(3)
    moved.turn = 0.5
    known.take(Reading(known.facts, (moved, song(2, "done")), (4,), worked_on=True))
    assert (known.order, known.over, known.running) == ([3, 1, 2], 2, set())
    assert dict(+known.counts) == {"done": 2, "waiting": 1}
    known.take(Reading(known.facts, (song(1),), is_first=True))  # the file was replaced
    assert (known.order, dict(+known.counts)) == ([1], {"waiting": 1})
    known.refused(ProjectError("it is damaged"))
    assert (known.order, known.problem.message, known.is_read) == ([], "it is damaged", False)


def test_rows_say_where_a_song_runs_and_how_it_stands(tmp_path):
    done = song(
        1, "done", spent_seconds=48.0, tries=1, running_at="worker 1", result={"loudness_lufs": -14.0}
    )
    runs = song(
        2,
        "running",
        step="rack: vocals",
        fraction=0.62,
        began=NOW - 5.0,
        seconds=60.0,
        wishes={"voice": "Basso"},
    )
    failed = song(3, "failed", cause="no space left on /data/x.wav (11 MB free)", tries=2)
    known = state(
        tmp_path,
        done,
        runs,
        failed,
        song(4, "done", was_done=True),
        song(5, tries=1, not_before=NOW + 8.0),
        song(6, "cancelled"),
        song(7, applied={"wishes": {"preset": ["warm", "0" * 64]}}),
        song(8, kept=True),
    )
    assert row(known, 1) == {
        "number": "1", "song": "Song 1", "voice": "Aria v3", "preset": "airy pop", "where": "worker 1",
        "state": "✓ done", "loudness": "-14.0 LUFS", "time": "0:48", "tries": "1",
    }  # fmt: skip
    left = seconds_of(60.0, "spleeter", score=False) - 5.0
    assert row(known, 2)["state"] == f"► rack 62 %, 0:0{left:.0f} left"
    assert (row(known, 2)["voice"], row(known, 2)["time"]) == ("Basso", "0:05")
    assert row(known, 3)["state"] == "✗ failed: no space left on x.wav (11 MB free)"
    assert row(known, 4)["state"] == "= was done already"
    assert row(known, 5)["state"] == "· waits, try 2 in 0:08"
    assert row(known, 6, "ascii")["state"] == "- cancelled"
    assert row(known, 7)["preset"] == "warm"
    assert row(known, 8)["voice"] == ""  # its own project says it


def test_a_song_that_ran_when_the_batch_was_killed_waits(tmp_path):
    known = state(tmp_path, song(1, "running", step="convert", began=NOW - 60.0), worked_on=False)
    assert row(known, 1)["state"] == "· was at convert"
    assert known.is_left
    assert standing(known) == "nobody works on it: {batch.pause} goes on"
    assert "{batch.pause} goes on" in details(known, known.songs[1], look()).plain
    known.is_beginning = True
    assert "begins" in standing(known)


def test_asks_that_are_not_heard_yet_hold_already(tmp_path):
    asked = (Ask(1, NOW, "pause", None), Ask(2, NOW, "cancel", 1))
    known = state(tmp_path, song(1, "running"), song(2), asked=asked)
    assert known.is_paused
    assert row(known, 1)["state"] == "► cancelling"
    assert row(known, 2)["state"] == "· paused"
    assert standing(known) == "paused: what runs is finished"
    known = state(tmp_path, song(1), state="paused", asked=(Ask(1, NOW, "go on", None),))
    assert not known.is_paused
    assert standing(state(tmp_path, song(1), asked=(Ask(1, NOW, "stop", None),))).startswith("it stops")


def test_sums_and_the_time_left_learn_from_what_is_done(tmp_path):
    thought = seconds_of(60.0, "spleeter", score=False)
    made = [
        song(number, "done", seconds=60.0, spent_seconds=2.0 * thought, ended=NOW - 30.0 * number, tries=1)
        for number in (1, 2, 3)
    ]
    runs = song(4, "running", seconds=60.0, began=NOW - thought)
    known = state(
        tmp_path, *made, runs, song(5), song(6, "failed"), song(7, "done", was_done=True), began=NOW - 120.0,
        seconds_left=200.0,
    )  # fmt: skip
    assert known.song_seconds_left(runs, NOW) == pytest.approx(
        thought
    )  # twice what the table says, half is over
    assert known.songs_per_minute == pytest.approx(3 / 1.5)
    assert known.fraction == pytest.approx((5 + 0.5) / 7)
    first, second = totals_words(totals(known, look()), 78, "unicode")
    assert first[0].endswith("4 of 7 done  ► 1 running  · 1 wait  ✗ 1 failed")
    assert second[0].startswith("about 3:20 left, 2.0 songs a minute, 1 was done already, began ")
    dead = state(tmp_path, *made, runs, worked_on=False)
    first, second = totals_words(totals(dead, look()), 78, "unicode")
    assert first[0].endswith("3 of 4 done  · 1 wait")
    assert second == ("nobody works on it: {batch.pause} goes on", "stale")
    over = state(tmp_path, song(1, "done"), song(2, "failed"), worked_on=False, state="over")
    assert totals_words(totals(over, look()), 78, "unicode")[1] == ("all 2 songs over, 1 failed", "failed")
    assert all(len(text) <= 30 for text, _ in totals_words(totals(known, look()), 30, "ascii"))


def test_details_of_a_failure_name_cause_next_step_what_is_kept_tries_and_log(tmp_path):
    failed = song(
        4,
        "failed",
        "Quiet Engine",
        step="export",
        cause="no space left",
        hint="free space",
        tries=2,
        project="/covers/q",
    )
    tries = (
        Try(4, 1, 0.0, 5.0, "worker 2", "failed", "separate", "it crashed", 6),
        Try(4, 2, 60.0, 65.0, "worker 1", "failed", "export", "no space left", 6),
    )
    steps = (StepTime(4, "decode", 0.2, kept=True), StepTime(4, "separate", 9.0, kept=False))
    known = state(tmp_path, failed, close=Close(4, tries, steps, "/covers/logs/worker-1.log"))
    lines = details(known, failed, look()).plain.splitlines()
    assert lines[:3] == [
        "✗ failed export: no space left",
        "next     free space; then {batch.retry} tries it again",
        "kept     decode, separate 0:09",
    ]
    assert lines[3].startswith("try 1")
    assert lines[3].endswith("worker 2  failed at separate: it crashed")
    assert lines[5:] == [
        "project  /covers/q",
        "list     spring.m3u8:4: /music/quiet_engine.flac",
        "log      /covers/logs/worker-1.log",
    ]
    known.take(
        Reading(known.facts, close=Close(3, tries, steps, ""))
    )  # of another song: nothing of it is told
    assert "try 1" not in details(known, failed, look()).plain


def test_details_of_the_others(tmp_path):
    done = song(
        1, "done", spent_seconds=48.0, seconds=60.0,
        result={"loudness_lufs": -14.0, "true_peak_dbtp": -1.0, "similarity": 0.83, "unheard": "no voice is heard",
                "semitones": -2, "why": "fits the voice",
                "files": ["/covers/one/out/stems/vocals.wav", "/covers/one/out/one.flac"]},
    )  # fmt: skip
    again = song(2, tries=1, cause="it crashed", not_before=NOW + 8.0)
    runs = song(3, "running", step="convert", fraction=0.5, running_at="worker 2")
    known = state(tmp_path, done, again, runs, song(5, "cancelled"), asked=(Ask(1, NOW, "cancel", 3),))

    def told(number):
        return details(known, known.songs[number], look()).plain

    assert told(1).startswith(
        "done     rendered in 0:48, -14.0 LUFS, peak -1.0 dBTP, similarity 0.83\n"
        "sung     Aria v3, preset airy pop, -2 semitones (fits the voice)\nfile     /covers/one/out/one.flac\n"
        "note     no voice is heard"
    )
    assert told(2).startswith("waiting  for its turn\nbefore   it crashed; try 2 in 0:08")
    assert told(3).startswith("running  convert 50 %")
    assert "asked " in told(3)
    assert told(5).startswith("stopped  cancelled\nnext     {batch.retry} has it done")
    scored = song(6, "cancelled", step="score", cause="cancelled at score: no cover is written")
    assert details(known, scored, look()).plain.startswith(
        "stopped  cancelled at score: no cover is written\n"
    )
    asked = song(7, cause="no luck", tries=0)
    assert details(known, asked, look()).plain.startswith("waiting  for its turn\nbefore   no luck\n")


def test_a_song_of_unknown_length_is_as_long_as_the_others(tmp_path):
    known = state(tmp_path, song(1, seconds=20.0), song(2, seconds=40.0), song(3))
    thought = seconds_of(30.0, "spleeter", score=False)
    assert known.thought_seconds(known.songs[3]) == pytest.approx(thought)
    shared = state(tmp_path, song(1, seconds=30.0), places=[{"name": "worker 1", "cores": 1}])
    assert shared.expected_seconds(shared.songs[1]) == pytest.approx(2.0 * thought)


def test_a_batch_that_was_told_to_stop_stops_until_it_has(tmp_path):
    stopping = state(tmp_path, song(1), state="stopping")
    assert stopping.is_stopping
    assert standing(stopping).startswith("it stops")
    assert not state(tmp_path, song(1), state="stopping", worked_on=False).is_stopping


def test_places_say_what_runs_and_what_is_wrong(tmp_path):
    places = [
        {"name": "node-1", "songs": [1, 2], "room": 0, "note": ""},
        {"name": "node-22", "songs": [], "room": 1, "note": ""},
        {"name": "node-3", "songs": [], "room": 0, "note": "silent for 2 min"},
    ]
    options = Options(engine="ray", workers=4, retries=1).to_json()
    known = state(tmp_path, song(1, "running"), song(2, "running"), places=places, options=options)
    assert places_text(known, look(46)).plain.splitlines()[:6] == [
        "node-1   ► Song 1, Song 2",
        "node-22  · free",
        "node-3   ! silent for 2 min",
        "",
        "engine ray, 3 nodes",
        "at most 4 at once, 1 retry of what may pass",
    ]
    dead = state(tmp_path, song(1), worked_on=False, places=places)
    assert places_text(dead, look(46)).plain.startswith("nobody works on it\n")


def test_the_log_has_the_last_lines_as_many_as_fit(tmp_path):
    lines = tuple(Line(number, NOW, "worker 1", 1, f"line {number}") for number in range(1, 6))
    known = state(tmp_path, song(1), lines=lines)
    told = log_text(known, look(60), 2).plain.splitlines()
    assert [line[10:] for line in told] == ["Song 1: line 4  (worker 1)", "Song 1: line 5  (worker 1)"]
    assert all(len(line) <= 20 for line in log_text(known, look(20), 2).plain.splitlines())


def test_titles_of_somebody_else_stay_on_their_line(tmp_path):
    evil = song(1, "failed", title="Evil\nTwin\x1b[2J", cause="a\nb", hint="c\x07", step="mix")
    known = state(tmp_path, evil)
    told = [*row(known, 1).values(), details(known, evil, look()).plain.replace("\n", "")]
    assert all(char.isprintable() for text in told for char in text if char != "\xa0")
