"""Convolution: against the textbook, files of every kind, the places that are made here."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from effect_signals import RATE, MakeRack

from covermaker.audio.files import wav_writer
from covermaker.documents.document import PlaceError
from covermaker.effects.convolution import Convolution, Convolver, Kernel
from covermaker.effects.impulses import MADE, load
from covermaker.effects.named_files import with_files
from covermaker.effects.rack import parse_rack
from covermaker.effects.spec import OFF_DB, Reading, defaults
from covermaker.errors import AudioInputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    MakeFile = Callable[..., str]

WET = {
    "effect": "convolution", "dry_db": OFF_DB, "wet_db": 0.0, "low_cut_hz": 20.0, "high_cut_hz": 20000.0,
}  # fmt: skip


@pytest.fixture
def impulse(tmp_path: Path) -> MakeFile:
    def write(response: np.ndarray, *, rate: int = RATE, name: str = "impulse.wav") -> str:
        response = np.atleast_2d(np.asarray(response, np.float32))
        with wav_writer(tmp_path / name, sample_rate=rate, channels=len(response)) as writer:
            writer.write(response)
        return str(tmp_path / name)

    return write


def noise(seconds: float, *, channels: int = 2, seed: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (generator.standard_normal((channels, round(seconds * RATE))) * 0.1).astype(np.float32)


def decaying(frames: int, *, channels: int = 1, seed: int = 5) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.standard_normal((channels, frames)) * np.exp(-np.arange(frames) / (frames / 5))


@pytest.mark.parametrize("frames", [1, 63, 64, 65, 511, 512, 513, 8191, 8192, 8193, 20000, 40001])
@pytest.mark.parametrize("size", [64, 700, 8192, 30000])
def test_it_is_the_convolution(frames: int, size: int) -> None:
    """Direct summation by numpy, over every border of the partitions."""
    response, sound = decaying(frames)[0], noise(0.8, channels=1)
    stream = Convolver(Kernel({(0, 0): response}))
    made = np.concatenate(
        [stream.process(sound[:, at : at + size]) for at in range(0, sound.shape[1], size)], axis=1
    )
    expected = np.convolve(sound[0].astype(np.float64), response)[: sound.shape[1]]
    assert np.abs(made[0] - expected).max() < 1e-10


def test_a_unit_impulse_nulls(rack: MakeRack, impulse: MakeFile) -> None:
    sound = noise(0.7)
    row = {**WET, "impulse": impulse(np.array([0.5, *np.zeros(99)]))}
    assert np.abs(rack(row).process(sound) - sound).max() < 1e-7
    late = rack({**row, "pre_delay_ms": 10.0}).process(sound)
    assert np.abs(late[:, 441:] - sound[:, :-441]).max() < 1e-7
    assert not late[:, :441].any()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_channels_of_the_response(rack: MakeRack, impulse: MakeFile, channels: int) -> None:
    """One answers both sides, two their own, four from side to side too."""
    response = decaying(3000, channels=channels)
    row = {**WET, "impulse": impulse(response), "normalise": False, "trim": False}
    sound = noise(0.3)
    made = rack(row).process(sound)
    paths = {1: [[0, None], [None, 0]], 2: [[0, None], [None, 1]], 4: [[0, 2], [1, 3]]}[channels]
    for out, sources in zip(made, paths, strict=True):
        expected = sum(
            np.convolve(sound[source], response[path])[: sound.shape[1]]
            for source, path in enumerate(sources)
            if path is not None
        )
        assert np.abs(out - expected).max() < 1e-5


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("place", MADE)
def test_unit_energy_for_a_centred_sound(rack: MakeRack, place: str, channels: int) -> None:
    click = np.zeros((channels, 6 * RATE), np.float32)
    click[:, 0] = 1.0
    out = rack({**WET, "impulse": place}, channels=channels).process(click)
    energy = float(np.square(out, dtype=np.float64).sum()) / channels
    assert 10 * math.log10(energy) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(("place", "rt60"), [("plate", 2.1), ("hall", 2.2), ("room", 0.42)])
def test_places_decay_as_they_should(place: str, rt60: float) -> None:
    """Around 1 kHz, backward-integrated (Schroeder), -5 to -35 dB."""
    response = load(place, RATE, seconds=10.0, trim=True)[0]
    size = 2 * len(response)
    shape = np.exp(-(((np.fft.rfftfreq(size, 1 / RATE) - 1000.0) / 150.0) ** 2))
    band = np.fft.irfft(np.fft.rfft(response, size) * shape, size)[: len(response)]
    energy = np.cumsum(np.square(band[::-1]))[::-1]
    decay_db = 10 * np.log10(energy / energy[0] + 1e-15)
    start, stop = (int(np.argmax(decay_db < level)) for level in (-5.0, -35.0))
    assert 2 * (stop - start) / RATE == pytest.approx(rt60, rel=0.2)


@pytest.mark.parametrize("place", MADE)
def test_places_are_the_same_at_every_rate(place: str) -> None:
    spectra = []
    for rate in (44100, 48000):
        response = load(place, rate, seconds=2.0, trim=True)[0]
        spectra.append(np.abs(np.fft.rfft(response, 2 * rate))[: 2 * 10000] / rate)
    levels_db = [10 * math.log10(float(np.square(one[200:8000]).sum())) for one in spectra]
    assert levels_db[0] == pytest.approx(levels_db[1], abs=0.5)
    assert np.corrcoef(*spectra)[0, 1] > 0.98
    paths = load(place, RATE, seconds=2.0, trim=True)
    assert paths.shape[0] == 4
    assert abs(np.corrcoef(paths[0] + paths[2], paths[1] + paths[3])[0, 1]) < 0.3  # wide, for a centred sound


def test_a_response_at_another_rate_is_converted(rack: MakeRack, impulse: MakeFile, tmp_path: Path) -> None:
    """The same place recorded at 96 kHz: what it does to a sound is the same, in level and in time."""
    time = np.arange(9600) / 96000
    smooth = np.exp(-time / 0.02) * np.sin(2 * np.pi * 900.0 * time)
    row = {**WET, "normalise": False, "trim": False}
    at_96 = rack({**row, "impulse": impulse(smooth, rate=96000, name="a.wav")}).process(noise(0.3))
    time = np.arange(4410) / RATE
    smooth = np.exp(-time / 0.02) * np.sin(2 * np.pi * 900.0 * time) * 96000 / RATE
    at_44 = rack({**row, "impulse": impulse(smooth, name="b.wav")}).process(noise(0.3))
    assert np.abs(at_96 - at_44).max() < 0.02 * np.abs(at_44).max()
    other = rack({**row, "impulse": str(tmp_path / "a.wav")})
    assert any("a.wav is at 96000 Hz: converted to 44100 Hz" in note for note in other.notes())
    assert not rack({**row, "impulse": str(tmp_path / "b.wav")}).notes()


def test_length_and_silence_before_it(impulse: MakeFile) -> None:
    response = np.concatenate([np.zeros(1000), decaying(RATE)[0]])
    file = impulse(response)
    assert 0.49 * RATE < load(file, RATE, seconds=0.5, trim=True).shape[1] <= RATE // 2
    trimmed = load(file, RATE, seconds=5.0, trim=True)[0]
    whole = load(file, RATE, seconds=5.0, trim=False)[0]
    assert abs(trimmed[0]) > 1e-3
    assert np.allclose(whole[1000 : 1000 + 500], trimmed[:500])
    end = load(file, RATE, seconds=0.5, trim=True)[0, -100:]
    assert np.abs(end).max() < 0.05 * np.abs(response).max()  # faded


def test_it_cuts_its_wet_sound_only(rack: MakeRack) -> None:
    click = np.zeros((2, 3 * RATE), np.float32)
    click[:, 0] = 1.0
    row = {**WET, "impulse": "plate"}
    open_ = np.abs(np.fft.rfft(rack(row).process(click)[0])) ** 2
    cut = (
        np.abs(np.fft.rfft(rack({**row, "low_cut_hz": 500.0, "high_cut_hz": 5000.0}).process(click)[0])) ** 2
    )
    hz = np.fft.rfftfreq(3 * RATE, 1 / RATE)

    def lost_db(low: float, high: float) -> float:
        band = (hz > low) & (hz < high)
        return 10 * math.log10(cut[band].sum() / open_[band].sum())

    assert lost_db(115.0, 135.0) == pytest.approx(-24.0, abs=1.5)
    assert lost_db(1200.0, 2000.0) == pytest.approx(0.0, abs=0.3)
    sound = noise(0.2)
    dry = rack({**row, "dry_db": 0.0, "wet_db": OFF_DB}).process(sound)
    assert np.array_equal(dry, sound)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda write: write(np.zeros((1, 100))), "is silent"),
        (lambda write: write(np.ones((3, 100))), "has 3 channels"),
        (lambda write: write(np.zeros((1, 0))), "empty|silent|cannot|no sound|holds no"),
        (lambda write: "relative.wav", "not looked for in the working directory"),
        (lambda write: "/nowhere/impulse.wav", "nowhere"),
    ],
)
def test_files_that_are_none(
    rack: MakeRack, impulse: MakeFile, write: Callable[[MakeFile], str], message: str
) -> None:
    with pytest.raises(AudioInputError, match=message):
        rack({**WET, "impulse": write(impulse)})


def test_a_document_names_the_file(tmp_path: Path, impulse: MakeFile) -> None:
    """By a path in the project; the content, not the path, is what counts in a key."""
    assert isinstance(Convolution, Reading)
    impulse(decaying(500), name="church.wav")
    rows = parse_rack([{"effect": "convolution", "impulse": "church.wav"}], where="rack")
    (found,) = with_files(rows, lambda text, where: tmp_path / text, where="rack")
    assert found.values["impulse"] == str(tmp_path / "church.wav")
    first = found.params()
    assert str(tmp_path) not in str(first)
    os.rename(tmp_path / "church.wav", tmp_path / "chapel.wav")
    (moved,) = with_files(
        parse_rack([{"effect": "convolution", "impulse": "chapel.wav"}], where="rack"),
        lambda text, where: tmp_path / text,
        where="rack",
    )
    assert moved.params() == first
    impulse(decaying(500, seed=6), name="chapel.wav")
    assert moved.params() != first
    with pytest.raises(PlaceError, match=r"rack\[0\]\.impulse: no file '.*plat'") as caught:
        with_files(
            parse_rack([{"effect": "convolution", "impulse": "plat"}], where="rack"),
            lambda text, where: tmp_path / text,
            where="rack",
        )
    assert "did you mean 'plate'" in str(caught.value.hint)
    impulse(np.ones((3, 100)), name="three.wav")
    with pytest.raises(PlaceError, match="has 3 channels"):
        with_files(
            parse_rack([{"effect": "convolution", "impulse": "three.wav"}], where="rack"),
            lambda text, where: tmp_path / text,
            where="rack",
        )
    with pytest.raises(PlaceError, match="impulse"):
        parse_rack([{"effect": "convolution", "impulse": ""}], where="rack")
    with pytest.raises(PlaceError, match="impulse"):
        parse_rack([{"effect": "convolution", "impulse": 3.0}], where="rack")


def test_sides_that_cancel_out(rack: MakeRack, impulse: MakeFile) -> None:
    """A true-stereo file whose crossing paths are the straight ones turned over; two opposite sides heard as one."""
    left, right = decaying(4000, channels=2)
    file = impulse(np.stack([left, right, -left, -right]))
    made = rack({**WET, "impulse": file})
    heard = made.process(np.stack([noise(1.0)[0], np.zeros(RATE, np.float32)]))
    assert np.isfinite(heard).all()
    assert 0.02 < heard.std() < 0.5
    opposite = impulse(np.stack([left, -left]), name="opposite.wav")
    with pytest.raises(AudioInputError, match="cancel out on one channel") as caught:
        rack({**WET, "impulse": opposite}, channels=1)
    assert "normalise = false" in str(caught.value.hint)
    rack({**WET, "impulse": opposite, "normalise": False}, channels=1)
    rack({**WET, "impulse": opposite})


def test_a_rewritten_file_is_read_anew(rack: MakeRack, impulse: MakeFile) -> None:
    click = np.zeros((2, 2000), np.float32)
    click[:, 0] = 1.0
    file = impulse(decaying(500))
    first = rack({**WET, "impulse": file}).process(click)
    impulse(decaying(500, seed=6))
    os.utime(file, ns=(1, 1))
    assert not np.allclose(rack({**WET, "impulse": file}).process(click), first)


def test_levels_move(rack: MakeRack) -> None:
    """A send that opens: silent before, as loud as one that was always open when all is filled."""
    values = {**defaults(Convolution.SPECS), "impulse": "room", "wet_db": OFF_DB}
    effect = Convolution(values, RATE, 2)
    sound = noise(2.0)
    assert np.array_equal(effect.process(sound[:, :6400]), sound[:, :6400])
    effect.move({"wet_db": 0.0})
    moved = np.concatenate([sound[:, :6400], effect.process(sound[:, 6400:])], axis=1)
    open_ = Convolution({**values, "wet_db": 0.0}, RATE, 2).process(sound)
    assert np.allclose(moved[:, -RATE // 2 :], open_[:, -RATE // 2 :], atol=1e-5)
