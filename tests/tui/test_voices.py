"""The Voices screen on a stage: takes, a training that is watched, checkpoints heard and promoted, what goes wrong."""

import json
import os
import threading
import time
from pathlib import Path

import pytest
from studio_stage import burst, lines, on_stage, project, state, studio, text, until
from textual.events import Paste
from textual.widgets import Input
from voices_stage import (
    FAILED,
    FINISHED,
    SAVED,
    STARTED,
    TRAINS,
    form_for,
    now_json,
    requests,
    sing,
    tells,
    voice,
    voices_screen,
)

from covermaker.errors import ResourceError
from covermaker.takes.create import find_audio
from covermaker.takes.document import read_takes
from covermaker.training.lock import alone_in
from covermaker.training.stopping import is_asked
from covermaker.tui import project_model, voices_takes
from covermaker.tui.voices_ask import NewVoiceAsk
from covermaker.tui.voices_panes import SaveList, TakeList, VoiceList
from covermaker.tui.voices_training import Training

SHOWN = ("anna", "✓ ready", "demo")


@pytest.fixture(autouse=True)
def own_voices(tmp_path, monkeypatch):
    """Keep the user's voices and logs out of every test."""
    root = tmp_path / "voices"
    root.mkdir()
    monkeypatch.setenv("COVERMAKER_VOICES", str(root))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return root


@pytest.fixture(autouse=True)
def equally_loud(monkeypatch):
    """Measure no recordings: they are empty files."""
    monkeypatch.setattr(project_model, "matching", lambda a, b: (-1.0, 0.0))


@on_stage
async def test_without_voices_it_names_the_key(library, monkeypatch, tmp_path):
    monkeypatch.setattr("covermaker.tui.voices_model.SHIPPED", tmp_path / "nothing")
    async with studio(library) as (app, pilot):
        await pilot.press("4")
        await until(pilot, lambda: app.screen.SCREEN == "voices" and app.screen.is_settled)
        await until(pilot, lambda: "No voices yet. + makes one from recordings" in text(app))
        await pilot.press("T")
        assert "Train: there is no voice yet: + makes one from recordings" in lines(app)[-2]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 45), (60, 24), (40, 10)])
def test_it_fits(library, own_voices, size):
    voice(own_voices)

    @on_stage
    async def run():
        async with voices_screen(library, size=size) as (screen, app, pilot):
            shown = text(app)
            for _ in screen.panes():
                rows = lines(app)
                assert all(len(row) == size[0] for row in rows)
                assert rows[-1].rstrip().endswith("? Help")
                await pilot.press("tab")
            if size[0] >= 80:
                assert all(words in shown for words in (*SHOWN, "trained: quick, 2 150 steps"))
            if size[0] >= 120:
                words = ("take-1", "! noisy", "F0CORR", "✓ voice, best", "rights", "synthetic", "trend")
                assert [word for word in words if word not in shown] == []

    run()


@on_stage
async def test_each_kind_of_voice_shows_what_says_most_of_it(library, own_voices):
    voice(own_voices, "anna")
    voice(own_voices, "ben", card=False, training=False, scan=False)
    (own_voices / "cora").mkdir()
    (own_voices / "cora" / "card.toml").write_text("rights = 3")
    voice(own_voices, "dora", status="running")
    async with voices_screen(library) as (screen, app, pilot):
        assert "trained: quick" in text(app)
        await pilot.press("down")
        await until(pilot, lambda: "ben: 3 takes" in text(app))
        assert "· only takes" in text(app)
        assert "s says how loud" in text(app)
        await pilot.press("down")
        await until(pilot, lambda: "cora: card" in text(app))
        assert "✗ damaged" in text(app)
        assert "'name' is" in text(app)
        await pilot.press("down")
        await until(pilot, lambda: "stopped: its last save is step 2 150" in text(app))
        await pilot.press("down")
        await until(pilot, lambda: "demo: card" in text(app))
        await pilot.press("T")
        assert "Train: a shipped voice has no takes: + makes one of yours" in lines(app)[-2]
        await pilot.press("enter")
        assert screen.pane().id == "card"
        await pilot.press("escape")
        assert screen.pane().id == "list"
        await pilot.press("escape")
        assert app.current_mode == "library"


@on_stage
async def test_a_take_is_left_out_and_comes_back(library, own_voices):
    folder = voice(own_voices)
    async with voices_screen(library) as (_, app, pilot):
        await pilot.press("tab", "down")
        assert "the voice is only 14 dB above the noise" in text(app)
        await pilot.press("o")
        await until(pilot, lambda: "- left out" in text(app))
        assert not read_takes(folder).takes[1].use
        assert "# evening" in (folder / "takes.toml").read_text()
        assert lines(app)[-2].split() == ["anna:", "take-2.wav", "left", "out", "z", "Undo"]
        await pilot.press("z")
        await until(pilot, lambda: "- left out" not in text(app))
        assert read_takes(folder).takes[1].use
        await pilot.press("Z")
        await until(pilot, lambda: "- left out" in text(app))
        await pilot.press("up", "o")
        await until(pilot, lambda: len(read_takes(folder).used) == 1)
        await pilot.press("down", "down", "o")
        await until(pilot, lambda: "no take of 'anna' would be left to train on" in lines(app)[-2])


@on_stage
async def test_scanning_is_a_job_that_can_be_cancelled(library, own_voices):
    voice(own_voices, training=False, card=False)
    tells(own_voices, "scan", STARTED.replace("clips", "scan"), "!stay")
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: screen.busy("scan") and screen.busy("scan").current)
        await until(pilot, lambda: "scan 0 %" in text(app))
        await pilot.press("s")
        assert "Scan: it is being scanned: c cancels" in lines(app)[-2]
        await pilot.press("c")
        await until(pilot, lambda: screen.busy("scan") is None)
        assert requests(own_voices)[0]["job"] == "scan"


@on_stage
async def test_training_asks_how_and_is_watched(library, own_voices):
    folder = voice(own_voices, card=False, training=False)
    tells(own_voices, "train", STARTED, TRAINS, "!stay")
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("T")
        assert "Train 'anna' from 3 takes?" in text(app)
        assert "about 11 minutes" in text(app)
        await pilot.press("y")
        await until(pilot, lambda: screen.job("train") and screen.job("train").current == "train")
        assert requests(own_voices)[0] == {
            "job": "train", "voice": str(folder), "device": "auto", "profile": "quick",
        }  # fmt: skip
        await until(pilot, lambda: "anna: 46 %, 5:12" in lines(app)[0])
        await pilot.press("T")
        assert "it is in training" in lines(app)[-2]
        await pilot.press("q")
        await until(pilot, lambda: "anna is in training: train 46 %, 5:12 left." in text(app))
        assert "has saved nothing yet" in text(app)
        await pilot.press("n", "X")
        assert "End the training of 'anna' at once?" in text(app)
        await pilot.press("y")
        await until(pilot, lambda: screen.job("train").is_over)
        assert screen.job("train").state == "stopped"


@pytest.mark.parametrize(("presses", "profile"), [(4, "rvc"), (5, "sovits")])
@on_stage
async def test_a_voice_for_users_of_other_programs_is_trained_and_what_is_missing_is_said(
    library, own_voices, tmp_path, monkeypatch, presses, profile
):
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path / "no-models"))
    voice(own_voices, card=False, training=False)
    tells(own_voices, "train", STARTED, TRAINS)
    async with voices_screen(library) as (_screen, app, pilot):
        await pilot.press("T")
        assert text(app).count("covermaker models pull contentvec") == 2
        await pilot.press(*["down"] * (presses - 1), "enter")
        await until(pilot, lambda: requests(own_voices))
        assert requests(own_voices)[0]["profile"] == profile


@on_stage
async def test_a_stopped_training_goes_on_or_begins_again(library, own_voices):
    voice(own_voices, status="running")
    async with voices_screen(library) as (screen, app, pilot):
        assert "- stopped" in text(app)
        await pilot.press("T")
        assert "go on exactly where it was saved, at step 2 150" in text(app)
        await pilot.press("y")
        await until(pilot, lambda: requests(own_voices))
        assert requests(own_voices)[0]["resume"] is True
        await until(pilot, lambda: screen.job("train").is_over)
        await pilot.press("T", "down", "down", "enter")
        await until(pilot, lambda: len(requests(own_voices)) == 2)
        assert (requests(own_voices)[1]["force"], requests(own_voices)[1]["profile"]) == (True, "quick")


@on_stage
async def test_a_trained_voice_is_not_trained_again_unasked(library, own_voices):
    voice(own_voices)
    async with voices_screen(library) as (_, app, pilot):
        await pilot.press("T")
        assert "'anna' is trained already." in text(app)
        await pilot.press("enter")  # the safe answer has the focus
        assert requests(own_voices) == []


@on_stage
async def test_a_training_that_runs_elsewhere_is_watched_and_asked_to_stop(library, own_voices):
    folder = voice(own_voices, status="running")
    work = folder / "training"
    old = time.time() - 60.0
    os.utime(work / "history.jsonl", (old, old))
    with alone_in(folder):
        (work / "now.json").write_text(now_json(told=time.time() - 45.0))
        async with voices_screen(library) as (_, app, pilot):
            assert "► training" in text(app)
            for words in (
                "training 46 %, 4:2", "no news for 4", "step 900  0.16 s a step  on cpu", "loss 0.512",
                "last save: step 2 150", "runs elsewhere: process 4711 on studio",
            ):  # fmt: skip
                assert words in text(app)
            (work / "now.json").write_text(now_json(told=time.time(), step=910))
            await until(pilot, lambda: "step 910" in text(app))
            assert "no news" not in text(app)
            await pilot.press("S")
            await until(pilot, lambda: is_asked(work))
            await until(pilot, lambda: "asked to stop: saves and ends after this step" in text(app))


@on_stage
async def test_s_lets_a_training_of_ours_save_and_end(library, own_voices):
    folder = voice(own_voices, status="running")
    tells(own_voices, "train", STARTED, TRAINS, SAVED)
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("T", "y")
        await until(pilot, lambda: screen.job("train") and screen.job("train").is_over)
        assert screen.job("train").state == "stopped"
        assert "anna: stopped at step 900: all of it is saved" in text(app)
        await pilot.press("S")
        assert "Stop: no training of this voice runs" in lines(app)[-2]
        assert not is_asked(folder / "training")


@pytest.mark.parametrize("how", ["S", "X"])
@pytest.mark.parametrize("reached", ["preparing", "unsaved", "saved"])
def test_the_end_of_a_training_says_what_is_lost_by_how_far_it_is(library, own_voices, reached, how):
    folder = voice(own_voices, card=False, status="running", kept=(2150,) if reached == "saved" else ())
    trains = [] if reached == "preparing" else [TRAINS]
    tells(own_voices, "train", STARTED, *trains, "!stay")
    phase = {"phase": "clips", "step": None} if reached == "preparing" else {}
    kept = {
        "preparing": "stopped, what was prepared is kept",
        "unsaved": "stopped, nothing was saved yet: its steps are lost, what was prepared is kept",
        "saved": "stopped, what came after its last save is lost",
    }[reached]

    @on_stage
    async def run():
        async with voices_screen(library, size=(120, 30)) as (screen, app, pilot):
            job = screen.submit("train", folder)
            step = "train" if trains else "clips"
            (folder / "training" / "now.json").write_text(now_json(told=time.time(), **phase))
            await until(pilot, lambda: job.current == step and screen.whole.watched.now is not None)
            await pilot.press("q")
            asked = {
                "preparing": "still prepares",
                "unsaved": "has saved nothing yet",
                "saved": "from its last save",
            }
            assert asked[reached] in " ".join(text(app).split())
            await pilot.press("n", how)
            if how == "X":
                assert ("S would save it first" in text(app)) == (reached != "preparing")
                await pilot.press("y")
            elif reached != "preparing":
                await until(pilot, lambda: is_asked(folder / "training"))
                app.runner.cancel(job)
            await until(pilot, lambda: job.is_over)
            assert f"anna: {kept}" in app.last_words()[0]
            assert not any("last save" in one.message for one in app._notifications if reached != "saved")

    with alone_in(folder):
        run()


@on_stage
async def test_a_failed_training_says_why_and_what_to_do(library, own_voices):
    voice(own_voices, card=False, training=False)
    failed = {**FAILED, "message": "the takes hold too little voice", "hint": "record more"}
    tells(own_voices, "train", STARTED, failed)
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("T", "y")
        await until(pilot, lambda: screen.job("train") and screen.job("train").is_over)
        await until(pilot, lambda: "✗ failed: the takes hold too little voice" in text(app))
        assert "next: record more" in text(app)


@on_stage
async def test_a_checkpoint_sings_first_and_then_plays(library, own_voices, player):
    folder = voice(own_voices)
    half = {"event": "step.progress", "name": "audition", "fraction": 0.5}
    tells(own_voices, "audition", half, "!stay")
    async with voices_screen(library) as (screen, app, pilot):
        screen.query_one(SaveList).cursor = 1
        await pilot.press("space")
        await until(pilot, lambda: screen.busy("audition") and screen.busy("audition").fraction > 0)
        assert "step 1 502 and 2 150 sings the test phrases first" in lines(app)[-2]
        assert "audition 50 %" in text(app)
        assert requests(own_voices)[0]["steps"] == [1502, 2150]
        sing(folder, 1502, 2150)
        await until(pilot, lambda: player.made is not None and player.made.loads)
        assert player.made.names == [("step-1502-sung.wav", "step-2150-sung.wav")]
        assert ("play",) in player.made.told
        await pilot.press("c")


@on_stage
async def test_checkpoints_are_compared_without_a_gap(library, own_voices, player):
    sing(voice(own_voices), 1502, 2150)
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("a")
        assert "A/B: nothing plays yet: space plays" in lines(app)[-2]
        await pilot.press("space")
        await until(pilot, lambda: player.made is not None and player.made.playing)
        assert player.made.names == [("step-2150-sung.wav", "singer-sung.wav")]  # nothing is better
        await pilot.press("a")
        await until(pilot, lambda: ("switch", None) in player.made.told)
        await pilot.press("b")
        await until(pilot, lambda: len(player.made.loads) == 2)
        assert player.made.names[-1] == ("step-2150-sung.wav", "source-sung.wav")
        assert player.made.loads[1][1] is None  # at the same place: no gap
        await pilot.press("t")
        assert "phrase: spoken" in lines(app)[-2]
        await until(pilot, lambda: player.made.names[-1][0] == "step-2150-spoken.wav")
        screen.go_to(screen.query_one(SaveList))
        await pilot.press("down", "v")
        assert screen.query_one(SaveList).marked == {1502}
        assert "marked" in text(app)
        await pilot.press("up", "space")
        await until(pilot, lambda: player.made.names[-1] == ("step-2150-spoken.wav", "step-1502-spoken.wav"))
        await pilot.press("space")
        await until(pilot, lambda: not player.made.playing)
        await pilot.press("down", "down", "space")
        assert "Play: the checkpoint of step 806 is not kept" in lines(app)[-2]


@on_stage
async def test_one_thing_sounds_at_a_time(library, own_voices, states, player):
    folder = voice(own_voices)
    song = project(library, "blue")
    states["blue"] = state("done", song=song / "song.wav")
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("space")  # it has to sing first
        await until(pilot, lambda: requests(own_voices))
        await pilot.press("1", "space")
        await until(pilot, lambda: app.library.sound.playing)
        sing(folder, 2150)
        await pilot.press("4")
        await until(pilot, lambda: screen.whole is not None and not screen._unsung())
        assert (screen.sound, app.library.sound.playing) == (None, True)  # the song was wanted since
        await pilot.press("space")
        await until(pilot, lambda: screen.sound is not None and screen.sound.player.playing)
        assert not app.library.sound.playing
        await pilot.press("1", "space")
        await until(pilot, lambda: app.library.sound.playing)
        assert not screen.sound.player.playing


@on_stage
async def test_a_recording_that_cannot_be_loaded_is_not_heard_as_another_one(library, own_voices, player):
    voice(own_voices)
    async with voices_screen(library) as (screen, app, pilot):
        screen.go_to(screen.query_one(TakeList))
        await pilot.press("space")
        await until(pilot, lambda: screen.sound is not None and screen.sound.player.playing)
        screen.sound.player.broken = {"take-2.wav"}
        await pilot.press("down", "space")
        await until(pilot, lambda: "sound: no sound in it" in lines(app)[-2])
        assert not screen.sound.player.playing
        assert screen.sound.pair is None


@on_stage
async def test_a_take_plays(library, own_voices, player):
    voice(own_voices)
    async with voices_screen(library) as (screen, _, pilot):
        screen.go_to(screen.query_one(TakeList))
        await pilot.press("down", "space")
        await until(pilot, lambda: player.made is not None and player.made.playing)
        assert player.made.names == [("take-2.wav", None)]
        (Path(screen.whole.row.folder) / "takes" / "take-3.wav").unlink()
        await pilot.press("down")
        await until(pilot, lambda: screen.whole.takes[2].missing)
        assert screen.no_play() == "the recording is missing from the voice's folder"


@on_stage
async def test_promotion_says_which_songs_are_stale_and_can_be_taken_back(library, own_voices, states):
    voice(own_voices)
    project(library, "blue", "Blue Harbour", voice="anna")
    tells(own_voices, "promote", {**FINISHED, "result": {"step": 1502, "weights": "x"}})
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("P")
        assert "Promote: it is the voice already" in lines(app)[-2]
        screen.query_one(SaveList).cursor = 1
        await pilot.press("P")
        await until(pilot, lambda: "anna is step 1 502 now: 1 song is stale (Blue Harbour)" in text(app))
        assert "z Undo" in lines(app)[-2]
        await pilot.press("z")
        await until(pilot, lambda: len(requests(own_voices)) == 2)
        assert [request["step"] for request in requests(own_voices)] == [1502, 2150]


@on_stage
async def test_promotion_asks_when_the_voice_could_not_come_back(library, own_voices):
    voice(own_voices, kept=(1502,))
    async with voices_screen(library) as (screen, app, pilot):
        screen.query_one(SaveList).cursor = 1
        await pilot.press("P")
        assert "it cannot come back" in " ".join(text(app).replace("│", " ").split())
        await pilot.press("enter")
        assert requests(own_voices) == []


@on_stage
async def test_a_new_voice_needs_a_rights_line(library, own_voices, tmp_path):
    recorded = tmp_path / "evening songs"
    recorded.mkdir()
    for name in ("one.wav", "two.wav"):
        (recorded / name).write_bytes(b"RIFF")
    tells(own_voices, "take-in", {**FINISHED, "result": {"takes": ["one.wav", "two.wav"]}})
    async with voices_screen(library) as (_, app, pilot):
        form = await form_for(recorded / "one.wav", app, pilot)
        assert "[ ] all 2 recordings of its folder" in text(app)  # one file that is dropped is one file
        assert form.query_one("#name", Input).value == "one"
        form.query_one("#beside").value = True
        form.query_one("#name", Input).value = "demo"
        await pilot.click("#yes")
        await until(pilot, lambda: "there is a voice 'demo' already" in text(app))
        form.query_one("#name", Input).value = "eve"
        await until(
            pilot, lambda: not form.query_one("#yes").has_class("-active")
        )  # a button that is down is deaf
        await pilot.click("#yes")
        await until(pilot, lambda: "say whose voice it is: nothing is made without it" in text(app))
        await pilot.press("down", "space")
        assert form._rights() == "licensed"
        assert "(*) licensed" in text(app)
        assert "( ) own-voice" in text(app)
        form.answer()
        await pilot.pause()
        assert "'licensed' needs a sentence: who agreed, to what" in text(app)
        await pilot.press(*"q y: ok")
        await burst(pilot, "enter", *"en, de", "enter")  # from field to field, and the last one answers
        await until(pilot, lambda: len(requests(own_voices)) == 2)
        asked, scan = requests(own_voices)
        assert asked == {
            "job": "take-in", "voice": str(own_voices / "eve"), "paths": [str(recorded)], "rights": "licensed",
            "statement": "q y: ok", "languages": ["en", "de"],
        }  # fmt: skip
        assert (scan["job"], scan["voice"]) == ("scan", str(own_voices / "eve"))


@on_stage
async def test_letters_on_a_form_are_no_answers(library, own_voices, tmp_path):
    (tmp_path / "one.wav").write_bytes(b"RIFF")
    async with voices_screen(library) as (_, app, pilot):
        form = await form_for(tmp_path / "one.wav", app, pilot)
        await burst(pilot, "enter", *"nyn", "tab", *"nobody")
        assert app.screen is form
        assert form.query_one("#statement", Input).value == "nobody"
        await pilot.press("escape")
        assert app.screen is not form


@on_stage
async def test_recordings_that_are_refused_bring_the_form_back_filled(library, own_voices, tmp_path):
    for name in ("one.wav", "two.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    tells(own_voices, "take-in", {**FAILED, "message": "23 s of takes are too little", "hint": "record 60 s"})
    async with voices_screen(library) as (screen, app, pilot):
        first = await form_for(tmp_path / "one.wav", app, pilot)
        first.query_one("#beside").value = False
        first.query_one("#name", Input).value = "eve"
        await pilot.press("tab", "down", "space", "tab", *"She agreed.", "enter", "d", "e", "enter")
        await until(pilot, lambda: isinstance(app.screen, NewVoiceAsk) and app.screen is not first)
        form = app.screen
        assert "23 s of takes are too little: record 60 s" in " ".join(text(app).split())
        assert [form.query_one(f"#{name}", Input).value for name in ("name", "statement", "languages")] == [
            "eve", "She agreed.", "de",
        ]  # fmt: skip
        assert form._rights() == "licensed"
        assert not form.query_one("#beside").value
        await pilot.press("escape")
        assert app.screen is screen


@on_stage
async def test_a_dropped_folder_goes_to_the_voice_whose_takes_have_the_focus(library, own_voices, tmp_path):
    folder = voice(own_voices)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "one.wav").write_bytes(b"RIFF")
    async with voices_screen(library) as (screen, app, pilot):
        screen.go_to(screen.query_one(TakeList))
        await pilot.pause()
        screen.post_message(Paste(str(tmp_path / "more")))
        await until(pilot, lambda: requests(own_voices))
        assert requests(own_voices)[0] == {
            "job": "take-in", "voice": str(folder), "paths": [str(tmp_path / "more")], "add": True,
        }  # fmt: skip
        # What ends says so where the refusal will stand: first, then.
        await until(pilot, lambda: "anna: scanned in" in lines(app)[-2])
        screen.post_message(Paste("just words"))
        await until(pilot, lambda: "no such file or folder: just words" in lines(app)[-2])


@on_stage
async def test_more_recordings_go_to_the_voice_that_was_meant(library, own_voices, tmp_path, monkeypatch):
    anna, _ = voice(own_voices, "anna"), voice(own_voices, "ben")
    (tmp_path / "one.wav").write_bytes(b"RIFF")
    counted = threading.Event()

    def count(folder):
        assert counted.wait(10.0)
        return 1

    monkeypatch.setattr(voices_takes, "_count_in", count)
    async with voices_screen(library, at="anna") as (screen, app, pilot):
        monkeypatch.setattr(screen, "_pick", lambda title, then: then([tmp_path / "one.wav"]))
        await app.perform("voices.import")
        await pilot.press("down")
        await until(pilot, lambda: screen.whole.row.name == "ben")
        counted.set()
        await until(pilot, lambda: requests(own_voices))
        assert requests(own_voices)[0] == {
            "job": "take-in", "voice": str(anna), "paths": [str(tmp_path / "one.wav")], "add": True,
        }  # fmt: skip


@on_stage
async def test_a_key_that_is_pressed_twice_is_one_change(library, own_voices):
    folder = voice(own_voices)
    async with voices_screen(library) as (screen, _, pilot):
        screen.go_to(screen.query_one(TakeList))
        await burst(pilot, "o", "o")
        await until(pilot, lambda: screen.undo_words() and not any(one.is_running for one in screen.workers))
        assert len(screen.changes.undos) == 1
        await pilot.press("z")
        await until(pilot, lambda: screen.redo_words() and read_takes(folder).takes[0].use)
        assert screen.undo_words() == ""


@on_stage
async def test_the_curve_shows_losses_or_scores(library, own_voices):
    voice(own_voices)
    async with voices_screen(library, size=(120, 40)) as (screen, app, pilot):
        screen.go_to(screen.query_one("#training"))
        await pilot.pause()
        assert "trend" in text(app)
        await pilot.press("g")
        await pilot.pause()
        assert "score 0.959" in text(app)
        await pilot.press("y", "g")
        await pilot.pause()
        assert "graph: loss" in text(app)


@on_stage
async def test_a_voice_that_appears_and_goes_is_noticed(library, own_voices):
    async with voices_screen(library) as (screen, app, pilot):
        assert "demo" in text(app)
        folder = voice(own_voices, "eva")
        screen.look()
        await until(pilot, lambda: "eva" in text(app))
        (folder / "takes.toml").write_text("takes = 3")
        (folder / "training" / "scores.json").write_text("{")
        screen.query_one("#list").cursor = 0
        await until(pilot, lambda: screen.whole.row.name == "eva" and screen.whole.takes_problem)
        assert "scores.json cannot be read" in text(app)
        folder.rename(own_voices.parent / "away")
        screen.look()
        await until(pilot, lambda: screen.whole.row.name == "demo")


@on_stage
async def test_an_undo_that_is_refused_can_be_tried_again(library, own_voices, monkeypatch):
    folder = voice(own_voices)
    async with voices_screen(library) as (screen, app, pilot):
        await pilot.press("tab", "down", "o")
        await until(pilot, lambda: "- left out" in text(app))

        def refuses(*_, **__):
            raise ResourceError("somebody else works in its folder")

        with monkeypatch.context() as patch:
            patch.setattr("covermaker.takes.choose.choose_takes", refuses)
            await pilot.press("z")
            await until(pilot, lambda: "somebody else works in its folder" in lines(app)[-2])
        assert not read_takes(folder).takes[1].use
        await pilot.press("Z")
        assert "Redo: there is nothing to redo here" in lines(app)[-2]
        await pilot.press("z")
        await until(pilot, lambda: read_takes(folder).takes[1].use and screen.redo_words())
        assert screen.undo_words() == ""


@on_stage
async def test_a_promotion_that_is_not_taken_back_stays_the_last_change(library, own_voices, states):
    voice(own_voices)
    tells(own_voices, "promote", {**FINISHED, "result": {"step": 1502, "weights": "x"}})
    async with voices_screen(library) as (screen, app, pilot):
        screen.query_one(SaveList).cursor = 1
        await pilot.press("P")
        await until(pilot, lambda: screen.undo_words())
        words = screen.undo_words()
        tells(own_voices, "promote", {**FAILED, "message": "the disk is full"})
        await burst(pilot, "z", "z")
        await until(pilot, lambda: any(job.message == "the disk is full" for job in app.board.jobs.values()))
        await until(pilot, lambda: screen.no_undo() is None)
        assert len(requests(own_voices)) == 2  # one at a time
        assert (screen.undo_words(), screen.redo_words()) == (words, "")
        tells(own_voices, "promote", {**FINISHED, "result": {"step": 2150, "weights": "x"}})
        await pilot.press("z")
        await until(pilot, lambda: screen.redo_words() == words)
        assert screen.undo_words() == ""


@on_stage
async def test_a_folder_is_taken_in_with_what_the_form_has_counted(library, own_voices, tmp_path):
    folder = tmp_path / "evening"
    for name in ("one.wav", "two.MKV", "deep/three.tta", ".gone/four.wav", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"RIFF")
    async with voices_screen(library) as (_, app, pilot):
        await form_for(folder / "one.wav", app, pilot)
        assert f"all {len(find_audio([folder]))} recordings of its folder" in text(app)
        assert len(find_audio([folder])) == 3


@on_stage
async def test_a_new_voice_is_selected_though_another_was_being_read(library, own_voices):
    voice(own_voices)
    async with voices_screen(library) as (screen, _, pilot):
        await until(pilot, lambda: not screen._looking)
        shown = screen.query_one(VoiceList)
        other, anna = next(folder for folder in screen.rows if folder.name == "demo"), own_voices / "anna"
        shown.show(list(screen.rows), keep=lambda folder: folder == other)
        await until(pilot, lambda: screen.whole.row.folder == other and not screen._looking)
        read = screen.Looked(list(screen.rows.values()), screen.whole)
        screen._looking, screen._wants = True, anna  # wished for while the other one is on its way
        screen.post_message(read)
        await until(pilot, lambda: shown.selected == anna and screen.whole.row.folder == anna)


@on_stage
async def test_enter_goes_on_in_the_form_and_agrees_to_nothing(library, own_voices, tmp_path):
    (tmp_path / "one.wav").write_bytes(b"RIFF")
    async with voices_screen(library) as (_, app, pilot):
        form = await form_for(tmp_path / "one.wav", app, pilot)
        form.set_focus(form.query_one("#name", Input))
        await pilot.press("enter", "enter")
        assert form.focused.id == "statement"
        assert form._rights() == ""


@on_stage
async def test_a_training_that_is_begun_at_the_takes_is_seen(library, own_voices):
    voice(own_voices, card=False, training=False)
    tells(own_voices, "train", STARTED, TRAINS, "!stay")
    async with voices_screen(library) as (screen, app, pilot):
        screen.go_to(screen.query_one(TakeList))
        await until(pilot, lambda: screen.pane() is screen.query_one(TakeList))
        await pilot.press("T", "y")
        await until(pilot, lambda: "train 46 %, 5:12 left" in text(app))
        assert screen.pane() is screen.query_one(Training)
        await pilot.press("X", "y")
        await until(pilot, lambda: screen.job("train").is_over)


@on_stage
async def test_what_is_said_of_a_take_is_not_cut_unseen(library, own_voices):
    folder = voice(own_voices)
    file = folder / ".takes" / "scan.json"
    report = json.loads(file.read_text())
    report["notes"] = [f"note {number} is a sentence about all of the takes" for number in range(20)]
    file.write_text(json.dumps(report))
    async with voices_screen(library) as (screen, app, pilot):
        screen.go_to(screen.query_one(TakeList))
        await until(pilot, lambda: "note 0" in text(app))
        await until(pilot, lambda: "note 6" in text(app))
        last = [line for line in lines(app) if "note " in line][-1]
        assert last.rstrip().endswith(" …")
