"""What a dry run says: of songs that are new, done, stale or broken, and of very many."""

import os

import pytest

from covermaker.batch import foresee, lengths
from covermaker.batch.engines.base import Sized
from covermaker.batch.entries import Entry, Playlist, Problem
from covermaker.batch.estimate import WORKER_BYTES, memory_of, score_seconds, seconds_of, workers_for
from covermaker.batch.options import Options
from covermaker.batch.plan import plan
from covermaker.errors import CovermakerError, ResourceError
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
    # The longer one is alone at the end, on the one core of two that each worker has.
    assert found.seconds == pytest.approx(2.0 * long.cost_seconds)
    assert found.memory_bytes == 2 * WORKER_BYTES + long.memory_bytes + short.memory_bytes


def test_what_the_list_says_is_not_looked_up(make_song, tmp_path, monkeypatch):
    monkeypatch.setattr(lengths, "probe", None)
    (song,) = planned([Entry(make_song(), "l:1", seconds=180.0)], tmp_path).songs
    assert song.seconds == 180.0


def test_when_looking_takes_too_long_the_rest_is_like_what_is_known(make_song, tmp_path, monkeypatch):
    monkeypatch.setattr(lengths, "_LOOK_SECONDS", -1.0)
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
    entries = [Entry(tmp_path / name, "l") for name in states]
    done, stale, broken = planned(entries, tmp_path / "out", score=False).songs
    assert (done.state, done.cost_seconds, done.memory_bytes) == ("done", 0.0, 0)
    assert (stale.state, stale.cost_seconds) == ("stale", 2.5)
    assert (broken.state, broken.cause, broken.hint) == ("failed", "no song", "look")
    done, stale, _ = planned(entries, tmp_path / "out", score=True).songs  # as they never were
    assert (done.state, done.cost_seconds) == ("stale", score_seconds(60.0))
    assert stale.cost_seconds == 2.5 + score_seconds(60.0)


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


def test_a_larger_separator_takes_more():
    assert memory_of(600.0, "demucs") > memory_of(600.0, "spleeter") > memory_of(60.0, "spleeter")
    assert seconds_of(60.0, "demucs", score=False) > seconds_of(60.0, "spleeter", score=True)
    assert seconds_of(None, "spleeter", score=False) > seconds_of(60.0, "spleeter", score=False)


def test_ten_songs_of_unknown_length_take_ten_songs_on_all_cores(make_song, tmp_path):
    entries = [Entry(make_song(f"{number}.wav", seconds=6.0), "l") for number in range(10)]
    one = seconds_of(6.0, "spleeter", score=True)
    for cores, workers in ((2, 1), (2, 2), (4, 2), (4, 4)):
        found = planned(entries, tmp_path / "out", cores=cores, workers=workers)
        rounds = 10.0 / workers
        assert found.seconds == pytest.approx(rounds * one * 2.0 * workers / cores)


WISHES = {
    "voice": ("anna", "unknown voice 'anna'"),
    "preset": ("natrual", "unknown rack preset 'natrual'"),
    "master": ("strem", "unknown master preset 'strem'"),
    "separator": ("demucs", "the weights 'htdemucs'"),
    "pitch": ("fcp", "unknown pitch method 'fcp'"),
}


@pytest.mark.parametrize("name", WISHES)
def test_a_song_that_will_certainly_fail_is_not_to_do(make_song, tmp_path, name, monkeypatch):
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path / "none"))
    value, words = WISHES[name]
    entries = [
        Entry(make_song("a.wav"), "l:1"),
        Entry(make_song("b.wav"), "l:2", wishes={name: value}),
    ]
    good, bad = planned(entries, tmp_path / "out").songs
    assert (good.state, bad.state) == ("new", "failed")
    assert bad.cause.startswith(words)
    assert bad.hint
    with pytest.raises(CovermakerError, match=words):  # asked of all
        planned(entries[:1], tmp_path / "out", wishes={name: value})


def test_a_project_that_is_asked_for_a_preset_that_is_not_there_is_told(tmp_path, monkeypatch):
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "cover.toml").touch()
    monkeypatch.setattr("covermaker.render.state.project_state", lambda *_: State("done", seconds=60.0))
    (song,) = planned([Entry(tmp_path / "done", "l", wishes={"preset": "x"})], tmp_path / "out").songs
    assert (song.state, song.cause) == ("failed", "unknown rack preset 'x'")


def test_what_is_asked_of_thousands_is_looked_up_once(tmp_path, monkeypatch):
    asked = []
    real = foresee.find_voice
    monkeypatch.setattr(foresee, "find_voice", lambda *names: asked.append(names) or real(*names))
    monkeypatch.setattr(lengths, "_LOOK_SECONDS", -1.0)
    entries = [
        Entry(tmp_path / f"{number}.wav", "l", wishes={"voice": ("demo", "anna")[number % 2]})
        for number in range(2000)
    ]
    found = planned(entries, tmp_path / "out", wishes={"preset": "rock"})
    assert sum(song.state == "failed" for song in found.songs) == 1000
    assert sorted(name for name, _ in asked) == ["anna", "demo"]


def test_a_folder_that_cannot_be_written_is_refused_by_the_plan(make_song, tmp_path, monkeypatch):
    entries = [Entry(make_song(), "l")]
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="cannot write"):
        planned(entries, tmp_path / "file" / "out")
    closed = tmp_path / "closed"
    closed.mkdir()
    access = os.access  # root may write anywhere
    monkeypatch.setattr(os, "access", lambda place, mode: place != closed and access(place, mode))
    with pytest.raises(ResourceError, match=r"cannot write '.*/closed/deep/out': permission denied"):
        planned(entries, closed / "deep" / "out")
    assert not any(closed.iterdir())
