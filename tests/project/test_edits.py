"""Edits: what they do to the document, what they are called, and what they must not do."""

import resource
import shutil
import subprocess
import sys
import threading
import time

import pytest
from laid_out import DOCUMENT

from covermaker.documents.document import PlaceError
from covermaker.errors import ProjectError, ResourceError, UsageError, WeightsError
from covermaker.project.edits import (
    AddBus,
    AddEffect,
    AddTrack,
    Conflict,
    MoveEffect,
    RemoveBus,
    RemoveEffect,
    RemoveTrack,
    RenameChannel,
    ResetValue,
    SetMaster,
    SetRack,
    SetValue,
    Together,
    apply,
)
from covermaker.project.history import history, put_back, redo, undo
from covermaker.project.load import load
from covermaker.project.lock import locked
from covermaker.project.watch import Watch

EDITS = [
    (SetValue("tracks.vocals.gain_db", -2.5), "vocals gain -3.0 -> -2.5 dB"),
    (SetValue("tracks.vocals.gain_db", -2), "vocals gain -3.0 -> -2.0 dB"),
    (SetValue("tracks[1].pan", 1), "instrumental pan 0.0 -> 1.0"),
    (SetValue("tracks.vocals.sends.reverb", -12.0), "vocals send to reverb -16.0 -> -12.0 dB"),
    (SetValue("tracks.vocals.rack.compressor.ratio", 4.0), "vocals compressor ratio 3.0 -> 4.0"),
    (SetValue("tracks.vocals.rack[0].bypass", True), "vocals gate bypass off -> on"),
    (SetValue("tracks.vocals.rack[0].ratio", 4.0, 2.0), "vocals gate ratio 2.0 -> 4.0"),
    (SetValue("convert.transpose", 2), "convert transpose auto -> 2"),
    (SetValue("mix.tail", "full"), "mix tail song -> full"),
    (SetValue("buses.reverb.name", "hall"), "bus reverb is called hall"),
    (ResetValue("tracks.vocals.gain_db"), "vocals gain -3.0 -> 0.0 dB"),
    (AddEffect("tracks.vocals", {"effect": "delay"}), "added delay to vocals"),
    (AddEffect("tracks.vocals", {"effect": "delay"}, 1), "added delay to vocals"),
    (AddEffect("tracks.instrumental", {"effect": "gain", "gain_db": 1.0}), "added gain to instrumental"),
    (AddEffect("master", {"effect": "gain"}), "added gain to master"),
    (RemoveEffect("tracks.vocals", 1), "removed eq from vocals"),
    (RemoveEffect("buses.reverb", 0), "removed reverb from reverb"),
    (MoveEffect("tracks.vocals", 2, 0), "moved compressor of vocals 3 -> 1"),
    (
        SetRack("vocals", [{"effect": "gate"}], {"reverb": -20.0}, name="dry"),
        "preset 'dry' on vocals, with its send to reverb",
    ),
    (
        SetRack(
            "vocals",
            [{"effect": "gate"}],
            {"reverb": -16.0, "echo": -9.0, "nowhere": -3.0},
            {"reverb": [{"effect": "gain"}], "echo": [{"effect": "delay"}]},
            name="wet",
        ),
        "preset 'wet' on vocals, with its send to echo, a new bus echo, the rack of bus reverb",
    ),
    (SetRack("vocals", [{"effect": "gate"}], {"reverb": -16.0}, name="same"), "preset 'same' on vocals"),
    (SetRack("vocals", []), "replaced the rack of vocals"),
    (SetMaster({"loudness_lufs": -9.0}), "master loudness -14.0 -> -9.0 LUFS"),
    (SetMaster({"loudness_lufs": -9.0}, [{"effect": "gain"}], name="loud"), "preset 'loud' on the master"),
    (AddTrack({"name": "choir", "source": "backing", "gain_db": -6.0}), "added track choir"),
    (AddTrack({"name": "choir", "source": "backing", "rack": [{"effect": "gate"}]}, 0), "added track choir"),
    (RemoveTrack("vocals"), "removed track vocals"),
    (AddBus({"name": "delay", "rack": [{"effect": "delay"}]}), "added bus delay"),
    (RemoveBus("reverb"), "removed bus reverb"),
    (RenameChannel("buses", "reverb", "hall"), "bus reverb is called hall"),
    (
        Together(
            (AddBus({"name": "slap"}), SetValue("tracks.vocals.sends.slap", -9.0)), "a slap on the voice"
        ),
        "a slap on the voice",
    ),
]


def comments(text):
    return [line[line.index("#") :].strip() for line in text.splitlines() if "#" in line]


@pytest.mark.parametrize(("edit", "words"), EDITS)
def test_every_edit_is_saved_told_undone_and_redone(project, edit, words):
    done = apply(project, edit)
    assert (done.words, done.changed, done.merged) == (words, True, ())
    edited = project.file.read_text()
    assert load(project.root).cover == done.project.cover != project.cover
    gone = set(comments(DOCUMENT)) - set(comments(edited))
    removing = isinstance(edit, (RemoveTrack, RemoveEffect, RemoveBus, SetRack, ResetValue))
    assert removing or not gone
    back = undo(done.project)
    assert back.words == f"undo: {words}"
    assert project.file.read_text() == DOCUMENT
    assert redo(back.project).words == f"redo: {words}"
    assert project.file.read_text() == edited


@pytest.mark.parametrize(("edit", "words"), EDITS)
def test_every_edit_is_undone_in_a_document_that_went_on_by_hand(project, edit, words):
    apply(project, edit)
    text = project.file.read_text()
    project.file.write_text(text.replace('"Me"', '"Myself"') + "\n# and more\n")
    undone = undo(project).project
    expected = {**project.document.values, "artist": "Myself"}
    assert undone.cover == type(undone.cover).model_validate(expected)
    assert "# and more" in project.file.read_text()
    redo(undone)
    assert load(project.root).cover.artist == "Myself"


@pytest.mark.parametrize(
    ("edit", "kind", "message"),
    [
        (SetValue("tracks.vocals.gain_db", 99.0), ProjectError, r"^tracks\[0\].gain_db = 99.0: must be less"),
        (SetValue("tracks.vocals.gain_db", float("nan")), ProjectError, "finite number"),
        (SetValue("tracks.vocals.gain_db", "loud"), ProjectError, "a number is expected"),
        (SetValue("tracks.vocals.gain_bd", 1.0), ProjectError, r"^unknown key 'tracks\[0\].gain_bd'"),
        (SetValue("schema", 9), ProjectError, "schema 9"),
        (SetValue("title", "\udcff"), UsageError, "not UTF-8"),
        (SetValue("title.x", 1), UsageError, "nothing at 'title.x'"),
        (SetValue("tracks.choir.pan", 0.0), UsageError, "no track 'choir'"),
        (SetValue("tracks.vocals.rack[7].ratio", 2.0), UsageError, "nothing at"),
        (ResetValue("song.file"), ProjectError, "'song.file' is missing"),
        (AddEffect("export", {"effect": "gain"}), UsageError, "'export' has no rack"),
        (AddEffect("tracks.vocals", {"effect": ["x"]}), ProjectError, "rack"),
        (RemoveEffect("tracks.vocals", 3), UsageError, "no effect 4: it has 3"),
        (RemoveEffect("tracks.vocals", -1), UsageError, "no effect 0"),
        (MoveEffect("tracks.vocals", 0, 3), UsageError, "no effect 4"),
        (SetRack("vocal", []), UsageError, "no track 'vocal'"),
        (AddTrack({"name": "vocals", "source": "x"}), UsageError, "a track 'vocals' already"),
        (AddTrack({"name": "Big Voice", "source": "x"}), ProjectError, "lower-case letters"),
        (AddBus({"name": "reverb"}), UsageError, "a bus 'reverb' already"),
        (RemoveBus("hall"), UsageError, "no bus 'hall'"),
        (Together((RemoveTrack("vocals"), RemoveTrack("instrumental")), "both"), ProjectError, "tracks"),
    ],
)
def test_a_refused_edit_leaves_everything_as_it_was(project, edit, kind, message):
    with pytest.raises(kind, match=message):
        apply(project, edit)
    assert project.file.read_text() == DOCUMENT
    assert history(project).done == []
    assert not [path for path in project.root.rglob("*") if ".part-" in path.name]


def test_the_judge_refuses_what_goes_wrong_elsewhere_because_of_the_edit(project):
    def judge(changed):
        if changed.cover.tracks[0].mute:
            raise PlaceError("buses", ": sound would go round in a circle")

    with pytest.raises(ProjectError, match="in a circle"):
        apply(project, SetValue("tracks.vocals.mute", True), judge=judge)
    assert not load(project.root).cover.tracks[0].mute


def test_the_judge_refuses_what_the_edit_is_about_and_nothing_else(project):
    def judge(changed):
        raise PlaceError("tracks[0].rack[2].ratio", "= 0.2 is below 1")

    with pytest.raises(PlaceError, match="below 1"):
        apply(project, SetValue("tracks.vocals.rack.compressor.ratio", 0.2), judge=judge)
    with pytest.raises(PlaceError):
        apply(project, SetRack("vocals", []), judge=judge)
    assert project.file.read_text() == DOCUMENT
    assert apply(project, SetValue("tracks.vocals.rack.gate.threshold_db", -40.0), judge=judge).changed

    def elsewhere(changed):
        raise WeightsError("the voice is not here")

    assert apply(load(project.root), SetValue("voice.name", "other"), judge=elsewhere).changed
    apply(load(project.root), RemoveTrack("instrumental"), judge=judge)


def test_nothing_to_change_writes_nothing(project):
    before = project.file.stat().st_mtime_ns
    done = apply(project, SetValue("tracks.vocals.gain_db", -3.0))
    assert (done.changed, done.words) == (False, "nothing changes: it is so already")
    assert project.file.stat().st_mtime_ns == before
    assert not apply(project, ResetValue("tracks.vocals.pan")).changed
    assert history(project).done == []


def test_windows_line_ends_and_links_stay(project, tmp_path):
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_bytes(DOCUMENT.replace("\n", "\r\n").encode())
    project.file.unlink()
    project.file.symlink_to(elsewhere)
    opened = load(project.root)
    apply(opened, AddEffect("tracks.vocals", {"effect": "gain"}))
    assert project.file.is_symlink()
    assert b"\r\n" in elsewhere.read_bytes()
    assert b"\n" not in elsewhere.read_bytes().replace(b"\r\n", b"")
    undo(opened)
    assert elsewhere.read_bytes() == DOCUMENT.replace("\n", "\r\n").encode()


def test_a_gesture_is_one_step(project):
    for gain in (-2.9, -2.5, -2.0):
        project = apply(project, SetValue("tracks.vocals.gain_db", gain), gesture="drag 1").project
    done = apply(project, SetValue("tracks.vocals.gain_db", -1.0), gesture="drag 2")
    assert [entry.words for entry in history(project).done] == [
        "vocals gain -3.0 -> -2.0 dB",
        "vocals gain -2.0 -> -1.0 dB",
    ]
    project = undo(undo(done.project).project).project
    assert project.file.read_text() == DOCUMENT
    project = redo(project).project
    assert project.cover.tracks[0].gain_db == -2.0


def test_a_gesture_that_ends_where_it_began_leaves_no_step(project):
    apply(project, SetValue("title", "A"))
    for gain in (-2.0, -3.0):
        apply(load(project.root), SetValue("tracks.vocals.gain_db", gain), gesture="drag")
    assert [entry.words for entry in history(project).done] == ["title Blue Harbour -> A"]
    assert history(project).undone == []


def test_a_gesture_on_a_key_that_was_not_there_is_one_step(project):
    for gain in (-0.5, -1.0, -1.5):
        project = apply(project, SetValue("tracks.instrumental.gain_db", gain), gesture="drag").project
    assert [entry.words for entry in history(project).done] == ["instrumental gain 0.0 -> -1.5 dB"]
    project = apply(project, SetValue("tracks.instrumental.gain_db", 0.0), gesture="drag").project
    assert history(project).done == []
    assert project.file.read_text() == DOCUMENT


def test_two_windows_with_different_keys_merge(project):
    mine, theirs = load(project.root), load(project.root)
    apply(theirs, SetValue("tracks.vocals.pan", 0.5))
    apply(load(project.root), AddTrack({"name": "choir", "source": "backing"}, 0))
    done = apply(mine, SetValue("tracks.instrumental.gain_db", -1.5))
    assert done.words == "instrumental gain 0.0 -> -1.5 dB"
    assert done.merged == ("vocals pan 0.0 -> 0.5", "added track choir")
    tracks = {track.name: track for track in load(project.root).cover.tracks}
    assert (tracks["vocals"].pan, tracks["instrumental"].gain_db) == (0.5, -1.5)
    assert list(tracks) == ["choir", "vocals", "instrumental"]
    undone = undo(theirs)
    assert undone.words == "undo: instrumental gain 0.0 -> -1.5 dB"
    assert undone.merged == ("added track choir",) or "added track choir" in undone.merged


@pytest.mark.parametrize(
    ("theirs", "mine", "said"),
    [
        (
            SetValue("tracks.vocals.gain_db", -6.0),
            SetValue("tracks.vocals.gain_db", -2.0),
            "vocals gain -3.0 -> -6.0 dB",
        ),
        (RemoveTrack("vocals"), SetValue("tracks.vocals.gain_db", -2.0), "removed track vocals"),
        (
            RemoveEffect("tracks.vocals", 0),
            SetValue("tracks.vocals.rack[1].band1_q", 2.0),
            "vocals rack 3 effects -> 2",
        ),
        (
            SetValue("tracks.vocals.rack[2].ratio", 9.0),
            AddEffect("tracks.vocals", {"effect": "eq"}),
            "ratio 3.0 -> 9.0",
        ),
        (SetValue("tracks.vocals.pan", 0.5), RemoveTrack("vocals"), "vocals pan 0.0 -> 0.5"),
    ],
)
def test_two_windows_with_the_same_key_ask(project, theirs, mine, said):
    window = load(project.root)
    apply(load(project.root), theirs)
    before = project.file.read_text()
    with pytest.raises(Conflict) as caught:
        apply(window, mine)
    assert said in caught.value.theirs
    assert caught.value.yours
    assert project.file.read_text() == before
    if not isinstance(theirs, RemoveTrack):
        apply(load(project.root), mine)  # having one's way


def test_two_processes_at_once_lose_nothing(project):
    script = (
        "from pathlib import Path; from covermaker.project.load import load;"
        "from covermaker.project.edits import SetValue, apply;"
        f"project = load(Path({str(project.root)!r}));"
        "[apply(project, SetValue('tracks.{0}.sends.bus-%d' % n, -1.0 * n)) for n in range(1, 13)]"
    )
    names = ("vocals", "instrumental")
    both = [subprocess.Popen([sys.executable, "-c", script.format(name)]) for name in names]
    assert [process.wait() for process in both] == [0, 0]
    for track in load(project.root).cover.tracks:
        assert {f"bus-{n}": -1.0 * n for n in range(1, 13)}.items() <= track.sends.items()
    assert len(history(project).done) == 24
    for _ in range(24):
        project = undo(project).project
    assert project.cover == load(project.root).cover
    assert {key for track in project.cover.tracks for key in track.sends} == {"reverb"}


def test_two_windows_that_agree_do_not_ask(project):
    window = load(project.root)
    apply(load(project.root), SetValue("tracks.vocals.gain_db", -6.0))
    done = apply(window, SetValue("tracks.vocals.gain_db", -6.0))
    assert not done.changed
    assert done.merged == ("vocals gain -3.0 -> -6.0 dB",)


def test_a_document_that_became_nonsense_is_never_overwritten(project):
    for nonsense in (b"title = = 1\n", b"\xff\xfe", b'schema = 1\ntitle = "t"\nbogus = 1\n'):
        project.file.write_bytes(nonsense)
        for attempt in (lambda: apply(project, SetValue("title", "x")), lambda: undo(project)):
            with pytest.raises(ProjectError, match=r"cover\.toml"):
                attempt()
        assert project.file.read_bytes() == nonsense
        done = put_back(project)
        assert project.file.read_text() == DOCUMENT
        kept = done.words.rpartition(" ")[2]
        assert (project.hidden / kept.rpartition("/")[2]).read_bytes() == nonsense


def test_a_deleted_folder_does_not_come_back(project, tmp_path):
    moved = project.root.rename(tmp_path / "moved")
    for attempt in (
        lambda: apply(project, SetValue("title", "x")),
        lambda: undo(project),
        lambda: redo(project),
        lambda: history(project),
        lambda: put_back(project),
    ):
        with pytest.raises(ProjectError, match=r"no project at .* any more"):
            attempt()
    assert not project.root.exists()
    assert sorted(path.name for path in moved.iterdir()) == ["cover.toml"]


def test_a_folder_deleted_while_a_save_waits_does_not_come_back(project):
    refused = []

    def ask():
        try:
            history(project)
        except ProjectError as error:
            refused.append(error.message)

    with locked(project):
        waiting = threading.Thread(target=ask)
        waiting.start()
        time.sleep(0.2)
        shutil.rmtree(project.root)
        waiting.join(10.0)
    assert refused == [f"there is no project at {project.root} any more"]
    assert not project.root.exists()


@pytest.fixture
def small_disk():
    """Let no file grow beyond so many bytes: the system refuses as it does when a disk is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("most_bytes", [0, 100, 800])
def test_a_full_disk_leaves_document_and_history_as_they_were(project, small_disk, most_bytes):
    assert len(DOCUMENT) > 800
    small_disk(most_bytes)
    with pytest.raises(ResourceError, match="cannot write"):
        apply(project, SetValue("tracks.vocals.gain_db", -2.5))
    small_disk(resource.RLIM_INFINITY)
    assert project.file.read_text() == DOCUMENT
    assert history(project).done == []
    done = apply(project, SetValue("tracks.vocals.gain_db", -2.5))
    edited = project.file.read_text()
    small_disk(most_bytes)
    with pytest.raises(ResourceError, match="cannot write"):
        undo(done.project)
    small_disk(resource.RLIM_INFINITY)
    assert project.file.read_text() == edited
    assert len(history(project).done) == 1
    assert undo(done.project).changed
    assert not [path for path in project.root.rglob("*") if ".part-" in path.name]


def test_a_project_that_is_being_saved_elsewhere_is_waited_for_and_then_told(project, monkeypatch):
    monkeypatch.setattr("covermaker.project.saving.locked", lambda one: locked(one, wait_seconds=0.05))
    with locked(project), pytest.raises(ResourceError, match="is being saved by another Covermaker"):
        apply(project, SetValue("title", "x"))
    assert apply(project, SetValue("title", "x")).changed


def test_a_watch_tells_what_happened_once(project):
    watch = Watch(project)
    assert watch.look() is None
    apply(load(project.root), SetValue("tracks.vocals.gain_db", -6.0))
    news = watch.look()
    assert news.words == ("vocals gain -3.0 -> -6.0 dB",)
    assert news.project.cover.tracks[0].gain_db == -6.0
    assert watch.look() is None
    mine = apply(news.project, SetValue("title", "x"))
    watch.saw(mine.project)
    assert watch.look() is None
    project.file.write_text(project.file.read_text() + "# only a note\n")
    assert watch.look().words == ()
    project.file.write_text("nonsense =")
    with pytest.raises(ProjectError, match="is no TOML"):
        watch.look()
    assert watch.look() is None
    project.file.unlink()
    with pytest.raises(ProjectError, match="any more"):
        watch.look()
    assert watch.look() is None
    project.file.write_text(DOCUMENT)
    assert "vocals gain -6.0 -> -3.0 dB" in watch.look().words
