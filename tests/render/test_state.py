"""How it stands with a project: found out once, and again as soon as anything it depends on changes."""

import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from covermaker.errors import ResourceError
from covermaker.features.song.facts import song_facts
from covermaker.graph.events import StepStarted
from covermaker.graph.store import Store
from covermaker.project.create import NewProject, create
from covermaker.project.edits import SetValue, apply
from covermaker.project.history import undo
from covermaker.project.load import load
from covermaker.render import record
from covermaker.render import state as state_module
from covermaker.render.ending import ending
from covermaker.render.judge import judge
from covermaker.render.pipeline import build
from covermaker.render.state import at_a_glance, project_state


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    song = tmp_path / "song.wav"
    soundfile.write(song, 0.1 * np.sin(np.arange(44_100 * 2) * 0.1), 44_100)
    start = NewProject("Song", "demo", [{"effect": "gain", "gain_db": -1.0}], {}, {})
    return create(song, tmp_path / "cover", start)


def rendered(project, store):
    """Put there what a render leaves: its steps in the store, its files, its record."""
    river = build(project)
    for step in river.steps():
        if store.get(step.key) is None:
            with store.making(step.key) as folder:
                (folder / "x").write_text("x")
                store.keep(step.key, folder, {"seconds": 1.5, "report": {}})
    project.out.mkdir(exist_ok=True)
    (project.out / "Song.wav").write_bytes(b"sound")
    report = {
        "loudness": {"integrated_lufs": -14.0, "true_peak_dbtp": -1.1},
        "files": [{"name": "Song.wav", "sha256": "0"}],
        "steps": record.describe(river.steps()),
    }
    (project.out / "render.json").write_text(json.dumps(report))


@pytest.fixture
def looks(monkeypatch):
    """Count how often the state is really looked up."""
    counted = []

    def counting(*arguments, **named):
        counted.append(1)
        return build(*arguments, **named)

    monkeypatch.setattr(state_module, "build", counting)
    return counted


def test_a_new_project(project, store):
    state = project_state(project.root, store)
    assert (state.word, state.seconds, state.sample_rate, state.channels) == ("new", 2.0, 44_100, 1)
    assert state.stems == ("vocals", "accompaniment")
    assert {step.state for step in state.steps} == {"to do"}
    assert state.estimate_seconds > 0.0
    assert (state.outputs, state.lufs, state.facts) == ((), None, None)


def test_done_then_stale_with_the_reason_then_done_again(project, store):
    rendered(project, store)
    done = project_state(project.root, store)
    assert (done.word, done.reasons, done.to_do, done.lufs) == ("done", (), (), -14.0)
    assert [(one.file.name, one.bytes) for one in done.outputs] == [("Song.wav", 5)]
    assert all(step.seconds == 1.5 for step in done.steps)
    changed = apply(project, SetValue("tracks.vocals.rack.gain.gain_db", -2.0), judge=judge).project
    stale = project_state(project.root, store)
    assert stale.word == "stale"
    assert stale.words == ("vocals gain gain -1.0 -> -2.0 dB",)
    assert stale.reasons == ("tracks[0].rack[0].gain_db: -1.0 -> -2.0 (gain)",)
    rack, mix = stale.to_do[:2]
    assert (rack.reasons, rack.words) == (stale.reasons, stale.words)
    assert mix.reasons == mix.words == ("'rack: vocals' is made again",)
    assert [step.name for step in stale.to_do] == ["rack: vocals", "mix", "master", "export"]
    rendered(changed, store)
    assert project_state(project.root, store).word == "done"


def test_the_answer_is_remembered_word_for_word(project, store, looks):
    rendered(project, store)
    apply(project, SetValue("tracks.vocals.gain_db", -2.0))
    first = project_state(project.root, store)
    assert project_state(project.root, store) == first
    assert project_state(project.root / ".." / "cover", store).word == "stale"
    assert len(looks) <= 2
    assert project_state(project.root, Store(store.root.parent / "other")).word == "stale"


def test_a_project_named_by_its_document_is_the_same(project, store):
    rendered(project, store)
    named = project.root / "cover.toml"
    assert project_state(named, store).word == "done"
    apply(project, SetValue("tracks.vocals.gain_db", -2.0))
    assert project_state(named, store) == project_state(project.root, store)
    assert project_state(named, store).word == "stale"


def test_at_a_glance_the_steps_are_not_looked_at(project, store, looks):
    rendered(project, store)
    state = at_a_glance(load(project.root))
    assert (state.lufs, state.seconds, [one.file.name for one in state.outputs]) == (-14.0, 2.0, ["Song.wav"])
    assert state.song == project.path(project.cover.song.file, "song.file")
    state.song.unlink()
    assert "does not exist" in at_a_glance(load(project.root)).problem
    assert not looks


def test_everything_it_depends_on_is_noticed(project, store, looks, tmp_path):
    rendered(project, store)
    song = project.path(project.cover.song.file, "song.file")

    def seen():
        before = len(looks)
        word = project_state(project.root, store).word
        assert project_state(project.root, store).word == word
        return word, len(looks) > before

    assert seen() == ("done", True)
    assert seen() == ("done", False)
    soundfile.write(song, 0.1 * np.sin(np.arange(44_100 * 2) * 0.2), 44_100)
    assert seen() == ("stale", True)
    rendered(project, store)
    assert seen() == ("done", True)
    key = build(project).export.key
    store.drop(key)
    assert seen() == ("stale", True)
    rendered(project, store)
    (project.out / "Song.wav").unlink()
    assert seen() == ("stale", True)
    gone = project_state(project.root, store)
    assert gone.reasons == gone.words == ("Song.wav is gone from out",)
    rendered(project, store)
    assert seen() == ("done", True)
    (project.out / "render.json").unlink()
    assert seen() == ("new", True)


def test_a_voice_trained_anew_is_noticed(project, store, looks):
    from covermaker.voices.library import SHIPPED

    voice = project.root / "voices" / "mine"
    shutil.copytree(SHIPPED / "demo", voice)
    project = apply(project, SetValue("voice.name", "mine"), judge=judge).project
    rendered(project, store)
    assert project_state(project.root, store).word == "done"
    card = voice / "card.toml"
    text = card.read_text()
    import tomllib

    low = tomllib.loads(text)["f0"]["low_hz"]
    card.write_text(text.replace(f"low_hz = {low}", f"low_hz = {low + 1.0}"))
    state = project_state(project.root, store)
    assert state.word == "stale"
    assert any("the voice" in reason for reason in state.reasons)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda p: p.file.write_text("x = = 1"), "is no TOML"),
        (lambda p: p.file.unlink(), "there is no project"),
        (
            lambda p: p.file.write_text(p.file.read_text().replace('"demo"', '"nobody"')),
            "unknown voice 'nobody'",
        ),
        (lambda p: shutil.rmtree(p.root / "audio"), "song.wav"),
        (lambda p: (p.root / "audio" / "song.wav").write_text("no sound"), ""),
    ],
)
def test_what_cannot_be_rendered_is_failed_until_it_can(project, store, damage, problem):
    text, song = project.file.read_bytes(), (project.root / "audio" / "song.wav").read_bytes()
    assert project_state(project.root, store).word == "new"
    damage(project)
    state = project_state(project.root, store)
    if problem:
        assert state.word == "failed"
        assert problem in state.problem
    project.file.write_bytes(text)
    (project.root / "audio").mkdir(exist_ok=True)
    (project.root / "audio" / "song.wav").write_bytes(song)
    assert project_state(project.root, store).word == "new"


def test_facts_appear_once_they_are_known(project, store, looks):
    assert project_state(project.root, store).facts is None
    facts = song_facts(project.path(project.cover.song.file, "song.file"))
    assert project_state(project.root, store).facts == facts
    assert len(looks) == 1


def test_a_memory_of_nonsense_is_not_believed(project, store, tmp_path):
    rendered(project, store)
    state = project_state(project.root, store)
    (file,) = (tmp_path / "cache" / "states").iterdir()
    kept = json.loads(file.read_text())
    for damage in ({}, {**kept, "version": 0}, {**kept, "state": {"word": "done"}}, {**kept, "files": 3}):
        file.write_text(json.dumps(damage))
        assert project_state(project.root, store) == state


def test_remembering_is_quick_and_nothing_heavy_is_loaded(project, store, tmp_path):
    rendered(project, store)
    project_state(project.root, store)
    start = time.process_time()
    for _ in range(50):
        project_state(project.root, store)
    assert (time.process_time() - start) / 50 < 0.004
    script = (
        "import sys; from pathlib import Path; from covermaker.render.state import project_state;"
        "from covermaker.graph.store import Store; from covermaker.project.history import undo;"
        "from covermaker.render.judge import judge; from covermaker.project.library import scan;"
        f"print(project_state(Path({str(project.root)!r}), Store(Path({str(store.root)!r}))).word);"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )
    word, modules = done.stdout.splitlines()
    assert word == "done"
    assert not {"torch", "textual", "pedalboard", "scipy", "faster_whisper", "tomlkit"} & set(modules.split())


def test_the_judge_sees_racks_before_anything_else(project):
    from covermaker.errors import ProjectError

    project.file.write_text(project.file.read_text().replace('name = "demo"', 'name = "not-here"'))
    opened = load(project.root)
    with pytest.raises(ProjectError, match="is above"):
        apply(opened, SetValue("tracks.vocals.rack.gain.gain_db", 999.0), judge=judge)
    assert apply(opened, SetValue("tracks.vocals.rack.gain.gain_db", 2.0), judge=judge).changed
    with pytest.raises(ProjectError, match="is no pitch method"):
        apply(load(project.root), SetValue("convert.pitch", "fcp"), judge=judge)


def key_of(project, name):
    """Return the key of a step of a project's plan."""
    return next(step.key for step in build(project).steps() if step.name == name)


def fail(project, key, *, step="separate"):
    """Leave what a render leaves that fails at a step; without one, before any began."""

    def render():
        with ending(project.hidden, lambda event: None) as hear:
            if step:
                hear(StepStarted(step, key))
            raise ResourceError("the disk is full", hint="free some space")

    with pytest.raises(ResourceError):
        render()


def test_a_failed_render_is_told_until_it_is_done(project, store):
    assert project_state(project.root, store).word == "new"

    fail(project, key_of(project, "separate"))
    state = project_state(project.root, store)
    assert (state.word, state.hint) == ("failed", "free some space")
    assert state.problem == "the last render failed at separate: the disk is full"
    assert state.failed_at == pytest.approx(time.time(), abs=60)
    assert state.steps
    assert (state.otherwise, state.is_stale) == ("new", False)
    rendered(project, store)
    assert project_state(project.root, store).word == "done"
    opened = apply(project, SetValue("tracks.vocals.rack.gain.gain_db", -2.0)).project
    assert project_state(project.root, store).word == "stale"  # rendered since: that failure is over
    fail(opened, key_of(opened, "master"))
    state = project_state(project.root, store)
    assert (state.word, state.otherwise, state.is_stale) == ("failed", "stale", True)


def test_a_failure_is_over_when_the_step_is_none_of_the_plans_any_more(project, store):
    changed = apply(project, SetValue("tracks.vocals.rack.gain.gain_db", -2.0)).project
    fail(changed, key_of(changed, "master"), step="master")
    assert project_state(project.root, store).word == "failed"
    undo(changed)
    assert project_state(project.root, store).word == "new"
    fail(project, "", step="")  # before any step: nobody knows what took its cause away
    assert project_state(project.root, store).word == "failed"


def test_it_is_known_that_no_voice_is_heard(project, store):
    assert project_state(project.root, store).unheard == ""
    project = apply(project, SetValue("tracks.vocals.mute", True)).project
    rendered(project, store)
    for _ in range(2):  # found out, and remembered
        state = project_state(project.root, store)
        assert (state.word, state.unheard) == ("done", "the voice is not heard: track 'vocals' is muted")
