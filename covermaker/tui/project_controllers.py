"""A MIDI controller on the faders of the open project: heard on a thread, done here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textual import on
from textual.message import Message

from covermaker.errors import UsageError
from covermaker.play.midi import Control, Listener
from covermaker.tui.controllers import Controllers, Moved
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_voice import VoiceChoosing

if TYPE_CHECKING:
    from textual.timer import Timer

# A fader sends a hundred values a second; so often they are taken over.
_EVERY_SECONDS: Final = 0.03
# So long after the last of them the value is saved.
_SETTLED_SECONDS: Final = 0.4


class Controlled(VoiceChoosing, inherit_bindings=False):
    """A screen of a project whose values a controller moves, if the settings name one."""

    @dataclass
    class Heard(Message):
        """A controller was moved."""

        move: Control

    @dataclass
    class Lost(Message):
        """The controller is not heard any more."""

        words: str

    def __init__(self) -> None:
        super().__init__()
        self._listener: Listener | None = None
        self._controllers: Controllers | None = None
        self._moves: dict[str, Any] = {}  # not shown yet
        self._moved: dict[str, Any] = {}  # not saved yet
        self._settling: Timer | None = None
        self._said = ""

    def on_mount(self) -> None:
        """Begin to listen."""
        wanted = self.app.settings.midi
        if wanted.port:
            self._controllers = Controllers(wanted)
            self._listener = Listener(
                wanted.port,
                lambda control: self.tell(self.Heard(control)),
                lambda error: self.tell(self.Lost(str(error))),
            )
            self._listener.start()

    def tell(self, message: Message) -> None:
        """Take a message from the listening thread."""
        self.post_message(message)

    async def on_unmount(self) -> None:
        """End the thread with the screen."""
        if self._listener is not None:
            self._listener.close()

    @on(Lost)
    def _lost(self, message: Lost) -> None:
        self.app.say(f"MIDI: {message.words}", "failed")

    @on(Heard)
    def _heard(self, message: Heard) -> None:
        project = self.edits.project
        if project is None or self._controllers is None:
            return
        unsaved = {**self._unsaved, **self._moves}
        try:
            found = self._controllers.take(message.move, project.document.values, unsaved)
        except UsageError as error:
            self._say_once(f"controller {message.move.number}: {error}", "stale")
            return
        if isinstance(found, Moved):
            self._said = ""
            if not self._moves:
                self.set_timer(_EVERY_SECONDS, self._flush_moves)
            self._moves[found.place] = found.value
        elif found is not None:
            self._say_once(found.words)

    def _say_once(self, words: str, tone: str = "quiet") -> None:
        """Say something that would be said a hundred times a second."""
        if words != self._said:
            self._said = words
            self.app.say(words, tone)

    def _flush_moves(self) -> None:
        """Show and hear what was moved; save it when nothing moves any more."""
        moves, self._moves = self._moves, {}
        for place, value in moves.items():
            self.query_one(Mixer).show_value(place, value)
            self.post_message(Mixer.Wanted(place, value, settled=False))
        self._moved.update(moves)
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLED_SECONDS, self._settle)

    def _settle(self) -> None:
        moved, self._moved = self._moved, {}
        for place, value in moved.items():
            self.post_message(Mixer.Wanted(place, value))
