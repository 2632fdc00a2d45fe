"""What of a song is heard in the library, and how loud; without an audio process."""

import asyncio
from pathlib import Path

from studio_stage import Player, on_stage, state

from covermaker.play.messages import Died, Position, Problem
from covermaker.render.hearable import Hearable, hearable_of
from covermaker.render.state import Output
from covermaker.tui.library_sound import LibrarySound
from covermaker.tui.listening import Ears


def sound(said):
    return LibrarySound(Path("x"), Ears("none", 15, lambda: None, lambda *words: said.append(words)))


async def settled():
    """Let what was begun be done."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_file_without_loss_is_heard_first_and_the_song_where_there_is_no_render():
    outputs = tuple(Output(Path(name), 5.0, 1) for name in ("a.mp3", "b.wav"))
    found = hearable_of(Path("x"), state("done", song=Path("s.mp3"), outputs=outputs))
    assert (found.first, found.original, found.made) == (Path("b.wav"), Path("s.mp3"), 5.0)
    assert hearable_of(Path("x"), state("new", song=Path("s.mp3"))).first == Path("s.mp3")
    assert hearable_of(Path("x"), None).first is None


SONG = Hearable(Path("x"), Path("c.wav"), Path("s.wav"))
OTHER = Hearable(Path("y"), None, Path("t.wav"))


@on_stage
async def test_another_song_begins_and_the_same_one_pauses(player):
    one = sound([])
    one.play_or_pause(SONG)
    await settled()
    assert [told[0] for told in player.made.told] == ["load", "switch", "play"]
    one.play_or_pause(SONG)
    one.louder(-1)
    one.louder(5)
    one.move(-1)
    await settled()
    assert player.made.told[3:] == [("pause",), ("gains", -3.0, -3.0), ("gains", 0.0, 0.0), ("seek", 0.0)]
    player.made.position = Position(12.0, True, "b")
    assert one.words == "► 0:12 of 1:00  original"
    one.play_at(OTHER, 7.0)
    await settled()
    assert player.made.loads[-1][1] == 7.0
    assert player.made.names[-1] == ("t.wav", "t.wav")


@on_stage
async def test_a_song_that_cannot_be_loaded_is_not_heard_as_another_one(player):
    said = []
    one = sound(said)
    one.play_or_pause(SONG)
    await settled()
    player.made.broken = {"t.wav"}
    one.play_or_pause(OTHER)
    await settled()
    assert said == [("sound: no sound in it", "failed")]
    assert not player.made.playing
    assert [told[0] for told in player.made.told].count("play") == 1
    assert (one.heard, one.words) == (None, "")
    one.play_or_pause(SONG)
    await settled()
    assert player.made.playing
    assert one.heard is SONG


@on_stage
async def test_a_song_that_is_being_loaded_can_be_paused_and_is_overtaken_by_another(player, monkeypatch):
    loading, load = asyncio.Event(), Player.load

    async def slowly(self, *files, **more):
        await loading.wait()
        await load(self, *files, **more)

    monkeypatch.setattr(Player, "load", slowly)
    one = sound([])
    one.play_or_pause(SONG)
    await settled()
    assert one.is_on
    one.pause()  # another screen begins to play
    loading.set()
    await settled()
    assert not player.made.playing
    assert ("play",) not in player.made.told
    loading.clear()
    one.play_or_pause(SONG)
    one.play_or_pause(OTHER)
    loading.set()
    await settled()
    assert player.made.playing
    assert (one.heard, player.made.names[-1][0]) == (OTHER, "t.wav")


@on_stage
async def test_what_goes_wrong_is_said(player):
    said = []
    one = sound(said)
    one._heard(Problem("no sound"))
    one.heard = SONG
    one._heard(Died("the audio process ended", "a.log"))
    assert one.heard is SONG  # the next play goes on with it
    assert said == [("sound: no sound", "failed"), ("the audio process ended; log: a.log", "failed")]
