"""What the studio's rack shows of plug-ins and changes in them; without a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin_sounds import row

from covermaker.effects.preset_edits import effect_words, rack_differences
from covermaker.effects.rack import parse_rack
from covermaker.project.operations import on_values
from covermaker.tui import rack_model, rack_moves
from covermaker.tui.controllers import scale_at

if TYPE_CHECKING:
    from conftest import Scanned


def test_plugins_stand_among_the_effects_to_add(fixtures: Scanned) -> None:
    names = [name for name, _ in rack_model.palette()]
    assert "vst3" not in names  # which one?
    fixtures("Gain", "CrashAtOnce")
    assert rack_model.palette()[-1] == (
        "vst3: Fixture Gain",
        "Plug-in by Covermaker tests, Audio Module Class.",
    )
    assert rack_model.row_of("vst3: Fixture Gain") == {"effect": "vst3", "plugin": "Fixture Gain"}
    assert rack_model.row_of("gate") == {"effect": "gate"}


def test_its_parameters_are_faders_and_changes_are_edits(fixtures: Scanned) -> None:
    fixtures("Gain")
    (one,) = parse_rack([row("Fixture Gain", parameters={"mode": "Hard"})], where="rack")
    assert rack_model.values_of(one) == {
        "parameters.gain_db": 0.0, "parameters.mode": "Hard", "latency_samples": 0.0, "sidechain": "own sound",
    }  # fmt: skip
    assert rack_model.figure(one) == "Hard"
    gain = one.specs()[0]
    assert rack_model.about(gain, "", None) == "gain_db: Gain. -60 to 20 dB, default 0.0 dB."
    values = {"tracks": [{"name": "a", "source": "a", "rack": [row("Fixture Gain")]}]}
    edit = rack_model.value_edit("tracks.a", 0, gain, -3.0)
    after = on_values(values, edit.operations(values))
    assert after["tracks"][0]["rack"][0]["parameters"] == {"gain_db": -3.0}
    back = rack_model.value_edit("tracks.a", 0, gain, None)
    assert "gain_db" not in on_values(after, back.operations(after))["tracks"][0]["rack"][0].get(
        "parameters", {}
    )


def test_words_name_the_plugin(fixtures: Scanned) -> None:
    fixtures("Gain", "Late")
    (one,) = parse_rack([row("Fixture Gain", parameters={"gain_db": -3})], where="rack")
    assert effect_words(one) == "Fixture Gain: gain -3 dB"
    assert rack_model.about_effect(one) == "Plug-in by Covermaker tests, Audio Module Class."
    (lines,) = rack_differences(
        [row("Fixture Gain")], [row("Fixture Gain", parameters={"gain_db": -3.0, "mode": "Off"})]
    )
    assert lines.words == "1 vst3: gain 0 -> -3 dB, mode Soft -> Off"
    (lines,) = rack_differences([row("Fixture Late")], [row("Fixture Gain", parameters={"mode": "Off"})])
    assert lines.words == "1 vst3: Fixture Late -> Fixture Gain, mode Soft -> Off"
    (gone,) = parse_rack([row("Gone")], where="rack")
    assert rack_model.about_effect(gone).startswith("plug-in 'Gone' is not on this machine")
    assert rack_model.figure(gone) == "0 samples"


def test_its_parameters_move_and_follow_a_controller(fixtures: Scanned) -> None:
    fixtures("Gain", "Mover")
    rack = [row("Fixture Gain"), row("Fixture Mover"), {"effect": "gain"}]
    values: dict[str, object] = {
        "tracks": [{"name": "a", "source": "a", "rack": rack}],
        "automation": [{"target": "tracks.a.rack.2.gain_db", "points": [[0.0, -60.0], [10.0, 0.0]]}],
    }
    settings = parse_rack(rack, where="rack")
    (gain,) = (spec for spec in settings[1].specs() if spec.name == "parameters.gain_db")
    course = rack_moves.moving(values, "tracks.a", 1)["parameters.gain_db"]
    assert rack_moves.at_moment(gain, course, 5.0) == -30.0
    target = rack_moves.target_of(values, "tracks.a", 1, gain)
    assert target == 'tracks.a.rack."Fixture Mover".gain_db'
    edit = rack_moves.now_edit(target, gain, -3.0, 5.0)
    (lane,) = on_values(values, edit.operations(values))["automation"]
    assert lane["points"] == [[0.0, -60.0], [5.0, -3.0], [10.0, 0.0]]
    scale = scale_at("tracks.a.rack.1.gain_db", values)
    assert (scale.at(0.0), scale.at(1.0)) == (-60.0, 20.0)
