"""What a render request comes down to, before a step is run."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from covermaker.errors import UsageError
from covermaker.graph.events import Note, Planned, nobody
from covermaker.graph.run import plan
from covermaker.graph.store import Store
from covermaker.project.create import NewProject, create
from covermaker.project.edits import MoveChannel, SetValue, apply
from covermaker.project.load import load
from covermaker.render import record, tasks
from covermaker.render.naming import named_reports, named_steps, numbered_steps
from covermaker.render.pipeline import build
from covermaker.render.unheard import unheard


class AskedError(Exception):
    pass


@pytest.fixture
def request_of(tmp_path, monkeypatch):
    """Return a request for a project whose steps all lie in the store."""
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    song = tmp_path / "song.wav"
    soundfile.write(song, 0.1 * np.sin(np.arange(44_100 * 2) * 0.1), 44_100)
    project = create(song, tmp_path / "cover", NewProject("Song", "demo", [{"effect": "gain"}], {}, {}))
    store = Store(tmp_path / "store")
    for step in build(project).steps():
        if store.get(step.key) is None:
            with store.making(step.key) as folder:
                (folder / "x").write_text("x")
                store.keep(step.key, folder, {"seconds": 1.5, "report": {}})
    return lambda **more: {"project": str(project.root), "store": str(store.root), **more}


def test_what_is_there_is_not_made(request_of):
    river, targets, steps, _ = tasks.planned(request_of())
    assert [step.key for step in targets] == [step.key for step in river.targets()]
    assert not any(one.will_run or one.again for one in steps)


def test_a_step_asked_for_again_and_what_is_made_of_it_run(request_of, monkeypatch):
    told, ran = [], {}

    def run(store, targets, **named):
        ran.update(named, targets=targets)
        raise AskedError

    monkeypatch.setattr(tasks, "run", run)
    with pytest.raises(AskedError):
        tasks.render(request_of(again="mix", device="cpu"), told.append)
    river, targets, steps, _ = tasks.planned(request_of(again="mix"))
    names = {step.key: step.name for step in river.steps()}
    assert [names[key] for key in ran["again"]] == ["mix", "master", "export"]
    assert [one.step.name for one in steps if one.will_run] == ["mix", "master", "export"]
    assert [step.key for step in ran["targets"]] == [step.key for step in targets]
    (plan,) = (event for event in told if isinstance(event, Planned))
    assert [row["name"] for row in plan.steps if row["state"] == "run"] == ["mix", "master", "export"]


def test_until_and_names_that_are_none(request_of):
    _, targets, steps, _ = tasks.planned(request_of(until="pitch"))
    assert {step.kind for step in targets} == {"pitch"}
    assert steps[-1].step.kind == "pitch"
    with pytest.raises(UsageError, match="no step 'mixx'"):
        tasks.render(request_of(again="mixx"), nobody)


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("tracks.vocals.mute", True, "track 'vocals' is muted"),
        ("tracks.instrumental.solo", True, "track 'vocals' is silent because another track is soloed"),
        ("tracks.vocals.source", "vocals", "no track plays what it sings"),
        ("tracks.vocals.solo", True, ""),
        ("tracks.instrumental.mute", True, ""),
    ],
)
def test_a_cover_without_its_voice_is_told(request_of, place, value, why):
    cover = apply(load(Path(request_of()["project"])), SetValue(place, value)).project.cover
    assert unheard(cover) == (f"the voice is not heard: {why}" if why else "")
    mix = {"mix": {"notes": ["track 0 is muted", "track 1 is muted"]}}
    told = tasks.notes_of(mix, cover)
    assert (told[0] == unheard(cover)) == bool(why)
    assert sum("'vocals' is muted" in text for text in told) == 1  # not twice
    assert not any(
        "is not heard" in text for text in tasks.notes_of({}, cover)
    )  # as of a render that ends before the mix


def test_the_record_names_tracks_and_is_read_back_by_their_numbers(request_of):
    river = build(load(Path(request_of()["project"])))
    tracks = [track.name for track in river.checked.project.cover.tracks]
    steps = [*record.describe(river.steps()), *record.describe([river.mix_stems])]
    named = named_steps(steps, tracks)
    text = json.dumps(named)
    assert "track 0" in json.dumps(steps)
    assert "track 0" not in text
    (mix,) = [step for step in named if step["kind"] == "mix"]
    assert [row["name"] for row in mix["params"]["strips"][:2]] == ["vocals", "instrumental"]
    assert {"track vocals", "track instrumental"} < set(mix["inputs"])
    assert numbered_steps(named, tracks) == (steps, False)
    assert numbered_steps(steps, tracks) == (steps, False)  # a record of before
    reports = named_reports(
        {"mix": {"tracks": [{"name": "track 1"}], "notes": ["track 1 is muted"]}, "master": {"gain_db": 1}},
        tracks,
    )
    assert reports["mix"] == {
        "tracks": [{"name": "instrumental"}],
        "notes": ["track 'instrumental' is muted"],
    }
    assert reports["master"] == {"gain_db": 1}


def test_tracks_that_were_renamed_or_moved_are_told_as_that(request_of):
    project = load(Path(request_of()["project"]))
    river = build(project)
    before = {
        step["name"]: step
        for step in named_steps(
            record.describe(river.steps()), [track.name for track in project.cover.tracks]
        )
    }

    def why(edit):
        after = apply(load(project.root), edit).project
        steps = plan(Store(project.root / "nothing"), build(after).targets())
        found = {one.step.kind: one for one in record.compare(steps, before, after.cover)}
        return found["mix"].words

    assert why(MoveChannel("tracks.vocals", 1)) == ("tracks in another order",)
    assert why(SetValue("tracks.vocals.gain_db", -3.0)) == (
        "vocals gain 0.0 -> -3.0 dB",
        "tracks in another order",
    )
    apply(load(project.root), MoveChannel("tracks.vocals", 0))
    assert why(SetValue("tracks.vocals.name", "lead")) == ("lead gain 0.0 -> -3.0 dB",)


def test_a_render_says_that_no_voice_is_heard(request_of):
    request = request_of(until="mix")
    project = apply(load(Path(request["project"])), SetValue("tracks.vocals.mute", True)).project
    store = Store(Path(request["store"]))
    for step in build(project).steps():
        if store.get(step.key) is None:
            with store.making(step.key) as folder:
                (folder / "x").write_text("x")
                store.keep(step.key, folder, {"seconds": 1.5, "report": {}})
    told = []
    tasks.render(request, told.append)
    notes = [event.text for event in told if isinstance(event, Note)]
    assert notes == ["the voice is not heard: track 'vocals' is muted"]
