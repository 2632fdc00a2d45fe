"""``covermaker desk``: tracks, groups, buses, sends and automation, by a command."""

import json

import pytest

from covermaker.cli import main
from covermaker.errors import ExitCode
from covermaker.project.load import load


@pytest.fixture
def run(new, tmp_path, monkeypatch, capsys):
    """Run a command on a fresh project, in its folder above."""
    for variable in ("CACHE", "STORE", "PROJECTS"):
        monkeypatch.setenv(f"COVERMAKER_{variable}", str(tmp_path / variable.lower()))
    assert new() == 0

    def call(*arguments, command="desk"):
        capsys.readouterr()
        name, *rest = arguments
        words = [command, name, "cover", *rest] if command == "desk" else [command, "cover"]
        code = main.run(words)
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return call


@pytest.fixture
def cover(tmp_path):
    """Read the project as it is now."""
    return lambda: load(tmp_path / "cover").cover


def test_channels_come_and_go_and_are_undone(run, cover):
    names = [track.name for track in cover().tracks]
    assert (
        run("add", "group", "music", "--tracks", ", ".join(names))[1]
        == f"added group music of {', '.join(names)}"
    )
    assert {track.group for track in cover().tracks} == {"music"}
    assert run("add", "bus", "hall", "--copy-rack", "reverb")[1] == "added bus hall"
    hall, reverb = (next(bus for bus in cover().buses if bus.name == name) for name in ("hall", "reverb"))
    assert hall.rack == reverb.rack
    text = json.loads(run("add", "track", "choir", "--source", "converted", "--group", "music", "--json")[1])
    assert text["words"] == "added track choir"
    assert cover().tracks[-1].group == "music"
    assert run("group", "choir")[1] == 'choir group music -> ""'
    assert run("group", "choir", "music")[1] == 'choir group "" -> music'
    assert run("remove", "music")[1] == "removed group music"
    assert {track.group for track in cover().tracks} == {""}
    assert run("undo", command="undo")[0] == 0
    assert {track.group for track in cover().tracks} == {"music"}


def test_channels_are_put_in_order_and_back(run, cover):
    def names():
        return [track.name for track in cover().tracks]

    assert run("add", "track", "choir", "--source", "converted")[0] == 0
    first, second, _ = names()
    assert run("move", "choir", "--to", "1")[1] == "moved track choir 3 -> 1"
    assert names() == ["choir", first, second]
    assert run("undo", command="undo")[1] == "undo: moved track choir 3 -> 1"
    assert names() == [first, second, "choir"]
    assert run("automate", "tracks[0].gain_db", "0=-6dB", "0:00.5=0")[0] == 0
    assert run("move", first, "--before", "choir")[1] == f"moved track {first} 1 -> 2"
    assert names() == [second, first, "choir"]
    assert cover().automation[0].target == f"tracks.{first}.gain_db"
    assert run("move", "delay", "--before", "reverb")[1] == "moved bus delay 2 -> 1"
    assert run("move", "delay", "--to", "1")[1] == "nothing changes: it is so already"


def test_switches_of_effects_step_whatever_their_shape(run, cover):
    assert run("automate", "buses.delay.rack.delay.ping_pong", "0=on", "0.5=off")[0] == 0
    assert cover().automation[0].points == [(0.0, True), (0.5, False)]


def test_sends_are_set_before_and_behind_the_fader(run, cover):
    assert run("send", "vocals", "reverb", "-20", "--pre")[0] == 0
    vocals = cover().tracks[0]
    assert (vocals.sends["reverb"], vocals.pre_fader) == (-20.0, ["reverb"])
    assert "pre-fader" in run("show")[1]
    assert run("send", "vocals", "reverb", "-18")[0] == 0
    assert cover().tracks[0].pre_fader == ["reverb"]
    assert run("send", "vocals", "reverb", "-18", "--post")[0] == 0
    assert cover().tracks[0].pre_fader == []
    assert run("send", "vocals", "reverb", "-18", "--pre")[0] == 0
    assert run("send", "vocals", "reverb", "off")[0] == 0
    assert "reverb" not in cover().tracks[0].sends
    assert cover().tracks[0].pre_fader == []


def test_values_move_over_the_song(run, cover):
    assert run("automate", "tracks.vocals.gain_db")[1].startswith("tracks.vocals.gain_db does not move")
    said = run("automate", "tracks.vocals.gain_db", "0=-6", "0:00.5=0", "--shape", "smooth")[1]
    assert said == "automation of tracks.vocals.gain_db: 2 points"
    assert cover().automation[0].points == [(0.0, -6.0), ("0:00.5", 0.0)]
    assert run("automate", "tracks.vocals.gain_db", "0.25=-3", "--add")[0] == 0
    shown = json.loads(run("automate", "tracks.vocals.gain_db", "--json")[1])
    assert (len(shown["points"]), shown["shape"]) == (3, "smooth")
    assert run("automate", "tracks.vocals.gain_db", "--without", "0.25")[0] == 0
    assert run("automate", "tracks.vocals.gain_db", "--shape", "hold")[0] == 0
    assert (len(cover().automation[0].points), cover().automation[0].shape) == (2, "hold")
    assert "shape: hold" in run("automate", "tracks.vocals.gain_db")[1]
    assert run("automate", "tracks.vocals.mute", "0=on", "0.5=off")[0] == 0
    assert cover().automation[1].points == [(0.0, True), (0.5, False)]
    shown = run("show")[1]
    assert "gain (2), mute (2)" in shown
    assert run("automate", "tracks.vocals.mute", "--clear")[1] == "no automation of tracks.vocals.mute"
    assert run("automate", "tracks.vocals.gain_db", "--without", "0", "--without", "0")[0] == 0
    assert (
        run("automate", "tracks.vocals.gain_db", "--without", "0.5")[1]
        == "no automation of tracks.vocals.gain_db"
    )
    assert cover().automation == []


def test_the_desk_is_shown_with_groups_and_what_is_in_them(run, cover):
    assert run("add", "group", "music", "--tracks", cover().tracks[1].name)[0] == 0
    rows = json.loads(run("show", "--json")[1])
    by_name = {row["name"]: row for row in rows}
    assert by_name[cover().tracks[1].name]["group"] == "music"
    assert [row["kind"] for row in rows][-1] == "master"
    names = [row["name"] for row in rows]
    assert names.index("music") + 1 == names.index(cover().tracks[1].name)
    assert f"\n  {cover().tracks[1].name}" in run("show")[1]
    assert run("show", "--plain")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("remove", "vocal"), "did you mean 'vocals'?"),
        (("remove", "master"), "name a track, a group or a bus"),
        (("add", "track", "x"), "a track needs --source"),
        (("add", "track", "x", "--source", "convertd"), "did you mean 'converted'?"),
        (("add", "track", "x", "--source", "converted", "--tracks", "vocals"), "that is for: group"),
        (("add", "bus", "reverb"), "there is a bus 'reverb' already"),
        (("add", "group", "vocals"), "'vocals' is the name of a track"),
        (("add", "group", "music", "--tracks", "vocal"), "did you mean 'vocals'?"),
        (("add", "bus", "Hall"), "buses["),
        (("group", "vocals", "music"), "desk add PROJECT group music"),
        (("group", "reverb", "music"), "name a track or a group"),
        (("send", "vocals", "revrb", "-12"), "did you mean 'reverb'?"),
        (("send", "reverb", "reverb", "-12"), "circle"),
        (("send", "vocals", "reverb", "x"), "a number, as in -6"),
        (("send", "reverb", "delay", "-9", "--pre"), "a bus sends behind its fader"),
        (("automate", "vocals.gain_db", "0=1"), "did you mean 'tracks.vocals.gain_db'?"),
        (("automate", "tracks.vocals.gain", "0=1"), "'gain_db'"),
        (("automate", "tracks.vocals.gain_db", "0=99"), "must be -96 to 24"),
        (("automate", "tracks.vocals.gain_db", "0.1=0", "0.1=1"), "sort them by time"),
        (("automate", "tracks.vocals.gain_db", "9:00=0"), "behind the end of the song"),
        (("automate", "tracks.vocals.gain_db", "now=0"), "write seconds or m:ss"),
        (("automate", "tracks.vocals.gain_db", "0.5"), "write time and value"),
        (("automate", "tracks.vocals.gain_db", "--clear"), "the project has no automation"),
        (("automate", "tracks.vocals.gain_db", "--without", "0"), "has no point at 0"),
        (("automate", "tracks.vocals.gain_db", "0=1", "--clear"), "leave the rest out"),
        (("automate", "tracks.vocals.mute", "0=0.5"), "must be true or false"),
        (("automate", "tracks.vocals.gain_db", "0=5ms"), "write it in dB"),
        (("automate", "tracks.vocals.rack.eq.low_cut_slope", "0=1"), "did you mean"),
        (("automate", "tracks.vocals.rack.compressor.lookahead_ms", "0=1"), "able: threshold_db"),
        (("automate", "buses.delay.rack.delay.sync", "0=1/4"), "cannot move, it is one of a few words"),
        (("automate", "buses.delay.rack.2.wet_db", "0=1"), "the rack has no effect 2: it has 1"),
        (("move", "vocals"), "--to NUMBER, or --before CHANNEL"),
        (("move", "vocals", "--to", "9"), "there is no place 9 among the tracks\n       1 to 2"),
        (("move", "vocals", "--to", "0"), "there is no place 0"),
        (("move", "vocals", "--before", "reverb"), "'reverb' is a bus, 'vocals' a track"),
        (("move", "vocals", "--before", "master"), "'master' is the master"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_what_can(run, arguments, words):
    code, _, said = run(*arguments)
    assert code in (ExitCode.USAGE, ExitCode.PROJECT)
    assert words in said
    assert len(said.splitlines()) <= 2
