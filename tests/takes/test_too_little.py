"""What a scan says of the length of all takes is what training does of it."""

import numpy as np
import pytest

from covermaker.errors import AudioInputError
from covermaker.takes.clips import prepare_clips
from covermaker.takes.create import LEAST_SECONDS, too_little
from covermaker.takes.scan import scan


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    monkeypatch.setattr(
        "covermaker.takes.scan.singer_pieces", lambda *_: (np.zeros((0, 256), np.float32), np.zeros(0))
    )


def sung(seconds, rate=16000):
    t = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * 200 * k * t) / k for k in range(1, 8)) * (t % 8 < 7.5)
    return 0.2 * tone + 1e-4 * np.random.default_rng(0).standard_normal(len(t))


def test_a_scan_promises_no_training_that_is_refused(make_takes, tmp_path):
    folder = make_takes({"a.wav": sung(24)})
    report = scan(folder, bleed=False)
    seconds = int(sum(take.voice_seconds for take in report.takes))
    assert seconds < LEAST_SECONDS
    with pytest.raises(AudioInputError) as caught:
        prepare_clips(folder, tmp_path / "clips")
    assert caught.value.message == f"the takes of 'anna' hold {seconds} s of voice, too little to train one"
    assert report.notes == [f"{seconds} s of voice, too little to train one; {caught.value.hint}"]


def test_from_the_least_on_both_agree(make_takes, tmp_path):
    folder = make_takes({"a.wav": sung(40)})
    assert [note for note in scan(folder, bleed=False).notes if "it will train" in note]
    assert prepare_clips(folder, tmp_path / "clips")


def test_what_is_just_too_little_does_not_read_as_enough():
    assert too_little(LEAST_SECONDS) is None
    assert too_little(LEAST_SECONDS - 0.01)[0].startswith("29 s")
