"""``covermaker batch retry``, ``cancel``, ``pause``, ``go-on`` and ``stop``: what is meant, and what is said."""

import os

import pytest
from fake_engine import failed

from covermaker.batch.holding import working_on
from covermaker.batch.options import Options
from covermaker.batch.queue import Queue
from covermaker.batch.work import begin
from covermaker.cli.main import run
from covermaker.errors import ExitCode


def batch(*more):
    return run(["batch", *map(str, more)])


@pytest.fixture
def six(make_song, tmp_path, monkeypatch):
    """A batch of six songs that nobody works on: two done, one failed, one cancelled, two waiting."""
    monkeypatch.chdir(tmp_path)
    names = [make_song(f"{name}.wav") for name in "abcdef"]
    (tmp_path / "friday.m3u").write_text("".join(f"{name}\n" for name in names))
    with begin(tmp_path / "out", Options(playlist=str(tmp_path / "friday.m3u"))) as queue:
        for number, state in enumerate(("done", "done", "failed", "cancelled"), start=1):
            queue.change(number, state=state, cause="no luck" if state == "failed" else "")
        yield queue


def states(queue):
    return "".join(song.state[0] for song in queue.songs())


def asked(queue):
    return [(ask.what, ask.song) for ask in queue.asks()]


def out(capsys):
    return capsys.readouterr().out


def test_where_nobody_works_on_it_it_is_done_at_once(six, capsys):
    where = f"of the batch 'friday' in {six.folder}"
    capsys.readouterr()
    assert batch("retry", "out", 3) == ExitCode.OK
    assert out(capsys) == (
        f"song 3 'c' {where} waits to be tried again; nobody works on it: covermaker batch resume {six.folder}\n"
    )
    assert six.song(3).cause == "no luck"  # known until it is begun
    assert batch("cancel", "out", 3) == ExitCode.OK
    assert out(capsys) == f"song 3 'c' {where} is cancelled\n"
    assert (states(six), six.song(3).cause) == ("ddccww", "cancelled")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["cancel", "out", "5-6"], "ddfccc"),
        (["cancel", "5-6"], "ddfccc"),  # without a folder the last batch is meant
        (["cancel", "6"], "ddfcwc"),
        (["cancel", "2-900"], "ddfccc"),
        (["cancel", "--all"], "ddfccc"),
        (["cancel", "out", "--all"], "ddfccc"),
        (["retry"], "ddwcww"),
        (["retry", "out"], "ddwcww"),
        (["retry", "--cancelled"], "ddfwww"),
        (["retry", "--all"], "ddwwww"),
        (["retry", "3-4"], "ddwwww"),
        (["retry", "4", "3"], "ddwwww"),
    ],
)
def test_which_songs_are_meant(six, words, wanted):
    assert batch(*words) == ExitCode.OK
    assert states(six) == wanted


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cancel"], "which songs? Name their numbers, or all of them"),
        (["cancel", "out"], "covermaker batch cancel out 9 150-400, or: covermaker batch cancel out --all"),
        (["cancel", "out", "5", "--all"], "numbers and --all are too much"),
        (["retry", "3", "--cancelled"], "leave one of them out"),
        (["cancel", "out", "9-"], "'9-' is no number of a song"),
        (["cancel", "out", "six"], "'six' is no number of a song"),
        (["cancel", "out", "6-5"], "write 5-6"),
        (["cancel", "out", "99"], "has no song 99"),
        (["cancel", "70-99"], "has no song 70"),
    ],
)
def test_what_is_not_clear_is_refused_and_changes_nothing(six, capsys, words, message):
    assert batch(*words) == ExitCode.USAGE
    assert message in " ".join(capsys.readouterr().err.split())
    assert states(six) == "ddfcww"


def test_a_folder_that_is_called_like_a_number_is_a_folder(six, capsys):
    os.rename("out", "9")
    assert batch("cancel", "9", "5") == ExitCode.OK
    with Queue(six.folder.parent / "9") as queue:
        assert states(queue) == "ddfccw"
    assert batch("cancel", "8", "--all") == ExitCode.USAGE  # a number, and no batch is the last one


def test_nothing_to_do_is_said_of_which_batch(six, capsys):
    for number in (5, 6):
        six.change(number, state="done")
    capsys.readouterr()
    assert batch("cancel", "--all") == ExitCode.OK
    assert out(capsys) == f"nothing to cancel in the batch 'friday' in {six.folder}\n"


def test_of_a_batch_that_runs_they_are_left_for_it(six, capsys):
    capsys.readouterr()
    with working_on(six):
        assert batch("cancel", "out", "5-6") == ExitCode.OK
        assert out(capsys) == (
            f"2 songs of the batch 'friday' in {six.folder} are being cancelled: finished steps are kept\n"
        )
        assert batch("retry", 3) == ExitCode.OK
        assert out(capsys) == f"song 3 'c' of the batch 'friday' in {six.folder} waits to be tried again\n"
        assert asked(six) == [("cancel", 5), ("cancel", 6), ("retry", 3)]
        six.take_asks()
        for word, what, said in (
            ("pause", "pause", "is paused: what runs is finished, nothing is begun"),
            ("go-on", "go on", "goes on"),
            ("stop", "stop", "stops: what runs waits for the next time"),
        ):
            assert batch(word) == ExitCode.OK
            assert out(capsys) == f"the batch 'friday' in {six.folder} {said}\n"
            assert asked(six) == [(what, None)]
            six.take_asks()
    assert batch("pause") == ExitCode.USAGE
    assert f"nobody works on the batch 'friday' in {six.folder}" in capsys.readouterr().err
    assert states(six) == "ddfcww"


def test_a_file_that_is_still_missing_is_not_tried_and_keeps_its_helpful_cause(six, capsys, make_song):
    (six.folder.parent / "friday.m3u").write_text("songs/bb.wav\nsongs/b.wav\n")
    begin(six.folder, Options(playlist=str(six.folder.parent / "friday.m3u"))).close()
    cause, hint = six.song(1).cause, six.song(1).hint
    assert (cause.startswith("there is no file"), hint) == (True, "did you mean 'b.wav'?")
    capsys.readouterr()
    assert batch("retry", 1) == ExitCode.USAGE
    said = " ".join(capsys.readouterr().err.split())
    assert f"entry 1 cannot be tried: {cause}" in said
    assert "did you mean 'b.wav'?; then run the list again" in said
    assert batch("retry", "--all") == ExitCode.OK
    assert (six.song(1).state, six.song(1).cause, six.song(1).hint) == ("failed", cause, hint)
    make_song("bb.wav")
    assert batch("retry", 1) == ExitCode.OK
    assert six.song(1).state == "waiting"


def test_asks_reach_the_process_that_works_on_it(friday, engine, capsys):
    engine.script[1].append(failed(1, code=4))
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
    assert "another process works on the batch" in capsys.readouterr().err
    with Queue(friday.parent / "out") as queue:
        assert [song.state for song in queue.songs()] == ["failed", "failed", "done", "cancelled"]
