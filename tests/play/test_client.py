"""The app's side: starts late, survives the process, never waits for it."""

import asyncio
import os
import signal

from covermaker.audio.files import read
from covermaker.play.client import Files, Player
from covermaker.play.messages import Device, Died, Loaded, Position


class Listener:
    """Keeps what was told and lets a test wait for the next of a kind."""

    def __init__(self):
        self.said, self.news = [], asyncio.Event()

    def __call__(self, message):
        self.said.append(message)
        self.news.set()

    async def until(self, kind, test=lambda message: True, limit=15.0):
        seen = 0
        async with asyncio.timeout(limit):
            while True:
                for message in self.said[seen:]:
                    seen += 1
                    if isinstance(message, kind) and test(message):
                        del self.said[:seen]
                        return message
                self.news.clear()
                await self.news.wait()


def play(tmp_path, story, device="none"):
    async def run():
        listener = Listener()
        player = Player(listener, log=tmp_path / "audio.log", device=device, fps=60)
        try:
            await story(player, listener)
        finally:
            await player.close()

    asyncio.run(run())


def test_it_starts_when_first_needed_and_knows_where_the_sound_is(tmp_path, tapes):
    async def story(player, listener):
        assert player.pid is None
        await player.load(Files(*tapes), start_seconds=1.0)
        assert (await listener.until(Loaded)).seconds == 3.0
        assert player.pid
        await player.toggle()
        await listener.until(Position, lambda message: message.seconds > 1.1)
        assert player.playing
        await player.switch()
        await listener.until(Position, lambda message: message.hearing == "b")
        await player.toggle()
        await listener.until(Position, lambda message: not message.playing)
        assert player.hearing == "b"
        assert player.length_seconds == 3.0

    play(tmp_path, story)


def test_after_a_kill_the_next_command_goes_on_where_it_was(tmp_path, tapes):
    async def story(player, listener):
        await player.load(Files(*tapes), start_seconds=1.0, loop=(0.9, 2.0))
        await player.switch("b")
        await player.play()
        at = await listener.until(Position, lambda message: message.seconds > 1.1)
        first = player.pid
        os.kill(first, signal.SIGKILL)
        died = await listener.until(Died)
        assert "SIGKILL" in died.message
        assert died.log == str(tmp_path / "audio.log")
        assert not player.playing
        assert player.pid is None
        await player.play()
        again = await listener.until(Position, lambda message: message.playing and message.hearing == "b")
        assert at.seconds <= again.seconds < 2.0
        assert player.pid not in (None, first)

    play(tmp_path, story)


def test_no_device_is_a_sentence_and_no_playing(tmp_path, tapes):
    async def story(player, listener):
        await player.load(Files(tapes[0]))
        await player.play()
        device = await listener.until(Device)
        assert device.name is None
        assert "no audio device" in device.words
        assert not player.playing
        await player.set_device("none")
        assert (await listener.until(Device)).name == "none"
        await player.play()
        await listener.until(Position, lambda message: message.playing)

    play(tmp_path, story, device="a card that is not there")


def test_closing_finishes_the_file_and_starts_nothing(tmp_path, tapes):
    async def story(player, listener):
        await player.load(Files(tapes[0]))
        await player.play()
        await listener.until(Position, lambda message: message.seconds > 0.2)
        await player.close()
        await player.play()
        assert player.pid is None
        assert not [message for message in listener.said if isinstance(message, Died)]

    play(tmp_path, story, device=f"file:{tmp_path / 'heard.wav'}")
    assert read(tmp_path / "heard.wav").frames > 8000
