"""Controllers over a socket, as mido's ports speak there, and ports of a machine that is made up."""

import json
import threading
import time

import mido
import pytest
from mido.sockets import PortServer

from covermaker.cli.main import run
from covermaker.errors import ExitCode, ResourceError, UsageError
from covermaker.play import midi
from covermaker.play.midi import Control, Listener, open_port, ports


@pytest.fixture
def controller():
    """A controller on the network; sends control changes to whoever listens."""
    server = PortServer("localhost", 0)
    number = server._socket.getsockname()[1]

    class Controller:
        name = f"socket:localhost:{number}"

        def move(self, *moves):
            client = None
            for _ in range(500):
                client = client or server.accept(block=False)
                if client:
                    break
                time.sleep(0.01)
            for channel, control, value in moves:
                client.send(mido.Message("control_change", channel=channel - 1, control=control, value=value))
            client.send(mido.Message("note_on", note=60))
            self.client = client

        def unplug(self):
            hang_up(self.client)
            self.client = None

        client = None

    made = Controller()
    yield made
    if made.client:
        made.unplug()
    server.close()


def hang_up(port):
    """Close a port of mido with all that it has open."""
    port.close()
    port._rfile.close()
    port._wfile.close()


def wait_for(is_so):
    for _ in range(500):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to be")


def test_what_is_moved_is_heard_on_a_thread(controller):
    heard, lost = [], []
    listener = Listener(controller.name, heard.append, lost.append)
    listener.start()
    controller.move((1, 7, 0), (16, 127, 127), (1, 7, 64))
    wait_for(lambda: len(heard) == 3)
    assert heard == [Control(1, 7, 0), Control(16, 127, 127), Control(1, 7, 64)]
    assert heard[1].name == "16:127"
    listener.close()
    assert lost == []
    assert "midi" not in [thread.name for thread in threading.enumerate()]


def test_a_controller_that_is_unplugged_is_told_of_once(controller):
    heard, lost = [], []
    listener = Listener(controller.name, heard.append, lost.append)
    listener.start()
    controller.move((1, 1, 5))
    wait_for(lambda: heard)
    controller.unplug()
    wait_for(lambda: lost)
    assert "gone" in str(lost[0])
    listener.close()


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("socket:localhost", UsageError, "socket:HOST:PORT"),
        ("socket:localhost:x", UsageError, "socket:HOST:PORT"),
        ("socket:localhost:1", ResourceError, "nothing answers"),
        ("socket:localhost:99999", ResourceError, "nothing answers"),
    ],
)
def test_ports_on_the_network_that_are_none(name, error, words):
    with pytest.raises(error, match=words):
        open_port(name)
    lost = []
    listener = Listener(name, lambda control: None, lost.append)
    listener.start()
    wait_for(lambda: lost)
    assert isinstance(lost[0], error)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with three ports."""
    (tmp_path / "seq").write_text("")
    monkeypatch.setattr(midi, "_SEQUENCER", str(tmp_path / "seq"))
    names = ["nanoKONTROL2:nanoKONTROL2 _ CTRL 20:0", "Keystation 28:0", "Keystation 32:0"]
    monkeypatch.setattr(mido, "get_input_names", lambda: names)
    monkeypatch.setattr(mido, "open_input", lambda name: name)
    return names


def test_a_port_is_called_by_a_part_that_only_it_has(machine):
    assert ports() == machine
    assert open_port("nanokontrol2") == machine[0]
    assert open_port("Keystation 28:0") == machine[1]
    with pytest.raises(UsageError, match="several MIDI ports are called 'Keystation'"):
        open_port("Keystation")
    with pytest.raises(UsageError, match="no MIDI port is called 'Keystatoin 28'") as refused:
        open_port("Keystatoin 28")
    assert "did you mean 'Keystation" in str(refused.value)


def test_a_machine_without_midi(monkeypatch, tmp_path):
    monkeypatch.setattr(midi, "_SEQUENCER", str(tmp_path / "none"))
    monkeypatch.setattr(midi.sys, "platform", "linux")
    with pytest.raises(ResourceError, match="this machine has no MIDI"):
        ports()


def test_without_the_package(machine, monkeypatch):
    def missing():
        raise ModuleNotFoundError("No module named 'rtmidi'")

    monkeypatch.setattr(mido, "get_input_names", missing)
    with pytest.raises(ResourceError, match="python-rtmidi is missing") as refused:
        ports()
    assert "covermaker[midi]" in refused.value.hint


def test_no_port_at_all(machine, monkeypatch):
    monkeypatch.setattr(mido, "get_input_names", list)
    with pytest.raises(UsageError, match="plug the controller in"):
        open_port("nano")


# The command


def test_ports_are_listed(machine, capsys):
    assert run(["midi", "ports"]) == 0
    assert capsys.readouterr().out.splitlines() == machine
    assert run(["midi", "ports", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == machine


def test_what_comes_is_watched(controller, capsys, monkeypatch, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[midi]\nport = "{controller.name}"\ncontrols = {{ 7 = "tracks.vocals.gain_db" }}\n')
    monkeypatch.setenv("COVERMAKER_CONFIG", str(config))
    sender = threading.Thread(target=controller.move, args=((2, 7, 9), (1, 8, 1), (1, 9, 1)))
    sender.start()
    assert run(["midi", "watch", "--count", "2", "--json"]) == 0
    sender.join()
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"channel": 2, "number": 7, "value": 9, "place": "tracks.vocals.gain_db"}
    assert second["place"] is None


def test_watching_ends_by_itself_and_says_what_is_for_what(controller, capsys):
    sender = threading.Thread(target=controller.move, args=((1, 10, 3),))
    sender.start()
    assert run(["midi", "watch", controller.name, "--seconds", "1"]) == 0
    sender.join()
    found = capsys.readouterr()
    assert found.out == " 10  (channel 1)    3\n"
    assert "Ctrl-C ends" in found.err


def test_no_port_is_named(capsys):
    assert run(["midi", "watch"]) == ExitCode.USAGE
    assert "covermaker midi ports" in capsys.readouterr().err
