"""A person's own presets as files, and presets as edits of a project: words, round trips, refusals with their place."""

import pytest

from covermaker.effects.preset_edits import (
    changes_of,
    differences,
    distance,
    edit_of,
    effect_words,
    missing_buses,
    preset_words,
    rack_differences,
    settings_of,
    sung_tracks,
    taken,
    value_words,
)
from covermaker.effects.preset_files import (
    check_name,
    copy_preset,
    entry_of,
    free_name,
    remove_preset,
    rename_preset,
    restore_preset,
    trashed,
    write_preset,
)
from covermaker.effects.presets import KINDS, Preset, list_presets, load_preset
from covermaker.effects.rack import parse_rack
from covermaker.effects.voice_settings import KEPT, OF_A_SONG, default, keys, whole
from covermaker.errors import ProjectError, UsageError
from covermaker.project.document import Convert, PitchCorrection
from covermaker.project.edits import apply
from covermaker.project.history import undo
from covermaker.project.load import load

COVER = """schema = 1
title = "Blue"
[song]
file = "song.wav"
[convert]
transpose = 3        # as she sings it
protect = 0.2
[convert.pitch_correction]
scale = "G major"
guide = "melody.mid"
[[tracks]]
name = "band"
source = "instrumental"
[[tracks]]
name = "vocals"
source = "converted"
sends = { reverb = -18.0 }
rack = [{ effect = "gate", threshold_db = -44.0 }, { effect = "gain" }]
[[buses]]
name = "reverb"
rack = [{ effect = "reverb", room_size = 0.3 }]
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_PRESETS", str(tmp_path / "mine"))


@pytest.fixture
def song(tmp_path):
    (tmp_path / "blue").mkdir()
    (tmp_path / "blue" / "cover.toml").write_text(COVER, encoding="utf-8")
    return load(tmp_path / "blue")


def own(folder, kind, name, text):
    path = folder / "mine" / kind / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# Voice settings


def test_voice_settings_cover_every_key_of_a_conversion():
    named = {key for key in Convert.model_fields if key != "pitch_correction"}
    named |= {f"pitch_correction.{key}" for key in PitchCorrection.model_fields}
    assert set(keys()) == named - OF_A_SONG
    assert named >= KEPT
    assert default("protect") == 0.33
    assert default("pitch_correction.retune_ms") == 200.0
    assert set(whole({})) == set(keys()) - KEPT
    assert whole({"transpose": 2})["transpose"] == 2


def test_shipped_voice_settings_are_few_words_and_say_something():
    for entry in list_presets("voices"):
        assert entry.problem is None
        preset = load_preset("voices", entry.name)
        assert preset.description.endswith(".")
        assert (whole(preset.convert) == whole({})) == (entry.name == "straight")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[convert]\nprotekt = 0.1",
            r"bad\.toml:3: unknown key 'convert\.protekt' \(did you mean 'protect'\?\)",
        ),
        (
            "[convert]\nprotect = 2.0",
            r"bad\.toml:3: convert\.protect = 2\.0: must be less than or equal to 0\.5",
        ),
        ("", r"bad\.toml: 'convert' is missing"),
        ("convert = 3", r"bad\.toml:2: convert = 3: a table is expected"),
        ("[convert]\nparts = []", r"bad\.toml:3: convert\.parts belongs to one song"),
        ("[convert]\nsingers = { a = 1.0 }", r"bad\.toml:3: convert\.singers belongs to one song"),
        (
            '[convert.pitch_correction]\nguide = "x"',
            r"bad\.toml:3: convert\.pitch_correction\.guide belongs to",
        ),
        ("rack = []\n[convert]", r"bad\.toml:2: rack is unknown"),
    ],
)
def test_bad_voice_settings_are_refused_at_their_line(tmp_path, text, said):
    own(tmp_path, "voices", "bad", 'description = "x"\n' + text)
    with pytest.raises(ProjectError, match=said):
        load_preset("voices", "bad")
    assert entry_of("voices", "bad").problem


# Into a project


def test_voice_settings_leave_no_trace_of_the_last_ones_but_what_is_the_song_s(song):
    done = apply(song, edit_of(load_preset("voices", "in-tune"), song, "vocals"))
    assert done.words == "preset 'in-tune' on the voice"
    convert = done.project.cover.convert
    assert (convert.transpose, convert.protect, convert.smooth_frames) == (3, 0.33, 3)
    assert (convert.pitch_correction.strength, convert.pitch_correction.scale) == (0.7, "G major")
    assert convert.pitch_correction.guide == "melody.mid"
    assert "# as she sings it" in done.project.document.text
    again = apply(done.project, edit_of(load_preset("voices", "straight"), done.project, "vocals"))
    assert again.project.cover.convert.pitch_correction.strength == 0.0
    undo(undo(again.project).project)
    assert (song.root / "cover.toml").read_text() == COVER


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_applied_is_what_the_song_has(song, kind):
    for entry in list_presets(kind):
        preset = load_preset(kind, entry.name)
        if preset.made_for == "buses":
            continue
        done = apply(load(song.root), edit_of(preset, song, "vocals"))
        mine = taken(done.project, kind, "vocals", "x", "")
        assert settings_of(mine) == settings_of(preset)
        assert distance(settings_of(mine), settings_of(preset)) == 0
        assert differences(preset, done.project, "vocals") == []


def test_differences_in_words(song, tmp_path):
    own(
        tmp_path, "racks", "a",
        'description = "x"\nrack = [{ effect = "high_pass" }, { effect = "gate", bypass = true, ratio = 4.0 }]\n'
        "sends = { delay = -9.0, room = -3.0 }\n"
        'buses = { delay = [{ effect = "delay" }], reverb = [{ effect = "reverb" }] }',
    )  # fmt: skip
    preset = load_preset("racks", "a")
    words = [f"{line.sign} {line.words}" for line in differences(preset, song, "vocals")]
    assert "+ 1 high_pass: its defaults" in words
    assert "- 2 gain" in words
    assert "+ send to delay -9 dB" in words
    assert "- send to reverb" in words
    assert "+ bus delay: delay" in words
    assert "~ bus reverb: 1 reverb: room size 0.3 -> 0.4" in words
    assert missing_buses(preset, song) == ["room"]
    assert set(changes_of(preset, song, "vocals")) == {"tracks", "buses"}
    with pytest.raises(UsageError, match=r"no track 'vocal' \(did you mean 'vocals'\?\)"):
        differences(preset, song, "vocal")


def test_effects_that_moved_are_taken_away_and_added():
    before = [{"effect": "gate"}, {"effect": "eq"}]
    after = [{"effect": "eq"}, {"effect": "gate"}]
    signs = [line.sign for line in rack_differences(before, after)]
    assert sorted(signs) == ["+", "-"]
    assert rack_differences(before, before) == []


def test_masters_say_their_levels(song):
    words = [line.words for line in differences(load_preset("masters", "cd"), song, "vocals")]
    assert "master loudness -14.0 -> -9.0 LUFS" in words
    assert preset_words(load_preset("masters", "cd"))[:2] == ["loudness -9 LUFS", "true peak -1 dBTP"]
    off = apply(song, edit_of(load_preset("masters", "cd"), song, "vocals")).project
    (song.root / "cover.toml").write_text(
        off.document.text.replace("loudness_lufs = -9.0", 'loudness_lufs = "off"')
    )
    with pytest.raises(UsageError, match="no loudness to reach"):
        taken(load(song.root), "masters", "vocals", "x", "")


def test_voice_settings_say_their_units_as_an_edit_does(tmp_path):
    own(
        tmp_path, "voices", "mine",
        'description = "x"\n[convert]\nsmooth_frames = 5\ntranspose = -2\nprotect = 0.4\n'
        "[convert.pitch_correction]\nstrength = 0.5\na4_hz = 442.0\nretune_ms = 120.0\n",
    )  # fmt: skip
    lines = preset_words(load_preset("voices", "mine"))
    for line in (
        "smooth 5 frames", "transpose -2", "protect 0.4", "pitch correction strength 0.5",
        "pitch correction a4 442.0 Hz", "pitch correction retune 120.0 ms",
    ):  # fmt: skip
        assert line in lines
    own(tmp_path, "voices", "auto", 'description = "x"\n[convert.pitch_correction]\na4_hz = "auto"\n')
    assert "pitch correction a4 auto" in preset_words(load_preset("voices", "auto"))


def test_a_slope_is_said_once_with_its_unit(tmp_path):
    own(tmp_path, "racks", "steep", 'description = "x"\nrack = [{ effect = "high_pass", slope_db = 24.0 }]\n')
    assert preset_words(load_preset("racks", "steep")) == ["1 high_pass: slope 24 dB/oct"]


def test_a_preset_is_compared_with_what_a_document_leaves_out(song):
    lines = [line.words for line in differences(load_preset("voices", "in-tune"), song, "vocals")]
    assert "convert pitch correction strength 0.0 -> 0.7" in lines
    assert not any("guide" in line or "transpose" in line for line in lines)


def test_sung_tracks_come_first(song):
    assert sung_tracks(song.cover) == ["vocals", "band"]


# Files


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_song_has_becomes_a_file_and_comes_back(song, kind):
    preset = taken(song, kind, "vocals", "mine", "Sounds like the song.")
    written = write_preset(preset)
    assert written.path.name == "mine.toml"
    assert settings_of(load_preset(kind, "mine")) == settings_of(preset)
    assert (written.sends, written.buses) == (preset.sends, preset.buses)
    with pytest.raises(UsageError, match="already"):
        write_preset(preset)


def test_an_update_keeps_comments_and_drops_what_is_no_more(song, tmp_path):
    file = own(
        tmp_path, "racks", "mine",
        '# Why it is so.\ndescription = "x"\nrack = []\n[sends]\nreverb = -1.0 # wet\nold = -2.0\n',
    )  # fmt: skip
    write_preset(taken(song, "racks", "vocals", "mine", "x"), replace=True)
    text = file.read_text()
    assert text.startswith("# Why it is so.\n")
    assert "reverb = -18.0 # wet" in text
    assert "old = " not in text
    assert "room_size = 0.3" in text


def test_copies_names_trash_and_back(tmp_path):
    copied = copy_preset("racks", "pop-lead", "lead")
    assert copied.path.read_text().startswith("# Levels assume")
    assert 'name = "lead"' in copied.path.read_text()
    assert free_name("racks", "lead") == "lead-2"
    with pytest.raises(UsageError, match="already"):
        copy_preset("racks", "rock", "lead")
    assert rename_preset("racks", "lead", "other").name == "other"
    assert entry_of("racks", "lead") is None
    own(tmp_path, "racks", "broken", "rack = [")
    for name in ("other", "broken"):
        removed = remove_preset("racks", name)
        assert entry_of("racks", name) is None
        assert [one.name for one in trashed("racks")] == [name]
        restore_preset(removed)
        assert entry_of("racks", name) is not None
        with pytest.raises(UsageError, match="already"):
            restore_preset(removed)
    removed = remove_preset("racks", "other")
    removed.file.unlink()
    with pytest.raises(UsageError, match="no longer in the trash"):
        restore_preset(removed)


@pytest.mark.parametrize("data", [b'name = "bad"\ndescription = "\xff"\n', b"description = \n"])
def test_a_damaged_one_keeps_its_name(tmp_path, data):
    file = own(tmp_path, "racks", "bad", "")
    file.write_bytes(data)
    with pytest.raises(ProjectError, match=r"bad\.toml"):
        rename_preset("racks", "bad", "good")
    assert [one.name for one in file.parent.iterdir()] == ["bad.toml"]


def test_an_edited_shipped_one_hides_it_until_it_is_removed():
    copy_preset("racks", "rock", "rock")
    entry = entry_of("racks", "rock")
    assert (entry.shipped, entry.hides) == (False, True)
    remove_preset("racks", "rock")
    assert entry_of("racks", "rock").shipped


@pytest.mark.parametrize("act", [remove_preset, lambda kind, name: rename_preset(kind, name, "x")])
def test_shipped_presets_stay(act):
    with pytest.raises(UsageError, match="is not changed"):
        act("racks", "rock")
    with pytest.raises(UsageError, match="unknown rack preset 'rokc'"):
        act("racks", "rokc")


@pytest.mark.parametrize("name", ["", "../x", "a b", ".x", "-x", "x" * 49, "a/b"])
def test_names_that_are_none(name):
    with pytest.raises(UsageError, match="is no name for a preset"):
        check_name(name)
    assert check_name("Ärger_2.b-c") == "Ärger_2.b-c"


VOICE = """description = "x"
[convert]
protect = 0.1 # breath
smooth_frames = 3 # old
[convert.pitch_correction]
strength = 0.5 # mine
retune_ms = 90.0 # slow
"""


def test_an_update_of_voice_settings_keeps_the_comments_of_deeper_tables(tmp_path):
    file = own(tmp_path, "voices", "mine", VOICE)
    convert = {"protect": 0.2, "pitch_correction": {"strength": 0.7}}
    written = write_preset(Preset("voices", "mine", "x", file, convert=convert), replace=True)
    assert written.convert == convert
    text = file.read_text()
    assert "protect = 0.2 # breath\n" in text
    assert "strength = 0.7 # mine\n" in text
    assert "[convert.pitch_correction]" in text
    assert "smooth_frames" not in text
    assert "retune_ms" not in text


@pytest.mark.parametrize("convert", [{}, {"protect": 0.2}, {"pitch_correction": {"strength": 0.7}}])
@pytest.mark.parametrize("text", [VOICE, 'description = "x"\nconvert = { protect = 0.1 }\n', None])
def test_voice_settings_are_what_was_written(tmp_path, convert, text):
    file = tmp_path / "mine" / "voices" / "mine.toml"
    if text is not None:
        own(tmp_path, "voices", "mine", text)
    written = write_preset(Preset("voices", "mine", "x", file, convert=convert), replace=True)
    assert whole(written.convert) == whole(convert)


@pytest.mark.parametrize("key", ["'name'", '"name"', "name ", "  name", '"na\\u006de"'])
def test_a_name_is_found_however_its_key_is_written(tmp_path, key):
    own(tmp_path, "racks", "q", f"description = 'x'\n{key} = 'q' # of the file\nrack = []\n")
    renamed = rename_preset("racks", "q", "r")
    assert renamed.name == "r"
    assert entry_of("racks", "q") is None
    assert load_preset("racks", "r") == renamed
    assert "# of the file" in renamed.path.read_text()
    assert copy_preset("racks", "r", "s").name == "s"


def test_a_text_that_looks_like_a_name_is_none(tmp_path):
    own(tmp_path, "racks", "q", 'description = """x\nname = 1"""\nrack = []\n')
    assert rename_preset("racks", "q", "r").description == "x\nname = 1"
    assert "'r'" not in load_preset("racks", "r").path.read_text()


def test_what_cannot_be_read_under_its_new_name_stays_under_the_old_one(tmp_path, monkeypatch):
    file = own(tmp_path, "racks", "q", "name = 'q'\ndescription = 'x'\nrack = []\n")
    monkeypatch.setattr("covermaker.project.splice.put", lambda text, path, value: text)
    with pytest.raises(ProjectError, match="must be 'r'"):
        rename_preset("racks", "q", "r")
    assert [one.name for one in file.parent.iterdir()] == ["q.toml"]
    assert load_preset("racks", "q").name == "q"


def test_the_values_of_an_effect_in_words():
    gate, gain = parse_rack(
        [{"effect": "gate", "bypass": True, "ratio": 7.0}, {"effect": "gain", "bypass": True}], where="rack"
    )
    assert len(value_words(gate)) == 1
    assert effect_words(gate) == f"gate: off, {value_words(gate)[0]}"
    assert (value_words(gain), effect_words(gain)) == ([], "gain: off")
