"""The songs of a batch as the Batch screen shows them: rows, sums, places, log, what there is to say of one."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.text import Text

from covermaker.batch.report_row import cover_of
from covermaker.batch.words import state_words
from covermaker.texts import one_line
from covermaker.tui.batch_model import without_folders
from covermaker.tui.batch_sums import Totals
from covermaker.tui.details import Page
from covermaker.tui.job_board import NOTHING_TO_DO
from covermaker.tui.paths import tilde
from covermaker.tui.words import count, cut, left, level, said, share, tone_of
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from covermaker.batch.rows import Song, Try
    from covermaker.tui.batch_state import BatchState, Close
    from covermaker.tui.details import Look
    from covermaker.tui.listing import Cell
    from covermaker.tui.words import Charset

_WORDS: Final = {
    "waiting": "wait",
    "running": "run",
    "done": "done",
    "failed": "failed",
    "cancelled": "stopped",
}
_MOST_TRIES: Final = 6
# What places are called, by the engine; the others have nodes.
_PLACES: Final = {"local": "worker"}


def word_of(state: BatchState, song: Song) -> str:
    """Return the state to show, a name of `covermaker.tui.words.STATES`."""
    if song.state == "running" and not state.worked_on:
        return "wait"
    return "cached" if song.state == "done" and song.was_done else _WORDS[song.state]


def cells(state: BatchState, song: Song, *, charset: Charset, now: float) -> dict[str, Cell]:
    """Return what stands in the columns of a song's row, by their names."""
    word = word_of(state, song)
    lufs = song.result.get("loudness_lufs") if song.state == "done" else None
    took = seconds_of(state, song, now)
    return {
        "number": (str(song.id), "quiet"),
        "song": (called(song), ""),
        "voice": (_wish(state, song, "voice"), ""),
        "preset": (_wish(state, song, "preset"), ""),
        "where": (one_line(song.running_at), "quiet"),
        "state": (said(word, charset, row_words(state, song, now)), tone_of(word)),
        "loudness": (level(lufs, "LUFS") if lufs is not None else "", ""),
        "time": (clock(took) if took is not None else "", "quiet"),
        "tries": (str(song.tries) if song.tries else "", "quiet"),
    }


def called(song: Song) -> str:
    """Return what a song is called; a broken entry by what the list says."""
    return one_line(song.name)


def _wish(state: BatchState, song: Song, name: str) -> str:
    """Return what was asked for a song; "" where its project decides."""
    written = song.applied.get("wishes", {}).get(name)
    wish = written or (song.wishes if song.kept else state.options.wanted(song.wishes)).get(name, "")
    return one_line(str(wish[0] if isinstance(wish, list) else wish))


def seconds_of(state: BatchState, song: Song, now: float) -> float | None:
    """Return how long a song took, or takes by now; None where it was not begun."""
    if state.is_running(song) and song.began is not None:
        return song.spent_seconds + max(0.0, now - song.began)
    return song.spent_seconds if song.spent_seconds or song.was_done else None


def row_words(state: BatchState, song: Song, now: float) -> str:
    """Say how it stands with a song in a column: ``convert 62 %, 0:20 left``."""
    if song.state == "running" and not state.worked_on:
        return f"was at {_kind(song)}" if song.step else "was begun"
    if song.state == "running" and state.is_asked("cancel", song.id):
        return "cancelling"
    if song.state == "running":
        words = state_words(replace(song, step=_kind(song)), now)
        return ", ".join(filter(None, (words, left(state.song_seconds_left(song, now)))))
    if song.state == "waiting" and state.is_paused:
        return "paused"
    return without_folders(state_words(song, now))


def _kind(song: Song) -> str:
    return song.step.partition(":")[0]


# The whole


def engine_words(state: BatchState) -> str:
    """Say which engine works, and how many places it has: ``engine local, 2 workers``."""
    engine = state.options.engine
    places = f", {count(len(state.places), _PLACES.get(engine, 'node'))}" if state.places else ""
    return f"engine {engine}{places}"


def standing(state: BatchState) -> str:
    """Say why not everything that waits is done in turn; "" where it is. It names keys by their actions."""
    if state.is_beginning:
        return "a process begins to work on it"
    if state.is_left:
        return "nobody works on it: {batch.pause} goes on"
    if state.is_stopping:
        return "it stops: what runs waits for the next time"
    if state.is_paused:
        running = len(state.running)
        return "paused" + (": what runs is finished" if running else "")
    return ""


def totals(state: BatchState, look: Look) -> Totals:
    """Sum a batch up."""
    counts, running = state.counts, len(state.running) if state.worked_on else 0
    kept = state.were_done
    more = [f"{kept} {'was' if kept == 1 else 'were'} done already"] if kept else []
    began = state.facts.get("began")
    if began:
        more.append(f"began {_time_of_day(began)}")
    return Totals(
        thing="song",
        ended="cancelled",
        of=len(state.songs),
        done=counts["done"],
        running=running,
        waiting=len(state.songs) - state.over - running,
        failed=counts["failed"],
        stopped=counts["cancelled"],
        fraction=state.fraction,
        seconds_left=state.seconds_left,
        songs_per_minute=state.songs_per_minute if state.worked_on else None,
        standing=look.named(standing(state)),
        more=tuple(more),
    )


def places_text(state: BatchState, look: Look) -> Text:
    """Return a line for each place where songs run, and what the batch may use."""
    text, names = Text(), [one_line(str(place["name"])) for place in state.places]
    wide = max(map(len, names), default=0)
    for name, place in zip(names, state.places, strict=True):
        titles = [called(state.songs[number]) for number in place.get("songs", ()) if number in state.songs]
        note = one_line(str(place.get("note") or ""))
        word = "warn" if note else "run" if titles else "wait"
        words = ", ".join(filter(None, (note, *titles))) or "free"
        line = cut(f"{name:<{wide}}  {said(word, look.charset, words)}", look.width, look.charset)
        text.append(line + "\n", look.styles.get(tone_of(word), ""))
    if not names:
        nobody = "nobody works on it" if state.is_left else "nothing is left to do"
        begins = state.worked_on or state.is_beginning
        text.append(("it begins" if begins else nobody) + "\n", look.styles["quiet"])
    options = state.options
    limits = [f"at most {options.workers} at once"] if options.workers else []
    limits.append(f"{count(options.retries, 'retry', 'retries')} of what may pass")
    text.append(f"\n{engine_words(state)}\n{', '.join(limits)}\n", look.styles["quiet"])
    text.append(_place(str(state.folder)), look.styles["quiet"])
    return text


def log_text(state: BatchState, look: Look, rows: int) -> Text:
    """Return the last lines of the batch's log, as many as there is room for."""
    lines = []
    for line in list(state.lines)[-rows:]:
        song = state.songs.get(line.song) if line.song is not None else None
        who = f"{called(song)}: " if song is not None else ""
        where = f"  ({one_line(line.running_at)})" if line.running_at else ""
        words = f"{_time_of_day(line.at, seconds=True)}  {who}{one_line(line.words)}{where}"
        lines.append(cut(words, look.width, look.charset))
    return Text("\n").join(Text(line, look.styles["quiet"]) for line in lines)


# One song


def details(state: BatchState, song: Song, look: Look) -> Text:
    """Return the text about a song: cause and next step of a failure, what is kept, tries, files, log."""
    page, close = Page(look), state.close if state.close and state.close.song == song.id else None
    _STANDING[song.state](page, state, song)
    if state.is_asked("retry", song.id) or state.is_asked("cancel", song.id):
        page.line("asked", "it is heard within a second", "quiet")
    unheard = song.result.get("unheard")
    if unheard:
        page.line("note", one_line(str(unheard)), "stale")
    if close is not None:
        _history(page, state, song, close)
    if song.project:
        page.line("project", _place(song.project))
    page.line("list", one_line(song.origin) + (f": {_place(song.place)}" if song.place else ""))
    if close is not None and close.log:
        page.line("log", _place(close.log))
    page.text.rstrip()
    return page.text


def _failed(page: Page, state: BatchState, song: Song) -> None:
    step = f"{one_line(song.step)}: " if song.step else ""
    page.line(said("failed", page.look.charset), step + one_line(song.cause), "failed")
    first = f"{one_line(song.hint)}; then " if song.hint else ""
    page.line("next", first + page.look.named("{batch.retry} tries it again"))


def _cancelled(page: Page, state: BatchState, song: Song) -> None:
    page.line("stopped", one_line(song.cause) or "cancelled", "quiet")
    page.line("next", page.look.named("{batch.retry} has it done, from where it was"), "quiet")


def _waiting(page: Page, state: BatchState, song: Song) -> None:
    why = page.look.named(standing(state)) or "for its turn"
    page.line("waiting", why, "stale" if state.is_left else "quiet")
    if song.cause:
        again = state_words(song, page.look.now).removeprefix("waits, ")
        page.line("before", one_line(song.cause) + (f"; {again}" if song.tries else ""), "stale")


def _running(page: Page, state: BatchState, song: Song) -> None:
    if not state.worked_on:
        page.line("waiting", page.look.named(standing(state)), "stale")
        page.line("was at", f"{one_line(song.step) or 'its beginning'} {share(song.fraction)}")
        return
    words = (state_words(song, page.look.now), left(state.song_seconds_left(song, page.look.now)))
    page.line("running", ", ".join(filter(None, words)), "run")
    if song.running_at:
        page.line("where", one_line(song.running_at))


def _done(page: Page, state: BatchState, song: Song) -> None:
    result = song.result
    figures = [NOTHING_TO_DO if song.was_done else f"rendered in {clock(song.spent_seconds)}"]
    for name, unit in (("loudness_lufs", "LUFS"), ("true_peak_dbtp", "dBTP")):
        if result.get(name) is not None:
            figures.append(("peak " if unit == "dBTP" else "") + level(result[name], unit))
    if result.get("similarity") is not None:
        figures.append(f"similarity {result['similarity']:.2f}")
    page.line("done", ", ".join(figures), "done")
    sung = ", ".join(filter(None, _sung(state, song)))
    if sung:
        page.line("sung", sung)
    cover = cover_of(result.get("files") or ())
    if cover:
        page.line("file", _place(cover))


def _sung(state: BatchState, song: Song) -> Iterable[str]:
    """Say who sings it, through which rack, and how much higher."""
    preset, semitones = _wish(state, song, "preset"), song.result.get("semitones")
    yield _wish(state, song, "voice")
    yield f"preset {preset}" if preset else ""
    if semitones is not None:
        why = f" ({one_line(str(song.result['why']))})" if song.result.get("why") else ""
        yield f"{semitones:+d} semitones{why}"


_STANDING: Final = {
    "failed": _failed,
    "cancelled": _cancelled,
    "waiting": _waiting,
    "running": _running,
    "done": _done,
}


def _history(page: Page, state: BatchState, song: Song, close: Close) -> None:
    """Write which steps are kept, and what became of each try."""
    if close.steps:
        label = "steps" if song.state == "done" else "kept"
        page.line(label, ", ".join(_step_words(step.name, step.seconds) for step in close.steps))
    elif song.state == "failed" and song.tries:
        page.line("kept", "nothing yet")
    if len(close.tries) > 1 or song.state in {"failed", "cancelled"}:
        for one in close.tries[-_MOST_TRIES:]:
            page.line(f"try {one.number}", _try_words(one))


def _step_words(name: str, seconds: float) -> str:
    return one_line(name) + (f" {clock(seconds)}" if seconds >= 1.0 else "")


def _try_words(one: Try) -> str:
    at = f" at {one_line(one.step)}" if one.step and one.state != "done" else ""
    parts: Iterable[str] = (_time_of_day(one.began), one_line(one.running_at), f"{one.state}{at}")
    cause = f": {one_line(one.cause)}" if one.cause and one.cause != one.state else ""
    return "  ".join(filter(None, parts)) + cause


def _place(path: str) -> str:
    return one_line(tilde(Path(path)))


def _time_of_day(at: float, *, seconds: bool = False) -> str:
    return time.strftime("%H:%M:%S" if seconds else "%H:%M", time.localtime(at))
