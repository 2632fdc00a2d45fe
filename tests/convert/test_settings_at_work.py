"""Index, formants, pitch correction: what each setting does to a whole conversion."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.audio.files import read
from covermaker.convert.convert import ConvertSettings, convert_vocal
from covermaker.convert.tuning import PitchCorrection
from covermaker.errors import ProjectError, WeightsError
from covermaker.voices.card import IndexPart
from covermaker.voices.index import build_index

RATE = 44_100


def tone(seconds=3.0):
    return 0.3 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * RATE)) / RATE)


def sing(vocal, voice, tmp_path, settings=None, **more):
    out = tmp_path / "out.wav"
    report = convert_vocal(
        vocal.path, out, **vocal.features, voice=voice, transpose="off", seed=7, settings=settings, **more
    )
    return read(out).samples[0], report


@pytest.fixture
def indexed(fake_voice, tmp_path):
    """A voice whose index holds one row only, all 3: what is drawn there is easy to see."""
    voice = fake_voice()
    digest = build_index(np.full((1, 8), 3.0, np.float16), tmp_path / "index.npz", seed=0)
    object.__setattr__(voice, "folder", tmp_path)
    object.__setattr__(voice, "card", voice.card.model_copy(update={"index": IndexPart(sha256=digest)}))
    return voice


def heard_content(voice, vocal, tmp_path, settings=None, **more):
    """Return the content that the network was given, by frame, and the report."""
    seen = {}
    render = voice.singer.render

    def listen(content, *args, first_frame, **rest):
        for number, row in enumerate(content):
            seen[first_frame + number] = row
        return render(content, *args, first_frame=first_frame, **rest)

    voice.singer.render = listen
    _, report = sing(vocal, voice, tmp_path, settings, **more)
    voice.singer.render = render
    return seen, report


def test_the_index_draws_the_content(make_vocal, indexed, tmp_path):
    vocal = make_vocal(tone(), RATE)
    plain, report = heard_content(indexed, vocal, tmp_path, ConvertSettings(index_ratio=0.0))
    assert report.index_ratio == 0.0
    drawn, report = heard_content(indexed, vocal, tmp_path)
    assert report.index_ratio == 0.3
    for frame in (0, 150, 299):
        np.testing.assert_allclose(drawn[frame], plain[frame] + 0.3 * (3.0 - plain[frame]), atol=5e-3)
    drawn, _ = heard_content(indexed, vocal, tmp_path, ConvertSettings(index_ratio=1.0, chunk_seconds=1.0))
    np.testing.assert_allclose(np.stack(list(drawn.values())), 3.0)


def test_protect_keeps_the_index_out_of_consonants(make_vocal, indexed, tmp_path):
    f0_hz = np.where(np.arange(301) < 150, 220.0, 0.0)
    vocal = make_vocal(tone(), RATE, f0_hz=f0_hz)
    plain, _ = heard_content(indexed, vocal, tmp_path, ConvertSettings(index_ratio=0.0))
    for protect, share in ((0.0, 0.0), (0.25, 0.5), (0.5, 1.0)):
        drawn, _ = heard_content(indexed, vocal, tmp_path, ConvertSettings(index_ratio=0.8, protect=protect))
        np.testing.assert_allclose(drawn[50], plain[50] + 0.8 * (3.0 - plain[50]), atol=5e-3)
        np.testing.assert_allclose(drawn[250], plain[250] + 0.8 * share * (3.0 - plain[250]), atol=5e-3)


def test_a_region_is_drawn_like_the_whole(make_vocal, indexed, tmp_path):
    vocal = make_vocal(tone(9.0), RATE)
    settings = ConvertSettings(index_ratio=0.5)
    whole, _ = heard_content(indexed, vocal, tmp_path, settings)
    region, _ = heard_content(indexed, vocal, tmp_path, settings, start_seconds=5.2, seconds=1.0)
    assert len(region) < 500
    for frame, row in region.items():
        np.testing.assert_array_equal(row, whole[frame])


def test_a_voice_without_an_index_says_so(make_vocal, fake_voice, tmp_path):
    vocal = make_vocal(tone(), RATE)
    _, report = sing(vocal, fake_voice(), tmp_path)
    assert (report.index_ratio, report.notes) == (0.0, ())
    _, report = sing(vocal, fake_voice(), tmp_path, ConvertSettings(index_ratio=0.5))
    assert report.index_ratio == 0.0
    assert report.notes == ("voice 'fake' has no index: index_ratio 0.5 has no effect",)


def test_an_index_that_is_gone_is_an_error(make_vocal, indexed, tmp_path):
    (tmp_path / "index.npz").unlink()
    vocal = make_vocal(tone(), RATE)
    with pytest.raises(WeightsError, match=r"index\.npz is missing"):
        sing(vocal, indexed, tmp_path)
    assert sing(vocal, indexed, tmp_path, ConvertSettings(index_ratio=0.0))[1].index_ratio == 0.0


def test_formants_reach_the_network(make_vocal, fake_voice, tmp_path):
    voice, asked = fake_voice(), []
    render = voice.singer.render

    def listen(*args, formant_ratio, **more):
        asked.append(formant_ratio)
        return render(*args, formant_ratio=formant_ratio, **more)

    voice.singer.render = listen
    vocal = make_vocal(tone(), RATE)
    sing(vocal, voice, tmp_path)
    sing(vocal, voice, tmp_path, ConvertSettings(formant_semitones=-12.0))
    assert asked == [1.0, 0.5]


def test_the_pitch_is_corrected_before_it_is_sung(make_vocal, fake_voice, tmp_path):
    """220 Hz and 40 cents, to A: the file holds harmonics of 220 Hz."""
    vocal = make_vocal(tone(), RATE, f0_hz=220.0 * 2 ** (40 / 1200))
    settings = ConvertSettings(protect=0.5, pitch_correction=PitchCorrection(strength=1.0, scale="A minor"))
    out, report = sing(vocal, fake_voice(), tmp_path, settings)
    assert report.corrected_cents == pytest.approx(40.0, abs=0.01)
    assert report.a4_hz == 440.0
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out)), 8 * len(out)))
    assert np.argmax(spectrum) * RATE / 8 / len(out) == pytest.approx(220.0, abs=0.1)


@pytest.mark.parametrize("seconds", [2.0, 5.0, 10.0])
def test_chunks_of_any_length_equal_the_whole_with_everything_on(make_vocal, indexed, tmp_path, seconds):
    length = 21.3
    frames = round(length * 100) + 1
    f0_hz = 220 * 2 ** (np.sin(np.arange(frames) / 31) / 6)
    f0_hz[400:440] = f0_hz[990:1020] = 0.0
    vocal = make_vocal(tone(length), RATE, f0_hz=f0_hz)
    more = {
        "index_ratio": 0.5,
        "protect": 0.1,
        "pitch_correction": PitchCorrection(strength=0.6, scale="C major"),
    }
    whole, report = sing(vocal, indexed, tmp_path, ConvertSettings(chunk_seconds=120.0, **more))
    assert report.chunks == 1
    part, report = sing(vocal, indexed, tmp_path, ConvertSettings(chunk_seconds=seconds, **more))
    assert report.chunks > 1
    difference = np.abs(part - whole)
    assert difference.max() < 1e-3
    assert 20 * np.log10(difference.std() / whole.std()) < -80


def test_silence_in_silence_out_with_everything_on(make_vocal, indexed, tmp_path):
    """No digital silence but a dither of half a step of 16 bits: the output stays below -80 dBFS."""
    dither = np.random.default_rng(0).uniform(-1, 1, 3 * RATE) * 0.5 / 32768
    vocal = make_vocal(dither, RATE, f0_hz=0.0)
    out, _ = sing(
        vocal, indexed, tmp_path, ConvertSettings(index_ratio=1.0, protect=0.0, formant_semitones=5.0)
    )
    assert 20 * np.log10(np.abs(out).max() + 1e-12) < -80


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"index_ratio": 1.5}, r"convert\.index_ratio must lie in 0\.\.1, not 1\.5"),
        ({"formant_semitones": 13.0}, r"convert\.formant_semitones must lie in -12\.\.12, not 13"),
        ({"formant_semitones": float("nan")}, "formant_semitones"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ProjectError, match=message):
        ConvertSettings(**settings)
