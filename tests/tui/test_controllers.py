"""Controllers on the faders: ranges, soft takeover, and a project that is moved by one."""

import threading
import time

import mido
import pytest
from mido.sockets import PortServer
from studio_stage import on_stage, project, saved, state, studio, until
from test_project import opened, song  # noqa: F401 - a fixture

from covermaker.errors import ProjectError, UsageError
from covermaker.play.midi import Control
from covermaker.project.load import load
from covermaker.tui.controllers import Controllers, Moved, Waiting, scale_at
from covermaker.tui.settings import Midi, Settings, load_settings
from covermaker.tui.widgets.fader import Fader

VALUES = {
    "tracks": [
        {
            "name": "vocals",
            "gain_db": -6.0,
            "sends": {"room": -20.0},
            "rack": [{"effect": "compressor", "ratio": 2.0}],
        },
        {"name": "band"},
    ],
    "buses": [{"name": "room"}],
    "master": {"loudness_lufs": "off"},
}


def controllers(takeover="soft", **places):
    return Controllers(
        Midi(port="x", takeover=takeover, controls={k.strip("_"): v for k, v in places.items()})
    )


def cc(value, number=7, channel=1):
    return Control(channel, number, value)


def test_a_fader_takes_over_when_it_comes_to_the_value():
    """-6 dB lies at 0.65 of the way, 83 of 127."""
    desk = controllers(_7="tracks.vocals.gain_db")
    assert desk.take(cc(10), VALUES) == Waiting(
        "tracks.vocals.gain_db", "tracks.vocals.gain_db is at -6.0 dB: move the fader up to it"
    )
    assert isinstance(desk.take(cc(60), VALUES), Waiting)
    moved = desk.take(cc(100), VALUES)  # past it
    assert isinstance(moved, Moved)
    assert moved.value == pytest.approx(-0.5, abs=0.6)
    unsaved = {moved.place: moved.value}
    assert desk.take(cc(127), VALUES, unsaved) == Moved(
        "tracks.vocals.gain_db", 6.0, "tracks.vocals.gain_db +6.0 dB"
    )


def test_from_above_and_right_at_it():
    desk = controllers(_7="tracks.vocals.gain_db")
    assert "down to it" in desk.take(cc(120), VALUES).words
    assert desk.take(cc(83), VALUES) is None  # there: the value is the same, the fader has it
    assert isinstance(desk.take(cc(90), VALUES), Moved)


def test_what_is_changed_elsewhere_has_to_be_taken_over_again():
    desk = controllers(_7="tracks.vocals.gain_db")
    desk.take(cc(83), VALUES)
    elsewhere = {"tracks.vocals.gain_db": 3.0}
    assert isinstance(desk.take(cc(85), VALUES, elsewhere), Waiting)


def test_without_takeover_it_jumps():
    desk = controllers(takeover="jump", _7="tracks.vocals.gain_db")
    assert desk.take(cc(0), VALUES).value == -96.0


@pytest.mark.parametrize(
    ("place", "low", "high"),
    [
        ("tracks.vocals.gain_db", -96.0, 6.0),
        ("tracks.band.pan", -1.0, 1.0),
        ("tracks.band.mute", False, True),
        ("tracks.vocals.sends.room", None, 6.0),
        ("buses.room.gain_db", -96.0, 6.0),
        ("master.loudness_lufs", -40.0, -5.0),
        ("tracks.vocals.rack.compressor.ratio", 1.0, 20.0),
        ("tracks[0].rack[0].ratio", 1.0, 20.0),
    ],
)
def test_every_range(place, low, high):
    desk = controllers(takeover="jump", _7=place)
    ends = []
    for value in (64, 0, 127):
        found = desk.take(cc(value), VALUES)
        ends.append(found.value if found else "the same")
    assert [low, high] == [
        one if one != "the same" else wanted for one, wanted in zip(ends[1:], (low, high), strict=True)
    ]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("title", "nothing that a fader moves"),
        ("tracks.vocals.name", "nothing that a fader moves"),
        ("tracks.vocals.rack.compressor.effect", "nothing that a fader moves"),
        ("tracks.lead.gain_db", "no track 'lead'"),
        ("tracks.vocals.rack.gate.ratio", "no 'gate'"),
        ("..", "no place"),
    ],
)
def test_places_that_no_fader_moves(place, words):
    with pytest.raises(UsageError, match=words):
        scale_at(place, VALUES)


def test_a_channel_of_its_own_comes_first():
    desk = Controllers(
        Midi(takeover="jump", controls={"7": "tracks.vocals.gain_db", "2:7": "tracks.band.pan"})
    )
    assert desk.take(cc(0), VALUES).place == "tracks.vocals.gain_db"
    assert desk.take(cc(0, channel=2), VALUES).place == "tracks.band.pan"
    assert desk.take(cc(0, number=8), VALUES) is None


def test_settings(tmp_path, monkeypatch):
    file = tmp_path / "config.toml"
    file.write_text(
        '[midi]\nport = "nano"\n[midi.controls]\n7 = "tracks.vocals.gain_db"\n"2:10" = "tracks.vocals.pan"\n'
    )
    assert load_settings(file).midi.controls == {"7": "tracks.vocals.gain_db", "2:10": "tracks.vocals.pan"}
    for wrong in ('128 = "x"', '"17:1" = "x"', '"0:1" = "x"', 'gain = "x"'):
        file.write_text(f"[midi.controls]\n{wrong}\n")
        with pytest.raises(ProjectError, match="is no controller"):
            load_settings(file)
    file.write_text('[midi]\ntakeover = "hard"\n')
    with pytest.raises(ProjectError, match=r"midi\.takeover"):
        load_settings(file)


@on_stage
async def test_a_controller_moves_the_faders_of_the_open_project(song, library):  # noqa: F811
    server = PortServer("localhost", 0)
    port = f"socket:localhost:{server._socket.getsockname()[1]}"
    wanted = Midi(port=port, controls={"7": "tracks.vocals.gain_db", "8": "tracks.gone.pan"})
    settings = Settings(charset="unicode", audio_device="none", midi=wanted)
    clients = []
    threading.Thread(target=lambda: clients.append(server.accept()), daemon=True).start()
    async with studio(library, settings=settings) as (app, pilot):
        screen = await opened(app, pilot)
        await until(pilot, lambda: clients)

        def move(value, control=7):
            clients[0].send(mido.Message("control_change", control=control, value=value))

        move(20)
        await until(pilot, lambda: "move the fader up to it" in app.last_words()[0])
        for value in range(20, 120, 5):
            move(value)
            time.sleep(0.001)
        await until(pilot, lambda: screen.query(Fader)[0].value == pytest.approx(3.5, abs=0.6))
        assert load(song).cover.tracks[0].gain_db == 0.0  # it still moves
        await until(pilot, lambda: load(song).cover.tracks[0].gain_db > 2.5)
        await saved(screen, pilot)
        move(1, control=8)
        await until(pilot, lambda: "no track 'gone'" in app.last_words()[0])
        for part in (clients[0], clients[0]._rfile, clients[0]._wfile):
            part.close()
        await until(pilot, lambda: "MIDI: the MIDI port is gone" in app.last_words()[0])
    server.close()


@on_stage
async def test_a_port_that_is_not_there_is_said_and_nothing_else_happens(library, states):
    project(library, "one")
    states["one"] = state("new")
    settings = Settings(charset="unicode", audio_device="none", midi=Midi(port="socket:localhost:1"))
    async with studio(library, settings=settings) as (app, pilot):
        await opened(app, pilot, drawn=False)
        await until(pilot, lambda: "MIDI: nothing answers at socket:localhost:1" in app.last_words()[0])
