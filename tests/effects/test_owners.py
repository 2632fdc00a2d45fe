"""Whose rack it is, what turns its effects on and off, and which preset it began with."""

from pathlib import Path

import pytest

from covermaker.effects.owners import (
    Owner,
    bypasses,
    closest,
    fitting,
    lines_beside,
    owner_called,
    owners,
    preset_edit,
    preset_value,
    rack_of_preset,
    rows_of,
    saved_preset,
    switch_all_edit,
    switch_edit,
)
from covermaker.effects.presets import Preset, list_presets
from covermaker.errors import UsageError
from covermaker.project.edits import apply
from covermaker.project.load import load
from covermaker.project.operations import on_values

DOCUMENT = """schema = 1
title = "Song"
[song]
file = "song.wav"
[voice]
name = "demo"
[[tracks]]
name = "vocals"
source = "converted"
rack = [{ effect = "gain", gain_db = 1.0 }, { effect = "gain", bypass = true }, { effect = "gate" }]
[[groups]]
name = "music"
rack = [{ effect = "compressor" }]
[[buses]]
name = "reverb"
rack = [{ effect = "reverb" }]
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "cover.toml").write_text(DOCUMENT)
    return load(tmp_path)


def offs(project, owner):
    return [bool(row.get("bypass")) for row in rows_of(project.document.values, owner.place)]


def racks():
    return [entry.preset for entry in list_presets("racks") if entry.preset is not None]


def test_everybody_with_a_rack_is_found_by_name_and_place(project):
    assert [(one.place, one.what, one.kind) for one in owners(project.cover)] == [
        ("tracks.vocals", "track", "racks"),
        ("groups.music", "group", "racks"), ("buses.reverb", "bus", "racks"), ("master", "master", "masters"),
    ]  # fmt: skip
    assert owner_called(project.cover, "reverb") == owner_called(project.cover, "buses.reverb")
    assert rows_of(project.document.values, "master") == []
    with pytest.raises(UsageError, match="no channel 'vocal'") as refused:
        owner_called(project.cover, "vocal")
    assert "vocals" in refused.value.hint


def test_an_effect_is_told_from_its_equal_when_it_is_switched(project):
    owner = owners(project.cover)[0]
    rows = rows_of(project.document.values, owner.place)
    done = apply(project, switch_edit(owner, rows, 0, on=False))
    assert done.words == "vocals gain 1 on -> off"
    assert offs(done.project, owner) == [True, True, False]
    rows = rows_of(done.project.document.values, owner.place)
    done = apply(done.project, switch_all_edit(owner, rows, [True, False, True]))
    assert offs(done.project, owner) == [False, True, False]
    rows = rows_of(done.project.document.values, owner.place)
    done = apply(done.project, switch_all_edit(owner, rows, [False] * 3))
    assert done.words == "vocals: every effect off"
    assert offs(done.project, owner) == [True] * 3


def test_the_closest_preset_has_the_same_effects(project):
    known = racks()
    owner = Owner("tracks.vocals", "vocals")
    natural = next(one for one in known if one.name == "natural")
    rows = [dict(row) for row in natural.rack]
    rows[4]["ratio"] = 9.0
    assert closest(owner, rows, known).name == "natural"
    assert preset_value(owner, natural, rows, 4, "ratio") == 2.5
    assert closest(owner, [], known) is None
    assert closest(owner, [{"effect": "gain"}], known) is None


def test_what_a_preset_would_change_is_listed_with_sends_and_buses_also_before_it_is_saved(project):
    owner = next(one for one in owners(project.cover) if one.what == "track")
    natural = next(one for one in racks() if one.name == "natural")
    begun = preset_edit(owner, natural, project)
    values = on_values(project.document.values, begun.operations(project.document.values))
    assert lines_beside(owner, project, values, natural) == []
    track = next(one for one in values["tracks"] if one["name"] == owner.name)
    track["rack"][0]["threshold_db"] = -51.5
    track["sends"] = {}
    signs = [
        (line.sign, line.words.partition(":")[0]) for line in lines_beside(owner, project, values, natural)
    ]
    assert signs == [("~", "1 gate"), ("+", "send to reverb -18 dB")]


def test_a_group_takes_the_presets_of_tracks(project):
    group = owner_called(project.cover, "music")
    natural = next(one for one in racks() if one.name == "natural")
    assert natural in fitting(group, racks())
    done = apply(project, preset_edit(group, natural, project))
    assert done.words.startswith("preset 'natural' on music, with its send to ")
    assert rows_of(done.project.document.values, "groups.music") == list(natural.rack)
    assert lines_beside(group, done.project, done.project.document.values, natural) == []
    assert saved_preset(group, done.project, "mine", "So.").rack == natural.rack
    assert bypasses(done.project.cover, ["groups.music"]).keys() == {
        f"groups.music.rack[{index}].bypass" for index in range(len(natural.rack))
    }


def test_a_bus_takes_the_presets_that_bring_it(project):
    bus = Owner("buses.reverb", "reverb")
    fits = fitting(bus, racks())
    brings = [one for one in fits if "reverb" in one.buses]
    assert brings
    assert all(one.made_for == "buses" for one in fits if one not in brings)
    done = apply(project, preset_edit(bus, brings[0], project))
    assert done.words.endswith("on bus reverb")
    assert rows_of(done.project.document.values, "buses.reverb") == list(brings[0].buses["reverb"])
    other = next(one for one in racks() if "reverb" not in one.buses and one.made_for == "tracks")
    with pytest.raises(UsageError, match="brings no bus 'reverb'"):
        preset_edit(bus, other, project)


def test_what_is_made_for_a_bus_fits_buses_and_groups_and_no_track():
    made = Preset("racks", "glue", "", Path(), ({"effect": "compressor"},), made_for="buses")
    brought = Preset("racks", "pop", "", Path(), (), buses={"room": ({"effect": "reverb"},)})
    owner = {what: Owner(f"{what}.x", "x") for what in ("tracks", "groups", "buses")}
    assert fitting(owner["tracks"], [made, brought]) == [brought]
    assert fitting(owner["groups"], [made, brought]) == [made, brought]
    assert fitting(owner["buses"], [made, brought]) == [made]
    assert fitting(Owner("buses.room", "room"), [made, brought]) == [made, brought]
    assert rack_of_preset(Owner("buses.room", "room"), made) == [{"effect": "compressor"}]
    assert rack_of_preset(Owner("buses.room", "room"), brought) == [{"effect": "reverb"}]


def test_a_preset_for_buses_is_put_on_no_track(project):
    echo = next(one for one in racks() if one.name == "bus-echo")
    track = next(one for one in owners(project.cover) if one.what == "track")
    with pytest.raises(UsageError, match=r"is made for a bus or a group, .* is a track .*--bus NAME"):
        preset_edit(track, echo, project)
