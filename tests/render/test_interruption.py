"""Killed at any moment, the next render goes on; two renders at once make each step once."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from driving import covermaker, render

pytestmark = pytest.mark.slow


def start(project, store):
    command = [sys.executable, "-m", "covermaker", "render", str(project), "--store", str(store), "--json"]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # A test run in the background of a shell ignores Ctrl+C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finished(text):
    """List the steps that a (cut) stream of events says are finished."""
    names = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("event") == "step.finished":
            names.append(event["name"])
    return names


def outputs(project):
    record = json.loads((project / "out" / "render.json").read_text())
    return {file["name"]: file["sha256"] for file in record["files"]}


def leftovers(project, store):
    parts = [path for path in project.rglob("*") if path.name.startswith(".part-") or path.suffix == ".tmp"]
    return parts + list((store / "tmp").iterdir()) + list((store / "sessions").iterdir())


def test_ten_kills_at_random_moments_change_nothing(rendered, tmp_path):
    rng = random.Random(20)
    project, store = tmp_path / "project", tmp_path / "store"
    shutil.copytree(rendered.project, project, ignore=shutil.ignore_patterns("out", ".covermaker"))
    expected = outputs(rendered.project)
    done = []
    for _ in range(10):
        process = start(project, store)
        try:
            text, _ = process.communicate(timeout=rng.uniform(0.3, 9.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            text, _ = process.communicate()
        again = finished(text)
        assert not set(again) & set(done), "a finished step was repeated"
        done += again
    ran, _ = render(project, store)
    assert not set(ran) & set(done)
    assert outputs(project) == {name: sha for name, sha in expected.items() if name in outputs(project)}
    assert len(outputs(project)) == 2
    assert leftovers(project, store) == []


def test_a_killed_child_is_told_and_the_next_render_goes_on(rendered, tmp_path):
    import psutil

    project, store = tmp_path / "project", tmp_path / "store"
    shutil.copytree(rendered.project, project, ignore=shutil.ignore_patterns("out", ".covermaker"))
    process = start(project, store)
    deadline = time.monotonic() + 60
    while not (children := psutil.Process(process.pid).children()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(1.5)
    os.kill(children[0].pid, signal.SIGKILL)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 6
    assert "out of memory" in json.loads(text.splitlines()[-1])["message"]
    render(project, store)
    assert leftovers(project, store) == []


def test_two_renders_at_once_make_each_step_once(rendered, tmp_path):
    project, store = tmp_path / "project", tmp_path / "store"
    shutil.copytree(rendered.project, project, ignore=shutil.ignore_patterns("out", ".covermaker"))
    both = [start(project, store) for _ in range(2)]
    texts = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    ran = [name for text in texts for name in finished(text)]
    assert sorted(ran) == sorted(set(ran))
    assert len(ran) == 11
    assert set(outputs(project).values()) <= set(outputs(rendered.project).values())
    assert leftovers(project, store) == []


def test_control_c_ends_at_once_with_130(rendered, tmp_path):
    project, store = tmp_path / "project", tmp_path / "store"
    shutil.copytree(rendered.project, project, ignore=shutil.ignore_patterns("out", ".covermaker"))
    process = start(project, store)
    for line in process.stdout:
        if "step.started" in line:
            break
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - started < 10
    covermaker("status", project, "--store", store)
