"""The parts of a mix sum to it, whatever stands between them and it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import made_up_effects
import numpy as np
import pytest

from covermaker.audio.files import read
from covermaker.effects.automation import Automation
from covermaker.effects.rack import parse_rack
from covermaker.mix.mixer import Source, mix_tracks
from covermaker.mix.parts import Part, entering, write_parts
from covermaker.mix.strips import Strip

RATE, FRAMES = 44_100, 60_000
STEP = 2.0**-23
Wav = Callable[..., Path]


@pytest.fixture(autouse=True)
def extra_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up_effects.add_to(monkeypatch)


def rack(*rows: dict[str, object]):
    return parse_rack(rows, where="rack")


LATE = {"effect": "late"}
ECHO = {"effect": "delay", "time_ms": 300.0, "feedback": 0.5, "wet_db": 0.0, "dry_db": -100.0}
MOVING = Automation(((0.1, -20.0), (0.9, 3.0)))


@pytest.fixture
def desk(extra_effects: None) -> list[Strip]:
    return [
        Strip(name="a", sends={"echo": -6.0, "hall": -9.0}, pre_fader=["hall"], moves={"gain_db": MOVING}),
        Strip(name="b", group="inner", pan=-0.4, sends={"hall": -12.0}),
        Strip(name="c", group="outer", moves={"pan": Automation(((0.0, -1.0), (1.0, 1.0)), "smooth")}),
        Strip(name="d", pan=0.3, gain_db=-3.0, moves={"mute": Automation(((0.2, 1.0), (0.5, 0.0)), "hold")}),
        Strip(name="inner", kind="group", group="outer", rack=rack(LATE)),
        Strip(name="outer", kind="group", gain_db=-2.0, rack=rack(LATE, LATE), sends={"hall": -6.0}),
        Strip(name="echo", kind="bus", rack=rack(ECHO), sends={"hall": -10.0}),
        Strip(name="hall", kind="bus", pan=0.2, rack=rack(LATE, ECHO)),
    ]


@pytest.fixture
def sources(wav: Wav) -> dict[str, Source]:
    found = {}
    for seed, name in enumerate("abcd"):
        channels = 1 if name == "d" else 2
        sound = np.random.default_rng(seed).standard_normal((channels, FRAMES)) * 0.1
        found[name] = Source(wav(name, sound))
    return found


def mixed(strips, sources, folder: Path, *, tail="song", start=0, frames=FRAMES):
    out = folder / "mix.wav"
    report = mix_tracks(strips, sources, out, sample_rate=RATE, frames=frames, start=start, tail=tail)
    return out, report


def parted(strips, sources, mix: Path, folder: Path, **more) -> dict[str, np.ndarray]:
    parts = {folder / f"part {one.kind} {one.name}.wav": Part(one.node) for one in entering(strips)}
    write_parts(strips, sources, mix, parts, **more)
    return {path.stem: read(path).samples for path in parts}


@pytest.mark.parametrize("tail", ["song", "full"])
def test_the_parts_sum_to_the_mix(desk, sources, tmp_path, tail):
    out, report = mixed(desk, sources, tmp_path, tail=tail)
    assert report.latency_samples >= 4 * made_up_effects.LATE_SAMPLES  # inner, outer twice, hall
    assert report.faded is (tail == "song")
    found = parted(desk, sources, out, tmp_path)
    assert list(found) == [
        "part track a",
        "part track d",
        "part group outer",
        "part bus echo",
        "part bus hall",
    ]
    total = np.sum(list(found.values()), axis=0, dtype=np.float64)
    mix = read(out).samples
    assert all(sound.shape == mix.shape for sound in found.values())
    assert mix.shape[1] == FRAMES if tail == "song" else mix.shape[1] > FRAMES
    assert np.abs(total - mix).max() <= STEP
    assert min(np.abs(sound).max() for sound in found.values()) > 0.01


@pytest.mark.parametrize("size", [1000, 4097, 8192, FRAMES * 2])
def test_the_cut_into_blocks_changes_nothing(desk, sources, tmp_path, size):
    out, _ = mixed(desk, sources, tmp_path)
    whole, cut = (parted(desk, sources, out, tmp_path, block_frames=one) for one in (1 << 16, size))
    for name, sound in whole.items():
        np.testing.assert_array_equal(sound, cut[name])


def test_a_stretch_of_the_song_has_parts_too(desk, sources, tmp_path):
    out, _ = mixed(desk, sources, tmp_path, start=10_000, frames=20_000)
    found = parted(desk, sources, out, tmp_path, start=10_000)
    total = np.sum(list(found.values()), axis=0, dtype=np.float64)
    assert np.abs(total - read(out).samples).max() <= STEP


def test_a_mix_shorter_than_its_fade_has_parts(sources, tmp_path):
    strips = [Strip(name="a"), Strip(name="b")]
    out, _ = mixed(strips, sources, tmp_path, frames=100)
    found = parted(strips, sources, out, tmp_path)
    assert np.abs(sum(found.values()).astype(np.float64) - read(out).samples).max() <= STEP


def test_what_is_not_heard_is_no_part():
    strips = [
        Strip(name="a", solo=True),
        Strip(name="b", sends={"wet": 0.0}),
        Strip(name="c", group="band"),
        Strip(name="band", kind="group"),
        Strip(name="wet", kind="bus"),
    ]
    assert [one.name for one in entering(strips)] == ["a"]


def test_behind_a_rack_and_before_the_fader(sources, tmp_path):
    strips = [
        Strip(name="a", group="band", gain_db=-6.0),
        Strip(name="band", kind="group", gain_db=-20.0, pan=1.0, rack=rack(LATE)),
    ]
    out, _ = mixed(strips, sources, tmp_path)
    place = tmp_path / "racked.wav"
    write_parts(strips, sources, out, {place: Part(("group", "band"), racked=True)})
    expected = read(sources["a"].path).samples * 10 ** (-6.0 / 20)
    found = read(place).samples
    np.testing.assert_allclose(found[:, :-500], expected[:, :-500], atol=1e-7)  # the end fades
