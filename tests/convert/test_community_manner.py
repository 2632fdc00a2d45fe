"""What happens around an imported voice's network: retrieval, protection and levels as in the original programs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from parity_weights import vectors

from covermaker.audio.files import read
from covermaker.convert.auto_pitch import LONGEST_SECONDS, SHORTEST_SECONDS, phrases
from covermaker.convert.consonants import PROTECT_OFF
from covermaker.convert.convert import ConvertSettings, convert_vocal
from covermaker.convert.manners import OWN, RVC, RVC_WITHOUT_PITCH, SOVITS, makes_up_pitch, manner_of
from covermaker.convert.rms_mix import RmsMix, rms_frames
from covermaker.convert.singing import Grid
from covermaker.convert.told import Source, always_drawn, frames_drawn
from covermaker.convert.volume import hop_levels
from covermaker.errors import ProjectError
from covermaker.voices.card import IndexPart, NetworkPart
from covermaker.voices.index_centres import write_centres
from covermaker.voices.index_ivf import write_ivf
from covermaker.voices.networks.base import SungPitch
from covermaker.voices.networks.vits_clock import OwnFrames
from covermaker.voices.networks.vits_units import frame_levels
from covermaker.voices.retrieval import open_index

RATE = 44_100


class Held:
    content_held = True


@pytest.fixture
def imported(fake_voice, tmp_path):
    """Make a fake singer's voice one of a family: imported("rvc", ivf=rows, centres=rows, card fields …)."""

    def make(family="rvc", *, config=None, ivf=None, centres=None, **changes):
        voice = fake_voice(40_000 if family == "rvc" else RATE)
        changes["network"] = NetworkPart(kind="vits", config={"family": family, **(config or {})})
        if ivf is not None or centres is not None:
            path = tmp_path / "index.npz"
            if ivf is not None:
                digest = write_ivf(path, ivf, ivf.mean(axis=0, keepdims=True), np.zeros(len(ivf), int), 1)
            else:
                digest = write_centres(path, centres)
            changes["index"] = IndexPart(sha256=digest)
            object.__setattr__(voice, "folder", tmp_path)
        object.__setattr__(voice, "card", voice.card.model_copy(update=changes))
        voice.singer.content_held = True
        return voice

    return make


def sing(vocal, voice, tmp_path, *, name="out.wav", transpose="off", settings=None, **more):
    out = tmp_path / name
    report = convert_vocal(
        vocal.path, out, **vocal.features, voice=voice, transpose=transpose, seed=7, settings=settings, **more
    )
    return read(out).samples[0], report


def tone(seconds, rate=RATE, level=0.3):
    return level * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)


# Content


def test_protected_frames_are_those_of_rvc(tmp_path):
    stored = vectors("misc")
    rows = stored["index_vectors"]
    write_ivf(tmp_path / "i.npz", rows, rows.mean(axis=0, keepdims=True), np.zeros(300, int), 1)
    frames = int(stored["protect_p_len"])
    source = Source(
        stored["queries"], stored["protect_f0"][:frames], open_index(tmp_path / "i.npz"), 0.75, 0.33
    )
    content = frames_drawn(source, None, Held())
    np.testing.assert_allclose(content(0, frames), stored["protect_feats"], atol=1e-5)
    for cuts in ([0, 1, 2, 33, 80], [0, 7, 80]):
        parts = [content(begin, end) for begin, end in pairwise(cuts)]
        np.testing.assert_array_equal(np.concatenate(parts), content(0, frames))
    unprotected = always_drawn(source, None, Held())
    drawn = np.repeat(stored["retr_rate75"], 2, axis=0)
    np.testing.assert_allclose(unprotected(0, frames), drawn, atol=1e-5)
    off = frames_drawn(replace(source, protect=PROTECT_OFF), None, Held())
    np.testing.assert_array_equal(off(0, frames), unprotected(0, frames))


def test_frames_past_the_last_row_hold_it():
    rows = np.arange(6, dtype=np.float16).reshape(3, 2)
    content = frames_drawn(Source(rows, np.zeros(8), None, 0.0, 0.33), None, Held())
    assert content(0, 8)[:, 0].tolist() == [0, 0, 2, 2, 4, 4, 4, 4]
    assert content(5, 8)[:, 0].tolist() == [4, 4, 4]


def heard(voice, vocal, tmp_path, settings=None, **more):
    """Return the content that the network was given, by frame, and the report."""
    seen, render = {}, voice.singer.render

    def listen(content, *args, first_frame, **rest):
        seen.update(enumerate(content, first_frame))
        return render(content, *args, first_frame=first_frame, **rest)

    voice.singer.render = listen
    _, report = sing(vocal, voice, tmp_path, settings=settings, **more)
    voice.singer.render = render
    return seen, report


@pytest.mark.parametrize(
    ("kind", "asked", "used"),
    [
        ("ivf", None, 0.75),
        ("ivf", 0.2, 0.2),
        ("ivf", 0.0, 0.0),
        ("centres", None, 0.0),
        ("centres", 0.6, 0.6),
    ],
)
def test_an_index_is_used_as_far_as_its_program_uses_it(make_vocal, imported, tmp_path, kind, asked, used):
    vocal = make_vocal(tone(1.0), RATE)
    voice = imported(**{kind: np.full((9, 8), 3.0, np.float32)})
    seen, report = heard(voice, vocal, tmp_path, ConvertSettings(index_ratio=asked))
    assert report.index_ratio == used
    plain = vocal.features["content"].astype(np.float32)
    for frame in (0, 1, 50, 99):
        row = plain[frame // 2]
        np.testing.assert_allclose(seen[frame], used * 3.0 + (1 - used) * row, atol=1e-5)


def test_protection_is_rvcs_and_none_of_so_vits_svc(make_vocal, imported, tmp_path):
    f0_hz = np.where(np.arange(101) % 50 < 25, 220.0, 0.0)
    vocal = make_vocal(tone(1.0), RATE, f0_hz=f0_hz)
    rows, settings = np.full((9, 8), 3.0, np.float32), ConvertSettings(index_ratio=1.0, protect=0.2)
    plain = vocal.features["content"].astype(np.float32)
    for family, share in (("rvc", 0.2), ("sovits", 1.0)):
        seen, _ = heard(imported(family, ivf=rows), vocal, tmp_path, settings)
        for frame in (24, 25, 26, 49, 50):
            wanted = 1.0 if f0_hz[frame] else share
            expected = wanted * 3.0 + (1 - wanted) * plain[frame // 2]
            np.testing.assert_allclose(seen[frame], expected, atol=1e-5)


def test_the_singer_that_is_heard_most_has_their_own_centres(make_vocal, imported, tmp_path):
    vocal = make_vocal(tone(1.0), RATE)
    centres = [np.full((4, 8), 1.0, np.float32), np.full((4, 8), 2.0, np.float32)]
    voice = imported("sovits", centres=centres, singers=["anna", "ben"])
    for singers, expected in (({}, 1.0), ({"ben": 1.0}, 2.0), ({"anna": 0.4, "ben": 0.6}, 2.0)):
        settings = ConvertSettings(index_ratio=1.0, singers=singers)
        seen, _ = heard(voice, vocal, tmp_path, settings)
        assert {float(value) for row in seen.values() for value in row} == {expected}


# Levels


def parts_of(sound, size):
    return (sound[np.newaxis, at : at + size] for at in range(0, len(sound), size))


@pytest.mark.parametrize("size", [1 << 20, 999, 64])
def test_the_loudness_mix_is_rvcs(size):
    stored = vectors("levels")
    source, output = (
        stored[f"rms_in{number}_i16"].astype(np.float32) / np.float32(32768) for number in (1, 2)
    )
    levels = [
        rms_frames(parts_of(sound, size), int(stored[f"rms_sr{number}"]))
        for number, sound in ((1, source), (2, output))
    ]
    np.testing.assert_allclose(levels[0], stored["rms_src_frames"], atol=1e-6)
    np.testing.assert_allclose(levels[1], stored["rms_out_frames"], atol=1e-6)
    for mix, key, step in ((0.25, "rms_mix_025", 1), (0.0, "rms_mix_0_every16", 16)):
        gain = RmsMix(*levels, len(output), loudness_mix=mix)
        mixed = [
            part[0] * gain.at(at * size, part.shape[1]) for at, part in enumerate(parts_of(output, size))
        ]
        np.testing.assert_allclose(np.concatenate(mixed)[::step], stored[key], atol=1e-5)


def test_a_stretch_is_measured_as_in_the_whole():
    sound = np.random.default_rng(0).normal(0, 0.1, 7 * 1001 + 13).astype(np.float32)
    whole = rms_frames(parts_of(sound, 500), 1001)
    for start, stop in ((0, 3003), (2002, 5005), (4004, len(sound))):
        part = rms_frames(parts_of(sound[start:stop], 77), 1001, start=start, samples=len(sound))
        assert part.shape == whole.shape
        inside = slice(-(-start // 500) + 1 if start else 0, stop // 500 if stop < len(sound) else None)
        np.testing.assert_allclose(part[inside], whole[inside], rtol=1e-12)


def test_by_default_the_voice_keeps_its_level(make_vocal, imported, tmp_path):
    """Nothing of the source is heard, neither its level nor its consonants: what the network sang comes out."""
    source = tone(2.0)
    source[RATE:] *= 0.01
    f0_hz = np.where(np.arange(201) < 120, 220.0, 0.0)
    vocal = make_vocal(source, RATE, f0_hz=f0_hz)
    voice = imported("sovits")
    out, report = sing(vocal, voice, tmp_path, settings=ConvertSettings(protect=0.0))
    singer, pitch = voice.singer, voice.singer.pitch(f0_hz)
    content = np.repeat(vocal.features["content"], 2, axis=0)[:201].astype(np.float32)
    alone = singer.render(content, pitch, vocal.features["loudness_db"], first_frame=0, seed=7)
    np.testing.assert_allclose(out, alone[: len(out)], atol=1e-6)
    assert (report.gain_db_low, report.gain_db_high) == (0.0, 0.0)


def level_db(sound):
    return 10 * np.log10(np.mean(np.square(sound, dtype=np.float64)))


def test_the_mix_follows_the_source_over_seconds(make_vocal, imported, tmp_path):
    """A source that is 20 dB softer in its second half; the fake singer sings as loud as it is told."""
    source = tone(12.0)
    source[6 * RATE :] *= 0.1
    vocal = make_vocal(source, RATE)
    vocal.features["loudness_db"][:] = -20.0
    voice = imported()
    steps = {}
    for mix in (0.0, 0.5, 1.0):
        out, report = sing(vocal, voice, tmp_path, settings=ConvertSettings(loudness_mix=mix))
        steps[mix] = level_db(out[2 * RATE : 4 * RATE]) - level_db(out[8 * RATE : 10 * RATE])
        if mix == 0.0:
            assert level_db(out[2 * RATE : 4 * RATE]) == pytest.approx(
                level_db(source[2 * RATE : 4 * RATE]), abs=0.2
            )
            assert report.gain_db_high - report.gain_db_low == pytest.approx(20.0, abs=0.5)
    assert [steps[mix] for mix in (0.0, 0.5, 1.0)] == pytest.approx([20.0, 10.0, 0.0], abs=0.2)


@pytest.mark.parametrize("mix", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("rate", [RATE, 22_051])
def test_a_region_is_the_same_stretch_of_the_whole(make_vocal, imported, tmp_path, mix, rate):
    time = np.arange(20 * rate) / rate
    vocal = make_vocal(tone(20.0, rate) * (0.5 + 0.4 * np.sin(time)), rate)
    settings = ConvertSettings(loudness_mix=mix)
    whole, _ = sing(vocal, imported(), tmp_path, settings=settings)
    for start, seconds in ((0.0, 2.0), (13.3, 3.1), (14.75, 0.5), (17.2, 2.8)):
        region, _ = sing(
            vocal, imported(), tmp_path, settings=settings, start_seconds=start, seconds=seconds, name="r.wav"
        )
        first = round(start * rate)
        np.testing.assert_allclose(region, whole[first : first + len(region)], atol=2e-4)
        assert len(region) == round(seconds * rate)


@pytest.mark.parametrize("mix", [0.0, 1.0])
def test_silences_stay_silent(make_vocal, imported, tmp_path, mix):
    source = tone(4.0)
    source[RATE : 2 * RATE] = 0.0
    settings = ConvertSettings(loudness_mix=mix)
    out, _ = sing(make_vocal(source, RATE), imported(), tmp_path, settings=settings)
    fade = round(0.021 * RATE)
    np.testing.assert_array_equal(out[RATE + fade : 2 * RATE - fade], 0.0)
    assert np.isfinite(out).all()
    assert out[:RATE].std() > 0.01
    out, _ = sing(make_vocal(np.zeros(RATE), RATE, f0_hz=0.0), imported(), tmp_path, settings=settings)
    np.testing.assert_array_equal(out, 0.0)
    assert len(out) == RATE


@pytest.mark.parametrize("size", [1 << 20, 700, 100])
def test_volume_is_that_of_so_vits_svc(size):
    stored = vectors("levels")
    sound = stored["volume_in_i16"].astype(np.float32) / np.float32(32768)
    found = hop_levels(parts_of(sound, size), int(stored["volume_hop"]))
    np.testing.assert_allclose(found, stored["volume_sovits"], atol=1e-5)
    assert hop_levels(parts_of(sound[:200], 50), 512).shape == (0,)


class Hears:
    """A network that keeps the level it is told of each of its own frames."""

    sample_rate, hop_samples, content_dim, content_held, context_frames = RATE, 441, 8, True, 5

    def __init__(self):
        self.told = {}

    def pitch(self, f0_hz):
        return SungPitch(np.asarray(f0_hz, float), np.asarray(f0_hz) > 0, np.zeros(len(f0_hz)))

    def render(self, content, pitch, loudness_db, *, first_frame, keep, **more):
        own = OwnFrames(first_frame, len(pitch), 441, 512)
        told = dict(zip(range(own.first, own.stop), own.held(10 ** (loudness_db / 20)), strict=True))
        self.told = told | self.told  # the first frame of a context may begin before it
        return np.zeros((keep.stop - keep.start) * 441, np.float32)


def test_a_voice_that_hears_volume_is_told_that_of_its_own_hops(make_vocal, imported, tmp_path):
    """What the original measures over 512 samples, to the last digit, whatever is sung at a time."""
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.1, 20 * RATE) * np.clip(np.sin(np.arange(20 * RATE) / 2000) * 8, 0.0, 1.0)
    vocal = make_vocal(sound, RATE)
    sizes = {"sample_rate": RATE, "hop_samples": 512, "upsample_rates": [8, 8, 8], "units": "nearest"}
    voice = imported("sovits", config={"volume": True, "upsample_kernels": [16, 16, 16], **sizes})
    object.__setattr__(voice, "singer", Hears())
    sing(vocal, voice, tmp_path)
    wanted = frame_levels(sound.astype(np.float32), 512)
    told = np.array([voice.singer.told[number] for number in range(len(wanted))])
    np.testing.assert_allclose(told, np.maximum(wanted, 1e-5), rtol=1e-5)


# What has no effect, and what is told


def test_what_a_voice_has_no_ear_for_is_said(make_vocal, imported, fake_voice, tmp_path):
    vocal = make_vocal(tone(1.0), RATE)
    settings = ConvertSettings(formant_semitones=3.0, noise_scale=0.5)
    plain, report = sing(vocal, imported(), tmp_path, settings=replace(settings, formant_semitones=0.0))
    assert report.notes == ()
    moved, report = sing(vocal, imported(), tmp_path, settings=settings)
    np.testing.assert_array_equal(moved, plain)
    assert report.notes == (
        "convert.formant_semitones = 3 has no effect: the voice 'fake' has its resonances in the network",
    )
    _, report = sing(vocal, fake_voice(), tmp_path, settings=settings)
    assert report.notes == (
        "convert.noise_scale = 0.5 has no effect: the voice 'fake' has no latent to draw from",
    )


def test_the_noise_scale_reaches_the_network(make_vocal, imported, tmp_path):
    voice, asked = imported(), []
    render = voice.singer.render

    def listen(*args, noise_scale, formant_ratio, **more):
        asked.append((noise_scale, formant_ratio))
        return render(*args, noise_scale=noise_scale, formant_ratio=formant_ratio, **more)

    voice.singer.render = listen
    vocal = make_vocal(tone(1.0), RATE)
    sing(vocal, voice, tmp_path)
    sing(vocal, voice, tmp_path, settings=ConvertSettings(noise_scale=0.2, formant_semitones=5.0))
    assert asked == [(None, 1.0), (0.2, 1.0)]


@pytest.mark.parametrize("scale", [-0.1, 2.1, float("nan")])
def test_a_noise_scale_out_of_range(scale):
    with pytest.raises(ProjectError, match=r"convert\.noise_scale must lie in 0\.\.2"):
        ConvertSettings(noise_scale=scale)


@pytest.mark.parametrize("transpose", ["auto", "fit", "off", 5])
def test_an_assumed_range_is_told_where_it_decides(make_vocal, imported, tmp_path, transpose):
    vocal = make_vocal(tone(1.0), RATE, f0_hz=110.0)
    for training, assumed in (({"f0_range": "assumed"}, True), ({}, False)):
        _, report = sing(vocal, imported(training=training), tmp_path, transpose=transpose)
        said = report.why.endswith("; the voice's range is assumed, it came without")
        assert said == (assumed and transpose == "fit")
        assert ("came without its range: nothing moves" in report.why) == (assumed and transpose == "auto")
        if transpose == "auto" and assumed:
            assert report.semitones == 0


@pytest.mark.parametrize("family", ["rvc", "sovits", None])
def test_only_a_voice_that_was_trained_to_makes_up_a_melody(
    make_vocal, imported, fake_voice, tmp_path, family
):
    voice = fake_voice() if family is None else imported(family)
    assert not makes_up_pitch(voice.card)
    with pytest.raises(ProjectError, match=r"convert\.auto_pitch = true: the voice cannot make up a melody"):
        sing(make_vocal(tone(1.0), RATE), voice, tmp_path, settings=ConvertSettings(auto_pitch=True))
    assert not list(tmp_path.glob("out*"))


def test_every_kind_of_network_has_its_manner(imported, fake_voice):
    assert manner_of(fake_voice().card) is OWN
    assert manner_of(imported("rvc").card) is RVC
    assert manner_of(imported("sovits").card) is SOVITS
    # RVC protects by pitch: nothing, in a voice that has none.
    assert manner_of(imported("rvc", config={"pitched": False}).card) is RVC_WITHOUT_PITCH


# Where a song is cut


@pytest.mark.parametrize(
    ("first", "last"), [(0, 1000), (0, 10), (95, 105), (100, 900), (93, 1000), (101, 193), (890, 1000)]
)
def test_a_region_is_cut_where_the_song_is(first, last):
    if last <= first:
        return
    grid = Grid(frames=100, join_frames=8, context_frames=30)
    song = {(begin, end) for _, begin, end in grid.pieces(1000, 0, 1000)}
    pieces = list(grid.pieces(1000, first, last))
    assert {(begin, end) for _, begin, end in pieces} <= song
    assert pieces[0][0].start == 0
    assert pieces[0][0].fade_in == 0
    assert pieces[-1][0].stop == last - first
    assert [chunk.last for chunk, _, _ in pieces] == [False] * (len(pieces) - 1) + [True]
    for (one, _, _), (other, begin, end) in pairwise(pieces):
        assert one.stop - other.start == other.fade_in == 8
        assert begin <= first + other.start < first + other.stop <= end
    assert all(chunk.length > 0 for chunk, _, _ in pieces)


# Phrases of speech


def test_speech_is_cut_in_its_longest_pauses():
    voiced = np.ones(6000, dtype=bool)
    for start, stop in ((700, 730), (1200, 1290), (1300, 1320), (2500, 2510), (3900, 3950)):
        voiced[start:stop] = False
    found = phrases(voiced)
    assert found[0] == (0, 1245)
    assert [begin for begin, _ in found[1:]] == [end for _, end in found[:-1]]
    assert found[-1][1] == 6000
    lengths = [end - begin for begin, end in found]
    assert max(lengths) <= 100 * LONGEST_SECONDS
    assert min(lengths[:-1]) >= 100 * SHORTEST_SECONDS


def test_speech_without_a_pause_is_cut_at_the_longest():
    assert phrases(np.ones(4500, dtype=bool)) == [(0, 2000), (2000, 4000), (4000, 4500)]
    assert phrases(np.zeros(0, dtype=bool)) == []
    assert phrases(np.zeros(1, dtype=bool)) == [(0, 1)]
