"""A batch in words."""

import pytest

from covermaker.batch.queue import Queue
from covermaker.batch.rows import Song
from covermaker.batch.words import (
    called,
    cancelled_words,
    failure_words,
    state_words,
    summary_words,
    told_below,
)

NOW = 1000.0


def song(number=1, title="Blue Harbour", **columns):
    return Song(number, float(number), f"{number}#1", f"/songs/{number}.wav", title=title, **columns)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"state": "waiting"}, "waits"),
        ({"state": "waiting", "tries": 1, "not_before": NOW + 8}, "waits, try 2 in 0:08"),
        ({"state": "waiting", "tries": 1, "not_before": NOW - 8}, "waits, try 2"),
        ({"state": "running"}, "begins"),
        ({"state": "running", "step": "convert", "fraction": 0.625}, "convert 62 %"),
        ({"state": "running", "step": "rack: vocals", "fraction": 0.999}, "rack: vocals 99 %"),
        ({"state": "done"}, "done"),
        ({"state": "done", "was_done": True}, "was done already"),
        ({"state": "failed", "cause": "the disk\nis full"}, "failed: the disk\ufffdis full"),
        ({"state": "cancelled", "cause": "cancelled"}, "cancelled"),
    ],
)
def test_how_it_stands_with_a_song(columns, words):
    assert state_words(song(**columns), NOW) == words


@pytest.mark.parametrize(
    ("counts", "more", "words"),
    [
        ({"done": 15, "failed": 5}, {"was_done": 3}, "15 of 20 done, 5 failed; 3 were done already"),
        ({"done": 1}, {"was_done": 1}, "1 of 1 done; 1 was done already"),
        ({"done": 15, "failed": 5}, {"seconds": 250.0}, "15 of 20 done in 4:10, 5 failed"),
        ({"waiting": 2, "running": 1, "cancelled": 1}, {}, "0 of 4 done, 1 cancelled, 1 running, 2 waiting"),
        ({"waiting": 1, "running": 2}, {"worked_on": False}, "0 of 3 done, 2 interrupted, 1 waiting"),
        ({}, {}, "0 of 0 done"),
    ],
)
def test_how_it_stands_with_all(counts, more, words):
    assert summary_words(counts, **more) == words


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"state": "failed", "cause": "full", "hint": "free some"}, "full (free some)"),
        ({"state": "failed", "cause": "a\nb"}, "a\ufffdb"),
        (
            {"state": "waiting", "tries": 1, "not_before": NOW + 8, "cause": "no memory"},
            "try 2 in 0:08: no memory",
        ),
        ({"state": "waiting", "cause": "no luck"}, "before: no luck"),  # it is tried again on demand
        ({"state": "waiting"}, ""),
        ({"state": "cancelled", "cause": "cancelled"}, ""),
        ({"state": "cancelled", "cause": "cancelled at score: kept"}, "cancelled at score: kept"),
        ({"state": "done"}, ""),
    ],
)
def test_what_has_no_room_in_a_row(columns, words):
    assert told_below(song(**columns), NOW) == words


def test_where_a_song_failed_or_was_cancelled():
    assert failure_words("export", "no space") == "failed at export: no space"
    assert failure_words("prepare", "no voice") == failure_words("", "no voice") == "failed: no voice"
    assert cancelled_words("score") == "cancelled at score: finished steps are kept, no cover is written"
    assert cancelled_words("") == cancelled_words("prepare") == "cancelled"


def test_a_batch_is_called_by_its_title_and_its_folder(tmp_path):
    with Queue.made(tmp_path / "out") as queue:
        assert called(queue) == f"the batch 'out' in {tmp_path}/out"
        queue.note(title="friday\x1b")
        assert called(queue) == f"the batch 'friday\ufffd' in {tmp_path}/out"
