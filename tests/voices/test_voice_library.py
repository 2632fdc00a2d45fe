"""Where voices are found, and that one bad card harms nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from covermaker.errors import ProjectError, UsageError
from covermaker.voices import library
from covermaker.voices.library import find_voice, list_voices, user_library


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """An own library and own shipped voices."""
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    monkeypatch.setattr(library, "SHIPPED", tmp_path / "shipped")
    return tmp_path


def test_no_places_at_all():
    assert list_voices() == []


def test_the_nearest_place_wins(make_voice, places):
    project = places / "project"
    for root in (places / "shipped", places / "library", project / "voices", places / "extra"):
        make_voice(root, "demo")
        assert find_voice("demo", project, extra=[places / "extra"]).folder == root / "demo"
    listed = list_voices([places / "extra"], project=project)
    assert [(entry.name, entry.place) for entry in listed] == [("demo", "extra")]
    assert find_voice("demo").folder == places / "library" / "demo"


def test_listing_is_ordered_and_knows_the_place(make_voice, places):
    make_voice(places / "shipped", "demo")
    make_voice(places / "library", "zoe")
    make_voice(places / "library", "anna")
    entries = list_voices()
    assert [(entry.name, entry.place) for entry in entries] == [
        ("anna", "library"),
        ("zoe", "library"),
        ("demo", "shipped"),
    ]
    assert all(entry.card is not None and entry.problem is None for entry in entries)


def test_a_damaged_card_is_a_problem_of_its_own(make_voice, places):
    make_voice(places / "library", "good")
    make_voice(places / "library", "bad", replace={"schema = 1": "schema = 1\nschema = 2"})
    (places / "library" / "closed" / "card.toml").mkdir(parents=True)
    (places / "library" / "no voice").mkdir()
    (places / "library" / "note.txt").write_text("hello")
    entries = {entry.name: entry for entry in list_voices()}
    assert sorted(entries) == ["bad", "closed", "good"]
    assert entries["good"].problem is None
    assert entries["bad"].card is None
    assert "is no TOML" in entries["bad"].problem
    assert "cannot be read" in entries["closed"].problem
    assert find_voice("good").name == "good"
    with pytest.raises(ProjectError, match="is no TOML"):
        find_voice("bad")


def test_unknown_voices_get_the_nearest_name(make_voice, places):
    make_voice(places / "library", "demo")
    with pytest.raises(ProjectError, match=r"unknown voice 'dmeo' \(did you mean 'demo'\?\)"):
        find_voice("dmeo")
    with pytest.raises(ProjectError, match=r"unknown voice '\.\.'"):
        find_voice("..")
    with pytest.raises(ProjectError, match="unknown voice ''"):
        find_voice("")


def test_a_path_is_taken_as_a_path(make_voice, places, monkeypatch):
    folder = make_voice(places / "some where", "mine")
    assert find_voice(str(folder)).folder == folder
    monkeypatch.chdir(places)
    assert find_voice("./some where/mine").folder.resolve() == folder.resolve()
    (places / "project").mkdir()
    assert find_voice("../some where/mine", places / "project").card.name == "demo"
    monkeypatch.setenv("HOME", str(places))
    assert find_voice("~/some where/mine").folder == folder
    with pytest.raises(ProjectError, match="is no voice"):
        find_voice("./nothing")


def test_unicode_names(make_voice, places):
    make_voice(places / "library", "Zoë, live № 2")
    assert find_voice("Zoë, live № 2").name == "Zoë, live № 2"


def test_the_library_without_the_variable(monkeypatch):
    monkeypatch.delenv("COVERMAKER_VOICES")
    assert user_library().parts[-2:] == ("covermaker", "voices")
    monkeypatch.setenv("COVERMAKER_VOICES", "~/v")
    assert user_library() == Path("~/v").expanduser()


def test_paths_that_lead_nowhere_are_refused(monkeypatch):
    for name in ("~nobody-here/voice", "a/\0b"):
        with pytest.raises(ProjectError, match=r"leads nowhere|holds a NUL"):
            find_voice(name)
    monkeypatch.setenv("COVERMAKER_VOICES", "~nobody-here/voices")
    with pytest.raises(UsageError, match="COVERMAKER_VOICES = '~nobody-here/voices' leads nowhere"):
        user_library()
