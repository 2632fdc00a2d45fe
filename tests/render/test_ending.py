"""How the last render ended is known after a restart, however it ended."""

import json
import os

import pytest

from covermaker.errors import AudioInputError, ProjectError, ResourceError
from covermaker.graph.events import StepFailed, StepStarted
from covermaker.render.ending import FILE_NAME, ending, forget, last_failure


def fail(hidden, error, *events):
    def render():
        with ending(hidden, lambda event: None) as hear:
            for event in events:
                hear(event)
            raise error

    with pytest.raises(type(error)):
        render()


def test_a_failure_is_remembered_until_a_render_ends_well(tmp_path):
    assert last_failure(tmp_path) is None
    error = ResourceError("the disk is full", hint="free some space")
    fail(tmp_path, error, StepStarted("separate", "k"), StepFailed("separate", "the disk is full"))
    failure = last_failure(tmp_path)
    assert failure.words == "the last render failed at separate: the disk is full"
    assert failure.hint == "free some space"
    with ending(tmp_path, lambda event: None):
        assert last_failure(tmp_path) is None  # it runs
    assert last_failure(tmp_path) is None


def test_a_killed_render_is_told_by_its_process(tmp_path):
    with ending(tmp_path, lambda event: None) as hear:
        hear(StepStarted("convert", "k"))
        said = json.loads((tmp_path / FILE_NAME).read_text())
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    (tmp_path / FILE_NAME).write_text(json.dumps({**said, "process": pid}))
    assert last_failure(tmp_path).words == "the last render failed at convert: it was killed or has crashed"
    assert "render.log" in last_failure(tmp_path).hint
    forget(tmp_path)
    assert last_failure(tmp_path) is None


def test_what_is_no_failure_of_the_render_leaves_nothing(tmp_path):
    fail(tmp_path, KeyboardInterrupt(), StepStarted("convert", "k"))
    fail(tmp_path, ProjectError("cover.toml:3: no"))
    assert last_failure(tmp_path) is None
    fail(tmp_path, AudioInputError("no sound"), StepStarted("decode", "k"))
    assert last_failure(tmp_path).step == "decode"
    (tmp_path / FILE_NAME).write_text("[]")
    assert last_failure(tmp_path) is None


def test_a_disk_that_refuses_the_note_changes_nothing(tmp_path):
    with ending(tmp_path / "a file" / "below", lambda event: None):
        pass
