"""A preview is what a render would make of the same stretch; asking for it saves nothing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from covermaker.audio.files import read
from covermaker.disk import this_host
from covermaker.effects.rack import parse_rack
from covermaker.effects.rack_file import render_rack
from covermaker.errors import CovermakerError, UsageError
from covermaker.graph.store import Store
from covermaker.mix.mixer import Source, mix_tracks
from covermaker.mix.strips import Strip
from covermaker.render import preview
from covermaker.render.preview import Previewer
from covermaker.render.previewing import PEAKS_PER_SECOND, Wish
from covermaker.render.sounds import Sounds

RATE = 44100
SECONDS = 6.0
COMPRESSOR = {"effect": "compressor", "threshold_db": -30.0, "ratio": 4.0}
COVER = """schema = 1
title = "Short"
[song]
file = "song.wav"
[[tracks]]
name = "vocals"
source = "converted"
gain_db = -3.0
sends = { room = -12.0 }
rack_lufs = "off"
rack = [{ effect = "compressor", threshold_db = -30.0, ratio = 4.0 }]
[[tracks]]
name = "band"
source = "instrumental"
pan = 0.4
[[buses]]
name = "room"
rack = [{ effect = "delay", time_ms = 100.0, wet_db = 0.0, dry_db = -100.0 }]
"""


@pytest.fixture
def sounds(staged):
    """A project whose sources are a pulsing tone and noise."""
    times = np.arange(round(SECONDS * RATE)) / RATE
    tone = 0.4 * np.sin(2 * np.pi * 220 * times) * (np.sin(2 * np.pi * 1.5 * times) > 0)
    noise = 0.1 * np.random.default_rng(1).standard_normal((2, len(times)))
    return staged(COVER, RATE, {"vocals": tone[None], "band": noise, "song": noise + tone})


def sound_of(made):
    return read(Path(made.file)).samples


def test_the_mix_is_that_of_the_mixer(tmp_path, previewer):
    made = previewer.make(Wish(7, 0.0, 2.0))
    render_rack(
        tmp_path / "vocals.wav", tmp_path / "racked.wav", parse_rack([COMPRESSOR], where=""), sample_rate=RATE
    )
    bus = [{"effect": "delay", "time_ms": 100.0, "wet_db": 0.0, "dry_db": -100.0}]
    mix_tracks(
        [
            Strip(name="vocals", gain_db=-3.0, sends={"room": -12.0}),
            Strip(name="band", pan=0.4),
            Strip(name="room", kind="bus", rack=parse_rack(bus, where="")),
        ],
        {"vocals": Source(tmp_path / "racked.wav"), "band": Source(tmp_path / "band.wav")},
        tmp_path / "mix.wav",
        sample_rate=RATE,
        frames=2 * RATE,
    )
    ours, theirs = read(tmp_path / made.file).samples, read(tmp_path / "mix.wav").samples
    fade = RATE // 100
    assert ours.shape == (2, 2 * RATE)
    np.testing.assert_allclose(ours[:, :-fade], theirs[:, :-fade], atol=2e-6)
    assert (made.id, made.against) == (7, str(tmp_path / "song.wav"))


def test_a_stretch_is_in_the_middle_of_the_song(previewer):
    whole = sound_of(previewer.make(Wish(1, 0.0, 4.0)))
    part = sound_of(previewer.make(Wish(2, 2.0, 2.0)))
    np.testing.assert_allclose(part, whole[:, 2 * RATE :], atol=1e-3)


def test_a_changed_value_is_heard_and_not_saved(tmp_path, previewer):
    before = previewer.make(Wish(1, 1.0, 2.0))
    after = previewer.make(
        Wish(2, 1.0, 2.0, changes={"tracks.band.gain_db": -96.0, "tracks.vocals.gain_db": -20.0})
    )
    assert after.out_lufs < before.out_lufs - 10.0
    assert (tmp_path / "cover.toml").read_text(encoding="utf-8") == COVER


def test_a_send_can_be_taken_away(previewer):
    with_send = previewer.make(Wish(1, 0.0, 2.0)).peaks["room"]
    without = previewer.make(Wish(2, 0.0, 2.0, changes={"tracks.vocals.sends.room": None})).peaks["room"]
    assert max(map(max, with_send)) > 0.01
    assert max(map(max, without)) == 0.0


def test_a_track_is_its_rack_alone(tmp_path, previewer):
    made = previewer.make(Wish(1, 0.0, 3.0, "vocals"))
    report = render_rack(
        tmp_path / "vocals.wav", tmp_path / "out.wav", parse_rack([COMPRESSOR], where=""),
        sample_rate=RATE, frames=3 * RATE, tail_seconds=0.0,
    )  # fmt: skip
    np.testing.assert_array_equal(read(tmp_path / made.file).samples, read(tmp_path / "out.wav").samples)
    (reduction,) = made.reductions
    assert (reduction["track"], reduction["index"], reduction["effect"]) == ("vocals", 0, "compressor")
    assert len(reduction["history_db"]) == pytest.approx(3.0 / made.reduction_seconds, abs=1)
    assert np.mean(reduction["history_db"]) == pytest.approx(report.reductions[0].mean_db, abs=0.1)
    assert made.against == str(tmp_path / "vocals.wav")


def test_gains_make_both_equally_loud(previewer):
    made = previewer.make(Wish(1, 0.0, 3.0, "vocals", {"tracks.vocals.rack[0].makeup_db": 12.0}))
    assert made.out_lufs + made.gain_db == pytest.approx(made.in_lufs + made.against_gain_db, abs=0.02)
    assert max(made.gain_db, made.against_gain_db) == 0.0


def test_solo_silences_the_others(previewer):
    peaks = previewer.make(Wish(1, 0.0, 2.0, solo=("band",))).peaks
    assert max(map(max, peaks["vocals"])) == max(map(max, peaks["room"])) == 0.0
    assert max(map(max, peaks["band"])) > 0.1
    assert len(peaks["band"]) == len(peaks["mix"]) == 2 * PEAKS_PER_SECOND


def test_only_the_last_files_stay(tmp_path, previewer):
    made = [previewer.make(Wish(number, 0.0, 1.0)).file for number in range(8)]
    assert sorted(str(file) for file in (tmp_path / ".covermaker" / "preview").iterdir()) == sorted(made[-6:])


def test_what_dead_processes_left_is_swept(tmp_path, previewer):
    folder = tmp_path / ".covermaker" / "preview"
    folder.mkdir(parents=True)
    dead = subprocess.Popen([sys.executable, "-SEc", ""])
    dead.wait()
    (folder / f"{dead.pid}-1-{this_host()}.wav").write_bytes(b"")
    made = previewer.make(Wish(1, 0.0, 1.0))
    assert [str(file) for file in folder.iterdir()] == [made.file]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(1, 0.0, 31.0), "not 31 s"),
        (Wish(1, 0.0, 0.1), "not 0.1 s"),
        (Wish(1, 60.0, 2.0), "after the song's end"),
        (Wish(1, 0.0, 2.0, "choir"), "no track 'choir'"),
        (Wish(1, 0.0, 2.0, changes={"tracks.choir.gain_db": 1.0}), "choir"),
        (Wish(1, 0.0, 2.0, changes={"tracks.vocals.gain_db": 99.0}), "gain_db"),
        (Wish(1, 0.0, 2.0, changes={"tracks.vocals.rack[0].ratio": 0.1}), "below 1"),
    ],
)
def test_a_bad_wish_is_refused(previewer, wish, words):
    with pytest.raises(CovermakerError, match=words):
        previewer.make(wish)


def test_without_a_render_there_is_no_preview(tmp_path, monkeypatch):
    nothing = Sounds(None, None, None, None, None, 0.0, {})
    (tmp_path / "cover.toml").write_text(COVER, encoding="utf-8")
    monkeypatch.setattr(preview, "find_sounds", lambda project, store: nothing)
    with pytest.raises(UsageError, match="not rendered yet"):
        Previewer(tmp_path, Store(tmp_path / "store")).make(Wish(1, 0.0, 2.0))


def test_the_child_answers_until_its_parent_goes(tmp_path, sounds):
    """The real child; the project is new, so the answers are refusals."""
    (tmp_path / "cover.toml").write_text(COVER, encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "covermaker.jobs.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    child.stdin.write(
        json.dumps({"job": "preview", "project": str(tmp_path), "store": str(tmp_path / "s")}) + "\n"
    )
    for number in (1, 2):
        child.stdin.write(json.dumps(Wish(number, 0.0, 2.0).to_dict()) + "\n")
        child.stdin.flush()
        said = json.loads(child.stdout.readline())
        assert (said["event"], said["id"]) == ("preview.refused", number)
        assert "not rendered yet" in said["message"]
    child.stdin.close()
    assert child.wait(5) != 0
    child.stdout.close()
