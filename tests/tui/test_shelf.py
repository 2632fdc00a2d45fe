"""The list of songs without a screen: filter, order, cells, and what is said of one."""

import time
from pathlib import Path

import pytest
from studio_stage import HALF, PLAN, SEPARATE, state

from covermaker.errors import CovermakerError
from covermaker.features.song.facts import SongFacts
from covermaker.graph.events import from_json
from covermaker.project.library import Row
from covermaker.render.state import Output
from covermaker.tui.details import Look, details
from covermaker.tui.job_board import JobBoard
from covermaker.tui.keymap import DEFAULTS, filled
from covermaker.tui.shelf import Shelf

STYLES = dict.fromkeys(("done", "run", "stale", "failed", "quiet"), "")
FACTS = SongFacts(222.0, 44100, 2, -9.83, -0.31, "F# minor", 0.81, 104.02, 0.9)


def row(name, title=None, artist="", **more):
    return Row(Path("/songs") / name, title or name.title(), artist, None, **{"voice": "demo", **more})


@pytest.fixture
def board():
    return JobBoard()


@pytest.fixture
def shelf(board):
    shelf = Shelf(lambda folder: board.of(str(folder)))
    shelf.put(
        [row("b", "Blue Harbour", "Anna", changed=3.0), row("n", "Night Tram", "Ben", changed=5.0),
         row("e", "Élan", "", voice="alto", changed=1.0), row("q", "Quiet Engine", problem="cover.toml: no TOML")]
    )  # fmt: skip
    shelf.states = {
        Path("/songs/b"): state("stale", to_do=("export",), seconds=222.0),
        Path("/songs/n"): state("done", seconds=100.0),
    }
    return shelf


def names(shelf):
    return [folder.name for folder in shelf.visible()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "bneq"),
        ("night", "n"),
        ("ELAN", "e"),
        ("stale", "b"),
        ("anna blue", "b"),
        ("alto", "e"),
        ("zzz", ""),
        ("failed", "q"),
    ],
)
def test_the_filter_looks_at_title_artist_voice_and_state(shelf, text, found):
    shelf.filter = text
    assert sorted(names(shelf)) == sorted(found)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("title", "benq"),
        ("artist", "bneq"),
        ("length", "nbeq"),
        ("voice", "ebnq"),
        ("state", "qbne"),
        ("changed", "nbeq"),
    ],
)
def test_orders(shelf, sort, order):
    shelf.sort = sort
    assert "".join(names(shelf)) == order


def test_put_tells_what_is_new_or_changed_and_forgets_what_is_gone(shelf):
    assert shelf.put(
        [row("b", "Blue Harbour", "Anna", changed=3.0), row("n", "Night Tram", "Ben", changed=6.0)]
    ) == [Path("/songs/n")]
    assert set(shelf.states) == {Path("/songs/b"), Path("/songs/n")}
    assert set(shelf.songs) == {Path("/songs/b"), Path("/songs/n")}


def cells(shelf, name, charset="unicode"):
    return [text for text, _ in shelf.cells(Path("/songs") / name, charset)]


def test_cells(shelf):
    assert cells(shelf, "b") == ["Blue Harbour", "Anna", "3:42", "", "", "✓ 2", "demo", "~ stale: 1 step"]
    assert cells(shelf, "n", "ascii")[-1] == "v done"
    assert cells(shelf, "e") == ["Élan", "", "", "", "", "", "alto", "…"]
    assert cells(shelf, "q")[-1] == "✗ failed"
    shelf.states[Path("/songs/n")] = state("done", song=Path("/songs/n/song.wav"))
    assert cells(shelf, "n")[3:5] == ["?", "?"]
    shelf.states[Path("/songs/n")] = state("done", song=Path("/songs/n/song.wav"), facts=FACTS)
    assert cells(shelf, "n")[3:5] == ["F#m", "104"]


def test_a_running_job_is_the_state(shelf, board):
    job = board.add("render", "Blue", "/songs/b", {}, Path("/log"))
    assert cells(shelf, "b")[-1] == "· waiting"
    board.began(job, 0.0)
    assert cells(shelf, "b")[-1] == "► starting"
    for line in (PLAN, SEPARATE, HALF):
        board.feed(job, from_json(line), 1.0)
    assert cells(shelf, "b")[-1] == "► separate 50 %"
    assert shelf.word(Path("/songs/b")) == "run"
    assert shelf.stale() == []


def test_stale_are_those_in_the_list_or_those_that_the_filter_hides_too(shelf):
    shelf.states[Path("/songs/e")] = state("failed", to_do=("export",), otherwise="stale")
    shelf.sort = "state"
    assert [folder.name for folder in shelf.stale()] == ["e", "b"]
    shelf.filter = "blue"
    assert [folder.name for folder in shelf.stale()] == ["b"]
    assert [folder.name for folder in shelf.stale(hidden=True)] == ["e", "b"]
    assert shelf.count_stale() == (1, 2)
    shelf.states[Path("/songs/q")] = state("stale", to_do=("export",))  # its document is refused
    assert shelf.count_stale() == (1, 2)


def test_two_thousand_songs_are_counted_in_no_time(board):
    shelf = Shelf(lambda folder: board.of(str(folder)))
    songs = [row(f"s{number}") for number in range(2000)]
    shelf.put(songs)
    shelf.states = {song.folder: state("stale", to_do=("export",)) for song in songs}
    for song in songs[:500]:
        board.add("render", song.title, str(song.folder), {}, Path("/log"))
    began = time.process_time()
    assert shelf.count_stale() == (1500, 1500)
    assert time.process_time() - began < 0.1


def said(shelf, name, board, *, width=60, tall=False, now=1000.0, charset="unicode"):
    folder = Path("/songs") / name
    look = Look(charset, STYLES, width, lambda text: filled(text, DEFAULTS), tall, now)
    return details(shelf.songs[folder], shelf.states.get(folder), board.of(str(folder)), look).plain


def test_details_of_a_stale_song(shelf, board):
    shelf.states[Path("/songs/b")] = state(
        "stale", to_do=("separate", "export"), song=Path("/songs/b/song.flac"), seconds=222.0, sample_rate=44100,
        channels=2, facts=FACTS, lufs=-14.0, true_peak_dbtp=-1.02, estimate_seconds=48.0,
        outputs=(Output(Path("/songs/b/out/Blue Harbour.wav"), 280.0, 10),),
    )  # fmt: skip
    assert said(shelf, "b", board, width=90).splitlines() == [
        "song     song.flac  in b",
        "         44.1 kHz stereo 3:42",
        "         -9.8 LUFS  peak -0.3 dBTP  key F# minor 0.81  104.0 bpm",
        "voice    demo",
        "stale    tracks[0].gain_db: 0.0 -> 1.0",
        "redo     separate, export: about 0:50",
        "output   -14.0 LUFS, peak -1.0 dBTP",
        "         Blue Harbour.wav  12 min ago",
        "steps    ✓ decode  ~ separate  ~ export",
    ]
    tall = said(shelf, "b", board, tall=True, charset="ascii").splitlines()
    assert tall[-4:] == [
        "steps",
        " v decode          done: 1.0 s",
        " ~ separate        stale: tracks[0].gain_db: 0.0 -> 1.0",
        " ~ export          stale: tracks[0].gain_db: 0.0 -> 1.0",
    ]
    assert all(len(line) <= 24 for line in said(shelf, "b", board, width=24).splitlines() if "." not in line)


def test_details_of_a_failed_job(shelf, board):
    from covermaker.errors import ResourceError

    job = board.add("render", "Blue", "/songs/b", {}, Path("/songs/b/render.log"))
    board.began(job, 0.0)
    board.ended(job, 9.0, error=ResourceError("the disk is full", hint="free some space"))
    text = said(shelf, "b", board)
    assert "✗ failed the disk is full" in text
    assert "next     free some space" in text
    assert "log      /songs/b/render.log" in text


def test_a_failed_job_without_advice_names_the_key_of_the_log(shelf, board):
    job = board.add("render", "Blue", "/songs/b", {}, Path("/songs/b/render.log"))
    board.began(job, 0.0)
    board.ended(job, 9.0, error=CovermakerError("it broke"))
    assert "next     L shows the log" in said(shelf, "b", board)
    look = Look("unicode", STYLES, 60, lambda text: filled(text, {"studio.log": "ctrl+l"}), False, 0.0)
    assert "ctrl+l shows the log" in details(shelf.songs[Path("/songs/b")], None, job, look).plain


def test_details_of_a_document_that_is_refused(shelf, board):
    assert "✗ failed cover.toml: no TOML" in said(shelf, "q", board)
    assert "looking at it…" in said(shelf, "q", board)


def test_details_of_a_new_song_name_the_key(shelf, board):
    shelf.states[Path("/songs/e")] = state(
        "new", to_do=("decode",), words=("never rendered",), estimate_seconds=50
    )
    text = said(shelf, "e", board)
    assert "new      r renders it, about 0:50" in text
    assert "· decode" in text


def test_steps_that_only_follow_say_so(shelf, board):
    shelf.states[Path("/songs/b")] = state("stale", to_do=("export",), words=("'separate' is made again",))
    assert "export          stale: follows" in said(shelf, "b", board, tall=True)
