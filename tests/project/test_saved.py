"""Going back to states that a document was in."""

from datetime import datetime

import pytest

from covermaker.disk import jot
from covermaker.errors import ProjectError, UsageError
from covermaker.project.edits import SetValue, apply
from covermaker.project.history import history, undo
from covermaker.project.load import load
from covermaker.project.saved import RENDERED_NAME, chosen, go_back, saved_states
from covermaker.project.saving import LAST_NAME


def edited(project, *gains):
    for gain in gains:
        project = apply(project, SetValue("tracks.vocals.gain_db", gain)).project
    return project


def test_every_edit_leaves_a_state_to_go_back_to(project):
    before = project.document.text
    project = edited(project, -1.0, -2.0)
    states = saved_states(project.root)
    assert {state.words for state in states} == {
        "before: vocals gain -3.0 -> -1.0 dB",
        "before: vocals gain -1.0 -> -2.0 dB",
    }
    first = next(state for state in states if state.text == before)
    done = go_back(project.root, first)
    assert project.file.read_text() == before
    assert done.words == "went back to before: vocals gain -3.0 -> -1.0 dB"
    assert history(done.project).done[-1].words == done.words
    assert undo(done.project).project.cover.tracks[0].gain_db == -2.0


def test_a_broken_document_goes_back_to_what_was_saved_last(project):
    project = edited(project, -1.0)
    good = project.file.read_text()
    project.file.write_text("nonsense")
    states = saved_states(project.root)
    assert "as it was saved last" in {state.words for state in states}
    go_back(project.root, next(state for state in states if state.text == good))
    assert load(project.root).cover.tracks[0].gain_db == -1.0
    assert [file.read_text() for file in project.hidden.glob("replaced-*.toml")] == ["nonsense"]


def test_the_document_of_the_last_render_is_one(project):
    project.hidden.mkdir(exist_ok=True)
    jot(project.hidden / RENDERED_NAME, project.document.text)
    assert saved_states(project.root) == []  # it is so still
    project.file.write_text(project.document.text.replace("-3.0", "-9.0"))
    (state,) = saved_states(project.root)
    assert state.words == "as of the last render"


def test_states_of_one_second_are_told_the_newest_first(project, monkeypatch):
    class Once(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 1, 2, 3, 4, 5, tzinfo=tz)

    monkeypatch.setattr("covermaker.project.edits.datetime", Once)
    edited(project, -1.0, -2.0, -4.0)
    assert [state.words.rpartition(" -> ")[2] for state in saved_states(project.root)] == [
        "-4.0 dB", "-2.0 dB", "-1.0 dB",
    ]  # fmt: skip


def test_what_is_kept_is_whole_or_as_it_was(project, monkeypatch):
    edited(project, -1.0)
    jot(project.hidden / RENDERED_NAME, project.document.text)
    kept = {name: (project.hidden / name).read_text() for name in (RENDERED_NAME, LAST_NAME)}

    def full(*_):
        raise OSError(28, "full")

    monkeypatch.setattr("covermaker.disk.os.replace", full)
    jot(project.hidden / RENDERED_NAME, "a")
    jot(project.hidden / LAST_NAME, "b")
    assert {name: (project.hidden / name).read_text() for name in kept} == kept
    assert not list(project.hidden.glob(".part-*"))


def test_a_torn_document_of_the_last_render_is_no_state(project):
    project.hidden.mkdir(exist_ok=True)
    jot(project.hidden / RENDERED_NAME, project.document.text[:-20] + '"')
    assert saved_states(project.root) == []


def test_what_is_not_there_is_refused(project, tmp_path):
    with pytest.raises(UsageError, match="there is no saved state 1: there are 0"):
        chosen(saved_states(project.root), 1)
    with pytest.raises(ProjectError, match="there is no project"):
        saved_states(tmp_path / "nowhere")
