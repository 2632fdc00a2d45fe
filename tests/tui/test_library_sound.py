"""What of a song is heard in the library, and how loud; without an audio process."""

import asyncio
from pathlib import Path

from studio_stage import on_stage, state

from covermaker.play.messages import Died, Position, Problem
from covermaker.render.state import Output
from covermaker.tui.library_sound import Heard, LibrarySound, heard_of
from covermaker.tui.listening import Ears


class Silent:
    """Stands for the player: keeps what it was told."""

    def __init__(self):
        self.told, self.position, self.length_seconds = [], Position(0.0, False, "a"), 60.0

    playing = property(lambda self: self.position.playing)
    hearing = property(lambda self: self.position.hearing)

    def __getattr__(self, name):
        async def command(*arguments, **named):
            self.told.append((name, *arguments, *named.values()))

        return command


def sound(said):
    made = LibrarySound(Path("x"), Ears("none", 15, lambda: None, lambda *words: said.append(words)))
    made.player = Silent()
    return made


def test_a_file_without_loss_is_heard_first_and_the_song_where_there_is_no_render():
    outputs = tuple(Output(Path(name), 5.0, 1) for name in ("a.mp3", "b.wav"))
    found = heard_of(Path("x"), state("done", song=Path("s.mp3"), outputs=outputs))
    assert (found.first, found.original, found.made) == (Path("b.wav"), Path("s.mp3"), 5.0)
    assert heard_of(Path("x"), state("new", song=Path("s.mp3"))).first == Path("s.mp3")
    assert heard_of(Path("x"), None).first is None


@on_stage
async def test_another_song_begins_and_the_same_one_pauses():
    one = sound([])
    song = Heard(Path("x"), Path("c.wav"), Path("s.wav"))
    one.play_or_pause(song)
    await asyncio.sleep(0)
    assert [told[0] for told in one.player.told] == ["load", "switch", "play"]
    one.play_or_pause(song)
    one.louder(-1)
    one.louder(5)
    one.move(-1)
    await asyncio.sleep(0)
    assert one.player.told[3:] == [
        ("toggle",),
        ("set_gains", -3.0, -3.0),
        ("set_gains", 0.0, 0.0),
        ("seek", 0.0),
    ]
    one.player.position = Position(12.0, True, "b")
    assert one.words == "► 0:12 of 1:00  original"
    one.play_at(Heard(Path("y"), None, Path("t.wav")), 7.0)
    await asyncio.sleep(0)
    assert one.player.told[7][-1] == 7.0
    assert one.words == "► 0:12 of 1:00  original"


def test_what_goes_wrong_is_said():
    said = []
    one = sound(said)
    one._heard(Problem("no sound"))
    one._heard(Died("the audio process ended", "a.log"))
    assert said == [("sound: no sound", "failed"), ("the audio process ended; log: a.log", "failed")]
