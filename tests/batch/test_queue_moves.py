"""Reading only what changed in a queue, and what of it is asked by others."""

import pytest

from covermaker.batch.asking import change_turn
from covermaker.batch.holding import working_on
from covermaker.batch.queue import Queue
from covermaker.batch.rows import Song


@pytest.fixture
def queue(tmp_path):
    with Queue.made(tmp_path / "out") as made:
        made.put(Song(number, float(number), f"p{number}", f"/{number}.wav") for number in range(1, 6))
        yield made


def ids(moved):
    return [song.id for song in moved.songs]


def test_songs_that_changed_come_once_in_the_order_of_their_changes(queue):
    first = queue.moved(most=100)
    assert (ids(first), first.gone, first.more) == ([1, 2, 3, 4, 5], (), False)
    assert queue.moved(first.at, most=100) == type(first)(first.at, (), (), False)
    queue.change(4, step="mix")
    queue.change(2, step="mix")
    queue.change(4, step="master")
    second = queue.moved(first.at, most=100)
    assert ids(second) == [2, 4]
    assert second.songs[1].step == "master"
    queue.remove([4, 5])
    queue.put([Song(6, 6.0, "p6", "/6.wav")])
    third = queue.moved(second.at, most=100)
    assert (ids(third), third.gone) == ([6], (4, 5))
    assert ids(queue.moved(most=100)) == [1, 3, 2, 6]  # whoever comes later hears all of it


def test_no_more_than_asked_for_and_nothing_is_left_out(queue):
    at, found, more = 0, [], True
    while more:
        part = queue.moved(at, most=2)
        assert len(part.songs) <= 2
        at, more = part.at, part.more
        found += ids(part)
    assert found == [1, 2, 3, 4, 5]


def test_what_another_writes_changes_the_version(queue):
    with Queue(queue.folder) as other:
        before = other.version
        assert other.version == before
        queue.change(1, step="mix")
        assert other.version != before
        before = other.version
        other.change(1, step="mix")
        assert other.version == before


def test_all_facts_at_once(queue):
    queue.note(title="friday", places=[{"name": "worker 1"}])
    assert queue.facts() == {"schema": 1, "title": "friday", "places": [{"name": "worker 1"}]}


def test_asks_are_seen_until_they_are_taken(queue):
    queue.ask("retry", 3)
    assert [(ask.what, ask.song) for ask in queue.asks()] == [("retry", 3)]
    assert queue.take_asks()[0].song == 3
    assert queue.asks() == []


def test_a_turn_is_changed_at_once_or_asked_for(queue):
    change_turn(queue, 3, -1)
    assert [song.id for song in queue.songs()] == [1, 3, 2, 4, 5]
    with working_on(queue):
        change_turn(queue, 3, 1)
        assert [song.id for song in queue.songs()] == [1, 3, 2, 4, 5]
        assert [(ask.what, ask.song) for ask in queue.asks()] == [("later", 3)]
