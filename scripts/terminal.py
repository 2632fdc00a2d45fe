"""A real terminal that a program drives: keys go in, the screen is read back as text or drawn as a picture.

It is tmux on a server of its own, so that nobody's configuration or session is touched. What it shows is what a person
would see: colours, glyphs, resizing, what a dying program leaves behind.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

# Keys by the names that the studio's key reference has, where tmux calls them otherwise.
_NAMES = {
    "enter": "Enter", "escape": "Escape", "space": "Space", "tab": "Tab", "shift+tab": "BTab", "up": "Up",
    "down": "Down", "left": "Left", "right": "Right", "home": "Home", "end": "End", "pageup": "PPage",
    "pagedown": "NPage", "backspace": "BSpace",
}  # fmt: skip
_CONFIG = """
set -g default-terminal "tmux-256color"
set -ga terminal-overrides ",*:RGB"
set -g status off
set -g escape-time 0
"""
# As in a shell: the terminal outlives the program, and shows what that leaves behind.
_SHELL = 'status=$1; shift; "$@"; echo $? >"$status.new"; mv "$status.new" "$status"; exec sleep 1000000'
_POLL_SECONDS = 0.05
_ESCAPE_SECONDS = 0.2  # a key that follows sooner makes alt and that key of it


def is_there() -> bool:
    """Tell whether tmux is installed."""
    return shutil.which("tmux") is not None


class Terminal:
    """A program in a terminal.

    Parameters
    ----------
    command : sequence of str
    columns, rows : int
    folder : Path
        Where it starts.
    environment : mapping
        What it finds in its environment beside what this process has.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int,
        rows: int,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="terminal-")
        self._socket = str(Path(self._scratch.name) / "socket")
        self._status = Path(self._scratch.name) / "status"
        config = Path(self._scratch.name) / "tmux.conf"
        config.write_text(_CONFIG, encoding="utf-8")
        outside = {**os.environ, "COLORTERM": "truecolor", "LANG": "C.UTF-8", **(environment or {})}
        outside.pop("TMUX", None)
        subprocess.run(
            ["tmux", "-f", str(config), "-S", self._socket, "new-session", "-d", "-x", str(columns), "-y", str(rows),
             "-c", str(folder), "--", "sh", "-c", _SHELL, "sh", str(self._status), *command],
            check=True, env=outside,
        )  # fmt: skip

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the program and its terminal."""
        self._tmux("kill-server", check=False)
        self._scratch.cleanup()

    def press(self, *keys: str) -> None:
        """Press keys: a character, ``enter``, ``ctrl+p``."""
        for key in keys:
            name = f"C-{key[5:]}" if key.startswith("ctrl+") else _NAMES.get(key)
            self._tmux("send-keys", *([name] if name else ["-l", key]))
            if key == "escape":
                time.sleep(_ESCAPE_SECONDS)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    def paste(self, text: str) -> None:
        """Paste a text as a terminal does when a file is dropped on it."""
        self._tmux("set-buffer", text)
        self._tmux("paste-buffer", "-p")

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self) -> str:
        """Return what stands on the screen."""
        return self._tmux("capture-pane", "-p")

    def coloured(self) -> str:
        """Return what stands on the screen with its colours as escape sequences."""
        return self._tmux("capture-pane", "-p", "-e", "-N")

    def wait_for(
        self, wanted: str | Callable[[str], bool], seconds: float = 60.0, *, settle: float = 0.0
    ) -> str:
        """Wait until a text stands on the screen, or a test of it holds, and return the screen.

        Raises
        ------
        TimeoutError
            With the screen that is there instead.
        """
        holds = (lambda screen: wanted in screen) if isinstance(wanted, str) else wanted
        until = time.monotonic() + seconds
        while not holds(screen := self.text()):
            if time.monotonic() > until:
                raise TimeoutError(f"waited {seconds:g} s for {wanted!r}; the screen:\n{screen}")
            time.sleep(_POLL_SECONDS)
        if settle:
            time.sleep(settle)
            screen = self.text()
        return screen

    def state(self, what: str) -> str:
        """Return what tmux knows: ``alternate_on``, ``mouse_any_flag``, ``cursor_flag``, ``pane_width``."""
        return self._tmux("display-message", "-p", f"#{{{what}}}").strip()

    @property
    def pid(self) -> int:
        """Process of the program."""
        shell = self.state("pane_pid")
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text(encoding="ascii").split()[0])

    @property
    def is_over(self) -> bool:
        """Whether the program has ended."""
        return self._status.exists()

    def wait_until_over(self, seconds: float = 60.0) -> int:
        """Wait for the program's end and return its exit status; a signal counts as 128 and its number."""
        until = time.monotonic() + seconds
        while not self.is_over:
            if time.monotonic() > until:
                raise TimeoutError(f"still runs after {seconds:g} s; the screen:\n{self.text()}")
            time.sleep(_POLL_SECONDS)
        return int(self._status.read_text(encoding="ascii"))

    def svg(self, title: str) -> str:
        """Return the screen as a picture."""
        from rich.console import Console
        from rich.terminal_theme import TerminalTheme
        from rich.text import Text

        lines = self.coloured().rstrip("\n").split("\n")
        width = int(self.state("pane_width"))
        console = Console(
            record=True, width=width, height=len(lines), file=io.StringIO(), force_terminal=True,
            color_system="truecolor", legacy_windows=False,
        )  # fmt: skip
        for line in lines:
            text = Text.from_ansi(line, no_wrap=True, overflow="crop")
            text.truncate(width, pad=True)
            console.print(text, soft_wrap=True)
        theme = TerminalTheme(
            (18, 18, 18), (224, 224, 224),
            [(18, 18, 18), (213, 94, 0), (86, 180, 233), (240, 228, 66), (86, 180, 233), (204, 121, 167),
             (86, 180, 233),
             (224, 224, 224)],
        )  # fmt: skip
        return console.export_svg(title=title, theme=theme)

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *arguments], check=check, capture_output=True, text=True
        )
        return done.stdout
