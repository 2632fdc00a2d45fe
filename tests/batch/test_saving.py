"""A batch written as a list: read again it is the same batch."""

from pathlib import Path

from covermaker.batch.gather import gather
from covermaker.batch.options import Options
from covermaker.batch.playlist import read
from covermaker.batch.queue import Queue
from covermaker.batch.saving import save
from covermaker.cli.main import run
from covermaker.errors import ExitCode


def test_the_saved_list_is_the_batch_in_its_order(make_song, make_queue, tmp_path):
    options = Options(wishes={"voice": "anna", "transpose": "auto"})
    with make_queue(
        make_song("a.wav"), "gone.mp3", make_song("b.wav"), options=options, artist="Nö"
    ) as queue:
        queue.change(3, turn=-1.0, wishes={"transpose": "-2", "loudness_lufs": -10.5}, title='Say "hi"')
        place = save(queue)
        assert place == queue.folder / "songs.toml"
        text = place.read_text()
        assert "# cannot be used: list.m3u:2: there is no such file" in text
    again = read(str(place))
    assert not again.problems
    assert again.title == "friday"
    assert [(Path(one.place).name, one.title, one.artist) for one in again.entries] == [
        ("b.wav", 'Say "hi"', "Nö"),
        ("a.wav", "", "Nö"),
    ]
    assert [one.wishes for one in again.entries] == [
        {"voice": "anna", "transpose": "-2", "loudness_lufs": -10.5},
        {"voice": "anna", "transpose": "auto"},
    ]
    with Queue.made(tmp_path / "new") as queue:
        gather(queue, again)
        assert queue.counts() == {"waiting": 2}


def test_a_project_that_was_there_keeps_what_is_its_own(make_queue, tmp_path):
    project = tmp_path / "mine"
    project.mkdir()
    (project / "cover.toml").touch()
    with make_queue(project, options=Options(wishes={"voice": "anna"})) as queue:
        text = save(queue).read_text()
    assert f'file = "{project}"' in text
    assert "anna" not in text


def test_a_file_that_is_there_is_not_replaced_unasked(make_song, make_queue, tmp_path, capsys):
    with make_queue(make_song("a.wav")) as queue:
        folder = str(queue.folder)
    mine = tmp_path / "mine.toml"
    mine.write_text("mine")
    assert run(["batch", "save", folder, "--to", str(mine)]) == ExitCode.USAGE
    assert "is there already" in capsys.readouterr().err
    assert mine.read_text() == "mine"
    assert run(["batch", "save", folder, "--to", str(mine), "--force"]) == ExitCode.OK
    assert "a.wav" in mine.read_text()
    assert run(["batch", "save", folder]) == run(["batch", "save", folder]) == ExitCode.OK


def test_a_batch_without_songs_gives_no_list(make_queue, capsys):
    with make_queue("gone.mp3") as queue:
        folder = str(queue.folder)
    assert run(["batch", "save", folder]) == ExitCode.USAGE
    assert "no song" in capsys.readouterr().err
