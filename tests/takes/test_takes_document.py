"""takes.toml: what it says, what it refuses, and what decides about the clips."""

import hashlib
import shutil

import pytest

from covermaker.errors import AudioInputError, ProjectError
from covermaker.takes.document import (
    TAKES_FILE,
    make_takes,
    read_takes,
    take_path,
    takes_hash,
    takes_only,
    write_takes,
)

TAKES = """schema = 1
name = "anna"
rights = "own-voice"
statement = "I am Anna"
languages = ["en"]
created = 2026-01-31

[slicing]
min_seconds = 4
max_seconds = 10.0

[[takes]]
file = "a.wav"
sha256 = "{0}"

[[takes]]
file = "b.wav"
sha256 = "{0}"
use = false
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "takes").mkdir()
    for name in ("a.wav", "b.wav"):
        (tmp_path / "takes" / name).write_bytes(name.encode())
    (tmp_path / TAKES_FILE).write_text(TAKES.format("0" * 64))
    return tmp_path


def edit(folder, old, new):
    path = folder / TAKES_FILE
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_document_is_read(folder):
    takes = read_takes(folder)
    assert (takes.name, takes.rights, takes.statement, takes.languages) == (
        "anna",
        "own-voice",
        "I am Anna",
        ["en"],
    )
    assert takes.slicing.min_seconds == 4.0
    assert [row.file for row in takes.used] == ["a.wav"]
    assert not takes.cleaning.separate


def test_what_is_written_is_read_again(folder):
    takes = read_takes(folder)
    write_takes(takes, folder)
    assert read_takes(folder) == takes
    assert (folder / TAKES_FILE).read_text().startswith("# The recordings of a voice")


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ('rights = "own-voice"\n', "", "'rights' is missing", "own-voice, licensed or synthetic"),
        ('"own-voice"', '"stolen"', "rights = 'stolen': must be 'own-voice'", None),
        ('"own-voice"', '"unknown"', "rights = 'unknown': must be", None),
        ('"I am Anna"', '" "', "need a statement: who agreed, to what", "one sentence"),
        ("min_seconds", "min_second", "unknown key 'slicing.min_second'", "did you mean 'min_seconds'?"),
        ("use =", "used =", r"unknown key 'takes\[1\].used'", "did you mean 'use'?"),
        ("= 4\n", "= 12.0\n", "max_seconds must be above min_seconds", None),
        ("= 4\n", '= "4"\n', "slicing.min_seconds = '4'", None),
        ("schema = 1", "schema = 2", "this version reads schema 1", None),
        ('"b.wav"', '"../b.wav"', "no slash", None),
        ('"b.wav"', '".hidden"', "no dot at the start", None),
        ('"b.wav"', '"A.flac"', "two takes are called 'a'", None),
        ("[slicing]", "[slicing", "is no TOML", None),
    ],
)
def test_a_wrong_document_is_refused(folder, old, new, message, hint):
    edit(folder, old, new)
    with pytest.raises(ProjectError, match=message) as caught:
        read_takes(folder)
    if hint is not None:
        assert hint in caught.value.hint


def test_a_folder_without_takes_says_how_to_make_them(tmp_path):
    with pytest.raises(ProjectError, match="holds no takes") as caught:
        read_takes(tmp_path)
    assert "voices new" in caught.value.hint


def test_takes_never_leave_the_folder(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.wav"
    outside.write_bytes(b"x")
    (folder / "takes" / "a.wav").unlink()
    row = read_takes(folder).takes[0]
    with pytest.raises(AudioInputError, match=r"a\.wav is missing"):
        take_path(folder, row)
    (folder / "takes" / "a.wav").symlink_to(outside)
    with pytest.raises(ProjectError, match="leaves the takes"):
        take_path(folder, row)


def test_the_hash_is_of_what_decides_about_the_clips(folder):
    first = takes_hash(folder)
    edit(folder, "I am Anna", "I, Anna, agree")
    (folder / "takes" / "b.wav").write_bytes(b"not used")
    assert takes_hash(folder) == first
    seen = {first}
    edit(folder, "= 4\n", "= 5\n")
    seen.add(takes_hash(folder))
    (folder / "takes" / "a.wav").write_bytes(b"sung again")
    seen.add(takes_hash(folder))
    (folder / "takes" / "a.labels.txt").write_text("0\t1\tx\n")
    seen.add(takes_hash(folder))
    edit(folder, "use = false", "use = true")
    seen.add(takes_hash(folder))
    assert len(seen) == 5


def test_a_hash_does_not_know_names_or_order(folder):
    edit(folder, "use = false", "use = true")
    first = takes_hash(folder)
    (folder / "takes" / "b.wav").rename(folder / "takes" / "z.wav")
    text = (folder / TAKES_FILE).read_text().replace("b.wav", "z.wav")
    head, one, two = text.partition("[[takes]]")[0], *text.split("[[takes]]")[1:]
    (folder / TAKES_FILE).write_text(head + "[[takes]]" + two.rstrip() + "\n\n[[takes]]" + one)
    assert takes_hash(folder) == first


def test_untrained_voices_are_found(folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("library")
    (root / "empty").mkdir()
    shutil.copytree(folder, root / "anna")
    assert takes_only(root / "none") == []
    assert takes_only(root) == [root / "anna"]
    (root / "anna" / "card.toml").write_text("")
    assert takes_only(root) == []


def test_a_document_made_of_values_is_checked_too():
    row = {"file": "a.wav", "sha256": hashlib.sha256(b"").hexdigest()}
    with pytest.raises(ProjectError, match="'created' is missing"):
        make_takes(name="a", rights="synthetic", takes=[row])
