"""``batch retry`` of songs whose files are not there: it says which, and what to do."""

import pytest

from covermaker.batch.options import Options
from covermaker.batch.work import begin
from covermaker.cli.main import run
from covermaker.errors import ExitCode


@pytest.fixture
def batch(make_song, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_song("a.wav")
    (tmp_path / "friday.m3u").write_text("songs/a.wav\nsongs/gone.wav\n")
    with begin(tmp_path / "out", Options(playlist=str(tmp_path / "friday.m3u"))) as queue:
        yield queue


def test_a_song_that_is_not_there_is_named_with_what_to_do(batch, capsys):
    capsys.readouterr()
    assert run(["batch", "retry", "out"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert said.startswith("nothing to retry in the batch 'friday'")
    assert "song 2 (there is no file" in said
    assert "put the file back or mend the list, then run the list again" in said
    assert f"covermaker batch LIST --out {batch.folder}" in said


def test_what_can_be_tried_is_and_the_rest_is_told(batch, capsys):
    batch.change(1, state="failed", cause="no luck", exit_code=6)
    capsys.readouterr()
    assert run(["batch", "retry", "out"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert said.startswith("song 1 'a' of the batch 'friday'")
    assert "song 2 (there is no file" in said
    assert [song.state for song in batch.songs()] == ["waiting", "failed"]


def test_it_is_not_told_where_only_cancelled_songs_are_meant(batch, capsys):
    batch.change(1, state="cancelled")
    capsys.readouterr()
    assert run(["batch", "retry", "out", "--cancelled"]) == ExitCode.OK
    assert "song 2" not in capsys.readouterr().out


def test_when_the_file_is_back_it_is_tried(batch, make_song, capsys):
    make_song("gone.wav")
    assert run(["batch", "retry", "out"]) == ExitCode.OK
    assert [song.state for song in batch.songs()] == ["waiting", "waiting"]
