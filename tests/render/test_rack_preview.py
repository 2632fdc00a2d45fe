"""What the preview tells of a rack: levels and spectra behind each effect, the difference, buses and the master."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from covermaker.audio.files import read
from covermaker.errors import UsageError
from covermaker.graph.store import Store
from covermaker.mix import desk
from covermaker.render import stages
from covermaker.render.preview import Previewer
from covermaker.render.previewing import DRY, MIX, Wish, rack_of, stand_in
from covermaker.render.sounds import Sounds, TrackSound
from covermaker.render.stretch import levels_of

RATE = 44100
TONE_DB = -8.0
COVER = """schema = 1
title = "Short"
[song]
file = "song.wav"
[[tracks]]
name = "vocals"
source = "converted"
sends = { room = -12.0 }
rack_lufs = "off"
rack = [
  { effect = "gate", threshold_db = -60.0 },
  { effect = "compressor", threshold_db = -20.0, ratio = 4.0, knee_db = 0.0, attack_ms = 1.0 },
  { effect = "eq", bypass = true },
  { effect = "gain", gain_db = -6.0 },
]
[[tracks]]
name = "band"
source = "instrumental"
mute = true
[[buses]]
name = "room"
rack = [{ effect = "gain", gain_db = -3.0 }]
[[buses]]
name = "hall"
[master]
rack = [{ effect = "gain", gain_db = -2.0 }]
"""


@pytest.fixture
def sounds(staged):
    """A vocal that is a steady tone, 12 dB over the compressor's threshold."""
    times = np.arange(5 * RATE) / RATE
    tone = 10.0 ** (TONE_DB / 20.0) * np.sin(2 * np.pi * 1000 * times)
    names = ("vocals", "band", "song", "separated")
    return staged(COVER, RATE, dict.fromkeys(names, tone[None]), separated="separated.wav")


def sound(file):
    return read(Path(file)).samples


def wish(of="tracks.vocals", **more):
    return Wish(1, 1.0, 3.0, rack_of(of), **more)


def test_a_tone_12_db_over_the_threshold_at_ratio_4_is_turned_down_by_9(previewer):
    made = previewer.make(wish())
    gate, compressor = made.reductions
    assert (gate["index"], gate["effect"], gate["maximum_db"]) == (0, "gate", pytest.approx(0.0, abs=0.01))
    assert (compressor["index"], compressor["effect"]) == (1, "compressor")
    assert compressor["history_db"] == pytest.approx([9.0] * len(compressor["history_db"]), abs=0.05)
    assert len(compressor["history_db"]) == pytest.approx(3.0 / made.reduction_seconds, abs=1)


def test_levels_are_those_behind_each_effect_that_is_on(previewer):
    made = previewer.make(wish())
    assert [point["index"] for point in made.points] == [-1, 0, 1, 3]
    peaks = [point["peak_dbfs"] for point in made.points]
    assert peaks == pytest.approx([TONE_DB, TONE_DB, TONE_DB - 9.0, TONE_DB - 15.0], abs=0.1)
    lufs = [point["lufs"] for point in made.points]
    assert np.diff(lufs) == pytest.approx([0.0, -9.0, -6.0], abs=0.1)
    assert made.out_lufs - made.in_lufs == pytest.approx(lufs[-1] - lufs[0], abs=0.02)
    for point in made.points:
        loudest = int(np.argmax(point["spectrum_db"]))
        assert made.spectrum_hz[loudest] == pytest.approx(1000, rel=0.12)
        assert point["spectrum_db"][loudest] == pytest.approx(point["peak_dbfs"], abs=0.6)


def test_the_rack_hears_its_source_at_its_own_level(previewer):
    level = {"tracks.vocals.rack_lufs": -30.0}
    made = previewer.make(wish(changes={**level, "tracks.vocals.rack": [{"effect": "gain"}]}))
    for point in made.points:
        assert point["lufs"] == pytest.approx(-30.0, abs=0.1)
    assert made.level_db == pytest.approx(made.points[0]["peak_dbfs"] - TONE_DB, abs=0.1)
    assert made.out_lufs == pytest.approx(made.in_lufs, abs=0.01)
    made = previewer.make(wish(changes={**level, "tracks.vocals.rack": []}))
    assert made.level_db == 0.0  # without an effect a render changes no level
    assert made.points[0]["lufs"] == pytest.approx(made.in_lufs + 10.0 * np.log10(0.5), abs=0.1)


def test_many_changes_of_a_parameter_keep_little(previewer, monkeypatch):
    monkeypatch.setattr(stages, "_MOST_POINTS", 6)
    for gain_db in range(4):
        previewer.make(wish(changes={"tracks.vocals.rack[1].ratio": 2.0 + gain_db}))
    assert len(previewer._stages._points) == 6


def test_what_is_kept_is_what_is_measured_anew(tmp_path, previewer, sounds):
    changes = {"tracks.vocals.rack[1].ratio": 2.0}
    previewer.make(wish())
    again = previewer.make(wish(changes=changes))
    fresh = Previewer(tmp_path, Store(tmp_path / "store")).make(wish(changes=changes))
    assert (again.points, again.reductions) == (fresh.points, fresh.reductions)
    np.testing.assert_array_equal(sound(again.file), sound(fresh.file))
    assert again.points[2]["peak_dbfs"] == pytest.approx(TONE_DB - 6.0, abs=0.1)


def test_the_difference_is_what_is_left_between_both_equally_loud(previewer):
    plain = previewer.make(
        wish(difference=True, changes={"tracks.vocals.rack": [{"effect": "gain", "gain_db": -6.0}]})
    )
    assert np.abs(sound(plain.file)).max() < 1e-3  # a mere change of level is no difference
    cut = [{"effect": "low_pass", "cutoff_hz": 200.0}]
    made = previewer.make(wish(difference=True, changes={"tracks.vocals.rack": cut}))
    assert np.abs(sound(made.file)).max() > 0.02
    assert made.gain_db == 0.0


def test_a_bus_hears_what_is_sent_to_it(previewer):
    made = previewer.make(wish("buses.room"))
    dry, wet = sound(made.against), sound(made.file)
    assert made.against_start_seconds == made.start_seconds == 1.0
    np.testing.assert_allclose(wet, dry * 10.0 ** (-3.0 / 20.0), rtol=1e-4)
    assert max(map(max, made.peaks[DRY])) == pytest.approx(10.0 ** ((TONE_DB - 15.0 - 12.0) / 20.0), rel=0.3)
    with pytest.raises(UsageError, match="no track sends to hall"):
        previewer.make(wish("buses.hall"))
    with pytest.raises(UsageError, match="no bus 'cave'"):
        previewer.make(wish("buses.cave"))


def test_a_bus_is_measured_through_its_own_rack_alone(previewer, monkeypatch):
    """What the other buses give back is part of no bus: their racks do not run."""
    through = previewer.make(wish("buses.room"))
    process = desk.Rack.process

    def refused(rack, *args):
        if rack._stages:
            raise AssertionError("a rack of the desk runs")
        return process(rack, *args)

    monkeypatch.setattr(desk.Rack, "process", refused)
    again = previewer.make(wish("buses.room"))
    assert again.points == through.points
    with pytest.raises(AssertionError, match="a rack of the desk runs"):
        previewer.make(wish("master"))


def test_another_stretch_is_read_and_measured_anew(tmp_path, previewer, sounds):
    swell = read(tmp_path / "vocals.wav").samples * np.linspace(0.1, 1.0, 5 * RATE, dtype=np.float32)
    soundfile.write(tmp_path / "vocals.wav", swell[0], RATE, subtype="FLOAT")
    for wished in (wish(), Wish(2, 2.0, 2.5, rack_of("tracks.vocals")), wish(), Wish(3, 2.0, 1.0, "vocals")):
        made = previewer.make(wished)
        fresh = Previewer(tmp_path, Store(tmp_path / "store")).make(wished)
        assert (made.in_lufs, made.out_lufs, made.points) == (fresh.in_lufs, fresh.out_lufs, fresh.points)
        np.testing.assert_array_equal(sound(made.file), sound(fresh.file))


@pytest.mark.parametrize("frames", [0, 1, 17639, 17640, RATE])
def test_levels_of_a_sound_in_memory(frames):
    quiet = np.zeros((2, frames), np.float32)
    assert levels_of(quiet, RATE) == (None, None)
    tone = np.full((2, frames), 0.5, np.float32) * np.sin(0.1 * np.arange(frames)).astype(np.float32)
    lufs, peak_dbfs = levels_of(tone, RATE)
    assert (lufs is None) == (frames < 0.4 * RATE)  # BS.1770 has nothing to say of less
    if frames > 100:
        assert peak_dbfs == pytest.approx(20.0 * np.log10(0.5), abs=0.02)


def test_the_master_hears_the_mix(previewer):
    made, mix = previewer.make(wish("master")), previewer.make(Wish(2, 1.0, 3.0))
    np.testing.assert_allclose(sound(made.against), sound(mix.file), atol=1e-6)
    assert made.out_lufs == pytest.approx(made.in_lufs - 2.0, abs=0.05)
    assert max(map(max, made.peaks[MIX])) < max(map(max, made.peaks[DRY]))


def test_before_the_conversion_the_separated_vocal_stands_in(tmp_path, previewer, sounds):
    sounds.tracks["vocals"] = TrackSound(None, None, None)
    made = previewer.make(wish())
    assert made.against == str(tmp_path / "separated.wav")
    assert "original vocal" in made.instead
    sounds.tracks["band"] = TrackSound(None, None, None)
    with pytest.raises(UsageError, match="band has no sound yet"):
        previewer.make(wish("tracks.band"))


def test_nothing_stands_in_for_a_stem(tmp_path):
    from types import SimpleNamespace

    nothing = Sounds(None, tmp_path / "vocal.wav", None, None, None, 0.0, {})
    assert stand_in(SimpleNamespace(name="band", source="instrumental"), nothing) == (None, "")
