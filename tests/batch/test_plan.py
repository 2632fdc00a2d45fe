"""What a dry run says: of songs that are new, done, stale or broken, and of very many."""

import pytest

from covermaker.batch import plan as plan_module
from covermaker.batch.engines.base import Sized
from covermaker.batch.entries import Entry, Playlist, Problem
from covermaker.batch.estimate import WORKER_BYTES, memory_of, seconds_left, seconds_of, workers_for
from covermaker.batch.options import Options
from covermaker.batch.plan import plan
from covermaker.render.state import State

GB = 1 << 30


def planned(entries, out, *, problems=(), cores=2, workers=2, **options):
    return plan(
        Playlist("l", tuple(entries), tuple(problems)), Options(**options), out, Sized(workers, cores, 8 * GB)
    )


def test_a_new_song_costs_by_its_length(make_song, tmp_path):
    entries = [Entry(make_song("a.wav", seconds=6.0), "l:1"), Entry(make_song("b.wav", seconds=3.0), "l:2")]
    found = planned(entries, tmp_path / "out", score=False)
    long, short = found.songs
    assert (long.state, long.seconds) == ("new", pytest.approx(6.0))
    assert long.cost_seconds - short.cost_seconds == pytest.approx(
        seconds_of(6.0, "spleeter", score=False) - seconds_of(3.0, "spleeter", score=False)
    )
    assert found.seconds == pytest.approx(long.cost_seconds + short.cost_seconds)  # both use both cores
    assert found.memory_bytes == 2 * WORKER_BYTES + long.memory_bytes + short.memory_bytes


def test_what_the_list_says_is_not_looked_up(make_song, tmp_path, monkeypatch):
    monkeypatch.setattr(plan_module, "probe", None)
    (song,) = planned([Entry(make_song(), "l:1", seconds=180.0)], tmp_path).songs
    assert song.seconds == 180.0


def test_when_looking_takes_too_long_the_rest_is_like_what_is_known(make_song, tmp_path, monkeypatch):
    monkeypatch.setattr(plan_module, "_PROBE_SECONDS", -1.0)
    entries = [Entry(make_song(), "l:1", seconds=60.0), Entry(make_song("b.wav"), "l:2")]
    found = planned(entries, tmp_path)
    assert found.looked_into == 0
    assert found.songs[1].seconds is None
    assert found.songs[1].cost_seconds == found.songs[0].cost_seconds


def test_projects_tell_what_is_left_of_them(tmp_path, monkeypatch):
    states = {
        "done": State("done", seconds=60.0),
        "stale": State("stale", seconds=60.0, estimate_seconds=2.5),
        "broken": State("failed", "no song", "look"),
    }
    for name in states:
        (tmp_path / name).mkdir()
        (tmp_path / name / "cover.toml").touch()
    monkeypatch.setattr("covermaker.render.state.project_state", lambda folder, store: states[folder.name])
    monkeypatch.setattr("covermaker.batch.projects.asks_otherwise", lambda row, options: False)
    done, stale, broken = planned([Entry(tmp_path / name, "l") for name in states], tmp_path / "out").songs
    assert (done.state, done.cost_seconds, done.memory_bytes) == ("done", 0.0, 0)
    assert (stale.state, stale.cost_seconds) == ("stale", 2.5)
    assert (broken.state, broken.cause, broken.hint) == ("failed", "no song", "look")


def test_a_project_of_which_something_else_is_asked_is_stale(tmp_path, monkeypatch):
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "cover.toml").touch()
    monkeypatch.setattr("covermaker.render.state.project_state", lambda *_: State("done", seconds=60.0))
    (song,) = planned([Entry(tmp_path / "done", "l", wishes={"transpose": "2"})], tmp_path / "out").songs
    assert song.state == "stale"
    assert song.cost_seconds > 0.0


def test_nothing_to_do_takes_nothing(tmp_path):
    found = planned([], tmp_path, problems=[Problem("l:1", "there is no file", "look", said="a")])
    assert (found.workers, found.seconds, found.memory_bytes) == (0, 0.0, 0)
    assert found.songs[0].cause == "there is no file"


def test_a_song_that_is_no_audio_is_told(tmp_path):
    (tmp_path / "x.wav").write_text("no")
    (song,) = planned([Entry(tmp_path / "x.wav", "l:1")], tmp_path).songs
    assert song.state == "failed"
    assert "x.wav" in song.cause


@pytest.mark.parametrize(
    ("cores", "memory", "songs", "wanted", "workers"),
    [
        (4, 64 * GB, 100, None, 4),
        (4, 64 * GB, 2, None, 2),
        (16, 4 * GB, 100, None, 2),  # memory has room for two
        (2, 1, 100, None, 1),
        (2, 64 * GB, 100, 8, 8),
        (2, 64 * GB, 0, None, 1),
    ],
)
def test_workers_are_as_cores_and_memory_allow(cores, memory, songs, wanted, workers):
    assert workers_for(cores, memory, songs, wanted) == workers


def test_what_is_done_teaches_what_is_left():
    assert seconds_left([], [10.0, 10.0], workers=2) == 10.0
    assert seconds_left([(20.0, 10.0)] * 2, [10.0], workers=1) == 10.0  # too few to learn from
    assert seconds_left([(20.0, 10.0)] * 3, [10.0], workers=1) == 20.0
    assert seconds_left([], [30.0, 1.0], workers=2) == 30.0  # never less than the longest
    assert seconds_left([], [], workers=2) is None


def test_a_larger_separator_takes_more():
    assert memory_of(600.0, "demucs") > memory_of(600.0, "spleeter") > memory_of(60.0, "spleeter")
    assert seconds_of(60.0, "demucs", score=False) > seconds_of(60.0, "spleeter", score=True)
    assert seconds_of(None, "spleeter", score=False) > seconds_of(60.0, "spleeter", score=False)
