"""Places by their names, differences between two documents, and both in words."""

import tomllib

import pytest
from laid_out import DOCUMENT

from covermaker.documents.complaint import dotted
from covermaker.errors import UsageError
from covermaker.project.places import ABSENT, Change, difference, effect_part, get, overlap, parse_place, real
from covermaker.project.words import say, say_all, written

VALUES = tomllib.loads(DOCUMENT)


@pytest.mark.parametrize(
    ("text", "place", "path"),
    [
        ("title", ("title",), ("title",)),
        ("tracks.vocals.gain_db", ("tracks", "vocals", "gain_db"), ("tracks", 0, "gain_db")),
        ("tracks[1].pan", ("tracks", "instrumental", "pan"), ("tracks", 1, "pan")),
        (
            "tracks.vocals.rack[2].ratio",
            ("tracks", "vocals", "rack", 2, "ratio"),
            ("tracks", 0, "rack", 2, "ratio"),
        ),
        ("tracks.vocals.rack.eq.band1_hz", ("tracks", "vocals", "rack", 1, "band1_hz"), None),
        ("buses.reverb.rack.reverb.dry_db", ("buses", "reverb", "rack", 0, "dry_db"), None),
        ('stems.files."my stem"', ("stems", "files", "my stem"), None),
        ("stems.files.'a.b'", ("stems", "files", "a.b"), None),
        ("convert.parts[0].voice", ("convert", "parts", 0, "voice"), None),
        # Behind a dot counted from 1, as people see them.
        ("tracks.vocals.rack.3.ratio", ("tracks", "vocals", "rack", 2, "ratio"), None),
        ("buses.reverb.rack.1", ("buses", "reverb", "rack", 0), None),
    ],
)
def test_places_are_read(text, place, path):
    assert parse_place(text, VALUES) == place
    assert path is None or real(place, VALUES) == path


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("tracks.vocal.gain_db", "no track 'vocal'", "did you mean 'vocals'?"),
        ("buses.hall.gain_db", "no bus 'hall'", "known: reverb"),
        ("tracks[2].gain_db", "no tracks[2]: it has 2, counted from 0", None),
        ("tracks.vocals.rack.comp.ratio", "the rack has no 'comp'", "did you mean 'compressor'?"),
        ("tracks.vocals.rack.9.ratio", "the rack has no effect 9: it has 3", None),
        ("tracks.vocals.rack.0.ratio", "the rack has no effect 0: it has 3", None),
        ("a..b", "is no place", "as in"),
        (".a", "is no place", "as in"),
        ("a b", "is no place", "as in"),
        ("", "is no place", "as in"),
        ('a."\\x"', "is no quoted name", None),
    ],
)
def test_places_that_are_not_there(text, message, hint):
    with pytest.raises(UsageError, match=message.replace("[", r"\[")) as caught:
        parse_place(text, VALUES)
    assert hint is None or (caught.value.hint or "").startswith(hint)


PLUGGED = {
    "master": {
        "rack": [
            {"effect": "gain"},
            {"effect": "vst3", "plugin": "ZamCompX2"},
            {"effect": "vst3", "plugin": "Room 2"},
            {"effect": "vst3", "plugin": "Room 2"},
        ]
    }
}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("master.rack.ZamCompX2.threshold_db", (1, "parameters", "threshold_db")),
        ("master.rack.2.parameters.threshold_db", (1, "parameters", "threshold_db")),
        ("master.rack[1].threshold_db", (1, "parameters", "threshold_db")),
        ("master.rack.ZamCompX2.plugin", (1, "plugin")),
        ("master.rack.2.bypass", (1, "bypass")),
        ("master.rack.gain.threshold_db", (0, "threshold_db")),
    ],
)
def test_a_plugin_goes_by_its_name_and_its_parameters_by_theirs(text, place):
    assert parse_place(text, PLUGGED) == ("master", "rack", *place)


def test_two_plugins_of_one_name_are_told_apart_by_their_numbers():
    with pytest.raises(UsageError, match="2 effects called 'Room 2'") as caught:
        parse_place('master.rack."Room 2".size', PLUGGED)
    assert caught.value.hint == "say which by its number: rack.3"
    with pytest.raises(UsageError, match="3 effects called 'vst3'"):
        parse_place("master.rack.vst3.size", PLUGGED)
    rows = PLUGGED["master"]["rack"]
    written = [effect_part(rows, index) for index in range(4)]
    assert written == ["gain", "ZamCompX2", "3", "4"]
    for index, part in enumerate(written):
        assert parse_place(f"master.rack.{part}.bypass", PLUGGED) == ("master", "rack", index, "bypass")
    quoted = effect_part(rows[:3], 2)
    assert parse_place(f"master.rack.{quoted}.size", {"master": {"rack": rows[:3]}})[2] == 2


def test_a_track_may_be_called_rack():
    values = {"tracks": [{"name": "rack", "gain_db": 1.0}]}
    assert parse_place("tracks.rack.gain_db", values) == ("tracks", "rack", "gain_db")


def test_two_effects_of_one_name_are_told_apart():
    values = {"master": {"rack": [{"effect": "eq"}, {"effect": "gain"}, {"effect": "eq"}]}}
    with pytest.raises(UsageError, match="2 effects called 'eq'"):
        parse_place("master.rack.eq.band1_hz", values)
    change = Change(("master", "rack", 2, "band1_hz"), 100.0, 200.0)
    assert say(change, values, {}) == "master eq 3 band1 100.0 -> 200.0 Hz"


def test_a_track_keeps_its_place_when_others_move():
    other = {**VALUES, "tracks": [{"name": "new"}, *VALUES["tracks"][::-1]]}
    assert real(("tracks", "vocals", "gain_db"), other) == ("tracks", 2, "gain_db")
    changes = difference(VALUES, other)
    assert [(change.place, change.index) for change in changes] == [
        (("tracks", "new"), 0),
        (("tracks", "[]"), None),
    ]
    assert difference(VALUES, VALUES) == []


def test_tracks_of_one_name_go_by_their_numbers():
    twice = {"tracks": [{"name": "a", "pan": 0.0}, {"name": "a", "pan": 0.0}]}
    other = {"tracks": [{"name": "a", "pan": 0.0}, {"name": "a", "pan": 1.0}]}
    assert [change.place for change in difference(twice, other)] == [("tracks", 1, "pan")]
    assert get(twice, parse_place("tracks[1].pan", twice)) == 0.0


def test_racks_are_compared_effect_by_effect_or_whole():
    one = {"master": {"rack": [{"effect": "eq", "a": 1.0}, {"effect": "gain"}]}}
    same = {"master": {"rack": [{"effect": "eq", "a": 2.0}, {"effect": "gain"}]}}
    fewer = {"master": {"rack": [{"effect": "gain"}]}}
    assert [change.place for change in difference(one, same)] == [("master", "rack", 0, "a")]
    assert [change.place for change in difference(one, fewer)] == [("master", "rack")]
    assert say_all(difference(one, fewer), fewer, {}) == "master rack 2 effects -> 1 effect"


def test_overlap_is_within_either_way():
    assert overlap(("tracks", "a"), ("tracks", "a", "pan"))
    assert overlap(("tracks", "a", "pan"), ("tracks", "a"))
    assert not overlap(("tracks", "a", "pan"), ("tracks", "a", "gain_db"))
    assert dotted(("tracks", "a", "rack", 2, "ratio")) == "tracks.a.rack[2].ratio"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(("tracks", "vocals", "gain_db"), -3.0, -2.5), "vocals gain -3.0 -> -2.5 dB"),
        (Change(("tracks", "vocals", "mute"), ABSENT, True), "vocals mute off -> on"),
        (
            Change(("tracks", "vocals", "sends", "reverb"), -16.0, -12.0),
            "vocals send to reverb -16.0 -> -12.0 dB",
        ),
        (Change(("tracks", "vocals", "rack", 2, "ratio"), 3.0, 4.0), "vocals compressor ratio 3.0 -> 4.0"),
        (Change(("tracks", "vocals", "rack", 0, "bypass"), ABSENT, True), "vocals gate bypass off -> on"),
        (
            Change(("tracks", "vocals", "rack", 2, "attack_ms"), ABSENT, 4.0),
            "vocals compressor attack set to 4.0 ms",
        ),
        (Change(("tracks", "vocals", "rack_lufs"), -18.0, "off"), "vocals rack level -18.0 -> off"),
        (Change(("tracks", "choir"), ABSENT, {}), "added track choir"),
        (Change(("buses", "reverb"), {}, ABSENT), "removed bus reverb"),
        (Change(("tracks", "[]"), [], []), "tracks in another order"),
        (Change(("master", "true_peak_dbtp"), -1.0, -2.0), "master true peak -1.0 -> -2.0 dBTP"),
        (Change(("convert", "transpose"), "auto", 2), "convert transpose auto -> 2"),
        (Change(("convert", "parts", 0, "voice"), "anna", "ben"), "convert parts 1 voice anna -> ben"),
        (Change(("export", "formats"), ["wav24"], ["wav24", "mp3"]), "export formats wav24 -> wav24, mp3"),
        (Change(("mix", "tail"), "full", ABSENT), "mix tail full -> its default"),
        (Change(("title",), "a\nb", "é" * 99), "title a b -> " + "é" * 37 + "..."),
    ],
)
def test_changes_in_words(change, words):
    defaults = {"tracks": [{"name": "vocals", "mute": False}]}
    assert say(change, VALUES, defaults) == words


def test_values_in_words():
    assert [written(value) for value in (True, 3, 3.0, 0.1 + 0.2, 1e-12, None, "", [], {"a": 1.0})] == [
        "on", "3", "3.0", "0.3", "1e-12", "none", '""', "none", "a 1.0",
    ]  # fmt: skip
