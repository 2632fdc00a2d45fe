"""What the scan says of takes that were spoilt on purpose."""

import json

import numpy as np
import pytest
import soundfile
import soxr
from sung_takes import phrases, sung

from covermaker.errors import ProjectError, WeightsError
from covermaker.takes.scan import scan
from covermaker.takes.singers import SAME_SINGER, likeness
from covermaker.units import hz_to_midi


def words(report):
    return {take.take: [finding.word for finding in take.findings] for take in report.takes}


@pytest.fixture
def plain(monkeypatch):
    """Scan without asking who sings: no network is loaded."""
    monkeypatch.setattr(
        "covermaker.takes.scan.singer_pieces", lambda *_: (np.zeros((0, 256), np.float32), np.zeros(0))
    )

    def look(folder):
        return scan(folder, bleed=False)

    return look


def test_figures_of_a_known_take(make_takes, plain):
    samples, mask = phrases([(4.0, 1.0), (4.0, 1.0)], noise_db=-60.0, hz=220.0, vibrato=0.0)
    (take,) = plain(make_takes({"a.wav": samples})).takes
    assert take.seconds == 10.0
    assert take.silence_share == pytest.approx(1 - mask.mean(), abs=0.03)
    assert take.noise_floor_dbfs == pytest.approx(-60.0, abs=1.0)
    level = 10 * np.log10(np.mean(samples[mask] ** 2))
    assert take.snr_db == pytest.approx(level + 60.0, abs=1.0)
    assert take.f0_median_hz == pytest.approx(220.0, rel=0.003)
    assert take.f0_low_hz <= take.f0_median_hz <= take.f0_high_hz
    note = round(hz_to_midi(220.0))
    assert dict(take.f0_histogram)[note] == pytest.approx(8.0, abs=0.3)
    assert take.band_limit_hz == 8000.0
    assert take.channel_correlation is None
    assert take.voice_seconds == pytest.approx(9.2, abs=0.5)
    assert take.verdict == "ok"


def test_every_fault_has_its_word(make_takes, plain):
    good, _ = phrases([(6.0, 0.6), (5.0, 0.6)])
    high = soxr.resample(good, 16000, 44100)
    pad = np.zeros(44100, np.float32)
    noise = np.random.default_rng(1).standard_normal(len(high))
    true = phrases([(6.0, 0.6)], rate=44100, noise_db=-60.0)[0]
    folder = make_takes(
        {
            "clipped.wav": np.clip(12 * true, -1, 1),
            "good.wav": true,
            "inverted.wav": np.stack([true, -true], 1),
            "noisy.wav": 0.3 * (high + 0.3 * high.std() * noise),
            "quiet.wav": true * 0.008,
            "silent.wav": pad,
            "steps.wav": 0.01 * noise[:100_000],
            "upsampled.flac": high,
        },
        rate=44100,
    )
    report = plain(folder)
    assert words(report) == {
        "clipped.wav": ["clipped"],
        "good.wav": [],
        "inverted.wav": ["inverted"],
        "noisy.wav": ["noisy"],
        "quiet.wav": ["quiet"],
        "silent.wav": ["silent"],
        "steps.wav": ["no voice"],
        "upsampled.flac": ["narrow band"],
    }
    text = {take.take: take.findings[0].text for take in report.takes if take.findings}
    assert "a 16 kHz recording saved at 44.1 kHz" in text["upsampled.flac"]
    assert any("minutes of voice" in note for note in report.notes)
    assert any("bands end between 8 and 22 kHz" in note for note in report.notes)
    json.dumps(report.to_json())


def test_a_second_scan_measures_nothing(make_takes, plain, monkeypatch):
    folder = make_takes({"a.wav": sung(6.0)})
    first = plain(folder)
    monkeypatch.setattr("covermaker.takes.analysis._measure", None)
    assert plain(folder) == first


def test_a_take_that_was_exchanged_is_measured_anew(make_takes, plain):
    folder = make_takes({"a.wav": sung(6.0)})
    before = plain(folder).takes[0]
    soundfile.write(folder / "takes" / "a.wav", sung(8.0), 16000)
    after = plain(folder).takes[0]
    assert (before.seconds, after.seconds) == (6.0, 8.0)
    assert [finding.word for finding in after.findings] == ["changed"]


def test_labels_are_the_cuts_of_the_report(make_takes, plain):
    folder = make_takes({"a.wav": sung(9.0)})
    (folder / "takes" / "a.labels.txt").write_text("1\t4\tx\n")
    (take,) = plain(folder).takes
    assert take.labelled
    assert take.cuts == [(1.0, 4.0)]
    (folder / "takes" / "a.labels.txt").write_text("1\t40\tx\n")
    with pytest.raises(ProjectError, match="leaves the take"):
        plain(folder)


def test_missing_weights_are_said_not_raised(make_takes, monkeypatch):
    def missing(*_):
        raise WeightsError("no speaker encoder", hint="pull it")

    monkeypatch.setattr("covermaker.takes.scan.singer_pieces", missing)
    report = scan(make_takes({"a.wav": sung(6.0)}), bleed=False)
    assert report.notes[0] == "who sings was not compared: no speaker encoder (pull it)"


def groups(*sizes, inside=0.95, seed=0):
    """Return embeddings in groups that are near themselves and far from each other."""
    rng = np.random.default_rng(seed)
    rows = []
    for size in sizes:
        centre = np.abs(rng.standard_normal(256)) ** 2
        centre /= np.linalg.norm(centre)
        for _ in range(size):
            row = centre + np.sqrt(1 / inside**2 - 1) * rng.standard_normal(256) / 16
            rows.append(row / np.linalg.norm(row))
    return np.array(rows, np.float32)


def test_the_singer_of_most_of_the_time_is_the_singer():
    rows = groups(3, 3)
    assert (rows[:3] @ rows[3:].T).max() < SAME_SINGER
    for seconds, own in (([10, 10, 10, 5, 5, 5], [0, 1, 2]), ([5, 5, 5, 10, 10, 10], [3, 4, 5])):
        like = likeness(rows, np.array(seconds, float))
        assert np.flatnonzero(like >= SAME_SINGER).tolist() == own


def test_equal_halves_are_parted_too():
    like = likeness(groups(4, 4), np.full(8, 10.0))
    assert (like >= SAME_SINGER).sum() == 4


@pytest.mark.parametrize("stranger", ["rms", "awb", "kal"])
def test_another_singer_is_told(make_takes, say, stranger):
    texts = [
        f"{word} is the word of the day, and all of us sing about {word} for a while, until the night falls."
        for word in ("Rain", "Sun", "Sea", "Wind", "Snow")
    ]
    files = {f"own-{index}.wav": say("slt", text) for index, text in enumerate(texts)}
    report = scan(make_takes({**files, "stranger.wav": say(stranger)}), bleed=False)
    found = words(report)
    assert found.pop("stranger.wav") == ["other singer"]
    assert all(not what for what in found.values())
    likes = {take.take: take.likeness for take in report.takes}
    assert likes.pop("stranger.wav") < SAME_SINGER - 0.05
    assert min(likes.values()) > SAME_SINGER + 0.05


def test_two_singers_in_one_long_take_are_told(make_takes, say):
    both = np.concatenate([say("slt"), say("slt"), np.zeros(16000), say("rms")])
    (take,) = scan(make_takes({"both.wav": both}), bleed=False).takes
    assert [finding.word for finding in take.findings] == ["two singers"]
    assert 0.1 < take.other_share < 0.5


def test_music_is_told_from_a_dry_voice(make_takes, say):
    voice = soxr.resample(say("slt"), 16000, 44100)
    t = np.arange(len(voice)) / 44100
    chord = sum(
        np.sin(2 * np.pi * hz * k * t) / k for hz in (130.8, 164.8, 196.0) for k in range(1, 8)
    ) * np.exp(-(t % 0.5) * 4)
    mixed = 0.4 * (voice + chord * voice.std() / chord.std())
    report = scan(make_takes({"dry.wav": voice, "mixed.wav": mixed}, rate=44100))
    dry, mix = report.takes
    assert dry.bleed_db < -10 < -5 < mix.bleed_db
    assert "music" in [finding.word for finding in mix.findings]
    assert "music" not in [finding.word for finding in dry.findings]


def test_cleaned_copies_go_when_no_take_needs_them(make_takes, plain, monkeypatch):
    from covermaker.takes import working
    from covermaker.takes.document import Cleaning

    monkeypatch.setattr(
        working, "clean", lambda take, out, *_, **__: working.mono_file(take, out, working.facts_of(take))
    )
    one, two = (phrases([(6.0, 0.6)], seed=seed)[0] for seed in (0, 1))
    folder = make_takes({"a.wav": one, "b.wav": two}, cleaning=Cleaning(separate=True))

    def kept():
        return {file.name for file in (folder / ".takes").glob("clean-*")}

    plain(folder)
    first = kept()
    assert len(first) == 2
    plain(folder)
    assert kept() == first
    changed = folder / "takes" / "a.wav"
    soundfile.write(changed, 0.9 * one, 16000, subtype="FLOAT")
    plain(folder)
    assert len(kept()) == 2
    assert len(kept() & first) == 1
    document = folder / "takes.toml"
    document.write_text(document.read_text().replace("separate = true", "separate = false"))
    plain(folder)
    assert kept() == set()
