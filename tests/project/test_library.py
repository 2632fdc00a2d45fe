"""A folder of projects: listed at once, whatever is in it; what is removed comes back."""

import os
import time

import pytest
from laid_out import DOCUMENT

from covermaker.errors import ProjectError, ResourceError, UsageError
from covermaker.project.library import TRASH, Trash, read_row, scan


@pytest.fixture
def add(tmp_path):
    """Return what makes a project in the library."""

    def make(name, text=DOCUMENT):
        folder = tmp_path / "library" / name
        folder.mkdir(parents=True)
        (folder / "cover.toml").write_bytes(text.encode() if isinstance(text, str) else text)
        return folder

    return make


@pytest.fixture
def library(tmp_path):
    return tmp_path / "library"


def document(title, artist="", rest=""):
    head = f'schema = 1\ntitle = "{title}"\n[song]\nfile = "audio/a.wav"\nartist = "{artist}"\n'
    return f'{head}{rest}[[tracks]]\nname = "v"\nsource = "converted"\n'


def test_rows_are_sorted_by_title_and_know_the_song(add, library):
    add("one", document("b song", "Anna", '[voice]\nname = "ben"\n'))
    add("two", document("夜 ﾃｽﾄ e\u0301"))
    add("three", document("A song", rest='[voice.train]\ntakes = "x"\n'))
    (library / "four").mkdir()
    (library / "notes.txt").write_text("x")
    add(".hidden")
    rows = scan(library)
    assert [row.title for row in rows] == ["A song", "b song", "夜 ﾃｽﾄ e\u0301"]
    assert (rows[1].artist, rows[1].song, rows[1].voice) == ("Anna", library / "one" / "audio/a.wav", "ben")
    assert (rows[2].voice, rows[0].problem) == ("demo", None)
    assert rows[1].changed == (library / "one" / "cover.toml").stat().st_mtime
    assert scan(library / "one") == [rows[1]] == [read_row(library / "one")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = = 1", "is no TOML: Invalid value"),
        (b"\xff", "it is not UTF-8 text"),
        ("a = " + "[" * 5000, "nested too deep"),
        ("", None),
        ("title = 3\nsong = 4", None),
        ('title = " "\n[song]\nfile = "a\\u0000b"', None),
    ],
)
def test_a_document_that_says_little_is_a_row_too(add, library, text, problem):
    add("folder", text)
    (row,) = scan(library)
    assert (row.title, row.song) == ("folder", None)
    assert problem is None or problem in row.problem


@pytest.mark.parametrize(
    "text",
    [
        'title = """\n[song]\n"""\n[song]\nfile = "x.wav"\n',
        'song.file = "x.wav"\ntitle = "\\n[song]\\n"\n',
        'song = { file = "x.wav" }\ntitle = "[song]"\n',
        'title = "t"\n[[tracks]]\nname = """\n[song]\nfile = 3\n"""\n[ song ] # here\nfile = "x.wav"\n',
    ],
)
def test_the_head_is_what_the_whole_document_says(add, library, text):
    folder = add("x", text)
    assert scan(library)[0].song == folder / "x.wav"


def test_a_document_that_may_not_be_read(add, library):
    folder = add("locked")
    (folder / "cover.toml").unlink()
    (folder / "cover.toml").mkdir()
    (row,) = scan(library)
    assert "cannot be read: Is a directory" in row.problem


def test_no_folder_is_said(library, tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        scan(library)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot look into"):
        scan(tmp_path / "file")
    library.mkdir()
    assert scan(library) == []
    with pytest.raises(ProjectError, match="no project"):
        read_row(library)


def test_two_thousand_projects_in_half_a_second(add, library):
    from importlib.resources import files

    text = (files("covermaker") / ".." / "projects" / "demo" / "cover.toml").read_text()
    for number in range(2000):
        add(f"p{number}", text)
    start = time.process_time()
    rows = scan(library)
    assert time.process_time() - start < 0.5
    assert len(rows) == 2000
    assert {row.title for row in rows} == {"Blue Harbor"}


def test_removed_projects_come_back_the_last_first(add, library):
    trash = Trash(library)
    assert trash.contents() == []
    first, second = add("one", document("One")), add("two", document("Two"))
    for folder in (first, second):
        trash.remove(folder)
    assert scan(library) == []
    later = Trash(library)  # another day
    assert [one.title for one in later.contents()] == ["Two", "One"]
    assert later.restore(later.contents()[0]) == second
    assert [row.title for row in scan(library)] == ["Two"]
    removed = later.contents()
    later.restore(removed[0])
    with pytest.raises(ProjectError, match="exists already"):
        later.restore(removed[0])
    first.rename(library / "moved")
    with pytest.raises(ProjectError, match="no longer in the trash"):
        later.restore(removed[0])


def test_the_same_name_removed_twice(add, library):
    trash = Trash(library)
    trash.remove(add("one", document("Old")))
    trash.remove(add("one", document("New")))
    new, old = trash.contents()
    trash.restore(new)
    with pytest.raises(ProjectError, match="exists already"):
        trash.restore(old)
    assert (library / "one" / "cover.toml").read_text() == document("New")
    trash.erase(old)
    assert trash.contents() == []
    trash.erase(old)


def test_what_is_gone_or_elsewhere_is_not_removed(add, library, tmp_path):
    trash = Trash(library)
    folder = add("one")
    with pytest.raises(ProjectError, match="is not in"):
        Trash(tmp_path).remove(folder)
    (folder / "cover.toml").unlink()
    with pytest.raises(ProjectError, match="no project"):
        trash.remove(folder)
    assert folder.exists()


def test_a_disk_that_refuses_leaves_the_project_and_no_rest(add, library, monkeypatch):
    folder, trash = add("one"), Trash(library)

    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(folder), "rename", refuse)
    with pytest.raises(ResourceError, match="disk is full"):
        trash.remove(folder)
    assert (folder / "cover.toml").exists()
    assert os.listdir(library / TRASH) == []
    (library / TRASH / "rubbish").mkdir()
    assert trash.contents() == []
