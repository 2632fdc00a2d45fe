import tomllib
from pathlib import Path

import pytest

from covermaker.errors import ExitCode, ProjectError
from covermaker.project.create import NewProject, create, slug, toml_value
from covermaker.project.load import load, parse

START = NewProject(
    title='Blue "Harbour" é',
    voice="demo",
    rack=[{"effect": "gate", "threshold_db": -45.0}],
    sends={"reverb": -16.0},
    buses={"reverb": [{"effect": "reverb"}], "delay": [{"effect": "delay"}]},
)

MINIMAL = """
schema = 1
title = "t"
[song]
file = "a.flac"
[[tracks]]
name = "vocals"
source = "converted"
"""


@pytest.fixture
def project(tmp_path):
    song = tmp_path / "söng one.flac"
    song.write_bytes(b"not read here")
    return create(song, tmp_path / "cover", START)


def test_a_new_project_reads_back(project):
    cover = project.cover
    assert cover.title == START.title
    assert cover.song.file == "audio/söng one.flac"
    assert project.path(cover.song.file, "song.file").read_bytes() == b"not read here"
    assert [bus.name for bus in cover.buses] == ["reverb", "delay"]
    assert cover.tracks[0].rack == [{"effect": "gate", "threshold_db": -45.0}]
    assert cover.master.loudness_lufs == -14.0


def test_a_new_project_never_overwrites(project, tmp_path):
    with pytest.raises(ProjectError, match="exists already"):
        create(tmp_path / "söng one.flac", project.root, START)


def test_a_refused_new_project_leaves_nothing(tmp_path):
    with pytest.raises(ProjectError):
        create(tmp_path / "a.flac", tmp_path / "p", NewProject("", "demo", [], {}, {}), copy_song=False)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("xyzzy = 1" + MINIMAL, "unknown key 'xyzzy'", "known: "),
        ("titel = 1" + MINIMAL, "unknown key 'titel'", "did you mean 'title'"),
        (MINIMAL + "gain_bd = 1.0", r"unknown key 'tracks\[0\].gain_bd'", "did you mean 'gain_db'"),
        (MINIMAL + 'gain_db = "loud"', r"tracks\[0\].gain_db = 'loud': a number is expected", None),
        (MINIMAL + "gain_db = 99.0", r"tracks\[0\].gain_db = 99.0: .* less than or equal to 24", None),
        (MINIMAL + "pan = true", r"tracks\[0\].pan = true", None),
        (MINIMAL + "gain_db = nan", r"tracks\[0\].gain_db = nan: .*finite", None),
        (MINIMAL.replace('title = "t"', ""), "'title' is missing", "add 'title'"),
        (MINIMAL.replace("schema = 1", "schema = 9"), "schema 9, this Covermaker knows 1", "update"),
        (
            MINIMAL + '[convert]\ntranspose = "up"',
            "convert.transpose = 'up': a whole number .* or must be 'auto'.* or 'off'",
            None,
        ),
        (
            MINIMAL + '[master]\nloudness_lufs = "of"',
            "master.loudness_lufs = 'of': a number is expected or",
            None,
        ),
        (MINIMAL + "[convert]\ntranspose = 40", "convert.transpose = 40", None),
        (MINIMAL + "[voice]\nnam = 'x'", "unknown key 'voice.nam'", "did you mean 'name'"),
        (MINIMAL + "[export]\nformats = []", "export.formats", None),
        ("x = [", "is no TOML", None),
        (MINIMAL + "[a]\n[b]\n", "unknown key 'a' .and 1 more", None),
        (
            "titel = 1" + MINIMAL.replace('title = "t"', ""),
            "^cover.toml:1: unknown key 'titel' .did",
            "did you mean 'title'",
        ),
        (
            MINIMAL + '[convert]\nparts = [{ start = "1:x", stop = 3, voice = "demo" }]',
            r"convert.parts\[0\].start = '1:x': .* minutes and seconds",
            None,
        ),
    ],
)
def test_refusals_name_the_path_and_the_way_out(text, message, hint):
    with pytest.raises(ProjectError, match=message) as caught:
        parse(text)
    assert caught.value.exit_code == ExitCode.PROJECT
    assert "\n" not in caught.value.message
    if hint:
        assert hint in (caught.value.hint or "")


def test_missing_projects_say_how_to_make_one(tmp_path):
    with pytest.raises(ProjectError, match="there is no project") as caught:
        load(tmp_path)
    assert "covermaker new" in caught.value.hint
    (tmp_path / "cover.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProjectError, match="not UTF-8"):
        load(tmp_path)


def test_paths_may_not_leave_the_project(project, tmp_path):
    for text in ("../outside.wav", "audio/../../outside.wav"):
        with pytest.raises(ProjectError, match="leaves the project"):
            project.path(text, "song.file")
    (tmp_path / "secret.wav").write_text("x")
    (project.root / "audio" / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(ProjectError, match="leaves the project"):
        project.path("audio/link.wav", "song.file")
    assert project.path(str(tmp_path / "secret.wav"), "song.file") == tmp_path / "secret.wav"


@pytest.mark.parametrize("text", ["~nobody-here/song.wav", "a\0b.wav", "/a\0b.wav", "audio/loop.wav"])
def test_paths_that_lead_nowhere_name_their_key(project, text):
    (project.root / "audio" / "loop.wav").symlink_to("loop.wav")
    with pytest.raises(ProjectError, match=r"^song\.file = '.*' (leads nowhere: |holds a NUL)") as caught:
        project.path(text, "song.file")
    assert "\0" not in caught.value.message


def test_a_song_whose_name_is_not_utf8(tmp_path):
    song = tmp_path / "\udcff.wav"
    song.write_bytes(b"not read here")
    made = create(song, tmp_path / "copied", START)
    assert made.cover.song.file == "audio/blue-harbour-é.wav"
    assert (made.root / made.cover.song.file).read_bytes() == b"not read here"
    with pytest.raises(ProjectError, match=r"cannot hold a name that is not UTF-8: 'file = .*\\udcff.wav"):
        create(song, tmp_path / "named", START, copy_song=False)
    assert not (tmp_path / "named").exists()


@pytest.mark.parametrize(
    ("title", "folder"),
    [
        ("Blue Harbour", "blue-harbour"),
        ("Ça va?", "ça-va"),
        ("../../etc", "etc"),
        ("///", "cover"),
        ("夜に駆ける", "夜に駆ける"),
    ],
)
def test_slugs_are_safe_folder_names(title, folder):
    assert slug(title) == folder
    assert Path(slug(title)).name == slug(title)


@pytest.mark.parametrize("text", ['"', "\\", "\x7f\x01é\n\t", "'''", "夜", "\U0001f3b5"])
def test_any_text_survives_in_toml(text):
    assert tomllib.loads(f"x = {toml_value(text)}")["x"] == text
