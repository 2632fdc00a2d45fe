"""Voices that came from elsewhere on the Voices screen: dropped, shown, heard on the open song, thrown away."""

import shutil

import pytest
from model_files import stand_in
from studio_stage import lines, on_stage, preview, project, text, until, wishes
from textual.events import Paste
from textual.widgets import Input
from textual_fspicker.parts.directory_navigation import DirectoryNavigation
from voices_stage import FAILED, FINISHED, requests, tells, voice, voices_screen

from covermaker.tui import voices_hearing
from covermaker.tui.picker import SongPicker
from covermaker.tui.voices_ask import ChooseAsk, NewVoiceAsk
from covermaker.tui.voices_models_ask import ModelAsk
from covermaker.tui.voices_panes import Card, TakeList, VoiceList
from covermaker.voices.card import NetworkPart, read_card, write_card


@pytest.fixture(autouse=True)
def own_voices(tmp_path, monkeypatch):
    """Keep the user's voices and logs out of every test."""
    root = tmp_path / "voices"
    root.mkdir()
    monkeypatch.setenv("COVERMAKER_VOICES", str(root))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return root


def imported(root, name="guest"):
    """Make a voice as an import leaves it."""
    folder = voice(root, name, takes=False, training=False)
    card = read_card(folder)
    write_card(
        card.model_copy(update={"network": NetworkPart(kind="vits", config={"family": "rvc"})}), folder
    )
    return folder


def files(folder, *names):
    """Make files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        stand_in(folder / name)
    return folder


async def drop(app, *paths):
    """Drop files."""
    app.screen.post_message(Paste("\n".join(map(str, paths))))


# What is dropped


@on_stage
async def test_a_folder_with_a_model_and_no_recording_is_imported(library, tmp_path):
    folder = files(tmp_path / "gwen_44k", "G_2400.pth", "D_2400.pth", "config.json", "kmeans_10000.pt")
    async with voices_screen(library) as (_, app, pilot):
        await drop(app, folder)
        await until(pilot, lambda: isinstance(app.screen, ModelAsk))
        assert "A voice from gwen_44k" in text(app)


@on_stage
async def test_a_model_that_is_dropped_with_what_belongs_to_it_is_one_voice(library, own_voices, tmp_path):
    files(tmp_path, "miku.pth", "added_IVF.index")
    async with voices_screen(library) as (_, app, pilot):
        await drop(app, tmp_path / "miku.pth", tmp_path / "added_IVF.index")
        await until(pilot, lambda: isinstance(app.screen, ModelAsk))
        app.screen.answer()
        await until(pilot, lambda: requests(own_voices))
        asked = requests(own_voices)[0]
        assert asked["path"] == str(tmp_path / "miku.pth")
        assert asked["index"] == str(tmp_path / "added_IVF.index")


@on_stage
async def test_of_several_models_one_is_chosen(library, tmp_path):
    files(tmp_path, "miku.pth", "rin.zip")
    async with voices_screen(library) as (_, app, pilot):
        await drop(app, tmp_path / "rin.zip", tmp_path / "miku.pth")
        await until(pilot, lambda: isinstance(app.screen, ChooseAsk))
        assert "2 models: which one?" in text(app)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ModelAsk))
        assert "A voice from rin.zip" in text(app)


@on_stage
async def test_what_is_neither_recording_nor_model_is_refused_at_once(library, tmp_path):
    files(tmp_path / "notes", "readme.txt")
    files(tmp_path, "added.index")
    async with voices_screen(library, size=(120, 40)) as (screen, app, pilot):
        await drop(app, tmp_path / "notes")
        await until(
            pilot, lambda: "notes: there is neither a recording nor a voice's model" in lines(app)[-2]
        )
        await drop(app, tmp_path / "added.index")
        await until(pilot, lambda: "an index alone is no voice: drop its .pth file" in lines(app)[-2])
        assert app.screen is screen


@on_stage
async def test_a_folder_with_recordings_and_a_model_is_of_recordings(library, tmp_path):
    folder = files(tmp_path / "both", "one.wav", "old.pth")
    async with voices_screen(library) as (_, app, pilot):
        await drop(app, folder)
        await until(pilot, lambda: isinstance(app.screen, NewVoiceAsk))


@on_stage
async def test_one_recording_that_is_dropped_is_one_recording(library, own_voices, tmp_path):
    files(tmp_path / "songs", "one.wav", "two.wav")
    async with voices_screen(library) as (_, app, pilot):
        await drop(app, tmp_path / "songs" / "one.wav")
        await until(pilot, lambda: isinstance(app.screen, NewVoiceAsk))
        assert "[ ] all 2 recordings of its folder" in text(app)
        assert app.screen.query_one("#name", Input).value == "one"
        await pilot.press("tab", "down", "space")
        app.screen.query_one("#statement", Input).value = "I am."
        app.screen.answer()
        await until(pilot, lambda: requests(own_voices))
        assert requests(own_voices)[0]["paths"] == [str(tmp_path / "songs" / "one.wav")]


# What the picker takes


@on_stage
async def test_a_typed_folder_with_a_model_is_taken(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files(tmp_path / "gwen", "G_1.pth", "config.json")
    files(tmp_path / "empty", "readme.txt")
    async with voices_screen(library) as (_, app, pilot):
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, SongPicker))
        assert "= This folder" in lines(app)[-1]
        await pilot.press(*"empty", "enter")  # any other folder is opened
        listing = app.screen.query_one(DirectoryNavigation)
        await until(pilot, lambda: listing.location.name == "empty")
        await pilot.press(*"../gwen", "enter")
        await until(pilot, lambda: isinstance(app.screen, ModelAsk))
        assert "A voice from gwen" in text(app)


@on_stage
async def test_the_folder_that_is_open_is_taken_with_a_key(library, tmp_path, monkeypatch):
    monkeypatch.chdir(files(tmp_path / "gwen", "G_1.pth"))
    async with voices_screen(library) as (_, app, pilot):
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, SongPicker))
        await pilot.press("=")
        await until(pilot, lambda: isinstance(app.screen, ModelAsk))
        assert "A voice from gwen" in text(app)


@on_stage
async def test_the_field_of_the_path_has_the_width_of_a_narrow_window(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with voices_screen(library) as (_, app, pilot):
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, SongPicker))
        await until(pilot, lambda: app.screen.query_one(Input).region.width >= 66)
        buttons = [app.screen.query_one(name).region for name in ("#select", "#cancel", "Select")]
        assert all(region.area and region.bottom <= 23 and region.right <= 79 for region in buttons)
        assert app.screen.query_one(DirectoryNavigation).size.height >= 5


# What is shown


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@on_stage
async def test_an_imported_voice_is_its_card_and_the_keys_of_its_own(library, own_voices, size):
    imported(own_voices)
    voice(own_voices, "anna")
    async with voices_screen(library, size=size, at="guest") as (screen, app, pilot):
        await until(pilot, lambda: "I Import  E Export" in lines(app)[-1])
        for words in ("T Train", "Add takes", "Promote"):
            assert words not in lines(app)[-1]
        assert [pane.id for pane in screen.panes()] == ["list", "card"]
        shown = screen.query_one(Card).region
        assert shown.width + screen.query_one(VoiceList).region.width == size[0]
        assert shown.height == screen.query_one(VoiceList).region.height == size[1] - 3
        await pilot.press("tab")
        assert screen.pane() is screen.query_one(Card)
        await pilot.press("tab")
        assert screen.pane() is screen.query_one(VoiceList)
        await pilot.press("i")
        await until(pilot, lambda: "Add takes: its takes are not here" in lines(app)[-2])
        assert "{voices.import-model} takes in a model" in screen.no_import()
        listing = screen.query_one(VoiceList)
        listing.cursor = next(i for i, one in enumerate(listing.items) if one.name == "anna")
        await until(pilot, lambda: screen.whole.row.name == "anna" and "T Train" in lines(app)[-1])
        assert "E Export" not in lines(app)[-1]
        assert "takes" in [pane.id for pane in screen.panes()]
        if size == (120, 40):
            await until(pilot, lambda: screen.query_one(TakeList).region.area > 0)


# What is refused


@on_stage
async def test_a_refused_import_is_told_once_where_it_is_asked_for(library, own_voices, tmp_path):
    files(tmp_path, "miku.pth")
    tells(own_voices, "import-voice", {**FAILED, "message": "it is more than weights", "hint": "not run"})
    async with voices_screen(library, size=(120, 40)) as (screen, app, pilot):
        await drop(app, tmp_path / "miku.pth")
        await until(pilot, lambda: isinstance(app.screen, ModelAsk))
        first = app.screen
        first.answer()
        await until(pilot, lambda: isinstance(app.screen, ModelAsk) and app.screen is not first)
        await pilot.pause()
        assert text(app).count("it is more than weights") == 1
        assert app.last_words() == ("", "")
        assert list(app.screen.query("Toast")) == []
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert "more than weights" not in text(app)
        assert any("it is more than weights" in line.text for line in app.board.log)


# What is heard


@on_stage
async def test_an_imported_voice_is_heard_on_the_open_song(library, own_voices, states, player, monkeypatch):
    monkeypatch.setattr(voices_hearing, "COMMAND", preview())
    imported(own_voices)
    song = project(library, "harbor")
    for name in ("live.wav", "song.wav"):
        (song / name).write_bytes(b"RIFF")
    async with voices_screen(library, at="guest") as (screen, app, pilot):
        await pilot.press("space")
        await until(
            pilot, lambda: "Play: open a song first, and it sings a stretch of that" in lines(app)[-2]
        )
        app.project = song
        await pilot.press("space")
        await until(pilot, lambda: screen.trial is not None and screen.trial.player.playing)
        asked = wishes(song)
        assert asked.count('"what": "sung"') == 2
        assert '"voice.name": "guest"' in asked.splitlines()[1]
        assert "voice.name" not in asked.splitlines()[0]
        await until(pilot, lambda: "B: with guest" in text(app))
        await pilot.press("a")
        await until(pilot, lambda: "A: as it is" in text(app))
        await pilot.press("space")
        await until(pilot, lambda: not screen.trial.is_on)
        await pilot.press("space")
        await until(pilot, lambda: screen.trial.player.playing)
        await pilot.press("1")
        await until(pilot, lambda: not screen.trial.is_on)


# What is thrown away


@on_stage
async def test_a_voice_goes_into_the_trash_and_comes_back(library, own_voices):
    folder = imported(own_voices)
    async with voices_screen(library, at="guest") as (screen, app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: not folder.exists() and "guest is in the trash" in lines(app)[-2])
        await until(pilot, lambda: screen.whole.row.name == "demo")
        await pilot.press("d")
        await until(pilot, lambda: "Remove: a shipped voice stays" in lines(app)[-2])
        await pilot.press("z")
        await until(pilot, lambda: folder.exists() and screen.whole.row.name == "guest")
        assert screen.undo_words() == ""
        await pilot.press("Z")
        await until(pilot, lambda: not folder.exists())
        await until(pilot, lambda: screen.undo_words() == "removed guest")
        await pilot.press("z")
        await until(pilot, lambda: (folder / "card.toml").exists())


@on_stage
async def test_a_voice_whose_place_is_taken_stays_in_the_trash(library, own_voices):
    folder = imported(own_voices)
    async with voices_screen(library, at="guest") as (screen, app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: not folder.exists() and screen.undo_words() == "removed guest")
        imported(own_voices)
        await pilot.press("z")
        await until(pilot, lambda: "exists already" in app.last_words()[0])
        assert screen.undo_words() == "removed guest"
        shutil.rmtree(folder)
        await pilot.press("z")
        await until(pilot, lambda: (folder / "card.toml").exists())


@on_stage
async def test_songs_that_need_a_removed_voice_are_named(library, own_voices, states):
    imported(own_voices)
    project(library, "harbor", voice="guest")
    tells(own_voices, "scan", FINISHED)
    async with voices_screen(library, at="guest") as (_, app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: "guest is in the trash; needed by Harbor" in lines(app)[-2])
