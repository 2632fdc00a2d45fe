"""Folders of projects: the first run, changes on disk, the trash, dropped paths, the queue of what to look at."""

import os
import threading

import pytest
from studio_stage import project, state

from covermaker.tui import model
from covermaker.tui.changes import Changes
from covermaker.tui.paths import dropped
from covermaker.tui.survey import Survey


def test_the_first_run_brings_the_demo_and_only_the_first(tmp_path):
    root = tmp_path / "new" / "library"
    assert model.first_run(root)
    assert [row.title for row in model.list_songs(root)] == ["Blue Harbor"]
    assert (root / "demo" / "audio" / "song.flac").stat().st_size > 10**6
    assert not (root / "demo" / "make_song.py").exists()
    assert not model.first_run(root)
    assert model.list_songs(tmp_path / "nowhere") == []


def test_look_sees_documents_and_renders_change(tmp_path):
    folder = project(tmp_path, "a")
    (tmp_path / "no project").mkdir()
    (tmp_path / ".trash").mkdir()
    before = model.look(tmp_path)
    assert set(before) == {folder}
    os.utime(folder / "cover.toml", (5, 5))
    assert model.look(tmp_path)[folder] == (5.0, 0.0)
    (folder / "out").mkdir()
    (folder / "out" / "render.json").write_text("{}")
    assert model.look(tmp_path)[folder][1] > 0.0
    assert set(model.look(folder)) == {folder}
    assert model.look(tmp_path / "nowhere") == {}


def test_changes_go_both_ways(tmp_path):
    one, two = project(tmp_path, "one"), project(tmp_path, "two")
    changes = Changes(tmp_path)
    assert changes.undo_words == changes.redo_words == ""
    assert changes.remove([one, two], "removed 2 songs").words == "removed 2 songs"
    assert not one.exists()
    assert changes.undo_words == "removed 2 songs"
    outcome = changes.undo()
    assert (outcome.words, outcome.select) == ("undo: removed 2 songs; they are in the library again", one)
    assert two.exists()
    assert changes.redo().words == "redo: removed 2 songs; they are in the trash"
    assert not two.exists()
    changes.undo()
    changes.added(one, "added one.wav")
    assert changes.redo_words == ""
    assert changes.undo().words == "undo: added one.wav; its folder one is in the trash"
    assert not one.exists()
    assert two.exists()
    assert changes.redo().select == one


def test_what_cannot_come_back_says_why(tmp_path):
    one = project(tmp_path, "one")
    changes = Changes(tmp_path)
    changes.remove([one], "removed one")
    project(tmp_path, "one")
    outcome = changes.undo()
    assert outcome.words == ""
    assert "exists already" in outcome.problem
    assert changes.remove([tmp_path / "gone"], "x").problem


@pytest.fixture
def songs(tmp_path):
    folder = tmp_path / "my songs"
    folder.mkdir()
    files = [folder / "a b.wav", folder / "it's.flac", folder / "plain.mp3", folder / "夜 é.ogg"]
    for file in files:
        file.touch()
    return files


@pytest.mark.parametrize(
    "written",
    [
        "{}", "'{}'", '"{}"', " {} \n", "file://{}",
    ],
)  # fmt: skip
def test_a_dropped_file_in_every_quoting(songs, written):
    for file in songs:
        if "'" in file.name and "'" in written:
            continue
        assert dropped(written.format(file)) == [file]


def test_dropped_as_shells_and_browsers_write_it(songs):
    import shlex
    from urllib.parse import quote

    assert dropped(" ".join(shlex.quote(str(file)) for file in songs)) == songs
    assert dropped("\n".join(str(file) for file in songs)) == songs
    assert dropped(str(songs[0]).replace(" ", "\\ ")) == [songs[0]]
    assert dropped("file://" + quote(str(songs[3]))) == [songs[3]]
    assert dropped("\r\n".join("file://" + quote(str(file)) for file in songs)) == songs


@pytest.mark.parametrize(
    "text", ["", "hello", "it's", "/nowhere/x.wav", "~nobody-at-all/x", "a\0b", "x" * 5000]
)
def test_text_that_is_no_path(text):
    assert dropped(text) == []


def test_the_survey_looks_at_what_is_in_sight_first():
    seen, told = [], {}
    survey = Survey(lambda name: seen.append(name) or state("done"))
    survey.want("abcdef")
    survey.want("ec", first=True)
    assert not survey.is_idle
    survey.work(told.update, lambda: False)
    assert "".join(seen) == "ecabdf"
    assert set(told) == set("abcdef")
    assert survey.is_idle


def test_a_cancelled_survey_tells_what_it_found_and_stops():
    stop, told = threading.Event(), {}
    survey = Survey(lambda name: stop.set() or state("done"))
    survey.want("abc")
    survey.work(told.update, stop.is_set)
    assert set(told) == {"a"}
    assert not survey.is_idle
