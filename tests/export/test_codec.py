"""What a lossy file decodes to stays below the ceiling; the readings here are libebur128's own."""

import numpy as np
import pyebur128
import pytest
from export_signals import chirp

from covermaker.audio.files import read
from covermaker.export import codec
from covermaker.export.files import Wishes, export_master, notes_of
from covermaker.export.formats import FORMATS
from covermaker.units import gain_to_db

CEILING_DBTP = -1.0
LOSSY = [name for name in FORMATS.names() if FORMATS.load(name).lossy]


def true_peak_db(path):
    audio = read(path)
    state = pyebur128.R128State(audio.channels, audio.sample_rate, pyebur128.MeasurementMode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(audio.samples.T).reshape(-1), audio.frames)
    return gain_to_db(max(pyebur128.get_true_peak(state, channel) for channel in range(audio.channels)))


def dense(seconds=4.0, sample_rate=44_100):
    """Noise pressed against the ceiling, all of whose peaks a codec shifts."""
    samples = np.random.default_rng(3).standard_normal((2, round(seconds * sample_rate)))
    return (0.86 * np.tanh(2.0 * samples)).astype(np.float32)


def export(master, out, formats, **more):
    wishes = Wishes(ceiling_dbtp=CEILING_DBTP, **more)
    files = export_master(master, out, formats=formats, stem_name="s", tags={}, seed=0, wishes=wishes)
    return files, wishes


@pytest.mark.parametrize("name", LOSSY)
def test_the_ceiling_holds_behind_the_decoder(make_master, tmp_path, name):
    master = make_master(dense())
    (plain,) = export_master(master, tmp_path / "plain", formats=[name], stem_name="s", tags={}, seed=0)
    assert true_peak_db(tmp_path / "plain" / plain.name) > CEILING_DBTP + 0.2, "or nothing is shown here"
    assert (plain.true_peak_dbtp, plain.lowered_db) == (None, 0.0)
    (made,), wishes = export(master, tmp_path / "o", [name])
    peak = true_peak_db(tmp_path / "o" / made.name)
    assert peak <= CEILING_DBTP + 0.05
    assert peak > CEILING_DBTP - 0.6, "not turned down more than needed"
    assert made.true_peak_dbtp == pytest.approx(peak, abs=0.01)
    assert made.lowered_db > 0.1
    assert notes_of([made], wishes) == [
        f"{made.name} is turned down by {made.lowered_db:.2f} dB: its encoder raises peaks above the ceiling"
    ]


def test_lossless_files_stay_as_the_master_is(make_master, tmp_path):
    master = make_master(dense(1.0))
    (wav, mp3), wishes = export(master, tmp_path / "o", ["wav32f", "mp3-192"])
    np.testing.assert_array_equal(read(tmp_path / "o" / wav.name).samples, read(master).samples)
    assert (wav.lowered_db, wav.true_peak_dbtp) == (0.0, None)
    assert mp3.lowered_db > 0.0
    assert len(notes_of([wav, mp3], wishes)) == 1


def test_what_stays_below_is_encoded_once(make_master, tmp_path, monkeypatch):
    calls = []
    form = FORMATS.load("mp3")
    real = type(form).encode
    monkeypatch.setattr(
        type(form), "encode", lambda self, *a, **k: calls.append(k["settings"]) or real(self, *a, **k)
    )
    master = make_master(chirp(40_000))
    (made,), wishes = export(master, tmp_path / "o", ["mp3"])
    (unasked,) = export_master(master, tmp_path / "u", formats=["mp3"], stem_name="s", tags={}, seed=0)
    assert [one.gain_db for one in calls] == [0.0, 0.0]
    assert made.sha256 == unasked.sha256
    assert made.lowered_db == 0.0
    assert notes_of([made], wishes) == []


def test_what_cannot_be_held_is_told(make_master, tmp_path, monkeypatch):
    monkeypatch.setattr(codec, "_MAX_PASSES", 1)
    (made,), wishes = export(make_master(dense(1.0)), tmp_path / "o", ["mp3-192"])
    assert made.lowered_db == 0.0
    (note,) = notes_of([made], wishes)
    assert f"{made.name} decodes to " in note
    assert "above the ceiling of -1 dBTP" in note


def test_silence(make_master, tmp_path):
    (made,), _ = export(make_master(np.zeros((2, 10_000))), tmp_path / "o", ["mp3"])
    assert made.true_peak_dbtp == -np.inf or made.true_peak_dbtp < -100
    assert made.lowered_db == 0.0


def test_progress_rises_through_the_passes(make_master, tmp_path):
    seen = []
    export_master(
        make_master(dense(2.0)), tmp_path / "o", formats=["mp3-192"], stem_name="s", tags={}, seed=0,
        wishes=Wishes(ceiling_dbtp=-1.0), progress=seen.append,
    )  # fmt: skip
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
