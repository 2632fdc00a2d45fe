"""Several singers in one file: who is heard when, how borders sound, exact length, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.audio.files import BLOCK_FRAMES, probe, read, wav_writer
from covermaker.convert.parts import Part, join_parts
from covermaker.errors import ProjectError

RATE = 44_100


@pytest.fixture
def voices(tmp_path):
    """Write files: voices(a=samples, …) -> paths; samples (n,) or (channels, n)."""

    def write(rate=RATE, **samples):
        paths = {}
        for name, values in samples.items():
            values = np.atleast_2d(np.asarray(values, dtype=np.float32))
            paths[name] = tmp_path / f"{name}.wav"
            with wav_writer(paths[name], sample_rate=rate, channels=len(values)) as writer:
                writer.write(values)
        return paths

    return write


@pytest.fixture
def joined(tmp_path):
    def join(paths, parts, **more):
        join_parts(paths, parts, tmp_path / "out.wav", **{"default": None, **more})
        return read(tmp_path / "out.wav").samples

    return join


def levels(count=5 * RATE, **values):
    return {name: np.full(count, value) for name, value in values.items()}


def test_everyone_is_heard_in_their_stretch(voices, joined):
    paths = voices(**levels(a=0.1, b=0.2, c=0.4))
    out = joined(paths, [Part(3.0, 4.0, None), Part(1.0, 2.0, "b"), Part(4.0, 99.0, "c")], default="a")[0]
    assert out.shape == (5 * RATE,)
    for start, stop, value in ((0, 1, 0.1), (1, 2, 0.2), (2, 3, 0.1), (3, 4, 0.0), (4, 5, 0.4)):
        inside = out[
            round((start + 0.02) * RATE) if start else 0 : round((stop - 0.02) * RATE) if stop < 5 else None
        ]
        np.testing.assert_allclose(inside, value, atol=1e-7)


def test_a_linear_border_between_equals_leaves_no_trace(voices, joined):
    sound = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    out = joined(voices(a=sound, b=sound), [Part(1.0, 2.0, "b")], default="a", curve="linear")[0]
    np.testing.assert_allclose(out, sound, atol=1e-6)


def test_an_equal_power_border_between_unlike_voices_keeps_the_level(voices, joined):
    generator = np.random.default_rng(1)
    a, b = generator.standard_normal((2, 40 * RATE)).astype(np.float32)
    borders = np.arange(1, 39, 2)
    parts = [Part(float(at), float(at) + 1, "b") for at in borders]
    out = joined(voices(a=a, b=b), parts, default="a", crossfade_seconds=0.2)[0]
    middle = np.concatenate([out[round((at - 0.05) * RATE) : round((at + 0.05) * RATE)] for at in borders])
    assert 20 * np.log10(middle.std()) == pytest.approx(0.0, abs=0.1)


def test_borders_have_no_step(voices, joined):
    out = joined(voices(**levels(a=0.5, b=-0.5)), [Part(1.0, 2.0, "b"), Part(2.0, 3.0, None)], default="a")[0]
    assert np.abs(np.diff(out)).max() < 2.0 / (0.03 * RATE)


def test_no_crossfade_is_a_cut_at_the_sample(voices, joined):
    out = joined(voices(**levels(a=0.1, b=0.2)), [Part(1.0, 2.0, "b")], default="a", crossfade_seconds=0)[0]
    np.testing.assert_allclose(out[[RATE - 1, RATE, 2 * RATE - 1, 2 * RATE]], [0.1, 0.2, 0.2, 0.1], atol=1e-7)


def test_a_stretch_shorter_than_its_fades(voices, joined):
    """10 ms between two: fades shrink to it, and it is heard in full for a moment."""
    out = joined(voices(**levels(a=0.0, b=0.5)), [Part(1.0, 1.01, "b")], default="a", crossfade_seconds=0.5)[
        0
    ]
    assert out.max() == pytest.approx(0.5, abs=0.01)
    assert np.flatnonzero(out > 1e-6).size <= 0.0201 * RATE


def test_touching_parts_of_one_voice_are_one(voices, joined):
    sound = np.random.default_rng(2).standard_normal(3 * RATE).astype(np.float32)
    parts = [Part(0.0, 1.0, "a"), Part(1.0, 2.0, "a"), Part(2.0, 3.0, "a")]
    np.testing.assert_array_equal(joined(voices(a=sound), parts)[0], sound)


@pytest.mark.parametrize("count", [0, 1, BLOCK_FRAMES - 1, BLOCK_FRAMES, BLOCK_FRAMES + 1])
def test_length_is_exact_and_mono_is_heard_on_both_sides(voices, joined, tmp_path, count):
    generator = np.random.default_rng(3)
    source, voice = generator.standard_normal((2, count)), generator.standard_normal(count)
    paths = voices(source=source, voice=voice)
    out = joined(paths, [], default="voice")
    assert probe(tmp_path / "out.wav").frames == count
    np.testing.assert_array_equal(out, np.stack([voice, voice]).astype(np.float32))
    np.testing.assert_array_equal(joined(paths, [], default="source"), source.astype(np.float32))


def test_nobody(voices, joined):
    np.testing.assert_array_equal(joined(voices(**levels(a=0.3)), [])[0], 0.0)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([Part(0, 2, "a"), Part(1, 3, "b")], r"parts overlap at 1 s: one ends at 2 s"),
        ([Part(2, 2, "a")], r"no such stretch of a song: 2 to 2 s"),
        ([Part(-1, 2, "a")], r"no such stretch"),
        ([Part(0, float("nan"), "a")], r"no such stretch"),
        ([Part(0, 1, "x")], r"no vocal 'x' to join \(known: a, b\)"),
    ],
)
def test_parts_that_are_refused(voices, joined, tmp_path, parts, message):
    with pytest.raises(ProjectError, match=message):
        joined(voices(**levels(a=0.1, b=0.2)), parts)
    assert not (tmp_path / "out.wav").exists()


def test_files_that_do_not_fit(voices, joined):
    paths = voices(a=np.zeros(100), b=np.zeros(101))
    with pytest.raises(ProjectError, match="differ in length or rate: 'b' has 101 samples at 44100 Hz"):
        joined(paths, [])
    with pytest.raises(ProjectError, match=r"a cross-fade must last 0\.\.2 s"):
        joined(paths, [], crossfade_seconds=3.0)
    with pytest.raises(ProjectError, match="no vocal to join"):
        joined({}, [])
