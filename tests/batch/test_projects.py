"""A song's project: made once, changed only where something else is asked, what a person did is left."""

import json
from pathlib import Path

import pytest

from covermaker.batch.options import Options
from covermaker.batch.projects import asks_otherwise, folder_for, prepare
from covermaker.batch.rows import Song
from covermaker.effects.presets import load_preset, user_folder
from covermaker.errors import CovermakerError, ProjectError, UsageError
from covermaker.project.edits import SetValue, apply
from covermaker.project.load import load


@pytest.fixture
def song(make_song):
    place = make_song()
    return Song(1, 1.0, f"{place}#1", str(place), title="Blue Harbour", artist="Somebody")


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def prepared(song, out, options=None, more=None, **wishes):
    song.wishes = wishes
    song.project = song.project or str(folder_for(song.title or "tone", out, set()))
    for name, value in prepare(song, options or Options(), **more or {}).items():
        setattr(song, name, value)
    song.applied = json.loads(json.dumps(song.applied))  # as the queue keeps it
    return load(Path(song.project))


def test_a_new_project_starts_from_what_is_usual(song, out):
    project = prepared(song, out)
    assert project.root == out / "blue-harbour"
    assert (project.cover.title, project.cover.voice.name) == ("Blue Harbour", "demo")
    assert project.cover.song.file == song.place  # left where it is
    assert project.cover.tracks[0].rack == list(load_preset("racks", "natural").rack)


def test_a_song_may_be_copied(song, out):
    project = prepared(song, out, Options(copy=True))
    assert project.cover.song.file == "audio/tone.wav"
    assert (project.root / "audio" / "tone.wav").is_file()


def test_a_songs_own_wishes_win(song, out):
    options = Options(wishes={"transpose": "2", "loudness_lufs": -16.0})
    project = prepared(song, out, options, transpose="-3", preset="telephone", pitch="harvest")
    assert project.cover.convert.transpose == -3
    assert project.cover.convert.pitch == "harvest"
    assert project.cover.master.loudness_lufs == -16.0
    assert project.cover.tracks[0].rack == list(load_preset("racks", "telephone").rack)


def test_a_loudness_of_its_own_outlives_another_master(song, out):
    prepared(song, out, loudness_lufs=-18.0)
    project = prepared(song, out, loudness_lufs=-18.0, master="cd")
    assert project.cover.master.loudness_lufs == -18.0


def test_asked_the_same_nothing_is_written(song, out):
    file = prepared(song, out, transpose="1").file
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    prepared(song, out, transpose="1")
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_another_preset_changes_the_rack_and_leaves_what_a_person_did(song, out):
    project = prepared(song, out)
    apply(project, SetValue("tracks.instrumental.gain_db", -3.0))
    project = prepared(song, out, preset="rock")
    assert project.cover.tracks[1].gain_db == -3.0
    assert project.cover.tracks[0].rack == list(load_preset("racks", "rock").rack)


def test_a_preset_whose_file_changed_is_another_wish(song, out):
    mine = user_folder() / "racks" / "mine.toml"
    mine.parent.mkdir(parents=True, exist_ok=True)
    text = 'schema = 1\ndescription = "d"\nrack = [{{ effect = "gain", gain_db = {} }}]\n'
    mine.write_text(text.format("1.0"))
    assert prepared(song, out, preset="mine").cover.tracks[0].rack[0]["gain_db"] == 1.0
    mine.write_text(text.format("2.0"))
    assert prepared(song, out, preset="mine").cover.tracks[0].rack[0]["gain_db"] == 2.0


def test_a_project_of_ones_own_is_left_as_it_is(song, out, make_song):
    kept = prepared(song, out)
    text = kept.file.read_text()
    mine = Song(2, 2.0, "x", str(kept.root), kept=True, project=str(kept.root))
    prepare(mine, Options(wishes={"preset": "rock", "voice": "nobody"}))
    assert kept.file.read_text() == text
    mine.wishes = {"transpose": "5"}
    assert prepare(mine, Options())["applied"]["wishes"] == {"transpose": "5"}
    assert load(kept.root).cover.convert.transpose == 5


def template(tmp_path, song, out):
    place = tmp_path / "house.toml"
    other = Song(9, 9.0, "y", song.place, title="T")
    text = prepared(other, tmp_path / "elsewhere").file.read_text()
    place.write_text("# our house sound\n" + text.replace('transpose = "auto"', "transpose = 7"))
    return place


def test_a_template_is_copied_with_its_comments(song, out, tmp_path):
    options = Options(template=str(template(tmp_path, song, out)))
    project = prepared(song, out, options, preset="rock")
    assert project.file.read_text().startswith("# our house sound\n")
    assert (project.cover.title, project.cover.song.artist) == ("Blue Harbour", "Somebody")
    assert project.cover.song.file == song.place
    assert project.cover.convert.transpose == 7
    assert project.cover.tracks[0].rack == list(load_preset("racks", "rock").rack)


def test_a_template_that_changed_is_taken_anew_unless_somebody_edited(song, out, tmp_path):
    place = template(tmp_path, song, out)
    options = Options(template=str(place))
    prepared(song, out, options)
    place.write_text(place.read_text().replace("transpose = 7", "transpose = 4"))
    project = prepared(song, out, options)
    assert project.cover.convert.transpose == 4
    apply(project, SetValue("title", "Mine"))
    place.write_text(place.read_text().replace("transpose = 4", "transpose = 1"))
    with pytest.raises(ProjectError, match="changed by hand") as caught:
        prepared(song, out, options)
    assert "remove its folder" in caught.value.hint


def test_what_a_template_names_beside_it_comes_along(song, out, tmp_path, make_song):
    place = template(tmp_path, song, out)
    (tmp_path / "hall.wav").write_bytes(make_song("hall.wav", seconds=0.2).read_bytes())
    row = '{ effect = "convolution", impulse = "hall.wav" },'
    place.write_text(place.read_text().replace("rack = [\n", f"rack = [\n    {row}\n", 1))
    project = prepared(song, out, Options(template=str(place)))
    assert (project.root / "hall.wav").is_file()


@pytest.mark.parametrize(
    ("wishes", "error", "words"),
    [
        ({"preset": "natrual"}, UsageError, "natrual"),
        ({"voice": "nobody"}, CovermakerError, "nobody"),
        ({"separator": "scissors"}, UsageError, "scissors"),
        ({"pitch": "ears"}, CovermakerError, "ears"),
    ],
)
def test_what_is_not_there_is_refused_and_leaves_nothing(song, out, wishes, error, words):
    with pytest.raises(error, match=words):
        prepared(song, out, **wishes)
    assert list(out.iterdir()) == []


def test_a_song_that_is_no_audio_is_refused(out, tmp_path):
    (tmp_path / "x.wav").write_text("no audio")
    with pytest.raises(CovermakerError, match=r"x\.wav"):
        prepared(Song(1, 1.0, "x", str(tmp_path / "x.wav"), title="x"), out)
    assert list(out.iterdir()) == []
    place = tmp_path / "t.toml"
    place.write_text('schema = 1\ntitle = "t"\n[song]\nfile = "x.wav"\n')
    with pytest.raises(CovermakerError, match=r"x\.wav"):
        prepared(Song(1, 1.0, "x", str(tmp_path / "x.wav"), title="x"), out, Options(template=str(place)))
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("title", "taken", "name"),
    [
        ("Blue Harbour", set(), "blue-harbour"),
        ("Blue Harbour", {"blue-harbour", "blue-harbour-2"}, "blue-harbour-3"),
        ("AUX", set(), "aux-song"),
        ("com1", set(), "com1-song"),
        ('a<b>:"/\\|?*c. ', set(), "a-b-c"),
        ("...", set(), "cover"),
        ("Дом", set(), "дом"),
    ],
)
def test_a_folder_has_a_name_that_every_system_can_hold(out, title, taken, name):
    assert folder_for(title, out, taken) == out / name


def test_a_folder_of_somebody_else_is_left_alone(out):
    (out / "blue-harbour").mkdir()
    assert folder_for("Blue Harbour", out, set()) == out / "blue-harbour-2"


def test_a_song_of_an_album_has_its_level_and_loses_it_with_the_album(song, out):
    assert prepared(song, out, more={"level": -17.23}).cover.master.loudness_lufs == -17.23
    assert prepared(song, out).cover.master.loudness_lufs == load_preset("masters", "streaming").loudness_lufs


def test_a_wish_that_is_taken_back_is_gone(song, out):
    prepared(song, out, loudness_lufs=-20.0, transpose="3")
    cover = prepared(song, out).cover
    assert (cover.convert.transpose, cover.master.loudness_lufs) == ("auto", -14.0)


def test_a_wish_on_top_of_a_template_that_is_taken_back_is_as_the_template_says(song, out, tmp_path):
    options = Options(template=str(template(tmp_path, song, out)))
    assert prepared(song, out, options, transpose="1").cover.convert.transpose == 1
    assert prepared(song, out, options).cover.convert.transpose == 7
    assert prepared(song, out, Options()).cover.convert.transpose == "auto"  # without the template


def test_an_album_and_a_template_that_changed_get_along(song, out, tmp_path):
    place = template(tmp_path, song, out)
    options = Options(template=str(place))
    prepared(song, out, options, more={"level": -17.0})
    place.write_text(place.read_text().replace("transpose = 7", "transpose = 4"))
    project = prepared(song, out, options, more={"level": -17.0})
    assert (project.cover.convert.transpose, project.cover.master.loudness_lufs) == (4, -17.0)


def test_what_was_edited_stays_edited_however_often_the_batch_runs(song, out, tmp_path):
    place = template(tmp_path, song, out)
    options = Options(template=str(place))
    apply(prepared(song, out, options), SetValue("title", "Mine"))
    assert prepared(song, out, options).cover.title == "Mine"
    place.write_text(place.read_text().replace("transpose = 7", "transpose = 4"))
    with pytest.raises(ProjectError, match="changed by hand"):
        prepared(song, out, options)


def test_a_template_does_not_bring_its_own_song(song, out, tmp_path, make_song):
    place = template(tmp_path, song, out)
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "tone.wav").write_bytes(make_song("other.wav", hertz=880.0).read_bytes())
    place.write_text(place.read_text().replace(f'file = "{song.place}"', 'file = "audio/tone.wav"'))
    copied = prepared(song, out, Options(template=str(place), copy=True))
    assert (copied.root / "audio" / "tone.wav").read_bytes() == Path(song.place).read_bytes()
    again = Song(2, 2.0, "z", song.place, title="Again")
    assert not (prepared(again, out, Options(template=str(place))).root / "audio").exists()


def test_title_and_artist_of_the_list_are_written_and_follow_it(song, out):
    project = prepared(song, out)
    assert (project.cover.title, project.cover.song.artist) == ("Blue Harbour", "Somebody")
    song.title, song.artist = "Red Harbour", "Else"
    project = prepared(song, out)
    assert (project.cover.title, project.cover.song.artist) == ("Red Harbour", "Else")
    apply(project, SetValue("title", "Mine"))
    assert prepared(song, out).cover.title == "Mine"


def test_a_copy_follows_a_song_that_was_replaced(song, out, make_song):
    options = Options(copy=True)
    project = prepared(song, out, options)
    make_song(hertz=440.0)
    prepared(song, out, options)
    assert (project.root / "audio" / "tone.wav").read_bytes() == Path(song.place).read_bytes()


def test_a_project_that_was_half_made_when_the_batch_was_killed_is_made_whole(song, out):
    song.project = str(out / "blue-harbour")
    (out / "blue-harbour" / "audio").mkdir(parents=True)
    (out / "blue-harbour" / "audio" / "tone.wav").touch()
    assert prepared(song, out).root == out / "blue-harbour"
    assert not (out / "blue-harbour" / "audio").exists()


def test_what_is_asked_otherwise_is_known_before_it_is_written(song, out, tmp_path):
    prepared(song, out)
    assert not asks_otherwise(song, Options())
    assert asks_otherwise(song, Options(wishes={"preset": "rock"}))
    song.wishes = {"transpose": "1"}
    assert asks_otherwise(song, Options())
    song.wishes = {}
    assert asks_otherwise(song, Options(template=str(template(tmp_path, song, out))))
