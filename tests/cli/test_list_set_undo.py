"""``covermaker list``, ``set``, ``undo`` and ``redo``: what the studio does, by a command."""

import json
import os
import shutil

import numpy as np
import pytest
import soundfile

from covermaker.cli import main, output
from covermaker.errors import ExitCode, ResourceError
from covermaker.project.library import Trash
from covermaker.project.load import load
from covermaker.project.places import get, parse_place
from covermaker.render import record
from covermaker.render.pipeline import build


@pytest.fixture(autouse=True)
def commands(monkeypatch, tmp_path):
    for variable in ("CACHE", "STORE", "PROJECTS"):
        monkeypatch.setenv(f"COVERMAKER_{variable}", str(tmp_path / variable.lower()))


@pytest.fixture
def cover(new, tmp_path):
    assert new("--title", "Blue Harbour") == 0
    return tmp_path / "cover"


@pytest.fixture
def run(capsys):
    def call(*arguments):
        capsys.readouterr()
        code = main.run(list(arguments))
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return call


def test_set_undo_redo(cover, run):
    before = (cover / "cover.toml").read_text()
    assert run("set", "cover", "tracks.vocals.gain_db", "-2.5") == (0, "vocals gain 0.0 -> -2.5 dB", "")
    assert run("set", "cover", "title", "1999") == (0, "title Blue Harbour -> 1999", "")
    assert run("set", "cover", "export.formats", '["flac", "mp3"]')[:2] == (
        0,
        "export formats wav24 -> flac, mp3",
    )
    assert load(cover).cover.export.formats == ["flac", "mp3"]
    assert run("set", "cover", "tracks.vocals.gain_db", "--default")[1] == "vocals gain -2.5 -> 0.0 dB"
    _, text, _ = run("undo", "cover", "--list")
    assert [line.split("  ")[0] for line in text.splitlines()] == ["undo"] * 4
    for _ in range(4):
        assert run("undo", "cover")[0] == 0
    assert (cover / "cover.toml").read_text() == before
    assert run("undo", "cover") == (ExitCode.USAGE, "", "error: there is nothing to undo")
    assert run("redo", "cover")[1] == "redo: vocals gain 0.0 -> -2.5 dB"
    assert load(cover).cover.tracks[0].gain_db == -2.5


def test_json_of_edits(cover, run):
    code, text, _ = run("set", "cover", "tracks.vocals.mute", "true", "--json")
    assert (code, json.loads(text)) == (
        0,
        {"project": str(cover), "words": "vocals mute off -> on", "changed": True, "merged": []},
    )
    assert json.loads(run("set", "cover", "tracks.vocals.mute", "true", "--json")[1])["changed"] is False
    listed = json.loads(run("undo", "cover", "--list", "--json")[1])
    assert [row["words"] for row in listed["undo"]] == ["vocals mute off -> on"]
    assert listed["redo"] == []
    assert json.loads(run("undo", "cover", "--json")[1])["words"] == "undo: vocals mute off -> on"
    assert json.loads(run("redo", "cover", "--json")[1])["words"] == "redo: vocals mute off -> on"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("tracks.vocals.gain_db", "99"), 3, "tracks[0].gain_db = 99: must be less than or equal to 24"),
        (("tracks.vocals.gain_db", "loud"), 3, "a number is expected"),
        (("tracks.vocal.gain_db", "1"), 2, "did you mean 'vocals'?"),
        (("vocals.mute", "true"), 2, "'vocals' is a track\n       did you mean 'tracks.vocals.mute'?"),
        (("vocals.gain_db", "--default"), 2, "did you mean 'tracks.vocals.gain_db'?"),
        (("reverb.rack[0].wet_db", "-3"), 2, "did you mean 'buses.reverb.rack[0].wet_db'?"),
        (("tracks.vocals.gain_bd", "1"), 3, "did you mean 'gain_db'?"),
        (("tracks.vocals.rack[0].effect", "gaet"), 3, "did you mean 'gate'?"),
        (("convert.pitch", "fcp"), 3, "did you mean 'fcpe'?"),
        (("convert.transpose", "99"), 3, "convert.transpose = 99"),
        (("title",), 2, "give a value, or --default"),
        (("title", "x", "--default"), 2, "give a value, or --default"),
        (("title", "--default"), 3, "'title' is missing"),
        (("a b", "1"), 2, "is no place in a project"),
        (("tracks.vocals.gain_db", "250ms"), 2, "'250ms' has the wrong unit\n       write it in dB"),
        (("tracks.vocals.pan", "3 dB"), 2, "write the number alone"),
        (("tracks.vocals.rack.gate.attack_ms", "3 kHz"), 2, "write it in ms"),
        (("tracks.vocals.rack.99.attack_ms", "3"), 2, "the rack has no effect 99: it has "),
        (("tracks.vocals.mute", "maybe"), 3, "true or false is expected"),
        (("tracks.vocals.source", "converetd"), 3, "did you mean 'converted'?"),
        (("export.formats", "mp4"), 3, "did you mean 'mp3'?"),
        (("export", '{ formats = "mp3" }'), 3, 'as in ["wav24", "mp3"]'),
    ],
)
def test_refusals_change_nothing(cover, run, arguments, code, message):
    before = (cover / "cover.toml").read_text()
    found, out, error = run("set", "cover", *arguments)
    assert (found, out) == (code, "")
    assert message in error
    assert (cover / "cover.toml").read_text() == before


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ('"auto"', "auto"), ("off", "off"), ("1979-05-27", None), ('"x"\ny = 1', None)],
)
def test_values_as_people_write_them(cover, run, text, value):
    code, *_ = run("set", "cover", "convert.transpose", text)
    assert (code == 0) == (value is not None)
    assert value is None or load(cover).cover.convert.transpose == value


@pytest.mark.parametrize(
    ("place", "text", "value"),
    [
        ("tracks.vocals.gain_db", "-6dB", -6.0),
        ("tracks.vocals.gain_db", "-6 dB", -6.0),
        ("tracks.vocals.gain_db", "-5,5", -5.5),
        ("tracks.vocals.pan", "50 %", 0.5),
        ("tracks.vocals.mute", "yes", True),
        ("convert.repair_octaves", "off", False),
        ("convert.index_ratio", "30%", 0.3),
        ("convert.parts_crossfade_seconds", "20 ms", 0.02),
        ("stems.shifts", "2", 2),
        ("song.tempo_bpm", "96 bpm", 96.0),
        ("master.loudness_lufs", "-9 LUFS", -9.0),
        ("master.loudness_lufs", "off", "off"),
        ("master.true_peak_dbtp", "-2 dB", -2.0),
        ("title", "on", "on"),
        ("title", "250ms", "250ms"),
        ("convert.transpose", "off", "off"),
        ("export.formats", "mp3, flac", ["mp3", "flac"]),
        ("tracks.vocals.rack.2.bypass", "on", True),
        ("tracks.vocals.rack.high_pass.cutoff_hz", "0.2kHz", 200.0),
        ("tracks.vocals.rack.compressor.ratio", "4:1", 4.0),
        ("tracks.vocals.rack.compressor.release_ms", "0.3 s", 300.0),
        ("tracks.vocals.rack.compressor.mix", "40 %", 0.4),
        ("tracks.vocals.sends.reverb", "-20dB", -20.0),
    ],
)
def test_switches_in_words_and_numbers_with_their_unit(cover, run, place, text, value):
    assert run("set", "cover", place, text)[0] == 0
    values = load(cover).document.values
    found = get(values, parse_place(place, values))
    assert (found, type(found)) == (value, type(value))


def test_a_word_has_no_unit_in_what_is_said(cover, run):
    assert run("set", "cover", "master.loudness_lufs", "off")[1] == "master loudness -14.0 -> off"


def test_an_edit_by_hand_in_between_is_kept_and_asked_about(cover, run):
    run("set", "cover", "tracks.vocals.gain_db", "-2.5")
    file = cover / "cover.toml"
    file.write_text(file.read_text().replace("gain_db = -2.5", "gain_db = -9.0"))
    code, _, error = run("undo", "cover")
    assert code == ExitCode.PROJECT
    assert "vocals gain -2.5 -> -9.0 dB" in error
    assert run("undo", "cover", "--anyway")[0] == 0
    assert load(cover).cover.tracks[0].gain_db == 0.0


def test_presets_are_one_step_to_undo(cover, run, preset):
    before = (cover / "cover.toml").read_text()
    preset("racks", "mine", 'rack = [{ effect = "gain", gain_db = 1.0 }]\n')
    assert run("presets", "apply", "mine", "cover")[0] == 0
    assert run("undo", "cover")[1] == "undo: preset 'mine' on vocals, with its send to reverb"
    assert (cover / "cover.toml").read_text() == before


def test_list_shows_every_project_and_what_is_wrong(cover, run, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "cover.toml").write_text("x = = 1")
    code, text, _ = run("list", str(tmp_path))
    assert code == 0
    head, _, bad, good = text.splitlines()
    assert head.split() == [
        "folder", "title", "artist", "length", "key", "bpm", "loudness", "voice", "state", "why",
    ]  # fmt: skip
    assert "failed" in bad
    assert "is no TOML" in bad
    assert good.split() == ["cover", "Blue", "Harbour", "0:01", "demo", "new"]
    values = json.loads(run("list", str(tmp_path), "--json")[1])
    assert [(row["title"], row["state"]) for row in values] == [("bad", "failed"), ("Blue Harbour", "new")]
    assert values[1]["song"] == str(cover / "audio" / "song.wav")
    assert values[1]["facts"] is None
    assert json.loads(run("list", "cover", "--json")[1]) == values[1:]


@pytest.mark.parametrize(("columns", "left"), [(200, 10), (80, 6), (60, 4)])
def test_list_leaves_columns_out_where_there_is_no_room(cover, run, tmp_path, monkeypatch, columns, left):
    monkeypatch.setattr(output, "_terminal_width", lambda: columns)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "cover.toml").write_text("x = = 1")
    lines = run("list", str(tmp_path))[1].splitlines()
    assert max(map(len, lines)) <= columns
    heads = lines[0].split()
    assert (len(heads), heads[0], heads[-2:]) == (left, "folder", ["state", "why"])


def test_list_names_folders_as_a_shell_reads_them(cover, run, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("list", str(tmp_path))[1].splitlines()[2].startswith("~/cover ")


def test_list_says_why_a_song_is_stale_by_paths_and_for_people(cover, run):
    steps = record.describe(build(load(cover)).steps())
    (cover / "out").mkdir(exist_ok=True)
    (cover / "out" / "render.json").write_text(json.dumps({"steps": steps}))
    assert run("set", "cover", "tracks.vocals.gain_db", "-2.5")[0] == 0
    (row,) = json.loads(run("list", "cover", "--json")[1])
    lost = "its files are no longer in the store"
    assert row["reasons"] == [lost, "tracks[0].gain_db: 0.0 -> -2.5"]
    assert row["words"] == [lost, "vocals gain 0.0 -> -2.5 dB"]
    assert lost in run("list", "cover")[1]
    stale = {one["name"]: one["reasons"] for one in json.loads(run("why", "cover", "--json")[1])}
    assert stale["mix"][0] == "tracks[0].gain_db: 0.0 -> -2.5"


def test_list_measures_when_asked(cover, run):
    tone = 0.1 * np.sin(2 * np.pi * 440.0 * np.arange(8000 * 3) / 8000)
    soundfile.write(cover / "audio" / "song.wav", tone, 8000)
    _, text, words = run("list", "cover", "--measure", "--json")
    assert words == "listening to Blue Harbour …"
    facts = json.loads(text)[0]["facts"]
    assert facts["seconds"] == 3.0
    assert facts["key"].startswith("A ")
    assert run("list", "cover", "--measure")[2] == ""


def test_list_before_the_studio_was_started(run, tmp_path):
    code, out, error = run("list")
    assert (code, out) == (0, "")
    assert error.splitlines() == [
        f"no songs yet in {tmp_path / 'projects'}",
        "add one in the studio: covermaker",
        f"or here: covermaker new SONG --folder {tmp_path / 'projects' / 'NAME'}",
    ]
    assert run("list", "--json") == (0, "[]", "")


def test_list_of_nothing(run, tmp_path):
    (tmp_path / "projects").mkdir()
    assert run("list")[2].startswith(f"no songs yet in {tmp_path / 'projects'}")
    (tmp_path / "other").mkdir()
    assert run("list", str(tmp_path / "other"))[2].startswith(f"no projects in {tmp_path / 'other'}")
    assert run("list", "--json") == (0, "[]", "")
    code, _, error = run("list", str(tmp_path / "none"))
    assert code == ExitCode.USAGE
    assert "there is no folder" in error


def test_going_back_to_a_whole_state(cover, run):
    before = (cover / "cover.toml").read_text()
    assert run("undo", "cover", "--saved")[1] == "there is no earlier state"
    run("set", "cover", "tracks.vocals.gain_db", "-2.5")
    (state,) = json.loads(run("undo", "cover", "--saved", "--json")[1])
    assert (state["number"], state["words"]) == (1, "before: vocals gain 0.0 -> -2.5 dB")
    code, _, problem = run("undo", "cover", "--to", "2")
    assert (code, problem.splitlines()[0]) == (2, "error: there is no saved state 2: there are 1")
    (cover / "cover.toml").write_text("nonsense")
    assert run("undo", "cover")[0] == 3
    assert "as it was saved last" in run("undo", "cover", "--saved")[1]
    number = next(
        line.split()[0] for line in run("undo", "cover", "--saved")[1].splitlines() if "before:" in line
    )
    assert run("undo", "cover", "--to", number)[0] == 0
    assert (cover / "cover.toml").read_text() == before


def test_sections_are_set_and_told(cover, run):
    value = '[{ name = "verse", from_seconds = 0.0 }, { name = "chorus", from_seconds = 0.5 }]'
    assert run("set", "cover", "sections", value)[1] == "sections none -> verse, chorus"
    assert run("set", "cover", "sections[1].name", "bridge")[1] == "sections verse, chorus -> verse, bridge"
    code, _, problem = run("set", "cover", "sections[1].from_seconds", "0.0")
    assert code == 3
    assert "sections[1].from_seconds = 0 is where another section begins" in problem
    assert load(cover).cover.sections[1].name == "bridge"


def test_what_was_removed_is_told_with_the_way_back(cover, new, run, tmp_path, monkeypatch):
    library = tmp_path / "my songs"
    library.mkdir()
    for name in ("q1", "r2"):
        shutil.copytree(cover, library / name)
    assert run("remove", "my songs/q1", "my songs/../my songs/q1") == (
        0, "removed Blue Harbour; covermaker trash 'my songs' --restore q1", "",
    )  # fmt: skip
    assert run("trash", "my songs", "--restore", "q1")[0] == 0
    monkeypatch.setenv("COVERMAKER_PROJECTS", str(library))
    assert run("remove", "my songs/q1")[1].endswith("; covermaker trash --restore q1")
    assert run("trash", "--restore", "q1")[0] == 0
    plain = Trash.remove

    def full(self, folder, *, batch=""):
        if folder.name == "r2":
            raise ResourceError("the disk is full")
        return plain(self, folder, batch=batch)

    monkeypatch.setattr(Trash, "remove", full)
    code, text, problem = run("remove", "my songs/q1", "my songs/r2")
    assert (code, text) == (ExitCode.RESOURCE, "removed Blue Harbour; covermaker trash --restore q1")
    assert "the disk is full" in problem


def test_one_way_back_at_a_time(cover, run):
    run("set", "cover", "title", "Other")
    for options in (("--list",), ("--saved",), ("--anyway",), ("--saved", "--anyway")):
        code, text, problem = run("undo", "cover", "--to", "1", *options)
        named = " and ".join(sorted([*options, "--to"]))
        assert (code, text, f"choose one of {named}" in problem) == (ExitCode.USAGE, "", True)
    assert load(cover).cover.title == "Other"


def test_remove_and_restore(cover, run, tmp_path):
    assert run("trash", str(tmp_path))[1] == "the trash is empty"
    code, text, _ = run("remove", "cover")
    assert (code, text) == (0, "removed Blue Harbour; covermaker trash . --restore cover")
    assert not cover.exists()
    assert "Blue Harbour" in run("trash", str(tmp_path))[1]
    code, _, problem = run("trash", str(tmp_path), "--restore", "cove")
    assert (code, "did you mean 'cover'?" in problem) == (2, True)
    assert run("trash", str(tmp_path), "--restore", "cover")[1] == f"restored {cover}"
    assert load(cover).cover.title == "Blue Harbour"
    assert run("remove", "cover", "nothing")[0] == 3
    assert cover.exists()
    assert json.loads(run("remove", "cover", "--json")[1])[0]["name"] == "cover"
    assert run("trash", str(tmp_path), "--erase-all")[1] == "erased Blue Harbour"
    assert run("trash", str(tmp_path))[1] == "the trash is empty"


def test_a_project_called_all_is_erased_alone(cover, run, tmp_path):
    for name in ("all", "other"):
        shutil.copytree(cover, tmp_path / name)
    assert run("remove", "all", "other")[0] == 0
    for two in (("--erase", "all", "--erase-all"), ("--restore", "all", "--erase-all")):
        assert run("trash", str(tmp_path), *two)[0] == ExitCode.USAGE
    assert run("trash", str(tmp_path), "--erase", "all")[0] == 0
    left = json.loads(run("trash", str(tmp_path), "--json")[1])
    assert [one["name"] for one in left] == ["other"]
    assert run("trash", str(tmp_path), "--erase", "all")[0] == ExitCode.USAGE
    assert run("trash", str(tmp_path), "--erase-all")[0] == 0
    assert run("trash", str(tmp_path), "--erase-all")[1] == "the trash is empty"


@pytest.mark.skipif(os.name != "posix", reason="names of bytes")
def test_a_folder_whose_name_is_no_utf8_is_removed_and_comes_back(cover, run, tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    shutil.copytree(cover, odd)
    trash = Trash(tmp_path)
    trash.remove(odd)
    assert not odd.exists()
    assert trash.restore(trash.contents()[0]) == odd
    assert load(odd).cover.title == "Blue Harbour"


def test_a_project_that_lies_in_the_library_is_pointed_at(cover, run, tmp_path):
    library = tmp_path / "projects"
    shutil.copytree(cover, library / "demo")
    for arguments in (
        ("render", "demo"),
        ("status", "demo"),
        ("status", "demo/cover.toml"),
        ("remove", "demo"),
        ("set", "./demo", "title", "x"),
    ):
        code, _, error = run(*arguments)
        assert code == ExitCode.PROJECT
        assert f"did you mean '{library / 'demo'}'?" in error
    assert f"did you mean '{library / 'demo'}'?" in run("render", "demo", "nowhere")[1]
    assert "make one with: covermaker new SONG" in run("status", "nowhere")[2]


def test_list_says_when_no_voice_is_heard(cover, run):
    run("set", "cover", "tracks.vocals.mute", "true")
    (row,) = json.loads(run("list", ".", "--json")[1])
    assert row["unheard"] == "the voice is not heard: track 'vocals' is muted"
