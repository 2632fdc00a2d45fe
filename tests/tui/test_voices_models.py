"""Voices of other programs on the Voices screen: taken in, refused, and written as files again."""

import hashlib
import json
import zipfile

import pytest
from community_models import save, small_model
from model_files import stand_in
from studio_stage import lines, on_stage, text, until
from textual.events import Paste
from textual.widgets import Input
from voices_stage import FAILED, FINISHED, requests, tells, voice, voices_screen

from covermaker.jobs.launch import COMMAND
from covermaker.tui.ask import AskName
from covermaker.tui.picker import SongPicker
from covermaker.tui.voices_models_ask import ModelAsk
from covermaker.tui.voices_panes import VoiceList
from covermaker.voices.card import NetworkPart, read_card, write_card
from covermaker.voices.community.take_in import Wishes, take_in


@pytest.fixture(autouse=True)
def own_voices(tmp_path, monkeypatch):
    """Keep the user's voices and logs out of every test."""
    root = tmp_path / "voices"
    root.mkdir()
    monkeypatch.setenv("COVERMAKER_VOICES", str(root))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return root


def shown(app):
    """Return the words of the screen in one line, without frames."""
    return " ".join(text(app).replace("│", " ").split())


async def form_of(file, app, pilot):
    """Drop a model; returns the form that asks what it is to be called."""
    app.screen.post_message(Paste(str(file)))
    await until(pilot, lambda: isinstance(app.screen, ModelAsk))
    return app.screen


@on_stage
async def test_a_model_is_chosen_named_and_taken_in(library, own_voices, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    stand_in(tmp_path / "models" / "Hatsune Miku.pth")
    (tmp_path / "models" / "song.wav").write_bytes(b"RIFF")
    told = {**FINISHED, "result": {"notes": ["nobody has said whose", "to sing, it needs contentvec"]}}
    tells(own_voices, "import-voice", told)
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, SongPicker))
        assert "A voice of RVC or so-vits-svc" in text(app)
        await pilot.press(*"models/Hatsune Miku.pth")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ModelAsk))
        assert "A voice from Hatsune Miku.pth" in text(app)
        assert "(*) unknown: nobody has said" in text(app)
        assert "( ) own-voice: my own voice" in text(app)
        form = app.screen
        assert form.query_one("#name", Input).value == "hatsune-miku"
        form.query_one("#name", Input).value = "demo"
        form.answer()
        await until(pilot, lambda: "there is a voice 'demo' already" in text(app))
        form.query_one("#name", Input).value = "miku"
        form.answer()
        await until(pilot, lambda: app.screen is screen and requests(own_voices))
        assert requests(own_voices) == [
            {
                "job": "import-voice", "voice": str(own_voices / "miku"), "name": "miku", "rights": "unknown",
                "path": str(tmp_path / "models" / "Hatsune Miku.pth"), "statement": "",
            }
        ]  # fmt: skip
        await until(pilot, lambda: "miku: taken in. to sing, it needs contentvec" in lines(app)[-2])


@on_stage
async def test_rights_that_somebody_grants_need_a_sentence(library, own_voices, tmp_path):
    stand_in(tmp_path / "miku.zip")
    async with voices_screen(library) as (_, app, pilot):
        form = await form_of(tmp_path / "miku.zip", app, pilot)
        await pilot.press("enter", "down", "space")
        assert "(*) own-voice" in text(app)
        form.answer()
        await until(pilot, lambda: "'own-voice' needs a sentence: who agreed, to what" in shown(app))
        await pilot.press(*"I am.", "enter")
        await until(pilot, lambda: requests(own_voices))
        assert [requests(own_voices)[0][name] for name in ("rights", "statement")] == ["own-voice", "I am."]
        assert app.screen is not form


@on_stage
async def test_a_model_that_is_refused_brings_the_form_back(library, own_voices, tmp_path):
    stand_in(tmp_path / "miku.pth")
    refused = {**FAILED, "message": "miku.pth is more than weights", "hint": "nothing of it was run"}
    tells(own_voices, "import-voice", refused)
    async with voices_screen(library) as (screen, app, pilot):
        first = await form_of(tmp_path / "miku.pth", app, pilot)
        first.query_one("#name", Input).value = "rin"
        first.answer()
        await until(pilot, lambda: isinstance(app.screen, ModelAsk) and app.screen is not first)
        assert "miku.pth is more than weights: nothing of it was run" in shown(app)
        assert app.screen.query_one("#name", Input).value == "rin"
        await pilot.press("escape")
        assert app.screen is screen


@on_stage
async def test_only_a_voice_with_a_network_of_another_program_is_written(
    library, own_voices, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    voice(own_voices, "anna")
    guest = voice(own_voices, "guest", takes=False, training=False)
    card = read_card(guest)
    write_card(card.model_copy(update={"network": NetworkPart(kind="vits", config={"family": "rvc"})}), guest)
    written = [str(tmp_path / "o" / name) for name in ("a", "b")]
    tells(own_voices, "export-voice", {**FINISHED, "result": {"files": written, "notes": []}})
    async with voices_screen(library, at="anna") as (screen, app, pilot):
        await pilot.press("E")
        assert "Export: its network is Covermaker's own: T trains RVC's, I imports" in lines(app)[-2]
        await pilot.press("down")
        await until(pilot, lambda: screen.whole.row.name == "guest")
        await pilot.press("E")
        await until(pilot, lambda: isinstance(app.screen, AskName))
        assert "Write 'guest' as files of RVC into the folder:" in text(app)
        field = app.screen.query_one(Input)
        assert field.value.endswith("guest-rvc")
        field.value = str(own_voices)
        await pilot.press("enter")
        await until(pilot, lambda: "is there already, and not empty" in shown(app))
        field.value = str(tmp_path / "out")
        await pilot.press("enter")
        await until(pilot, lambda: requests(own_voices))
        assert requests(own_voices) == [
            {"job": "export-voice", "voice": str(guest), "program": "rvc", "out": str(tmp_path / "out")}
        ]
        await until(pilot, lambda: app.last_words() == (f"guest: 2 files written to {tmp_path}/o", "done"))


@on_stage
async def test_an_import_can_be_cancelled(library, own_voices, tmp_path):
    stand_in(tmp_path / "miku.pth")
    tells(own_voices, "import-voice", '{"event": "step.started", "name": "import", "key": ""}', "!stay")
    voice(own_voices, "miku", card=False, training=False)
    async with voices_screen(library, at="miku") as (screen, app, pilot):
        form = await form_of(tmp_path / "miku.pth", app, pilot)
        form._taken.clear()
        form.answer()
        await until(pilot, lambda: screen.busy("import-voice") and screen.busy("import-voice").current)
        await pilot.press("c")
        await until(pilot, lambda: screen.job("import-voice").is_over)


@on_stage
async def test_a_real_model_is_taken_in_and_shown(library, own_voices, tmp_path):
    """With the real child: a file as RVC writes it is a voice on the screen, and files again."""
    model = save(tmp_path / "miku.pth", small_model())
    async with voices_screen(library, size=(120, 40)) as (screen, app, pilot):
        app.runner._command = COMMAND
        (await form_of(model, app, pilot)).answer()
        await until(pilot, lambda: (own_voices / "miku" / "card.toml").exists(), seconds=60)
        await until(pilot, lambda: screen.whole is not None and screen.whole.row.name == "miku")
        await until(pilot, lambda: "imported: RVC v2" in text(app))
        for words in ("rights  unknown", "A2 to A4, median A3", "(assumed)", "contentvec-768l12"):
            assert words in text(app)
        assert screen.query_one(VoiceList).selected == own_voices / "miku"
        await pilot.press("E")
        await until(pilot, lambda: isinstance(app.screen, AskName))
        app.screen.query_one(Input).value = str(tmp_path / "out")
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "out" / "miku.pth").exists(), seconds=60)
    assert take_in(Wishes(tmp_path / "out" / "miku.pth", name="again")).card.network.kind == "vits"


@on_stage
async def test_what_is_no_model_is_refused_before_anything_is_asked(library, own_voices, tmp_path):
    (tmp_path / "notes.pth").write_text("only words")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a.jpg", b"x")
    async with voices_screen(library) as (screen, app, pilot):
        for name in ("notes.pth", "photos.zip"):
            app.screen.post_message(Paste(str(tmp_path / name)))
            await until(pilot, lambda name=name: lines(app)[-2].strip().startswith(name))
            assert app.screen is screen
    assert not requests(own_voices)


@on_stage
async def test_what_was_said_beside_a_model_is_suggested(library, own_voices, tmp_path):
    model = stand_in(tmp_path / "miku.pth")
    said = {
        "schema": 1, "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "rights": "own-voice", "statement": "I am the singer.",
    }  # fmt: skip
    (tmp_path / "miku.covermaker.json").write_text(json.dumps(said))
    async with voices_screen(library) as (_, app, pilot):
        form = await form_of(model, app, pilot)
        await until(pilot, lambda: "(*) own-voice" in text(app))
        assert "Whose voice is it? (as the file beside it says)" in shown(app)
        assert form.query_one("#statement", Input).value == "I am the singer."
        form.answer()
        await until(pilot, lambda: requests(own_voices))
        assert [requests(own_voices)[0][name] for name in ("rights", "statement")] == [
            "own-voice", "I am the singer.",
        ]  # fmt: skip
