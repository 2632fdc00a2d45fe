"""Changes are told in the words of the document; no step is run."""

from __future__ import annotations

import json

import pytest

from covermaker.effects.automation import Automation, Move
from covermaker.effects.rack import parse_rack, rack_params
from covermaker.graph.run import PlannedStep
from covermaker.graph.step import Outside, Step
from covermaker.mix.strips import Strip
from covermaker.project.document import Cover
from covermaker.project.load import parse
from covermaker.render import changes, record

GATE = {"effect": "gate", "threshold_db": -50.0}
EQ = {"effect": "eq", "band1_db": -1.0}


def document(**tables):
    rack = [{"effect": "high_pass", "bypass": True}, GATE, EQ]
    rows = [{"name": "guitar", "source": "other"}, {"name": "vocals", "source": "converted", "rack": rack}]
    bus = {"name": "reverb", "rack": [{"effect": "delay", "bypass": True}, {"effect": "reverb"}]}
    group = {"name": "music", "rack": [{"effect": "gate", "bypass": True}, {"effect": "compressor"}]}
    values = {
        "schema": 1, "title": "t", "song": {"file": "a.wav"}, "tracks": rows, "groups": [group], "buses": [bus],
        **tables,
    }  # fmt: skip
    return parse(as_toml(values))


def as_toml(values):
    import tomlkit

    return tomlkit.dumps(values)


def step(kind, params, name=None):
    return Step(name or kind, kind, 1, params, {}, lambda work: {})


def rack(*rows, moves=()):
    return rack_params(parse_rack(rows, where="rack"), moves)


def strips(*, first=None, second=None, group=None, bus=None, **more):
    """Return the parameters of a mix whose strips are set like this."""
    made = [
        Strip(name="track 0", **(first or {})),
        Strip(name="track 1", **(second or {})),
        Strip(name="music", kind="group", **(group or {})),
        Strip(name="reverb", kind="bus", **(bus or {})),
    ]
    return {"strips": [strip.params() for strip in made], "tail": "song", "cut": [False, False], **more}


def told(kind, before, after, name=None, **tables):
    both = changes.told(step(kind, after, name), json.loads(json.dumps(before)), document(**tables))
    return [line for line, _ in both]


def test_an_effect_is_counted_as_in_the_document_bypassed_ones_too():
    lines = told(
        "rack", {"rack": rack(GATE, {**EQ, "band1_db": 2.0})}, {"rack": rack(GATE, EQ)}, "rack: vocals"
    )
    assert lines == ["tracks[1].rack[2].band1_db: 2.0 -> -1.0 (eq)"]


def test_people_are_told_it_as_the_edit_was_said():
    both = changes.told(step("mix", strips(second={"gain_db": 1.0})), strips(), document())
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
    before, after = (strips(first={"gain_db": db}, second={"gain_db": db}) for db in (0.0, 1.0))
    assert verdict_on("mix", before, after).words == (
        "guitar gain 0.0 -> 1.0 dB",
        "vocals gain 0.0 -> 1.0 dB",
    )


def test_the_document_is_written_out_once_for_all_changes(monkeypatch):
    asked = []
    dump = Cover.model_dump
    monkeypatch.setattr(Cover, "model_dump", lambda self, **named: asked.append(1) or dump(self, **named))
    before, after = (
        strips(first={"gain_db": v, "pan": v}, second={"gain_db": v, "pan": v}) for v in (0.0, 0.5)
    )
    assert len(told("mix", before, after)) == 4
    assert asked == [1]


def test_every_changed_parameter_has_a_line():
    before = {"rack": rack({**GATE, "ratio": 9.0, "threshold_db": -20.0}), "rack_lufs": "off"}
    lines = told("rack", before, {"rack": rack(GATE), "rack_lufs": -18.0}, "rack: vocals")
    assert len(lines) == 3
    assert 'tracks[1].rack_lufs: "off" -> -18.0' in lines
    assert not any(".values" in line for line in lines)


@pytest.mark.parametrize(
    ("tags", "lines"),
    [({}, ["song.tempo_bpm: 90.0 -> 100.0"]), ({"bpm": 100.0}, ["tags.bpm: 90.0 -> 100.0"])],
)
def test_the_tempo_in_the_tags_is_told_by_where_it_is_written(tags, lines):
    song = {"file": "a.wav", "tempo_bpm": 100.0}
    before, after = ({"tags": {"title": "t", "bpm": bpm}} for bpm in ("90", "100"))
    assert told("export", before, after, song=song, tags=tags) == lines


def test_files_that_come_and_go(tmp_path):
    for name in ("loud.wav", "louder.wav"):
        (tmp_path / name).write_text(name)

    def reasons(before, after):
        steps = [
            Step(
                "master",
                "master",
                1,
                {"match_amount": 1.0} if file else {},
                {"reference": Outside(tmp_path / file)} if file else {},
                lambda work: {},
            )
            for file in (before, after)
        ]
        (old,) = record.describe(steps[:1])
        plan = [PlannedStep(steps[1], cached=False, needed=True)]
        return record.compare(plan, {"master": old}, document())[0].reasons

    assert reasons(None, "loud.wav") == ("master.match: not set -> loud.wav",)
    assert reasons("loud.wav", "louder.wav") == ("louder.wav changed",)
    assert reasons("loud.wav", None) == ("master.match: a file -> not set",)


def test_effects_that_come_and_go_are_named():
    lines = told("rack", {"rack": rack(EQ)}, {"rack": rack(GATE, EQ)}, "rack: vocals")
    assert lines == ["tracks[1].rack: eq -> gate, eq"]


def test_the_rack_of_a_bus_and_the_send_of_a_track():
    def mix(room, sends):
        row = {"sends": sends}
        effects = parse_rack(
            [{"effect": "delay", "bypass": True}, {"effect": "reverb", "room_size": room}], where=""
        )
        return strips(first=row, second=row, bus={"rack": effects})

    assert told("mix", mix(0.2, {}), mix(0.4, {"reverb": -18.0})) == [
        "tracks[0].sends.reverb: not set -> -18.0",
        "tracks[1].sends.reverb: not set -> -18.0",
        "buses[0].rack[1].room_size: 0.2 -> 0.4 (reverb)",
    ]


def test_groups_are_told_by_their_place():
    def group(db, ratio):
        rows = [{"effect": "gate", "bypass": True}, {"effect": "compressor", "ratio": ratio}]
        return {"gain_db": db, "rack": parse_rack(rows, where="")}

    lines = told(
        "mix", strips(group=group(0.0, 2.0)), strips(group=group(-3.0, 4.0), first={"group": "music"})
    )
    assert lines == [
        'tracks[0].group: "" -> "music"',
        "groups[0].gain_db: 0.0 -> -3.0",
        "groups[0].rack[1].ratio: 2.0 -> 4.0 (compressor)",
    ]
    without = strips()
    del without["strips"][2]
    assert changes.told(step("mix", strips()), without, document()) == [
        ("groups: [] -> music", "added group music")
    ]
    more = strips()
    more["strips"].insert(0, Strip(name="track 2").params())
    both = changes.told(step("mix", more), strips(), document())
    assert both == [("tracks: 2 of them -> 3 of them", "tracks 2 -> 3")]


def test_a_record_of_an_older_desk_is_told_in_one_line():
    assert told("mix", {"tracks": [], "buses": []}, strips()) == ["Covermaker's 'mix' changed"]


def test_what_moves_is_told_by_its_target():
    def lane(*points, shape="linear"):
        return Automation(points, shape)

    gain = {"moves": {"gain_db": lane((0.0, -6.0), (2.0, 0.0)), "sends.reverb": lane((0.0, -9.0))}}
    assert told("mix", strips(), strips(second=gain)) == [
        "automation of tracks.vocals.gain_db: new",
        "automation of tracks.vocals.sends.reverb: new",
    ]
    other = {"moves": {"gain_db": lane((0.0, -6.0), (2.0, 3.0), shape="smooth")}}
    assert told("mix", strips(second=gain), strips(second=other)) == [
        "automation of tracks.vocals.gain_db changed",
        "automation of tracks.vocals.sends.reverb: not set",
    ]
    ratio, off = Move(1, "ratio", lane((0.0, 2.0))), Move(0, "bypass", lane((0.0, 1.0), shape="hold"))
    rows = parse_rack([{"effect": "gate", "bypass": True}, {"effect": "compressor"}], where="")
    before = strips(group={"rack": rows})
    assert told("mix", before, strips(group={"rack": rows, "rack_moves": [ratio]})) == [
        "automation of groups.music.rack.compressor.ratio: new"
    ]
    lanes = [{"target": "groups.music.rack.gate.bypass", "points": [[0.0, True]]}]
    one, other = (strips(group={"rack": rows, "rack_moves": [off, *more]}) for more in ([], [ratio]))
    assert told("mix", one, other, automation=lanes) == [
        "automation of groups.music.rack.compressor.ratio: new"
    ]


def test_what_moves_in_a_rack_of_a_track():
    moves = [Move(1, "threshold_db", Automation(((0.0, -40.0),)))]
    rows = ({"effect": "high_pass", "bypass": True}, GATE, EQ)
    after = {"rack": rack(*rows, moves=moves), "begins": None, "keys": []}
    lines = told("rack", {"rack": rack(*rows)}, after, "rack: vocals")
    assert lines == ["automation of tracks.vocals.rack.gate.threshold_db: new"]
    comp = {"effect": "compressor", "sidechain": "guitar"}
    before = {"rack": rack({"effect": "compressor"})}
    vocals = {"name": "vocals", "source": "converted", "rack": [comp]}
    after = {"rack": rack(comp), "begins": None, "keys": [{"cut": False, "rack_lufs": -18.0}]}
    lines = told("rack", before, after, "rack: vocals", tracks=[vocals])
    assert lines == ["tracks[0].rack[0].sidechain: it listens to another channel now"]


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
        ("mix", {"tempo_bpm": 90.0}, {"tempo_bpm": 91.0}, "song.tempo_bpm: 90.0 -> 91.0"),
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


@pytest.mark.parametrize(
    ("kind", "before", "after", "line"),
    [
        ("pitch", {"method": "fcpe"}, {"method": "pm"}, 'convert.pitch: "fcpe" -> "pm"'),
        ("separate", {"separator": "A"}, {"separator": "B"}, 'stems.separator is "spleeter" now'),
    ],
)
def test_another_method_is_the_change_of_whoever_chose_it(kind, before, after, line):
    assert told(kind, {**before, "version": [2, 1]}, {**after, "version": [1, 1]}) == [line]
    (ours,) = told(kind, {**after, "version": [2, 1]}, {**after, "version": [1, 1]})
    assert ours == f"Covermaker's '{kind}' changed (version [2, 1] -> [1, 1])"
