"""`protect`: what nobody sings comes from the source, whole; what is sung is not touched."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise

import numpy as np
import pytest

from covermaker.audio.files import read, wav_writer
from covermaker.convert.consonants import ConsonantBlend
from covermaker.convert.convert import ConvertSettings, convert_vocal
from covermaker.features.clock import frame_count
from covermaker.features.loudness import frame_loudness_db

RATE = 44_100


def blend(output, source, f0_hz, *, protect, level_db=0.0, source_db=-20.0, rate=RATE, size=10_000):
    frames = len(f0_hz)
    tool = ConsonantBlend(
        f0_hz, np.full(frames, source_db), np.full(frames, level_db), protect=protect, sample_rate=rate
    )
    parts = [tool.push(output[s : s + size], source[s : s + size]) for s in range(0, len(output), size)]
    return np.concatenate([*parts, tool.finish()])


def noises(count=RATE, seed=0):
    return np.random.default_rng(seed).standard_normal((2, count)).astype(np.float32)


def band(signal, low, high, rate=RATE):
    spectrum = np.fft.rfft(signal)
    hz = np.fft.rfftfreq(len(signal), 1 / rate)
    return np.fft.irfft(np.where((hz >= low) & (hz < high), spectrum, 0), len(signal))


def level_db(signal):
    return 10 * np.log10(np.mean(np.square(signal, dtype=float)))


def test_all_of_a_breath_comes_from_the_source():
    output, source = noises()
    mixed = blend(output, source, np.zeros(101), protect=0.0)
    assert len(mixed) == RATE
    assert level_db(band(mixed - source, 450, 1_800)) < level_db(band(source, 450, 1_800)) - 40
    assert level_db(band(mixed - source, 2_300, 22_000)) < level_db(band(source, 2_300, 22_000)) - 40
    # What lies below the band is the voice's own: no thumps of the source.
    assert level_db(band(mixed - output, 0, 60)) < level_db(band(output, 0, 60)) - 40


def test_half_a_breath_keeps_the_power():
    output, source = noises(5 * RATE)
    mixed = blend(output, source, np.zeros(501), protect=0.25)
    for low, high in ((500, 1_700), (2_500, 20_000)):
        assert level_db(band(mixed, low, high)) == pytest.approx(level_db(band(output, low, high)), abs=0.3)
        assert np.corrcoef(band(mixed, low, high), band(source, low, high))[0, 1] == pytest.approx(
            0.7, abs=0.03
        )


def test_the_source_is_brought_to_the_voices_level():
    output, source = noises()
    mixed = blend(output, source, np.zeros(101), protect=0.0, level_db=-6.0)
    assert level_db(band(mixed, 2_500, 20_000)) == pytest.approx(
        level_db(band(source, 2_500, 20_000)) - 6, abs=0.1
    )


def test_what_is_sung_is_untouched_to_the_bit():
    """Notes of 100 ms, consonants of 60 ms between them."""
    output, source = noises()
    f0_hz = np.where(np.arange(101) % 16 < 10, 200.0, 0.0)
    mixed = blend(output, source, f0_hz, protect=0.0)
    centres = np.arange(RATE) * 100 / RATE
    before, after = np.floor(centres).astype(int), np.minimum(np.ceil(centres).astype(int), 100)
    sung = (f0_hz[before] > 0) & (f0_hz[after] > 0)
    np.testing.assert_array_equal(mixed[sung], output[sung])
    assert np.abs(mixed - output)[~sung].max() > 0.1


def test_the_singer_of_the_source_stays_out_of_the_edges():
    """Source: a 300 Hz tone that rings on for 20 ms in the consonant. Next to nothing of it is heard."""
    count = RATE
    t = np.arange(count) / RATE
    f0_hz = np.where((np.arange(101) >= 40) & (np.arange(101) < 60), 0.0, 300.0)
    tone = np.sin(2 * np.pi * 300 * t) * np.clip((0.42 - t) / 0.02, 0, 1)
    mixed = blend(np.zeros(count, np.float32), tone.astype(np.float32), f0_hz, protect=0.0)
    assert np.abs(mixed).max() < 0.02


def test_switching_does_not_click():
    """Two steady tones above the crossover, one per signal: the output bends nowhere faster than they do."""
    t = np.arange(RATE) / RATE
    output = np.sin(2 * np.pi * 3_000 * t).astype(np.float32)
    source = np.sin(2 * np.pi * 3_100 * t).astype(np.float32)
    f0_hz = np.where(np.arange(101) % 20 < 10, 0.0, 200.0)
    mixed = blend(output, source, f0_hz, protect=0.0)
    highest = np.abs(np.diff(mixed.astype(float), 2)).max()
    assert highest < 1.45 * np.abs(np.diff(source.astype(float), 2)).max()  # sqrt(2): both in phase half way


def test_off_and_quiet_frames_take_nothing():
    output, source = noises()
    np.testing.assert_array_equal(blend(output, source, np.zeros(101), protect=0.5), output)
    np.testing.assert_array_equal(blend(output, source, np.zeros(101), protect=0.0, source_db=-70.0), output)


@pytest.mark.parametrize("count", [0, 1, 5, 352, 353, 354, 20_011])
@pytest.mark.parametrize("rate", [8_000, 44_101])
def test_blocks_equal_the_whole_at_exact_length(count, rate):
    output, source = noises(count, seed=2)
    f0_hz = np.where(np.arange(frame_count(count, rate)) % 20 < 10, 0.0, 200.0)
    whole = blend(output, source, f0_hz, protect=0.1, rate=rate, size=100_000)
    assert len(whole) == count
    for size in (64, 997):
        np.testing.assert_allclose(
            blend(output, source, f0_hz, protect=0.1, rate=rate, size=size), whole, atol=1e-5
        )


def spectra(signal):
    """Return band levels in dB, (frames, 24), on the feature clock."""
    padded = np.pad(signal, (512, 1024))
    count = frame_count(len(signal), RATE)
    pieces = np.stack([padded[i * 441 : i * 441 + 1024] for i in range(count)]) * np.hanning(1024)
    power = np.abs(np.fft.rfft(pieces)) ** 2
    hz = np.fft.rfftfreq(1024, 1 / RATE)
    edges = np.geomspace(400, 16_000, 25)
    bands = [power[:, (hz >= low) & (hz < high)].mean(axis=1) for low, high in pairwise(edges)]
    return 10 * np.log10(np.stack(bands, axis=1) + 1e-9)


def likeness(converted, source, frames):
    """Return the mean correlation of the spectra, and of the samples, over frames."""
    ours, theirs = spectra(converted), spectra(source)
    spectral = np.mean([np.corrcoef(ours[i], theirs[i])[0, 1] for i in frames])
    near = [slice(i * 441 - 300, i * 441 + 300) for i in frames]
    return spectral, np.mean([np.corrcoef(converted[part], source[part])[0, 1] for part in near])


def test_breaths_and_s_between_notes(make_vocal, fake_voice, tmp_path):
    """Notes with an s (above 5 kHz) and a breath (around 1.2 kHz) between them, sung by a network with white hiss."""
    generator = np.random.default_rng(4)
    t = np.arange(6 * RATE) / RATE
    beat = (t % 1.0 < 0.6).astype(float)
    f0_hz = np.where(np.arange(frame_count(len(t), RATE)) % 100 < 60, 220.0, 0.0)
    hiss = band(generator.standard_normal(len(t)), 5_000, 12_000) * 0.1
    breath = band(generator.standard_normal(len(t)), 700, 1_800) * 0.1
    source = 0.3 * np.sin(2 * np.pi * 220 * t) * beat + np.where(t % 2.0 < 1.0, hiss, breath) * (1 - beat)
    vocal = make_vocal(source, RATE, f0_hz=f0_hz)
    sung = {}
    for protect in (0.0, 0.5):
        out = tmp_path / f"{protect}.wav"
        settings = ConvertSettings(protect=protect)
        convert_vocal(
            vocal.path, out, **vocal.features, voice=fake_voice(), transpose="off", seed=7, settings=settings
        )
        sung[protect] = read(out).samples[0]
    inside = [i for i in range(10, 590) if 67 <= i % 100 < 94]
    spectral, waves = likeness(sung[0.0], vocal.samples[0], inside)
    assert spectral > 0.98
    assert waves > 0.95
    spectral, waves = likeness(sung[0.5], vocal.samples[0], inside)
    assert spectral < 0.6
    assert abs(waves) < 0.1
    notes = (t % 1.0 > 0.02) & (t % 1.0 < 0.57)
    np.testing.assert_array_equal(sung[0.0][notes], sung[0.5][notes])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("flite") is None, reason="flite speaks the sentence")
def test_real_fricatives(tmp_path):
    """A spoken sentence full of s, sh and f through the shipped voice."""
    from covermaker.audio.resample import resample
    from covermaker.features.content import extract_content
    from covermaker.features.pitch.estimate import estimate_pitch
    from covermaker.voices.library import SHIPPED
    from covermaker.voices.voice import Voice

    spoken, vocal = tmp_path / "spoken.wav", tmp_path / "vocal.wav"
    text = "She sells sea shells by the sea shore. Hush, the stars are shining softly."
    subprocess.run(["flite", "-voice", "rms", "-t", text, spoken], check=True)
    source = resample(read(spoken), RATE).samples
    with wav_writer(vocal, sample_rate=RATE, channels=1) as writer:
        writer.write(source)
    features = {
        "content": extract_content(vocal),
        "f0_hz": estimate_pitch(vocal, method="fcpe"),
        "loudness_db": frame_loudness_db(vocal),
    }
    unvoiced = (features["f0_hz"] <= 0) & (features["loudness_db"] > -45)
    inside = [i for i in range(10, len(unvoiced) - 10) if unvoiced[i - 3 : i + 4].all()]
    assert len(inside) > 20
    found = {}
    for protect in (0.0, 0.5):
        out = tmp_path / "out.wav"
        convert_vocal(
            vocal,
            out,
            **features,
            voice=Voice.open(SHIPPED / "demo"),
            seed=1,
            settings=ConvertSettings(protect=protect),
        )
        found[protect] = likeness(read(out).samples[0], source[0], inside)
    assert found[0.0][0] > 0.95
    assert found[0.0][1] > 0.9
    assert abs(found[0.5][1]) < 0.1
