from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from covermaker.audio.files import read
from covermaker.effects.rack import Rack, parse_rack
from covermaker.errors import AudioInputError, CovermakerError, ProjectError
from covermaker.mix.mixer import MixReport, Source, mix_tracks
from covermaker.mix.strips import Strip

RATE = 44_100
Wav = Callable[..., Path]

ROOM = parse_rack(
    [{"effect": "reverb", "room_size": 0.3, "wet_db": 0.0, "dry_db": -100.0}], where="buses[0].rack"
)
ECHO = parse_rack(
    [
        {
            "effect": "delay",
            "time_ms": 400.0,
            "feedback": 0.5,
            "wet_db": 0.0,
            "dry_db": -100.0,
            "low_cut_hz": 20.0,
            "high_cut_hz": 20000.0,
        }
    ],
    where="buses[1].rack",
)


@dataclass(frozen=True, kw_only=True)
class TrackInput:
    """A track of a test: its strip, and the file that it plays."""

    path: Path
    offset: int = 0
    strip: Strip

    @property
    def name(self) -> str:
        return self.strip.name


def track(*, path: Path, offset: int = 0, **strip: object) -> TrackInput:
    return TrackInput(path=path, offset=offset, strip=Strip(**strip))  # type: ignore[arg-type]


def bus(**strip: object) -> Strip:
    return Strip(kind="bus", **strip)  # type: ignore[arg-type]


def group(**strip: object) -> Strip:
    return Strip(kind="group", **strip)  # type: ignore[arg-type]


def noise(frames: int, *, channels: int = 2, seed: int = 0, level: float = 0.1) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal((channels, frames)) * level
    return samples.astype(np.float32)


def desk_of(
    tracks: Sequence[TrackInput], others: Sequence[Strip] = ()
) -> tuple[list[Strip], dict[str, Source]]:
    return [*(one.strip for one in tracks), *others], {
        one.name: Source(one.path, one.offset) for one in tracks
    }


def mix(
    tracks: Sequence[TrackInput], *, frames: int, buses: Sequence[Strip] = (), **more: object
) -> tuple[MixReport, np.ndarray]:
    folder = tracks[0].path.parent
    out = folder / "mix.wav"
    strips, sources = desk_of(tracks, buses)
    report = mix_tracks(strips, sources, out, sample_rate=RATE, frames=frames, **more)  # type: ignore[arg-type]
    made = read(out)
    assert made.sample_rate == RATE
    assert made.samples.shape == (2, report.frames)
    assert report.tail_frames == report.frames - frames
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    return report, made.samples


def unfaded(samples: np.ndarray) -> np.ndarray:
    """Leave out the last 10 ms, which a song that ends loud loses to a fade."""
    return samples[:, : -round(0.010 * RATE)]


def test_stems_sum_to_the_song(wav: Wav) -> None:
    first, second = noise(30_000), noise(30_000, seed=1)
    tracks = [track(name="a", path=wav("a", first)), track(name="b", path=wav("b", second))]
    report, made = mix(tracks, frames=30_000)
    expected = (first.astype(np.float64) + second).astype(np.float32)
    np.testing.assert_array_equal(unfaded(made), unfaded(expected))
    assert report.peak_dbfs == pytest.approx(20 * np.log10(np.abs(made).max()), abs=1e-6)


def test_a_mono_stem_equals_its_dual_mono_copy(wav: Wav) -> None:
    mono = noise(20_000, channels=1)
    _, one = mix([track(name="a", path=wav("a", mono))], frames=20_000)
    _, two = mix([track(name="a", path=wav("b", np.repeat(mono, 2, axis=0)))], frames=20_000)
    np.testing.assert_array_equal(one, two)


def test_gain_and_pan(wav: Wav) -> None:
    mono = noise(20_000, channels=1)
    one = track(name="a", path=wav("a", mono), gain_db=-6.0, pan=-1.0)
    _, made = mix([one], frames=20_000)
    np.testing.assert_allclose(
        unfaded(made)[0], unfaded(mono)[0] * 10 ** (-6 / 20) * 2**0.5, rtol=1e-5, atol=1e-9
    )
    assert np.abs(made[1]).max() < 1e-9


def test_mute_and_solo(wav: Wav) -> None:
    sounds = {name: noise(9_000, seed=seed) for seed, name in enumerate("abc")}
    paths = {name: wav(name, sound) for name, sound in sounds.items()}

    def heard(**flags: dict[str, bool]) -> tuple[MixReport, set[str]]:
        tracks = [track(name=name, path=paths[name], **flags.get(name, {})) for name in sounds]
        report, made = mix(tracks, frames=9_000)
        audible = {track.name for track in report.tracks if track.audible}
        expected = sum((sounds[name].astype(np.float64) for name in sorted(audible)), np.zeros((2, 9_000)))
        np.testing.assert_array_equal(unfaded(made), unfaded(expected.astype(np.float32)))
        return report, audible

    assert heard()[1] == {"a", "b", "c"}
    report, audible = heard(b={"mute": True})
    assert audible == {"a", "c"}
    assert "b is muted" in report.notes
    report, audible = heard(a={"solo": True}, c={"solo": True})
    assert audible == {"a", "c"}
    assert "b is silent because another track is soloed" in report.notes
    report, audible = heard(a={"solo": True, "mute": True})
    assert audible == set()
    assert "no track is audible, the mix is silent" in report.notes


def test_levels_in_the_report(wav: Wav) -> None:
    tone = np.sin(2 * np.pi * 441.0 * np.arange(RATE) / RATE)[None] * 0.5
    tracks = [
        track(name="tone", path=wav("tone", tone), gain_db=-6.0),
        track(name="off", path=wav("off", tone), mute=True),
    ]
    report, _ = mix(tracks, frames=RATE)
    assert report.tracks[0].peak_dbfs == pytest.approx(-12.02, abs=0.01)
    assert report.tracks[0].rms_dbfs == pytest.approx(-15.03, abs=0.01)
    assert report.tracks[1].peak_dbfs == report.tracks[1].rms_dbfs == -math.inf


def test_a_send_is_post_fader_and_the_bus_adds_its_room(wav: Wav) -> None:
    click = np.zeros((2, RATE), np.float32)
    click[:, 1000] = 1.0
    path = wav("a", click)
    room = bus(name="reverb", rack=ROOM)
    quiet = track(name="a", path=path, gain_db=-20.0, sends={"reverb": -6.0})
    loud = track(name="a", path=path, gain_db=0.0, sends={"reverb": -6.0})
    _, small = mix([quiet], frames=RATE, buses=[room])
    _, big = mix([loud], frames=RATE, buses=[room])
    wet_small, wet_big = small[:, 1500:], big[:, 1500:]
    assert np.abs(wet_big).max() > 1e-3
    assert np.abs(wet_big).max() / np.abs(wet_small).max() == pytest.approx(10.0, rel=1e-3)
    _, dry = mix([track(name="a", path=path)], frames=RATE, buses=[room])
    assert not dry[:, 1500:].any()


@pytest.mark.parametrize("silenced", ["mute", "solo"])
def test_a_silent_track_sends_nothing(silenced: str, wav: Wav) -> None:
    sent = track(name="a", path=wav("a", noise(20_000)), sends={"reverb": 0.0}, mute=silenced == "mute")
    other = track(name="b", path=wav("b", np.zeros((2, 20_000))), solo=silenced == "solo")
    report, made = mix([sent, other], frames=20_000, buses=[bus(name="reverb", rack=ROOM)])
    assert not made.any()
    assert report.buses[0].audible
    assert report.buses[0].peak_dbfs == -math.inf


def test_a_solo_keeps_its_own_room(wav: Wav) -> None:
    click = np.zeros((2, RATE), np.float32)
    click[:, 0] = 1.0
    one = track(name="a", path=wav("a", click), solo=True, sends={"reverb": 0.0})
    _, made = mix([one], frames=RATE, buses=[bus(name="reverb", rack=ROOM)])
    assert np.abs(made[:, 2000:]).max() > 1e-3
    report, dry = mix([one], frames=RATE, buses=[bus(name="reverb", rack=ROOM, mute=True)])
    assert not dry[:, 2000:].any()
    assert "bus reverb is muted" in report.notes


def test_bus_gain_and_balance(wav: Wav) -> None:
    one = track(name="a", path=wav("a", noise(20_000)), gain_db=0.0, sends={"aux": 0.0})
    room = bus(name="aux", gain_db=-6.0, pan=1.0)
    _, made = mix([one], frames=20_000, buses=[room])
    dry = unfaded(noise(20_000)).astype(np.float64)
    half = 10 ** (-6 / 20)
    np.testing.assert_allclose(unfaded(made)[0], dry[0], atol=1e-6)
    np.testing.assert_allclose(unfaded(made)[1], dry[1] * (1 + half), atol=1e-6)


@pytest.mark.parametrize("tail", ["song", "full"])
@pytest.mark.parametrize("block_frames", [441, 8192, 30_011, 1 << 20])
def test_the_block_size_does_not_matter(block_frames: int, tail: str, wav: Wav) -> None:
    frames = 50_021
    tracks = [
        track(name="a", path=wav("a", noise(frames + 999)), pan=0.3, sends={"room": -9.0, "echo": -3.0}),
        track(name="b", path=wav("b", noise(20_000, channels=1, seed=1)), offset=7_777, pan=-0.4),
    ]
    buses = [bus(name="room", rack=ROOM), bus(name="echo", rack=ECHO, pan=0.5)]
    report, usual = mix(tracks, frames=frames, buses=buses, tail=tail)
    other_report, other = mix(tracks, frames=frames, buses=buses, tail=tail, block_frames=block_frames)
    np.testing.assert_array_equal(usual, other)
    assert report.notes == other_report.notes
    assert report.frames == other_report.frames


def test_two_mixes_are_the_same_file(wav: Wav) -> None:
    one = track(name="a", path=wav("a", noise(30_000)), sends={"room": -9.0})
    mix([one], frames=30_000, buses=[bus(name="room", rack=ROOM)])
    out = one.path.with_name("mix.wav")
    first = out.read_bytes()
    mix([one], frames=30_000, buses=[bus(name="room", rack=ROOM)])
    assert out.read_bytes() == first


@pytest.mark.parametrize("frames", [1, 2, 100, 440, 441, 442, 32_768, 32_769])
@pytest.mark.parametrize("have", [1, 441, 40_000])
def test_the_length_is_exact(frames: int, have: int, wav: Wav) -> None:
    report, made = mix([track(name="a", path=wav("a", noise(have)))], frames=frames)
    assert report.frames == made.shape[1] == frames


@pytest.mark.parametrize(
    ("start", "offset"), [(0, 0), (500, 0), (500, 500), (500, 800), (0, 1200), (900, 9000)]
)
def test_a_region_of_a_song(start: int, offset: int, wav: Wav) -> None:
    sound = noise(3_000)
    song = np.zeros((2, 20_000), np.float32)
    song[:, offset : offset + 3_000] = sound
    one = track(name="a", path=wav("a", sound), offset=offset)
    for block_frames in (256, 1 << 15):
        _, made = mix([one], frames=5_000, start=start, block_frames=block_frames)
        np.testing.assert_array_equal(unfaded(made), unfaded(song[:, start : start + 5_000]))


def test_a_file_cut_to_a_region_equals_the_whole_file(wav: Wav) -> None:
    song = noise(50_000)
    whole = track(name="a", path=wav("whole", song))
    cut = track(name="a", path=wav("cut", song[:, 20_000:35_000]), offset=20_000)
    _, from_whole = mix([whole], frames=15_000, start=20_000)
    _, from_cut = mix([cut], frames=15_000, start=20_000)
    np.testing.assert_array_equal(from_whole, from_cut)


def test_a_song_that_rings_at_its_end_is_faded(wav: Wav) -> None:
    steady = np.full((2, 20_000), 0.5, np.float32)
    report, made = mix([track(name="a", path=wav("a", steady))], frames=15_000)
    assert report.faded
    assert report.notes == ("the song does not end in silence: its last 10 ms fade out",)
    assert (made[:, :-441] == 0.5).all()
    assert (np.diff(made[0, -441:]) < 0.0).all()
    assert made[0, -1] == 0.0
    quiet, untouched = mix([track(name="a", path=wav("b", steady * 1e-3))], frames=15_000)
    assert not quiet.faded
    assert (untouched == np.float32(0.5e-3)).all()


def test_the_full_tail_keeps_what_rings(wav: Wav) -> None:
    frames = RATE // 2
    click = np.zeros((2, frames), np.float32)
    click[:, frames - 10] = 1.0
    one = track(name="a", path=wav("a", click), sends={"echo": 0.0})
    report, made = mix([one], frames=frames, buses=[bus(name="echo", rack=ECHO)], tail="full")
    # Echoes every 0.4 s, each half as high: the one at 0.4 * 15 s is the last above -90 dB.
    assert report.tail_frames / RATE == pytest.approx(0.4 * 15, abs=0.45)
    assert not report.faded
    assert np.abs(made[:, -1]).max() > 10 ** (-90 / 20)
    _, cut = mix([one], frames=frames, buses=[bus(name="echo", rack=ECHO)])
    np.testing.assert_array_equal(unfaded(made[:, :frames]), unfaded(cut))


def test_the_full_tail_keeps_what_the_files_hold(wav: Wav) -> None:
    sound = noise(8_000)
    sound[:, 7_000:] = 1e-5  # below -90 dBFS: dropped
    report, made = mix([track(name="a", path=wav("a", sound))], frames=5_000, tail="full")
    assert report.tail_frames == 2_000
    np.testing.assert_array_equal(unfaded(made), unfaded(sound[:, :7_000]))


def test_the_full_tail_ends_at_ten_seconds(wav: Wav) -> None:
    long = np.full((1, 13 * RATE), 0.1, np.float32)
    report, made = mix([track(name="a", path=wav("a", long))], frames=RATE, tail="full")
    assert report.tail_frames == 10 * RATE
    assert report.faded
    assert made[0, -1] == 0.0


def test_a_song_without_tail_gets_none(wav: Wav) -> None:
    report, _ = mix([track(name="a", path=wav("a", noise(5_000)))], frames=5_000, tail="full")
    assert report.tail_frames == 0


def test_progress_rises_to_one(wav: Wav) -> None:
    seen: list[float] = []
    one = track(name="a", path=wav("a", noise(100_000)))
    mix([one], frames=100_000, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_cancelled_mix_leaves_the_old_one(wav: Wav) -> None:
    one = track(name="a", path=wav("a", noise(100_000)))
    _, before = mix([one], frames=1_000)

    def cancel(_fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mix([one], frames=100_000, progress=cancel)
    assert sorted(path.name for path in one.path.parent.iterdir()) == ["a.wav", "mix.wav"]
    np.testing.assert_array_equal(read(one.path.with_name("mix.wav")).samples, before)


def test_what_is_refused(wav: Wav) -> None:
    sound = noise(1_000)
    good = track(name="a", path=wav("a", sound))
    slow = track(name="slow", path=wav("slow", sound, rate=22_050))
    wide = track(name="wide", path=wav("wide", noise(1_000, channels=6)))
    with pytest.raises(AudioInputError, match="'slow' is at 22050 Hz, the mix at 44100 Hz"):
        mix([good, slow], frames=1_000)
    with pytest.raises(AudioInputError, match="'wide' has 6 channels"):
        mix([good, wide], frames=1_000)
    with pytest.raises(AudioInputError, match="no samples"):
        mix([good], frames=0)
    with pytest.raises(ProjectError, match="two tracks are called 'a'"):
        mix([good, good], frames=1_000)
    with pytest.raises(ProjectError, match=r"pan 1\.5"):
        mix([track(name="b", path=good.path, pan=1.5)], frames=1_000)
    sends = track(name="b", path=good.path, sends={"revreb": 0.0})
    with pytest.raises(ProjectError, match=r"'revreb', which is no bus .*did you mean 'reverb'"):
        mix([sends], frames=1_000, buses=[bus(name="reverb")])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_bad_samples_are_refused_by_name(bad: float, wav: Wav) -> None:
    sound = noise(1_000)
    sound[1, 5] = bad
    one = track(name="lead", path=wav("a", sound))
    with pytest.raises(AudioInputError, match="'lead' holds NaN or infinite samples"):
        mix([one], frames=1_000)
    assert [path.name for path in one.path.parent.iterdir()] == ["a.wav"]


def test_a_bus_that_breaks_is_told_and_leaves_nothing(wav: Wav, monkeypatch: pytest.MonkeyPatch) -> None:
    source = wav("a", noise(200_000))
    out = source.parent / "mix.wav"

    def broken(self: Rack, block: np.ndarray, keys: object) -> np.ndarray:
        raise CovermakerError("effect 1 of a rack (reverb) made NaN or infinite samples")

    monkeypatch.setattr(Rack, "process", broken)
    strips, sources = desk_of(
        [track(name="a", path=source, sends={"room": 0.0})], [bus(name="room", rack=ROOM)]
    )
    with pytest.raises(CovermakerError, match="reverb"):
        mix_tracks(strips, sources, out, sample_rate=RATE, frames=200_000)
    assert os.listdir(source.parent) == ["a.wav"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("beside")]
