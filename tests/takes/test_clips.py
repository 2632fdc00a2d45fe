"""Clips: everything sung is in one of them, at the right place, loudness and phase."""

import os
import subprocess

import numpy as np
import pytest
from sung_takes import phrases, sung

from covermaker.audio.files import probe, read
from covermaker.audio.loudness import measure_file
from covermaker.disk import this_host
from covermaker.errors import AudioInputError, ProjectError
from covermaker.takes import pool
from covermaker.takes.clips import PEAK_DBFS, TARGET_LUFS, prepare_clips
from covermaker.takes.document import read_takes, write_takes
from covermaker.takes.review import take_labels_in, write_label_tracks

PLAN = [(4.0, 0.5), (6.0, 1.0), (23.0, 0.8), (2.0, 3.0), (7.0, 0.4), (5.0, 0.2)]


def prepare(folder, out, **options):
    return prepare_clips(folder, out, least_seconds=options.pop("least_seconds", 1.0), **options)


def spans(clips, take, rate):
    return [
        (round(clip.start_seconds * rate), round((clip.start_seconds + clip.seconds) * rate))
        for clip in clips
        if clip.take == take
    ]


@pytest.mark.parametrize("rate", [16000, 44100])
def test_every_sung_sample_is_in_exactly_one_clip(make_takes, tmp_path, rate):
    samples, mask = phrases(PLAN, rate=rate)
    folder = make_takes({"a.wav": samples}, rate=rate)
    clips = prepare(folder, tmp_path / "out")
    times = np.zeros(len(samples), int)
    for start, end in spans(clips, "a.wav", rate):
        times[start:end] += 1
    assert times.max() == 1
    assert (times[mask] == 1).all()
    assert all(clip.seconds <= 15.0 for clip in clips)
    assert sum(clip.seconds < 5.0 for clip in clips) <= 1  # the phrase before the long pause, at most
    # Long pauses are not trained on: half a second of padding and short pauses at most stays of them.
    assert times[~mask].mean() < 0.75


def test_clips_are_the_take_without_rumble_at_its_loudness(make_takes, tmp_path):
    samples, _ = phrases([(6.0, 0.5), (7.0, 0.5)], noise_db=-90.0)
    t = np.arange(len(samples)) / 16000
    folder = make_takes({"a.wav": samples + 0.05 * np.sin(2 * np.pi * 12.0 * t)})
    (clip,) = prepare(folder, tmp_path / "out")
    audio = read(clip.path)
    assert (audio.channels, audio.sample_rate, clip.band_limit_hz) == (1, 16000, 8000.0)
    assert audio.frames == round(clip.seconds * 16000)
    start = round(clip.start_seconds * 16000)
    wanted = samples[start : start + audio.frames]
    gain = (audio.samples[0] @ wanted) / (wanted @ wanted)
    difference = audio.samples[0] / gain - wanted
    # The same samples at the same place: a delay of one sample would leave -15 dB.
    assert 10 * np.log10(np.mean(difference**2) / np.mean(wanted**2)) < -45
    assert measure_file(clip.path).integrated_lufs == pytest.approx(TARGET_LUFS, abs=0.1)


def test_loudness_is_set_for_the_take_not_for_the_clip(make_takes, tmp_path):
    loud, _ = phrases([(8.0, 0.6)])
    soft = (0.1 * loud).astype(np.float32)
    folder = make_takes({"a.wav": np.concatenate([loud, soft, loud]), "b.wav": soft})
    clips = prepare(folder, tmp_path / "out")
    levels = [10 * np.log10(np.mean(read(clip.path).samples ** 2)) for clip in clips]
    assert levels[0] - levels[1] == pytest.approx(20.0, abs=0.3)
    assert levels[0] == pytest.approx(levels[3], abs=0.5)


def test_a_peaky_take_is_not_pushed_over_full_scale(make_takes, tmp_path):
    samples, _ = phrases([(8.0, 0.5)], level=0.005)
    samples[64_000] = 0.9
    (clip,) = prepare(make_takes({"a.wav": samples}), tmp_path / "out")
    peak_db = 20 * np.log10(np.abs(read(clip.path).samples).max())
    assert peak_db == pytest.approx(PEAK_DBFS, abs=0.01)


def test_inverted_channels_do_not_cancel(make_takes, tmp_path):
    samples, _ = phrases([(6.0, 0.5)])
    (mono,) = prepare(make_takes({"a.wav": samples}), tmp_path / "one")
    (clip,) = prepare(make_takes({"a.wav": np.stack([samples, -samples], 1)}, replace=True), tmp_path / "two")
    assert np.allclose(read(clip.path).samples, read(mono.path).samples, atol=1e-6)


@pytest.mark.slow
def test_the_same_takes_give_the_same_bits(make_takes, tmp_path, monkeypatch):
    files = {name: phrases(PLAN, seed=seed)[0] for seed, name in enumerate(("a.wav", "b.wav"))}
    folder = make_takes(files)
    first = prepare(folder, tmp_path / "one")
    monkeypatch.setattr(pool, "LEAST_BYTES", 0)
    for path in (folder / ".takes").iterdir():
        path.unlink()
    second = prepare(folder, tmp_path / "two")
    assert [clip.path.read_bytes() for clip in first] == [clip.path.read_bytes() for clip in second]
    assert [clip.start_seconds for clip in first] == [clip.start_seconds for clip in second]


def test_lossy_and_lossless_takes_keep_their_own_rate(make_takes, tmp_path):
    samples, _ = phrases([(6.0, 0.5)], rate=44100)
    folder = make_takes({"a.ogg": samples, "b.flac": samples[:200_000]}, rate=44100)
    clips = prepare(folder, tmp_path / "out")
    assert [clip.path.name for clip in clips] == ["a-0001.wav", "b-0001.wav"]
    assert {probe(clip.path).sample_rate for clip in clips} == {44100}


def test_labels_decide_when_they_are_there(make_takes, tmp_path):
    folder = make_takes({"a.wav": phrases(PLAN)[0]})
    (folder / "takes" / "a.labels.txt").write_text("1.5\t3.25\tmine\n10.0\t12.0\tmine too\n")
    clips = prepare(folder, tmp_path / "out")
    assert [(clip.start_seconds, clip.seconds) for clip in clips] == [(1.5, 1.75), (10.0, 2.0)]


def test_labels_written_and_read_give_the_same_clips(make_takes, tmp_path):
    folder = make_takes({"a.wav": phrases(PLAN, rate=44100)[0]}, rate=44100)
    first = prepare(folder, tmp_path / "one")
    (file,) = write_label_tracks(folder)
    assert file.name == "a.labels.txt"
    assert len(file.read_text().splitlines()) == len(first)
    second = prepare(folder, tmp_path / "two")
    assert [clip.path.read_bytes() for clip in first] == [clip.path.read_bytes() for clip in second]


def test_labels_that_a_person_drew_are_not_written_over(make_takes):
    folder = make_takes({"a.wav": sung(6.0)})
    (folder / "takes" / "a.labels.txt").write_text("1\t4\tmy favourite\n")
    assert write_label_tracks(folder) == []
    assert "my favourite" in (folder / "takes" / "a.labels.txt").read_text()


def test_label_files_are_taken_in_by_name(make_takes, tmp_path):
    folder = make_takes({"a.wav": sung(6.0), "b.wav": sung(7.0, hz=300)})
    file = tmp_path / "B.labels.txt"
    file.write_text("1\t4\tx\n")
    assert take_labels_in(folder, file) == "b.wav"
    assert (folder / "takes" / "b.labels.txt").read_text() == "1\t4\tx\n"
    file.write_text("1\t40\tx\n")
    with pytest.raises(ProjectError, match=r"leaves the take, which ends at 7\.000 s"):
        take_labels_in(folder, file)
    assert (folder / "takes" / "b.labels.txt").read_text() == "1\t4\tx\n"


def test_takes_that_are_left_out_give_no_clips(make_takes, tmp_path):
    folder = make_takes({"a.wav": sung(6.0), "b.wav": sung(7.0, hz=300)})
    takes = read_takes(folder)
    rows = [takes.takes[0], takes.takes[1].model_copy(update={"use": False})]
    write_takes(takes.model_copy(update={"takes": rows}), folder)
    assert {clip.take for clip in prepare(folder, tmp_path / "out")} == {"a.wav"}


def test_twenty_seconds_are_refused(make_takes, tmp_path):
    folder = make_takes({"a.wav": phrases([(9.0, 1.0)] * 2)[0]})
    with pytest.raises(AudioInputError, match=r"hold 1[89] s of voice, too little"):
        prepare_clips(folder, tmp_path / "out")


def test_noise_alone_is_refused(make_takes, tmp_path):
    folder = make_takes({"a.wav": 0.003 * np.random.default_rng(0).standard_normal(160_000)})
    with pytest.raises(AudioInputError, match="nobody sings"):
        prepare(folder, tmp_path / "out")


def test_a_folder_that_may_not_be_written_is_read_all_the_same(make_takes, tmp_path, monkeypatch):
    folder = make_takes({"a.wav": sung(6.0)})
    monkeypatch.setattr("covermaker.takes.cache.os.access", lambda *_: False)
    assert len(prepare(folder, tmp_path / "out")) == 1
    assert not (folder / ".takes").exists()


def test_what_a_killed_process_left_is_swept(make_takes, tmp_path):
    folder = make_takes({"a.wav": sung(6.0)})
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = folder / ".takes" / f"work-{this_host()}-{gone.pid}-abc"
    ours = folder / ".takes" / f"work-{this_host()}-{os.getpid()}-abc"
    theirs = folder / ".takes" / f"work-elsewhere-{gone.pid}-abc"
    for path in (left, ours, theirs):
        path.mkdir(parents=True)
        (path / "mono.wav").write_bytes(b"x")
    prepare(folder, tmp_path / "out")
    assert not left.exists()
    assert ours.exists()
    assert theirs.exists()


def test_a_damaged_measurement_is_made_again(make_takes, tmp_path):
    folder = make_takes({"a.wav": phrases(PLAN)[0]})
    first = prepare(folder, tmp_path / "one")
    for path in (folder / ".takes").glob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    assert [clip.seconds for clip in prepare(folder, tmp_path / "two")] == [clip.seconds for clip in first]
