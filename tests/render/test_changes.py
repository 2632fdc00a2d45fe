"""Changes are told in the words of the document; no step is run."""

from __future__ import annotations

import json

import pytest

from covermaker.effects.rack import parse_rack, rack_params
from covermaker.graph.run import PlannedStep
from covermaker.graph.step import Step
from covermaker.project.document import Cover
from covermaker.project.load import parse
from covermaker.render import changes, record

GATE = {"effect": "gate", "threshold_db": -50.0}
EQ = {"effect": "eq", "band1_db": -1.0}


def document(**tables):
    rack = [{"effect": "high_pass", "bypass": True}, GATE, EQ]
    rows = [{"name": "guitar", "source": "other"}, {"name": "vocals", "source": "converted", "rack": rack}]
    bus = {"name": "reverb", "rack": [{"effect": "delay", "bypass": True}, {"effect": "reverb"}]}
    values = {"schema": 1, "title": "t", "song": {"file": "a.wav"}, "tracks": rows, "buses": [bus], **tables}
    return parse(as_toml(values))


def as_toml(values):
    import tomlkit

    return tomlkit.dumps(values)


def step(kind, params, name=None):
    return Step(name or kind, kind, 1, params, {}, lambda work: {})


def rack(*rows):
    return rack_params(parse_rack(rows, where="rack"))


def told(kind, before, after, name=None, **tables):
    both = changes.told(step(kind, after, name), json.loads(json.dumps(before)), document(**tables))
    return [line for line, _ in both]


def test_an_effect_is_counted_as_in_the_document_bypassed_ones_too():
    lines = told(
        "rack", {"rack": rack(GATE, {**EQ, "band1_db": 2.0})}, {"rack": rack(GATE, EQ)}, "rack: vocals"
    )
    assert lines == ["tracks[1].rack[2].band1_db: 2.0 -> -1.0 (eq)"]


def test_people_are_told_it_as_the_edit_was_said():
    mix = {"tracks": [{"gain_db": 0.0}, {"gain_db": 1.0}], "buses": []}
    before = {"tracks": [{"gain_db": 0.0}, {"gain_db": 0.0}], "buses": []}
    both = changes.told(step("mix", mix), before, document())
    assert both == [("tracks[1].gain_db: 0.0 -> 1.0", "vocals gain 0.0 -> 1.0 dB")]
    both = changes.told(
        step("rack", {"rack": rack(GATE, EQ)}, "rack: vocals"), {"rack": rack(EQ)}, document()
    )
    assert [words for _, words in both] == ["vocals rack eq -> gate, eq"]


def verdict_on(kind, before, after):
    new = step(kind, after)
    old = {"key": "another", "params": before, "version": 1, "weights": {}, "inputs": {}}
    (found,) = record.compare([PlannedStep(new, cached=False, needed=True)], {new.name: old}, document())
    return found


def test_what_two_parameters_say_is_told_once():
    before, after = {"name": "a", "tags": {"title": "a"}}, {"name": "b", "tags": {"title": "b"}}
    assert verdict_on("export", before, after).reasons == ('title: "a" -> "b"',)
    assert verdict_on("export", before, after).words == ("title a -> b",)
    before, after = (
        {"tracks": [{"gain_db": db}, {"gain_db": db}], "buses": [], "tail": "song"} for db in (0.0, 1.0)
    )
    assert verdict_on("mix", before, after).words == (
        "guitar gain 0.0 -> 1.0 dB",
        "vocals gain 0.0 -> 1.0 dB",
    )


def test_the_document_is_written_out_once_for_all_changes(monkeypatch):
    asked = []
    dump = Cover.model_dump
    monkeypatch.setattr(Cover, "model_dump", lambda self, **named: asked.append(1) or dump(self, **named))
    before, after = ({"tracks": [{"gain_db": db, "pan": db}] * 2, "buses": []} for db in (0.0, 0.5))
    assert len(told("mix", before, after)) == 4
    assert asked == [1]


def test_every_changed_parameter_has_a_line():
    before = {"rack": rack({**GATE, "ratio": 9.0, "threshold_db": -20.0}), "rack_lufs": "off"}
    lines = told("rack", before, {"rack": rack(GATE), "rack_lufs": -18.0}, "rack: vocals")
    assert len(lines) == 3
    assert 'tracks[1].rack_lufs: "off" -> -18.0' in lines
    assert not any(".values" in line for line in lines)


def test_effects_that_come_and_go_are_named():
    lines = told("rack", {"rack": rack(EQ)}, {"rack": rack(GATE, EQ)}, "rack: vocals")
    assert lines == ["tracks[1].rack: eq -> gate, eq"]


def test_the_rack_of_a_bus_and_the_send_of_a_track():
    def mix(room, sends):
        row = {"gain_db": 0.0, "sends": sends, "cut": bool(sends)}
        bus = {"name": "reverb", "rack": rack({"effect": "reverb", "room_size": room})}
        return {"tracks": [row, row], "buses": [bus], "tail": "song", "region": None}

    assert told("mix", mix(0.2, {}), mix(0.4, {"reverb": -18.0})) == [
        "tracks[0].sends.reverb: not set -> -18.0",
        "tracks[1].sends.reverb: not set -> -18.0",
        "buses[0].rack[1].room_size: 0.2 -> 0.4 (reverb)",
    ]


@pytest.mark.parametrize(
    ("kind", "before", "after", "line"),
    [
        ("convert", {"transpose": "auto"}, {"transpose": 3}, 'convert.transpose: "auto" -> 3'),
        ("convert", {}, {"singers": {"a": 0.5}}, 'convert.singers: not set -> {"a": 0.5}'),
        ("convert", {"version": 3}, {"version": 4}, "Covermaker's 'convert' changed (version 3 -> 4)"),
        ("pitch", {"method": "fcpe"}, {"method": "crepe"}, 'convert.pitch: "fcpe" -> "crepe"'),
        ("pitch", {}, {"smooth_frames": 5}, "convert.smooth_frames: not set -> 5"),
        ("separate", {"separator": "A"}, {"separator": "B"}, 'stems.separator is "spleeter" now'),
        ("separate", {"shifts": 0}, {"shifts": 2}, "stems.shifts: 0 -> 2"),
        ("master", {"loudness_lufs": -14.0}, {"loudness_lufs": -9.0}, "master.loudness_lufs: -14.0 -> -9.0"),
        ("mix", {"tail": "song"}, {"tail": "full"}, 'mix.tail: "song" -> "full"'),
        ("export", {"formats": ["wav24"]}, {"formats": ["flac"]}, 'export.formats: ["wav24"] -> ["flac"]'),
        ("export", {"tags": {"title": "a"}}, {"tags": {"title": "b"}}, 'title: "a" -> "b"'),
        ("stems", {"converted_tags": {"original_artist": "a"}}, {"converted_tags": {"original_artist": "b"}},
         'song.artist: "a" -> "b"'),
        ("singers", {"crossfade_seconds": 0.1}, {"crossfade_seconds": 1}, "convert.parts_crossfade_seconds: 0.1 -> 1"),
        ("train", {"takes": "0a"}, {"takes": "0b"}, "voice.train.takes: recordings, labels or cuts changed"),
        ("train", {"first_draw": 1}, {"first_draw": 2}, "voice.train.seed: 1 -> 2"),
        ("score", {"pitch": "fcpe"}, {"pitch": "pm"}, 'convert.pitch: "fcpe" -> "pm"'),
    ],
)  # fmt: skip
def test_parameters_have_the_names_of_the_document(kind, before, after, line):
    assert told(kind, before, after) == [line]


def test_a_new_version_of_an_effect_is_ours():
    before = rack(GATE)
    before[0]["version"] = 0
    assert told("rack", {"rack": before}, {"rack": rack(GATE)}, "rack: vocals")[0].startswith(
        "Covermaker's 'gate' changed (version 0 -> "
    )


def test_nothing_changed():
    assert told("convert", {"transpose": 3, "region": None}, {"transpose": 3, "region": [0, 1]}) == []
