"""``covermaker render`` with several projects: in turn, on after a failure, a sum at the end."""

import json

import pytest

from covermaker.cli import render_many
from covermaker.cli.main import run
from covermaker.errors import ExitCode, ResourceError
from covermaker.graph.events import BatchFinished, Finished, ProjectStarted, from_json
from covermaker.render.state import State

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
    assert err.count("error: ") == 2
    assert "lib/one:" in err
