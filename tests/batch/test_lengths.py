"""How long the rest takes: the same by the dry run and by the run, whatever the list says of lengths."""

import time

import pytest
from fake_engine import FakeEngine

from covermaker.batch import lengths
from covermaker.batch.coordinate import Coordinator
from covermaker.batch.engines.base import Place, Setting, Sized
from covermaker.batch.engines.local import LocalEngine
from covermaker.batch.entries import Entry, Playlist
from covermaker.batch.estimate import TABLE_CORES, seconds_of
from covermaker.batch.events import BatchLeft
from covermaker.batch.lengths import look_up
from covermaker.batch.options import Options
from covermaker.batch.plan import plan
from covermaker.batch.telling import time_left
from covermaker.render.state import State

OPTIONS = Options(score=False)
ONE = [Place("worker 1", room=1)]


def test_lengths_that_the_list_does_not_say_are_looked_up(make_song, make_queue, tmp_path):
    broken = tmp_path / "songs" / "broken.wav"
    with make_queue(make_song("a.wav", seconds=2.0), make_song("b.wav", seconds=4.0), broken) as queue:
        broken.write_bytes(b"RIFF")
        queue.change(2, seconds=9.0)
        look_up(queue)
        assert [song.seconds for song in queue.songs()] == [pytest.approx(2.0), 9.0, None]
        assert [song.state for song in queue.songs()] == ["waiting"] * 3  # it is told when its turn comes


def test_a_project_that_is_there_tells_the_length_of_its_song(make_song, make_queue, tmp_path):
    from covermaker.render.begin import begin

    project = begin(make_song(seconds=3.0), tmp_path / "kept").root
    with make_queue(project) as queue:
        look_up(queue)
        assert queue.song(1).seconds == pytest.approx(3.0)


def test_what_was_not_looked_into_is_like_the_others(make_song, make_queue, monkeypatch):
    monkeypatch.setattr(lengths, "_LOOK_SECONDS", -1.0)
    with make_queue(*(make_song(f"{name}.wav") for name in "abc")) as queue:
        queue.change(1, seconds=30.0)
        queue.change(2, seconds=60.0)
        look_up(queue)
        assert queue.song(3).seconds is None
        assert time_left(queue, OPTIONS, ONE, {}) == pytest.approx(
            sum(seconds_of(seconds, "spleeter", score=False) for seconds in (30.0, 60.0, 45.0))
        )


@pytest.mark.parametrize(("cores", "workers"), [(2, 2), (2, 1), (8, 3)])
def test_the_dry_run_and_the_run_agree(make_song, make_queue, tmp_path, cores, workers):
    places = [make_song(f"{number}.wav", seconds=1.0 + number) for number in range(5)]
    sized = Sized(workers, cores, 8 << 30)
    planned = plan(
        Playlist("l", tuple(Entry(place, "l") for place in places)), OPTIONS, tmp_path / "x", sized
    )
    engine = LocalEngine(Setting(tmp_path, sized))
    with make_queue(*places) as queue:
        look_up(queue)
        assert time_left(queue, OPTIONS, engine.places(), {}) == pytest.approx(planned.seconds)


def test_it_learns_from_what_is_done_and_counts_what_runs(make_song, make_queue):
    one = seconds_of(60.0, "spleeter", score=False)
    with make_queue(*(make_song(f"{number}.wav") for number in range(6))) as queue:
        for number in range(1, 7):
            queue.change(number, seconds=60.0)
        for number in (1, 2, 3):
            queue.change(number, state="done", spent_seconds=3.0 * one)
        queue.change(4, state="running", began=time.time() - one)
        queue.change(6, state="failed")
        # Three times what the table says; of the one that runs a third is over.
        assert time_left(queue, OPTIONS, ONE, {}) == pytest.approx((2.0 + 3.0) * one, abs=0.5)
        # A song of which most is there already takes what is left of it.
        assert time_left(queue, OPTIONS, ONE, {5: 1.0}) == pytest.approx(2.0 * one + 3.0, abs=0.5)
        for number in (4, 5):
            queue.change(number, state="done")
        assert time_left(queue, OPTIONS, ONE, {}) is None


def test_cores_that_a_song_has_decide(make_song, make_queue):
    with make_queue(make_song()) as queue:
        queue.change(1, seconds=60.0)
        half = time_left(queue, OPTIONS, [Place("worker 1", room=1, cores=TABLE_CORES / 2)], {})
        assert half == 2.0 * time_left(queue, OPTIONS, ONE, {})


def test_what_is_stale_costs_what_is_left_of_it(make_song, make_queue, monkeypatch):
    """A batch that is run again with another preset does not take what it took at first."""
    with make_queue(make_song("a.wav"), make_song("b.wav")) as queue:
        options = Options.of(queue.fact("options"))
        Coordinator(queue, options, FakeEngine(), lambda event: None).run()
        for song in queue.songs():
            queue.change(song.id, state="waiting", tries=0, seconds=600.0)
        monkeypatch.setattr(
            "covermaker.batch.coordinate.project_state",
            lambda folder, store: State("stale", seconds=600.0, estimate_seconds=7.0),
        )
        heard = []
        engine = FakeEngine(hold={1})
        engine.before_hearing = lambda engine: queue.ask("stop") if engine.tasks else None
        Coordinator(queue, options, engine, heard.append).run()
        first = next(event for event in heard if isinstance(event, BatchLeft) and "running" in event.counts)
        assert first.seconds_left == pytest.approx(14.0, abs=0.5)
