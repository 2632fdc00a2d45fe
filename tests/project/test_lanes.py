"""Automation follows what it moves."""

import pytest

from covermaker.errors import UsageError
from covermaker.project.edits import (
    AddEffect,
    AddGroup,
    AddTrack,
    MoveEffect,
    RemoveBus,
    RemoveEffect,
    RemoveGroup,
    RemoveTrack,
    ResetValue,
    SetRack,
    SetSend,
    SetValue,
    _with_lanes,
    apply,
)
from covermaker.project.lanes import RemoveLane, SetLane, SetNow, SetPoint, lane_of, pointed, unpointed
from covermaker.project.load import load
from covermaker.project.operations import on_values

V = "tracks.vocals"
GAIN = {"effect": "gain"}
RACK = [{"effect": "gate"}, {"effect": "eq"}, {"effect": "gate"}, {"effect": "compressor"}]
VALUES = {
    "tracks": [
        {
            "name": "band",
            "source": "instrumental",
            "group": "music",
            "rack": [{"effect": "eq", "sidechain": "vocals"}],
        },
        {
            "name": "vocals",
            "source": "converted",
            "sends": {"room": -9.0},
            "pre_fader": ["room"],
            "rack": RACK,
        },
    ],
    "groups": [{"name": "music"}],
    "buses": [{"name": "room"}],
}


def after(edit, *targets):
    lanes = [{"target": target, "points": [[0.0, 0.0]]} for target in targets]
    values = {**VALUES, "automation": lanes}
    changed = on_values(values, _with_lanes(edit, values))
    return [lane["target"] for lane in changed.get("automation", [])]


@pytest.mark.parametrize(
    ("edit", "before", "then"),
    [
        (AddEffect(V, GAIN, 0), f"{V}.rack[2].hold_ms", f"{V}.rack[3].hold_ms"),
        (AddEffect(V, GAIN, 0), f"{V}.rack.eq.band1_db", f"{V}.rack.eq.band1_db"),
        (AddEffect(V, GAIN), f"{V}.rack[2].hold_ms", f"{V}.rack[2].hold_ms"),
        (RemoveEffect(V, 0), f"{V}.rack[2].hold_ms", f"{V}.rack.gate.hold_ms"),
        (RemoveEffect(V, 2), f"{V}.rack[2].hold_ms", None),
        (MoveEffect(V, 0, 3), f"{V}.rack[0].hold_ms", f"{V}.rack[3].hold_ms"),
        (MoveEffect(V, 3, 1), f"{V}.rack[2].hold_ms", f"{V}.rack[3].hold_ms"),
        (SetRack("vocals", [{"effect": "eq"}]), f"{V}.rack.eq.band1_db", f"{V}.rack.eq.band1_db"),
        (SetRack("vocals", [{"effect": "eq"}]), f"{V}.rack.compressor.ratio", None),
        (SetRack("vocals", [], {}), "tracks.vocals.sends.room", None),
        (RemoveTrack("band"), "tracks[1].gain_db", "tracks.vocals.gain_db"),
        (RemoveTrack("band"), "tracks.vocals.gain_db", "tracks.vocals.gain_db"),
        (RemoveTrack("vocals"), "tracks.vocals.gain_db", None),
        (AddTrack({"name": "choir", "source": "x"}, 0), "tracks[1].pan", "tracks.vocals.pan"),
        (RemoveBus("room"), "tracks.vocals.sends.room", None),
        (SetValue("buses.room.name", "hall"), "tracks.vocals.sends.room", "tracks.vocals.sends.hall"),
        (SetValue("tracks.vocals.name", "lead"), f"{V}.rack.eq.band1_db", "tracks.lead.rack.eq.band1_db"),
        (SetValue("tracks.vocals.gain_db", -3.0), "tracks.vocals.gain_db", "tracks.vocals.gain_db"),
        (ResetValue("tracks.vocals.pre_fader"), "tracks.vocals.gain_db", "tracks.vocals.gain_db"),
        (ResetValue("tracks.vocals.sends.room"), "tracks.vocals.sends.room", None),
        (RemoveGroup("music"), "groups.music.gain_db", None),
    ],
)  # fmt: skip
def test_a_lane_follows_what_it_moves(edit, before, then):
    found = after(edit, before)
    assert found == ([] if then is None else [then])


def test_who_names_a_channel_follows_its_name():
    renamed = on_values(VALUES, _with_lanes(SetValue("tracks.vocals.name", "lead"), VALUES))
    assert renamed["tracks"][0]["rack"][0]["sidechain"] == "lead"
    renamed = on_values(VALUES, _with_lanes(SetValue("groups.music.name", "band2"), VALUES))
    assert renamed["tracks"][0]["group"] == "band2"
    renamed = on_values(VALUES, _with_lanes(SetValue("buses.room.name", "hall"), VALUES))
    assert renamed["tracks"][1]["sends"] == {"hall": -9.0}
    assert renamed["tracks"][1]["pre_fader"] == ["hall"]


def test_who_names_a_channel_lets_it_go():
    gone = on_values(VALUES, _with_lanes(RemoveTrack("vocals"), VALUES))
    assert gone["tracks"][0]["rack"] == [{"effect": "eq"}]
    gone = on_values(VALUES, _with_lanes(RemoveGroup("music"), VALUES))
    assert "group" not in gone["tracks"][0]
    gone = on_values(VALUES, _with_lanes(RemoveBus("room"), VALUES))
    assert gone["tracks"][1]["sends"] == {}
    assert gone["tracks"][1]["pre_fader"] == []


def test_a_group_is_made_of_tracks():
    made = on_values(VALUES, _with_lanes(AddGroup({"name": "all"}, ("band", "vocals")), VALUES))
    assert [track["group"] for track in made["tracks"]] == ["all", "all"]
    with pytest.raises(UsageError, match="'band' is the name of a track"):
        AddGroup({"name": "band"}).operations(VALUES)


def test_lanes_are_set_and_removed():
    edit = SetLane("tracks.vocals.gain_db", [(0.0, -6.0), ("0:30", 0.0)], "smooth")
    made = on_values(VALUES, _with_lanes(edit, VALUES))
    assert made["automation"] == [
        {"target": "tracks.vocals.gain_db", "points": [[0.0, -6.0], ["0:30", 0.0]], "shape": "smooth"}
    ]
    again = SetLane("tracks[1].gain_db", [(0.0, 1.0)])
    made = on_values(made, _with_lanes(again, made))
    assert made["automation"] == [{"target": "tracks[1].gain_db", "points": [[0.0, 1.0]]}]
    removed = on_values(made, _with_lanes(RemoveLane("tracks.vocals.gain_db"), made))
    assert removed["automation"] == []
    with pytest.raises(UsageError, match=r"nothing moves at 'tracks\.vocals\.pan'"):
        RemoveLane("tracks.vocals.pan").operations(made)


TEXT = """schema = 1
title = "Song"
[song]
file = "song.wav"
[[tracks]] # who sings
name = "vocals"
source = "converted"
[[tracks]]
name = "band"
source = "instrumental"
[[automation]] # the swell
target = "tracks.vocals.gain_db"
points = [
    [0.0, -6.0], # quiet at first
    ["0:30", 0.0],
]
[master] # loud
"""
SWELL = "tracks.vocals.gain_db"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "cover.toml").write_text(TEXT)
    return load(tmp_path)


@pytest.mark.parametrize(
    ("points", "shape", "before", "then"),
    [
        ([(0.0, -6.0), (12.5, -3.0), (30.0, 0.0)], "linear", '    ["0:30"', '    [12.5, -3.0],\n    ["0:30"'),
        ([(0.0, -9.0), ("0:30", 0.0)], "linear", "[0.0, -6.0]", "[0.0, -9.0]"),
        ([(0.0, -6.0)], "linear", '    ["0:30", 0.0],\n', ""),
        ([(0.0, -6.0), ("0:30", 0.0)], "hold", "]\n[master]", ']\nshape = "hold"\n[master]'),
        ([(0.0, -6.0), (30.0, 0.0), (31.0, 1.0)], "linear", "0.0],\n]", "0.0],\n    [31.0, 1.0],\n]"),
    ],
)
def test_a_lane_is_changed_point_by_point_and_keeps_its_comments(project, points, shape, before, then):
    done = apply(project, SetLane(SWELL, points, shape))
    assert done.words == f"automation of {SWELL}: {len(points)} point{'s' * (len(points) > 1)}"
    assert done.project.document.text == TEXT.replace(before, then)


def test_all_points_of_a_lane_can_be_others(project):
    done = apply(project, SetLane(SWELL, [(1.0, -1.0)]))
    assert "points = [\n    [1.0, -1.0],\n]\n" in done.project.document.text


def test_lanes_and_groups_come_and_go_in_the_text(project):
    done = apply(project, AddGroup({"name": "music"}, ("band",)))
    assert done.words == "added group music of band"
    done = apply(done.project, SetLane("groups.music.mute", [(0.0, True), (3.0, False)], "hold"))
    assert done.project.cover.automation[1].points == [(0.0, True), (3.0, False)]
    done = apply(done.project, SetLane("groups.music.mute", [(0.0, True), (4.0, False)], "hold"))
    assert '[[0.0, true], [4.0, false]]\nshape = "hold"' in done.project.document.text
    done = apply(done.project, RemoveLane(SWELL))
    assert "swell" not in done.project.document.text
    done = apply(done.project, RemoveGroup("music"))
    assert done.words == "removed group music"
    assert "automation" not in done.project.document.text
    assert "# who sings" in done.project.document.text


def test_points_stand_in_the_order_of_time():
    points = [[0.0, -6.0], ["0:30", 0.0]]
    assert pointed(points, 12.0, -3.0) == [[0.0, -6.0], [12.0, -3.0], ["0:30", 0.0]]
    assert pointed(points, 30.04, 1.0, within_seconds=0.05) == [[0.0, -6.0], [30.04, 1.0]]
    assert unpointed(points, 30.0) == [[0.0, -6.0]]


def test_a_point_begins_to_move_what_did_not(project):
    done = apply(project, SetPoint("tracks.vocals.pan", 12.5, -0.2))
    assert done.words == "vocals pan is -0.2 at 0:12, and moves"
    assert done.project.cover.automation[1].points == [(12.5, -0.2)]
    assert lane_of(done.project.document.values, "tracks[0].pan")["target"] == "tracks.vocals.pan"
    assert lane_of(done.project.document.values, "tracks.band.pan") is None


def test_a_value_of_now_is_a_point_where_it_moves_and_the_value_where_not(project):
    done = apply(project, SetNow(SWELL, -3.0, 12.0))
    assert done.words == "vocals gain is -3.0 dB at 0:12, and moves"
    assert "    [12.0, -3.0],\n" in done.project.document.text
    done = apply(done.project, SetNow("tracks.band.gain_db", -3.0, 12.0))
    assert done.words == "band gain 0.0 -> -3.0 dB"
    done = apply(done.project, SetNow("tracks.band.gain_db", None, 12.0))
    assert "-3.0 -> 0.0" in done.words
    assert not apply(done.project, SetNow("tracks.band.gain_db", None, 12.0)).changed


SENT = {
    "tracks": [
        {"name": "a", "source": "x", "sends": {"room": -9.0, "hall": -9.0}, "pre_fader": ["room", "hall"]}
    ],
    "buses": [{"name": "room"}, {"name": "hall"}],
}


@pytest.mark.parametrize(
    ("edit", "sends", "early"),
    [
        (SetSend("tracks.a", "room", -6.0), {"room": -6.0, "hall": -9.0}, ["room", "hall"]),
        (SetSend("tracks.a", "room", -6.0, pre=False), {"room": -6.0, "hall": -9.0}, ["hall"]),
        (SetSend("tracks.a", "room", None), {"hall": -9.0}, ["hall"]),
        (SetNow("tracks.a.sends.room", None, 1.0), {"hall": -9.0}, ["hall"]),
    ],
)
def test_a_send_takes_what_is_said_of_it_along(edit, sends, early):
    track = on_values(SENT, edit.operations(SENT))["tracks"][0]
    assert (track["sends"], track["pre_fader"]) == (sends, early)


def test_a_last_send_before_the_fader_leaves_no_list_behind():
    values = on_values(SENT, SetSend("tracks.a", "room", None).operations(SENT))
    values = on_values(values, SetSend("tracks.a", "hall", None).operations(values))
    assert values["tracks"][0] == {"name": "a", "source": "x", "sends": {}}
    values = on_values(values, SetSend("tracks.a", "hall", -3.0, pre=True).operations(values))
    assert values["tracks"][0]["pre_fader"] == ["hall"]


def test_lanes_of_equal_effects_stay_with_their_own():
    rack = [{"effect": "eq"}, {"effect": "compressor"}, {"effect": "eq"}]
    lanes = [{"target": f"{V}.rack[{index}].band1_db", "points": [[0.0, 0.0]]} for index in (0, 2)]
    values = {"tracks": [{"name": "vocals", "source": "converted", "rack": rack}], "automation": lanes}
    edit = SetRack("vocals", [{"effect": "eq"}, {"effect": "gate"}, {"effect": "gain"}, {"effect": "eq"}])
    changed = on_values(values, _with_lanes(edit, values))
    assert [lane["target"] for lane in changed["automation"]] == [
        f"{V}.rack[0].band1_db",
        f"{V}.rack[3].band1_db",
    ]
    edit = SetRack("vocals", [{"effect": "eq"}])
    changed = on_values(values, _with_lanes(edit, values))
    assert [lane["target"] for lane in changed["automation"]] == [f"{V}.rack[0].band1_db"]


def test_a_send_that_goes_is_before_no_fader_either():
    changed = on_values(VALUES, _with_lanes(SetRack("vocals", [], {}), VALUES))
    assert "pre_fader" not in changed["tracks"][1]
    changed = on_values(VALUES, _with_lanes(ResetValue("tracks.vocals.sends.room"), VALUES))
    assert "pre_fader" not in changed["tracks"][1]


@pytest.mark.parametrize(("table", "name"), [("groups", "group"), ("tracks", "sidechain")])
def test_a_channel_may_be_called_as_a_key_is(table, name):
    values = {
        "tracks": [
            {"name": "sidechain", "source": "x", "group": "group"},
            {"name": "b", "source": "x", "rack": [{"effect": "gate", "sidechain": "sidechain"}]},
        ],
        "groups": [{"name": "group"}],
    }
    changed = on_values(values, _with_lanes(SetValue(f"{table}.{name}.name", "other"), values))
    if table == "groups":
        assert changed["tracks"][0]["group"] == "other"
    else:
        assert changed["tracks"][1]["rack"][0]["sidechain"] == "other"
