"""Undo over restarts, kills, other windows, and a history that is damaged or long."""

import json
import subprocess
import sys
import time

import pytest
from laid_out import DOCUMENT

from covermaker.errors import ResourceError, UsageError
from covermaker.project import log as log_module
from covermaker.project.edits import AddEffect, Conflict, RemoveTrack, SetValue, apply
from covermaker.project.history import history, redo, undo
from covermaker.project.load import load
from covermaker.project.log import FILE_NAME, Splice

GAIN = "tracks.vocals.gain_db"


def words(project):
    stacks = history(project)
    return [one.words for one in stacks.done], [one.words for one in stacks.undone]


def test_undo_and_redo_in_another_process(project):
    apply(project, SetValue(GAIN, -2.0))
    apply(load(project.root), AddEffect("tracks.vocals", {"effect": "delay"}))
    edited = project.file.read_text()
    script = (
        "from pathlib import Path; from covermaker.project.load import load;"
        "from covermaker.project.history import undo, redo;"
        f"print({{}}(load(Path({str(project.root)!r}))).words)"
    )
    for step in ("undo", "undo", "redo", "redo"):
        done = subprocess.run(
            [sys.executable, "-c", script.format(step)], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(f"{step}: ")
        if step == "undo":
            last = project.file.read_text()
    assert last == DOCUMENT
    assert project.file.read_text() == edited


def test_nothing_to_undo_is_said(project):
    with pytest.raises(UsageError, match="nothing to undo"):
        undo(project)
    with pytest.raises(UsageError, match="nothing to redo"):
        redo(project)


def test_a_new_edit_ends_what_could_be_redone(project):
    apply(project, SetValue(GAIN, -2.0))
    undo(project)
    assert words(project) == ([], ["vocals gain -3.0 -> -2.0 dB"])
    apply(load(project.root), SetValue("title", "x"))
    assert words(project) == (["title Blue Harbour -> x"], [])


def test_undo_of_what_has_changed_since_asks(project):
    apply(project, SetValue(GAIN, -2.0))
    project.file.write_text(project.file.read_text().replace("gain_db = -2.0", "gain_db = -9.0"))
    by_hand = project.file.read_text()
    with pytest.raises(Conflict) as caught:
        undo(project)
    assert caught.value.theirs == "vocals gain -2.0 -> -9.0 dB"
    assert project.file.read_text() == by_hand
    assert undo(project, anyway=True).project.cover.tracks[0].gain_db == -3.0
    assert redo(project).project.cover.tracks[0].gain_db == -2.0


def test_undo_of_what_was_taken_back_by_hand_goes_on_to_the_edit_before(project):
    apply(project, SetValue("title", "x"))
    apply(load(project.root), SetValue(GAIN, -2.0))
    project.file.write_text(project.file.read_text().replace("gain_db = -2.0", "gain_db = -3.0"))
    assert undo(project).words == "undo: title Blue Harbour -> x"
    assert project.file.read_text() == DOCUMENT


def test_a_removed_track_comes_back_to_its_place_among_new_ones(project):
    apply(project, RemoveTrack("vocals"))
    text = project.file.read_text()
    project.file.write_text(text + '\n[[tracks]]\nname = "choir"\nsource = "backing"\n')
    restored = undo(project).project
    assert [track.name for track in restored.cover.tracks] == ["vocals", "instrumental", "choir"]
    assert restored.cover.tracks[0] == project.cover.tracks[0]


def test_an_edit_of_a_track_that_is_gone_is_undone_only_anyway(project):
    apply(project, SetValue(GAIN, -2.0))
    text = project.file.read_text()
    project.file.write_text(text[: text.index("[[tracks]]")] + text[text.index("# everything else") :])
    with pytest.raises(Conflict):
        undo(project)
    assert undo(project, anyway=True).changed is False
    assert words(project)[0] == []


@pytest.mark.parametrize("step", ["edit", "undo"])
def test_killed_between_history_and_document(project, step, monkeypatch):
    """The line is in the history, the document is not replaced yet: it counts as not done."""
    apply(project, SetValue("title", "x"))
    state, file = words(project), project.hidden / FILE_NAME
    before = project.file.read_text()
    if step == "edit":
        apply(load(project.root), SetValue(GAIN, -2.0))
    else:
        undo(load(project.root))
    project.file.write_text(before)  # as if the kill had come before the rename
    assert words(project) == state
    apply(load(project.root), SetValue("artist", "z"))
    assert words(project)[0] == ["title Blue Harbour -> x", "artist Me -> z"]
    assert len(file.read_bytes().splitlines()) == 2
    undo(project)
    undo(project)
    assert project.file.read_text() == DOCUMENT


def test_killed_at_any_moment_everything_saved_can_be_undone(project):
    script = (
        "from pathlib import Path; from covermaker.project.load import load;"
        "from covermaker.project.edits import SetValue, apply;"
        f"project = load(Path({str(project.root)!r}));"
        "save = lambda n: apply(load(project.root), SetValue('tracks.vocals.gain_db', -4.0 - n % 7));"
        "save(0); print('saved', flush=True);"
        "[save(n) for n in range(1, 9999)]"
    )
    for number in range(4):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"saved\n"
        time.sleep(0.05 + 0.013 * number)
        process.kill()
        process.wait()
        process.stdout.close()
    now = load(project.root)
    assert history(now).done
    while history(now).done:
        now = undo(now).project
    assert project.file.read_text() == DOCUMENT


def test_a_torn_or_damaged_history_is_survived(project):
    apply(project, SetValue("title", "x"))
    file = project.hidden / FILE_NAME
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"do": "edit", "wor')
    apply(load(project.root), SetValue(GAIN, -2.0))
    assert len(words(project)[0]) == 2
    for damage in (b"\xff\xfe\n", b"[]\n", b"3\n", b'{"do": "edit", "from": "", "to": ""}\n', b"\n"):
        file.write_bytes(whole + damage)
        assert words(project) == ([], [])
    apply(load(project.root), SetValue(GAIN, -1.0))
    assert words(project)[0] == ["vocals gain -2.0 -> -1.0 dB"]
    file.unlink()
    file.mkdir()
    with pytest.raises(ResourceError, match="cannot be read"):
        apply(load(project.root), SetValue(GAIN, -5.0))
    assert load(project.root).cover.tracks[0].gain_db == -1.0


def test_a_long_history_is_shortened_and_still_works(project, monkeypatch):
    monkeypatch.setattr(log_module, "_MOST_LINES", 12)
    monkeypatch.setattr(log_module, "_KEPT_EDITS", 5)
    for number in range(30):
        project = apply(project, SetValue(GAIN, -0.5 * number - 4)).project
        if number == 20:
            project = redo(undo(project).project).project
    assert len((project.hidden / FILE_NAME).read_text().splitlines()) <= 12
    steps = 0
    while words(project)[0]:
        project, steps = undo(project).project, steps + 1
    assert 5 <= steps <= 12
    assert project.cover.tracks[0].gain_db == -18.5 + 0.5 * steps
    for _ in range(steps):
        project = redo(project).project
    assert project.cover.tracks[0].gain_db == -18.5


def test_shortening_keeps_what_can_be_redone(project, monkeypatch):
    monkeypatch.setattr(log_module, "_MOST_LINES", 9)
    for number in range(5):
        project = apply(project, SetValue(GAIN, -5.0 - number)).project
    for _ in range(3):
        project = undo(project).project
    assert undo(redo(project).project).project.cover.tracks[0].gain_db == -6.0
    assert [len(part) for part in words(project)] == [2, 3]
    assert redo(redo(redo(load(project.root)).project).project).project.cover.tracks[0].gain_db == -9.0


def test_the_log_is_lines_that_people_can_read(project):
    apply(project, SetValue(GAIN, -2.5))
    (line,) = (project.hidden / FILE_NAME).read_text().splitlines()
    row = json.loads(line)
    assert (row["do"], row["words"]) == ("edit", "vocals gain -3.0 -> -2.5 dB")
    assert row["changes"] == [{"place": ["tracks", "vocals", "gain_db"], "before": -3.0, "after": -2.5}]


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("abc", "abc"), ("aaa", "aa"), ("", "x"), ("axb", "ab"), ("ab", "ba")]
)
def test_a_splice_leads_there_and_back(before, after):
    splice = Splice.between(before, after)
    assert splice.done(before) == after
    assert splice.reversed().done(after) == before
