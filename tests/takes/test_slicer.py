"""No sung frame is lost or doubled, no clip is too long, cuts are where it is quiet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covermaker.takes.slicer import active_frames, frames_to_samples, levels, runs, slice_frames


def curve(plan, *, voice_db=-20.0, floor_db=-70.0, hz=200.0, wobble=0.0, seed=0):
    """Return level and pitch of a plan of (sung frames, silent frames)."""
    rng = np.random.default_rng(seed)
    level, f0 = [], []
    for sung, silent in plan:
        level += [np.full(sung, voice_db), np.full(silent, floor_db)]
        f0 += [np.full(sung, hz), np.zeros(silent)]
    level = np.concatenate(level) + wobble * rng.standard_normal(sum(map(sum, plan)))
    return level.astype(np.float32), np.concatenate(f0).astype(np.float32)


def assert_covered(level, f0, clips, max_frames):
    active = active_frames(level, f0)
    times = np.zeros(len(level), int)
    for start, end in clips:
        assert end - start <= max_frames
        times[start:end] += 1
    assert times.max(initial=0) <= 1
    assert (times[active] == 1).all()


@settings(max_examples=60, deadline=None)
@given(
    plan=st.lists(st.tuples(st.integers(1, 4000), st.integers(0, 600)), min_size=1, max_size=12),
    bounds=st.sampled_from([(5.0, 15.0), (1.0, 2.0), (3.0, 4.0), (14.0, 15.0)]),
    wobble=st.sampled_from([0.0, 3.0]),
    voice_db=st.sampled_from([-10.0, -50.0, -62.0]),
    seed=st.integers(0, 9),
)
def test_every_active_frame_is_in_exactly_one_clip(plan, bounds, wobble, voice_db, seed):
    level, f0 = curve(plan, voice_db=voice_db, wobble=wobble, seed=seed)
    clips = slice_frames(level, f0, min_seconds=bounds[0], max_seconds=bounds[1])
    assert_covered(level, f0, clips, bounds[1] * 100)
    assert clips == sorted(clips)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 5000))
def test_noise_as_curves_loses_nothing_either(seed, count):
    rng = np.random.default_rng(seed)
    level = rng.uniform(-100, 0, count).astype(np.float32)
    f0 = np.where(rng.random(count) < 0.5, rng.uniform(60, 900, count), 0.0).astype(np.float32)
    assert_covered(level, f0, slice_frames(level, f0), 1500)


def test_sung_frames_are_active_down_to_the_noise():
    level, f0 = curve([(300, 100), (300, 100)], floor_db=-60.0)
    f0[300:330], level[300:330] = 200.0, np.linspace(-20, -55, 30)
    assert active_frames(level, f0)[:330].all()


def test_pauses_are_where_phrases_are_parted():
    level, f0 = curve([(900, 50), (900, 50), (900, 50)])
    clips = slice_frames(level, f0)
    assert [(round(start, -1), round(end, -1)) for start, end in clips] == [
        (0, 910),
        (940, 1860),
        (1890, 2810),
    ]


def test_clips_keep_padding_but_not_silence():
    level, f0 = curve([(1, 500), (800, 500)])
    f0[0], level[0] = 0.0, -70.0
    (clip,) = slice_frames(level, f0)
    assert clip == (501 - 10, 1301 + 10)


def test_a_long_note_is_cut_at_its_quietest_moment():
    level, f0 = curve([(2500, 100)])
    level[1188:1193] -= 12.0
    cut = slice_frames(level, f0)
    assert len(cut) == 2
    assert 1188 <= cut[0][1] == cut[1][0] <= 1193


def test_an_unvoiced_moment_is_rather_cut_than_a_vowel():
    level, f0 = curve([(2500, 100)])
    level[900:905] -= 6.0
    f0[1300:1310], level[1300:1310] = 0.0, -26.0
    cut = slice_frames(level, f0)
    assert 1300 <= cut[0][1] <= 1310


def test_short_phrases_are_put_together_but_long_pauses_part_them():
    level, f0 = curve([(200, 60)] * 5 + [(200, 400), (250, 100)])
    clips = slice_frames(level, f0)
    lengths = [(end - start) / 100 for start, end in clips]
    assert lengths[-1] == pytest.approx(2.5, abs=0.25)
    assert all(5.0 <= length <= 15.0 for length in lengths[:-1])


def test_breaths_stay_and_distant_noises_go():
    level, f0 = curve([(1, 400), (500, 1000), (500, 100)])
    f0[0], level[0] = 0.0, -70.0
    level[350:380] = -52.0  # a breath before the first phrase: unvoiced, far under the voice
    level[1400:1420] = -30.0  # a chair, five seconds after it
    active = active_frames(level, f0)
    assert active[350:380].all()
    assert not active[1400:1420].any()
    assert slice_frames(level, f0)[0][0] <= 350


def test_silence_and_noise_without_a_voice_give_nothing():
    level, f0 = curve([(1, 1000)], voice_db=-70.0, hz=0.0, wobble=1.0)
    assert slice_frames(level, f0) == []


def test_the_noise_floor_is_read_between_the_phrases():
    rng = np.random.default_rng(0)
    level, f0 = curve([(300, 200), (300, 200)], voice_db=-20.0, floor_db=-60.0)
    level += rng.normal(0, 0.7, len(level)).astype(np.float32)
    found = levels(level, f0)
    assert found.noise_floor_db == pytest.approx(-60.0, abs=0.5)
    assert found.snr_db == pytest.approx(40.0, abs=0.6)
    assert levels(*curve([(500, 0)])).noise_floor_db is None


def test_frames_become_samples_without_overlap():
    for rate in (8000, 11025, 44100, 48000):
        samples = 10 * rate + 7
        total = samples * 100 // rate + 1
        found = frames_to_samples([(0, 250), (250, 600), (600, total)], total, rate, samples)
        assert found[0][0] == 0
        assert found[-1][1] == samples
        assert found[0][1] == found[1][0]
        assert found[1][1] == found[2][0]
        assert abs(found[0][1] - 2.495 * rate) <= 1


def test_runs():
    assert runs(np.array([1, 1, 0, 1], bool)) == [(0, 2), (3, 4)]
    assert runs(np.zeros(0, bool)) == []
