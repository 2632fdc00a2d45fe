"""Stems that the user brings: any rate, near enough in length, and honest about what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.errors import AudioInputError, ProjectError
from covermaker.stems.provided import ProvidedSeparator

FRAMES = 30011


@pytest.fixture
def parts(noise):
    return {"vocals": noise(FRAMES, 1), "drums": noise(FRAMES, 2), "other": noise(FRAMES, 3)}


@pytest.fixture
def files(parts, write_song):
    return {name: write_song(samples, name=f"in-{name}.wav") for name, samples in parts.items()}


@pytest.fixture
def song(parts, write_song):
    return write_song(sum(parts.values()))


def test_a_complete_set_is_left_as_it_is(files, parts, song, load_stems, tmp_path):
    report = ProvidedSeparator(files=files).separate(song, tmp_path / "out")
    assert report.stems == ("vocals", "drums", "other")
    assert report.residue_db < -120
    assert report.notes == ()
    stems = load_stems(tmp_path / "out", report.stems)
    assert all(np.array_equal(stems[name], parts[name]) for name in parts)


def test_a_complete_set_of_another_mix_is_told_not_changed(
    files, parts, song, write_song, load_stems, tmp_path
):
    files["other"] = write_song(0.9 * parts["other"], name="quiet.wav")
    report = ProvidedSeparator(files=files).separate(song, tmp_path / "out")
    assert report.residue_db == pytest.approx(-24.8, abs=0.5)  # a tenth of one of three
    assert "differ from the song by -24" in report.notes[0]
    assert np.array_equal(load_stems(tmp_path / "out", ["other"])["other"], np.float32(0.9 * parts["other"]))


def test_an_incomplete_set_gets_the_rest(files, parts, song, load_stems, tmp_path):
    separator = ProvidedSeparator(files={"drums": files["drums"], "vocals": str(files["vocals"])})
    assert separator.stems == ("vocals", "drums", "other")
    report = separator.separate(song, tmp_path / "out")
    other = load_stems(tmp_path / "out", ["other"])["other"]
    np.testing.assert_allclose(other, parts["other"], atol=1e-6)
    level_db = 10 * np.log10(np.square(parts["other"]).sum() / np.square(sum(parts.values())).sum())
    assert report.residue_db == pytest.approx(level_db, abs=0.01)
    assert "'other' was made of what is in no stem" in report.notes[0]


def test_another_rate_is_converted(write_song, load_stems, tmp_path):
    def tone(rate):
        return 0.3 * np.sin(2 * np.pi * 997 * np.arange(rate) / rate) * np.ones((2, 1))

    song = write_song(tone(44100))
    vocals = write_song(tone(48000), 48000, "vocals48.wav")
    report = ProvidedSeparator(files={"vocals": vocals}).separate(song, tmp_path / "out")
    stem = load_stems(tmp_path / "out", ["vocals"])["vocals"]
    assert stem.shape == (2, 44100)
    np.testing.assert_allclose(stem[:, 2000:-2000], tone(44100)[:, 2000:-2000], atol=1e-4)
    assert report.residue_db < -40  # the ends, where the filter meets nothing


def test_one_channel_becomes_two(parts, song, write_song, load_stems, tmp_path):
    vocals = write_song(parts["vocals"][:1], name="mono.wav")
    ProvidedSeparator(files={"vocals": vocals}).separate(song, tmp_path / "out")
    stem = load_stems(tmp_path / "out", ["vocals"])["vocals"]
    assert np.array_equal(stem, np.repeat(parts["vocals"][:1], 2, axis=0))


@pytest.mark.parametrize("difference", [-2205, -2, 2, 2205])
def test_a_length_within_50_ms_is_fitted_and_told(parts, song, write_song, load_stems, tmp_path, difference):
    longer = np.concatenate([parts["vocals"], parts["drums"]], axis=1)[:, : FRAMES + difference]
    report = ProvidedSeparator(files={"vocals": write_song(longer, name="v.wav")}).separate(
        song, tmp_path / "out"
    )
    stem = load_stems(tmp_path / "out", ["vocals"])["vocals"]
    both = min(FRAMES, FRAMES + difference)
    assert stem.shape == (2, FRAMES)
    assert np.array_equal(stem[:, :both], longer[:, :both])
    assert not stem[:, both:].any()
    assert ("longer" if difference > 0 else "shorter") in report.notes[0]


@pytest.mark.parametrize("difference", [-1, 1])
def test_one_sample_is_not_worth_a_word(parts, song, write_song, tmp_path, difference):
    longer = np.concatenate([parts["vocals"], parts["drums"]], axis=1)[:, : FRAMES + difference]
    report = ProvidedSeparator(files={"vocals": write_song(longer, name="v.wav")}).separate(
        song, tmp_path / "out"
    )
    assert len(report.notes) == 1  # that there is an `other`


class TestRefused:
    @pytest.mark.parametrize("difference", [-2206, 2206])
    def test_another_length(self, parts, song, write_song, tmp_path, difference):
        longer = np.concatenate([parts["vocals"], parts["drums"]], axis=1)[:, : FRAMES + difference]
        vocals = write_song(longer, name="v.wav")
        with pytest.raises(AudioInputError, match=r"stem 'vocals' is .* s long, the song 0\.681 s"):
            ProvidedSeparator(files={"vocals": vocals}).separate(song, tmp_path / "out")
        assert not list((tmp_path / "out").iterdir())

    def test_no_vocals(self, files):
        del files["vocals"]
        with pytest.raises(ProjectError, match="no 'vocals'"):
            ProvidedSeparator(files=files)

    @pytest.mark.parametrize("name", ["", "a/b", "..", "a\\b"])
    def test_names_that_are_no_file_names(self, files, name):
        with pytest.raises(ProjectError, match="cannot be the name of a stem"):
            ProvidedSeparator(files={**files, name: files["drums"]})

    def test_a_file_that_is_not_there(self, song, tmp_path):
        separator = ProvidedSeparator(files={"vocals": tmp_path / "gone.wav"})
        with pytest.raises(AudioInputError, match=r"'vocals' is not at .*gone\.wav"):
            separator.separate(song, tmp_path / "out")
        with pytest.raises(AudioInputError, match=r"gone\.wav"):
            separator.weights_used()

    def test_text(self, song, tmp_path):
        (tmp_path / "v.wav").write_text("la la la")
        with pytest.raises(AudioInputError):
            ProvidedSeparator(files={"vocals": tmp_path / "v.wav"}).separate(song, tmp_path / "out")

    def test_many_channels(self, noise, song, write_song, tmp_path):
        vocals = write_song(noise(FRAMES, channels=6), name="six.wav")
        with pytest.raises(AudioInputError, match="6 channels"):
            ProvidedSeparator(files={"vocals": vocals}).separate(song, tmp_path / "out")

    def test_not_a_number(self, parts, song, write_song, tmp_path):
        parts["vocals"][0, 5] = np.nan
        vocals = write_song(parts["vocals"], name="nan.wav")
        with pytest.raises(AudioInputError, match="NaN"):
            ProvidedSeparator(files={"vocals": vocals}).separate(song, tmp_path / "out")


def test_the_content_of_the_files_enters_the_key(files, parts, write_song):
    before = ProvidedSeparator(files=files)
    assert before.params() == {"stems": ["vocals", "drums", "other"]}
    hashes = before.weights_used()
    write_song(parts["drums"][:, ::-1], name="in-vocals.wav")
    assert ProvidedSeparator(files=files).weights_used() != hashes
