"""What is said when a job ends, over which screen, and when the bell rings."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from covermaker.tui.job_board import JobBoard
from covermaker.tui.job_kinds import KINDS
from covermaker.tui.settings import Settings
from covermaker.tui.toast import ended_words, job_ended

NOW = 1_700_000_000.0


class App:
    """A studio that notes what it is told."""

    def __init__(self, **settings):
        self.settings, self.bells, self.said, self.toasts = Settings(**settings), 0, [], []

    def bell(self):
        self.bells += 1

    def say(self, words, tone):
        self.said.append((words, tone))

    def front(self):
        return SimpleNamespace(shows=lambda job: False, answers=lambda job: False)

    def notify(self, text, **_):
        self.toasts.append(text)


def job(*, kind="render", began=None, ended=NOW, stopped=False):
    board = JobBoard()
    made = board.add(kind, "Blue", "/songs/blue", {}, Path("/songs/blue/log"))
    if began is not None:
        board.began(made, began)
    board.ended(made, ended, error=None, stopped=stopped)
    return made


@pytest.mark.parametrize(
    ("made", "bells"),
    [
        (job(began=NOW - 60.0), 1),
        (job(began=NOW - 60.0, stopped=True), 1),
        (job(began=NOW - 3.0), 0),
        (job(stopped=True), 0),  # it waited, and never began
    ],
    ids=["long", "long and stopped", "short", "cancelled while it waited"],
)
def test_the_bell_rings_for_what_took_long(made, bells):
    app = App()
    job_ended(app, made)
    assert app.bells == bells
    silent = App(notify=False)
    job_ended(silent, made)
    assert silent.bells == 0


def test_a_job_that_never_began_took_no_time():
    assert ended_words(job(stopped=True)) == ("Blue: stopped, finished steps are kept", "")
    assert ended_words(job(began=NOW - 65.0)) == ("Blue: rendered in 1:05", "")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_job_says_how_it_ended(kind):
    app = App()
    job_ended(app, job(kind=kind, began=NOW - 1.0))
    assert app.said == [(f"Blue: {KINDS[kind].done} in 0:01", "done")]
    assert bool(app.toasts) != KINDS[kind].is_quiet


def test_a_kind_that_nobody_has_described_is_told_in_plain_words():
    assert ended_words(job(kind="else", began=NOW - 1.0))[0] == "Blue: done in 0:01"


def test_a_cover_without_its_voice_is_told_over_the_library_too():
    app, made = App(), job(began=NOW - 65.0)
    app.front = lambda: SimpleNamespace(shows=lambda job: True, answers=lambda job: False)
    job_ended(app, made)
    assert app.toasts == []
    made.result["unheard"] = "the voice is not heard: track 'vocals' is muted"
    job_ended(app, made)
    assert app.toasts == ["Blue: rendered in 1:05\nthe voice is not heard: track 'vocals' is muted"]
    assert app.said[-1] == (
        "Blue: rendered in 1:05; the voice is not heard: track 'vocals' is muted",
        "stale",
    )


def test_a_job_whose_end_a_dialog_tells_is_told_nowhere_else():
    app, made = App(), job(began=NOW - 1.0)
    made.state, made.message = "failed", "it is more than weights"
    app.front = lambda: SimpleNamespace(shows=lambda job: False, answers=lambda job: True)
    hushed = []
    app.hush = lambda: hushed.append(True)
    job_ended(app, made)
    assert (app.toasts, app.said, hushed) == ([], [], [True])
