"""``covermaker render`` with several projects: in turn, on after a failure, a sum at the end."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from covermaker.cli import render_many
from covermaker.cli.main import run
from covermaker.cli.stopping import stoppable
from covermaker.disk import this_host
from covermaker.errors import ExitCode, ResourceError
from covermaker.graph.events import BatchFinished, Failed, Finished, Planned, ProjectStarted, from_json
from covermaker.project.library import scan
from covermaker.render.ending import FILE_NAME, last_failure
from covermaker.render.state import State
from covermaker.tui.shelf import Shelf

WRITTEN = {"host": this_host(), "message": "", "hint": "", "step": "convert", "when": 1.0}
MASTER = {"master": {"integrated_lufs": -14.02}}


@pytest.fixture
def songs(tmp_path, monkeypatch):
    """Three projects, of which the second one's disk is full; nothing is rendered."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERMAKER_PROJECTS", str(tmp_path / "lib"))
    monkeypatch.setenv("COVERMAKER_CONFIG", str(tmp_path / "config.toml"))
    asked = []

    def launch(request, *, listener, log):
        name = request["project"].rpartition("/")[2]
        asked.append((name, request["until"], request["device"], log.parent.parent.name))
        if name == "two":
            raise ResourceError("the disk is full", hint="free some space")
        if name == "stop":
            raise KeyboardInterrupt
        result = {"files": [f"{request['project']}/out/{name}.wav"], "reports": MASTER}
        listener(Finished(result))
        return result

    monkeypatch.setattr(render_many, "launch", launch)
    for name in ("one", "two", "three"):
        folder = tmp_path / "lib" / name
        folder.mkdir(parents=True)
        (folder / "cover.toml").write_text(f'schema = 1\ntitle = "{name.title()}"\n', encoding="utf-8")
    return asked


def test_one_that_fails_does_not_stop_the_others(songs, capsys):
    code = run(
        [
            "render",
            "lib/one",
            "lib/two",
            "lib/gone",
            "lib/three",
            "lib/one",
            "--device",
            "cpu",
            "--until",
            "mix",
        ]
    )
    assert code == ExitCode.BATCH_PARTLY_FAILED == 7
    assert songs == [(name, "mix", "cpu", name) for name in ("one", "two", "three")]
    out, err = capsys.readouterr()
    rows = [line.split()[:2] for line in out.splitlines()[2:6]]
    assert rows == [["one", "done"], ["two", "failed"], ["gone", "failed"], ["three", "done"]]
    assert "-14.0 LUFS" in out
    assert "the disk is full (free some space)" in out
    assert out.endswith("\n2 of 4 done\n")
    assert "2 of 4: lib/two\nfailed: the disk is full (free some space)\n" in err


def test_a_folder_is_all_that_is_in_it(songs, capsys):
    assert run(["render", "lib"]) == 7
    assert [name for name, *_ in songs] == ["one", "three", "two"]


def test_only_what_is_stale(songs, capsys, monkeypatch):
    from covermaker.render import state

    monkeypatch.setattr(
        state, "project_state", lambda folder, store: State("stale" if folder.name == "three" else "done")
    )
    assert run(["render", "--stale"]) == 0
    assert [name for name, *_ in songs] == ["three"]
    assert run(["render", "--stale", "lib/one"]) == 0
    assert capsys.readouterr().out.endswith("nothing is stale\n")


def test_what_failed_is_stale_again_if_it_was(songs, monkeypatch):
    states = {
        "one": State("failed", otherwise="stale"),
        "two": State("failed"),
        "three": State("failed", otherwise="new"),
    }
    monkeypatch.setattr("covermaker.render.state.project_state", lambda folder, _: states[folder.name])
    assert run(["render", "--stale"]) == 0
    assert [name for name, *_ in songs] == ["one"]
    shelf = Shelf(lambda _: None)  # the studio says the same
    shelf.put(scan(Path("lib")))
    shelf.states = {folder: states[folder.name] for folder in shelf.songs}
    assert [folder.name for folder in shelf.stale()] == ["one"]


@pytest.mark.parametrize("many", [(), ("lib/three",)])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_render_that_is_ended_leaves_no_note_of_a_failure(songs, tmp_path, monkeypatch, number, many):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("whoever runs the tests has this signal ignored, as nohup does")
    hidden = tmp_path / "lib" / "one" / ".covermaker"

    def ended(request, *, listener, log):
        hidden.mkdir(exist_ok=True)
        (hidden / FILE_NAME).write_text(json.dumps({**WRITTEN, "process": 2**22 + 1}))
        assert last_failure(hidden) is not None
        os.kill(os.getpid(), number)
        time.sleep(10)

    monkeypatch.setattr(render_many, "launch", ended)
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)]
    assert run(["render", "lib/one", *many]) == ExitCode.INTERRUPTED
    assert last_failure(hidden) is None
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)] == before


@pytest.mark.parametrize("part", [("--preview", "0:01-0:02"), ("--until", "decode")])
def test_a_part_that_is_ended_leaves_the_note_of_a_failure(songs, tmp_path, monkeypatch, part):
    hidden = tmp_path / "lib" / "one" / ".covermaker"
    hidden.mkdir()
    (hidden / FILE_NAME).write_text(json.dumps({**WRITTEN, "process": 2**22 + 1}))
    failure = last_failure(hidden)

    def ended(request, *, listener, log):
        raise KeyboardInterrupt

    monkeypatch.setattr(render_many, "launch", ended)
    assert run(["render", "lib/one", *part]) == ExitCode.INTERRUPTED
    assert last_failure(hidden) == failure is not None


def test_a_project_is_named_by_its_document_too(songs, capsys):
    assert run(["render", "lib/one", "lib/one/cover.toml", "lib/three/cover.toml"]) == 0
    assert [name for name, *_ in songs] == ["one", "three"]
    assert capsys.readouterr().out.endswith("\n2 of 2 done\n")
    assert run(["render", "lib/one/cover.toml", "--json"]) == 0
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events == ["render.finished"]  # one project, and no batch


def test_a_signal_that_is_ignored_stays_so(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_as_events(songs, capsys):
    assert run(["render", "lib/one", "lib/two", "--json"]) == 7
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["event"] for line in lines] == [
        "batch.project", "render.finished", "batch.project", "render.failed", "batch.finished",
    ]  # fmt: skip
    first, *_, last = map(from_json, lines)
    assert first == ProjectStarted("lib/one", 1, 2)
    assert isinstance(last, BatchFinished)
    assert [row["state"] for row in last.projects] == ["done", "failed"]
    assert last.projects[1]["exit_code"] == ExitCode.RESOURCE


def test_stopped_by_hand_it_still_sums_up(songs, tmp_path, capsys):
    (tmp_path / "stop").mkdir()
    (tmp_path / "stop" / "cover.toml").write_text("schema = 1\n")
    assert run(["render", "lib/one", "stop", "lib/three"]) == ExitCode.INTERRUPTED
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()[2:5]]
    assert rows == [["one", "done"], ["stop", "stopped"], ["three", "not"]]


def test_none_named(songs, tmp_path, capsys):
    assert run(["render"]) == ExitCode.USAGE
    assert "name one or several, or ask for --stale" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run(["render", "empty"]) == ExitCode.PROJECT
    assert "there is no project at empty" in capsys.readouterr().err


def test_a_dry_run_of_several(songs, capsys):
    assert run(["render", "lib/one", "lib/two", "--dry-run"]) == 7
    err = capsys.readouterr().err
    assert err.count("failed: ") == 2
    assert "1 of 2: lib/one\n" in err


def test_a_dry_run_of_a_good_one_and_a_broken_one(songs, new, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COVERMAKER_STORE", str(tmp_path / "store"))
    assert new() == 0
    capsys.readouterr()
    assert run(["render", "cover", "lib/two", "--dry-run"]) == 7
    out, err = capsys.readouterr()
    assert "would run" in out or "to do" in out
    assert err.count("failed: ") == 1
    assert run(["render", "cover", "lib/two", "--dry-run", "--json"]) == 7
    good, plan, broken, failed = map(from_json, capsys.readouterr().out.splitlines())
    assert (good, broken) == (ProjectStarted("cover", 1, 2), ProjectStarted("lib/two", 2, 2))
    assert isinstance(plan, Planned)
    assert [step["name"] for step in plan.steps][-1] == "export"
    assert isinstance(failed, Failed)
    assert failed.exit_code == ExitCode.PROJECT
    assert not (tmp_path / "store").exists()
