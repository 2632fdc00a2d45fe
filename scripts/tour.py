"""Walk through the studio in a real terminal, from an empty folder to a cover in a new voice, and write docs/tour.md.

::

    python scripts/tour.py                # everything; trains a voice, about 25 minutes
    python scripts/tour.py --no-training  # what needs no training, a few minutes; the other pictures stay

Every screen that the page shows was on the terminal after the keys that stand above it: text at 80x24, a picture at
120x40. Needs tmux and flite, which speaks the new voice's recordings.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from browser import browser
from demo_voice_texts import sentences
from terminal import Terminal, is_there
from train_demo_voice import PAUSE_SECONDS, SAMPLE_RATE, say

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tour.md"
PICTURES = ROOT / "docs" / "tour"
LARGE, SMALL = (120, 40), (80, 24)
MINUTES_OF_TAKES = 14.0
SEED = 20_261_121
_KEY_SECONDS = 0.3  # as quick as a person
_RESIZE_SECONDS = 1.5
SONG_SECONDS = 12
INTRODUCTION = """# A tour of the studio

What you see here was on a terminal: `make screenshots` walks this way again, from an empty folder, and writes this
page. Text is the screen at 80x24, pictures are the same moment at 120x40. Keys are written as in [keys.md](keys.md).
"""


@dataclass(frozen=True)
class Scene:
    """A moment of the tour.

    Attributes
    ----------
    title, words : str
        Heading and sentences of the page.
    keys : tuple of str
        What is pressed; ``"paste:X"`` pastes, ``"type:X"`` types, ``"until:X"`` waits for X on the screen,
        ``"when:X:KEY"`` presses KEY where X is on the screen.
    shows : str
        Stands on the screen when the moment has come, a regular expression.
    picture : str
        Name of its picture; empty for none.
    seconds : float
        How long it may take.
    trains : bool
        Belongs to the part that trains a voice.
    """

    title: str
    words: str
    keys: tuple[str, ...]
    shows: str
    picture: str = ""
    seconds: float = 30.0
    trains: bool = False


def scenes(song: Path, takes: Path) -> Sequence[Scene]:
    """Return the tour."""
    return (
        Scene(
            "The first start",
            "`covermaker` in an empty folder opens the Library. There is a demo song with a demo voice.",
            (), r"Blue Harbor.*new", "library-first",
        ),
        Scene(
            "Add a song",
            "`+` opens the file picker: `v` marks files, `+` adds them or a whole folder. What is dropped on the "
            "window is taken, too.",
            (f"paste:{song}",), r"lantern.*new", "library-added",
        ),
        Scene(
            "Render it",
            "`r` renders. Steps, percent and the time left are on the line above the keys and beside the song.",
            ("r",), r"► .*%", "library-rendering", 60,
        ),
        Scene("The cover is done", "With its loudness and where the files are.",
              (), r"lantern.*✓ done", "library-done", 300),
        Scene(
            "Hear it",
            "`enter` opens the song: its steps, the vocal converted and original, the mixer. `space` plays, `a` "
            "switches between the two at the sample, at the same loudness.",
            ("enter", "until:Mixer", "until:0:0[1-9]", "space"), r"► 0:0", "project",
        ),
        Scene(
            "Mix",
            "`tab` goes to the mixer, `-` and `=` move its faders; what was done stands below, `z` takes it back.",
            ("space", "tab", "tab", "tab", "until:Mute", "-", "-", "-"), r"-1\.5 dB", "mixer",
        ),
        Scene(
            "Change the rack",
            "`enter` opens the channel's effects. A change is heard on the loop within half a second; beside it stand "
            "the reduction, the loudness and the spectrum before and behind the effect.",
            ("enter", "until:gate", "until:down.*dB", "down", "down", "down", "enter", "-", "-"),
            r"matched +made in", "rack", 60,
        ),
        Scene(
            "Add an effect",
            "`+` offers everything there is, with a line of help each.",
            ("+",), r"high_pass|low_pass|reverb", "rack-add",
        ),
        Scene(
            "Presets",
            "Racks, masters and voice settings: compared with the open song, heard on its loop, applied. "
            "A master is heard through its limiter, voice settings sung anew.",
            ("escape", "6"), r"against lantern", "presets",
        ),
        Scene(
            "Stale, and why",
            "Back in the Library: the render is older than the project, and the pane says what changed.",
            ("1",), r"lantern.*~ stale", "library-stale",
        ),
        Scene(
            "A voice from recordings",
            "`4` shows the voices. Recordings dropped here, one or a folder, become a new one: its name, and who "
            "consented.",
            ("4", "until:ready", f"paste:{takes}", "until:A new voice", "enter", "down", "down", "space"),
            r"\(\*\) synthetic", "voice-new", trains=True,
        ),
        Scene(
            "Its takes",
            "They are copied and looked at: length, loudness, noise, clipping, pauses, range. `o` leaves one out.",
            ("tab", "type:A speech synthesiser made every take.", "tab", "type:en", "tab", "tab", "enter"),
            r"take.*✓ ok", "voice-takes", 240, trains=True,
        ),
        Scene(
            "Training",
            "`T` trains it. Here, on another screen or in another terminal, it can be watched, stopped and taken up.",
            ("T", "until:Quick", "y"), r"step +[1-9][0-9]{2}", "voice-training", 1500, trains=True,
        ),
        Scene("Trained", "The best of its saves is the voice; what it scored stands beside each.",
              (), r"anna +✓ ready", "voice-trained", 1500, trains=True),
        Scene(
            "Hear the saves",
            "`space` lets a save sing the test phrases and plays them; `a` switches to the other one at the sample.",
            ("tab", "tab", "tab", "home", "space"), r"hearing A", "voice-audition", 180, trains=True,
        ),
        Scene(
            "Promote another",
            "`P` makes the selected save the voice, and says which songs that makes stale.",
            ("home", r"when:>\s+[\d ]+\s.*voice:down", "P", "when:Leave it:y"),
            r"promoted|is the voice", "", 60, trains=True,
        ),
        Scene(
            "Sing with it",
            "On the song's screen `y` chooses who sings.",
            ("2", "y", "until:who sings", "type:anna", "until:library", "enter"), r"demo -> anna", "project-voice",
            trains=True,
        ),
        Scene(
            "Render all that is stale",
            "`R` in the Library renders every stale song, one after another; `5` shows the queue.",
            ("1", "until:~ stale", "R", "5"), r"all 2 renders over", "batch", 300, trains=True,
        ),
    )  # fmt: skip


def record(folder: Path) -> Path:
    """Speak the takes of the new voice and return their folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(SEED)
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.float32)
    held, seconds = [], 0.0
    for text in sentences(600, SEED):
        held += [say(text, stretch=float(rng.choice([0.95, 1.1, 1.3])), scratch=folder), pause]
        seconds += (len(held[-2]) + len(pause)) / SAMPLE_RATE
        if seconds >= 60.0 * MINUTES_OF_TAKES:
            break
    (folder / "spoken.wav").unlink()
    soundfile.write(folder / "takes.wav", np.concatenate(held[:-1]), SAMPLE_RATE)
    return folder


class Tour:
    """The walk: presses keys, waits, keeps what it saw."""

    def __init__(self, terminal: Terminal, hidden: dict[str, str]) -> None:
        self._terminal = terminal
        self._hidden = hidden

    def go(self, scene: Scene) -> str:
        """Walk to a scene and return its section of the page."""
        for key in scene.keys:
            kind, colon, what = key.partition(":")
            if colon and kind == "paste":
                self._terminal.paste(what)
            elif colon and kind == "type":
                self._terminal.type(what)
            elif colon and kind == "until":
                self._wait(what, scene.seconds)
            elif colon and kind == "when":
                pattern, _, then = what.rpartition(":")
                if re.search(pattern, self._terminal.text()):
                    self._terminal.press(then)
            else:
                self._terminal.press(key)
                time.sleep(_KEY_SECONDS)
        self._wait(scene.shows, scene.seconds)
        if scene.picture:
            PICTURES.mkdir(parents=True, exist_ok=True)
            (PICTURES / f"{scene.picture}.svg").write_text(
                self._plain(self._terminal.svg("covermaker")), encoding="utf-8"
            )
        self._terminal.resize(*SMALL)
        time.sleep(_RESIZE_SECONDS)
        text = self._terminal.text()
        self._terminal.resize(*LARGE)
        time.sleep(_RESIZE_SECONDS)
        return self._section(scene, text)

    def _wait(self, wanted: str, seconds: float) -> None:
        self._terminal.wait_for(lambda screen: re.search(wanted, screen) is not None, seconds, settle=0.3)

    def _plain(self, text: str) -> str:
        """Return a text without this machine's paths; columns stay where they are."""
        for place, name in self._hidden.items():
            text = re.sub(
                re.escape(place) + r"([^\s<&]*)",
                lambda found, name=name: (name + found[1]).ljust(len(found[0])),
                text,
            )
        return text

    def _section(self, scene: Scene, text: str) -> str:
        pressed = [key.partition(":") for key in scene.keys if not key.startswith(("until:", "when:"))]
        keys = " ".join(f"`{what or kind}`" for kind, _, what in pressed)
        lines = [f"## {scene.title}", "", scene.words, ""]
        if keys:
            lines += [f"Keys: {keys}", ""]
        if scene.picture:
            lines += [f"![{scene.title}](tour/{scene.picture}.svg)", ""]
        screen = "\n".join(line.rstrip() for line in text.rstrip().splitlines())
        return self._plain("\n".join([*lines, "```text", screen, "```", ""]))


async def in_a_browser() -> str:
    """Show the demo project in a browser and return its section of the page."""
    with tempfile.TemporaryDirectory(prefix="tour-") as scratch:
        shutil.copytree(ROOT / "projects" / "demo", Path(scratch) / "songs" / "demo")
        environment = {**os.environ, "COVERMAKER_CONFIG": f"{scratch}/config.toml", "PYTHONUNBUFFERED": "1"}
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "covermaker", "ui", f"{scratch}/songs", "--web", "--port", "0",
            env=environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert server.stdout is not None
        address = None
        while address is None:
            address = re.search(r"http://\S+token=\S+", (await server.stdout.readline()).decode())
        async with browser() as page:
            await page.open(address[0])
            await page.wait_for(lambda: "Filter" in page.said)
            await asyncio.sleep(3.0)
            await page.press("Enter")
            await page.wait_for(lambda: "Mixer" in page.said)
            await asyncio.sleep(3.0)
            await page.picture(PICTURES / "browser.png")
        server.terminate()
        await server.wait()
    return (
        "## In a browser\n\n`covermaker ui --web` prints an address with a token; whoever has it has the studio, "
        "on this machine only unless `--host` says otherwise.\n\n![The studio in a browser](tour/browser.png)\n"
    )


def main() -> None:
    """Walk and write."""
    parser = argparse.ArgumentParser(description="Walk through the studio and write docs/tour.md.")
    parser.add_argument("--no-training", action="store_true", help="leave out what trains a voice")
    options = parser.parse_args()
    if not is_there():
        raise SystemExit("the program tmux is missing: apt-get install tmux")
    with tempfile.TemporaryDirectory(prefix="tour-") as scratch:
        home = Path(scratch)
        samples, rate = soundfile.read(
            ROOT / "projects" / "demo" / "audio" / "song.flac", frames=44_100 * SONG_SECONDS
        )
        song = home / "lantern.flac"
        soundfile.write(song, samples, rate)
        takes = home / "anna"
        if not options.no_training:
            record(takes)
        environment = {
            "HOME": scratch, "XDG_CONFIG_HOME": f"{scratch}/.config", "XDG_CACHE_HOME": f"{scratch}/.cache",
            "XDG_DATA_HOME": f"{scratch}/.local/share", "TEXTUAL_ANIMATIONS": "none",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        settings = home / ".config" / "covermaker" / "config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text('audio_device = "none"\n', encoding="utf-8")  # in real time, and heard by nobody
        command = [shutil.which("covermaker", path=environment["PATH"]) or "covermaker"]
        with Terminal(
            command, columns=LARGE[0], rows=LARGE[1], folder=home, environment=environment
        ) as terminal:
            terminal.wait_for("? Help")
            tour = Tour(terminal, {scratch: "~", str(ROOT): "covermaker"})
            sections = []
            for scene in scenes(song, takes):
                if scene.trains and options.no_training:
                    continue
                print(scene.title, file=sys.stderr, flush=True)
                sections.append(tour.go(scene))
            terminal.press("q")
            terminal.wait_until_over()
        with Terminal(
            command, columns=LARGE[0], rows=LARGE[1], folder=home, environment=environment
        ) as terminal:
            terminal.wait_for("? Help")
            again = Tour(terminal, {scratch: "~", str(ROOT): "covermaker"})
            sections.append(
                again.go(
                    Scene("Leave and come back",
                          "`q` leaves. The next time songs, states and what `z` takes back are there.", (),
                          r"lantern.*(done|stale)")
                )
            )  # fmt: skip
            terminal.press("q")
    sections.append(asyncio.run(in_a_browser()))
    PAGE.write_text("\n".join([INTRODUCTION, *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
