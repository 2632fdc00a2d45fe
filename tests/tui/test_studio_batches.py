"""The Batch screen with a batch: what another process writes is seen, what is asked is left for it, and it goes on."""

import json
import sys
import time

import pytest
import soundfile
from batch_stage import batch, song, worked_on
from studio_stage import STUCK, lines, on_stage, project, quiet, state, studio, text, until
from textual import events
from textual.widgets import Input

from covermaker.batch import detached
from covermaker.batch.known import note_batch
from covermaker.batch.queue import FILE_NAME, Queue
from covermaker.batch.rows import Try
from covermaker.errors import ExitCode
from covermaker.tui import batch_queue, batch_watch
from covermaker.tui.batch_form import NewBatchAsk
from covermaker.tui.batch_list import JobDetails, Lines, Places
from covermaker.tui.batch_list import Queue as QueuePane
from covermaker.tui.settings import Settings

SIZES = [(80, 24), (120, 40), (120, 24), (170, 50), (60, 24), (40, 10)]
BEGINS = "a process begins to work on the batch"
SONGS = ("Blue Harbour", "Night Tram", "Paper Boats", "Quiet Engine", "Slow River")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Look often; a process that would work on a batch ends at once."""
    monkeypatch.setattr(batch_watch, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(batch_watch, "_LOCK_SECONDS", 0.0)
    monkeypatch.setattr(detached, "COMMAND", (sys.executable, "-SEc", "pass"))
    processes, started = [], detached._started

    def kept(*what):
        processes.append(started(*what))
        return processes[-1]

    monkeypatch.setattr(detached, "_started", kept)
    yield
    for process in processes:
        process.wait(30.0)


@pytest.fixture
def spring(tmp_path):
    """A batch with a song in each state; the test writes into it as the process that works on it does."""
    done = song(1, "done", SONGS[0], spent_seconds=48.0, tries=1, result={"loudness_lufs": -14.0})
    runs = song(
        2,
        "running",
        SONGS[1],
        step="convert",
        fraction=0.25,
        tries=1,
        running_at="worker 1",
        began=time.time(),
    )
    failed = song(4, "failed", SONGS[3], step="export", cause="no space left", hint="free space", tries=2)
    rows = [done, runs, song(3, title=SONGS[2]), failed, song(5, title=SONGS[4])]
    places = [{"name": "worker 1", "songs": [2], "room": 0, "note": ""}]
    with batch(tmp_path / "spring", rows, places=places, seconds_left=90.0) as queue:
        queue.put_try(Try(4, 1, 1.0, 2.0, "worker 1", "failed", "export", "no space left", 6))
        queue.say("chunk 31 of 50", song=2, running_at="worker 1")
        yield queue


async def at_batch(app, pilot, title="spring covers"):
    await pilot.press("5")
    await until(pilot, lambda: app.screen.query(QueuePane) and f"Queue: {title}" in text(app))
    await until(pilot, lambda: app.batches.state is None or app.batches.state.is_read)
    return app.screen


async def chosen(app, pilot):
    """Open the screen and choose the batch that nobody works on."""
    await pilot.press("5")
    await until(pilot, lambda: app.screen.query(QueuePane))
    app.screen.show(app.screen.app.batches.folder or only_known())
    return await at_batch(app, pilot)


def only_known():
    from covermaker.batch.known import known_batches

    (folder,) = known_batches()
    return folder


def asks(queue):
    return [(ask.what, ask.song) for ask in queue.asks()]


async def select(screen, pilot, number):
    pane = screen.query_one(QueuePane)
    pane.cursor = pane.items.index(number)
    await until(
        pilot, lambda: screen.app.batches.state.close and screen.app.batches.state.close.song == number
    )


def flat(app):
    """Return the screen as words, wherever they are wrapped."""
    return " ".join(text(app).replace("│", " ").split())


def words(app):
    return lines(app)[-2].strip()


@pytest.mark.parametrize("charset", ["unicode", "ascii"])
@pytest.mark.parametrize("size", SIZES)
def test_a_batch_that_is_worked_on_is_shown_by_itself_at_every_size(library, spring, size, charset):
    @on_stage
    async def run():
        with worked_on(spring):
            async with studio(library, size=size, settings=Settings(charset=charset)) as (app, pilot):
                screen = await at_batch(app, pilot)
                rows = lines(app)
                assert all(len(row) == size[0] for row in rows)
                assert rows[-1].rstrip().endswith("? Help")
                assert "Night" in text(app)
                if charset == "ascii":
                    assert text(app).isascii()
                if size[0] >= 80:
                    assert ("> convert 25 %" if charset == "ascii" else "► convert 25 %") in text(app)
                    assert "1 of 5 done" in text(app)
                    assert "engine local, 1 worker" in text(app)
                if size[0] >= 120:
                    assert "airy pop" in text(app)
                    assert "worker 1" in text(app)
                for pane in (JobDetails, Places, Lines):
                    await pilot.press("tab")
                    await until(pilot, lambda pane=pane: screen.focused is screen.query_one(pane))
                    assert screen.query_one(pane).region.area  # also where there is room for one at a time
                    assert all(len(row) == size[0] for row in lines(app))
                await until(pilot, lambda: "chunk 31 of 50"[: size[0] - 30] in text(app))

    run()


@on_stage
async def test_what_the_process_writes_is_seen_while_the_screen_is_open(library, spring):
    with worked_on(spring):
        async with studio(library, size=(120, 40)) as (app, pilot):
            screen = await at_batch(app, pilot)
            with Queue(spring.folder) as other:
                other.change(2, fraction=0.75)
                await until(pilot, lambda: "► convert 75 %" in text(app))
                other.change(
                    2, state="done", ended=time.time(), spent_seconds=31.0, result={"loudness_lufs": -13.9}
                )
                other.change(3, state="running", running_at="worker 1", step="separate")
                other.say("failed at mix: no luck", song=4, running_at="worker 1")
            await until(pilot, lambda: "-13.9 LUFS" in text(app) and "► separate 0 %" in text(app))
            assert "2 of 5 done" in text(app)
            assert "failed at mix: no luck" in text(app)
            await select(screen, pilot, 4)
            assert "Quiet Engine: why it failed" in text(app)
            assert "✗ failed export: no space left" in text(app)
            assert "free space; then r tries it again" in text(app)
            assert "failed at export" in text(app)


@on_stage
async def test_every_action_leaves_its_ask(library, spring):
    with worked_on(spring):
        async with studio(library) as (app, pilot):
            screen = await at_batch(app, pilot)
            await select(screen, pilot, 4)
            await pilot.press("r")
            await until(pilot, lambda: asks(spring) == [("retry", 4)])
            await until(pilot, lambda: words(app) == "Quiet Engine waits to be tried again")
            await pilot.press("r")
            assert words(app) == "Retry: it was asked to be tried again"
            spring.take_asks()
            await pilot.press("R")
            await until(pilot, lambda: asks(spring) == [("retry", 4)])
            spring.take_asks()
            await select(screen, pilot, 2)
            await pilot.press("c")
            await until(pilot, lambda: asks(spring) == [("cancel", 2)])
            await until(pilot, lambda: "► cancelling" in text(app))
            assert words(app) == "Night Tram is being cancelled: finished steps are kept"
            spring.take_asks()
            await select(screen, pilot, 5)
            await pilot.press("K")
            await until(pilot, lambda: asks(spring) == [("earlier", 5)])
            await until(pilot, lambda: words(app) == "Slow River is 1 of 2 that wait")
            await pilot.press("J")
            assert words(app) == "it is the last that waits"
            spring.take_asks()
            await select(screen, pilot, 3)
            await pilot.press("J")
            await until(pilot, lambda: asks(spring) == [("later", 3)])
            spring.take_asks()
            await pilot.press("p")
            await until(pilot, lambda: asks(spring) == [("pause", None)])
            await until(pilot, lambda: "paused" in lines(app)[10])
            assert words(app) == "the batch is paused: what runs is finished"
            await pilot.press("p")  # before anybody has heard the first
            await until(pilot, lambda: asks(spring)[1:] == [("go on", None)])
            spring.take_asks()
            spring.note(state="paused")
            await until(pilot, lambda: "paused" in lines(app)[10])
            await pilot.press("p")
            await until(pilot, lambda: asks(spring) == [("go on", None)])
            await pilot.press("S")
            await until(pilot, lambda: asks(spring)[1:] == [("stop", None)])
            await until(pilot, lambda: "it stops" in text(app))
            await pilot.press("S")
            assert words(app) == "Stop batch: it stops already"


@on_stage
async def test_what_cannot_be_done_says_why(library, spring):
    with worked_on(spring):
        async with studio(library, settings=quiet()) as (app, pilot):
            screen = await at_batch(app, pilot)
            for number, key, reason in (
                (1, "r", "Retry: it is done"),
                (2, "r", "Retry: it is running"),
                (3, "r", "Retry: it waits for its turn"),
                (1, "c", "Cancel: it is over"),
                (1, "J", "Later: only what waits has a turn to change"),
                (1, "+", "Add stale: a batch has the songs of its list: n begins another one"),
                (1, "d", "Clear: a batch keeps what became of its songs"),
                (1, "space", "Play: there is no cover of it yet"),
                (1, "a", "Cover/song: nothing is played: space plays the cover"),
                (3, "enter", "Open: its project is not made yet"),
            ):
                await select(screen, pilot, number)
                await pilot.press(key)
                assert words(app) == reason
            spring.change(4, state="cancelled")
            spring.change(5, state="done")
            await until(pilot, lambda: app.batches.state.counts["failed"] == 0)
            await pilot.press("R")
            assert words(app) == "All failed: nothing failed"
            await select(screen, pilot, 3)
            await pilot.press("J")
            assert words(app) == "Later: nothing else waits"
            await pilot.press("o")
            await until(pilot, lambda: words(app) == "the report is written when the batch is over")
            app.screen.show(None)
            await pilot.press("S")
            assert words(app).startswith("Stop batch: that is for a batch: b shows one")


@on_stage
async def test_where_nobody_works_on_it_what_is_asked_is_done_at_once(library, spring):
    async with studio(library) as (app, pilot):
        screen = await chosen(app, pilot)
        await until(pilot, lambda: "nobody works on it: p goes on" in text(app))
        assert "· was at convert" in text(app)
        assert " p Go on " in lines(app)[-1]
        await select(screen, pilot, 4)
        await pilot.press("r")
        await until(pilot, lambda: words(app) == "Quiet Engine waits to be tried again: " + BEGINS)
        assert spring.song(4).state == "waiting"
        await until(pilot, lambda: app.batches.state.songs[4].state == "waiting")
        await pilot.press("K")
        await until(pilot, lambda: app.batches.state.order == [1, 2, 4, 3, 5])
        assert screen.query_one(QueuePane).selected == 4  # the cursor stays with the song
        await pilot.press("c")
        await until(pilot, lambda: app.batches.state.songs[4].state == "cancelled")
        await pilot.press("S")
        assert words(app) == "Stop batch: nobody works on it"
        assert asks(spring) == []


def stub(tmp_path, code):
    """Return a command that notes its arguments in a file, and then does something."""
    noted = tmp_path / "arguments.json"
    begin = f"import json, sys, time; json.dump(sys.argv[1:], open({str(noted)!r}, 'w')); "
    return (sys.executable, "-SEc", begin + code), noted


@on_stage
async def test_it_goes_on_in_a_process_of_its_own(library, spring, tmp_path, monkeypatch):
    command, noted = stub(tmp_path, "sys.stdin.read(); time.sleep(60)")
    monkeypatch.setattr(detached, "COMMAND", command)
    async with studio(library) as (app, pilot):
        await chosen(app, pilot)
        await pilot.press("p")
        await until(pilot, noted.exists)
        await until(pilot, lambda: "a process begins to work on it" in text(app))
        await until(pilot, lambda: noted.read_text() and json.loads(noted.read_text())[0] == "resume")
        assert json.loads(noted.read_text()) == ["resume", "--json", "--", str(spring.folder)]
        await pilot.press("p")
        assert words(app) == "Pause: a process begins to work on it"
        with worked_on(spring):
            await until(pilot, lambda: "engine local, 1 worker" in text(app))
            (process,) = app.batches._begun.values()
            app.action_leave()
            await until(pilot, lambda: not app.is_running)
            said = "\n".join(map(str, app._exit_renderables))
            assert "the batch 'spring covers' goes on, 1 of 5 songs done: covermaker batch status" in said
            assert str(spring.folder) in said
    assert process.poll() is None  # the studio is gone, and it is not
    process.kill()
    process.wait()


@on_stage
async def test_a_process_that_ends_at_once_says_why(library, spring, tmp_path, monkeypatch):
    refusal = '{"event": "render.failed", "message": "no voice is called Aria", "hint": "see: voices", "exit_code": 5}'
    command, _ = stub(tmp_path, f"print({refusal!r}); sys.exit(5)")
    monkeypatch.setattr(detached, "COMMAND", command)
    async with studio(library, size=(120, 24)) as (app, pilot):
        await chosen(app, pilot)
        await pilot.press("p")
        await until(pilot, lambda: words(app) == "the batch in spring: no voice is called Aria (see: voices)")
        await until(pilot, lambda: "nobody works on it: p goes on" in text(app))


@on_stage
async def test_while_renders_of_this_studio_are_there_they_are_shown(library, spring, states):
    project(library, "one", recording=STUCK)
    states["one"] = state("stale", to_do=("separate",))
    async with studio(library) as (app, pilot):
        await pilot.press("R")
        await until(pilot, lambda: app.board.running)
        with worked_on(spring):
            await pilot.press("5")
            await until(pilot, lambda: "Queue: 1 render" in text(app))
            await app.workers.wait_for_complete()
            await pilot.pause()
            assert "Queue: 1 render" in text(app)
            await pilot.press("b")
            await until(pilot, lambda: "this studio's renders" in text(app) and "spring covers" in text(app))
            assert "1 render, shown now" in text(app)
            assert "runs, 1 of 5 songs done, 1 failed" in text(app)
            await pilot.press(*"spring", "down")
            await pilot.press("enter")
            await until(pilot, lambda: "Queue: spring covers" in text(app))
            await pilot.press("b")
            await until(pilot, lambda: "this studio's renders" in text(app))
            await pilot.press(*"this studio")
            await until(pilot, lambda: "spring" not in "".join(lines(app)[6:12]))
            await pilot.press("enter")
            await until(pilot, lambda: "Queue: 1 render" in text(app))
            await pilot.press("1", "5")  # what a person has chosen stays
            await until(pilot, lambda: "Queue: 1 render" in text(app))


@on_stage
async def test_the_header_of_every_screen_says_how_far_it_is_and_its_end_is_told(library, spring):
    async with studio(library, size=(120, 24)) as (app, pilot):
        with worked_on(spring):
            app.batches.show(spring.folder)
            await until(pilot, lambda: "batch 1/5  1 failed  about 1:30 left" in lines(app)[0])
            spring.note(state="paused")
            await until(pilot, lambda: "batch paused  1/5  1 failed" in lines(app)[0])
            for number in (2, 3, 5):
                spring.change(number, state="done", ended=time.time())
            spring.note(state="over", ended=time.time())
        await until(pilot, lambda: "'spring covers' is over: 4 of 5 songs done, 1 failed" in words(app))
        assert "4/5" not in lines(app)[0]
        assert any("'spring covers' is over" in note.message for note in app._notifications)


@on_stage
async def test_one_that_ended_before_its_time_says_so(library, spring):
    async with studio(library, size=(120, 24)) as (app, pilot):
        with worked_on(spring):
            await at_batch(app, pilot)
            spring.note(heartbeat=0.0)  # it was killed
            await until(pilot, lambda: app.batches.state.worked_on)
        await until(pilot, lambda: words(app) == "nobody works on 'spring covers' any more: 3 left")
        assert "· was at convert" in text(app)


@on_stage
async def test_a_queue_that_is_gone_or_damaged_is_told_and_another_can_be_chosen(library, spring):
    async with studio(library) as (app, pilot):
        await chosen(app, pilot)
        for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
            (spring.folder / name).unlink(missing_ok=True)
        await until(pilot, lambda: "cannot be read" in text(app))
        assert "holds no batch" in flat(app)
        (spring.folder / FILE_NAME).write_bytes(b"this is no queue at all" * 500)
        await until(pilot, lambda: "is damaged or no queue" in flat(app))
        for key in ("r", "R", "c", "p", "J", "S", "o", "enter", "space"):
            await pilot.press(key)  # none of them breaks it
        assert "r" in words(app)
        await pilot.press("b")
        await until(pilot, lambda: "cannot be read" in text(app) and "this studio's renders" in text(app))
        await pilot.press("escape")
        app.screen.show(None)
        await until(pilot, lambda: "Queue: empty" in text(app))


@on_stage
async def test_ten_thousand_songs_cost_a_poll_what_is_in_sight(library, tmp_path, monkeypatch):
    drawn = []
    cells = batch_queue.cells

    def counted(known, one, **more):
        drawn.append(one.id)
        return cells(known, one, **more)

    monkeypatch.setattr(batch_queue, "cells", counted)
    rows = [song(number) for number in range(1, 10_001)]
    with batch(tmp_path / "many", rows) as queue, worked_on(queue):
        async with studio(library) as (app, pilot):
            screen = await at_batch(app, pilot)
            await until(pilot, lambda: "0 of 10000" in text(app), seconds=30.0)
            await pilot.press("G")
            await until(pilot, lambda: " 10000 Song 10000" in text(app))
            drawn.clear()
            queue.change(10_000, state="failed", cause="no luck")
            await until(pilot, lambda: "✗ failed: no luck" in text(app))
            assert len(set(drawn)) < 20  # as many as the list has lines
            assert min(drawn) > 9_980
            assert screen.query_one(QueuePane).selected == 10_000
            assert "0 of 10000 done" in text(app)
            assert "✗ 1 failed" in text(app)


async def ask_for_batch(app, pilot, **fields):
    await until(pilot, lambda: isinstance(app.screen, NewBatchAsk))
    for name, value in fields.items():
        app.screen.query_one(f"#{name}", Input).value = str(value)
    app.screen.query_one("#where", Input).focus()
    await pilot.pause()
    await pilot.press("enter")


@on_stage
async def test_a_batch_is_begun_from_a_dropped_list(library, tmp_path, monkeypatch):
    command, noted = stub(tmp_path, "time.sleep(60)")
    monkeypatch.setattr(detached, "COMMAND", command)
    music = tmp_path / "my music"
    music.mkdir()
    soundfile.write(music / "one.wav", [0.0] * 800, 8000)
    (music / "list.m3u").write_text("one.wav\ngone.wav\n", encoding="utf-8")
    async with studio(library, size=(120, 24)) as (app, pilot):
        await pilot.press("5")
        await until(pilot, lambda: app.screen.query(QueuePane))
        app.screen.post_message(events.Paste(f"'{music / 'list.m3u'}'"))
        await until(pilot, lambda: isinstance(app.screen, NewBatchAsk))
        assert app.screen.query_one("#playlist", Input).value == str(music / "list.m3u")
        await ask_for_batch(app, pilot, voice="nobody")
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, NewBatchAsk) and "nobody" in text(app) and "voice" in words_of(app)
            ),
        )
        assert not noted.exists()
        await ask_for_batch(app, pilot, voice="demo", preset="natural")
        await until(pilot, lambda: noted.exists() and noted.read_text())
        folder = music / "list covers"
        assert json.loads(noted.read_text()) == [
            "run", "--json", f"--out={folder}", "--voice=demo", "--preset=natural", "--master=streaming",
            "--engine=local", "--", str(music / "list.m3u"),
        ]  # fmt: skip
        await until(
            pilot,
            lambda: words(app).startswith("a batch of 1 song begins, 1 entry cannot be used; it goes on"),
        )
        await until(pilot, lambda: "The batch begins: its list is being read." in text(app))
        queue = batch(folder, [song(1, title="One")], state="running", known=False)
        with queue, worked_on(queue):
            await until(pilot, lambda: "One" in text(app) and "· waits" in text(app))
        (process,) = app.batches._begun.values()
        process.kill()
        process.wait()
        await until(pilot, lambda: "its process was ended by SIGKILL" in text(app))


def words_of(app):
    return "".join(str(one.render()) for one in app.screen.query("#problem"))


@on_stage
async def test_what_a_new_batch_lacks_is_said_in_the_form(library, tmp_path, monkeypatch):
    command, noted = stub(tmp_path, "pass")
    monkeypatch.setattr(detached, "COMMAND", command)
    async with studio(library) as (app, pilot):
        await pilot.press("5", "n")
        await ask_for_batch(app, pilot)
        await until(pilot, lambda: words_of(app) == "Songs: this is missing")
        await ask_for_batch(app, pilot, playlist=tmp_path / "nothing.m3u")
        await until(pilot, lambda: isinstance(app.screen, NewBatchAsk) and "there is no" in words_of(app))
        (tmp_path / "a.wav").touch()
        with batch(tmp_path / "taken", [song(1)]) as queue, worked_on(queue):
            await ask_for_batch(app, pilot, playlist=tmp_path / "*.wav", folder=queue.folder)
            await until(
                pilot, lambda: isinstance(app.screen, NewBatchAsk) and "a batch runs in" in words_of(app)
            )
        await ask_for_batch(app, pilot, preset="no such")
        await until(pilot, lambda: isinstance(app.screen, NewBatchAsk) and "no such" in words_of(app))
        assert app.screen.focused.id == "preset"  # what is typed now mends it
        await ask_for_batch(app, pilot, preset="natural", where="rai")
        await until(pilot, lambda: isinstance(app.screen, NewBatchAsk) and "'rai'" in words_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, NewBatchAsk))
        assert not noted.exists()


@on_stage
async def test_leaving_asks_about_renders_alone_and_says_what_goes_on(library, spring, states):
    project(library, "one", recording=STUCK)
    states["one"] = state("stale", to_do=("separate",))
    async with studio(library) as (app, pilot):
        with worked_on(spring):
            await pilot.press("R")
            await until(pilot, lambda: app.board.running)
            app.batches.show(spring.folder)
            await until(pilot, lambda: app.batches.state.worked_on)
            await pilot.press("q")
            await until(pilot, lambda: "Quitting stops it." in text(app))
            assert "The batch 'spring covers' goes on" in flat(app)
            await pilot.press("n")


@on_stage
async def test_covers_are_heard_and_projects_opened(library, spring, player):
    folder = project(library, "harbour")
    cover, source = folder / "out.wav", folder / "song.flac"
    for file in (cover, source):
        soundfile.write(file, [0.1] * 800, 8000)
    spring.change(1, project=str(folder), result={"files": [str(cover)]}, place=str(source))
    async with studio(library) as (app, pilot):
        screen = await chosen(app, pilot)
        await until(pilot, lambda: app.batches.state.songs[1].project)
        await pilot.press("space")
        await until(pilot, lambda: player.made is not None and player.made.playing)
        assert player.made.names == [("out.wav", "song.flac")]
        await until(pilot, lambda: "► 0:00 of 1:00  cover" in text(app))
        await pilot.press("a")
        await until(pilot, lambda: "original" in text(app))
        await select(screen, pilot, 2)
        assert "original" not in text(app)  # that is of another song
        await select(screen, pilot, 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "project")
        assert app.project == folder


@on_stage
async def test_the_report_is_told_and_written_where_it_is_missing(library, spring):
    async with studio(library, size=(170, 50)) as (app, pilot):
        await chosen(app, pilot)
        page = spring.folder / "report.html"
        await pilot.press("o")
        await until(pilot, lambda: words(app) == f"the report: {page}")
        assert page.is_file()


@on_stage
async def test_the_batch_is_saved_as_a_list(library, spring):
    async with studio(library, size=(170, 50)) as (app, pilot):
        await chosen(app, pilot)
        place = spring.folder / "songs.toml"
        await pilot.press("w")
        await until(pilot, lambda: words(app) == f"the list: {place}")
        assert "[[songs]]" in place.read_text()


@on_stage
async def test_a_batch_with_no_songs_is_no_failure(library, tmp_path):
    with batch(tmp_path / "none", [], known=False) as queue:
        note_batch(queue.folder)
        async with studio(library) as (app, pilot):
            await chosen(app, pilot)
            await until(pilot, lambda: "The batch has no songs." in text(app))
            await pilot.press("p")
            assert words(app) == "Pause: nothing is left to do"


@on_stage
async def test_the_last_batch_that_is_not_finished_is_shown_and_not_an_empty_queue(library, spring, tmp_path):
    with batch(tmp_path / "over", [song(1, "done")]), batch(tmp_path / "broken", [song(1)]) as broken:
        broken.note(schema=99)
        async with studio(library) as (app, pilot):
            await at_batch(app, pilot)  # the last ones are over, or cannot be read
            assert app.batches.folder == spring.folder
            assert "nobody works on it: p goes on" in text(app)


@on_stage
async def test_renders_take_the_place_of_a_batch_that_nobody_chose_and_nobody_works_on(
    library, spring, states
):
    project(library, "one", recording=STUCK)
    states["one"] = state("stale", to_do=("separate",))
    async with studio(library) as (app, pilot):
        await at_batch(app, pilot)
        await pilot.press("1", "R")
        await until(pilot, lambda: app.board.running)
        await pilot.press("5")
        await until(pilot, lambda: "Queue: 1 render" in text(app))


@on_stage
async def test_what_is_typed_at_once_finds_a_batch_by_its_title(library, spring, tmp_path):
    rows = [song(1)]
    with batch(tmp_path / "one", rows) as one, batch(tmp_path / "two", rows) as two:
        one.note(title="autumn [live]")
        two.note(title="winter")
        async with studio(library) as (app, pilot):
            await pilot.press("5")
            await until(pilot, lambda: app.screen.query(QueuePane))

            def offered():
                return "".join(lines(app)[6:12])

            await pilot.press("b", *"autumn [l")  # before the batches are looked up; p and c are no orders
            await until(pilot, lambda: "autumn [live]" in offered() and "winter" not in offered())
            await pilot.press("enter")
            await until(pilot, lambda: "Queue: autumn [live]" in text(app))
            assert (one.song(1).state, asks(one)) == ("waiting", [])


@on_stage
async def test_the_footer_at_80_columns_has_what_can_be_done(library, spring):
    async with studio(library) as (app, pilot):
        screen = await chosen(app, pilot)

        def footer():
            return lines(app)[-1]

        await select(screen, pilot, 4)
        await until(pilot, lambda: "r Retry" in footer())
        for shown in ("enter Open", "p Go on", "b Queue", "n New batch", "R All failed", "? Help"):
            assert shown in footer()
        assert "Add stale" not in footer()  # a batch refuses it
        assert "c Cancel" not in footer()
        with worked_on(spring):
            await until(pilot, lambda: "p Pause" in footer())
            await select(screen, pilot, 3)
            await until(pilot, lambda: "c Cancel" in footer() and "r Retry" not in footer())
            assert "n New batch" in footer()
            spring.note(state="paused")
            await until(pilot, lambda: "p Go on" in footer())
        app.screen.show(None)
        await until(pilot, lambda: "+ Add stale" in footer())
        for shown in ("p Pause", "b Queue", "n New batch"):
            assert shown in footer()


@on_stage
async def test_it_goes_on_after_it_has_stopped_when_that_is_asked_for_at_once(
    library, spring, tmp_path, monkeypatch
):
    command, noted = stub(tmp_path, "pass")
    monkeypatch.setattr(detached, "COMMAND", command)
    async with studio(library) as (app, pilot):
        with worked_on(spring):
            await at_batch(app, pilot)
            await pilot.press("S")
            await until(pilot, lambda: asks(spring) == [("stop", None)])
            await until(pilot, lambda: "it stops" in text(app))
            spring.take_asks()
            spring.note(state="stopping")  # as the process does that has heard it
            await pilot.press("p")
            await until(pilot, lambda: words(app) == "the batch goes on as soon as it has stopped")
            assert asks(spring) == []  # nothing is paused
            assert not noted.exists()
            spring.note(state="stopped")
        await until(pilot, lambda: noted.exists() and noted.read_text())
        assert json.loads(noted.read_text()) == ["resume", "--json", "--", str(spring.folder)]
        await until(
            pilot, lambda: any("begins to work on the batch again" in one.text for one in app.board.log)
        )


@on_stage
async def test_a_retry_where_nobody_works_begins_a_process(library, spring, tmp_path, monkeypatch):
    command, noted = stub(tmp_path, "pass")
    monkeypatch.setattr(detached, "COMMAND", command)
    async with studio(library) as (app, pilot):
        await chosen(app, pilot)
        await pilot.press("R")
        await until(pilot, lambda: words(app) == f"1 song waits to be tried again: {BEGINS}")
        await until(pilot, lambda: noted.exists() and noted.read_text())
        assert json.loads(noted.read_text())[0] == "resume"
        assert spring.song(4).state == "waiting"


@on_stage
async def test_a_retry_of_which_nothing_comes_begins_no_process(library, spring, tmp_path, monkeypatch):
    command, noted = stub(tmp_path, "pass")
    monkeypatch.setattr(detached, "COMMAND", command)
    spring.change(4, exit_code=ExitCode.USAGE, cause="there is no file", hint="did you mean 'x'?")
    async with studio(library, size=(170, 50)) as (app, pilot):
        screen = await chosen(app, pilot)
        await pilot.press("R")
        await until(pilot, lambda: words(app).startswith("nothing to retry in the batch 'spring covers'"))
        await select(screen, pilot, 4)
        await pilot.press("r")
        await until(pilot, lambda: words(app).startswith("entry 4 cannot be tried: there is no file"))
        assert not noted.exists()


@on_stage
async def test_on_quitting_a_paused_batch_is_said_to_be_paused(library, spring):
    with worked_on(spring, "paused"):
        async with studio(library) as (app, pilot):
            await at_batch(app, pilot)
            await until(pilot, lambda: app.batches.state.worked_on)
            assert app.batches.going_on == [
                "the batch 'spring covers' is paused, 1 of 5 songs done: "
                f"it goes on with: covermaker batch go-on {spring.folder}"
            ]


@on_stage
async def test_what_is_odd_about_a_list_is_said_when_its_batch_begins(library, tmp_path):
    (tmp_path / "one.wav").touch()
    (tmp_path / "list.csv").write_text("file,bpm\none.wav,120\n", encoding="utf-8")
    async with studio(library, size=(300, 24)) as (app, pilot):
        await pilot.press("5", "n")
        await ask_for_batch(app, pilot, playlist=tmp_path / "list.csv")
        await until(pilot, lambda: "list.csv:1: the column 'bpm' is not read" in words(app))
        assert words(app).startswith("a batch of 1 song begins; it goes on when the studio is closed; ")
