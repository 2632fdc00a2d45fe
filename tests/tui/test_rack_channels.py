"""The Rack screen with groups, side chains, what moves, and values that are chosen from a list."""

import pytest
from studio_stage import burst, lines, on_stage, saved, text, until
from test_rack_screen import at_parameters, rack, rack_screen, song  # noqa: F401  # a fixture
from textual.widgets import OptionList

from covermaker.effects.owners import owner_called
from covermaker.project.load import load
from covermaker.tui import rack_model, rack_moves
from covermaker.tui.rack_parameters import Parameters

GROUP = """
[[groups]]
name = "music"
rack = [{ effect = "compressor", sidechain = "vocals" }]
[[automation]]
target = "groups.music.rack.compressor.threshold_db"
points = [[0.0, -30.0], [10.0, -20.0]]
"""


@pytest.fixture
def grouped(song):  # noqa: F811
    """Add a group with a ducked rack to the song."""
    with (song / "cover.toml").open("a", encoding="utf-8") as document:
        document.write(GROUP)
    return song


def names(specs):
    return [spec.name for spec in specs]


def test_what_can_listen_says_to_whom(grouped):
    cover = load(grouped).cover
    owners = {name: owner_called(cover, name) for name in ("vocals", "music", "room", "master")}
    assert rack_model.keys_of(owners["vocals"], cover) == ["band"]
    assert rack_model.keys_of(owners["music"], cover) == ["vocals", "band"]
    assert rack_model.keys_of(owners["room"], cover) == ["vocals", "band", "music"]
    assert rack_model.keys_of(owners["master"], cover) == []
    gate, compressor, reverb = rack_model.parsed([dict(row) for row in cover.tracks[0].rack], "tracks.vocals")
    shown = rack_model.specs_shown(gate, owners["vocals"], cover)
    assert shown[-1].choices == ("own sound", "band")
    assert rack_model.values_of(gate)["sidechain"] == "own sound"
    assert "sidechain" not in names(rack_model.specs_shown(reverb, owners["vocals"], cover))
    assert "sidechain" not in names(rack_model.specs_shown(compressor, owners["master"], cover))
    (ducked,) = rack_model.parsed([{"effect": "gate", "sidechain": "gone"}], "master")
    assert rack_model.specs_shown(ducked, owners["master"], cover)[-1].choices == ("own sound", "gone")


def test_what_moves_of_an_effect(grouped):
    values = load(grouped).document.values
    moves = rack_moves.moving(values, "groups.music", 0)
    assert {name: len(course.points) for name, course in moves.items()} == {"threshold_db": 2}
    assert rack_moves.moving(values, "tracks.vocals", 0) == {}


async def take(pilot, question, typed):
    app = pilot.app
    await until(pilot, lambda: question in text(app))
    await until(
        pilot, lambda: app.screen.query(OptionList) and app.screen.query_one(OptionList).option_count > 0
    )
    every = app.screen.query_one(OptionList).option_count
    await burst(pilot, *typed)
    await until(pilot, lambda: 0 < app.screen.query_one(OptionList).option_count < every)
    await pilot.press("enter")


@on_stage
async def test_a_group_has_a_rack_whose_side_chain_is_chosen(grouped):
    async with rack_screen(grouped, "groups.music", size=(120, 40)) as (screen, app, pilot):
        await until(pilot, lambda: "group music" in text(app) and "sidechain" in text(app))
        assert "-20.0 dB ~" in text(app)
        await at_parameters(screen, pilot)
        await until(pilot, lambda: "threshold_db moves over the song, 2 points" in text(app))
        await pilot.press("=")  # at the playhead, where the loop begins
        await saved(screen, pilot)
        lane = load(grouped).cover.automation[0]
        assert lane.points == [(0.0, -30.0), (10.0, -20.0), (20.0, -19.5)]
        assert load(grouped).cover.groups[0].rack == [{"effect": "compressor", "sidechain": "vocals"}]
        pane = screen.query_one(Parameters)
        await pilot.press(*["down"] * (len(pane.specs) - 1))
        assert pane.selected.name == "sidechain"
        await pilot.press("enter")
        await take(pilot, "sidechain", "band")
        await until(pilot, lambda: load(grouped).cover.groups[0].rack[0].get("sidechain") == "band")
        await saved(screen, pilot)
        await pilot.press("0")
        await until(pilot, lambda: "sidechain" not in load(grouped).cover.groups[0].rack[0])


@on_stage
async def test_choices_are_chosen_from_a_list_and_numbers_are_typed(song):  # noqa: F811
    async with rack_screen(song) as (screen, app, pilot):
        await at_parameters(screen, pilot)
        await pilot.press("enter")
        assert "Choose: threshold_db is a number: t types it" in lines(app)[-2]
        screen.add_effect("delay")
        await until(pilot, lambda: "2 delay" in text(app))
        await saved(screen, pilot)
        await at_parameters(screen, pilot)
        pane = screen.query_one(Parameters)
        at = names(pane.specs).index("sync")
        await pilot.press(*["down"] * at, "enter")
        await take(pilot, "sync", "1/8d")
        await until(pilot, lambda: rack(song)[1].get("sync", "").startswith("1/8"))


@on_stage
async def test_a_side_chain_in_a_circle_is_refused(grouped):
    document = (grouped / "cover.toml").read_text(encoding="utf-8")
    keyed = 'source = "instrumental"\nrack = [{ effect = "gate", sidechain = "vocals" }]'
    (grouped / "cover.toml").write_text(document.replace('source = "instrumental"', keyed), encoding="utf-8")
    async with rack_screen(grouped) as (screen, app, pilot):
        await at_parameters(screen, pilot)
        pane = screen.query_one(Parameters)
        await pilot.press(*["down"] * (len(pane.specs) - 1), "=")
        await until(pilot, lambda: "side chains go round in a circle" in text(app))
        await saved(screen, pilot)
        assert "sidechain" not in rack(grouped)[0]
        assert screen.effects[0].sidechain is None
