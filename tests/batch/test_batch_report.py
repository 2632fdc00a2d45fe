"""The report of a batch: what its three files say of a queue, and that nobody's title breaks them."""

import asyncio
import json
import wave
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes

import pytest

from browser import browser, program
from covermaker.batch.options import Options
from covermaker.batch.playlist import read
from covermaker.batch.queue import Queue
from covermaker.batch.report import rows, write_covers, write_json_lines, write_page, write_report
from covermaker.batch.report_row import cover_of
from covermaker.batch.rows import Song, StepTime, Try
from covermaker.errors import ResourceError

FIGURES = {
    "seconds": 187.0,
    "loudness_lufs": -14.02,
    "loudness_range_lu": 6.1,
    "true_peak_dbtp": -1.04,
    "reached": True,
    "semitones": 3,
    "why": "fits the voice",
    "unheard": "",
    "lag_ms": 0.1,
    "similarity": 0.8312,
    "source_similarity": 0.6123,
    "f0_correlation": 0.98765,
    "f0_median_cents": 12.34,
    "words_read": 0.974,
    "new_clicks": 2,
}
EVIL = [
    "<script>alert('x')</script>",
    "\"quoted\" 'and' &amp;",
    "שיר של לילה \u202eoverridden",
    "👩\u200d🚀 Space 🎤",
    "long " * 60,
    "100% #1; pure? = a:b",
    "]]> --> </table>",
    "line\nfeed\x00\x1b[31m",
]
STEPS = ("decode", "separate", "content", "convert", "level: vocals", "rack: vocals", "mix", "score")


@pytest.fixture
def queue(tmp_path):
    with Queue.made(tmp_path / "out") as made:
        made.note(
            title="Friday",
            options=Options(wishes={"voice": "aria"}).to_json(),
            state="over",
            began=1.7e9,
            ended=1.7e9 + 61,
        )
        yield made


def sound(file, seconds=2):
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(16000 * seconds))
    return str(file)


def song(number, title, **columns):
    return Song(
        number,
        float(number),
        f"{number}#1",
        f"/songs/{number}.wav",
        f"friday.m3u8:{number}",
        title,
        **columns,
    )


def done(queue, number, title, *, name="cover.wav", **result):
    """A finished song with one file."""
    project = queue.folder / f"song-{number}"
    file = sound(project / "out" / name)
    facts = {**FIGURES, "files": [file], **result}
    return song(
        number,
        title,
        state="done",
        tries=1,
        project=str(project),
        result=facts,
        spent_seconds=33.0,
        artist="Somebody",
    )


def failed(number, title, **columns):
    return song(
        number,
        title,
        state="failed",
        cause="the disk is full",
        hint="free some space",
        exit_code=6,
        **columns,
    )


class Checker(HTMLParser):
    """Gathers what a page holds, and fails where an element is not closed in its turn."""

    VOID = frozenset({"meta", "input"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.rows, self.titles, self.cell = [], [], [], [], [], None
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name in facts)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
            self.titles.append(facts.get("title", ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open:
            self.rows[-1][-1] += data


def page_of(queue):
    return Checker(write_page(queue).read_text(encoding="utf-8"))


def test_a_row_holds_what_is_known_of_a_song(queue):
    one = done(queue, 1, "Blue Harbour")
    one.artist = "Demo"
    queue.put([one])
    queue.put_step(StepTime(1, "separate", 9.0, False))
    queue.put_step(StepTime(1, "mix", 0.0, True))
    queue.put_try(Try(1, 1, 5.0, 38.0, "worker 1", "done", "", "", 0))
    (row,) = rows(queue)
    assert (row.number, row.title, row.artist, row.voice, row.state) == (
        1,
        "Blue Harbour",
        "Demo",
        "aria",
        "done",
    )
    assert row.cover == "song-1/out/cover.wav"
    assert row.loudness_lufs == -14.02
    assert row.words_read == 0.974
    assert [(took.name, took.seconds, took.kept) for took in row.steps] == [
        ("separate", 9.0, False),
        ("mix", 0.0, True),
    ]
    assert row.attempts[0].running_at == "worker 1"


def test_who_sings_is_what_was_written_or_asked_for_or_what_a_kept_project_says(queue, tmp_path):
    kept = tmp_path / "mine"
    kept.mkdir()
    (kept / "cover.toml").write_text('title = "Mine"\n[song]\nfile = "a.wav"\n[voice]\nname = "basso"\n')
    queue.put(
        [
            song(1, "a"),
            song(2, "b", wishes={"voice": "cora"}),
            song(3, "c", applied={"wishes": {"voice": "dora"}}),
            song(4, "d", project=str(kept), kept=True),
            song(5, "e", project=str(tmp_path / "gone"), kept=True),
        ]
    )
    assert [row.voice for row in rows(queue)] == ["aria", "cora", "dora", "basso", ""]


@pytest.mark.parametrize(
    ("files", "cover"),
    [
        (["/p/out/a.wav", "/p/out/a.flac", "/p/out/a.mp3"], "/p/out/a.mp3"),
        (["/p/out/a.opus", "/p/out/a.wav", "/p/out/a (16bit).wav"], "/p/out/a.wav"),
        (["/p/out/stems/vocals.mp3", "/p/out/a (melody).mid", "/p/out/a.wav"], "/p/out/a.wav"),
        (["/p/out/a.mid"], ""),
        ([], ""),
    ],
)
def test_the_cover_is_the_finished_file_that_a_browser_plays_best(files, cover):
    assert cover_of(files) == cover


def test_lines_are_json_in_ascii_and_hold_no_infinity(queue):
    queue.put(
        [done(queue, 1, "夜の電車", loudness_lufs=None, true_peak_dbtp=float("-inf")), failed(2, "Salt")]
    )
    lines = write_json_lines(queue).read_bytes().decode("ascii").splitlines()
    first, second = map(json.loads, lines)
    assert first["title"] == "夜の電車"
    assert first["true_peak_dbtp"] is None
    assert first["files"] == ["song-1/out/cover.wav"]
    assert (second["state"], second["cause"], second["exit_code"]) == ("failed", "the disk is full", 6)


def test_every_column_is_on_the_page(queue):
    queue.put([done(queue, 1, "Blue Harbour", reached=False)])
    for name, seconds, kept in (("separate", 9.0, False), ("rack: vocals", 0.5, False), ("mix", 0.0, True)):
        queue.put_step(StepTime(1, name, seconds, kept))
    checked = page_of(queue)
    (cells,) = (row for row in checked.rows if row)
    assert cells == [
        "1", "Blue HarbourSomebody · aria · natural · +3 semitones", "✓ done", "", "3:07", "-14.0missed", "-1.0",
        "0.8310.612", "0.987712.3 cents", "97%", "2", "0:331 of 3 steps kept",
    ]  # fmt: skip
    assert checked.titles[-1] == "separate 9.0 s, rack: vocals 0.5 s; kept: mix"
    assert checked.tags.count("audio") == 1


def test_a_failure_tells_its_cause_the_next_step_and_its_log(queue):
    log = queue.folder / "logs" / "worker-2.log"
    log.parent.mkdir()
    log.write_text("…", encoding="utf-8")
    queue.put([failed(1, "Salt", step="export", running_at="worker 2", tries=3), failed(2, "No file")])
    one, other = (row for row in page_of(queue).rows if row)
    assert one[2] == "✗ failed3 tries"
    assert one[3] == (
        "at export: the disk is fullnext: free some spacelog: logs/worker-2.logasked for in friday.m3u8:1: /songs/1.wav"
    )
    assert "log:" not in other[3]
    assert "logs/worker-2.log" in page_of(queue).links


@pytest.mark.parametrize("title", EVIL, ids=range(len(EVIL)))
def test_no_title_breaks_the_page(queue, title):
    queue.put([done(queue, 1, title), failed(2, title, artist=title)])
    queue.change(2, cause=f"there is no file {title}", hint=title, place=title)
    queue.note(title=title)
    checked = page_of(queue)
    assert checked.tags.count("script") == 1
    assert checked.tags.count("table") == 1
    shown = "".join("\ufffd" if char in "\0\x1b" else char for char in title)
    assert checked.rows[1][1].startswith(shown)
    assert checked.rows[2][3].startswith(f"there is no file {shown}next: {shown}")


def test_nothing_on_the_page_comes_from_elsewhere(queue):
    queue.put([done(queue, 1, "A"), failed(2, "B")])
    write_report(queue)
    text = (queue.folder / "report.html").read_text(encoding="utf-8")
    assert "http" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert Checker(text).links == ["song-1/out/cover.wav", "covers.m3u8", "report.jsonl"]


def test_the_address_of_a_cover_is_relative_and_leads_to_it(queue, tmp_path):
    queue.put([done(queue, 1, "A", name="100% #1; pure? = a:b & 夜.wav")])
    far = done(queue, 2, "B")
    far.result["files"] = [sound(tmp_path / "else where" / "out" / "b.wav")]
    queue.put([far])
    links = page_of(queue).links
    assert links[1] == "../else%20where/out/b.wav"
    for link, row in zip(links, rows(queue), strict=False):
        assert (queue.folder / unquote_to_bytes(link).decode()).samefile(queue.folder / row.cover)


def test_a_file_name_that_is_no_text_is_played_and_listed(queue):
    one = done(queue, 1, "half \udcff")
    one.result["files"] = [sound(queue.folder / "\udcff" / "out" / "a\udcfe.wav")]
    queue.put([one])
    write_report(queue)
    assert page_of(queue).links[0] == "%FF/out/a%FE.wav"
    line = json.loads((queue.folder / "report.jsonl").read_text(encoding="ascii"))
    assert (queue.folder / line["cover"]).is_file()
    last = (queue.folder / "covers.m3u8").read_text(encoding="utf-8").splitlines()[-1]
    assert last == (queue.folder / line["cover"]).resolve().as_uri()


def test_a_cover_that_is_gone_has_no_player(queue):
    queue.put([done(queue, 1, "A")])
    (queue.folder / "song-1" / "out" / "cover.wav").unlink()
    checked = page_of(queue)
    assert "audio" not in checked.tags
    assert checked.rows[1][3] == "its file is gone"
    assert "cover.wav" not in write_covers(queue).read_text(encoding="utf-8")


def test_the_head_of_the_page_sums_up(queue):
    queue.put([done(queue, 1, "A"), done(queue, 2, "B", target_lufs=-16.0), failed(3, "C"), song(4, "D")])
    queue.change(2, was_done=True)
    text = write_page(queue).read_text(encoding="utf-8")
    assert "2 of 4 done, 1 failed, 1 waiting; 1 was done already" in text
    assert "6:14 of covers" in text
    assert "1:01 from begin to end, 1:06 of all songs together" in text
    assert "<dt>loudness</dt><dd>-16 LUFS</dd>" in text
    assert "no: every song by itself" in text
    queue.note(state="stopped")
    assert ", stopped before its end" in write_page(queue).read_text(encoding="utf-8")


def test_an_album_says_how_loud_it_came_out(queue):
    gauge = {"lufs": -20.0, "bins": {"1000": 10}}
    queue.put([done(queue, 1, "A", loudness_lufs=-14.0, gauge=gauge)])
    queue.note(options=Options(album=True).to_json())
    assert "yes: one gain for all, -14.0 LUFS all together" in write_page(queue).read_text(encoding="utf-8")


def test_the_preset_and_the_transposition_of_a_song_are_told(queue):
    one = done(queue, 1, "A", semitones=-2, why="fits <the> voice")
    one.applied = {"wishes": {"preset": ["rock", "ab" * 32]}}
    kept = done(queue, 2, "B", semitones=None)
    kept.kept = True
    queue.put([one, kept])
    text = write_page(queue).read_text(encoding="utf-8")
    assert '<bdi>rock</bdi> · <span title="fits &lt;the&gt; voice">-2 semitones</span>' in text
    assert [(row.preset, row.semitones) for row in rows(queue)] == [("rock", -2), ("", None)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(album=True, album_lufs=-12.5), "-12.5 LUFS all together"),
        (Options(wishes={"loudness_lufs": -9.0}), "-9 LUFS"),
        (Options(wishes={"master": "warm"}), "as the master &#x27;warm&#x27; says"),
        (Options(template="/t.toml"), "as each project says"),
    ],
)
def test_the_head_says_how_loud_covers_should_be(queue, options, words):
    queue.note(options=options.to_json())
    queue.put([song(1, "A")])
    assert f"<dt>loudness</dt><dd>{words}</dd>" in write_page(queue).read_text(encoding="utf-8")


def test_a_batch_that_runs_has_a_page_too(queue):
    queue.note(state="running", ended=None)
    queue.put(
        [song(1, "A", state="running", step="convert", fraction=0.625, running_at="worker 1"), song(2, "B")]
    )
    checked = page_of(queue)
    assert checked.rows[1][2:4] == ["► running", "convert 62 % at worker 1"]
    assert checked.rows[2][2:] == ["· waiting", "", ""]
    assert "not over yet" in (queue.folder / "report.html").read_text(encoding="utf-8")


def test_an_empty_queue_has_a_report(queue):
    assert [row for row in page_of(queue).rows if row] == []
    assert write_json_lines(queue).read_text(encoding="utf-8") == ""


def test_the_same_queue_gives_the_same_page(queue):
    queue.put([done(queue, 1, "A"), failed(2, "B")])
    assert write_report(queue).read_bytes() == write_report(queue).read_bytes()


def test_a_folder_that_may_not_be_written_is_told(queue, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("covermaker.disk.os.replace", full)
    with pytest.raises(ResourceError, match=r"report\.html.*the disk is full"):
        write_page(queue)
    assert not (queue.folder / "report.html").exists()


def test_the_list_of_covers_is_a_playlist(queue, tmp_path):
    names = ["a.wav", "夜 100%.wav", "b #2.wav"]
    songs = [done(queue, number, f"Song, {number}", name=name) for number, name in enumerate(names, start=1)]
    far = done(queue, 4, "Odd\nname")
    far.result["files"] = [sound(tmp_path / "line\nfeed.wav")]
    queue.put([*songs, failed(5, "C"), far])
    queue.change(1, turn=9.0)
    text = write_covers(queue).read_text(encoding="utf-8")
    assert text.splitlines()[:4] == [
        "#EXTM3U",
        "#PLAYLIST:Friday",
        "#EXTINF:187,Somebody - Song, 2",
        "song-2/out/夜 100%.wav",
    ]
    read_back = read(queue.folder / "covers.m3u8")
    assert read_back.problems == ()
    assert read_back.title == "Friday"
    assert [(queue.folder / row.cover).resolve() for row in rows(queue) if row.cover] == [
        entry.place for entry in read_back.entries
    ]
    assert [entry.seconds for entry in read_back.entries] == [187.0] * 4


def test_a_song_takes_less_than_two_kilobytes_of_the_page(queue):
    long = "Ночной трамвай по дороге домой"
    file = sound(queue.folder / "ночной-трамвай" / "out" / f"{long}.wav")
    one = done(queue, 1, long)
    songs = []
    for number in range(1, 2_001):
        made = song(
            number, long, state="done", tries=2, result={**FIGURES, "files": [file]}, spent_seconds=33.0
        )
        made.artist = one.artist
        songs.append(made)
    queue.put(songs)
    with queue.writing():
        queue._base.executemany(
            "insert into steps values (?, ?, ?, ?, ?)",
            [(one.id, name, 3.25, 0, at) for one in songs for at, name in enumerate(STEPS)],
        )
    assert write_page(queue).stat().st_size < 2_000 * 2_000


@pytest.mark.skipif(program() is None, reason="no browser is installed")
def test_a_browser_plays_sorts_and_filters(queue):
    quiet = done(queue, 1, "Quiet", loudness_lufs=-20.0, name="100% #1.wav")
    loud = done(queue, 2, "Loud", loudness_lufs=-9.0)
    queue.put([quiet, failed(3, "Broken"), loud, done(queue, 4, "Middle", loudness_lufs=-14.0)])
    file = write_page(queue)
    shown = (
        "[...document.querySelector('#songs tbody').rows].filter(row => !row.hidden)"
        ".map(row => [row.getBoundingClientRect().top, row.querySelector('bdi').textContent])"
        ".sort((one, other) => one[0] - other[0]).map(one => one[1]).join()"
    )
    ask = "document.querySelector('.tools input')"

    async def drive():
        async with browser() as page:

            async def value(code):
                answer = await page.call("Runtime.evaluate", expression=code, awaitPromise=True)
                return answer["result"].get("value")

            await page.open(file.as_uri())
            await page.wait_for(lambda: page.loaded)
            found = [await value(shown)]
            for _ in range(2):
                await value("document.querySelectorAll('th button')[4].click()")
                found.append(await value(shown))
            await value(f"{ask}.value = 'full'; {ask}.oninput()")
            found.append(await value(shown))
            found.append(
                await value(
                    "new Promise((ok, no) => { const one = document.querySelector('audio'); one.preload = 'metadata';"
                    " one.onloadedmetadata = () => ok(one.duration); one.onerror = () => ok('refused'); one.load() })"
                )
            )
            return found

    assert asyncio.run(drive()) == [
        "Quiet,Loud,Broken,Middle",
        "Quiet,Middle,Loud,Broken",
        "Loud,Middle,Quiet,Broken",
        "Broken",
        2,
    ]
