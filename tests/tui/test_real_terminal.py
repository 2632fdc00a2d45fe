"""The studio in a real terminal, with real children: what dies, fills up, shrinks or vanishes under it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from terminal import Terminal, is_there

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_there(), reason="the program tmux is missing: apt-get install tmux"),
]

DEMO = Path(__file__).parents[2] / "projects" / "demo"
SECONDS = 6


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Folders of the studio's own; what runs is found by them."""
    found = {name: str(tmp_path / name) for name in ("store", "cache", "projects")}
    environment = {
        "HOME": str(tmp_path),
        "COVERMAKER_CONFIG": str(tmp_path / "config.toml"),
        "COVERMAKER_STORE": found["store"],
        "COVERMAKER_CACHE": found["cache"],
        "COVERMAKER_PROJECTS": found["projects"],
        "TEXTUAL_ANIMATIONS": "none",
    }
    monkeypatch.delenv("NO_COLOR", raising=False)
    return environment


@pytest.fixture
def song(places):
    """A project of six seconds."""
    folder = Path(places["COVERMAKER_PROJECTS"]) / "harbor"
    (folder / "audio").mkdir(parents=True)
    samples, rate = soundfile.read(DEMO / "audio" / "song.flac", frames=44_100 * SECONDS)
    soundfile.write(folder / "audio" / "song.flac", samples, rate)
    (folder / "cover.toml").write_text((DEMO / "cover.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.fixture
def open_studio(places, tmp_path):
    """Open studios; their terminals close with the test."""
    terminals = []

    def opened(*before, columns=100, rows=30):
        command = [*before, sys.executable, "-m", "covermaker", "ui"]
        terminal = Terminal(command, columns=columns, rows=rows, folder=tmp_path, environment=places)
        terminals.append(terminal)
        terminal.wait_for("? Help")
        return terminal

    yield opened
    for terminal in terminals:
        terminal.close()


def children(places):
    """Return the processes of a studio beside itself: command line by process."""
    found = {}
    mark = f"COVERMAKER_STORE={places['COVERMAKER_STORE']}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if mark in (folder / "environ").read_bytes() and " -m covermaker." in command:
                found[int(folder.name)] = command
        except (OSError, ValueError):
            continue
    return found


def child_that(places, does, seconds=60.0):
    """Wait for a child by its module and return its process."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for process, command in children(places).items():
            if does in command:
                return process
        time.sleep(0.05)
    raise AssertionError(f"no child runs {does}: {children(places)}")


def playing(places, song, open_studio, device):
    """Render a song, open it in a studio with an audio device, and begin to play it; return the terminal."""
    Path(places["COVERMAKER_CONFIG"]).write_text(f'audio_device = "{device}"\n', encoding="utf-8")
    command = [sys.executable, "-m", "covermaker", "render", str(song)]
    subprocess.run(command, env={**os.environ, **places}, check=True, capture_output=True)
    terminal = open_studio()
    terminal.wait_for("✓ done", 60)
    terminal.press("enter")
    terminal.wait_for("Mixer")
    terminal.wait_for("0:05")
    terminal.press("space")
    return terminal


def runs(process):
    """Tell whether a process lives: one that has ended may stay listed until whoever has it as a child looks."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(places, seconds=30.0):
    """Wait until no child is left; return whether that came to be."""
    until = time.monotonic() + seconds
    while children(places) and time.monotonic() < until:
        time.sleep(0.1)
    return not children(places)


def restored(terminal):
    """Check that the terminal is as it was before: no other screen, no mouse, a cursor."""
    wanted = {"alternate_on": "0", "mouse_any_flag": "0", "cursor_flag": "1"}
    until = time.monotonic() + 10.0  # the terminal may still read what the program wrote last
    while (found := {name: terminal.state(name) for name in wanted}) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    assert found == wanted


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_restores_the_terminal_ends_the_children_and_keeps_the_work(name, places, song, open_studio):
    terminal = open_studio()
    terminal.wait_for("Blue Harbor")
    terminal.press("enter")
    terminal.wait_for("Mixer")
    terminal.press("tab", "tab")
    terminal.wait_for("Gain")
    terminal.press("-")
    terminal.wait_for("gain")
    terminal.press("r")
    child_that(places, "covermaker.jobs.child")
    until = time.monotonic() + 20
    while "gain_db" not in (song / "cover.toml").read_text() and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(terminal.pid, getattr(signal, name))
    assert terminal.wait_until_over() == 128 + getattr(signal, name)
    restored(terminal)
    assert gone(places)
    undone = subprocess.run(
        [sys.executable, "-m", "covermaker", "undo", str(song)], env={**os.environ, **places},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "gain" in undone.stdout


def test_a_killed_studio_leaves_no_children(places, song, open_studio):
    terminal = open_studio()
    terminal.wait_for("Blue Harbor")
    terminal.press("r")
    child_that(places, "covermaker.jobs.child")
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.wait_until_over() == 128 + signal.SIGKILL
    assert gone(places)


@pytest.mark.parametrize("key", ["r", "enter"])
def test_a_terminal_that_vanishes_takes_the_studio_with_it(key, places, song, open_studio):
    terminal = open_studio()
    terminal.wait_for("Blue Harbor")
    terminal.press(key)
    terminal.wait_for("Mixer" if key == "enter" else "►")
    studio = terminal.pid
    terminal.close()
    until = time.monotonic() + 30.0
    while runs(studio) and time.monotonic() < until:
        time.sleep(0.1)
    assert not runs(studio)
    assert gone(places)


def test_a_killed_render_is_a_line_with_its_log_and_the_next_one_finishes(places, song, open_studio):
    terminal = open_studio()
    terminal.wait_for("Blue Harbor")
    terminal.press("r")
    terminal.wait_for("► ")
    os.kill(child_that(places, "covermaker.jobs.child"), signal.SIGKILL)
    screen = terminal.wait_for(lambda screen: "✗" in screen and "render.log" in screen)
    assert "failed" in screen
    assert terminal.state("alternate_on") == "1"
    terminal.press("r")
    screen = terminal.wait_for("✓ done", 180)
    assert "LUFS" in screen
    assert list((song / "out").glob("*.wav")) or list((song / "out").glob("*.flac"))


def test_a_killed_player_is_replaced(places, song, open_studio):
    terminal = playing(places, song, open_studio, "none")
    first = child_that(places, "covermaker.play.child")
    time.sleep(1.0)
    os.kill(first, signal.SIGKILL)
    terminal.wait_for("was ended by SIGKILL; play starts another")
    terminal.press("space")
    second = child_that(places, "covermaker.play.child")
    assert second != first
    terminal.wait_for("► 0:0")
    assert terminal.state("alternate_on") == "1"
    terminal.press("q")
    assert terminal.wait_until_over() == 0
    assert gone(places)


def test_no_audio_device_is_a_plain_sentence(places, song, open_studio):
    terminal = playing(places, song, open_studio, "no such device")
    screen = terminal.wait_for("device")
    assert "Traceback" not in screen
    terminal.press("q")
    assert terminal.wait_until_over() == 0


def test_a_window_of_40_by_10_and_back_while_a_render_runs(places, song, open_studio):
    terminal = open_studio(columns=120, rows=40)
    terminal.wait_for("Blue Harbor")
    terminal.press("r", "enter")
    terminal.wait_for("Mixer")
    for columns, rows in ((40, 10), (20, 5), (200, 60), (80, 24)):
        terminal.resize(columns, rows)
        time.sleep(0.5)
        assert not terminal.is_over
        assert "Traceback" not in terminal.text()
    terminal.resize(120, 40)
    terminal.wait_for("Mixer")
    terminal.press("c")
    terminal.wait_for("finished steps are kept")
    terminal.press("q")
    assert terminal.wait_until_over() == 0


def test_nonsense_in_the_document_is_named_with_its_line_until_it_is_mended(places, song, open_studio):
    terminal = open_studio()
    terminal.wait_for("Blue Harbor")
    terminal.press("enter")
    terminal.wait_for("Mixer")
    whole = (song / "cover.toml").read_text(encoding="utf-8")
    (song / "cover.toml").write_text(whole.replace("schema = 1", "schema = = 1"), encoding="utf-8")
    terminal.wait_for("Invalid value (at line")
    (song / "cover.toml").write_text(whole.replace("Blue Harbor", "Green Harbor"), encoding="utf-8")
    terminal.wait_for(lambda screen: "Green Harbor" in screen and "✗" not in screen)


def test_a_project_deleted_while_it_is_open_is_said_and_others_go_on(places, song, open_studio):
    import shutil

    other = song.with_name("lantern")
    shutil.copytree(song, other)
    text = (other / "cover.toml").read_text(encoding="utf-8")
    (other / "cover.toml").write_text(text.replace("Blue Harbor", "Lantern"), encoding="utf-8")
    terminal = open_studio()
    terminal.wait_for("Lantern")
    terminal.press("enter")
    terminal.wait_for("Mixer")
    shutil.rmtree(song)
    # Where the line breaks depends on how long the folder's name is.
    terminal.wait_for(
        lambda screen: re.search(r"there is no project at.*harbor\W+any\W+more", screen, re.DOTALL)
    )
    terminal.press("1")
    terminal.wait_for(lambda screen: "Lantern" in screen and "Blue Harbor" not in screen)
    assert not song.exists()


def test_a_full_disk_costs_one_edit_and_no_document(places, song, open_studio):
    terminal = open_studio("bash", "-c", 'ulimit -f 0; exec "$@"', "limited")
    terminal.wait_for("Blue Harbor")
    terminal.press("enter")
    terminal.wait_for("Mixer")
    before = (song / "cover.toml").read_bytes()
    terminal.press("tab", "tab")
    terminal.wait_for("Gain")
    terminal.press("-")
    # Said of the edit: what is said of the weights names their folder without quotes.
    screen = terminal.wait_for(" cannot write '")
    assert "Traceback" not in screen
    assert (song / "cover.toml").read_bytes() == before
    terminal.press("-", "q")  # of a change that was refused before, nothing is left to lose
    # Whether that change was refused already when `q` came, nobody knows: then there is nothing to ask.
    terminal.wait_for(lambda screen: terminal.is_over or "Quitting loses that change" in screen)
    if not terminal.is_over:
        terminal.press("y")
    assert terminal.wait_until_over() == 0
