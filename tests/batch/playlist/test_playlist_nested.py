"""Lists that name folders, projects, patterns and other lists."""

from __future__ import annotations

from covermaker.batch.entries import Problem
from covermaker.batch.playlist import gathering, read

HINT = "take the line out, or put the songs of that list here"


def told(playlist):
    return [(entry.origin, entry.place.name) for entry in playlist.entries]


def test_everything_that_is_a_place_may_stand_in_a_list(put):
    put("lists/rock.pls", "[playlist]\nFile1=../two.mp3\nFile2=../gone.flac")
    put("all.m3u", "#EXTINF:9,Nobody's\nmore\nkept\nkept/cover.toml\nlists/rock.pls\nmore/*.ogg\none.flac\n")
    playlist = read("all.m3u")
    assert told(playlist) == [
        ("all.m3u:2", "a b.wav"), ("all.m3u:2", "Träume.ogg"), ("all.m3u:3", "kept"), ("all.m3u:4", "kept"),
        ("lists/rock.pls:2", "two.mp3"), ("all.m3u:6", "Träume.ogg"), ("all.m3u:7", "one.flac"),
    ]  # fmt: skip
    assert {(entry.title, entry.seconds) for entry in playlist.entries} == {("", None)}
    assert [(problem.origin, problem.after) for problem in playlist.problems] == [("lists/rock.pls:3", 5)]
    assert playlist.title == "all"


def test_what_is_said_of_a_list_or_folder_holds_for_its_songs(put):
    put("inner.csv", "file,voice,title,artist\none.flac,ben,One,\ntwo.mp3,,,The Two\n")
    put("all.csv", "file,voice,transpose,title,artist\ninner.csv,anna,2,Inner,The All\nmore,carl,,More,\n")
    playlist = read("all.csv")
    assert [(one.place.name, one.title, one.artist, one.wishes) for one in playlist.entries] == [
        ("one.flac", "One", "The All", {"voice": "ben", "transpose": "2"}),
        ("two.mp3", "", "The Two", {"voice": "anna", "transpose": "2"}),
        ("a b.wav", "", "", {"voice": "carl"}),
        ("Träume.ogg", "", "", {"voice": "carl"}),
    ]


def test_the_title_of_a_folder_with_one_song_is_that_of_the_song(shelf, put):
    (shelf / "more/a b.wav").unlink()
    (entry,) = read(put("l.m3u", "#EXTINF:9,Dreams\nmore")).entries
    assert (entry.title, entry.seconds) == ("Dreams", 9.0)


def test_lists_that_name_each_other_in_a_circle(shelf, put):
    put("a.m3u", "one.flac\nsub/b.m3u8\ntwo.mp3\n")
    put("sub/b.m3u8", "../more/a b.wav\n../sub/../a.m3u\n../c.m3u")
    (shelf / "c.m3u").symlink_to(shelf / "sub/b.m3u8")
    playlist = read("a.m3u")
    assert told(playlist) == [("a.m3u:1", "one.flac"), ("sub/b.m3u8:1", "a b.wav"), ("a.m3u:3", "two.mp3")]
    words = "the lists name each other in a circle: "
    assert playlist.problems == (
        Problem("sub/b.m3u8:2", f"{words}a.m3u > sub/b.m3u8 > a.m3u", HINT, "../sub/../a.m3u"),
        Problem("sub/b.m3u8:3", f"{words}sub/b.m3u8 > sub/b.m3u8", HINT, "../c.m3u"),
    )


def test_a_list_of_itself_alone(put):
    playlist = read(put("a.toml", "[[songs]]\nfile = 'a.toml'\n"))
    assert playlist.entries == ()
    wanted = Problem("a.toml:1", "the lists name each other in a circle: a.toml > a.toml", HINT, "a.toml")
    assert playlist.problems == (wanted,)


def test_the_same_list_twice_is_no_circle(put):
    put("b.m3u", "one.flac")
    assert told(read(put("a.m3u", "b.m3u\nb.m3u"))) == [("b.m3u:1", "one.flac")] * 2


def test_lists_are_nested_as_deep_as_anybody_needs(shelf, put):
    for number in range(10):
        put(f"{number}.m3u", f"one.flac\n{number + 1}.m3u\n")
    playlist = read("0.m3u")
    assert len(playlist.entries) == gathering.DEEPEST
    message = f"{shelf}/8.m3u is not read: lists are nested deeper than 8"
    assert playlist.problems == (Problem("7.m3u:2", message, HINT, "8.m3u"),)


def test_lists_that_multiply_come_to_an_end(put, monkeypatch):
    monkeypatch.setattr(gathering, "MOST_LISTS", 50)
    for number in range(7):
        put(f"{number}.m3u", f"{number + 1}.m3u\n" * 10)
    put("7.m3u", "one.flac\n")
    playlist = read("0.m3u")
    assert 0 < len(playlist.entries) < 50
    assert {problem.message.partition(" ")[2] for problem in playlist.problems} == {
        "is not read: it would be list 51 of one run"
    }


def test_a_list_in_a_list_that_is_empty_broken_or_half_broken(shelf, put):
    put("empty.m3u", "#EXTM3U\n")
    put("broken.toml", "[[songs")
    put("headless.csv", "one.flac,anna")
    put("half.xspf", "<playlist><trackList><track><location>one.flac</location></track>")
    playlist = read(put("a.m3u", "empty.m3u\nbroken.toml\nheadless.csv\nhalf.xspf\ntwo.mp3"))
    assert told(playlist) == [("half.xspf:1", "one.flac"), ("a.m3u:5", "two.mp3")]
    assert [(problem.origin, problem.message.partition(":")[0]) for problem in playlist.problems] == [
        ("a.m3u:1", f"there is no song in {shelf}/empty.m3u"),
        ("a.m3u:2", "broken.toml is no TOML"),
        ("a.m3u:3", "headless.csv"),
        ("half.xspf", "half.xspf is no XSPF"),
    ]
    assert playlist.problems[2].message == "headless.csv:1: there is no column 'file'"


def test_songs_of_lists_that_multiply_come_to_an_end(shelf, put, monkeypatch):
    monkeypatch.setattr(gathering, "MOST_NESTED", 50)
    put("inner.m3u", "one.flac\n" * 30)
    put("outer.m3u", "inner.m3u\n" * 40)
    playlist = read(put("all.m3u", "outer.m3u\n" * 3 + "two.mp3\n" * 100))
    assert [entry.place.name for entry in playlist.entries] == ["one.flac"] * 50 + ["two.mp3"] * 100
    words = "is not read: lists in lists hold 50 songs already"
    assert [(problem.origin, problem.message) for problem in playlist.problems] == [
        ("inner.m3u", f"the rest of {shelf}/inner.m3u {words}"),
        ("outer.m3u", f"the rest of {shelf}/outer.m3u {words}"),
        ("all.m3u:2", f"{shelf}/outer.m3u {words}"),
        ("all.m3u:3", f"{shelf}/outer.m3u {words}"),
    ]


def test_a_list_by_itself_may_be_as_long_as_it_is(put, monkeypatch):
    monkeypatch.setattr(gathering, "MOST_NESTED", 50)
    assert len(read(put("all.m3u", "one.flac\n" * 70)).entries) == 70
