"""How the last render ended is known after a restart, however it ended."""

import json
import os

import pytest

from covermaker.errors import AudioInputError, ProjectError, ResourceError
from covermaker.graph.events import StepFailed, StepStarted
from covermaker.render import tasks
from covermaker.render.ending import FILE_NAME, ending, forget, is_whole, last_failure


def fail(hidden, error, *events, whole=True):
    def render():
        with ending(hidden, lambda event: None, whole=whole) as hear:
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


def test_of_a_render_on_another_machine_nobody_here_knows(tmp_path):
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    with ending(tmp_path, lambda event: None):
        said = json.loads((tmp_path / FILE_NAME).read_text())
    (tmp_path / FILE_NAME).write_text(json.dumps({**said, "process": pid}))
    assert last_failure(tmp_path) is not None
    (tmp_path / FILE_NAME).write_text(json.dumps({**said, "process": pid, "host": "elsewhere"}))
    assert last_failure(tmp_path) is None  # it may run
    (tmp_path / FILE_NAME).write_text(
        json.dumps({**said, "host": "elsewhere", "message": "the disk is full"})
    )
    assert last_failure(tmp_path).message == "the disk is full"


def test_a_render_of_a_part_clears_nothing_away(tmp_path):
    fail(tmp_path, ResourceError("the disk is full"), StepStarted("convert", "k"))
    failure = last_failure(tmp_path)
    with ending(tmp_path, lambda event: None, whole=False) as hear:
        hear(StepStarted("decode", "k"))
        assert last_failure(tmp_path) == failure
    assert last_failure(tmp_path) == failure
    for error in (KeyboardInterrupt(), ProjectError("cover.toml:3: no")):
        fail(tmp_path, error, whole=False)
        assert last_failure(tmp_path) == failure
    fail(tmp_path, AudioInputError("no sound"), StepStarted("decode", "k"), whole=False)
    assert last_failure(tmp_path).words == "the last render failed at decode: no sound"
    assert [is_whole(request) for request in ({}, {"until": "mix"}, {"region": [0.0, 1.0]})] == [
        True,
        False,
        False,
    ]


@pytest.mark.skipif(os.name != "posix", reason="names of bytes")
def test_a_failure_at_a_file_whose_name_is_no_utf8_is_remembered(tmp_path):
    odd = os.fsdecode(b"caf\xe9.wav")
    fail(tmp_path, AudioInputError(f"there is no file {odd}"), StepStarted("decode", "k"))
    assert last_failure(tmp_path).message == f"there is no file {odd}"


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


@pytest.mark.parametrize(
    ("request_", "stays"), [({"until": "decode"}, True), ({"region": [0.0, 1.0]}, True), ({}, False)]
)
def test_only_a_whole_render_that_ends_well_clears_the_note(tmp_path, monkeypatch, request_, stays):
    (tmp_path / "cover.toml").touch()
    hidden = tmp_path / ".covermaker"
    fail(hidden, ResourceError("the disk is full"), StepStarted("convert", "k"))
    monkeypatch.setattr(tasks, "_render", lambda request, listener: {"files": []})
    tasks.render({"project": str(tmp_path), **request_}, lambda event: None)
    assert (last_failure(hidden) is not None) == stays
