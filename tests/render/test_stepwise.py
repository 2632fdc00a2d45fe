"""A render taken apart is the same render."""

import hashlib
from pathlib import Path

import pytest

from covermaker.effects.plugins.failures import failures
from covermaker.graph.events import Planned, StepFinished, StepStarted
from covermaker.render.stepwise import NotPlannedError, make, outline, without
from covermaker.render.tasks import render


def asked(project, **more):
    return {"project": str(project.project), "store": str(project.store), "score": True, **more}


def content(files):
    return {Path(file).name: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files}


def test_what_is_rendered_has_nothing_to_make(rendered):
    heard = []
    found = outline(asked(rendered), heard.append)
    assert found.parts == ()
    assert found.minutes == pytest.approx(5.0 / 60.0, rel=1e-3)
    assert [type(event) for event in heard] == [Planned]


@pytest.mark.slow
def test_its_steps_made_one_by_one_are_what_a_render_makes(copy_of, tmp_path):
    copy_of.edit("ratio = 2.5", "ratio = 3.0")
    parts = outline(asked(copy_of), lambda event: None).parts
    assert [part.kind for part in parts] == ["rack", "mix", "master", "export"]
    assert [part.needs for part in parts] == [(), *((part.key,) for part in parts[:-1])]
    heard = []
    for part in parts:
        make(asked(copy_of, attended=True), part.key, heard.append)
    made = [event.key for event in heard if isinstance(event, StepFinished)]
    assert made == [part.key for part in parts]
    again = []
    apart = render(asked(copy_of), again.append)
    assert not [event for event in again if isinstance(event, StepStarted)]
    # The same from the beginning, in a store of its own: nothing that was there before helps.
    whole = render(asked(copy_of, store=str(tmp_path / "store"), score=False), lambda event: None)
    assert content(whole["files"]) == content(apart["files"])


def test_a_step_that_the_project_has_not_is_told(copy_of):
    with pytest.raises(NotPlannedError):
        make(asked(copy_of), "0" * 64, lambda event: None)
    copy_of.edit("ratio = 2.5", "ratio = 3.3")
    (first, *_) = outline(asked(copy_of), lambda event: None).parts
    copy_of.edit("ratio = 3.3", "ratio = 2.5")
    with pytest.raises(NotPlannedError):
        make(asked(copy_of), first.key, lambda event: None)


def test_a_plug_in_that_failed_elsewhere_is_left_out_here(monkeypatch, tmp_path):
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path))
    failed = {"message": "Bad crashed", "hint": "", "plugin": "Bad", "settings": "d1"}
    without([failed])
    (known,) = failures().items()
    assert (known[0], known[1].plugin, known[1].words) == ("d1", "Bad", "Bad crashed")
    without([{**failed, "message": "again"}])
    assert failures()["d1"].words == "Bad crashed"
